//! What in a reason looks like a ticket.

/// A ticket, a number or a link in a text: `PAY-481`, `#482`, `https://…`.
pub fn ticket(text: &str) -> Option<String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"')).take(500).find_map(|word| {
        let word = word.trim_matches(['.', ':', '!', '?', '[', ']']);
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let link = word.starts_with("https://") || word.starts_with("http://");
        let number = word.rsplit_once('#').is_some_and(|(_, number)| digits(number));
        let key = word.split_once('-').is_some_and(|(project, number)| {
            digits(number)
                && project.len() >= 2
                && project.starts_with(|c: char| c.is_ascii_uppercase())
                && project.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        });
        (link || number || key).then(|| word.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_numbers_and_links_are_reasons_that_lead_somewhere() {
        for (text, found) in [
            ("PAY-481", "PAY-481"),
            ("fixes the refund (see acme/shop#12).", "acme/shop#12"),
            ("as in https://example.com/spec/7", "https://example.com/spec/7"),
        ] {
            assert_eq!(ticket(text).as_deref(), Some(found), "{text}");
        }
        for text in ["because it is time", "a well-known bug", "X-1", "#", "UTF-8x"] {
            assert_eq!(ticket(text), None, "{text}");
        }
    }
}
