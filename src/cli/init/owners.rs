//! CODEOWNERS: who owns a folder.
//!
//! The rules of GitHub (<https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>)
//! and GitLab's sections: the last line that matches counts.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Where the file may be; the first that is there counts.
pub const PLACES: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];
/// So many lines are read.
const MOST: usize = 2_000;

/// Who owns something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    Login(String),
    /// `organisation/team`.
    Team(String),
    Email(String),
}

/// The rules, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    rules: Vec<(GlobSet, Vec<Owner>)>,
    /// The file that they are from.
    pub from: String,
}

impl Owners {
    pub fn read(text: &str, from: &str) -> Owners {
        let mut rules = Vec::new();
        let mut section: Vec<Owner> = Vec::new();
        for line in text.lines().take(MOST) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // GitLab: `[Section]`, `^[Optional][2] @default-owner`. On GitHub no pattern begins so.
            if let Some(rest) = line.strip_prefix("^[").or_else(|| line.strip_prefix('[')) {
                section = owners(rest.rsplit(']').next().unwrap_or_default());
                continue;
            }
            let (pattern, rest) = first_word(line);
            let own = owners(rest);
            if let Some(set) = glob(&pattern) {
                rules.push((set, if own.is_empty() { section.clone() } else { own }));
            }
        }
        Owners { rules, from: from.to_owned() }
    }

    /// The owners of what lies in a folder; of the whole repository for the empty text.
    pub fn of(&self, folder: &str) -> &[Owner] {
        let inside = if folder.is_empty() { "x".to_owned() } else { format!("{folder}/x") };
        let last = self.rules.iter().rev().find(|(set, _)| set.is_match(&inside));
        last.map_or(&[], |(_, owners)| owners)
    }

    /// Every owner that is named anywhere.
    pub fn all(&self) -> impl Iterator<Item = &Owner> {
        self.rules.iter().flat_map(|(_, owners)| owners)
    }
}

/// The pattern, whose blanks may be escaped, and what follows.
fn first_word(line: &str) -> (String, &str) {
    let mut word = String::new();
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => word.extend(chars.next().map(|(_, c)| c)),
            c if c.is_whitespace() => return (word, &line[at..]),
            c => word.push(c),
        }
    }
    (word, "")
}

fn owners(text: &str) -> Vec<Owner> {
    let words = text.split('#').next().unwrap_or_default().split_whitespace();
    let owner = |word: &str| match word.strip_prefix('@') {
        Some(name) if name.starts_with('@') || name.is_empty() || name.len() > 200 => None,
        Some(name) if name.contains('/') => Some(Owner::Team(name.to_owned())),
        Some(name) => Some(Owner::Login(name.to_owned())),
        None if word.contains('@') && word.len() <= 200 => Some(Owner::Email(word.to_owned())),
        None => None,
    };
    words.filter_map(owner).collect()
}

fn glob(pattern: &str) -> Option<GlobSet> {
    let inner = pattern.trim_end_matches('/');
    let anchored = inner.trim_start_matches('/').contains('/') || pattern.starts_with('/');
    let inner = inner.trim_start_matches('/');
    let base = match (inner, anchored) {
        ("", _) => "**".to_owned(),
        (inner, true) => inner.to_owned(),
        (inner, false) => format!("**/{inner}"),
    };
    let mut set = GlobSetBuilder::new();
    for form in [format!("{base}/**"), base] {
        set.add(GlobBuilder::new(&form).literal_separator(true).build().ok()?);
    }
    set.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, folder: &str) -> Vec<String> {
        let owners = Owners::read(text, "CODEOWNERS");
        owners.of(folder).iter().map(|owner| format!("{owner:?}")).collect()
    }

    #[test]
    fn the_last_line_that_matches_counts() {
        let text = "# all\n*  @ada grace@shop.test # both\n/checkout/ @shop/payments\nsearch/ @lin\n/docs\n";
        assert_eq!(of(text, ""), [r#"Login("ada")"#, r#"Email("grace@shop.test")"#]);
        assert_eq!(of(text, "ledger"), of(text, ""));
        assert_eq!(of(text, "checkout/web"), [r#"Team("shop/payments")"#]);
        assert_eq!(of(text, "services/search"), [r#"Login("lin")"#]);
        assert_eq!(of(text, "docs"), Vec::<String>::new());
        assert_eq!(of("*.js @ada\n", "web"), Vec::<String>::new());
    }

    #[test]
    fn sections_have_owners_that_lines_may_replace() {
        let text = "[Payments][2] @shop/payments\n/checkout/\n/ledger/ @lin\n";
        assert_eq!(of(text, "checkout"), [r#"Team("shop/payments")"#]);
        assert_eq!(of(text, "ledger"), [r#"Login("lin")"#]);
    }

    proptest::proptest! {
        #[test]
        fn no_file_makes_it_panic(text in "(\\PC|\n|\\[|\\]|@|/|\\*|\\\\){0,120}") {
            let owners = Owners::read(&text, "CODEOWNERS");
            let _ = (owners.of("a/b").len(), owners.all().count());
        }
    }
}
