//! Approvals: who may, what counts, when it is enough, what voids it. Pure; the store keeps the words.

pub mod condition;
pub mod deadline;
pub mod deputy;
pub mod overriding;
mod review;
pub mod role;
pub mod second_step;
mod tally;
mod word;

pub use review::may_review;
pub use tally::{Tally, tally};
pub use word::{
    Duty, Refusal, Speaker, Word, WordKind, is_author, may_speak, may_speak_also_for, member, on_call_at, somebody_else,
};
