//! Questions, and the systems that can answer them.
