//! What is said about the record: its checkpoints on their way out, and places that do not take them.

use crate::ledger::SignedCheckpoint;
use crate::message::{Block, Line, Mark, Message, tame};

/// A checkpoint, for the channel that keeps copies.
pub fn checkpoint(signed: &SignedCheckpoint) -> Message {
    let size = signed.checkpoint.size;
    let entries = if size == 1 { "1 entry".to_owned() } else { format!("{size} entries") };
    let says = format!(
        "The record has {entries}. Keep this: if one of them is ever changed, taken out or dated back, the record no longer fits it."
    );
    Message {
        blocks: vec![
            Block::Line(Line::marked(Mark::Info, says)),
            Block::Code { says: String::new(), text: signed.note.clone() },
        ],
        ..Message::default()
    }
}

/// A place has taken no checkpoint for an hour.
pub fn witness_fails(name: &str, why: &str) -> Message {
    let says = format!(
        "Copies of the record's checkpoints have not reached `{}` for an hour: {}. Everything else goes on, and it is tried again; until then fewer places can tell whether the record was changed.",
        tame(name, 60),
        tame(why, 200)
    );
    Message::line(Mark::Caution, says)
}

/// It takes them again.
pub fn witness_again(name: &str) -> Message {
    let says = format!("Copies of the record's checkpoints reach `{}` again.", tame(name, 60));
    Message::line(Mark::Pass, says)
}
