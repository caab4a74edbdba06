//! The ledger as a file of lines that anyone can verify without us: JSON, one object a line.
//!
//! A header, the entries in order, a closing checkpoint:
//! ```text
//! {"format":"tidegate-ledger","v":1,"ledger":"tidegate.example/01JD…","key":"NAME+ID+KEY","scope":"all"}
//! {"seq":1,"leaf":"…","bytes":"{\"actor\":…}","texts":{"why":{"salt":"…","body":"…"},"reason":null}}
//! {"checkpoint":"tidegate.example/01JD…/1\n1\n…\n\n— …\n"}
//! ```
//! `bytes` is the entry exactly; `texts` is left out if the export leaves texts out, and null stands for an erased one. An
//! export of a part (`"scope":"part"`) carries its checkpoint in the header too, and in each entry's `hashes` its audit path.

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::abreast::abreast;
use super::checkpoint::SignedCheckpoint;
use super::entry::Record;
use super::hash::Hash;
use super::key::PublicKey;
use super::line::{Kept, Line, stored};
use super::proof::{Proof, Proven};
use super::text::StoredText;
use super::verdict::{Damage, Finding, TextCount, Verdict};
use super::verify::{Alone, Look, Row, Trust, Verifier};

/// Bytes of one line at most: an entry, its texts, escaped.
const MAX_LINE: u64 = 8 * 1024 * 1024;
const FORMAT: &str = "tidegate-ledger";

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    format: String,
    v: u32,
    pub ledger: String,
    /// The public key. Whoever verifies compares it with one from elsewhere.
    pub key: String,
    pub scope: Scope,
    /// For a part: the closing checkpoint, to which the audit paths lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// Whether an export has every entry from the first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    All,
    Part,
}

#[derive(Debug, Serialize, Deserialize)]
struct Closing {
    checkpoint: String,
}

/// The header of an export of everything.
pub fn header(key: &PublicKey) -> String {
    line(&Header { scope: Scope::All, checkpoint: None, ..heading(key) })
}

/// The header of an export of some entries, each with its audit path to this checkpoint.
pub fn part_header(key: &PublicKey, checkpoint: &str) -> String {
    line(&Header { scope: Scope::Part, checkpoint: Some(checkpoint.to_owned()), ..heading(key) })
}

/// An entry's line, with its newline. `texts`: `None` leaves them out. `hashes`: the audit path, in an export of a part.
pub fn entry_line(
    seq: u64,
    leaf: &str,
    bytes: &str,
    texts: Option<&[StoredText]>,
    hashes: Option<Vec<Hash>>,
) -> String {
    let texts = texts.map(|texts| {
        let kept = |text: &StoredText| text.kept.clone().map(|(salt, body)| Kept { salt, body });
        texts.iter().map(|text| (text.name.clone(), kept(text))).collect()
    });
    line(&Line { seq, leaf: leaf.into(), bytes: bytes.into(), texts, hashes })
}

/// The last line.
pub fn closing_line(checkpoint: &str) -> String {
    line(&Closing { checkpoint: checkpoint.to_owned() })
}

/// Whether a text begins as an export does (and not as a proof, a checkpoint or a database).
pub fn is_export(beginning: &str) -> bool {
    beginning
        .lines()
        .next()
        .is_some_and(|first| serde_json::from_str::<Header>(first).is_ok_and(|h| h.format == FORMAT))
}

/// Judges an export, line by line in flat memory, with nothing but a public key. Without one, the export's own key is
/// taken, and the verdict says so.
pub fn verify(mut lines: impl BufRead, mut trust: Trust) -> Verdict {
    let mut buffer = Vec::new();
    let header: Header = match read_line(&mut lines, &mut buffer).map(|text| text.map(serde_json::from_str::<Header>)) {
        Ok(Some(Ok(header))) if header.format == FORMAT => header,
        Ok(_) => {
            return Verdict::cannot_tell(
                "this is not an export of a ledger: its first line is not an export's header.",
            );
        }
        Err(why) => return Verdict::cannot_tell(why),
    };
    if header.v != 1 {
        return Verdict::cannot_tell(format!(
            "the export is of format {}, and this Tidegate reads format 1.",
            header.v
        ));
    }
    let mut remarks = Vec::new();
    if trust.keys.is_empty() {
        match PublicKey::parse(&header.key) {
            Ok(key) => trust.keys.push(key),
            Err(why) => return Verdict::cannot_tell(format!("the export's public key cannot be read: {why}.")),
        }
        remarks.push(
            "No public key was given, so the export's own was taken: compare it with one from elsewhere.".to_owned(),
        );
    }
    let verdict = match header.scope {
        Scope::All => verify_all(lines, trust, &header.ledger),
        Scope::Part => verify_part(lines, buffer, &trust, &header),
    };
    verdict.remarking(remarks)
}

