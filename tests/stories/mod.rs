//! The stories, a file per subject.

mod answers;
mod approvals;
mod bad_input;
mod brief;
mod confirm;
mod contested;
mod discord;
mod enforced;
mod forms;
mod gate;
mod migrations;
mod modes;
mod page;
mod people;
mod restarts;
mod sign_in;
mod silence;
mod slack;
mod slack_people;
mod sources;
mod stale;
mod start;
mod tampering;
mod templates;
mod timing;
mod watch;
