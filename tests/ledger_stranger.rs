//! A stranger verifies an export with a public key, a script in another language and openssl, and comes to the same
//! verdict as Tidegate: on sound exports, on every attack, and on exports damaged at random.

// Every function here is a test's; another program verifying is what is tested.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tidegate::clock::Time;
use tidegate::ledger::{
    Actor, Checkpoint, Entry, Frontier, Hash, Head, Kind, Origin, PlanRef, Proven, Record, Salt, SecretKey,
    SignedCheckpoint, StoredText, Text, Trust, canonical, export, proof,
};

/// An export, line by line, as an attacker edits it.
#[derive(Clone)]
struct Export {
    header: Value,
    entries: Vec<Value>,
    closing: Option<String>,
    /// The checkpoint after each entry, from elsewhere.
    notes: Vec<String>,
}

fn origin() -> Origin {
    Origin::parse("tidegate.example/01STRANGER/1").unwrap()
}

fn key() -> SecretKey {
    SecretKey::generate(&origin(), [1; 32])
}

fn next_key() -> SecretKey {
    SecretKey::generate(&origin(), [2; 32])
}

fn at(n: u64) -> Time {
    Time::from_ms(1_800_000_000_000 + 1_000 * i64::try_from(n).unwrap())
}

fn word(n: u64) -> Entry {
    Entry::new(Kind::WORD_GIVEN, at(n), Actor::user("slack", "T1", "U1").person("grace").role("payments-lead"))
        .plan(PlanRef { id: format!("checkout-{n}"), revision: Some(1), ..PlanRef::default() })
        .verdict("approve")
        .with("says", "tab\t \u{1f} \"quoted\" \\ ünï \u{2028} 😀 \u{7f}")
        .with("points", json!([n, -7, {"b": true, "a": []}]))
        .text("why", format!("reason {n} 😀"), Salt([7; 32]))
}

/// Tidegate started, and this key signs.
fn started(n: u64, key: &SecretKey) -> Entry {
    let entry = Entry::new(Kind::INSTANCE_STARTED, at(n), Actor::system("tidegate"));
    entry.with("key", key.public(1).to_string())
}

/// Twenty entries: a start, a text erased on record, a key rotated, another start, a restore from a backup, words.
fn sound() -> Export {
    let mut head = Head::new(origin());
    let public = key().public(1);
    let header = serde_json::from_str(&export::header(&public)).unwrap();
    let mut export = Export { header, entries: Vec::new(), closing: None, notes: Vec::new() };
    for n in 1..=20 {
        let appended = match n {
            1 => head.append(started(1, &key())).unwrap(),
            16 => head.append(started(16, &next_key())).unwrap(),
            5 => head.append(Entry::texts_erased(at(5), Actor::system("retention"), 2, &["why"])).unwrap(),
            14 => head.append(key().rotate(&next_key(), &origin(), at(14), Actor::system("keys"))).unwrap(),
            17 => {
                let entry = Entry::new(Kind::LOG_RESTORED, at(17), Actor::user("cli", "host", "lin").person("lin"));
                head.restore(Some((18, Hash::leaf(b"what the backup lacked"))), entry).unwrap()
            }
            n => head.append(word(n)).unwrap(),
        };
        let mut texts: Vec<StoredText> = appended.texts.iter().map(Text::stored).collect();
        if n == 2 {
            texts[0].kept = None;
        }
        let line = export::entry_line(appended.seq, &appended.leaf.to_string(), &appended.bytes, Some(&texts), None);
        export.entries.push(serde_json::from_str(&line).unwrap());
        let signer = if n < 14 { key() } else { next_key() };
        export.notes.push(Checkpoint::of(&head).sign(&[&signer]));
    }
    export.closing = export.notes.last().cloned();
    export
}

impl Export {
    fn file(&self) -> String {
        let lines = std::iter::once(&self.header).chain(&self.entries).map(|line| format!("{line}\n"));
        lines.chain(self.closing.as_deref().map(export::closing_line)).collect()
    }

    fn bytes(&self, seq: usize) -> String {
        self.entries[seq - 1]["bytes"].as_str().unwrap().to_owned()
    }

