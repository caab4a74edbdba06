//! Who asks others to wait, and who waits: locks, freezes that live in Tidegate, queues, and people who want to hear when
//! something is free again. Nothing here stops anybody by itself: the checks `coordination.lock` and `timing.freeze` see
//! locks and freezes as facts, and the policy says what follows.
//!
//! What runs out or begins by itself is looked at by one piece of due work, [`due`], which reconciles whatever is stored.

mod act;
mod due;
mod freeze;
mod lock;
mod now;
mod queue;
mod scope;
mod tell;
mod wish;

pub use act::{Taking, add_freeze, lift_freeze, lock, unlock};
pub use due::due;
pub use freeze::{Except, Freeze};
pub use lock::{End, Lock, has_left, length};
pub use now::{as_of, gather, has_gone, is_said, put, renewed};
pub use queue::{line, stands_in_line};
pub use scope::{NoScope, Scope};
pub use wish::{is_held, is_held_now, stir, wish};
