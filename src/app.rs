//! What is built once, and the current settings.
