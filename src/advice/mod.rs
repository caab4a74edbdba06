//! The advice: a pure function from a plan and its facts to flags, a score, windows and mitigations.
pub mod facts;
