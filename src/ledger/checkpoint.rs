//! The ledger's end in three lines, signed: what goes onto cards, into gate answers and wherever else copies are kept.
//!
//! C2SP tlog-checkpoint in a C2SP signed note: origin, size, root in base64; a blank line; a signature a line. During a
//! key's rotation two keys sign; witnesses may add lines of theirs, which are kept and not judged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::hash::Hash;
use super::head::{Head, Origin};
use super::key::{PublicKey, SecretKey};

/// Bytes of a signed checkpoint at most, and signatures on it.
const MAX_NOTE: usize = 16 * 1024;
const MAX_SIGNATURES: usize = 32;

/// How far the ledger came, and the root of all that was in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: Origin,
    pub size: u64,
    pub root: Hash,
}

/// A checkpoint with the signatures under it, none of them believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    pub checkpoint: Checkpoint,
    /// The whole note, as it was read.
    pub note: String,
    signatures: Vec<(String, u32, Vec<u8>)>,
}

/// Whether somebody trusted signed a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// By at least one trusted key, and no signature that claims to be by a trusted key is false.
    Yes,
    /// A signature claims to be by a trusted key and is not: the text or the signature was altered.
    False,
    /// None of the signatures is by a trusted key.
    Stranger,
}

/// Says that a text is not a signed checkpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("this is not a signed checkpoint: {0}")]
pub struct NotACheckpoint(&'static str);

impl Checkpoint {
    pub fn of(head: &Head) -> Checkpoint {
        Checkpoint { origin: head.origin.clone(), size: head.size(), root: head.root() }
    }

    /// The three lines that are signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.base64())
    }

    /// The signed note; during a rotation by the old key and the new one.
    pub fn sign(&self, keys: &[&SecretKey]) -> String {
        let text = self.text();
        let signatures: String = keys.iter().map(|key| key.sign_note(&self.origin, &text)).collect();
        format!("{text}\n{signatures}")
    }
}

impl SignedCheckpoint {
    /// Reads a note as [`Checkpoint::sign`] wrote it. A missing newline at the end, carriage returns and space around it
    /// (copied out of a chat or a pipeline's log) do no harm.
    pub fn parse(note: &str) -> Result<SignedCheckpoint, NotACheckpoint> {
        let no = NotACheckpoint;
        if note.len() > MAX_NOTE {
            return Err(no("it is too long"));
        }
        let lines: Vec<&str> = note.trim().lines().map(str::trim).collect();
        let [origin, size, root, rest @ ..] = lines.as_slice() else { return Err(no("it has fewer than three lines")) };
        let [extra @ .., _] = rest else { return Err(no("it has no signature")) };
        if extra.is_empty() || !rest[0].is_empty() {
            // Extension lines are legal in C2SP; Tidegate writes none, and does not guess what they mean.
            return Err(no("an empty line follows the root"));
        }
        let origin = Origin::parse(origin).map_err(|_| no("the first line does not name a ledger and its epoch"))?;
        let size = decimal(size).ok_or(no("the second line is not a size"))?;
        let root = Hash::from_base64(root).ok_or(no("the third line is not a root"))?;
        let signatures = &rest[1..];
        if signatures.len() > MAX_SIGNATURES {
            return Err(no("it has too many signatures"));
        }
        let signatures = signatures.iter().map(|line| signature(line)).collect::<Option<Vec<_>>>();
        let signatures = signatures.ok_or(no("a signature line does not read — NAME BASE64"))?;
        let checkpoint = Checkpoint { origin, size, root };
        let note = format!("{}\n", lines.join("\n"));
        Ok(SignedCheckpoint { checkpoint, note, signatures })
    }

    /// Whether one of these keys signed it.
    pub fn signed(&self, keys: &[PublicKey]) -> Signed {
        let text = self.checkpoint.text();
        let name = self.checkpoint.origin.to_string();
        let mut signed = Signed::Stranger;
        for (_, id, bytes) in self.signatures.iter().filter(|(by, ..)| *by == name) {
            for key in keys {
                match key.judge(&self.checkpoint.origin, *id, &text, bytes) {
                    Some(true) => signed = Signed::Yes,
                    Some(false) => return Signed::False,
                    None => {}
                }
            }
        }
        signed
    }
}

/// A number as checkpoints and proofs write it: digits, no leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if !plain || text.len() > 18 { None } else { text.parse().ok() }
}