/// Lines that are looked at by one thread in one go, in bytes.
const BATCH: usize = 256 * 1024;

/// Lines, one behind the other, where each ends, and why there are no more.
#[derive(Default)]
struct Batch {
    lines: Vec<u8>,
    ends: Vec<usize>,
    broken: Option<String>,
}

/// What a line turned out to be.
enum Found {
    Row(Alone),
    Closing(String),
    /// It cannot be read, and why.
    Broken(String),
}

/// Lines are looked at on every core; what they tell is put together in their order.
fn verify_all(mut lines: impl BufRead, trust: Trust, ledger: &str) -> Verdict {
    let mut verifier = Verifier::new(trust).of_ledger(ledger);
    let mut closing = None;
    let mut follow = |found: Found| {
        if closing.is_some() {
            return Some(Verdict::cannot_tell("something follows the closing checkpoint."));
        }
        match found {
            Found::Row(row) => verifier.follow(row),
            Found::Broken(why) => return Some(Verdict::cannot_tell(why)),
            Found::Closing(note) => match SignedCheckpoint::parse(&note) {
                Ok(signed) => closing = Some(signed),
                Err(_) => return Some(Verdict::cannot_tell("the closing checkpoint cannot be read.")),
            },
        }
        None
    };
    let mut over = false;
    let next = || {
        let batch = (!over).then(|| Batch::read(&mut lines))?;
        over = batch.lines.len() < BATCH;
        (!batch.ends.is_empty() || batch.broken.is_some()).then_some(batch)
    };
    let take = |found: Vec<Found>| match found.into_iter().find_map(&mut follow) {
        Some(verdict) => ControlFlow::Break(verdict),
        None => ControlFlow::Continue(()),
    };
    if let Some(verdict) = abreast(next, |batch| batch.look(), take) {
        return verdict;
    }
    if let Some(closing) = closing {
        return verifier.finish(None, Some(&closing));
    }
    let verdict = verifier.finish(None, None);
    let says = format!("The export breaks off behind entry {}: its closing checkpoint is gone.", verdict.size);
    let end = Finding::new(verdict.size + 1, Damage::Truncated, says);
    verdict.with([end])
}

impl Batch {
    /// The next lines, as many as are looked at in one go; fewer only at the end.
    fn read(from: &mut impl BufRead) -> Batch {
        let mut batch = Batch::default();
        while batch.lines.len() < BATCH {
            match append_line(from, &mut batch.lines) {
                Ok(0) => break,
                Ok(_) => batch.ends.push(batch.lines.len()),
                Err(why) => {
                    batch.broken = Some(why);
                    break;
                }
            }
        }
        batch
    }

    fn look(self) -> Vec<Found> {
        let (mut look, mut space, mut from) = (Look::default(), String::new(), 0);
        let mut found = Vec::with_capacity(self.ends.len() + 1);
        for end in self.ends {
            found.push(match text_of(&self.lines[from..end]) {
                Ok(text) => look_at(text, &mut look, &mut space),
                Err(why) => Found::Broken(why),
            });
            from = end;
        }
        found.extend(self.broken.map(Found::Broken));
        found
    }
}

fn look_at(text: &str, look: &mut Look, space: &mut String) -> Found {
    if let Some(mut line) = Line::read(text, space) {
        let texts = line.take_texts();
        let row = Row { seq: line.seq, bytes: &line.bytes, leaf: &line.leaf, columns: None, texts: texts.as_deref() };
        Found::Row(look.at(&row))
    } else if let Ok(Closing { checkpoint }) = serde_json::from_str(text) {
        Found::Closing(checkpoint)
    } else {
        // Bytes that are no entry: the verifier names the place.
        Found::Row(look.at(&Row { seq: 0, bytes: text, leaf: "", columns: None, texts: None }))
    }
}

