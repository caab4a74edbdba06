//! Whatever the message, Discord takes it, and nothing in it rings or renders.

use proptest::prelude::*;

use super::*;
use crate::message::{Button, ButtonStyle, Line, Span, Style};
use crate::name::Person;

fn hostile() -> impl Strategy<Value = String> {
    let bits = prop_oneof![
        Just("@everyone ".to_owned()),
        Just("<@100> <@&5> <#7> <t:1:R> </deploy:1> ".to_owned()),
        Just("[x](https://evil.example) https://evil.example ".to_owned()),
        Just("```".to_owned()),
        Just("**__~~||`".to_owned()),
        Just("\n# head\n> quote\n- item\n".to_owned()),
        Just("\u{202e}\u{200b}\u{0}\u{7}\u{feff}".to_owned()),
        Just("שלום 🚀👩‍👩‍👧 é".to_owned()),
        Just("x".repeat(2_500)),
        Just("*".repeat(900)),
        "\\PC{0,60}",
        ".{0,30}",
    ];
    prop::collection::vec(bits, 0..4).prop_map(|bits| bits.concat())
}

fn line() -> impl Strategy<Value = Line> {
    let span = (hostile(), 0..6u8).prop_map(|(text, how)| match how {
        0 => Span::strong(text),
        1 => Span::code(text),
        2 => Span::quiet(text),
        3 => Span::linked(text.clone(), &format!("https://example.com/{text}")),
        4 => Span { text, person: Some(Person::new("ada")), style: Style::Plain, ..Span::default() },
        _ => Span::plain(text),
    });
    prop::collection::vec(span, 0..4).prop_map(|spans| Line { mark: Some(Mark::Info), spans, code: None })
}

