//! What really happened: deployments, the watch, outcomes.

mod against;
mod alert;
pub mod condition;
mod elsewhere;
mod found;
mod look;
mod outcome;
mod report;
pub mod watch;

pub use crate::webhook::deployments::Report;
pub use alert::{escalate, take_alert};
pub use elsewhere::elsewhere;
pub use found::find;
pub use look::look;
pub use outcome::{propose, settle};
pub use report::{reported, told};
