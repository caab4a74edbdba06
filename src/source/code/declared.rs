//! Whether a commit declares that it was made with AI assistance.
//!
//! Only whole addresses and declared lines count: people work at the companies whose tools these are, and bear names
//! such as Claude or Devin. That nothing is declared proves nothing.

use crate::advice::facts::AiMark;
use crate::message::tame;

/// Addresses under which tools author, co-author or commit. Counted in 74,198 commits of 145 public repositories made
/// since 2025-01-01, of which 3.8 % declare something. GitHub's addresses begin with a number that stays when the
/// account is renamed, so there the number decides.
const ADDRESSES: [(&str, &str); 8] = [
    ("noreply@anthropic.com", "Claude"),
    ("cursoragent@cursor.com", "Cursor"),
    ("noreply@openai.com", "Codex"),
    ("codex@openai.com", "Codex"),
    ("aider@aider.chat", "Aider"),
    ("noreply@aider.chat", "Aider"),
    ("amp@ampcode.com", "Amp"),
    ("gemini-cli@google.com", "Gemini"),
];

const GITHUB_ACCOUNTS: [(&str, &str); 6] = [
    ("209825114", "Claude"),
    ("198982749", "Copilot"),
    ("175728472", "Copilot"),
    ("223556219", "Copilot"),
    ("62310815", "Copilot Autofix"),
    ("158243242", "Devin"),
];

/// Review bots: as co-authors they reviewed, they did not write.
const REVIEWERS: [&str; 2] = ["136622811", "165735046"];

/// Words by which a tool is known where a line names it in free text.
const TOOLS: [&str; 22] = [
    "claude",
    "copilot",
    "cursor",
    "codex",
    "devin",
    "aider",
    "gemini",
    "chatgpt",
    "openai",
    "windsurf",
    "cline",
    "replit",
    "jules",
    "firebender",
    "opencode",
    "poolside",
    "gpt",
    "anthropic",
    "amp",
    "kiro",
    "junie",
    "llm",
];

const LONGEST_TOOL: usize = 60;

/// Who wrote and committed, and the message, as text.
#[derive(Clone, Copy, Debug)]
pub(in crate::source) struct Words<'a> {
    pub author_name: &'a str,
    pub author_email: &'a str,
    pub committer_name: &'a str,
    pub committer_email: &'a str,
    pub message: &'a str,
}

/// What a commit declares.
pub(in crate::source) fn mark(words: &Words<'_>) -> AiMark {
    match tool(words) {
        Some(tool) => AiMark::Declared { tool },
        None if is_bot(words.author_name, words.author_email) => AiMark::Bot,
        None => AiMark::Undeclared,
    }
}

/// Whether an address is a tool's or a bot's: nobody who shares authorship.
pub(in crate::source) fn is_nobody(name: &str, email: &str) -> bool {
    tool_of_address(email).is_some() || is_bot(name, email)
}

/// The name and address of a co-author line's value: `Ada <ada@sample.test>`.
pub(in crate::source) fn name_and_address(value: &str) -> (&str, &str) {
    match value.rsplit_once('<') {
        Some((name, rest)) => (name.trim(), rest.split('>').next().unwrap_or(rest).trim()),
        None => (value.trim(), ""),
    }
}

/// `Key: value`, where a line is one.
pub(in crate::source) fn trailer(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim().split_once(':')?;
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_key && !value.starts_with("//")).then_some((key, value.trim()))
}

fn tool(words: &Words<'_>) -> Option<String> {
    for (name, email) in [(words.author_name, words.author_email), (words.committer_name, words.committer_email)] {
        if let Some(tool) = tool_of_address(email) {
            return Some(tool.to_owned());
        }
        if name.trim_end().ends_with(" (aider)") {
            return Some("Aider".to_owned());
        }
    }
    if words.message.starts_with("aider: ") {
        return Some("Aider".to_owned());
    }
    // A squash merge keeps such lines in the middle of its text, so every line is looked at.
    words.message.lines().skip(1).find_map(|line| of_trailer(line).or_else(|| of_prose(line)))
}

