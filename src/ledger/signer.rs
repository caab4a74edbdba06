//! Signs checkpoints; its key lives in a file beside the store, never in the database, and may be handed over to a new one.
//!
//! The file has the key in use, and during a rotation the coming one; from the first rotation on also the public key with
//! which the ledger began (`FIRST+NAME+ID+KEY`), from which the chain of keys is followed. Old secrets are not kept.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use anyhow::{Context, bail};

use super::{Actor, Checkpoint, Entry, Head, Origin, PublicKey, SecretKey};
use crate::clock::Time;

const FILE: &str = "ledger.key";
const FIRST: &str = "FIRST+";

/// Signs checkpoints with the key in use.
#[derive(Debug)]
pub struct Signer {
    keys: RwLock<KeyFile>,
    file: PathBuf,
    origin: Origin,
}

/// What the key file says.
#[derive(Clone, Debug)]
pub struct KeyFile {
    /// The key in use, then what a rotation that did not end left.
    secret: Vec<SecretKey>,
    /// With which the ledger began, where that is not the one in use.
    first: Option<PublicKey>,
}

impl KeyFile {
    /// Reads the key file in a data folder.
    pub fn read(data: &Path) -> anyhow::Result<KeyFile> {
        let file = data.join(FILE);
        let text = std::fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))?;
        KeyFile::parse(&text).with_context(|| format!("{} does not read", file.display()))
    }

    fn parse(text: &str) -> anyhow::Result<KeyFile> {
        let (first, rest): (Vec<&str>, Vec<&str>) = text.lines().map(str::trim).partition(|l| l.starts_with(FIRST));
        let first = first.first().map(|line| PublicKey::parse(line.trim_start_matches(FIRST))).transpose()?;
        Ok(KeyFile { secret: SecretKey::parse_file(&rest.join("\n"))?, first })
    }

    /// The public keys to begin a verification with: the ledger's first one, and the one in use.
    pub fn public(&self, epoch: u64) -> Vec<PublicKey> {
        let current = self.secret[0].public(epoch);
        self.first.iter().cloned().chain([current]).collect()
    }

    fn text(&self, origin: &Origin) -> String {
        let mut text: String = self.secret.iter().map(|key| key.file(origin)).collect();
        if let Some(first) = &self.first {
            text.push_str(&format!("# The key with which this ledger began.\n{FIRST}{first}\n"));
        }
        text
    }
}

impl Signer {
    /// Reads the key file, or makes one while the ledger is empty. A ledger that lost its key does not get another in
    /// silence, and one that names another key (`named`) than the file holds is not gone on with.
    pub fn open(data: &Path, origin: &Origin, size: u64, named: Option<&PublicKey>) -> anyhow::Result<Signer> {
        let file = data.join(FILE);
        if size > 0 && !file.exists() {
            bail!(
                "the record has {size} entries, and the key that signs it is not at {}: put it there from a backup, or from the instance that began this store",
                file.display()
            );
        }
        if !file.exists() {
            let key = SecretKey::generate(origin, random()?);
            write_private(&file, &key.file(origin))?;
        }
        let signer = Signer { keys: RwLock::new(KeyFile::read(data)?), file, origin: origin.clone() };
        if let Some(named) = named {
            signer.choose(named)?;
        }
        Ok(signer)
    }

