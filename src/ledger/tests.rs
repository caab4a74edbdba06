//! The ledger as a whole: what is recorded verifies, and every way to tamper with it is detected and named.

use std::collections::HashMap;

use proptest::prelude::*;

use super::verdict::Damage;
use super::*;
use crate::clock::Time;

/// A store as an attacker sees it: rows, head, nodes, texts.
#[derive(Clone)]
struct Pretend {
    rows: Vec<(u64, String, String, Vec<StoredText>)>,
    nodes: Vec<Node>,
    head: Head,
    notes: Vec<SignedCheckpoint>,
}

fn origin() -> Origin {
    Origin::parse("tidegate.example/01TEST/1").unwrap()
}

fn key() -> SecretKey {
    SecretKey::generate(&origin(), [1; 32])
}

fn at(n: u64) -> Time {
    Time::from_ms(1_800_000_000_000 + 1_000 * i64::try_from(n).unwrap())
}

fn word(n: u64) -> Entry {
    Entry::new(Kind::WORD_GIVEN, at(n), Actor::user("console", "try", "grace").person("grace").role("payments-lead"))
        .plan(PlanRef { id: format!("checkout-{n}"), revision: Some(1), ..PlanRef::default() })
        .evidence(Evidence { channel: Some("deploys".to_owned()), event_at: Some(at(n).ms()), ..Evidence::default() })
        .policy(PolicyRef { digest: "sha256:00".to_owned(), ..PolicyRef::default() })
        .verdict("approve")
        .with("points", 40)
        .text("why", format!("reason {n}"), Salt([n as u8; 32]))
}

impl Pretend {
    fn new() -> Pretend {
        Pretend { rows: Vec::new(), nodes: Vec::new(), head: Head::new(origin()), notes: Vec::new() }
    }

    fn of(size: u64) -> Pretend {
        let mut store = Pretend::new();
        (1..=size).for_each(|n| store.append(word(n)));
        store
    }

    fn append(&mut self, entry: Entry) {
        let appended = self.head.append(entry).unwrap();
        self.keep(appended);
    }

    fn keep(&mut self, appended: Appended) {
        let texts = appended.texts.iter().map(Text::stored).collect();
        self.rows.push((appended.seq, appended.bytes, appended.leaf.to_string(), texts));
        self.nodes.extend(appended.nodes);
        let note = Checkpoint::of(&self.head).sign(&[&key()]);
        self.notes.push(SignedCheckpoint::parse(&note).unwrap());
    }

    fn trust(&self, anchors: &[u64]) -> Trust {
        let anchors = anchors.iter().map(|n| self.notes[usize::try_from(*n).unwrap() - 1].clone()).collect();
        Trust { keys: vec![key().public(1)], anchors, tolerance: 0 }
    }

    fn verify(&self, trust: Trust) -> Verdict {
        let mut verifier = Verifier::new(trust);
        for (seq, bytes, leaf, texts) in &self.rows {
            verifier.push(&Row { seq: *seq, bytes, leaf, columns: None, texts: Some(texts) });
        }
        verifier.finish(Some(&self.head), None)
    }

    fn edit(&mut self, seq: usize, from: &str, to: &str) {
        let bytes = &mut self.rows[seq - 1].1;
        assert!(bytes.contains(from), "{bytes}");
        *bytes = bytes.replace(from, to);
    }

    fn releaf(&mut self, seq: usize) {
        self.rows[seq - 1].2 = Hash::leaf(self.rows[seq - 1].1.as_bytes()).to_string();
    }

    /// What a skilled insider does: everything from `seq` on is recomputed, head and nodes too.
    fn recompute(&mut self) {
        let (mut prev, mut frontier) = (Hash::ZERO, Frontier::default());
        self.nodes.clear();
        for (index, (seq, bytes, leaf, _)) in self.rows.iter_mut().enumerate() {
            let mut record: Record = serde_json::from_str(bytes).unwrap();
            record.prev = prev;
            record.seq = index as u64 + 1;
            *seq = record.seq;
            *bytes = canonical::encode(&record).unwrap();
            prev = Hash::leaf(bytes.as_bytes());
            *leaf = prev.to_string();
            frontier.grow(prev, |node| self.nodes.push(node));
        }
        self.head = Head { leaf: prev, frontier, ..self.head.clone() };
    }
}

