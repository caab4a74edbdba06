//! Approvals: who may, what counts, when it is enough, what voids it.
