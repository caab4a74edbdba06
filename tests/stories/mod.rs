//! The stories, a file per subject.

mod approvals;
mod confirm;
mod contested;
mod enforced;
mod forms;
mod gate;
mod brief;
mod modes;
mod page;
mod people;
mod source_database;
mod source_prometheus;
mod stale;
mod start;
mod watch;
mod bad_input;
mod restarts;
mod silence;
mod tampering;
mod timing;
