//! A real Unleash server on a throw-away PostgreSQL.

use serde_json::Value;

use super::node::{Node, Program};
use super::postgres::Database;

const PROGRAM: Program = Program {
    name: "unleash",
    package: "unleash-server",
    version: "8.2.0",
    script: include_str!("../data/unleash/start.mjs"),
    variables: &[("NODE_ENV", "production"), ("SEND_TELEMETRY", "false"), ("CHECK_VERSION", "false")],
};
const ADMIN: &str = "*:*.story-admin";

/// A running server.
#[derive(Debug)]
pub struct Unleash {
    pub address: String,
    /// Of an account with the role Viewer.
    pub token: String,
    _server: Node,
}

impl Unleash {
    /// Starts one, where it is installed.
    pub fn start() -> Option<Unleash> {
        let server = PROGRAM.start(|port| vec![Database::new().url, port.to_string(), ADMIN.to_owned()])?;
        Some(Unleash { address: server.address.clone(), token: server.said.clone(), _server: server })
    }

    /// Asks the admin API as somebody who may do everything; the answer's status and body.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.asks(ADMIN, method, path, body).await
    }

    pub async fn asks(&self, token: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let client = reqwest::Client::new();
        let request = client.request(method.parse().unwrap(), format!("{}/api/admin/{path}", self.address));
        let answer = request.header("authorization", token).json(&body).send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.text().await.unwrap();
        (status, serde_json::from_str(&body).unwrap_or_default())
    }
}
