//! One test binary: the real program in a pretend world, and stories told in chat language.
//!
//! Every story runs on the engine that `TIDEGATE_TEST_ENGINE` names (`sqlite` or `postgres`); `tests/run` runs the suite
//! on both.

// A test may give up with a panic and start programs: the lints that forbid both are the product's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::print_stderr)]

mod corpus;
mod harness;
mod stories;
