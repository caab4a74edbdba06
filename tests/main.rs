//! One test binary: the real program in a pretend world, and stories told in chat language.
//!
//! Every story runs on the engine that `TIDEGATE_TEST_ENGINE` names (`sqlite` or `postgres`); `tests/run` runs the suite
//! on both.

mod harness;
mod stories;
