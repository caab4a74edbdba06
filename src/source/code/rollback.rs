//! The way back as a pull request or merge request tells it: what stands under a heading that speaks of it.

use crate::message::tame;

/// The longest that is kept, in characters.
const LONGEST: usize = 1_000;

/// The text under the first Markdown heading, or bold line, about rolling back or reverting; None where there is none, or
/// nothing but the template's comment stands there.
pub fn section(text: &str) -> Option<String> {
    let mut lines = text.lines().take(2_000).skip_while(|line| heading(line).is_none_or(|title| !speaks_of_it(title)));
    lines.next()?;
    let under: Vec<&str> = lines.take_while(|line| heading(line).is_none()).collect();
    let told = without_comments(&under.join("\n"));
    let told = told.trim();
    (!told.is_empty()).then(|| tame(told, LONGEST))
}

/// The title of a heading: `## Rollback`, or a line that is bold as a whole.
fn heading(line: &str) -> Option<&str> {
    let line = line.trim();
    let marks = line.bytes().take_while(|b| *b == b'#').count();
    if (1..=6).contains(&marks) {
        return line[marks..].strip_prefix(' ').map(str::trim);
    }
    let bold = line.strip_prefix("**")?.trim_end_matches(':').strip_suffix("**")?;
    (!bold.contains("**")).then(|| bold.trim().trim_end_matches(':'))
}

fn speaks_of_it(title: &str) -> bool {
    let title = title.to_lowercase();
    ["rollback", "roll back", "roll-back", "revert", "back out", "backout", "way back"]
        .iter()
        .any(|word| title.contains(word))
}

/// Templates explain themselves in `<!-- … -->`, which nobody wrote for this change.
fn without_comments(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        told.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    told + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_under_its_heading_is_told() {
        let text =
            "## What\nAdds refunds.\n\n### Rollback plan\nRedeploy v2.13.2,\nthen `flag off refunds`.\n\n## Tests\nyes";
        assert_eq!(section(text).as_deref(), Some("Redeploy v2.13.2, then `flag off refunds`."));
        assert_eq!(section("**How to revert:**\nRevert the commit.").as_deref(), Some("Revert the commit."));
    }

    #[test]
    fn a_template_that_nobody_filled_in_tells_nothing() {
        assert_eq!(section("## Rollback\n<!-- how do we go back? -->\n\n## Tests\nx"), None);
        assert_eq!(section("## Rollback\n<!-- open"), None);
        assert_eq!(section("Nothing about it"), None);
        assert_eq!(section("We would #revert it"), None);
        assert_eq!(section(""), None);
    }
}