fn of_trailer(line: &str) -> Option<String> {
    let (key, value) = trailer(line)?;
    let (name, address) = name_and_address(value);
    match key.to_ascii_lowercase().as_str() {
        "co-authored-by" => {
            tool_of_address(address).map(|tool| if name.is_empty() { tool.to_owned() } else { said(name) })
        }
        // People assist, too: with an address, the address decides; without one, a tool's name or AGENT:MODEL does.
        "assisted-by" if !address.is_empty() => {
            tool_of_address(address).map(|tool| if name.is_empty() { tool.to_owned() } else { said(name) })
        }
        "assisted-by" if names_a_tool(value) || is_agent_and_model(value) => Some(said(value)),
        "generated-by" | "made-with" if names_a_tool(name) => Some(said(name)),
        "ai-assisted-by" | "ai-model" | "ai-agent" if !name.is_empty() => Some(said(name)),
        "claude-session" if !value.is_empty() => Some("Claude".to_owned()),
        "replit-commit-author" if matches!(value, "Agent" | "Assistant") => Some("Replit".to_owned()),
        key if key.starts_with("entire-") && !value.is_empty() => Some("Entire".to_owned()),
        _ => None,
    }
}

/// `🤖 Generated with [Claude Code](https://…)`; without the sign, only where a known tool or "AI" is named.
fn of_prose(line: &str) -> Option<String> {
    let line = line.trim();
    let plain = line.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let start = plain.get(..15)?;
    if !start.eq_ignore_ascii_case("generated with ") {
        return None;
    }
    let rest = plain.get(15..)?.trim();
    let name = match rest.strip_prefix('[') {
        Some(inside) => inside.split(']').next().unwrap_or(inside),
        None => rest.trim_end_matches('.'),
    };
    let signed = line.starts_with('🤖') && rest.starts_with('[');
    let named = names_a_tool(name) || name.to_ascii_lowercase().starts_with("ai assistance");
    ((signed || named) && !name.is_empty()).then(|| said(name))
}

fn tool_of_address(email: &str) -> Option<&'static str> {
    let email = email.trim().to_ascii_lowercase();
    if let Some((_, tool)) = ADDRESSES.iter().find(|(address, _)| *address == email) {
        return Some(tool);
    }
    let number = github_number(&email)?;
    GITHUB_ACCOUNTS.iter().find(|(account, _)| *account == number).map(|(_, tool)| *tool)
}

/// The account number of `175728472+copilot@users.noreply.github.com`.
fn github_number(email: &str) -> Option<&str> {
    let local = email.strip_suffix("@users.noreply.github.com")?;
    let (number, _) = local.split_once('+')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(number)
}

fn is_bot(name: &str, email: &str) -> bool {
    let email = email.trim().to_ascii_lowercase();
    let local = email.split('@').next().unwrap_or(&email);
    name.trim_end().ends_with("[bot]")
        || local.ends_with("[bot]")
        || github_number(&email).is_some_and(|number| REVIEWERS.contains(&number))
        || matches!(email.as_str(), "bot@renovateapp.com" | "support@dependabot.com")
}

/// Whether a text holds a tool's name as a word.
fn names_a_tool(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| TOOLS.contains(&word))
}

/// The form that the Linux kernel asks for: `AGENT:MODEL [tools]`.
fn is_agent_and_model(value: &str) -> bool {
    let first = value.split_whitespace().next().unwrap_or_default();
    first
        .split_once(':')
        .is_some_and(|(agent, model)| !agent.is_empty() && !model.is_empty() && !model.starts_with('/'))
}

