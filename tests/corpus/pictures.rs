//! The pictures in docs/slack.md and docs/discord.md: payloads of the corpus, drawn by a page of our own, since the
//! platforms cannot be reached from here. `TIDEGATE_REGENERATE=1 cargo test --test main corpus::pictures` draws them anew.

use base64::Engine;
use serde_json::{Value, json};

use super::small_png::small;
use super::{for_discord, for_slack, messages, root};
use crate::harness::browser::{Browser, Device};
use crate::harness::{Story, settings};

/// A picture's name, and the messages on it: first what stands in the channel, then its thread.
const PICTURES: &[(&str, &[&str])] =
    &[("brief", &["plan-checkout", "window-strip"]), ("card", &["card"]), ("alert", &["alert"])];
const LARGEST: usize = 150_000;

#[test]
fn every_payload_of_the_corpus_can_be_drawn_and_those_of_the_documents_are() {
    let story = Story::begin(&settings());
    let page = Browser::open(Device::Sheet);
    let all = messages();
    let draw = |platform: &str, names: &[&str]| {
        page.goes_to(&story, "channel=deploys&user=ada");
        let posts: Vec<Value> = names.iter().enumerate().map(|(at, name)| post(platform, name, at > 0)).collect();
        let names = json!({
            "U0ADA": "ada", "U0LIN": "lin", "U0RAE": "rae",
            "100000000000000001": "ada", "100000000000000002": "lin", "100000000000000003": "rae",
        });
        let given = json!({ "platform": platform, "posts": posts, "names": names, "css": include_str!("preview.css") });
        let script = format!("return (async (given) => {{ {} }})(arguments[0])", include_str!("preview.js"));
        assert_eq!(page.js(&script, vec![given]), json!([]), "{platform} {names:?}");
    };
    for platform in ["slack", "discord"] {
        draw(platform, &all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
        for (name, shown) in PICTURES {
            draw(platform, shown);
            let png = small(&page.picture_of("#sheet"));
            let file = format!("{platform}-{name}.png");
            assert!(png.len() < LARGEST, "{file} has {} bytes", png.len());
            let kept = root().join("docs/pictures").join(&file);
            // What it looks like differs with a machine's fonts, so that only its being there is compared.
            if std::env::var_os("TIDEGATE_REGENERATE").is_some() {
                std::fs::write(&kept, png).unwrap();
            }
            let size = std::fs::metadata(&kept).unwrap_or_else(|why| panic!("docs/pictures/{file}: {why}")).len();
            assert!(size < LARGEST as u64, "docs/pictures/{file} has {size} bytes");
        }
    }
}

/// What is sent of a message, and the file of its picture.
fn post(platform: &str, name: &str, thread: bool) -> Value {
    let (_, message) = messages().into_iter().find(|(known, _)| known == name).unwrap();
    let payload = match platform {
        "slack" => json!({ "blocks": for_slack(&message).blocks }),
        _ => for_discord(name, &message).payload(true),
    };
    let blocks = json!(message.blocks);
    let light = blocks.as_array().into_iter().flatten().find_map(|block| block["light"].as_str());
    let picture = light.map(|light| {
        // Discord is sent the dark one.
        let file = if platform == "discord" { light.replace(".svg", ".dark.svg") } else { light.to_owned() };
        let file = root().join("tests/data/messages").join(file.trim_start_matches('/'));
        // Every other picture of the corpus has the place of one, and no file.
        let svg = std::fs::read(file).unwrap_or_else(|_| NONE.as_bytes().to_vec());
        format!("data:image/svg+xml;base64,{}", base64::engine::general_purpose::STANDARD.encode(svg))
    });
    json!({ "payload": payload, "picture": picture, "reactions": message.reactions, "thread": thread })
}

const NONE: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"20\"/>";
