//! The stories, a file per subject.

mod approvals;
mod bad_input;
mod restarts;
mod tampering;