/// Who signed, the key's id and the signature of a line of a signed note.
pub(super) fn signature(line: &str) -> Option<(String, u32, Vec<u8>)> {
    let (name, bytes) = line.strip_prefix("— ")?.split_once(' ')?;
    let bytes = STANDARD.decode(bytes).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    Some((name.to_owned(), u32::from_be_bytes(*id), signature.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let origin = Origin::parse("tidegate.example/01TEST/1").unwrap();
        Checkpoint { origin, size: 42, root: Hash::leaf(b"x") }
    }

    fn key(seed: u8) -> SecretKey {
        SecretKey::generate(&checkpoint().origin, [seed; 32])
    }

    #[test]
    fn a_checkpoint_reads_as_c2sp_says() {
        let note = checkpoint().sign(&[&key(1)]);
        insta::assert_snapshot!(note, @r"
        tidegate.example/01TEST/1
        42
        PH6byTDck/AfppmF7yQtn56GHzxTVaokzl70tLinDMs=

        — tidegate.example/01TEST/1 euBz5FGK7yE8v19tuaBi3ETa3/vQO8NXZ+t6YaHaqnCELeAMbomq1JnCFKptI/hBOc9YqSY9flKbyRcdvj5KivQ/3wg=
        ");
        let read = SignedCheckpoint::parse(&note).unwrap();
        assert_eq!((&read.checkpoint, &read.note), (&checkpoint(), &note));
    }

    #[test]
    fn another_implementation_of_signed_notes_agrees() {
        let note = checkpoint().sign(&[&key(1), &key(2)]);
        let verifier = |seed| {
            let key = signed_note::StandardVerifier::new(&key(seed).public(1).to_string()).unwrap();
            Box::new(key) as Box<dyn signed_note::Verifier>
        };
        let read = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
        let (signed, unknown) = read.verify(&signed_note::VerifierList::new(vec![verifier(1), verifier(2)])).unwrap();
        assert_eq!((signed.len(), unknown.len()), (2, 0));
        let secret = key(1).file(&checkpoint().origin);
        let signer = signed_note::StandardSigner::new(secret.lines().last().unwrap()).unwrap();
        let mut theirs = signed_note::Note::new(checkpoint().text().as_bytes(), &[]).unwrap();
        theirs.add_sigs(&[&signer]).unwrap();
        assert_eq!(theirs.to_bytes(), checkpoint().sign(&[&key(1)]).into_bytes());
    }

    #[test]
    fn a_signature_counts_for_the_key_the_ledger_and_the_text_it_was_made_for() {
        let note = checkpoint().sign(&[&key(1)]);
        let signed = |note: &str, key: &SecretKey| SignedCheckpoint::parse(note).unwrap().signed(&[key.public(1)]);
        assert_eq!(signed(&note, &key(1)), Signed::Yes);
        assert_eq!(signed(&note, &key(2)), Signed::Stranger);
        assert_eq!(signed(&note.replace("\n42\n", "\n41\n"), &key(1)), Signed::False);
        assert_eq!(signed(&format!("  {}", note.replace('\n', "\r\n")), &key(1)), Signed::Yes, "copied out of a log");
        let other = SecretKey::generate(&Origin::parse("elsewhere.example/01TEST/1").unwrap(), [1; 32]);
        assert_eq!(signed(&note, &other), Signed::Stranger);
        let rotating = checkpoint().sign(&[&key(1), &key(2)]);
        assert_eq!(signed(&rotating, &key(1)), Signed::Yes);
        assert_eq!(signed(&rotating, &key(2)), Signed::Yes);
    }

    #[test]
    fn a_key_is_good_for_every_epoch_of_its_ledger() {
        let mut next = checkpoint();
        next.origin.epoch = 2;
        let note = next.sign(&[&key(1)]);
        assert_eq!(SignedCheckpoint::parse(&note).unwrap().signed(&[key(1).public(1)]), Signed::Yes);
    }

    #[test]
    fn what_is_not_a_checkpoint_is_refused() {
        let note = checkpoint().sign(&[&key(1)]);
        for bad in [
            String::new(),
            "\n".repeat(9),
            checkpoint().text(),
            note.replace("\n42\n", "\n042\n"),
            note.replace("\n42\n", "\n99999999999999999999\n"),
            note.replace("/1\n", "\n"),
            note.replace("—", "-"),
            note.replace("\n\n", "\nextension\n\n"),
            "x".repeat(MAX_NOTE + 1),
        ] {
            assert!(SignedCheckpoint::parse(&bad).is_err(), "{bad}");
        }
    }
}
