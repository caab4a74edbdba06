//! What a command or a shell aims at, and whether that is where the plan goes.
