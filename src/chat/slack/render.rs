//! Neutral messages as Block Kit: every limit of the platform is kept by construction, and nothing that others wrote can
//! ring, link or pose as ours.
//!
//! Limits: <https://docs.slack.dev/reference/block-kit/blocks>; the size of all blocks together is not documented, about
//! 13,000 characters are accepted.

use serde_json::{Value, json};

use super::form;
use super::text::{Room, code, defused, escaped, plain};
use crate::message::{Block, Button, ButtonStyle, Line, Message, Span, Style};
use crate::name::Person;

/// Blocks of a message.
pub const MOST_BLOCKS: usize = 50;
/// UTF-16 units of all blocks as JSON.
pub const MOST_SIZE: usize = 12_500;
const SECTION: usize = 2_900;
const HEADER: usize = 150;
const BUTTONS: usize = 25;

/// What a workspace adds to a message.
pub struct With<'a> {
    /// The user's id of a person on this workspace.
    pub user: &'a dyn Fn(&Person) -> Option<String>,
    /// The id of a picture that was uploaded.
    pub picture: &'a dyn Fn(&str) -> Option<String>,
}

impl std::fmt::Debug for With<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("With").finish_non_exhaustive()
    }
}

/// A message as Slack takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// What notifications and old clients show.
    pub text: String,
    pub blocks: Vec<Value>,
}

pub fn render(message: &Message, with: &With<'_>) -> Rendered {
    let mut end = Vec::new();
    if let Some(footer) = &message.footer {
        let text = plain(footer, 1_000);
        if !text.is_empty() {
            end.push(json!({ "type": "context", "elements": [plain_text(&text, 2_000)] }));
        }
    }
    let actions = actions(message);
    if !actions.is_empty() {
        end.push(json!({ "type": "actions", "elements": actions }));
    }
    let blocks = fit(&message.blocks, with, end);
    // A message must say something.
    let text = defused(&plain(&message.text(), 3_000));
    Rendered { text: if text.trim().is_empty() { "Tidegate".to_owned() } else { text }, blocks }
}

/// The blocks and what stands at their end, as many as there is room for, with a line that says what was left out.
fn fit(blocks: &[Block], with: &With<'_>, end: Vec<Value>) -> Vec<Value> {
    let mut page = Page { blocks: Vec::new(), size: 400, most: MOST_BLOCKS - 1 - end.len(), left_out: 0 };
    page.size += end.iter().map(size).sum::<usize>();
    for block in blocks {
        page.put(block, with);
    }
    let mut all = page.blocks;
    if page.left_out > 0 {
        let lines = if page.left_out == 1 { "line" } else { "lines" };
        all.push(section(&format!("… and {} more {lines}", page.left_out)));
    }
    all.extend(end);
    all
}

struct Page {
    blocks: Vec<Value>,
    size: usize,
    most: usize,
    left_out: usize,
}

impl Page {
    fn put(&mut self, block: &Block, with: &With<'_>) {
        match block {
            Block::Title { text, context } => {
                self.push(json!({ "type": "header", "text": plain_text(text, HEADER) }), 1);
                let context = plain(context, 1_000);
                if !context.is_empty() {
                    self.push(json!({ "type": "context", "elements": [plain_text(&context, 2_000)] }), 1);
                }
            }
            Block::Line(said) => self.lines(std::iter::once(line(said, with))),
            Block::List { says, lines, .. } => {
                let head = (!says.is_empty()).then(|| format!("*{}*", strong(&plain(says, 300))));
                self.lines(head.into_iter().chain(lines.iter().map(|said| line(said, with))));
            }
            Block::Facts { pairs } => self.lines(
                pairs
                    .iter()
                    .map(|(name, value)| outside(&format!("*{}:* ", strong(&plain(name, 200))), &plain(value, 1_000))),
            ),
            Block::Quote { text } => self.lines(text.lines().map(|quoted| outside(">", &plain(quoted, 1_000)))),
            Block::Code { says, text } => self.listing(says, text),
            Block::Picture { light, alt, .. } => {
                let alt = plain(alt, 1_500);
                let alt = if alt.trim().is_empty() { "A picture.".to_owned() } else { alt };
                match (with.picture)(light) {
                    Some(id) => self.push(json!({ "type": "image", "slack_file": { "id": id }, "alt_text": alt }), 1),
                    None => self.push(json!({ "type": "context", "elements": [plain_text(&alt, 2_000)] }), 1),
                }
            }
            Block::Divider => self.push(json!({ "type": "divider" }), 0),
        }
    }