    fn edit(&mut self, seq: usize, from: &str, to: &str) {
        let bytes = self.bytes(seq);
        assert!(bytes.contains(from), "{bytes}");
        self.entries[seq - 1]["bytes"] = bytes.replace(from, to).into();
    }

    fn releaf(&mut self, seq: usize) {
        self.entries[seq - 1]["leaf"] = Hash::leaf(self.bytes(seq).as_bytes()).to_string().into();
    }

    /// Chain, numbers and leaves as if nothing had happened. Without the key, the closing checkpoint stays what it was.
    fn recompute(&mut self) {
        let mut prev = Hash::ZERO;
        for index in 0..self.entries.len() {
            let mut record: Record = serde_json::from_str(&self.bytes(index + 1)).unwrap();
            (record.prev, record.seq) = (prev, index as u64 + 1);
            let bytes = canonical::encode(&record).unwrap();
            prev = Hash::leaf(bytes.as_bytes());
            self.entries[index]["seq"] = record.seq.into();
            self.entries[index]["bytes"] = bytes.into();
            self.releaf(index + 1);
        }
    }

    /// The closing checkpoint made new with the stolen key, for as many entries as there are.
    fn sign_again(&mut self, by: &SecretKey, epoch: u64) {
        let mut frontier = Frontier::default();
        for seq in 1..=self.entries.len() {
            frontier.grow(Hash::leaf(self.bytes(seq).as_bytes()), |_| ());
        }
        let checkpoint =
            Checkpoint { origin: Origin { epoch, ..origin() }, size: frontier.size(), root: frontier.root() };
        self.closing = Some(checkpoint.sign(&[by]));
    }

    /// Both verdicts, asserted to be the same: exit code, then what they found first.
    fn judge(&self, anchors: &[usize]) -> (u8, Option<(u64, String)>) {
        judge(self.file().as_bytes(), &anchors.iter().map(|n| self.notes[n - 1].as_str()).collect::<Vec<_>>(), "")
    }
}

