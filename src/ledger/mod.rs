//! The record: canonical entries, chain and tree, checkpoints, verification, export.
