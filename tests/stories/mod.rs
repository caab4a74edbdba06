//! The stories, a file per subject.

mod approvals;
mod modes;
mod page;
mod source_database;
mod source_prometheus;
mod watch;
mod bad_input;
mod restarts;
mod tampering;
