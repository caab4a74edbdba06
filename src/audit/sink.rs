//! Where an export goes, piece by piece: whoever reads it sets the pace, and nothing is held but what is on its way.

use axum::body::Bytes;
use tokio::sync::mpsc;

/// Bytes gathered before they are sent on.
const PIECE: usize = 32 * 1024;

/// The writing end.
#[derive(Debug)]
pub struct Sink {
    held: Vec<u8>,
    out: mpsc::Sender<anyhow::Result<Bytes>>,
}

impl Sink {
    /// A sink, and what comes out of it.
    pub fn open() -> (Sink, mpsc::Receiver<anyhow::Result<Bytes>>) {
        let (out, read) = mpsc::channel(4);
        (Sink { held: Vec::with_capacity(PIECE), out }, read)
    }

    pub async fn push(&mut self, bytes: impl AsRef<[u8]>) -> anyhow::Result<()> {
        self.held.extend_from_slice(bytes.as_ref());
        if self.held.len() >= PIECE { self.flush().await } else { Ok(()) }
    }

    pub async fn flush(&mut self) -> anyhow::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let held = std::mem::replace(&mut self.held, Vec::with_capacity(PIECE));
        self.out.send(Ok(Bytes::from(held))).await.map_err(|_| anyhow::anyhow!("whoever read it went away"))
    }

    /// Says that it breaks off here, and why.
    pub async fn fail(self, error: anyhow::Error) {
        // Nobody is left to be told where the reader has gone.
        let _ = self.out.send(Err(error)).await;
    }
}