fn verify_part(mut lines: impl BufRead, mut buffer: Vec<u8>, trust: &Trust, header: &Header) -> Verdict {
    let checkpoint = header.checkpoint.clone().unwrap_or_default();
    let mut entries = 0_u64;
    let mut last = 0;
    // The signature is judged once, the entries one at a time against the same checkpoint.
    let mut verdict = Proof::new(checkpoint.clone(), None, Vec::new()).verify(trust);
    verdict.doubts.retain(|doubt| !doubt.contains("no entries"));
    let Ok(signed) = SignedCheckpoint::parse(&checkpoint) else { return verdict.concluded() };
    let signed = signed.checkpoint;
    let mut closed = false;
    loop {
        let text = match read_line(&mut lines, &mut buffer) {
            Ok(Some(text)) => text,
            Ok(None) => break,
            Err(why) => return Verdict::cannot_tell(why),
        };
        if let Ok(entry) = serde_json::from_str::<Line>(text) {
            entries += 1;
            let texts = entry.texts.unwrap_or_default();
            let proven =
                Proven { seq: entry.seq, bytes: entry.bytes.into_owned(), hashes: entry.hashes.unwrap_or_default() };
            verdict.findings.extend(texts_of(&proven, texts, &mut verdict.texts));
            let order = (entry.seq <= last).then(|| {
                Finding::new(entry.seq, Damage::Reordered, format!("Entry {} stands behind {last}.", entry.seq))
            });
            last = entry.seq;
            verdict.findings.extend(proven.check(&header.ledger, signed.size, signed.root).err().or(order));
            verdict.findings.truncate(10 * Verdict::MOST);
        } else {
            let closing = serde_json::from_str::<Closing>(text).is_ok_and(|closing| closing.checkpoint == checkpoint);
            if closed || !closing {
                verdict.doubts.push("a line is neither an entry nor the closing checkpoint.".to_owned());
                break;
            }
            closed = true;
        }
    }
    if !closed && verdict.findings.is_empty() {
        let says = format!("The export breaks off behind entry {last}: its closing checkpoint is gone.");
        verdict.findings.push(Finding::new(last + 1, Damage::Truncated, says));
    }
    verdict.concluded_with(|v| format!("Proved: {entries} of {} entries stand in the ledger as they are here.", v.size))
}

/// What is wrong with the texts beside an entry of a part: exchanged, or added. That one was erased, another entry says,
/// which a part may lack.
fn texts_of(entry: &Proven, texts: BTreeMap<String, Option<Kept>>, count: &mut TextCount) -> Vec<Finding> {
    let Ok(record) = Record::parse(&entry.bytes) else { return Vec::new() };
    let mut wrong = Vec::new();
    for text in texts.into_iter().map(stored) {
        let says = match record.commitments.get(&text.name) {
            Some(commitment) if text.matches(*commitment) => {
                count.checked += u64::from(text.kept.is_some());
                count.erased += u64::from(text.kept.is_none());
                continue;
            }
            Some(_) => format!("The text `{}` of entry {} is not the one that was recorded.", text.name, entry.seq),
            None => format!("A text `{}` was added beside entry {}.", text.name, entry.seq),
        };
        wrong.push(Finding::new(entry.seq, Damage::Edited, says));
    }
    wrong
}

fn heading(key: &PublicKey) -> Header {
    Header {
        format: FORMAT.to_owned(),
        v: 1,
        ledger: key.ledger().to_owned(),
        key: key.to_string(),
        scope: Scope::All,
        checkpoint: None,
    }
}

fn line(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("strings and numbers can be written");
    line.push('\n');
    line
}

/// The next line without its newline; `None` at the end; words if it cannot be read.
fn read_line<'b>(lines: &mut impl BufRead, buffer: &'b mut Vec<u8>) -> Result<Option<&'b str>, String> {
    buffer.clear();
    let read = append_line(lines, buffer)?;
    let text = text_of(buffer)?;
    Ok((read > 0).then_some(text))
}

/// Puts the next line behind what is there, and tells its length; 0 at the end.
fn append_line(lines: &mut impl BufRead, buffer: &mut Vec<u8>) -> Result<usize, String> {
    let read =
        lines.take(MAX_LINE).read_until(b'\n', buffer).map_err(|e| format!("the export cannot be read: {e}."))?;
    if read as u64 == MAX_LINE {
        return Err("the export has a line longer than any entry.".to_owned());
    }
    Ok(read)
}

fn text_of(line: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(line).map_err(|_| "the export is not UTF-8.".to_owned())?;
    Ok(text.trim_end_matches(['\n', '\r']))
}
