//! Words of others in Slack's markup: escaped, shortened, and with nothing left in them that Slack would act on.

use crate::message::is_invisible;

/// Without control, direction-changing and zero-width characters, at most `most` UTF-16 units.
pub fn plain(text: &str, most: usize) -> String {
    let kept = text.chars().filter_map(|c| match c {
        '\n' => Some('\n'),
        '\t' | '\r' => Some(' '),
        c if c.is_control() || is_invisible(c) => None,
        c => Some(c),
    });
    cut(kept, most)
}

/// At most so many UTF-16 units, with an ellipsis where something was cut off.
fn cut(text: impl Iterator<Item = char>, most: usize) -> String {
    let mut out = String::new();
    let mut units = 0;
    for c in text {
        units += c.len_utf16();
        if units > most {
            // The ellipsis takes the place of the last character, so that the limit holds.
            out.pop();
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}

/// `& < >` as Slack wants them everywhere.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Fit to stand between backticks.
pub fn code(text: &str, most: usize) -> String {
    plain(text, most).replace('`', "ˋ")
}

/// Escaped, and without any sign that Slack would read as markup: such signs give way to their look-alikes. Within a word
/// (`snake_case`) they mean nothing to Slack and stay.
pub fn defused(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut line_begins = true;
    for (at, c) in chars.iter().copied().enumerate() {
        let word = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphanumeric());
        let inside = word(at.checked_sub(1)) && word(Some(at + 1));
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            // At the beginning of a line it would be a quotation.
            '>' if line_begins => out.push('›'),
            '>' => out.push_str("&gt;"),
            '*' => out.push('∗'),
            '_' if !inside => out.push('ˍ'),
            '~' => out.push('∼'),
            '`' => out.push('ˋ'),
            ':' if begins_emoji(&chars[at..], word(at.checked_sub(1))) => out.push('꞉'),
            c => out.push(c),
        }
        line_begins = c == '\n' || (line_begins && c.is_whitespace());
    }
    out
}

/// Whether a picture's name stands here: `:tada:`. The time 10:30:00 is none.
fn begins_emoji(rest: &[char], after_word: bool) -> bool {
    let name: Vec<char> = rest.iter().skip(1).take(100).take_while(|c| is_of_emoji(**c)).copied().collect();
    let closed = rest.get(1 + name.len()) == Some(&':');
    // The 00-08 of `10:00-08:00` is no picture's name either.
    let of_time =
        name.first().is_some_and(char::is_ascii_digit) && name.iter().all(|c| c.is_ascii_digit() || *c == '-');
    closed && !name.is_empty() && !(after_word && of_time)
}

fn is_of_emoji(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '\'')
}

/// A line that takes what it has room for.
pub struct Room {
    text: String,
    left: usize,
    full: bool,
}

impl Room {
    pub fn new(most: usize) -> Room {
        Room { text: String::new(), left: most, full: false }
    }

    /// Takes all of it or nothing.
    pub fn whole(&mut self, text: &str) {
        let units = text.encode_utf16().count();
        if self.full || units > self.left {
            self.fill();
        } else {
            self.left -= units;
            self.text.push_str(text);
        }
    }

    /// Takes as much of `text` as fits between the signs after `made` has gone over it. Signs that stand around white
    /// space or nothing would be shown as they are, so the space stays outside.
    pub fn wrapped(&mut self, before: &str, text: &str, after: &str, made: impl Fn(&str) -> String) {
        let inner = text.trim();
        if before.is_empty() || inner.is_empty() {
            return self.longest(text, &made);
        }
        let begin = text.len() - text.trim_start().len();
        self.whole(&text[..begin]);
        if self.left > before.len() + after.len() && !self.full {
            self.left -= before.len() + after.len();
            self.text.push_str(before);
            let empty = self.text.len();
            self.longest(inner, &made);
            if self.text.len() == empty {
                self.text.truncate(empty - before.len());
            } else {
                self.text.push_str(after);
            }
        }
        self.whole(&text[text.trim_end().len()..]);
    }

    fn longest(&mut self, text: &str, made: &impl Fn(&str) -> String) {
        if self.full {
            return;
        }
        let whole = made(text);
        if whole.encode_utf16().count() <= self.left {
            return self.whole(&whole);
        }
        let mut most = self.left;
        while most > 0 {
            let shorter = made(&cut(text.chars(), most));
            if shorter.encode_utf16().count() <= self.left {
                self.whole(&shorter);
                break;
            }
            most /= 2;
        }
        self.full = true;
    }

    fn fill(&mut self) {
        if !self.full {
            self.text.push('…');
        }
        self.full = true;
    }

    pub fn text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_rings_links_or_is_drawn() {
        assert_eq!(defused("<!channel> <@U1> a & b"), "&lt;!channel&gt; &lt;@U1&gt; a &amp; b");
        assert_eq!(defused("*bold* _it_ ~x~ `y` :tada:"), "∗bold∗ ˍitˍ ∼x∼ ˋyˋ ꞉tada:");
        assert_eq!(defused("> quoted\n >too"), "› quoted\n ›too");
    }

    #[test]
    fn names_and_times_stay_as_they_are() {
        for text in ["snake_case at 10:30:00, checkout/v2.14.0", "2026-11-24T10:00-08:00"] {
            assert_eq!(defused(text), text);
        }
        assert_eq!(defused("so:+1: or :100:"), "so꞉+1: or ꞉100:");
    }

    #[test]
    fn invisible_characters_are_left_out() {
        assert_eq!(plain("a\u{202e}b\u{0}c\u{200b}d", 10), "abcd");
        assert_eq!(plain("abcdef", 3), "ab…");
    }
}
