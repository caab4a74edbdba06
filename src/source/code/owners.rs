//! Who owns what changes, by the repository's own file: `CODEOWNERS`, as GitHub and GitLab read it.
//!
//! <https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>
//! and <https://docs.gitlab.com/user/project/codeowners/reference/>. The last line that matches a path says who owns it, and
//! a line without owners says that nobody does. At GitLab each section decides for itself.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{BoxFuture, join_all};
use globset::{GlobBuilder, GlobMatcher};

use super::paths::text;
use crate::advice::facts::{CodeOwner, FileChange, OWNERS_UNKNOWN, Owned};
use crate::message::tame;
use crate::source::CannotSay;

/// A larger file is not read; GitHub does not either.
pub(in crate::source) const LARGEST: usize = 3 << 20;
/// A file with more lines that name owners is not read.
const MOST_LINES: usize = 3_000;
/// A longer line is none.
const LONGEST_LINE: usize = 4_096;
/// So many owners are told.
const MOST: usize = 50;
/// So many groups of files with owners of their own are told; where there are more, none is.
const MOST_GROUPS: usize = 24;

/// Where GitHub looks, and in this order.
pub(in crate::source) const AT_GITHUB: &[&str] = &[".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];
/// Where GitLab looks, and in this order.
pub(in crate::source) const AT_GITLAB: &[&str] = &["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];
/// Where the file of a repository of an unknown host may be.
pub(in crate::source) const ANYWHERE: &[&str] =
    &[".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// Whose rules a file follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Rules {
    Github,
    Gitlab,
}

impl Rules {
    /// The rules of a file of an unknown host: only GitLab has sections.
    pub fn of(path: &str, text: &str) -> Rules {
        let section = |line: &str| line.starts_with('[') || line.starts_with("^[");
        let gitlab = path.starts_with(".gitlab/") || !path.starts_with(".github/") && text.lines().any(section);
        if gitlab { Rules::Gitlab } else { Rules::Github }
    }
}

/// Who owns the files of a change.
#[derive(Debug, Default)]
pub(in crate::source) struct Owners {
    pub owners: Option<Vec<CodeOwner>>,
    pub owned: Option<Vec<Owned>>,
}

/// Reads the first of these files that there is on a host, and says who owns the files of a change.
pub(in crate::source) async fn hosted<'a>(
    rules: Rules,
    files: &[FileChange],
    content: &(dyn Fn(&'static str) -> BoxFuture<'a, Result<Option<Vec<u8>>, CannotSay>> + Send + Sync),
    incomplete: &mut Vec<String>,
) -> Owners {
    if files.is_empty() {
        return Owners::default();
    }
    let places = match rules {
        Rules::Github => AT_GITHUB,
        Rules::Gitlab => AT_GITLAB,
    };
    for (path, read) in places.iter().zip(join_all(places.iter().map(|path| content(path))).await) {
        let told = match read {
            Ok(None) => continue,
            Ok(Some(bytes)) => of_bytes(&bytes, |_| rules, files),
            Err(why) => Err(format!("the code host {}", why.0)),
        };
        return kept(path, told, incomplete);
    }
    Owners::default()
}

/// What was read of a file; why it was not is said.
pub(in crate::source) fn kept(path: &str, told: Result<Owners, String>, incomplete: &mut Vec<String>) -> Owners {
    told.unwrap_or_else(|why| {
        incomplete.push(format!("{OWNERS_UNKNOWN}: `{path}`: {why}"));
        Owners::default()
    })
}

/// The owners of these files, by a file's bytes. The error says why it cannot be told, as a fragment.
pub(in crate::source) fn of_bytes(
    bytes: &[u8],
    rules: impl Fn(&str) -> Rules,
    files: &[FileChange],
) -> Result<Owners, String> {
    if bytes.len() > LARGEST {
        return Err(format!("it is larger than {} MB", LARGEST >> 20));
    }
    let text = text(bytes).ok_or("it is no text")?;
    let sections = sections(&text, rules(&text))?;
    let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
    let mut groups: BTreeMap<(BTreeSet<&str>, u32), (u32, &str)> = BTreeMap::new();
    for file in files {
        for section in sections.values().filter(|section| !section.optional) {
            let own: BTreeSet<&str> = owners_of(&section.entries, &file.path).collect();
            if !own.is_empty() {
                let (count, place) = groups.entry((own, section.least)).or_insert((0, &file.path));
                (*count, *place) = (*count + 1, common(place, &file.path));
            }
        }
        let owners: BTreeSet<&str> =
            sections.values().flat_map(|section| owners_of(&section.entries, &file.path)).collect();
        for owner in owners {
            *counted.entry(owner).or_default() += 1;
        }
    }
    let mut told: Vec<CodeOwner> =
        counted.into_iter().map(|(owner, files)| CodeOwner { owner: owner.to_owned(), files }).collect();
    told.sort_by(|a, b| b.files.cmp(&a.files).then_with(|| a.owner.cmp(&b.owner)));
    told.truncate(MOST);
    let shown = |place: &str| if place.is_empty() { "/".to_owned() } else { tame(place, 120) };
    let group = |((owners, least), (files, place)): ((BTreeSet<&str>, u32), (u32, &str))| Owned {
        owners: owners.into_iter().map(str::to_owned).collect(),
        least,
        files,
        place: shown(place),
    };
    // Leaving some out would let files pass that no owner saw.
    let owned = (groups.len() <= MOST_GROUPS).then(|| groups.into_iter().map(group).collect());
    Ok(Owners { owners: Some(told), owned })
}

/// The folder that holds both, with its slash; a file that is the same; empty where they share none.
fn common<'p>(place: &'p str, path: &str) -> &'p str {
    if place == path {
        return place;
    }
    let same = place.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
    let end = place.as_bytes()[..same].iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    &place[..end]
}

