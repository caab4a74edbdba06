//! Reactions by name and by sign: settings say `white_check_mark` or `✅`, Discord only the sign.

use std::collections::BTreeMap;

/// The signs of the names that the embedded settings use.
const KNOWN: [(&str, &str); 8] = [
    ("white_check_mark", "✅"),
    ("no_entry", "⛔"),
    ("raised_hand", "✋"),
    ("hand", "✋"),
    ("rocket", "🚀"),
    ("checkered_flag", "🏁"),
    ("rewind", "⏪"),
    ("eyes", "👀"),
];

/// What is put under a message for a reaction of the settings. None: its sign is not known.
pub fn sign(reactions: &BTreeMap<String, Vec<String>>, name: &str) -> Option<String> {
    if is_sign(name) {
        return Some(name.to_owned());
    }
    if let Some((_, sign)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return Some((*sign).to_owned());
    }
    // The same meaning may be listed with its sign.
    let group = reactions.values().find(|names| names.iter().any(|other| other == name))?;
    group.iter().find(|other| is_sign(other)).cloned()
}

/// How a sign stands in a path: a server's own emoji `<:name:id>` as `name:id`, any other percent-encoded.
pub fn in_path(sign: &str) -> String {
    let own = sign.strip_prefix("<:").or_else(|| sign.strip_prefix("<a:")).and_then(|rest| rest.strip_suffix('>'));
    let text = own.unwrap_or(sign);
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() || b == b'_' { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// What we call a reaction. A server's own emoji is called by its id too: anybody may name one `white_check_mark`.
pub fn named(name: Option<&str>, id: Option<&str>) -> String {
    match (name, id) {
        (name, Some(id)) => format!("<:{}:{id}>", name.unwrap_or_default()),
        (name, None) => name.unwrap_or_default().to_owned(),
    }
}

fn is_sign(name: &str) -> bool {
    !name.is_ascii() || name.starts_with("<:") || name.starts_with("<a:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_signs() {
        let reactions = BTreeMap::from([("approve".to_owned(), vec!["ship_it".to_owned(), "🚢".to_owned()])]);
        assert_eq!(sign(&reactions, "white_check_mark").as_deref(), Some("✅"));
        assert_eq!(sign(&reactions, "ship_it").as_deref(), Some("🚢"));
        assert_eq!(sign(&reactions, "🚢").as_deref(), Some("🚢"));
        assert_eq!(sign(&reactions, "nothing"), None);
    }

    #[test]
    fn a_sign_is_encoded_for_its_path() {
        assert_eq!(in_path("✅"), "%E2%9C%85");
        assert_eq!(in_path("<:ship_it:12>"), "ship_it%3A12");
        assert_eq!(in_path("../x"), "%2E%2E%2Fx");
    }

    #[test]
    fn a_servers_own_emoji_does_not_pose_as_a_known_one() {
        assert_eq!(named(Some("white_check_mark"), Some("12")), "<:white_check_mark:12>");
        assert_eq!(named(Some("✅"), None), "✅");
    }
}
