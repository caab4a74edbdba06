//! Socket Mode: lines to the program, envelopes on them, acknowledgements back.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::Shared;
use super::world::{APP, World};

/// One connection of the program's.
#[derive(Debug)]
pub struct Line {
    number: u64,
    out: UnboundedSender<Out>,
}

#[derive(Debug)]
enum Out {
    Say(String),
    Cut,
}

impl World {
    /// Sends an envelope on one of the lines; it stays until somebody acknowledges it.
    pub fn send(&mut self, kind: &str, payload: Value) -> String {
        let id = format!("envelope-{}", self.next());
        let accepts = kind != "events_api";
        let envelope =
            json!({ "envelope_id": id, "type": kind, "accepts_response_payload": accepts, "payload": payload });
        self.unacked.push((id.clone(), envelope.clone()));
        self.deliver(&envelope);
        if self.twice {
            self.deliver(&envelope);
        }
        id
    }

    /// Tells what was kept back, the last first.
    pub fn release(&mut self) {
        for envelope in self.held.take().into_iter().flatten().rev() {
            self.deliver(&envelope);
        }
    }

    fn deliver(&mut self, envelope: &Value) {
        if let Some(held) = &mut self.held {
            return held.push(envelope.clone());
        }
        let number = self.next();
        let Some(line) = self.lines.get(usize::try_from(number).unwrap_or(0) % self.lines.len().max(1)) else { return };
        let _ = line.out.send(Out::Say(envelope.to_string()));
        if std::mem::take(&mut self.cut_next) {
            let _ = line.out.send(Out::Cut);
        }
    }

    /// Cuts every line without a word.
    pub fn cut(&mut self) {
        for line in self.lines.drain(..) {
            let _ = line.out.send(Out::Cut);
        }
    }
}

/// Takes connections until the runtime ends.
pub async fn listen(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
            connection(socket, &shared).await;
        });
    }
}

async fn connection(mut socket: WebSocketStream<tokio::net::TcpStream>, shared: &Shared) {
    let hello = json!({ "type": "hello", "num_connections": 1, "connection_info": { "app_id": APP },
        "debug_info": { "host": "applink-story", "build_number": 1, "approximate_connection_time": 18_060 } });
    if socket.send(Frame::Text(hello.to_string())).await.is_err() {
        return;
    }
    let (out, mut from): (_, UnboundedReceiver<Out>) = unbounded_channel();
    let number = {
        let mut world = shared.world();
        let number = world.next();
        world.lines.push(Line { number, out: out.clone() });
        // What was never acknowledged is sent again, as Slack does.
        for (_, envelope) in &world.unacked {
            let _ = out.send(Out::Say(envelope.to_string()));
        }
        number
    };
    shared.tell();
    loop {
        tokio::select! {
            said = from.recv() => match said {
                Some(Out::Say(text)) => {
                    if socket.send(Frame::Text(text)).await.is_err() {
                        break;
                    }
                }
                Some(Out::Cut) | None => break,
            },
            frame = socket.next() => match frame {
                Some(Ok(Frame::Text(text))) => {
                    let ack: Value = serde_json::from_str(&text).unwrap_or_default();
                    let id = ack["envelope_id"].as_str().unwrap_or_default().to_owned();
                    let mut world = shared.world();
                    if world.unacked.iter().any(|(known, _)| *known == id) || world.acks.contains_key(&id) {
                        world.unacked.retain(|(known, _)| *known != id);
                        world.acks.insert(id, ack["payload"].clone());
                    } else {
                        world.violated(format!("an acknowledgement of nothing: {text}"));
                    }
                    drop(world);
                    shared.tell();
                }
                Some(Ok(Frame::Ping(data))) => drop(socket.send(Frame::Pong(data)).await),
                Some(Ok(Frame::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    shared.world().lines.retain(|line| line.number != number);
    shared.tell();
}
