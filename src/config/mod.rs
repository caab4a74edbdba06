//! Settings: a file per section.