/// Lines that stand together, and how many of the owners they ask for.
#[derive(Debug)]
struct Section {
    entries: Vec<Entry>,
    optional: bool,
    least: u32,
}

impl Default for Section {
    fn default() -> Section {
        Section { entries: Vec::new(), optional: false, least: 1 }
    }
}

/// A line of the file.
#[derive(Debug)]
struct Entry {
    globs: Vec<GlobMatcher>,
    owners: Vec<String>,
    /// Takes the path out of its section, whatever other lines say.
    excludes: bool,
}

impl Entry {
    fn matches(&self, path: &str) -> bool {
        self.globs.iter().any(|glob| glob.is_match(path))
    }
}

fn owners_of<'e>(entries: &'e [Entry], path: &str) -> impl Iterator<Item = &'e str> {
    let excluded = entries.iter().any(|entry| entry.excludes && entry.matches(path));
    let last = entries.iter().rev().find(|entry| !entry.excludes && entry.matches(path)).filter(|_| !excluded);
    last.into_iter().flat_map(|entry| entry.owners.iter().map(String::as_str))
}

/// The lines by section; what is in none stands under the empty name.
fn sections(text: &str, rules: Rules) -> Result<BTreeMap<String, Section>, String> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let (mut section, mut default, mut count) = (String::new(), Vec::new(), 0_usize);
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') || line.len() > LONGEST_LINE {
            continue;
        }
        if rules == Rules::Gitlab
            && let Some(heading) = heading(line)
        {
            (section, default) = (heading.name.to_lowercase(), owners(heading.rest, rules).unwrap_or_default());
            // A name that comes again means the same section; what asks for more counts.
            let new = !sections.contains_key(&section);
            let known = sections.entry(section.clone()).or_default();
            known.optional = heading.optional && (new || known.optional);
            known.least = known.least.max(heading.least);
            continue;
        }
        let (pattern, rest) = divided(line);
        let excluded = pattern.strip_prefix('!').filter(|_| rules == Rules::Gitlab);
        // GitHub leaves a line out that it does not understand.
        let Some(mut named) = owners(rest, rules) else { continue };
        if named.is_empty() {
            named.clone_from(&default);
        }
        let Some(globs) = globs(excluded.unwrap_or(&pattern), rules) else { continue };
        count += 1;
        if count > MOST_LINES {
            return Err(format!("it has more than {MOST_LINES} lines that name owners"));
        }
        let entry = Entry { globs, owners: named, excludes: excluded.is_some() };
        sections.entry(section.clone()).or_default().entries.push(entry);
    }
    Ok(sections)
}

struct Heading<'l> {
    name: &'l str,
    optional: bool,
    least: u32,
    rest: &'l str,
}

