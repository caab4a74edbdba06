//! What a repository seems to deploy, from its files alone.
//!
//! A folder with a container file, or one that compose builds, is a service. A program's manifest alone says less: a
//! library's test server has one too. Such folders are proposed as comments, unless they lie where services usually do.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::git::Survey;
use crate::target::yaml;

/// So many services are proposed; a repository with more is not read by its folders.
const MOST: usize = 60;
/// Folders whose contents are nobody's service.
const SKIPPED: [&str; 22] = [
    "node_modules",
    "vendor",
    "third_party",
    "testdata",
    "tests",
    "test",
    "spec",
    "example",
    "examples",
    "fixtures",
    "docs",
    "doc",
    ".github",
    ".gitlab",
    ".devcontainer",
    ".circleci",
    "e2e",
    "benches",
    "benchmarks",
    "templates",
    "samples",
    "hack",
];
/// Folders that hold what belongs to the folder around them.
const PARTS: [&str; 8] = ["docker", ".docker", "deploy", "deployment", "build", "container", "containers", "images"];
/// Folders below which each folder is a service.
const HOMES: [&str; 4] = ["services", "apps", "microservices", "cmd"];
/// Container files that are for people's machines.
const NOT_DEPLOYED: [&str; 7] = ["dev", "local", "test", "tests", "ci", "devcontainer", "debug"];
/// What compose files are called.
const COMPOSE: [&str; 4] = ["docker-compose.yml", "docker-compose.yaml", "compose.yaml", "compose.yml"];

/// A service as it is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    /// Where it lies; empty: the whole repository.
    pub folder: String,
    /// What speaks for it.
    pub because: Vec<String>,
    /// Whether it is proposed, or only mentioned.
    pub sure: bool,
    /// The glob of its migrations, and how many files it matches.
    pub migrations: Option<(String, usize)>,
    /// What stands before its versions in tags, and how many tags begin so.
    pub tag_prefix: Option<(String, usize)>,
}

/// Whether the text of this file says something about services.
pub fn wants(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let depth = path.matches('/').count();
    depth <= 4 && !skipped(path) && (COMPOSE.contains(&name) || matches!(name, "package.json" | "Cargo.toml"))
}

/// The services of a repository that is called `repository`; and what could not be told.
pub fn services(repository: &str, survey: &Survey) -> (Vec<Found>, Vec<String>) {
    let mut incomplete = Vec::new();
    let folders: BTreeSet<&str> =
        survey.files.iter().filter_map(|path| path.rsplit_once('/')).map(|(folder, _)| folder).collect();
    let mut strong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut weak: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in survey.files.iter().filter(|path| !skipped(path) && path.matches('/').count() <= 5) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some(folder) = containerised(folder, name, &folders) {
            strong.entry(folder).or_default().push(path.clone());
        } else if COMPOSE.contains(&name) {
            match survey.texts.get(path).map(|text| yaml::parse(text)) {
                Some(Ok(read)) => {
                    for (service, built) in composed(&read, folder) {
                        strong.entry(built).or_default().push(format!("`{service}` in {path}"));
                    }
                }
                Some(Err(why)) => incomplete.push(format!("{path} {why}")),
                None => {}
            }
        } else if let Some(folder) = programmed(path, folder, name, survey) {
            let home = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
            let is_home = HOMES.contains(&home.rsplit('/').next().unwrap_or_default());
            if is_home { &mut strong } else { &mut weak }.entry(folder).or_default().push(path.clone());
        }
    }
    let mut found = named(repository, strong, weak);
    if found.len() > MOST {
        incomplete.push(format!("{} folders look like services, of which {MOST} are proposed", found.len()));
        found.truncate(MOST);
    }
    let places: Vec<String> = found.iter().map(|service| service.folder.clone()).collect();
    for service in &mut found {
        service.migrations = migrations(&service.folder, &places, &survey.files);
        service.tag_prefix = tag_prefix(service, &survey.tags);
    }
    (found, incomplete)
}

/// Gives each folder its name, and decides which are proposed.
fn named(repository: &str, strong: BTreeMap<String, Vec<String>>, weak: BTreeMap<String, Vec<String>>) -> Vec<Found> {
    let apart = strong.keys().any(|folder| !folder.is_empty());
    let covered = |folder: &str| strong.keys().any(|known| !known.is_empty() && is_below(folder, known));
    let others: Vec<(String, Vec<String>)> =
        weak.iter().filter(|(folder, _)| !covered(folder)).map(|(f, b)| (f.clone(), b.clone())).collect();
    let mut all: Vec<(String, Vec<String>, bool)> = Vec::new();
    // What lies below another service's folder is a part of it, unless it has a container of its own.
    all.extend(strong.into_iter().map(|(folder, because)| {
        let sure = !folder.is_empty() || !apart;
        (folder, because, sure)
    }));
    if !apart && all.is_empty() {
        let because = others.iter().find(|(folder, _)| folder.is_empty()).map(|(_, because)| because.clone());
        all.push((String::new(), because.unwrap_or_default(), true));
    }
    all.extend(
        others.into_iter().filter(|(folder, _)| !folder.is_empty()).map(|(folder, because)| (folder, because, false)),
    );
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    for (folder, because, sure) in all {
        let last = folder.rsplit('/').next().unwrap_or_default();
        let short = name_of(if folder.is_empty() { repository } else { last });
        let long = name_of(&folder.replace('/', "-"));
        let name = [short.clone(), long].into_iter().find(|name| !name.is_empty() && !names.contains(name));
        let Some(name) = name.or_else(|| (2..100).map(|n| format!("{short}-{n}")).find(|n| !names.contains(n))) else {
            continue;
        };
        names.insert(name.clone());
        found.push(Found { name, folder, because, sure, migrations: None, tag_prefix: None });
    }
    found.sort_by(|a, b| b.sure.cmp(&a.sure).then_with(|| a.name.cmp(&b.name)));
    found
}

