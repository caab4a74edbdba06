//! What both alternative texts need.

/// Slack takes 2,000 characters.
const LONGEST: usize = 1_900;

/// At most as many characters as chats take.
pub fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// With a full stop, unless it has one.
pub fn sentence(text: &str) -> String {
    if text.ends_with(['.', '…', '?']) { text.to_owned() } else { format!("{text}.") }
}
