//! What holds for every message, whatever others wrote into it: each platform takes it, nobody is rung, nothing acts.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tidegate::clock::Time;
use tidegate::message::{Block, Button, ButtonStyle, Level, Line, Mark, Message, Span, Style};
use tidegate::name::Person;

use super::{for_discord, for_slack};
use crate::harness::browser::Browser;
use crate::harness::{Story, settings};

/// Words as others may write them.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<!here> <!channel> @here @everyone ".to_owned()),
        Just("<@U0LIN> <@100000000000000002> <@&5> <#C1> <t:1:R> </deploy:1> ".to_owned()),
        Just("[a](https://evil.example) https://evil.example <https://evil.example|fine> ".to_owned()),
        Just("*b* _i_ ~s~ **b** __u__ ~~s~~ ||s|| ".to_owned()),
        Just("`c` ``` ` ".to_owned()),
        Just("\n# head\n> quote\n- item\n1. one\n".to_owned()),
        Just(":rotating_light: :+1:".to_owned()),
        Just("\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\r\u{8}\u{0}\u{7f}".to_owned()),
        Just("\u{202e}\u{200b}\u{feff}\u{2066}\u{e0041}".to_owned()),
        Just("<script>window.harmed=1</script><img src=x onerror=window.harmed=1>".to_owned()),
        Just("javascript:window.harmed=1 \"onclick='x' ".to_owned()),
        Just("שלום עולם مرحبا ".to_owned()),
        Just("👩‍👩‍👧‍👦🏳️‍🌈🚀é".to_owned()),
        Just("&<>".repeat(1_500)),
        Just("x".repeat(4_000)),
        "\\PC{0,40}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn line() -> impl Strategy<Value = Line> {
    let span = (hostile(), 0..8u8).prop_map(|(text, how)| match how {
        0 => Span::strong(text),
        1 => Span::code(text),
        2 => Span::quiet(text),
        3 => Span::linked(text.clone(), &format!("https://example.com/{text}")),
        4 => Span { person: Some(Person::new("ada")), ..Span::plain(text) },
        5 => Span { person: Some(Person::new(text.clone())), ..Span::plain(text) },
        6 => Span { time: Some(Time::from_ms(1_700_000_000_000)), ..Span::plain(text) },
        // Around our own parser of addresses, as an old or broken record might.
        _ => Span { link: Some(format!("javascript:{text}")), style: Style::Plain, ..Span::plain(text) },
    });
    let mark = prop_oneof![Just(None), Just(Some(Mark::Info)), Just(Some(Mark::Alert))];
    (mark, prop::collection::vec(span, 0..4)).prop_map(|(mark, spans)| Line { mark, spans, code: None })
}

fn message() -> impl Strategy<Value = Message> {
    let block = prop_oneof![
        (hostile(), hostile()).prop_map(|(text, context)| Block::Title { text, context }),
        line().prop_map(Block::Line),
        (hostile(), prop::collection::vec(line(), 0..30), any::<bool>())
            .prop_map(|(says, lines, folded)| Block::List { says, lines, folded }),
        prop::collection::vec((hostile(), hostile()), 0..30).prop_map(|pairs| Block::Facts { pairs }),
        hostile().prop_map(|text| Block::Quote { text }),
        (hostile(), hostile()).prop_map(|(says, text)| Block::Code { says, text }),
        hostile().prop_map(|alt| Block::Picture { light: "/pictures/a.svg".into(), dark: String::new(), alt }),
        (hostile(), hostile()).prop_map(|(at, alt)| Block::Picture { light: at.clone(), dark: at, alt }),
        Just(Block::Divider),
    ];
    let button = (hostile(), hostile()).prop_map(|(id, says)| Button { id, says, style: ButtonStyle::Danger });
    (prop::collection::vec(block, 0..20), prop::collection::vec(button, 0..30), prop::option::of(hostile()), 0..3u8)
        .prop_map(|(blocks, buttons, footer, level)| Message {
            blocks,
            buttons,
            footer,
            level: [Level::Quiet, Level::Info, Level::Critical][usize::from(level)],
            ..Message::default()
        })
}

/// Every text in a payload.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

fn units(text: &Value) -> usize {
    text.as_str().unwrap_or_default().encode_utf16().count()
}

