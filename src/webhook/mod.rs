//! What other systems tell us: a file per sender.

pub mod deployments;
pub mod signature;