/// `[Name]`, `^[Name]` (optional), `[Name][2]` (two of them), and what follows.
fn heading(line: &str) -> Option<Heading<'_>> {
    let optional = line.starts_with('^');
    let (name, rest) = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?.split_once(']')?;
    let (least, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((count, rest)) if count.bytes().all(|byte| byte.is_ascii_digit()) => (count.parse().unwrap_or(1), rest),
        _ => (1, rest),
    };
    Some(Heading { name: name.trim(), optional, least: least.clamp(1, 20), rest })
}

/// The pattern, in which a space is written as `\ `, and the rest.
fn divided(line: &str) -> (String, &str) {
    let mut pattern = String::new();
    let mut letters = line.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some((_, ' ')) => pattern.push(' '),
                Some((_, other)) => pattern.extend(['\\', other]),
                None => {}
            },
            letter if letter.is_whitespace() => return (pattern, &line[at..]),
            letter => pattern.push(letter),
        }
    }
    (pattern, "")
}

/// The owners that a line names, up to a comment; None: something else stands there, too.
fn owners(rest: &str, rules: Rules) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for word in rest.split_whitespace().take_while(|word| !word.starts_with('#')) {
        if word.contains('@') && word.len() > 1 {
            found.push(tame(word, 100));
        } else if rules == Rules::Github {
            return None;
        }
    }
    Some(found)
}

/// A pattern as globs; None: it is none.
fn globs(pattern: &str, rules: Rules) -> Option<Vec<GlobMatcher>> {
    let core = pattern.trim_matches('/');
    let below = pattern.ends_with('/') && !core.is_empty();
    let anchored = match rules {
        Rules::Github => pattern.trim_end_matches('/').contains('/'),
        Rules::Gitlab => pattern.starts_with('/'),
    };
    let core = match core {
        "" => "**",
        "*" | "**" if !anchored => "**",
        core => core,
    };
    let from = if anchored || core.starts_with("**") { "" } else { "**/" };
    let plain = escaped(core, rules);
    let mut forms = Vec::new();
    if !below {
        forms.push(format!("{from}{plain}"));
    }
    // At GitHub a name means all that lies below it, too, as it does in `.gitignore`; `docs/*` means only what is in it.
    let last = core.rsplit('/').next().unwrap_or(core);
    if below || rules == Rules::Github && !last.contains('*') {
        forms.push(format!("{from}{plain}/**"));
    }
    let build = |form: &String| GlobBuilder::new(form).literal_separator(true).backslash_escape(true).build();
    forms.iter().map(|form| build(form).ok().map(|glob| glob.compile_matcher())).collect()
}