fn bad(verdict: &Verdict) -> Option<(Option<u64>, Damage)> {
    verdict.first_bad.as_ref().map(|bad| (bad.seq, bad.damage))
}

#[test]
fn what_is_recorded_is_sound_at_every_size() {
    for size in 0..40 {
        let store = Pretend::of(size);
        let all: Vec<u64> = (1..=size).collect();
        let verdict = store.verify(store.trust(&all));
        assert!(verdict.ok, "{verdict:?}");
        assert_eq!((verdict.size, verdict.root, verdict.unanchored), (size, store.head.root(), 0));
        assert_eq!(verdict.exit_code(), 0);
        assert_eq!(verdict.texts.checked, size);
    }
}

#[test]
fn an_entry_reads_as_designed() {
    let store = Pretend::of(1);
    insta::assert_snapshot!(store.rows[0].1, @r#"{"actor":{"person":"grace","provider":"console","role":"payments-lead","user":"grace","workspace":"try"},"at":1800000001000,"commitments":{"why":"b2f56c6eddc16275110dadadfbd8c30a2865b876ccb2ed9016ddf69721ae2247"},"data":{"points":40},"epoch":1,"evidence":{"channel":"deploys","event_at":1800000001000},"kind":"word.given","origin":"tidegate.example/01TEST","plan":{"id":"checkout-1","revision":1},"policy":{"digest":"sha256:00"},"prev":"0000000000000000000000000000000000000000000000000000000000000000","seq":1,"v":1,"verdict":"approve"}"#);
    let record = Record::parse(&store.rows[0].1).unwrap();
    assert_eq!(canonical::encode(&record).unwrap(), store.rows[0].1, "reading and writing again changes nothing");
}

#[test]
fn the_json_of_a_verdict_has_the_promised_fields() {
    let store = Pretend::of(3);
    let mut verdict = store.verify(store.trust(&[2]));
    let json = serde_json::to_value(&verdict).unwrap();
    assert_eq!(json["ok"], true);
    assert_eq!(json["size"], 3);
    assert_eq!(json["root"], store.head.root().to_string());
    assert_eq!(json["first_bad"], serde_json::Value::Null);
    assert_eq!((&json["last_anchor"], &json["unanchored"]), (&2.into(), &1.into()));
    insta::assert_snapshot!(verdict.says, @"The ledger is sound: 3 entries, none changed, missing or out of order; a checkpoint from outside covers the first 2, 1 entry came later.");
    verdict = verdict.with([Finding::new(None, Damage::Trigger, "The trigger that refuses deleting is gone.")]);
    verdict = verdict.with([Finding::new(2, Damage::Projection, "Approvals of checkout-2 say something else.")]);
    let json = serde_json::to_value(&verdict).unwrap();
    assert_eq!(json["first_bad"], serde_json::json!({"seq": 2, "damage": "projection"}));
    assert_eq!(json["ok"], false);
    assert_eq!(verdict.exit_code(), 1);
    assert_eq!(verdict.says, "Approvals of checkout-2 say something else. 1 more found.");
}

/// Each row: what is done to a ledger of 20 with checkpoints at 6, 12 and 18, and what is found with and without them.
#[test]
fn every_way_to_tamper_is_detected_and_named() {
    type Attack = (&'static str, fn(&mut Pretend), Option<(u64, Damage)>, Option<(u64, Damage)>);
    let attacks: &[Attack] = &[
        ("edit", |s| s.edit(9, "approve", "object"), Some((9, Damage::Edited)), Some((9, Damage::Edited))),
        (
            "edit, still the same length and not canonical",
            |s| s.edit(9, "\"v\":1", "\"v\":01"),
            Some((9, Damage::Edited)),
            Some((9, Damage::Edited)),
        ),
        (
            "edit and leaf",
            |s| {
                s.edit(9, "approve", "object");
                s.releaf(9);
            },
            Some((9, Damage::Edited)),
            Some((9, Damage::Edited)),
        ),
        (
            "edit and leaf of the first",
            |s| {
                s.edit(1, "approve", "object");
                s.releaf(1);
            },
            Some((1, Damage::Edited)),
            Some((1, Damage::Edited)),
        ),
        (
            "edit and leaf of the last",
            |s| {
                s.edit(20, "approve", "object");
                s.releaf(20);
            },
            Some((20, Damage::Edited)),
            Some((20, Damage::Edited)),
        ),
        (
            "edit of what it follows from",
            |s| {
                let p = s.rows[7].2.clone();
                s.edit(9, &p, &"0".repeat(64));
                s.releaf(9);
            },
            Some((9, Damage::Edited)),
            Some((9, Damage::Edited)),
        ),
        (
            "edit of the number",
            |s| {
                s.edit(9, "\"seq\":9", "\"seq\":15");
                s.releaf(9);
            },
            Some((9, Damage::Edited)),
            Some((9, Damage::Edited)),
        ),
        (
            "edit of the time",
            |s| {
                s.edit(9, "1800000009000", "1700000009000");
                s.releaf(9);
            },
            Some((9, Damage::Backdated)),
            Some((9, Damage::Backdated)),
        ),
        ("delete in the middle", |s| drop(s.rows.remove(8)), Some((9, Damage::Missing)), Some((9, Damage::Missing))),
        ("delete the first", |s| drop(s.rows.remove(0)), Some((1, Damage::Missing)), Some((1, Damage::Missing))),
        ("delete three", |s| drop(s.rows.drain(8..11)), Some((9, Damage::Missing)), Some((9, Damage::Missing))),
        ("swap neighbours", |s| s.rows.swap(8, 9), Some((9, Damage::Reordered)), Some((9, Damage::Reordered))),
        ("swap two", |s| s.rows.swap(8, 14), Some((9, Damage::Reordered)), Some((9, Damage::Reordered))),
        (
            "put one twice",
            |s| {
                let row = s.rows[8].clone();
                s.rows.insert(9, row);
            },
            Some((10, Damage::Reordered)),
            Some((10, Damage::Reordered)),
        ),
        (
            "insert",
            |s| {
                let mut row = s.rows[8].clone();
                row.1 = row.1.replace("approve", "object");
                row.2 = Hash::leaf(row.1.as_bytes()).to_string();
                s.rows.insert(9, row);
            },
            Some((9, Damage::Forked)),
            Some((9, Damage::Forked)),
        ),
        (
            "cut the end off, head left",
            |s| s.rows.truncate(15),
            Some((16, Damage::Truncated)),
            Some((16, Damage::Truncated)),
        ),
        (
            "cut the end off, all recomputed",
            |s| {
                s.rows.truncate(15);
                s.recompute();
            },
            None,
            Some((16, Damage::Truncated)),
        ),
        (
            "put an older copy in its place",
            |s| *s = Pretend { notes: s.notes.clone(), ..Pretend::of(10) },
            None,
            Some((11, Damage::Truncated)),
        ),
        (
            "edit, all recomputed",
            |s| {
                s.edit(9, "approve", "object");
                s.recompute();
            },
            None,
            Some((7, Damage::Forked)),
        ),
        (
            "delete, all recomputed",
            |s| {
                s.rows.remove(8);
                s.recompute();
            },
            None,
            Some((7, Damage::Forked)),
        ),
        (
            "date back, all recomputed",
            |s| {
                s.edit(9, "1800000009000", "1700000009000");
                s.recompute();
            },
            Some((9, Damage::Backdated)),
            Some((9, Damage::Backdated)),
        ),
        (
            "edit behind the newest checkpoint, all recomputed",
            |s| {
                s.edit(19, "approve", "object");
                s.recompute();
            },
            None,
            None,
        ),
        (
            "edit a text",
            |s| s.rows[8].3[0].kept.as_mut().unwrap().1.push('!'),
            Some((9, Damage::Edited)),
            Some((9, Damage::Edited)),
        ),
        (
            "erase a text unrecorded",
            |s| s.rows[8].3[0].kept = None,
            Some((9, Damage::Missing)),
            Some((9, Damage::Missing)),
        ),
        ("lose a text", |s| s.rows[8].3.clear(), Some((9, Damage::Missing)), Some((9, Damage::Missing))),
        (
            "set the head back",
            |s| {
                s.head = Pretend::of(10).head;
            },
            Some((11, Damage::Projection)),
            Some((11, Damage::Projection)),
        ),
        (
            "exchange the head's frontier",
            |s| {
                s.head.frontier = Frontier::parse(20, &format!("{} {}", Hash::ZERO, Hash::ZERO)).unwrap();
            },
            Some((20, Damage::Projection)),
            Some((20, Damage::Projection)),
        ),
    ];
    for (name, attack, alone, anchored) in attacks {
        let mut store = Pretend::of(20);
        attack(&mut store);
        for (anchors, expected) in [(&[][..], alone), (&[6, 12, 18][..], anchored)] {
            let verdict = store.verify(store.trust(anchors));
            assert_eq!(bad(&verdict), expected.map(|(seq, damage)| (Some(seq), damage)), "{name}: {}", verdict.says);
            assert_eq!(verdict.exit_code(), u8::from(expected.is_some()), "{name}");
            assert!(verdict.says.ends_with('.'), "{name}: {}", verdict.says);
        }
    }
}

#[test]
fn stored_nodes_that_speak_of_another_ledger_are_named() {
    let store = Pretend::of(21);
    let mut verifier = Verifier::new(store.trust(&[])).with_nodes();
    let mut nodes = store.nodes.iter().peekable();
    for (seq, bytes, leaf, _) in &store.rows {
        verifier.push(&Row { seq: *seq, bytes, leaf, columns: None, texts: None });
        while let Some(node) = nodes.next_if(|node| node.at.full_at() <= *seq) {
            verifier.push_node(*node);
        }
    }
    assert!(verifier.finish(Some(&store.head), None).ok);
    let mut forged = store.clone();
    forged.edit(9, "approve", "object");
    let nodes = forged.nodes.clone();
    forged.recompute();
    forged.nodes = nodes;
    let mut verifier = Verifier::new(store.trust(&[])).with_nodes();
    for (seq, bytes, leaf, _) in &forged.rows {
        verifier.push(&Row { seq: *seq, bytes, leaf, columns: None, texts: None });
    }
    forged.nodes.iter().for_each(|node| verifier.push_node(*node));
    assert_eq!(bad(&verifier.finish(Some(&forged.head), None)), Some((Some(9), Damage::Forked)));
}

#[test]
fn columns_that_say_something_else_are_named() {
    let store = Pretend::of(2);
    let columns = |kind| {
        let mut verifier = Verifier::new(store.trust(&[]));
        for (seq, bytes, leaf, _) in &store.rows {
            let plan = format!("checkout-{seq}");
            let columns = Some(Columns { at: at(*seq), kind, plan: Some(&plan) });
            verifier.push(&Row { seq: *seq, bytes, leaf, columns, texts: None });
        }
        verifier.finish(Some(&store.head), None)
    };
    assert!(columns("word.given").ok);
    assert_eq!(bad(&columns("word.withdrawn")), Some((Some(1), Damage::Projection)));
}

#[test]
fn a_checkpoint_that_was_altered_or_signed_by_a_stranger_leaves_doubt() {
    let store = Pretend::of(5);
    let note = store.notes[4].note.replace("\n5\n", "\n6\n");
    let stranger = Checkpoint::of(&store.head).sign(&[&SecretKey::generate(&origin(), [9; 32])]);
    let elsewhere = Origin::parse("elsewhere.example/x/1").unwrap();
    let other = Checkpoint { origin: elsewhere.clone(), size: 5, root: Hash::ZERO };
    let other = other.sign(&[&SecretKey::generate(&elsewhere, [1; 32])]);
    for (note, says) in [(note, "altered"), (stranger, "did not name"), (other, "another ledger")] {
        let mut trust = store.trust(&[]);
        trust.anchors.push(SignedCheckpoint::parse(&note).unwrap());
        let verdict = store.verify(trust);
        assert_eq!((verdict.exit_code(), bad(&verdict)), (2, None));
        assert!(verdict.says.contains(says), "{}", verdict.says);
    }
}

#[test]
fn an_erased_text_leaves_the_ledger_sound_if_an_entry_says_so() {
    let mut store = Pretend::of(3);
    store.rows[1].3[0].kept = None;
    store.append(Entry::texts_erased(at(4), Actor::user("console", "try", "lin").person("lin"), 2, &["why"]));
    let verdict = store.verify(store.trust(&[]));
    assert!(verdict.ok, "{verdict:?}");
    assert_eq!(verdict.texts, TextCount { checked: 2, erased: 1 });
}

#[test]
fn a_restore_opens_an_epoch_and_stays_visible() {
    let whole = Pretend::of(10);
    let mut store = Pretend::of(6);
    let operator = || Entry::new(Kind::LOG_RESTORED, at(11), Actor::user("cli", "host", "lin").person("lin"));
    let lost = Some((10, whole.head.root()));
    let appended = store.head.restore(lost, operator()).unwrap();
    store.keep(appended);
    (12..20).for_each(|n| store.append(word(n)));
    let trust = |size: u64| Trust {
        keys: vec![key().public(1)],
        anchors: vec![whole.notes[usize::try_from(size).unwrap() - 1].clone(), store.notes[8].clone()],
        tolerance: 0,
    };
    for size in [4, 6, 8, 10] {
        let verdict = store.verify(trust(size));
        assert!(verdict.ok, "{size}: {verdict:?}");
        assert_eq!(verdict.epochs.len(), 2);
        assert_eq!(verdict.remarks, ["Epoch 2 began with a restore that lost entries 7 to 10 of epoch 1."]);
    }
    let mut silent = Pretend::of(6);
    let appended = silent.head.restore(None, operator()).unwrap();
    silent.keep(appended);
    (12..20).for_each(|n| silent.append(word(n)));
    let verdict = silent.verify(Trust { anchors: vec![whole.notes[9].clone()], ..silent.trust(&[]) });
    assert_eq!(bad(&verdict), Some((Some(7), Damage::Truncated)), "a restore that hides what it lost");
}

#[test]
fn a_rotated_key_is_followed_from_the_old_one() {
    let new = SecretKey::generate(&origin(), [2; 32]);
    let mut store = Pretend::of(3);
    store.append(key().rotate(&new, &origin(), at(4), Actor::system("keys")));
    store.append(word(5));
    let note = Checkpoint::of(&store.head).sign(&[&new]);
    let mut trust = store.trust(&[3]);
    trust.anchors.push(SignedCheckpoint::parse(&note).unwrap());
    let verdict = store.verify(trust);
    assert_eq!((verdict.ok, verdict.last_anchor), (true, Some(5)), "{verdict:?}");
}

#[test]
fn a_clock_that_steps_back_does_not_turn_the_ledger_back() {
    let mut store = Pretend::of(3);
    store.append(Entry { at: at(1), ..word(4) });
    let record = Record::parse(&store.rows[3].1).unwrap();
    assert_eq!((record.at, record.clock), (at(3).ms(), Some(at(1).ms())));
    assert!(store.verify(store.trust(&[4])).ok);
}

#[test]
fn what_cannot_be_recorded_moves_nothing() {
    let mut head = Pretend::of(3).head;
    let before = head.clone();
    for unfit in [
        word(4).with("points", 0.5),
        word(4).text("why", "twice", Salt([0; 32])),
        word(4).text("reason", "a\0b", Salt([0; 32])),
        word(4).text("reason", "x".repeat(MAX_TEXT + 1), Salt([0; 32])),
        word(4).with("name with space", 1),
        word(4).with("long", "x".repeat(canonical::MAX_STRING + 1)),
        Entry { actor: Actor::default(), ..word(4) },
        Entry { actor: Actor { system: Some("watch".to_owned()), ..word(4).actor }, ..word(4) },
    ] {
        assert!(head.append(unfit).is_err());
        assert_eq!(head, before);
    }
}

#[test]
fn a_plan_is_proved_offline_and_a_forged_proof_is_not() {
    let store = Pretend::of(20);
    let mut nodes: HashMap<Place, Hash> = store.nodes.iter().map(|node| (node.at, node.hash)).collect();
    for (seq, _, leaf, _) in &store.rows {
        nodes.insert(Place { level: 0, index: seq - 1 }, leaf.parse().unwrap());
    }
    let proven = |seq: u64| {
        let bytes = store.rows[usize::try_from(seq).unwrap() - 1].1.clone();
        Proven::new(seq, bytes, 20, proof::known(&nodes)).unwrap()
    };
    let proof = Proof::new(store.notes[19].note.clone(), None, vec![proven(3), proven(17)]);
    assert_eq!(Proof::parse(&proof.json()).unwrap(), proof);
    let verdict = proof.verify(&store.trust(&[]));
    assert!(verdict.ok, "{verdict:?}");
    assert_eq!(verdict.says, "Proved: entries 3, 17 stand in the ledger as they are here, among its 20 entries.");
    let alone = Proof::new(proof.checkpoint.clone(), None, vec![proven(17)]);
    assert_eq!(Proof::parse(&alone.tlog().unwrap()).unwrap(), alone);
    assert_eq!(proof.verify(&Trust::default()).exit_code(), 2, "nobody vouches for the key");
    let mut forged = proof.clone();
    forged.entries[1].bytes = forged.entries[1].bytes.replace("approve", "object");
    assert_eq!(bad(&forged.verify(&store.trust(&[]))), Some((Some(17), Damage::Edited)));
    let forged = Proof { checkpoint: proof.checkpoint.replace("\n20\n", "\n21\n"), ..proof };
    assert_eq!(forged.verify(&store.trust(&[])).exit_code(), 1);

    for (old, new) in [(1, 20), (6, 18), (8, 16), (20, 20)] {
        let note = |n: usize| &store.notes[n - 1];
        let continuation = Continuation::new(note(old), note(new), proof::known(&nodes)).unwrap();
        assert!(continuation.verify(&store.trust(&[])).ok);
        let mut other = Pretend::new();
        (1..=20).for_each(|n| other.append(word(n + 1)));
        let forged = Continuation { from: other.notes[old - 1].note.clone(), ..continuation };
        assert_eq!(forged.verify(&store.trust(&[])).exit_code(), 1, "{old} to {new}");
    }
}

#[test]
fn an_entry_made_to_look_like_another_format_is_an_edit_until_its_leaf_agrees() {
    let mut store = Pretend::of(3);
    store.rows[1].1 = store.rows[1].1.replace("\"v\":1", "\"v\":4");
    let verdict = store.verify(store.trust(&[3]));
    assert_eq!(bad(&verdict), Some((Some(2), Damage::Edited)));
    // With its leaf recomputed it may be a newer program's; the tree and the checkpoint say that it is not.
    store.releaf(2);
    assert!(!store.verify(store.trust(&[3])).ok);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_single_changed_byte_goes_unnoticed(size in 1u64..12, row in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in 0x20u8..0x7f) {
        let mut store = Pretend::of(size);
        let row = row.index(store.rows.len());
        let bytes = &mut store.rows[row].1;
        let at = at.index(bytes.len());
        prop_assume!(bytes.as_bytes()[at] != byte);
        bytes.replace_range(at..=at, &char::from(byte).to_string());
        let verdict = store.verify(store.trust(&[size]));
        prop_assert_eq!(bad(&verdict), Some((Some(row as u64 + 1), Damage::Edited)));
        store.releaf(row + 1);
        let verdict = store.verify(store.trust(&[size]));
        prop_assert!(!verdict.ok, "with its leaf recomputed, too");
    }

    #[test]
    fn nothing_from_outside_makes_reading_panic(text in "\\PC{0,200}", junk in prop::collection::vec(any::<u8>(), 0..300)) {
        _ = SignedCheckpoint::parse(&text);
        _ = PublicKey::parse(&text);
        _ = SecretKey::parse_file(&text);
        _ = Proof::parse(&text);
        _ = Record::parse(&text);
        _ = Origin::parse(&text);
        prop_assert_eq!(export::verify(junk.as_slice(), Trust::default()).exit_code(), 2);
    }
}
