//! The sample company that `tidegate try` runs on, as far as it is made at start.

pub mod repository;
