//! The pretend Slack refuses what Slack would refuse, and tells things in Slack's own shapes.

use serde_json::{Value, json};

use super::world::{BOT, HOME, Message};
use super::{Slack, contract};

#[test]
fn a_request_with_a_wrong_field_is_refused() {
    let fine = json!({ "channel": HOME, "text": "x", "blocks": [{ "type": "divider" }] });
    assert_eq!(contract::wrong("chat.postMessage", "POST", true, &fine), Vec::<String>::new());
    for (change, says) in [
        (json!({ "chanel": "C1" }), "no argument `chanel`"),
        (json!({ "channel": null }), "`channel` is missing"),
        (json!({ "channel": 7 }), "`channel` is 7"),
        (json!({ "blocks": [{ "type": "header", "text": { "type": "mrkdwn", "text": "x" } }] }), "only plain_text"),
        (json!({ "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(3_001) } }] }), "3001"),
        (json!({ "blocks": vec![json!({ "type": "divider" }); 51] }), "51 blocks"),
        (json!({ "blocks": [{ "type": "table" }] }), "is a \"table\""),
        (json!({ "metadata": { "event_type": "t", "event_payload": { "n": 1 } } }), "no string"),
    ] {
        let mut request = fine.clone();
        request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let wrong = contract::wrong("chat.postMessage", "POST", true, &request).join("; ");
        assert!(wrong.contains(says), "{change}: {wrong}");
    }
    assert!(!contract::wrong("reactions.get", "POST", false, &json!({})).is_empty());
    assert!(!contract::wrong("users.info", "GET", true, &json!({ "user": "U1" })).is_empty());
    assert!(!contract::wrong("chat.shout", "POST", true, &json!({})).is_empty());
}

/// Every key that is sent stands in the vendor's sample, where the sample says what may stand there.
#[test]
fn what_is_told_has_the_shape_of_the_vendors_samples() {
    let slack = Slack::open();
    let ts = {
        let mut world = slack.shared.world();
        let (ts, seq) = (world.ts(), world.next());
        let button = json!({ "type": "button", "action_id": "press:0", "value": "v",
            "text": { "type": "plain_text", "text": "Go", "emoji": false } });
        let message = Message {
            ts: ts.clone(),
            channel: HOME.to_owned(),
            thread: None,
            author: BOT.to_owned(),
            text: "x".to_owned(),
            blocks: vec![json!({ "type": "actions", "elements": [button] })],
            metadata: Value::Null,
            only_for: None,
            reactions: Vec::new(),
            broadcast: false,
            edited: 0,
            seq,
        };
        world.messages.insert(ts.clone(), message);
        ts
    };
    let sent = |act: &dyn Fn()| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let id = slack.shared.until("an envelope", |world| world.unacked.last().map(|(id, _)| id.clone()));
                slack.shared.world().acks.insert(id, Value::Null);
                slack.shared.tell();
            });
            act();
        });
        slack.shared.world().unacked.pop().unwrap().1["payload"].clone()
    };
    let command = slack.command_payload("ada", "/deploy plan");
    within(&command, include_str!("../../data/slack/payloads/SlashCommandPayload.json"));
    let added = sent(&|| slack.react("ada", &ts, "eyes", false));
    within(&added, include_str!("../../data/slack/payloads/ReactionAddedPayload.json"));
    let removed = sent(&|| slack.react("ada", &ts, "eyes", true));
    within(&removed, include_str!("../../data/slack/payloads/ReactionRemovedPayload.json"));
    let pressed = sent(&|| assert!(slack.press("ada", &ts, "v")));
    within(&pressed, include_str!("../../data/slack/payloads/BlockActionPayload.json"));
}

fn within(sent: &Value, sample: &str) {
    fn strange(sent: &Value, sample: &Value, at: &str, out: &mut Vec<String>) {
        match (sent, sample) {
            (Value::Object(sent), Value::Object(sample)) => {
                for (key, value) in sent {
                    match sample.get(key) {
                        Some(known) => strange(value, known, &format!("{at}.{key}"), out),
                        // The sample leaves the message's inside out.
                        None if at.ends_with(".message") => {}
                        None => out.push(format!("{at}.{key}")),
                    }
                }
            }
            (Value::Array(sent), Value::Array(sample)) => {
                for (one, known) in sent.iter().zip(sample) {
                    strange(one, known, &format!("{at}[]"), out);
                }
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    strange(sent, &serde_json::from_str(sample).unwrap(), "", &mut out);
    assert_eq!(out, Vec::<String>::new(), "keys that the vendor's sample does not have");
}
