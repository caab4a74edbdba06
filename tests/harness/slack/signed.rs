//! The second way in: requests to the program, signed as Slack signs them.
//! <https://docs.slack.dev/authentication/verifying-requests-from-slack>

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::SIGNING_SECRET;
use crate::harness::Story;

/// A request before it is sent; a story may spoil any part of it.
#[derive(Clone, Debug)]
pub struct Signed {
    pub path: &'static str,
    pub kind: &'static str,
    /// Seconds since 1970.
    pub timestamp: i64,
    pub signature: String,
    pub body: String,
}

impl Signed {
    /// A form as a slash command sends it.
    pub fn command(payload: &serde_json::Value, timestamp: i64) -> Signed {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in payload.as_object().unwrap() {
            form.append_pair(name, value.as_str().unwrap());
        }
        Signed::new("/slack/commands", "application/x-www-form-urlencoded", form.finish(), timestamp)
    }

    pub fn event(payload: &serde_json::Value, timestamp: i64) -> Signed {
        Signed::new("/slack/events", "application/json", payload.to_string(), timestamp)
    }

    fn new(path: &'static str, kind: &'static str, body: String, timestamp: i64) -> Signed {
        let signature = signature(SIGNING_SECRET, timestamp, &body);
        Signed { path, kind, timestamp, signature, body }
    }

    /// The status and the body of the answer.
    pub fn sent(&self, story: &Story) -> (u16, String) {
        tidegate::http::provide_tls();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = tidegate::http::trusted(Duration::from_secs(20)).unwrap();
            let request = client
                .post(format!("{}{}", story.address, self.path))
                .header("content-type", self.kind)
                .header("x-slack-request-timestamp", self.timestamp.to_string())
                .header("x-slack-signature", &self.signature)
                .body(self.body.clone());
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }
}

pub fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{timestamp}:{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v0={hex}")
}
