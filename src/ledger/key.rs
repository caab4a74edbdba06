//! The keys that sign checkpoints: Ed25519, written as C2SP signed notes write them.
//!
//! A key belongs to a ledger, not to one of its epochs: the public key printed for epoch 1 is good for epoch 2.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use super::entry::{Actor, Entry, Record};
use super::head::{NotAnOrigin, Origin};
use super::kind::Kind;
use crate::clock::Time;

/// The byte that says Ed25519 in a C2SP key. Others are refused by name, so that a later one cannot be mistaken.
pub const ED25519: u8 = 1;

/// The key that signs; it lives in a file outside the database and is never shown.
#[derive(Clone)]
pub struct SecretKey {
    ledger: String,
    key: SigningKey,
}

/// The key that anyone may have, and auditors should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    origin: Origin,
    key: VerifyingKey,
}

/// Why a text is not a key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotAKey {
    #[error("a public key reads NAME+ID+KEY, in one line; this does not")]
    Public,
    #[error("the key file has no line PRIVATE+KEY+NAME+ID+KEY")]
    Secret,
    #[error("the key's algorithm is {0}; this Tidegate knows 1, Ed25519")]
    Algorithm(u8),
    #[error("the key's id does not belong to its name and key: it was mistyped or altered")]
    Id,
    #[error(transparent)]
    Name(#[from] NotAnOrigin),
}

impl SecretKey {
    /// A new key for a ledger, from 32 random bytes.
    pub fn generate(origin: &Origin, random: [u8; 32]) -> SecretKey {
        SecretKey { ledger: origin.ledger.clone(), key: SigningKey::from_bytes(&random) }
    }

    /// Reads a key file: one key a line, the one in use first; empty lines and lines that begin with # are skipped.
    pub fn parse_file(text: &str) -> Result<Vec<SecretKey>, NotAKey> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys = lines.map(SecretKey::parse).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(NotAKey::Secret) } else { Ok(keys) }
    }

    fn parse(line: &str) -> Result<SecretKey, NotAKey> {
        let (name, id, key) =
            split(line.strip_prefix("PRIVATE+KEY+").ok_or(NotAKey::Secret)?).ok_or(NotAKey::Secret)?;
        let key = SigningKey::from_bytes(&ed25519(&key)?);
        let secret = SecretKey { ledger: Origin::parse(name)?.ledger, key };
        if id == key_id(name, &secret.key.verifying_key()) { Ok(secret) } else { Err(NotAKey::Id) }
    }

    /// The key file's text, for a file that its owner alone may read.
    pub fn file(&self, origin: &Origin) -> String {
        let name = Origin { ledger: self.ledger.clone(), epoch: origin.epoch }.to_string();
        let id = key_id(&name, &self.key.verifying_key());
        let key = STANDARD.encode([&[ED25519], self.key.as_bytes().as_slice()].concat());
        format!(
            "# Signs the checkpoints of this ledger. Whoever has it can sign a rewritten ledger: keep it to yourself.\n\
             PRIVATE+KEY+{name}+{id:08x}+{key}\n"
        )
    }

    /// The public half, named for an epoch.
    pub fn public(&self, epoch: u64) -> PublicKey {
        PublicKey { origin: Origin { ledger: self.ledger.clone(), epoch }, key: self.key.verifying_key() }
    }

    pub fn ledger(&self) -> &str {
        &self.ledger
    }

    /// A signature line of a signed note by this key, under the origin's name.
    pub(super) fn sign_note(&self, origin: &Origin, text: &str) -> String {
        let name = origin.to_string();
        let id = key_id(&name, &self.key.verifying_key()).to_be_bytes();
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        format!("— {name} {}\n", STANDARD.encode([id.as_slice(), &signature].concat()))
    }

    /// The entry by which `new` takes over from this key, signed by both. Whoever trusts the old key may from there on
    /// trust the new one.
    pub fn rotate(&self, new: &SecretKey, origin: &Origin, at: Time, actor: Actor) -> Entry {
        let (old, new) = (self, new);
        let (old_public, new_public) = (old.public(origin.epoch).to_string(), new.public(origin.epoch).to_string());
        let text = handover(&old_public, &new_public);
        let sign = |key: &SecretKey| STANDARD.encode(key.key.sign(text.as_bytes()).to_bytes());
        Entry::new(Kind::KEY_ROTATED, at, actor)
            .with("old_signature", sign(old))
            .with("new_signature", sign(new))
            .with("old", old_public)
            .with("new", new_public)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.ledger)
    }
}

impl PublicKey {
    /// Reads `NAME+ID+KEY`.
    pub fn parse(text: &str) -> Result<PublicKey, NotAKey> {
        let (name, id, key) = split(text.trim()).ok_or(NotAKey::Public)?;
        let key = VerifyingKey::from_bytes(&ed25519(&key)?).map_err(|_| NotAKey::Public)?;
        let public = PublicKey { origin: Origin::parse(name)?, key };
        if id == key_id(name, &key) { Ok(public) } else { Err(NotAKey::Id) }
    }

    /// Whether it is the same key, for whichever epoch it was named.
    pub fn is_same_key(&self, other: &PublicKey) -> bool {
        self.key == other.key && self.ledger() == other.ledger()
    }

    /// Which ledger's checkpoints it checks, in any epoch.
    pub fn ledger(&self) -> &str {
        &self.origin.ledger
    }

    /// Whether a signature (as a note names it) could be by this key: `Some(true)` if it is, `Some(false)` if it claims
    /// to be and is not.
    pub(super) fn judge(&self, origin: &Origin, id: u32, text: &str, signature: &[u8]) -> Option<bool> {
        if origin.ledger != self.origin.ledger || id != key_id(&origin.to_string(), &self.key) {
            return None;
        }
        Some(self.signed(text, signature))
    }

