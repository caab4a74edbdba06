//! The only teller of time.
