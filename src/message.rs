//! Platform-neutral messages.
