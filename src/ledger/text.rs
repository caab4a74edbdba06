//! Free text beside the chain: the entry holds only the hash of a salt and the text, so that the text can be erased
//! without breaking anything, and cannot be exchanged while it is there.

use sha2::{Digest, Sha256};

use super::hash::{Hash, hex, unhex};

/// Bytes of one free text at most.
pub const MAX_TEXT: usize = 64 * 1024;

/// 32 random bytes, so that a short text cannot be guessed from its hash. Erased together with the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

/// One free text of an entry, for the table beside the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub name: String,
    pub salt: Salt,
    pub body: String,
}

/// What the table beside the ledger, or an export, has for one text of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredText {
    pub name: String,
    /// Salt in hexadecimal and text; `None` once erased.
    pub kept: Option<(String, String)>,
}

impl Salt {
    pub fn hex(self) -> String {
        hex(&self.0)
    }
}

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(…)")
    }
}

impl Text {
    /// SHA-256 of the salt's 32 bytes followed by the text in UTF-8.
    pub fn commitment(&self) -> Hash {
        commit(&self.salt.0, &self.body)
    }

    pub fn stored(&self) -> StoredText {
        StoredText { name: self.name.clone(), kept: Some((self.salt.hex(), self.body.clone())) }
    }
}

impl StoredText {
    /// Whether a text that is still there is the one that was committed to. An erased one says nothing.
    pub fn matches(&self, commitment: Hash) -> bool {
        self.kept.as_ref().is_none_or(|(salt, body)| {
            unhex(salt).is_some_and(|salt| salt.len() == 32 && commit(&salt, body) == commitment)
        })
    }
}

fn commit(salt: &[u8], body: &str) -> Hash {
    Hash(Sha256::new().chain_update(salt).chain_update(body).finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_bound_to_its_commitment_until_it_is_erased() {
        let text = Text { name: "why".to_owned(), salt: Salt([7; 32]), body: "PAY-481".to_owned() };
        let mut stored = text.stored();
        assert!(stored.matches(text.commitment()));
        stored.kept.as_mut().unwrap().1.push('!');
        assert!(!stored.matches(text.commitment()));
        stored.kept = Some((String::new(), "PAY-481".to_owned()));
        assert!(!stored.matches(text.commitment()));
        stored.kept = None;
        assert!(stored.matches(text.commitment()));
    }
}
