//! What auditors read, and what they ask for afterwards.
//!
//! A [`Case`] is everything that the ledger says of one change, read from its entries alone; a [`Report`] finds what is
//! incomplete among all cases of a period; a pack prints them with every entry and its proof. What is owed after an
//! incident, an override or a deployment without a plan are [`Obligation`]s. [`rules`] keeps who put which rules in
//! force. Everything streams: memory does not grow with the period.

mod case;
mod cause;
pub mod export;
pub mod html;
mod obligation;
mod pack;
mod paper;
mod period;
mod projection;
mod proofs;
mod report;
pub mod rules;
mod sink;
mod story;
pub mod table;

pub use case::{Act, Case, Deployed, Finding, Given};
pub use cause::{Cause, cause_of, may_oblige};
pub use obligation::{Giving, Obligation, give, owe, remind};
pub use period::{Period, Wanted};
pub use projection::compare;
pub use report::{Cases, Change, Due, Found, Noted, Report, of_plan, report};
pub use sink::Sink;
pub use story::story;
