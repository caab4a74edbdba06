//! The heart: a plan's states and revisions, staleness, amending, taking a window. Transitions are pure.

mod intent;
mod state;

pub use intent::{Kind, Plan, Risk, Setting, When};
pub use state::{State, Transition};
