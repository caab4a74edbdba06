//! What in a reason looks like a ticket.

/// So many of one reason are looked up.
const MOST: usize = 5;

/// The first of [`tickets`].
pub fn ticket(text: &str) -> Option<String> {
    tickets(text).into_iter().next()
}

/// Tickets, numbers and links in a text, in their order: `PAY-481`, `#482`, `https://…`.
pub fn tickets(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"')).take(500);
    let words = words.map(|word| word.trim_matches(['.', ':', '!', '?', '[', ']']));
    words.filter(|word| is_ticket(word)).take(MOST).map(str::to_owned).collect()
}

fn is_ticket(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let link = crate::message::is_web(word);
    let number = word.rsplit_once('#').is_some_and(|(_, number)| digits(number));
    link || number || is_key(word)
}

/// A project's key and a number: `PAY-481`.
pub fn is_key(word: &str) -> bool {
    word.len() <= 100
        && word.split_once('-').is_some_and(|(project, number)| {
            !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
                && project.len() >= 2
                && project.starts_with(|c: char| c.is_ascii_uppercase())
                && project.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
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
        assert_eq!(
            tickets("https://example.com/spec/7, then PAY-481: #3"),
            ["https://example.com/spec/7", "PAY-481", "#3"]
        );
    }
}
