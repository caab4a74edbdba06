//! The record: canonical entries, chain and tree, checkpoints, verification, export.

/// `sha256:` and the hash in hex.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(bytes);
    digest.iter().fold("sha256:".to_owned(), |mut out, byte| {
        use std::fmt::Write;
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
