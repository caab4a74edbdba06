//! Slash commands: their specs (`commands/*.toml`), their arguments, and a file for each.
//!
//! Adding a command: one spec, one file here, one line in [`ALL`] and one in [`run`].

pub mod arguments;
pub mod spec;
pub mod time;

pub use arguments::{Arguments, BadCommand, parse};
pub use spec::{ALL, Argument, ArgumentKind, Spec};
