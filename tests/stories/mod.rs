//! The stories, a file per subject.

mod approvals;
mod page;
mod watch;