fn block() -> impl Strategy<Value = Block> {
    prop_oneof![
        (hostile(), hostile()).prop_map(|(text, context)| Block::Title { text, context }),
        line().prop_map(Block::Line),
        (hostile(), prop::collection::vec(line(), 0..40), any::<bool>())
            .prop_map(|(says, lines, folded)| Block::List { says, lines, folded }),
        prop::collection::vec((hostile(), hostile()), 0..30).prop_map(|pairs| Block::Facts { pairs }),
        hostile().prop_map(|text| Block::Quote { text }),
        (hostile(), hostile()).prop_map(|(says, text)| Block::Code { says, text }),
        hostile().prop_map(|alt| Block::Picture { light: "/pictures/a.svg".into(), dark: "b".into(), alt }),
        Just(Block::Divider),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let button = (hostile(), hostile()).prop_map(|(id, says)| Button { id, says, style: ButtonStyle::Plain });
    (prop::collection::vec(block(), 0..14), prop::collection::vec(button, 0..30), prop::option::of(hostile()), 0..3u8)
        .prop_map(|(blocks, buttons, footer, level)| Message {
            blocks,
            buttons,
            footer,
            level: [Level::Quiet, Level::Caution, Level::Critical][usize::from(level)],
            ..Message::default()
        })
}

fn text_of<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// What Discord would refuse.
fn assert_taken(payload: &Value) {
    let embeds = payload["embeds"].as_array().unwrap();
    assert!((1..=10).contains(&embeds.len()));
    let mut all = 0;
    for embed in embeds {
        assert!(length(text_of(embed, "title")) <= 256);
        assert!(length(text_of(embed, "description")) <= 4_096);
        assert!(length(text_of(&embed["footer"], "text")) <= 2_048);
        all += length(text_of(embed, "title")) + length(text_of(embed, "description"));
        all += length(text_of(&embed["footer"], "text"));
        let none = Vec::new();
        let fields = embed["fields"].as_array().unwrap_or(&none);
        assert!(fields.len() <= 25);
        for field in fields {
            let (name, value) = (text_of(field, "name"), text_of(field, "value"));
            assert!(!name.trim().is_empty() && length(name) <= 256);
            assert!(!value.trim().is_empty() && length(value) <= 1_024);
            all += length(name) + length(value);
        }
        assert!(
            embed["title"].is_string()
                || embed["description"].is_string()
                || !fields.is_empty()
                || embed["image"].is_object()
        );
    }
    assert!(all <= 6_000, "{all}");
    let rows = payload["components"].as_array().unwrap();
    assert!(rows.len() <= 5);
    let mut ids = Vec::new();
    for row in rows {
        let buttons = row["components"].as_array().unwrap();
        assert!((1..=5).contains(&buttons.len()));
        for button in buttons {
            let (id, label) = (text_of(button, "custom_id"), text_of(button, "label"));
            assert!(!id.is_empty() && length(id) <= 100);
            assert!(!label.is_empty() && length(label) <= 80);
            assert!(!ids.contains(&id.to_owned()));
            ids.push(id.to_owned());
        }
    }
    for attachment in payload["attachments"].as_array().unwrap() {
        assert!(length(text_of(attachment, "description")) <= 1_024);
    }
}

/// What is left of a text when all that is escaped or code is taken away.
fn live(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    let mut code = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' if !code => drop(chars.next()),
            '`' => code = !code,
            c if !code => out.push(c),
            _ => {}
        }
    }
    // Where a link of ours leads is ours.
    while let Some((before, rest)) = out.split_once("](<") {
        out = format!("{before}{}", rest.split_once(">)").map_or("", |(_, after)| after));
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_message_is_taken_and_nothing_in_it_rings(message in message(), thread in any::<bool>()) {
        let place = if thread { Place::Thread } else { Place::Channel };
        let users = Users::from([(Person::new("ada"), "4242".to_owned())]);
        let rendered = render(&message, place, &users);
        let payload = rendered.payload(true);
        assert_taken(&payload);
        assert_taken(&rendered.payload(false));
        prop_assert_eq!(&payload["allowed_mentions"]["parse"], &json!([]));
        for embed in &rendered.embeds {
            let shown = embed.to_string();
            prop_assert!(!shown.contains("@everyone"));
            for text in [text_of(embed, "description"), text_of(embed, "title")] {
                prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
                let turned = text.contains('\u{202e}');
                prop_assert!(!turned);
                let live = live(text).replace("<@4242>", "");
                prop_assert!(!live.contains("<@") && !live.contains("<#") && !live.contains("<t:"), "{}", live);
                prop_assert!(!live.contains("evil.example") || !live.contains("https://evil"), "{}", live);
            }
        }
    }
}

#[test]
fn a_long_list_in_the_channel_says_where_all_of_it_is() {
    let lines = (0..200).map(|i| Line::plain(format!("check {i} says {}", "something ".repeat(8)))).collect();
    let last = Block::Line(Line::plain("Approvals 0 of 2"));
    let blocks = vec![Block::List { says: "Checks".into(), lines, folded: false }, last];
    let message = Message { blocks, ..Message::default() };
    let rendered = render(&message, Place::Channel, &Users::new());
    let text: String = rendered.embeds.iter().map(|embed| text_of(embed, "description")).collect();
    assert!(text.contains("more; all of it in the thread."), "{text}");
    assert!(text.ends_with("Approvals 0 of 2"));
    assert_eq!(rendered.whole, None);
    let thread = render(&message, Place::Thread, &Users::new());
    assert!(thread.whole.unwrap().contains("check 199"));
}

#[test]
fn only_a_message_that_wants_a_word_rings() {
    let users = Users::from([(Person::new("ada"), "4242".to_owned())]);
    let said = |mark| Message::spans(Some(mark), vec![Span::person(&Person::new("ada")), Span::plain(" did it")]);
    assert_eq!(render(&said(Mark::Approve), Place::Thread, &users).rings, Vec::<String>::new());
    let asked = render(&said(Mark::Caution), Place::Thread, &users);
    assert_eq!((asked.rings.as_slice(), asked.content.as_str()), (["4242".to_owned()].as_slice(), "<@4242>"));
}