/// Neither moves a cursor nor turns the direction of reading.
fn lies_still(text: &str) -> bool {
    !text
        .chars()
        .any(|c| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
}

/// What Slack would refuse or act on.
fn slack_fault(message: &Message) -> Option<String> {
    let drawn = for_slack(message);
    let all = json!(drawn.blocks);
    if drawn.blocks.len() > 50 || units(&json!(all.to_string())) > 13_000 {
        return Some(format!("{} blocks of {} units", drawn.blocks.len(), all.to_string().len()));
    }
    for block in &drawn.blocks {
        let text = &block["text"]["text"];
        let fits = match block["type"].as_str().unwrap_or_default() {
            "section" => (1..=3_000).contains(&units(text)),
            "header" => (1..=150).contains(&units(text)),
            "context" => (1..=10).contains(&block["elements"].as_array().map_or(0, Vec::len)),
            "actions" => block["elements"].as_array().is_some_and(|all| {
                (1..=25).contains(&all.len())
                    && all
                        .iter()
                        .all(|one| (1..=75).contains(&units(&one["text"]["text"])) && units(&one["value"]) <= 2_000)
            }),
            "image" => (1..=2_000).contains(&units(&block["alt_text"])),
            _ => block["type"] == "divider",
        };
        if !fits {
            return Some(format!("{block}"));
        }
        // Markup is read in sections alone.
        if block["type"] == "section" {
            let text = text.as_str().unwrap_or_default();
            let acts = text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or(rest));
            let ours = ["https://example.com/", "@U0ADA", "!date^1700000000^{date_short_pretty} {time}|"];
            if let Some(other) = acts.clone().find(|act| !ours.iter().any(|our| act.starts_with(our))) {
                return Some(format!("acts: {other}"));
            }
            if !lies_still(text) {
                return Some(format!("does not lie still: {text:?}"));
            }
        }
    }
    (drawn.text.contains('<') || drawn.text.trim().is_empty() || !lies_still(&drawn.text)).then_some(drawn.text)
}

/// What Discord would refuse or act on.
fn discord_fault(message: &Message, name: &str) -> Option<String> {
    let drawn = for_discord(name, message);
    let payload = drawn.payload(true);
    let embeds = payload["embeds"].as_array().cloned().unwrap_or_default();
    let mut sum = 0;
    for embed in &embeds {
        let fields = embed["fields"].as_array().cloned().unwrap_or_default();
        let fits = units(&embed["title"]) <= 256
            && units(&embed["description"]) <= 4_096
            && units(&embed["footer"]["text"]) <= 2_048
            && fields.len() <= 25
            && fields
                .iter()
                .all(|f| (1..=256).contains(&units(&f["name"])) && (1..=1_024).contains(&units(&f["value"])));
        if !fits {
            return Some(format!("{embed}"));
        }
        sum += units(&embed["title"]) + units(&embed["description"]) + units(&embed["footer"]["text"]);
        sum += fields.iter().map(|f| units(&f["name"]) + units(&f["value"])).sum::<usize>();
    }
    if !(1..=10).contains(&embeds.len()) || sum > 6_000 {
        return Some(format!("{} embeds of {sum} units", embeds.len()));
    }
    let rings = &payload["allowed_mentions"];
    if rings["parse"] != json!([])
        || rings["users"].as_array().is_some_and(|all| all.iter().any(|u| u != "100000000000000001"))
    {
        return Some(format!("rings: {rings}"));
    }
    let mut all = Vec::new();
    texts(&payload["embeds"], &mut all);
    all.push(&drawn.content);
    let loud = |text: &&&str| {
        text.contains("@everyone")
            || text.contains("@here")
            || text.contains("<@&")
            || text.contains("<@100000000000000002")
            || !lies_still(text)
    };
    all.iter().find(loud).map(|text| format!("{text:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_message_is_refused_rings_or_acts_on_any_platform(message in message(), channel in any::<bool>()) {
        prop_assert_eq!(slack_fault(&message), None);
        prop_assert_eq!(discord_fault(&message, if channel { "plan" } else { "card" }), None);
        let text = message.text();
        let still = lies_still(&text);
        prop_assert!(still, "{:?}", text);
    }
}

/// What the page makes of messages that would do harm: anything but text, its own pictures and links that are links.
const HARM: &str = r"
    const { article } = await import('/console/js/message.js');
    const faults = [];
    for (const [i, message] of given.entries()) {
      const node = article({ id: `law-${i}`, seq: 1, channel: 'deploys', author: 'tidegate', at: null, text: '', message, reactions: {}, edited: 0 }, { grouped: true, replies: [], inThread: true });
      document.querySelector('#channel-roll').append(node);
      for (const e of node.querySelectorAll('*')) {
        const away = e.tagName === 'A' && !/^https:\/\/example\.com\//.test(e.href);
        const foreign = e.tagName === 'IMG' && !e.src.startsWith(location.origin + '/');
        const act = ['SCRIPT', 'IFRAME', 'STYLE', 'OBJECT', 'LINK', 'B', 'I'].includes(e.tagName) || [...e.attributes].some((a) => a.name.startsWith('on'));
        if (away || foreign || act) faults.push(`${i}: ${e.outerHTML.slice(0, 200).toWellFormed()}`);
      }
      node.remove();
    }
    if (window.harmed) faults.push('a script from outside ran');
    return faults;
";

#[test]
fn no_message_acts_on_the_console() {
    let mut runner = TestRunner::deterministic();
    let given: Vec<Message> = (0..60).map(|_| message().new_tree(&mut runner).unwrap().current()).collect();
    let story = Story::begin(&settings());
    let page = Browser::at(&story, "channel=deploys&user=ada");
    let faults = page.js(&format!("return (async (given) => {{ {HARM} }})(arguments[0])"), vec![json!(given)]);
    assert_eq!(faults, json!([]));
}
