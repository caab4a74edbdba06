//! What people paste, made into a script: prompts, list marks, code fences and prose taken off, secrets masked for
//! showing, characters that deceive found.

use std::borrow::Cow;

use super::shell::Word;

/// The most characters of a command that are shown.
const SHOWN: usize = 160;

/// The text with one line for each line: prompts, list marks and fences taken off; of a sentence with commands between
/// backticks, the commands. `is_command` tells whether a first word is one that we know.
pub(super) fn as_script(text: &str, is_command: impl Fn(&str) -> bool) -> String {
    let mut script = String::with_capacity(text.len());
    let mut goes_on = false;
    for line in text.replace("\r\n", "\n").split('\n') {
        let cleaned = if goes_on { Cow::Borrowed(line) } else { cleaned(line, &is_command) };
        goes_on = cleaned.ends_with('\\');
        script.push_str(&cleaned);
        script.push('\n');
    }
    script
}

fn cleaned<'a>(line: &'a str, is_command: &impl Fn(&str) -> bool) -> Cow<'a, str> {
    let mut rest = line.trim_start();
    if rest.starts_with("```") || rest.starts_with("~~~") {
        return Cow::Borrowed("");
    }
    let mut changed = false;
    for mark in ["- ", "* ", "• ", "– ", "> ", "$ ", "% ", "❯ ", "➜ ", "PS> "] {
        if let Some(after) = rest.strip_prefix(mark) {
            rest = after.trim_start();
            changed = true;
        }
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if (1..=3).contains(&digits)
        && let Some(after) = rest[digits..].strip_prefix(". ").or_else(|| rest[digits..].strip_prefix(") "))
    {
        rest = after.trim_start();
        changed = true;
    }
    if let Some(after) = rest.strip_prefix("$ ").or_else(|| prompt(rest)) {
        rest = after.trim_start();
        changed = true;
    }
    let first = rest.split_whitespace().next().unwrap_or("");
    let spans = rest.split('`').skip(1).step_by(2);
    if rest.matches('`').count() >= 2 && !first.contains(['=', '$']) && !is_command(first) && !rest.starts_with('#') {
        let commands: Vec<&str> =
            spans.filter(|span| is_command(span.split_whitespace().next().unwrap_or(""))).collect();
        if !commands.is_empty() {
            return Cow::Owned(commands.join(" ; "));
        }
    }
    if changed { Cow::Borrowed(rest) } else { Cow::Borrowed(line) }
}

/// What follows `ada@laptop:~/shop$ `.
fn prompt(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("$ ").or_else(|| line.split_once("# "))?;
    let who = before.trim_start_matches('[').split([':', ' ']).next()?;
    let (user, host) = who.split_once('@')?;
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    (plain(user) && plain(host) && before.len() < 120).then_some(after)
}

/// Characters that make a command other than it looks, or that a chat program put there; as a fragment.
pub(super) fn deceiving(line: &str) -> Option<String> {
    let mut before = ' ';
    for character in line.chars() {
        let why = match character {
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' => {
                "does not show"
            }
            '\u{a0}' | '\u{202f}' | '\u{3000}' => "looks like a space and is none",
            '“' | '”' | '‘' | '’' | '„' if before.is_whitespace() || before == '=' => {
                "is not a quote to a shell"
            }
            '–' | '—' if before.is_whitespace() => "stands where `--` may be meant",
            '\t' => "",
            control if control.is_control() => "is a control character",
            _ => "",
        };
        if !why.is_empty() {
            return Some(match character {
                '“' | '”' | '‘' | '’' | '„' | '–' | '—' => format!("{character} {why}"),
                hidden => format!("U+{:04X} {why}", u32::from(hidden)),
            });
        }
        before = character;
    }
    None
}

/// A command for showing: on one line, secrets masked, without backticks and control characters, cut.
pub(super) fn shown<'a>(words: impl Iterator<Item = &'a Word>) -> String {
    let mut text = String::new();
    let mut secret_next = false;
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        let raw = word.raw.as_str();
        if std::mem::take(&mut secret_next) && !raw.starts_with('-') {
            text.push('…');
        } else {
            text.push_str(&masked(raw));
        }
        let option = raw.trim_start_matches('-');
        secret_next = raw.starts_with('-') && !raw.contains('=') && is_secret(option) && !option.contains("file");
        if text.len() > SHOWN * 4 {
            break;
        }
    }
    let mut shown: String = text
        .chars()
        .map(|c| match c {
            '`' => '\'',
            c if c.is_whitespace() => ' ',
            c => c,
        })
        .filter(|c| !c.is_control() && deceiving(c.encode_utf8(&mut [0; 4])).is_none_or(|_| "“”‘’„–—".contains(*c)))
        .take(SHOWN + 1)
        .collect();
    if shown.chars().count() > SHOWN {
        shown = shown.chars().take(SHOWN - 1).collect();
        shown.push('…');
    }
    shown
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "secret", "token", "key", "credential", "pwd", "auth"].iter().any(|word| name.contains(word))
        && !["keyspace", "keyring", "author"].iter().any(|word| name.contains(word))
}