/// What has no meaning here but would have one for the crate that matches.
fn escaped(pattern: &str, rules: Rules) -> String {
    let mut out = String::new();
    for letter in pattern.chars() {
        if matches!(letter, '{' | '}') || rules == Rules::Github && matches!(letter, '[' | ']') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::facts::FileStatus;

    fn file(path: &str) -> FileChange {
        FileChange {
            path: path.to_owned(),
            was: None,
            status: FileStatus::Changed,
            added: None,
            deleted: None,
            churn: None,
            age_days: None,
            new_lines: None,
        }
    }

    fn of(text: &str, rules: Rules, path: &str) -> Vec<String> {
        let told = of_bytes(text.as_bytes(), |_| rules, &[file(path)]).unwrap();
        told.owners.unwrap().into_iter().map(|owner| owner.owner).collect()
    }

    fn groups(text: &str, rules: Rules, paths: &[&str]) -> Option<Vec<String>> {
        let files: Vec<FileChange> = paths.iter().map(|path| file(path)).collect();
        let says = |o: Owned| format!("{}: {} of {} ({})", o.place, o.least, o.owners.join(" "), o.files);
        Some(of_bytes(text.as_bytes(), |_| rules, &files).unwrap().owned?.into_iter().map(says).collect())
    }

    #[test]
    fn files_are_told_by_those_who_own_them() {
        let text = "/src/pay/ @lin @harbor/pay\n/src/pay/free.rs\n/docs/ @rae\n";
        let paths = ["src/pay/a.rs", "src/pay/deep/b.rs", "src/pay/free.rs", "docs/x.md", "elsewhere"];
        assert_eq!(
            groups(text, Rules::Github, &paths).unwrap(),
            ["src/pay/: 1 of @harbor/pay @lin (2)", "docs/x.md: 1 of @rae (1)"]
        );
        assert_eq!(groups("* @all", Rules::Github, &["a/b", "c"]).unwrap(), ["/: 1 of @all (2)"]);
        assert_eq!(groups("/x @all", Rules::Github, &["a/b"]).unwrap(), [""; 0]);
        let many: String = (0..=MOST_GROUPS).map(|i| format!("/{i}/ @owner{i}\n")).collect();
        let paths: Vec<String> = (0..=MOST_GROUPS).map(|i| format!("{i}/file")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        assert_eq!(groups(&many, Rules::Github, &paths), None, "none is left out");
    }

    #[test]
    fn gitlabs_sections_say_how_many_and_whether_at_all() {
        let text =
            "* @all\n[Database][2] @dba @dbb\n*.sql\n^[Docs]\n*.sql @writer\n^[Both]\n*.sql @one\n[both]\n*.sql @one\n";
        assert_eq!(
            groups(text, Rules::Gitlab, &["a.sql"]).unwrap(),
            ["a.sql: 1 of @all (1)", "a.sql: 2 of @dba @dbb (1)", "a.sql: 1 of @one (1)"]
        );
    }

    #[test]
    fn patterns_mean_what_githubs_documentation_says() {
        let text = "\
# everything
*       @global-1 @global-2
*.js    @js #comment
*.go    docs@example.com
*.txt   @octo-org/octocats
/build/logs/ @doctocat
docs/*  @docs
apps/   @apps
/scripts/ @scripts @octocat
**/logs @logs
/apps/github
/own\\ file @space
[x].rs @never
broken.c name-without-a-sign
";
        let of = |path: &str| of(text, Rules::Github, path).join(" ");
        for (path, owners) in [
            ("README.md", "@global-1 @global-2"),
            ("src/deep/a.js", "@js"),
            ("a.go", "docs@example.com"),
            ("x/y.txt", "@octo-org/octocats"),
            ("build/logs/a/b.md", "@logs"),
            ("x/build/out.md", "@global-1 @global-2"),
            ("docs/getting-started.md", "@docs"),
            ("docs/build-app/trouble.md", "@global-1 @global-2"),
            ("x/apps/a.md", "@apps"),
            ("apps/github", ""),
            ("apps/github/a.md", ""),
            ("scripts/a/b.sh", "@octocat @scripts"),
            ("deeply/nested/logs/a.md", "@logs"),
            ("own file", "@space"),
            ("x.rs", "@global-1 @global-2"),
            ("broken.c", "@global-1 @global-2"),
        ] {
            assert_eq!(of(path), owners, "{path}");
        }
    }

    #[test]
    fn gitlabs_sections_decide_each_for_itself() {
        let text = "\
* @all
README.md @readme
internal/a.rb @inner
/docs/ @docs
[Database][2] @dba
*.sql
model/db @model
!/generated/
^[Optional]
*.sql @optional nobody
[DATABASE]
/late.sql @late
";
        let of = |path: &str| of(text, Rules::Gitlab, path).join(" ");
        for (path, owners) in [
            ("x/README.md", "@readme"),
            ("x/internal/a.rb", "@inner"),
            ("docs/a/b.md", "@docs"),
            ("a/b.sql", "@all @dba @optional"),
            ("x/model/db", "@all @model"),
            ("x/model/db/a.rb", "@all"),
            ("generated/x.sql", "@all @optional"),
            ("late.sql", "@all @late @optional"),
        ] {
            assert_eq!(of(path), owners, "{path}");
        }
        assert_eq!(Rules::of("CODEOWNERS", text), Rules::Gitlab);
        assert_eq!(Rules::of("CODEOWNERS", "* @all"), Rules::Github);
    }

    #[test]
    fn what_is_too_much_is_said_and_hostile_names_are_tamed() {
        let many = "a @b\n".repeat(MOST_LINES + 1);
        let why = of_bytes(many.as_bytes(), |_| Rules::Github, &[]).unwrap_err();
        assert_eq!(why, "it has more than 3000 lines that name owners");
        assert_eq!(of_bytes(b"\0", |_| Rules::Github, &[]).unwrap_err(), "it is no text");
        assert!(of_bytes(&vec![b'a'; LARGEST + 1], |_| Rules::Github, &[]).is_err());
        let owner = of("* @x\u{202e}y", Rules::Github, "a").join("");
        assert!(!owner.contains('\u{202e}'));
        let long = format!("{} @a\n/** @b\n*** @c\n\\ @d\n! @e\n/ @f", "*".repeat(3_000));
        of(&long, Rules::Github, "a");
        of(&long, Rules::Gitlab, "a");
    }
}
