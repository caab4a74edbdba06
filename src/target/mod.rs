//! What a command or a shell aims at, and whether that is where the plan goes.
//!
//! Two questions are answered here, both purely. What do the commands in a plan aim at ([`read`], [`judge`])? What does
//! the shell that somebody is about to type them into aim at ([`look`], [`compare`])? Both are held against the
//! [`Target`]s of the settings. A new tool is an entry in `tools`, a new kind of coordinate an entry in `axis`.

mod aim;
mod ambient;
mod axis;
mod compare;
mod expand;
mod judge;
mod name;
mod paste;
mod read;
mod shell;
mod state;
mod tools;

#[cfg(test)]
mod tests;

pub use aim::{Aim, By, Effect, Named, Trouble, Value};
pub(crate) use ambient::yaml;
pub use ambient::{Ambient, KubeContext, Seen, kube_contexts, look};
pub use axis::{Axis, Target, Values};
pub use compare::{Difference, DifferenceKind, agrees, compare, concerns};
pub use judge::{Finding, Verdict, judge};
pub use read::read;