fn said(name: &str) -> String {
    tame(name, LONGEST_TOOL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(author: (&str, &str), message: &str) -> AiMark {
        let words = Words {
            author_name: author.0,
            author_email: author.1,
            committer_name: "GitHub",
            committer_email: "noreply@github.com",
            message,
        };
        mark(&words)
    }

    const ADA: (&str, &str) = ("Ada", "ada@sample.test");

    #[test]
    fn declared_lines_are_seen_wherever_they_stand() {
        for (line, tool) in [
            ("Co-authored-by: Claude <noreply@anthropic.com>", "Claude"),
            ("Co-Authored-By: Claude Opus 4.6 (1M context) <noreply@anthropic.com>", "Claude Opus 4.6 (1M context)"),
            ("Co-authored-by: Renamed <175728472+whatever@users.noreply.github.com>", "Renamed"),
            ("Co-authored-by: Cursor <CursorAgent@cursor.com>", "Cursor"),
            ("🤖 Generated with [Claude Code](https://claude.com/claude-code)", "Claude Code"),
            ("🤖 Generated with [Firebender](https://firebender.com)", "Firebender"),
            ("Generated with AI assistance (Claude).", "AI assistance (Claude)"),
            ("Assisted-by: Claude:claude-3-opus coccinelle sparse", "Claude:claude-3-opus coccinelle sparse"),
            ("Assisted-by: OpenAI Codex <noreply@openai.com>", "OpenAI Codex"),
            ("AI-assisted-by: OpenAI Codex (GPT-5.6 Sol)", "OpenAI Codex (GPT-5.6 Sol)"),
            ("AI-Model: poolside Laguna S 2.1 (worker)", "poolside Laguna S 2.1 (worker)"),
            ("Made-with: Cursor", "Cursor"),
            ("Claude-Session: https://claude.ai/code/session", "Claude"),
            ("Entire-Checkpoint: a1b2", "Entire"),
            ("Replit-Commit-Author: Agent", "Replit"),
        ] {
            let message = format!("Title\n\n* first of a squash\n\n{line}\n\n* second\n");
            assert_eq!(of(ADA, &message), AiMark::Declared { tool: tool.to_owned() }, "{line}");
        }
    }

    #[test]
    fn tools_that_author_are_seen_by_their_whole_address() {
        for author in [
            ("Devin AI", "158243242+devin-ai-integration[bot]@users.noreply.github.com"),
            ("copilot-swe-agent[bot]", "198982749+Copilot@users.noreply.github.com"),
            ("Codex", "codex@openai.com"),
            ("Lin (aider)", "lin@sample.test"),
        ] {
            assert!(matches!(of(author, "Title"), AiMark::Declared { .. }), "{author:?}");
        }
        assert!(matches!(of(ADA, "aider: rename a function"), AiMark::Declared { .. }));
    }

    #[test]
    fn people_are_not_taken_for_tools() {
        for author in [
            ("Claude Monet", "claude.monet@sample.test"),
            ("Devin", "devin@sample.test"),
            ("Somebody", "somebody@openai.com"),
            ("Somebody", "somebody@anthropic.com"),
            ("Sneaky", "xnoreply@anthropic.com"),
        ] {
            assert_eq!(of(author, "Title\n\nbody"), AiMark::Undeclared, "{author:?}");
        }
        for message in [
            "Title\n\nCo-authored-by: Claude Monet <claude@sample.test>",
            "Title\n\nCo-authored-by: coderabbitai[bot] <136622811+coderabbitai[bot]@users.noreply.github.com>",
            "Title\n\nAssisted-by: Grace <grace@sample.test>",
            "Title\n\nGenerated with protoc 3.21",
            "Title\n\nGenerated-by: OpenAPI Generator",
            "Title\n\nReplit-Commit-Author: User",
            "Write about what was generated with [Claude Code](x)",
        ] {
            assert_eq!(of(ADA, message), AiMark::Undeclared, "{message}");
        }
    }

    #[test]
    fn a_bot_is_neither() {
        for author in [
            ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
            ("renovate[bot]", "29139614+renovate[bot]@users.noreply.github.com"),
            ("coderabbitai", "136622811+coderabbitai[bot]@users.noreply.github.com"),
        ] {
            assert_eq!(of(author, "Bump serde"), AiMark::Bot, "{author:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_message_makes_it_panic(message in "(Assisted-by|Co-authored-by|Generated with |🤖|\\PC|:|<|>|@|\n){0,60}") {
            let _ = (of(ADA, &message), trailer(&message), name_and_address(&message));
        }
    }
}
