//! Socket Mode: nothing needs to be reachable from outside. The library keeps two connections a workspace and opens them
//! again for ever; we read its frames as they come, so that an envelope is acknowledged when it is stored and not before.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use serde_json::{Value, json};
use slack_morphism::clients_manager::{SlackSocketModeClientsManager, SlackSocketModeClientsManagerFactory};
use slack_morphism::listener::SlackClientEventsListenerEnvironment;
use slack_morphism::{
    SlackClientSocketModeConfig, SlackSocketModeClientListener, SlackSocketModeWssClientId as Connection,
};

use super::{Slack, Wire};
use crate::app::App;

type Manager = dyn SlackSocketModeClientsManager + Send + Sync;

/// Connections, closed when they are no longer held.
pub struct Sockets(Vec<Arc<Manager>>);

impl Drop for Sockets {
    fn drop(&mut self) {
        for manager in self.0.drain(..) {
            tokio::spawn(async move { manager.shutdown().await });
        }
    }
}

/// Connects every workspace that has an app token.
pub async fn open(slack: &Slack, app: &App) -> Sockets {
    let mut sockets = Sockets(Vec::new());
    for workspace in &slack.workspaces {
        let Some(token) = &workspace.app_token else { continue };
        let (connector, client) = slack.api.for_sockets();
        let environment = Arc::new(SlackClientEventsListenerEnvironment::new(client));
        let manager: Arc<Manager> = connector.new_clients_manager(environment);
        let ear = Arc::new(Ear { app: app.clone(), team: workspace.team.clone(), manager: OnceLock::new() });
        // Set once, right here.
        let _ = ear.manager.set(Arc::downgrade(&manager));
        let config = SlackClientSocketModeConfig {
            max_connections_count: 2,
            initial_backoff_in_seconds: 1,
            reconnect_timeout_in_seconds: 3,
            ..SlackClientSocketModeConfig::new()
        };
        // The library fails here never; it tries again by itself.
        if manager.register_new_token(&config, token.clone(), ear).await.is_err() {
            tracing::error!(slack.team = workspace.team, "Socket Mode could not be set up");
            continue;
        }
        manager.start().await;
        sockets.0.push(manager);
    }
    sockets
}

struct Ear {
    app: App,
    team: String,
    manager: OnceLock<Weak<Manager>>,
}

impl Ear {
    fn manager(&self) -> Option<Arc<Manager>> {
        self.manager.get()?.upgrade()
    }

    async fn take(&self, wire: Wire, frame: &Value) -> anyhow::Result<Option<Value>> {
        match Slack::of(&self.app) {
            Some(slack) => slack.take(&self.app, wire, &frame["payload"]).await,
            None => anyhow::bail!("Slack is not set up"),
        }
    }
}

#[async_trait]
impl SlackSocketModeClientListener for Ear {
    /// Returns the acknowledgement. None: Slack sends it again, to this connection or another.
    async fn on_message(&self, connection: &Connection, frame: String) -> Option<String> {
        let Ok(frame) = serde_json::from_str::<Value>(&frame) else {
            tracing::warn!(slack.team = self.team, "a frame does not read");
            return None;
        };
        let wire = match frame["type"].as_str().unwrap_or_default() {
            "events_api" => Some(Wire::Event),
            "slash_commands" => Some(Wire::Command),
            "interactive" => Some(Wire::Interaction),
            "hello" => {
                tracing::info!(slack.team = self.team, "connected to Slack");
                None
            }
            "disconnect" => {
                // Slack takes a connection away every few hours; the other one goes on meanwhile.
                if let Some(manager) = self.manager() {
                    manager.restart_client(connection).await;
                }
                None
            }
            _ => None,
        };
        let envelope = frame["envelope_id"].as_str()?;
        let answer = match wire {
            Some(wire) => match self.take(wire, &frame).await {
                Ok(answer) => answer,
                Err(error) => {
                    tracing::error!(slack.team = self.team, error = format!("{error:#}"), "could not be stored");
                    return None;
                }
            },
            None => None,
        };
        let mut acknowledged = json!({ "envelope_id": envelope });
        if let Some(answer) = answer {
            acknowledged["payload"] = answer;
        }
        Some(acknowledged.to_string())
    }

    async fn on_error(&self, _: Box<dyn std::error::Error + Send + Sync>) {
        // What it says may hold what people wrote.
        tracing::warn!(slack.team = self.team, "a connection to Slack failed; it is opened again");
    }

    async fn on_disconnect(&self, connection: &Connection) {
        tracing::info!(slack.team = self.team, "a connection to Slack ended; it is opened again");
        if let Some(manager) = self.manager() {
            manager.restart_client(connection).await;
        }
    }
}
