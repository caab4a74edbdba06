//! The words of a rollback plan: names that look like versions, and ways back that people write.

/// A way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Put an older version back.
    Redeploy,
    /// Turn a feature flag off.
    FlagOff,
    /// Undo migrations with their way down.
    Down,
    /// Bring data back from a copy.
    Restore,
    /// Mend it with a newer version.
    Forward,
}

/// Most names that are looked up for one text.
const MOST: usize = 8;

/// Names in a text that look like versions: `v2.13.2`, `2.13`, `checkout/v2.13.2`, a commit of 7 to 40 hexadecimal
/// digits. Each once, in order; at most 8.
pub fn names(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '`' | '(' | ')' | '=' | ':' | '@'))
    {
        let word = word.trim_end_matches(['.', '!', '?']);
        if word.len() <= 100 && is_name(word) && !found.iter().any(|name| name == word) {
            found.push(word.to_owned());
            if found.len() == MOST {
                break;
            }
        }
    }
    found
}

fn is_name(word: &str) -> bool {
    let last = word.rsplit('/').next().unwrap_or(word);
    let version = last.strip_prefix(['v', 'V']).unwrap_or(last);
    let marked = version.len() < last.len();
    let starts = version.starts_with(|c: char| c.is_ascii_digit());
    let legal = version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_'));
    let numbers = version.split(['.', '-', '+']).take_while(|part| part.bytes().all(|b| b.is_ascii_digit())).count();
    let dotted = version.contains('.') && numbers >= 2;
    let commit = (7..=40).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_hexdigit())
        && word.bytes().any(|b| b.is_ascii_digit())
        && word.bytes().any(|b| b.is_ascii_alphabetic());
    commit || starts && legal && (dotted || marked)
}

/// The ways back that a text speaks of, each once.
pub fn ways(text: &str) -> Vec<Way> {
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let mut ways = Vec::new();
    if has(&[
        "redeploy",
        "re-deploy",
        "roll back to",
        "rollback to",
        "roll back",
        "revert to",
        "deploy ",
        "previous version",
        "old version",
        "last version",
        "prior version",
        "earlier version",
        "last good",
        "rollout undo",
        "helm rollback",
    ]) {
        ways.push(Way::Redeploy);
    }
    if has(&["turn off", "switch off", "flag off", "disable", "turn the flag", "toggle", "kill switch", "set back"]) {
        ways.push(Way::FlagOff);
    }
    if has(&[
        "migrate down",
        "down migration",
        "down step",
        "undo migration",
        "undo the migration",
        "revert the migration",
        "migrate revert",
        "rollback migration",
    ]) {
        ways.push(Way::Down);
    }
    if has(&["restore", "backup", "snapshot", "point in time", "point-in-time"]) {
        ways.push(Way::Restore);
    }
    if has(&["fix forward", "roll forward", "forward fix", "forward only", "hotfix"]) {
        ways.push(Way::Forward);
    }
    ways
}

/// What ways are, as fragments after "to".
pub fn said(ways: &[Way]) -> Vec<&'static str> {
    let say = |way: &Way| match way {
        Way::Redeploy => "redeploy",
        Way::FlagOff => "turn it off",
        Way::Down => "undo the migration",
        Way::Restore => "restore the data",
        Way::Forward => "fix forward",
    };
    ways.iter().map(say).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_commits_are_found_in_prose() {
        assert_eq!(names("redeploy v2.13.2."), ["v2.13.2"]);
        assert_eq!(names("Back to checkout/v2.13.2, then 4f2c91a (not v2)"), ["checkout/v2.13.2", "4f2c91a", "v2"]);
        assert_eq!(names("image:2.13.2-rc.1"), ["2.13.2-rc.1"]);
    }

    #[test]
    fn prose_without_versions_names_none() {
        for text in
            ["redeploy the previous version", "wait 5 minutes, at 10:30 call 555", "deadbee facade", "e.g. 2 pods"]
        {
            assert_eq!(names(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn ways_back_are_told_apart() {
        assert_eq!(ways("Redeploy v2.13.2"), [Way::Redeploy]);
        assert_eq!(ways("turn off new-checkout"), [Way::FlagOff]);
        assert_eq!(ways("restore the backup, then roll back to v1.2"), [Way::Redeploy, Way::Restore]);
        assert_eq!(ways("fix forward"), [Way::Forward]);
        assert!(ways("hope").is_empty());
    }
}