    fn signed(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|s| self.key.verify_strict(text.as_bytes(), &s).is_ok())
    }

    /// The old key and the one that an entry hands over to, if both of them signed that.
    pub fn handed_over(record: &Record) -> Option<(PublicKey, PublicKey)> {
        if record.kind != Kind::KEY_ROTATED {
            return None;
        }
        let field = |name| record.data.get(name)?.as_str();
        let text = handover(field("old")?, field("new")?);
        let (old, new) = (PublicKey::parse(field("old")?).ok()?, PublicKey::parse(field("new")?).ok()?);
        let signature = |name| STANDARD.decode(field(name)?).ok();
        let ours = old.ledger() == record.origin && new.ledger() == record.origin;
        let signed = old.signed(&text, &signature("old_signature")?) && new.signed(&text, &signature("new_signature")?);
        (ours && signed).then_some((old, new))
    }

    /// The key that an entry hands over to, if one of the trusted keys and the new one signed that.
    pub fn taking_over(record: &Record, trusted: &[PublicKey]) -> Option<PublicKey> {
        let (old, new) = PublicKey::handed_over(record)?;
        trusted.iter().any(|key| key.is_same_key(&old)).then_some(new)
    }

    /// The key that an entry says is the one in use: where Tidegate started, and where a key was handed over.
    pub fn named_by(record: &Record) -> Option<PublicKey> {
        let field = if record.kind == Kind::INSTANCE_STARTED {
            "key"
        } else if record.kind == Kind::KEY_ROTATED {
            "new"
        } else {
            return None;
        };
        PublicKey::parse(record.data.get(field)?.as_str()?).ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.origin.to_string();
        let key = STANDARD.encode([&[ED25519], self.key.as_bytes().as_slice()].concat());
        write!(f, "{name}+{:08x}+{key}", key_id(&name, &self.key))
    }
}

/// What both keys sign when one takes over from the other.
fn handover(old: &str, new: &str) -> String {
    format!("tidegate key rotation\n{old}\n{new}\n")
}

/// The first four bytes of SHA-256(name ‖ LF ‖ algorithm ‖ public key), as C2SP's signed-note recommends.
fn key_id(name: &str, key: &VerifyingKey) -> u32 {
    let hash = super::Hash::of(&[name.as_bytes(), &[b'\n', ED25519], key.as_bytes()].concat());
    u32::from_be_bytes([hash.0[0], hash.0[1], hash.0[2], hash.0[3]])
}

fn split(text: &str) -> Option<(&str, u32, Vec<u8>)> {
    if text.len() > 512 {
        return None;
    }
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let id = (id.len() == 8).then(|| u32::from_str_radix(id, 16).ok())??;
    Some((name, id, STANDARD.decode(key).ok()?))
}

fn ed25519(key: &[u8]) -> Result<[u8; 32], NotAKey> {
    match key {
        [ED25519, key @ ..] => key.try_into().map_err(|_| NotAKey::Public),
        [other, ..] => Err(NotAKey::Algorithm(*other)),
        [] => Err(NotAKey::Public),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Head;

    fn origin() -> Origin {
        Origin::parse("tidegate.example/01TEST/1").unwrap()
    }

    #[test]
    fn keys_survive_their_files_and_do_not_show_themselves() {
        let key = SecretKey::generate(&origin(), [3; 32]);
        let read = SecretKey::parse_file(&key.file(&origin())).unwrap();
        assert_eq!(read[0].public(1), key.public(1));
        assert_eq!(PublicKey::parse(&format!("{}\n", key.public(2))).unwrap(), key.public(2));
        assert_eq!(format!("{key:?}"), "SecretKey(tidegate.example/01TEST)");
        assert!(matches!(SecretKey::parse_file("# none\n"), Err(NotAKey::Secret)));
    }

    #[test]
    fn the_keys_of_the_go_implementation_read_the_same() {
        // The example key of golang.org/x/mod/sumdb/note, which names no epoch: only its id is compared.
        let bytes = STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let key = VerifyingKey::from_bytes(&ed25519(&bytes).unwrap()).unwrap();
        assert_eq!(key_id("PeterNeumann", &key), 0xc74f_20a3);
    }

    #[test]
    fn a_mistyped_key_and_another_algorithm_are_named() {
        let key = SecretKey::generate(&origin(), [3; 32]).public(1).to_string();
        assert_eq!(PublicKey::parse(&key.replace("/1+", "/2+")), Err(NotAKey::Id));
        assert_eq!(PublicKey::parse("tidegate.example/x/1+00000000+BgAA"), Err(NotAKey::Algorithm(6)));
        assert_eq!(PublicKey::parse("nonsense"), Err(NotAKey::Public));
    }

    #[test]
    fn a_key_takes_over_only_with_both_signatures() {
        let (old, new) = (SecretKey::generate(&origin(), [1; 32]), SecretKey::generate(&origin(), [2; 32]));
        let mut head = Head::new(origin());
        let entry = old.rotate(&new, &origin(), Time::from_ms(1), Actor::system("keys"));
        let record = Record::parse(&head.append(entry).unwrap().bytes).unwrap();
        assert_eq!(PublicKey::taking_over(&record, &[old.public(1)]), Some(new.public(1)));
        assert_eq!(PublicKey::taking_over(&record, &[new.public(1)]), None, "nobody vouches for the old key");
        for field in ["old_signature", "new_signature"] {
            let mut forged = record.clone();
            forged.data.insert(field.to_owned(), STANDARD.encode([0u8; 64]).into());
            assert_eq!(PublicKey::taking_over(&forged, &[old.public(1)]), None, "{field}");
        }
    }
}