/// A name that the settings take, of words from outside.
pub fn name_of(text: &str) -> String {
    let fit = |c: char| if c.is_alphanumeric() || matches!(c, '_' | '.') { c } else { '-' };
    let plain: String = text.trim().chars().map(fit).take(60).collect();
    plain.trim_matches(['-', '.', '_']).to_owned()
}

/// A path as a pattern that matches it and nothing else.
pub fn escaped(path: &str) -> String {
    globset::escape(path).replace('\\', "\\\\")
}

fn skipped(path: &str) -> bool {
    path.split('/').rev().skip(1).any(|part| SKIPPED.contains(&part))
}

fn is_below(folder: &str, above: &str) -> bool {
    folder == above || folder.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// The folder that a file puts into a container, or deploys by itself.
fn containerised(folder: &str, name: &str, folders: &BTreeSet<&str>) -> Option<String> {
    let platform = matches!(name, "Procfile" | "fly.toml" | "app.yaml" | "serverless.yml" | "serverless.yaml");
    let container = ["Dockerfile", "Containerfile"].iter().find_map(|stem| name.strip_prefix(stem));
    let kind = match container {
        Some("") => "",
        Some(rest) => rest.strip_prefix('.')?,
        None if platform => "",
        None => return None,
    };
    if NOT_DEPLOYED.contains(&kind) {
        return None;
    }
    // `Dockerfile.checkout` beside a folder of that name.
    let beside = if folder.is_empty() { kind.to_owned() } else { format!("{folder}/{kind}") };
    if !kind.is_empty() && folders.iter().any(|known| is_below(known, &beside)) {
        return Some(beside);
    }
    // `checkout/docker/Dockerfile` is about `checkout`; `docker/checkout/Dockerfile` about `checkout` where that is a folder.
    let (parent, last) = folder.rsplit_once('/').unwrap_or(("", folder));
    if PARTS.contains(&last) {
        return Some(parent.to_owned());
    }
    if PARTS.contains(&parent) && folders.iter().any(|known| is_below(known, last)) {
        return Some(last.to_owned());
    }
    Some(folder.to_owned())
}

/// What a compose file builds: names and folders.
fn composed(read: &yaml::Yaml, folder: &str) -> Vec<(String, String)> {
    let Some(yaml::Yaml::Map(services)) = read.get("services") else { return Vec::new() };
    let built = services.iter().filter_map(|(name, about)| {
        let context = match about.get("build")? {
            yaml::Yaml::Text(context) => context.as_str(),
            map => map.text("context")?,
        };
        Some((name.clone(), joined(folder, context)?))
    });
    built.collect()
}

/// A relative path below the repository; None where it leads out of it, or is none.
fn joined(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    if path.starts_with('/') || path.contains(['$', ':', '\\']) {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The folder of a program, by its manifest.
fn programmed(path: &str, folder: &str, name: &str, survey: &Survey) -> Option<String> {
    let text = |holds: &[&str]| survey.texts.get(path).is_some_and(|text| holds.iter().any(|part| text.contains(part)));
    let beside = |file: &str| {
        let path = if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") };
        survey.files.binary_search(&path).is_ok()
    };
    let is = match name {
        "Cargo.toml" => text(&["[[bin]]"]) || (text(&["[package]"]) && beside("src/main.rs")),
        "package.json" => text(&["\"start\""]),
        "go.mod" | "main.go" => beside("main.go"),
        "manage.py" | "wsgi.py" | "config.ru" | "pom.xml" | "mix.exs" => true,
        "build.gradle" | "build.gradle.kts" => beside("src/main/resources/application.yml"),
        _ => false,
    };
    is.then(|| folder.to_owned())
}

/// The glob of the migrations in a service's folder that are in no other service's.
fn migrations(folder: &str, places: &[String], files: &[String]) -> Option<(String, usize)> {
    let mut patterns: BTreeMap<String, usize> = BTreeMap::new();
    for path in files.iter().filter(|path| (folder.is_empty() || is_below(path, folder)) && !skipped(path)) {
        let nearer = |place: &&String| place.len() > folder.len() && is_below(path, place);
        if places.iter().any(|place| nearer(&place)) {
            continue;
        }
        let Some((name, ending)) = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')) else { continue };
        if !matches!(ending, "sql" | "rb" | "py") || name == "__init__" {
            continue;
        }
        let parts: Vec<&str> = path.split('/').collect();
        let home = parts.iter().rposition(|part| matches!(*part, "migrations" | "migration" | "migrate"));
        let home = home.or_else(|| parts.windows(2).position(|two| two == ["alembic", "versions"]).map(|at| at + 1));
        let Some(home) = home.filter(|home| matches!(parts.len() - home, 2 | 3)) else { continue };
        let deep = if parts.len() - home == 3 { "*/" } else { "" };
        let above: Vec<String> = parts.iter().take(home + 1).map(|part| escaped(part)).collect();
        *patterns.entry(format!("{}/{deep}*.{ending}", above.join("/"))).or_default() += 1;
    }
    patterns.into_iter().max_by_key(|(_, count)| *count)
}

/// What stands before the versions of a service in tags: `checkout/`, `checkout-`, `checkout@`.
fn tag_prefix(service: &Found, tags: &[String]) -> Option<(String, usize)> {
    let mut names = vec![service.name.as_str(), service.folder.as_str()];
    names.retain(|name| !name.is_empty());
    let prefixes = names.iter().flat_map(|name| ["/", "-", "@", "_"].map(|end| format!("{name}{end}")));
    let is_version = |rest: &str| rest.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    let counted = prefixes.map(|prefix| {
        let count = tags.iter().filter(|tag| tag.strip_prefix(&prefix).is_some_and(is_version)).count();
        (prefix, count)
    });
    counted.filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[&str], texts: &[(&str, &str)], tags: &[&str]) -> Vec<Found> {
        let own = |text: &&str| (*text).to_owned();
        let mut survey = Survey {
            files: files.iter().map(own).chain(texts.iter().map(|(path, _)| (*path).to_owned())).collect(),
            texts: texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
            tags: tags.iter().map(own).collect(),
            ..Survey::default()
        };
        survey.files.sort();
        services("shop", &survey).0
    }

    fn names(found: &[Found], sure: bool) -> Vec<(&str, &str)> {
        found.iter().filter(|f| f.sure == sure).map(|f| (f.name.as_str(), f.folder.as_str())).collect()
    }

    #[test]
    fn a_repository_without_parts_is_one_service() {
        let found = of(
            &["src/main.rs", "migrations/0001_a.sql", "migrations/0002_b.sql"],
            &[("Cargo.toml", "[package]")],
            &["v1.0.0"],
        );
        assert_eq!(names(&found, true), [("shop", "")]);
        assert_eq!(found[0].migrations, Some(("migrations/*.sql".to_owned(), 2)));
        assert_eq!(found[0].tag_prefix, None);
        assert_eq!(names(&of(&[], &[], &[]), true), [("shop", "")]);
    }

    #[test]
    fn folders_with_a_container_are_services_and_packages_are_mentioned() {
        let found = of(
            &[
                "Dockerfile",
                "checkout/docker/Dockerfile",
                "checkout/migrations/1_x/up.sql",
                "search/Dockerfile.prod",
                "docker/ledger/Dockerfile",
                "ledger/src/main.go",
                "tests/e2e/Dockerfile",
                "web/Dockerfile.dev",
            ],
            &[("web/package.json", "{\"scripts\": {\"start\": \"x\"}}"), ("lib/package.json", "{}")],
            &["checkout/v1.0.0", "checkout/v1.1.0", "search-v2"],
        );
        assert_eq!(names(&found, true), [("checkout", "checkout"), ("ledger", "ledger"), ("search", "search")]);
        assert_eq!(names(&found, false), [("shop", ""), ("web", "web")]);
        assert_eq!(found[0].tag_prefix, Some(("checkout/".to_owned(), 2)));
        assert_eq!(found[0].migrations, Some(("checkout/migrations/*/*.sql".to_owned(), 1)));
        assert_eq!(found[2].tag_prefix, Some(("search-".to_owned(), 1)));
    }

    #[test]
    fn what_compose_builds_is_a_service_and_what_leads_out_is_none() {
        let text = "services:\n  api:\n    build: ./api\n  db:\n    image: postgres\n  out:\n    build:\n      context: ../../etc\n";
        let found = of(&["api/x", "services/mail/main.go", "services/mail/go.mod"], &[("compose.yaml", text)], &[]);
        assert_eq!(names(&found, true), [("api", "api"), ("mail", "services/mail")]);
    }

    #[test]
    fn two_folders_of_one_name_are_told_apart() {
        let found = of(&["a/web/Dockerfile", "b/web/Dockerfile"], &[], &[]);
        assert_eq!(names(&found, true), [("b-web", "b/web"), ("web", "a/web")]);
    }
}
