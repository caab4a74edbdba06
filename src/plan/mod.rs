//! The heart: a plan's states and revisions, staleness, amending, taking a window.