    /// Takes a block that says `lines` lines, or notes that it was left out: once something was, so is all that follows,
    /// for a message that misses its middle says something else.
    fn push(&mut self, block: Value, lines: usize) {
        let size = size(&block);
        if self.left_out > 0 || self.blocks.len() >= self.most || self.size + size > MOST_SIZE {
            self.left_out += lines;
        } else {
            self.size += size;
            self.blocks.push(block);
        }
    }

    /// Lines as sections: as many in each as it holds.
    fn lines(&mut self, lines: impl Iterator<Item = String>) {
        let (mut text, mut count) = (String::new(), 0);
        for line in lines.filter(|line| !line.trim().is_empty()) {
            // Smaller sections near the end of the room, so that as much as possible is kept.
            let most = SECTION.min((MOST_SIZE.saturating_sub(self.size) / 2).max(200));
            if count > 0 && units(&text) + units(&line) + 1 > most {
                self.push(section(&text), count);
                (text, count) = (String::new(), 0);
            }
            if count > 0 {
                text.push('\n');
            }
            text.push_str(&line);
            count += 1;
        }
        if count > 0 {
            self.push(section(&text), count);
        }
    }

    fn listing(&mut self, says: &str, text: &str) {
        let head = if says.is_empty() { String::new() } else { format!("*{}*\n", strong(&plain(says, 100))) };
        let room = SECTION.min(MOST_SIZE.saturating_sub(self.size) / 2).max(700) - units(&head);
        let mut shown = String::new();
        let all: Vec<&str> = text.lines().collect();
        let mut kept = 0;
        for one in &all {
            let one = escaped(&code(one, 500));
            if units(&shown) + units(&one) + 1 > room - 60 {
                break;
            }
            shown.push_str(&one);
            shown.push('\n');
            kept += 1;
        }
        let more = all.len() - kept;
        let rest = if more > 0 { format!("… and {more} more") } else { String::new() };
        if kept > 0 {
            self.push(section(&format!("{head}```\n{shown}```{rest}")), all.len());
        } else if !head.is_empty() {
            self.push(section(&format!("{head}{rest}")), all.len());
        }
    }
}

/// A line with its mark, within a section's room.
fn line(said: &Line, with: &With<'_>) -> String {
    let mut out = Room::new(SECTION - 100);
    if let Some(mark) = said.mark {
        out.whole(mark.emoji());
        out.whole(" ");
    }
    for span in &said.spans {
        span_into(&mut out, span, with);
    }
    out.text()
}

fn span_into(out: &mut Room, span: &Span, with: &With<'_>) {
    let text = plain(&span.text.replace('\n', " "), 2_000);
    if let Some(user) = span.person.as_ref().and_then(|person| (with.user)(person)).filter(|user| is_id(user)) {
        return out.whole(&format!("<@{user}>"));
    }
    if let Some(time) = span.time {
        let fallback: String = escaped(&text).replace('|', "/");
        return out.whole(&format!(
            "<!date^{}^{{date_short_pretty}} {{time}}|{}>",
            time.ms() / 1_000,
            if fallback.is_empty() { "then" } else { &fallback }
        ));
    }
    if let Some(link) = span.link.as_deref().and_then(address) {
        let says = defused(&text).replace('|', "/");
        return out.whole(&if says.trim().is_empty() { format!("<{link}>") } else { format!("<{link}|{says}>") });
    }
    match span.style {
        Style::Strong => out.wrapped("*", &text, "*", strong),
        Style::Code => out.wrapped("`", &text, "`", |text| escaped(&code(text, 2_000))),
        Style::Plain | Style::Quiet => {
            // Our sentences put names and commands between backticks. What stands there is defused all the same: within a
            // word Slack takes a backtick for no sign.
            let pairs = text.matches('`').count().is_multiple_of(2);
            if !pairs {
                return out.wrapped("", &text, "", defused);
            }
            for (at, part) in text.split('`').enumerate() {
                let around = if at % 2 == 1 { "`" } else { "" };
                out.wrapped(around, part, around, defused);
            }
        }
    }
}

/// Text between asterisks may hold none.
fn strong(text: &str) -> String {
    defused(&text.replace('*', "∗"))
}

/// An address in the form that stands between angle brackets: whatever could end it early is written as a percent code.
fn address(link: &str) -> Option<String> {
    let url = url::Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let safe = url.as_str().replace('|', "%7C").replace('<', "%3C").replace('>', "%3E").replace('&', "&amp;");
    (safe.len() <= 1_500).then_some(safe)
}

pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.chars().all(|c| c.is_ascii_alphanumeric())
}