/// One word with what looks like a secret in it taken out.
pub(super) fn masked(raw: &str) -> String {
    if let Some((before, after)) = raw.split_once("://")
        && let Some((authority, rest)) = after.rsplit_once('@')
        && let Some((user, _)) = authority.split_once(':')
        && !user.contains('/')
    {
        return format!("{before}://{user}:…@{rest}");
    }
    for (at, _) in raw.match_indices('=').take(16) {
        let name = raw[..at].rsplit(|c: char| !(c.is_alphanumeric() || "_-.".contains(c))).next().unwrap_or("");
        if is_secret(name) {
            return format!("{}=…", &raw[..at]);
        }
    }
    let lower = raw.to_ascii_lowercase();
    for scheme in ["bearer ", "basic ", "authorization:", "api-key:", "token:"] {
        if let Some(at) = lower.find(scheme) {
            return format!("{}…", &raw.get(..at + scheme.len()).unwrap_or("").trim_end());
        }
    }
    // `mysql -pSECRET`: short, attached, and not a number that could be a port.
    match raw.strip_prefix("-p") {
        Some(rest)
            if !rest.is_empty()
                && !rest.starts_with(['-', '='])
                && !rest.chars().all(|c| c.is_ascii_digit())
                && !raw.starts_with("--") =>
        {
            if is_long_option(rest) {
                raw.to_owned()
            } else {
                "-p…".to_owned()
            }
        }
        _ => raw.to_owned(),
    }
}

/// `-path`, `-parallelism`, `-plugin-dir`, `-project`: options that begin with p.
fn is_long_option(rest: &str) -> bool {
    ["ath", "arallelism", "lugin-dir", "roject", "rofile", "roto", "ort", "lan"]
        .iter()
        .any(|known| rest.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::super::shell::{TokenKind, split};
    use super::*;

    fn show(text: &str) -> String {
        let tokens = split(text);
        shown(tokens.iter().filter_map(|token| match &token.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }))
    }

    #[test]
    fn prompts_lists_and_fences_come_off() {
        let known = |word: &str| ["kubectl", "helm"].contains(&word);
        let text = "```sh\n$ kubectl a\nada@laptop:~/shop$ kubectl b\n1. helm c\n- `kubectl d`\nRun `kubectl e` and `helm f`, then wait.\n```";
        assert_eq!(as_script(text, known), "\nkubectl a\nkubectl b\nhelm c\nkubectl d\nkubectl e ; helm f\n\n");
    }

    #[test]
    fn substitutions_in_backticks_stay_in_their_command() {
        let line = "kubectl set image deploy/x x=`cat tag`";
        assert_eq!(as_script(line, |word| word == "kubectl"), format!("{line}\n"));
    }

    #[test]
    fn secrets_are_not_shown() {
        for command in [
            "PGPASSWORD=hunter2 psql -h db",
            "psql postgres://app:hunter2@db/shop",
            "mysql -phunter2 shop",
            "curl -H 'Authorization: Bearer hunter2' https://x.example",
            "argocd app sync x --auth-token hunter2",
            "helm upgrade x . --set db.password=hunter2",
            "kubectl create secret generic x --from-literal=api_key=hunter2",
        ] {
            let shown = show(command);
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        assert_eq!(show("terraform apply -parallelism=4"), "terraform apply -parallelism=4");
    }

    #[test]
    fn characters_that_deceive_are_named() {
        assert_eq!(deceiving("kubectl apply —context prod"), Some("— stands where `--` may be meant".to_owned()));
        assert_eq!(deceiving("kubectl\u{a0}apply"), Some("U+00A0 looks like a space and is none".to_owned()));
        assert_eq!(deceiving("rm \u{202e}x"), Some("U+202E does not show".to_owned()));
        assert_eq!(deceiving("a\u{1b}[2K"), Some("U+001B is a control character".to_owned()));
        assert_eq!(deceiving("echo 'don’t — really'"), Some("— stands where `--` may be meant".to_owned()));
        assert_eq!(deceiving("kubectl\tapply --context prod"), None);
    }
}
