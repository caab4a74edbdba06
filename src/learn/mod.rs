//! What the organisation's own past says: likeness between changes, and rates.

mod likeness;

pub use likeness::{likeness, most_alike};
