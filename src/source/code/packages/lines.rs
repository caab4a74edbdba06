//! Lock files that are read line by line.

use super::python_name;

type Pairs = Vec<(String, String)>;

/// `golang.org/x/crypto v0.31.0 h1:…`; lines about a `go.mod` alone are modules whose code is not used.
pub fn go_sum(text: &str) -> Pairs {
    let modules = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, version, sum) = (words.next()?, words.next()?, words.next()?);
        (sum.starts_with("h1:") && !version.ends_with("/go.mod"))
            .then(|| Some((name.to_owned(), version.strip_prefix('v')?.to_owned())))?
    });
    modules.collect()
}

/// `name[extra]==1.2.3 ; markers --hash=…`; what is not pinned names no version.
pub fn requirements(text: &str) -> Pairs {
    let pins = text.lines().filter_map(|line| {
        let line = line.split([';', '#']).next()?.split(" --").next()?.trim().trim_end_matches('\\').trim();
        let (name, version) = line.split_once("==")?;
        let name = name.split('[').next()?.trim();
        let version = version.trim_start_matches('=').trim();
        (!name.contains(' ') && !version.contains([',', '*', ' '])).then(|| (python_name(name), version.to_owned()))
    });
    pins.collect()
}

/// Under `GEM` and `specs:`, four spaces: `    rack (3.0.8)`, with the platform after a hyphen.
pub fn gemfile(text: &str) -> Pairs {
    let mut pairs = Pairs::new();
    let mut section = "";
    for line in text.lines() {
        if !line.starts_with(' ') {
            section = line.trim();
        }
        let Some(rest) = line.strip_prefix("    ").filter(|rest| section == "GEM" && !rest.starts_with(' ')) else {
            continue;
        };
        if let Some((name, version)) = rest.trim_end().strip_suffix(')').and_then(|rest| rest.split_once(" (")) {
            let version = version.split('-').next().unwrap_or(version);
            pairs.push((name.to_owned(), version.to_owned()));
        }
    }
    pairs
}

/// `org.slf4j:slf4j-api:2.0.9=compileClasspath,…`
pub fn gradle(text: &str) -> Pairs {
    let locked = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (coordinates, _) = line.split_once('=')?;
        let (name, version) = coordinates.rsplit_once(':')?;
        name.contains(':').then(|| (name.to_owned(), version.to_owned()))
    });
    locked.collect()
}

/// `"@babel/core@^7.0.0", …:` and below it `version "7.1.0"` (or `version: 7.1.0` since the second format).
pub fn yarn(text: &str) -> Pairs {
    let mut pairs = Pairs::new();
    let mut name: Option<String> = None;
    for line in text.lines() {
        if !line.starts_with([' ', '#']) && line.trim_end().ends_with(':') {
            let first = line.trim_start_matches('"').split([',', '"']).next().unwrap_or_default().trim_end_matches(':');
            name = wanted_name(first);
        } else if let Some(version) = line.strip_prefix("  version") {
            let version = version.trim_start_matches(':').trim().trim_matches('"');
            if let Some(name) = name.take().filter(|_| version.starts_with(|c: char| c.is_ascii_digit())) {
                // A package of the same repository.
                if !version.ends_with("-use.local") {
                    pairs.push((name, version.to_owned()));
                }
            }
        }
    }
    pairs
}

/// The package that a wish names: `foo@^1` wants `foo`, `foo@npm:bar@^1` wants `bar`. Wishes for folders and repositories
/// name none.
fn wanted_name(wish: &str) -> Option<String> {
    let at = wish.get(1..)?.find('@')? + 1;
    let (name, wanted) = (&wish[..at], &wish[at + 1..]);
    match wanted.strip_prefix("npm:") {
        Some(alias) => match alias.get(1..).and_then(|rest| rest.find('@')) {
            Some(end) => Some(alias[..end + 1].to_owned()),
            None => Some(name.to_owned()),
        },
        None if wanted.contains(':') && !wanted.starts_with("patch:") => None,
        None => Some(name.to_owned()),
    }
}

/// Under `packages:`, keys such as `/foo@1.2.3:`, `'@babel/core@7.1.0(peer@1)':`, `/foo/1.2.3:`.
pub fn pnpm(text: &str) -> Pairs {
    let mut pairs = Pairs::new();
    let mut inside = false;
    for line in text.lines() {
        if !line.starts_with(' ') && !line.trim().is_empty() {
            inside = line.trim_end() == "packages:";
        }
        let Some(key) = line.strip_prefix("  ").filter(|rest| inside && !rest.starts_with(' ')) else { continue };
        let key = key.trim_end().trim_end_matches("{}").trim_end().trim_end_matches(':').trim_matches(['\'', '"']);
        let key = key.trim_start_matches('/');
        let key = key.split('(').next().unwrap_or(key);
        let split = key.get(1..).and_then(|rest| rest.rfind('@')).map(|at| at + 1).or_else(|| key.rfind('/'));
        let Some((name, version)) = split.map(|at| (&key[..at], &key[at + 1..])) else { continue };
        // The peers of the older form follow the version.
        let version = version.split('_').next().unwrap_or(version);
        if version.starts_with(|c: char| c.is_ascii_digit()) {
            pairs.push((name.to_owned(), version.to_owned()));
        }
    }
    pairs
}
