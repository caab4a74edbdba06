//! What auditors read as HTML: the blocks of a message, on a page that stands alone and prints well. No script; everything
//! that others wrote is escaped.

use std::sync::LazyLock;

use base64::Engine as _;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::message::{Block, Line, Mark, Span, Style, is_web};

/// The style of every page and pack.
pub const STYLE: &str = include_str!("audit.css");

/// What a page that stands alone may load: nothing but the style within it, by its hash.
pub static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{hash}'")
});

/// The beginning of a page that stands alone: style within, nothing loaded. Close it with `</main></body></html>`.
pub fn head(title: &str) -> String {
    let markup = html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\"><head>"))
        meta charset="utf-8";
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta http-equiv="Content-Security-Policy" content=(*POLICY);
        title { (title) }
        style { (PreEscaped(STYLE)) }
        (PreEscaped("</head><body><main>"))
    };
    markup.into_string()
}

pub const FOOT: &str = "</main></body></html>\n";

/// A page of the web: the style by its address, as the content security policy asks.
pub fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Tidegate" }
                link rel="stylesheet" href="/audit/audit.css";
            }
            body { main { (body) } }
        }
    }
}

/// Blocks for paper: nothing is folded.
pub fn open_piece(blocks: &[Block]) -> Markup {
    let open = |block: &Block| match block {
        Block::List { says, lines, .. } => Block::List { says: says.clone(), lines: lines.clone(), folded: false },
        other => other.clone(),
    };
    piece(&blocks.iter().map(open).collect::<Vec<_>>())
}

/// Blocks, one below the other.
pub fn piece(blocks: &[Block]) -> Markup {
    html! { @for one in blocks { (block(one)) } }
}

fn block(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Title { text, context } => h2 {
                (text)
                @if !context.is_empty() { " " small { (context) } }
            },
            Block::Line(one) => p { (line(one)) },
            Block::List { says, lines, folded } => {
                @if !lines.is_empty() || !says.is_empty() {
                    @if *folded && lines.len() > 3 {
                        details { summary { (says) } (list(lines)) }
                    } @else {
                        @if !says.is_empty() { h3 { (says) } }
                        (list(lines))
                    }
                }
            },
            Block::Facts { pairs } => dl {
                @for (name, value) in pairs { div { dt { (name) } dd { (value) } } }
            },
            Block::Quote { text } => blockquote { (text) },
            Block::Code { says, text } => {
                @if !says.is_empty() { h3 { (says) } }
                pre { (text) }
            },
            Block::Picture { alt, .. } => p class="quiet" { (alt) },
            Block::Divider => hr;,
        }
    }
}

fn list(lines: &[Line]) -> Markup {
    html! { @if !lines.is_empty() { ul { @for one in lines { li { (line(one)) } } } } }
}

fn line(line: &Line) -> Markup {
    html! {
        @if let Some(mark) = line.mark {
            @let (class, sign) = sign(mark);
            span class={ "mark " (class) } aria-hidden="true" { (sign) } " "
        }
        @for one in &line.spans { (span(one)) }
        @if let Some(code) = &line.code { " " code { (code) } }
    }
}

fn span(span: &Span) -> Markup {
    html! {
        @match (&span.link, span.style) {
            (Some(link), _) if is_web(link) => a href=(link) rel="noreferrer noopener" { (span.text) },
            (_, Style::Strong) => strong { (span.text) },
            (_, Style::Code) => code { (span.text) },
            (_, Style::Quiet) => span class="quiet" { (span.text) },
            _ => (span.text),
        }
    }
}

/// A sign that reads in black and white too.
fn sign(mark: Mark) -> (&'static str, &'static str) {
    match mark {
        Mark::Critical | Mark::Object | Mark::Alert => ("bad", "✕"),
        Mark::Caution | Mark::Back => ("warn", "!"),
        Mark::Pass | Mark::Approve | Mark::Recovered | Mark::Finish => ("good", "✓"),
        Mark::Unknown => ("calm", "?"),
        Mark::Hold | Mark::Watch => ("warn", "•"),
        Mark::Info | Mark::Window | Mark::Start | Mark::Note => ("calm", "i"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_escaped_and_leads_nowhere_strange() {
        let evil = "<script>alert(1)</script>";
        let blocks = [
            Block::Quote { text: evil.to_owned() },
            Block::Facts { pairs: vec![(evil.to_owned(), evil.to_owned())] },
            Block::Line(Line {
                spans: vec![Span {
                    text: "x".to_owned(),
                    link: Some("javascript:alert(1)".to_owned()),
                    ..Span::default()
                }],
                ..Line::default()
            }),
        ];
        let text = piece(&blocks).into_string();
        assert!(!text.contains("<script") && !text.contains("javascript"), "{text}");
        assert!(text.contains("&lt;script&gt;"));
    }
}