fn judge(file: &[u8], anchors: &[&str], about: &str) -> (u8, Option<(u64, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.jsonl");
    std::fs::write(&path, file).unwrap();
    let mut command = Command::new("python3");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_ledger.py");
    command.arg(script).arg(&path).args(["--key", &key().public(1).to_string()]);
    for (n, note) in anchors.iter().enumerate() {
        let path = folder.path().join(format!("checkpoint-{n}"));
        std::fs::write(&path, note).unwrap();
        command.arg("--checkpoint").arg(path);
    }
    let theirs = command.stderr(Stdio::inherit()).output().unwrap();
    let answer: Value = serde_json::from_slice(&theirs.stdout).unwrap();

    let anchors = anchors.iter().map(|note| SignedCheckpoint::parse(note).unwrap()).collect();
    let trust = Trust { keys: vec![key().public(1)], anchors, tolerance: 0 };
    let ours = export::verify(file, trust);
    let ours_json = serde_json::to_value(&ours).unwrap();
    for field in ["ok", "size", "root", "first_bad"] {
        if ours.exit_code() == 2 && (field == "size" || field == "root") {
            continue; // What was not read to the end has no size.
        }
        assert_eq!(answer[field], ours_json[field], "{about} {field}: {} — {}", answer["says"], ours.says);
    }
    assert_eq!(theirs.status.code(), Some(i32::from(ours.exit_code())), "{about}: {} — {}", answer["says"], ours.says);
    let first = ours
        .first_bad
        .as_ref()
        .map(|bad| (bad.seq.unwrap(), ours_json["first_bad"]["damage"].as_str().unwrap().to_owned()));
    (ours.exit_code(), first)
}

/// Says aloud that the stranger is not at home, which is no reason for a test to fail.
fn python_is_missing() -> bool {
    let missing = |program: &&str| Command::new(program).arg("version").output().is_err();
    let missing: Vec<_> = ["python3", "openssl"].into_iter().filter(missing).collect();
    if !missing.is_empty() {
        _ = writeln!(std::io::stderr(), "NOT TESTED: the independent verifier needs {}.", missing.join(" and "));
    }
    !missing.is_empty()
}

#[test]
fn the_independent_verifier_stays_small_enough_to_be_read() {
    let lines = include_str!("verify_ledger.py").lines().count();
    assert!(lines <= 170, "{lines} lines");
}

#[test]
fn a_stranger_finds_a_sound_export_sound() {
    if python_is_missing() {
        return;
    }
    assert_eq!(sound().judge(&[]), (0, None));
    assert_eq!(sound().judge(&[3, 13, 14, 20]), (0, None));
    let mut empty = sound();
    empty.entries.clear();
    let none = Checkpoint { origin: origin(), size: 0, root: Hash::of(b"") };
    empty.closing = Some(none.sign(&[&key()]));
    assert_eq!(empty.judge(&[]), (0, None));
}

#[test]
fn a_stranger_names_every_attack_as_we_do() {
    if python_is_missing() {
        return;
    }
    type Attack = (&'static str, fn(&mut Export), &'static [usize], u8, Option<(u64, &'static str)>);
    let attacks: &[Attack] = &[
        ("edit", |e| e.edit(9, "approve", "object"), &[], 1, Some((9, "edited"))),
        (
            "edit and leaf",
            |e| {
                e.edit(9, "approve", "object");
                e.releaf(9);
            },
            &[],
            1,
            Some((9, "edited")),
        ),
        (
            "edit and leaf of the last",
            |e| {
                e.edit(20, "approve", "object");
                e.releaf(20);
            },
            &[],
            1,
            Some((1, "forked")),
        ),
        (
            "not canonical",
            |e| {
                e.edit(9, "\"v\":1", "\"v\": 1");
                e.releaf(9);
            },
            &[],
            1,
            Some((9, "edited")),
        ),
        (
            "what it follows from",
            |e| {
                let p = e.entries[7]["leaf"].as_str().unwrap().to_owned();
                e.edit(9, &p, &"0".repeat(64));
                e.releaf(9);
            },
            &[],
            1,
            Some((9, "edited")),
        ),
        (
            "number",
            |e| {
                e.edit(9, "\"seq\":9", "\"seq\":15");
                e.releaf(9);
            },
            &[],
            1,
            Some((9, "edited")),
        ),
        ("delete", |e| drop(e.entries.remove(8)), &[], 1, Some((9, "missing"))),
        ("delete the first", |e| drop(e.entries.remove(0)), &[], 1, Some((1, "missing"))),
        ("swap", |e| e.entries.swap(8, 12), &[], 1, Some((9, "reordered"))),
        ("swap neighbours", |e| e.entries.swap(8, 9), &[], 1, Some((9, "reordered"))),
        (
            "twice",
            |e| {
                let line = e.entries[8].clone();
                e.entries.insert(9, line);
            },
            &[],
            1,
            Some((10, "reordered")),
        ),
        (
            "insert",
            |e| {
                let line = e.entries[8].clone();
                e.entries.insert(9, line);
                e.edit(10, "approve", "object");
                e.releaf(10);
            },
            &[],
            1,
            Some((9, "forked")),
        ),
        ("truncate", |e| e.entries.truncate(15), &[], 1, Some((16, "truncated"))),
        (
            "truncate, closing checkpoint too",
            |e| {
                e.entries.truncate(15);
                e.closing = None;
            },
            &[],
            1,
            Some((16, "truncated")),
        ),
        (
            "truncate, with an older closing checkpoint",
            |e| {
                e.entries.truncate(15);
                e.closing = Some(e.notes[14].clone());
            },
            &[],
            0,
            None,
        ),
        (
            "the same, and a newer checkpoint elsewhere",
            |e| {
                e.entries.truncate(15);
                e.closing = Some(e.notes[14].clone());
            },
            &[16],
            1,
            Some((16, "truncated")),
        ),
        (
            "fork without the key",
            |e| {
                e.edit(9, "approve", "object");
                e.recompute();
            },
            &[],
            1,
            Some((1, "forked")),
        ),
        (
            "fork with the key",
            |e| {
                e.edit(9, "approve", "object");
                e.recompute();
                e.sign_again(&next_key(), 2);
            },
            &[],
            0,
            None,
        ),
        (
            "fork with the key, checkpoints elsewhere",
            |e| {
                e.edit(9, "approve", "object");
                e.recompute();
                e.sign_again(&next_key(), 2);
            },
            &[6, 12, 20],
            1,
            Some((7, "forked")),
        ),
        (
            "another key",
            |e| {
                e.edit(9, "approve", "object");
                e.recompute();
                e.sign_again(&SecretKey::generate(&origin(), [9; 32]), 2);
            },
            &[],
            1,
            Some((1, "forked")),
        ),
        (
            "another key, checkpoints elsewhere",
            |e| e.sign_again(&SecretKey::generate(&origin(), [9; 32]), 2),
            &[6],
            1,
            Some((7, "forked")),
        ),
        ("the old key goes on signing", |e| e.sign_again(&key(), 2), &[], 1, Some((1, "forked"))),
        (
            "a start with another key, recomputed with the key",
            |e| {
                let (mine, other) = (next_key().public(1), SecretKey::generate(&origin(), [9; 32]).public(1));
                e.edit(16, &mine.to_string(), &other.to_string());
                e.recompute();
                e.sign_again(&next_key(), 2);
            },
            &[],
            1,
            Some((16, "forked")),
        ),
        (
            "a handover without the old key's signature",
            |e| {
                let field = |e: &Export, name: &str| {
                    serde_json::from_str::<Value>(&e.bytes(14)).unwrap()["data"][name].as_str().unwrap().to_owned()
                };
                let (old, new) = (field(e, "old_signature"), field(e, "new_signature"));
                e.edit(14, &old, &new);
                e.recompute();
                e.sign_again(&next_key(), 2);
            },
            &[],
            1,
            Some((14, "forked")),
        ),
        (
            "date back",
            |e| {
                e.edit(9, "1800000009000", "1700000009000");
                e.recompute();
                e.sign_again(&next_key(), 2);
            },
            &[],
            1,
            Some((9, "backdated")),
        ),
        (
            "alter the closing checkpoint",
            |e| e.closing = e.closing.take().map(|note| note.replace("\n20\n", "\n19\n")),
            &[],
            1,
            Some((19, "edited")),
        ),
        ("go on behind it", |e| e.closing = Some(e.notes[18].clone()), &[], 1, Some((20, "forked"))),
        ("exchange a text", |e| e.entries[8]["texts"]["why"]["body"] = "because".into(), &[], 1, Some((9, "edited"))),
        (
            "add a text",
            |e| e.entries[8]["texts"]["more"] = json!({"salt": "00", "body": "x"}),
            &[],
            1,
            Some((9, "edited")),
        ),
        ("erase unrecorded", |e| e.entries[8]["texts"]["why"] = Value::Null, &[], 1, Some((9, "missing"))),
        ("another ledger", |e| e.header["ledger"] = "elsewhere.example/x".into(), &[], 1, Some((1, "forked"))),
        ("another format", |e| e.header["v"] = 2.into(), &[], 2, None),
        (
            "a restore unsaid",
            |e| {
                e.edit(17, "log.restored", "note");
                e.recompute();
                e.sign_again(&next_key(), 2);
            },
            &[],
            1,
            Some((17, "edited")),
        ),
    ];
    for (name, attack, anchors, code, first) in attacks {
        let mut export = sound();
        attack(&mut export);
        let expected = first.map(|(seq, damage)| (seq, damage.to_owned()));
        assert_eq!(export.judge(anchors), (*code, expected), "{name}");
    }
}

/// What docs/audit.md tells a stranger to type, one block after the other; whether all of it went well.
fn by_hand(export: &Export, checkpoint: &str, key: &SecretKey) -> bool {
    let page = include_str!("../docs/audit.md");
    let section = page.split("### By hand").nth(1).unwrap().split("\n##").next().unwrap();
    let blocks: Vec<&str> = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 4);
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("record.jsonl", &export.file());
    write("checkpoint.txt", checkpoint);
    write("public-key.txt", &format!("{}\n", key.public(1)));
    blocks.iter().all(|block| {
        let done = Command::new("bash").args(["-e", "-c", block]).current_dir(folder.path()).output().unwrap();
        if block.contains("sed -n 4p") && done.status.success() {
            let told = String::from_utf8_lossy(&done.stdout).into_owned();
            return told.starts_with(export.entries[2]["leaf"].as_str().unwrap());
        }
        done.status.success()
    })
}

#[test]
fn what_the_documents_tell_a_stranger_to_type_judges_a_record() {
    if python_is_missing() {
        return;
    }
    let whole = sound();
    assert!(by_hand(&whole, &whole.notes[12], &key()));
    assert!(by_hand(&whole, &whole.notes[19], &next_key()));
    assert!(!by_hand(&whole, &whole.notes[19], &key()), "signed by another key");
    assert!(!by_hand(&whole, &whole.notes[19].replace("\n20\n", "\n19\n"), &next_key()), "another size");
    let mut edited = sound();
    edited.edit(9, "approve", "object");
    assert!(!by_hand(&edited, &edited.notes[12], &key()), "an entry changed");
    edited.releaf(9);
    assert!(!by_hand(&edited, &edited.notes[12], &key()), "and its leaf with it");
    edited.recompute();
    assert!(!by_hand(&edited, &edited.notes[12], &key()), "and everything after it");
    let mut cut = sound();
    cut.entries.truncate(12);
    assert!(!by_hand(&cut, &cut.notes[12], &key()), "the end cut off");
}

#[test]
fn both_verifiers_agree_on_damage_at_random() {
    if python_is_missing() {
        return;
    }
    let file = sound().file().into_bytes();
    let notes = sound().notes;
    // A fixed sequence (Knuth's MMIX), so that a failure can be repeated.
    let mut random = 20_261_121_u64;
    let mut draw = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    let (mut seen, rounds) = ([0; 3], 40);
    for round in 0..rounds {
        let mut file = file.clone();
        let at = draw(file.len());
        match draw(4) {
            0 => file[at] = b' ' + u8::try_from(draw(95)).unwrap(),
            1 => drop(file.remove(at)),
            2 => file.insert(at, b"0\"{}\\,:a"[draw(8)]),
            _ => file.truncate(at),
        }
        let (code, _) = judge(&file, &[&notes[11]], &format!("round {round}, byte {at}"));
        seen[usize::from(code)] += 1;
    }
    assert!(seen[1] > rounds / 2, "{seen:?}");
}

#[test]
fn a_part_of_the_ledger_is_verified_by_its_proofs() {
    let all = sound();
    let (mut nodes, mut frontier) = (std::collections::HashMap::new(), Frontier::default());
    for seq in 1..=20 {
        let leaf = Hash::leaf(all.bytes(seq).as_bytes());
        nodes.insert(tidegate::ledger::Place { level: 0, index: seq as u64 - 1 }, leaf);
        frontier.grow(leaf, |node| _ = nodes.insert(node.at, node.hash));
    }
    let note = all.closing.clone().unwrap();
    let line = |seq: usize| {
        let proven = Proven::new(seq as u64, all.bytes(seq), 20, proof::known(&nodes)).unwrap();
        let leaf = all.entries[seq - 1]["leaf"].as_str().unwrap();
        export::entry_line(seq as u64, leaf, &all.bytes(seq), None, Some(proven.hashes))
    };
    let part = format!(
        "{}{}{}{}",
        export::part_header(&next_key().public(2), &note),
        line(4),
        line(11),
        export::closing_line(&note)
    );
    let trust = || Trust { keys: vec![next_key().public(1)], ..Trust::default() };
    let verdict = export::verify(part.as_bytes(), trust());
    assert!(verdict.ok, "{verdict:?}");
    assert_eq!(verdict.says, "Proved: 2 of 20 entries stand in the ledger as they are here.");
    let forged = part.replacen("approve", "object", 1);
    let verdict = export::verify(forged.as_bytes(), trust());
    assert_eq!((verdict.exit_code(), verdict.first_bad.unwrap().seq), (1, Some(4)));
    let cut = part.rsplit_once("{\"checkpoint\"").unwrap().0;
    assert_eq!(export::verify(cut.as_bytes(), trust()).exit_code(), 1);
    assert_eq!(
        export::verify(part.as_bytes(), Trust { keys: vec![key().public(1)], ..Trust::default() }).exit_code(),
        2
    );
}
