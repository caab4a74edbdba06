//! The heart: a plan's states and revisions, staleness, amending, taking a window. Transitions are pure.

mod advise;
pub mod brief;
pub mod condition;
pub mod deadline;
mod due;
pub mod history;
mod intent;
pub mod material;
pub mod overriding;
pub mod second_step;
pub mod shape;
pub mod show;
mod state;
mod ticket;
pub mod view;
pub mod word;

pub use advise::{advise, void};
pub use due::{expire, remind};
pub use intent::{Kind, Plan, Risk, Setting, When};
pub use state::{State, Transition};
pub use ticket::{is_key, ticket, tickets};