    /// The note of a checkpoint, signed by the key in use.
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        checkpoint.sign(&[&self.current()])
    }

    /// A signed note of a text, which ends with a line's end, by the key in use.
    pub fn sign_text(&self, text: &str) -> String {
        format!("{text}\n{}", self.current().sign_note(&self.origin, text))
    }

    /// What it signs for.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The public half of the key in use.
    pub fn public(&self) -> PublicKey {
        self.current().public(self.origin.epoch)
    }

    /// The key with which the ledger began.
    pub fn first(&self) -> PublicKey {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.first.clone().unwrap_or_else(|| keys.secret[0].public(self.origin.epoch))
    }

    /// The keys to begin a verification with.
    pub fn trusted(&self) -> Vec<PublicKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).public(self.origin.epoch)
    }

    /// Whether the ledger ends as this key sealed it. Signatures by Ed25519 are the same each time, so that making it again
    /// is the comparison.
    pub fn sealed(&self, head: &Head, seal: Option<&str>) -> bool {
        head.size() == 0 || seal == Some(self.sign(&Checkpoint::of(head)).as_str())
    }

    /// Goes by the key that the ledger names: it is the one in use, or the file has it.
    pub fn choose(&self, named: &PublicKey) -> anyhow::Result<()> {
        if self.public().is_same_key(named) {
            return Ok(());
        }
        let folder = self.file.parent().unwrap_or(Path::new("."));
        let mut keys = KeyFile::read(folder)?;
        let Some(at) = keys.secret.iter().position(|key| key.public(1).is_same_key(named)) else {
            bail!(
                "the record names {named} as the key that signs it, and {} holds another, {}: no entry hands over to that one. Put the right key there; if it was exchanged, `tidegate audit verify` says what was signed with it",
                self.file.display(),
                keys.secret[0].public(self.origin.epoch)
            );
        };
        let key = keys.secret.swap_remove(at);
        if keys.first.is_none() {
            keys.first = Some(self.first());
        }
        keys.secret = vec![key];
        write_private(&self.file, &keys.text(&self.origin))?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// A new key, written to the file beside the one in use so that a crash loses neither.
    pub fn prepare(&self) -> anyhow::Result<SecretKey> {
        let next = SecretKey::generate(&self.origin, random()?);
        let both = KeyFile { secret: vec![self.current(), next.clone()], first: Some(self.first()) };
        write_private(&self.file, &both.text(&self.origin))?;
        Ok(next)
    }

    /// The entry by which `next` takes over, signed by both.
    pub fn hand_over(&self, next: &SecretKey, at: Time, actor: Actor) -> Entry {
        self.current().rotate(next, &self.origin, at, actor)
    }

    /// `next` signs from here on; the old secret is forgotten.
    pub fn take_over(&self, next: SecretKey) -> anyhow::Result<()> {
        let keys = KeyFile { first: Some(self.first()), secret: vec![next] };
        let text = keys.text(&self.origin);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        write_private(&self.file, &text)
    }

    fn current(&self) -> SecretKey {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).secret[0].clone()
    }
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut random = [0u8; 32];
    getrandom::fill(&mut random).map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
    Ok(random)
}

/// Writes a file that its owner alone may read, never through a half-written state.
pub fn write_private(file: &Path, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let half = file.with_extension("new");
    let _ = std::fs::remove_file(&half);
    let mut out = std::fs::File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&half)
        .with_context(|| format!("could not write {}", half.display()))?;
    out.write_all(text.as_bytes())
        .and_then(|()| out.sync_all())
        .with_context(|| format!("could not write {}", half.display()))?;
    std::fs::rename(&half, file).with_context(|| format!("could not write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_survives_a_crash_at_any_point_and_an_exchanged_key_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let origin = Origin::parse("tidegate.example/01TEST/1").unwrap();
        let signer = Signer::open(data.path(), &origin, 0, None).unwrap();
        let first = signer.public();
        let next = signer.prepare().unwrap();
        // Before the entry was committed the ledger names the old key, afterwards the new one; the file has both.
        let again = Signer::open(data.path(), &origin, 5, Some(&first)).unwrap();
        assert_eq!(again.public(), first);
        let again = Signer::open(data.path(), &origin, 6, Some(&next.public(1))).unwrap();
        assert_eq!((again.public(), again.first()), (next.public(1), first.clone()));
        signer.take_over(next.clone()).unwrap();
        assert_eq!(signer.trusted(), [first.clone(), next.public(1)]);
        assert!(
            !std::fs::read_to_string(data.path().join(FILE))
                .unwrap()
                .contains("PRIVATE+KEY+tidegate.example/01TEST/1+")
                || KeyFile::read(data.path()).unwrap().secret.len() == 1
        );
        let why = Signer::open(data.path(), &origin, 6, Some(&first)).unwrap_err().to_string();
        assert!(why.contains("no entry hands over"), "{why}");
    }
}