fn actions(message: &Message) -> Vec<Value> {
    let fill_in = message.form.as_ref().map(|form| button("form", "Fill in", &form::seed(form), ButtonStyle::Primary));
    let given = message.buttons.iter().enumerate().filter(|(_, Button { id, .. })| units(id) <= 2_000);
    let given = given.map(|(at, b)| button(&format!("press:{at}"), &b.says, &b.id, b.style));
    fill_in.into_iter().chain(given).take(BUTTONS).collect()
}

fn button(action: &str, says: &str, value: &str, style: ButtonStyle) -> Value {
    let mut button = json!({
        "type": "button",
        "action_id": action,
        "text": plain_text(says, 75),
        "value": value,
    });
    match style {
        ButtonStyle::Plain => {}
        ButtonStyle::Primary => button["style"] = json!("primary"),
        ButtonStyle::Danger => button["style"] = json!("danger"),
    }
    button
}

pub fn section(text: &str) -> Value {
    // Verbatim: no address or name in it becomes a link by itself.
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } })
}

/// Text without markup, at most `most` characters as Slack counts them; never empty.
pub fn plain_text(text: &str, most: usize) -> Value {
    let mut room = Room::new(most);
    room.wrapped("", plain(text, most).trim(), "", escaped);
    let text = room.text();
    json!({ "type": "plain_text", "text": if text.is_empty() { "–".to_owned() } else { text }, "emoji": false })
}

/// Words of others within a line's room.
fn outside(before: &str, text: &str) -> String {
    let mut room = Room::new(SECTION - 100);
    room.whole(before);
    room.wrapped("", text, "", defused);
    room.text()
}

fn size(block: &Value) -> usize {
    units(&block.to_string()) + 1
}

pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::{Form, Level, Mark};

    fn drawn(message: &Message) -> Rendered {
        let user = |person: &Person| (person.as_str() == "ada").then(|| "U0ADA".to_owned());
        let picture = |name: &str| (name == "/pictures/known.svg").then(|| "F1".to_owned());
        render(message, &With { user: &user, picture: &picture })
    }

    fn first(message: &Message) -> String {
        drawn(message).blocks[0]["text"]["text"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_person_whom_the_workspace_knows_is_mentioned_and_another_named() {
        let message = |name| Message::spans(Some(Mark::Watch), vec![Span::person(&Person::new(name))]);
        assert_eq!(first(&message("ada")), "👀 <@U0ADA>");
        assert_eq!(first(&message("lin")), "👀 @lin");
    }

    #[test]
    fn times_and_links_and_styles_are_slacks_own() {
        let time =
            Span { time: Some(crate::clock::Time::from_ms(1_700_000_000_000)), ..Span::plain("Tue 22:13 <x|y>") };
        let spans = vec![
            time,
            Span::plain(" "),
            Span::linked("a|b > c", "https://example.com/?a=1&b=<2>"),
            Span::strong(" bold*er "),
            Span::code("x`y_z_"),
        ];
        assert_eq!(
            first(&Message::spans(None, spans)),
            "<!date^1700000000^{date_short_pretty} {time}|Tue 22:13 &lt;x/y&gt;> \
             <https://example.com/?a=1&amp;b=%3C2%3E|a/b &gt; c> *bold∗er* `xˋy_z_`"
        );
    }

    #[test]
    fn commands_between_backticks_are_shown_as_such() {
        let text = "type `/deploy help` or <!here> `*x*`, not ` alone";
        assert_eq!(
            first(&Message::line(Mark::Note, "type `/deploy help` & `*x*`")),
            "📝 type `/deploy help` &amp; `∗x∗`"
        );
        assert_eq!(
            first(&Message::line(Mark::Note, text)),
            "📝 type ˋ/deploy helpˋ or &lt;!here&gt; ˋ∗x∗ˋ, not ˋ alone"
        );
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let lines = (0..2_000).map(|n| Line::plain(format!("check number {n} said that all is well"))).collect();
        let message =
            Message { blocks: vec![Block::List { says: "All".into(), lines, folded: true }], ..Message::default() };
        let drawn = drawn(&message);
        let last = drawn.blocks.last().unwrap()["text"]["text"].as_str().unwrap();
        assert!(last.starts_with("… and 1") && last.ends_with(" more lines"), "{last}");
    }

    #[test]
    fn a_picture_that_was_not_uploaded_is_its_words() {
        let picture = |light: &str| Block::Picture { light: light.into(), dark: String::new(), alt: "Quiet.".into() };
        let blocks = vec![picture("/pictures/known.svg"), picture("/pictures/other.svg")];
        let drawn = drawn(&Message { blocks, ..Message::default() });
        assert_eq!(drawn.blocks[0]["slack_file"]["id"], "F1");
        assert_eq!(drawn.blocks[1]["elements"][0]["text"], "Quiet.");
    }

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "\\PC{0,40}",
            any::<String>(),
            Just("<!channel>".to_owned()),
            Just("<@U1>".to_owned()),
            Just("@here @everyone".to_owned()),
            Just("*b* _i_ ~s~ `c` ```x```".to_owned()),
            Just("> q\n> r".to_owned()),
            Just(":rotating_light:".to_owned()),
            Just("\u{202e}\u{200f}\u{0}\u{7}".to_owned()),
            Just("👩‍👩‍👧‍👦🏳️‍🌈".to_owned()),
            Just("שלום עולם".to_owned()),
            Just("<https://evil.example|fine>".to_owned()),
            Just("&<>".repeat(1_500)),
            Just("x".repeat(4_000)),
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    fn span() -> impl Strategy<Value = Span> {
        (hostile(), 0..4usize, prop::option::of(hostile())).prop_map(|(text, style, link)| {
            let style = [Style::Plain, Style::Strong, Style::Code, Style::Quiet][style];
            Span { style, link: link.map(|l| format!("https://example.com/{l}")), ..Span::plain(text) }
        })
    }

    fn said() -> impl Strategy<Value = Line> {
        prop::collection::vec(span(), 0..5).prop_map(|spans| Line { mark: Some(Mark::Caution), spans, code: None })
    }

    fn block() -> impl Strategy<Value = Block> {
        prop_oneof![
            (hostile(), hostile()).prop_map(|(text, context)| Block::Title { text, context }),
            said().prop_map(Block::Line),
            (hostile(), prop::collection::vec(said(), 0..30)).prop_map(|(says, lines)| Block::List {
                says,
                lines,
                folded: true
            }),
            prop::collection::vec((hostile(), hostile()), 0..12).prop_map(|pairs| Block::Facts { pairs }),
            hostile().prop_map(|text| Block::Quote { text }),
            (hostile(), hostile()).prop_map(|(says, text)| Block::Code { says, text }),
            hostile().prop_map(|alt| Block::Picture { light: alt.clone(), dark: String::new(), alt }),
            Just(Block::Divider),
        ]
    }

    fn message() -> impl Strategy<Value = Message> {
        let buttons = prop::collection::vec((hostile(), hostile()), 0..40);
        (prop::collection::vec(block(), 0..60), buttons, prop::option::of(hostile())).prop_map(
            |(blocks, buttons, footer)| Message {
                blocks,
                level: Level::Critical,
                buttons: buttons
                    .into_iter()
                    .map(|(id, says)| Button { id, says, style: ButtonStyle::Danger })
                    .collect(),
                footer: footer.clone(),
                form: footer.map(|says| Form { id: "plan".into(), title: says.clone(), says, fields: Vec::new() }),
                reactions: Vec::new(),
            },
        )
    }

    /// What stands in the text that Slack would act on: everything else is escaped.
    fn commands(text: &str) -> Vec<&str> {
        text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or(rest)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_limit_is_kept_whatever_is_said(message in message()) {
            let drawn = drawn(&message);
            prop_assert!(drawn.blocks.len() <= MOST_BLOCKS);
            prop_assert!(!drawn.text.trim().is_empty() && units(&drawn.text) < 16_000);
            prop_assert!(units(&Value::from(drawn.blocks.clone()).to_string()) <= 13_000);
            prop_assert!(commands(&drawn.text).is_empty());
            for block in &drawn.blocks {
                match block["type"].as_str().unwrap() {
                    "section" => {
                        let text = block["text"]["text"].as_str().unwrap();
                        prop_assert!(!text.is_empty() && units(text) <= 3_000, "{}", units(text));
                        prop_assert!(commands(text).iter().all(|c| c.starts_with("https://example.com/")), "{text}");
                        let turned = ['\u{202e}', '\u{0}'].iter().any(|c| text.contains(*c));
                        prop_assert!(!turned);
                    }
                    "header" => prop_assert!((1..=150).contains(&units(block["text"]["text"].as_str().unwrap()))),
                    "context" => prop_assert!(block["elements"].as_array().unwrap().len() <= 10),
                    "actions" => {
                        for button in block["elements"].as_array().unwrap() {
                            prop_assert!((1..=75).contains(&units(button["text"]["text"].as_str().unwrap())));
                            prop_assert!(units(button["value"].as_str().unwrap()) <= 2_000);
                        }
                        prop_assert!(block["elements"].as_array().unwrap().len() <= 25);
                    }
                    _ => {}
                }
            }
        }
    }
}
