//! Slash commands: their specs, their arguments, and a file for each.
