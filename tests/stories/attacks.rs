//! The attacks on the record as one table: what somebody with every right in the database (and, where it says so, with
//! the signing key) does, and what `audit verify` and the independent verifier say of it. Rows that end in "not detected"
//! are the limits, which docs/audit.md says in words.

use serde_json::Value;

use crate::harness::{Story, engine, settings};

use super::tampering::{triggers_back, without_triggers};

/// What the attacker has besides the database.
#[derive(Clone, Copy, Debug, PartialEq)]
enum With {
    /// Nothing: the checks that need nothing from outside.
    Database,
    /// The same, and the auditor has a checkpoint from before the attack.
    Checkpoint,
}

/// What is said: the damage, and the entry where that is certain.
type Said = Option<(&'static str, Option<i64>)>;

struct Attack {
    name: &'static str,
    statements: fn(&Marks) -> String,
    with: With,
    /// `tidegate audit verify` on the store.
    store: Said,
    /// Both verifiers on an export that is taken after the attack; None: sound.
    export: Said,
}

/// Places in the ledger of a story.
struct Marks {
    size: i64,
    /// The entry by which somebody approved.
    word: i64,
    /// The head as it was at some earlier time, and its seal.
    earlier: (i64, String, String, String),
}

const SET_BACK: fn(&Marks) -> String = |m| {
    let (size, leaf, frontier, seal) = &m.earlier;
    format!(
        "delete from ledger_entry where seq > {size}; delete from ledger_text where seq > {size};
         delete from ledger_node where ((pos + 1) << cast(level as integer)) > {size}; delete from ledger_anchor; delete from ledger_witness;
         update ledger_head set size = {size}, leaf = '{leaf}', frontier = '{frontier}', seal = '{seal}' where id = 1"
    )
};

fn attacks() -> Vec<Attack> {
    let edited =
        |m: &Marks| format!("update ledger_entry set bytes = replace(bytes, 'lin', 'gil') where seq = {}", m.word);
    vec![
        Attack {
            name: "change",
            statements: edited,
            with: With::Database,
            store: Some(("edited", None)),
            export: Some(("edited", None)),
        },
        Attack {
            name: "change what stands in the columns beside",
            statements: |m| format!("update ledger_entry set kind = 'word.refused' where seq = {}", m.word),
            with: With::Database,
            store: Some(("projection", None)),
            export: None,
        },
        Attack {
            name: "delete",
            statements: |m| format!("delete from ledger_entry where seq = {}", m.word),
            with: With::Database,
            store: Some(("missing", None)),
            export: Some(("missing", None)),
        },
        Attack {
            name: "insert at the end, with everything that follows recomputed",
            // Done by [`forge`]: what the attacker lacks is the key.
            statements: |_| String::new(),
            with: With::Database,
            store: Some(("forked", None)),
            export: Some(("forked", None)),
        },
        Attack {
            name: "reorder",
            statements: |m| {
                let (a, b) = (m.word, m.word + 1);
                format!(
                    "update ledger_entry set seq = -1 where seq = {a}; update ledger_entry set seq = {a} where seq = {b};
                     update ledger_entry set seq = {b} where seq = -1"
                )
            },
            with: With::Database,
            store: Some(("reordered", None)),
            export: Some(("reordered", None)),
        },
        Attack {
            name: "truncate, head and tree set right",
            statements: |m| {
                let (size, leaf, frontier, _) = &m.earlier;
                format!(
                    "delete from ledger_entry where seq > {size}; delete from ledger_text where seq > {size};
                     delete from ledger_node where ((pos + 1) << cast(level as integer)) > {size}; delete from ledger_anchor;
                     update ledger_head set size = {size}, leaf = '{leaf}', frontier = '{frontier}' where id = 1"
                )
            },
            with: With::Database,
            store: Some(("truncated", None)),
            export: Some(("truncated", None)),
        },
        Attack {
            name: "truncate to an older seal that was kept: not detected inside",
            statements: SET_BACK,
            with: With::Database,
            store: None,
            export: None,
        },
        Attack {
            name: "truncate to an older seal, a checkpoint outside",
            statements: SET_BACK,
            with: With::Checkpoint,
            store: Some(("truncated", None)),
            export: Some(("truncated", None)),
        },
        Attack {
            name: "back-date",
            statements: |m| {
                format!(
                    "update ledger_entry set at = at - 3600000, bytes = replace(bytes, '\"at\":' || at, '\"at\":' || (at - 3600000)) where seq = {}",
                    m.word
                )
            },
            with: With::Database,
            store: Some(("edited", None)),
            export: Some(("edited", None)),
        },
        Attack {
            name: "take the seal away",
            statements: |_| "update ledger_head set seal = null".to_owned(),
            with: With::Database,
            store: Some(("edited", None)),
            export: Some(("truncated", None)),
        },
        Attack {
            name: "approve by writing to the state table",
            statements: |_| {
                "insert into word (id, plan, revision, brief, kind, person, role, platform, at)
                 select 'forged', id, revision, 'sha256:0', 'approve', 'grace', 'vp-engineering', 'console', changed_at from plan"
                    .to_owned()
            },
            with: With::Database,
            store: Some(("projection", None)),
            export: None,
        },
    ]
}

/// A plan approved by lin, with what the attacks need to know, and the checkpoint that an auditor keeps.
fn story() -> (Story, Marks) {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    let word = story.number("select seq from ledger_entry where kind = 'word.given'");
    // Refused words: no table follows from them, so that only the record itself can tell that they are gone.
    story.reacts("ada", &card, "white_check_mark");
    let text = |what: &str| story.word_in_database(&format!("select {what} from ledger_head"));
    let earlier = (story.number("select size from ledger_head"), text("leaf"), text("frontier"), text("seal"));
    let mut story = story;
    for _ in 0..6 {
        story.reacts("ada", &card, "white_check_mark");
        story.unreacts("ada", &card, "white_check_mark");
    }
    let size = story.number("select size from ledger_head");
    assert!(size > earlier.0, "nothing was recorded after the kept seal: {size}");
    let note = story.get("/api/ledger?most=1")["checkpoint"].as_str().unwrap().to_owned();
    std::fs::write(story.folder.path().join("card.txt"), note).unwrap();
    assert!(story.stop());
    (story, Marks { size, word, earlier })
}

/// Appends the forged entry with the library itself, as whoever has read this program would.
fn forge(story: &Story, marks: &Marks) {
    use tidegate::ledger::{Actor, Entry, Frontier, Head, Kind, Origin, PlanRef};
    let word = |what: &str| story.word_in_database(&format!("select {what} from ledger_head"));
    let mut head = Head::new(Origin::parse(&word("origin")).unwrap());
    head.leaf = word("leaf").parse().unwrap();
    head.frontier = Frontier::parse(u64::try_from(marks.size).unwrap(), &word("frontier")).unwrap();
    head.at = tidegate::clock::Time::from_ms(story.number("select at from ledger_head"));
    let plan = PlanRef { id: "shop-1".to_owned(), revision: Some(1), ..PlanRef::default() };
    let actor = Actor::user("console", "", "grace").person("grace").role("vp-engineering");
    let entry = Entry::new(Kind::WORD_REFUSED, head.at, actor).plan(plan).verdict("approve");
    let done = head.append(entry).unwrap();
    let mut statements = format!(
        "insert into ledger_entry (seq, at, kind, plan, bytes, leaf) values ({}, {}, '{}', 'shop-1', '{}', '{}');
         update ledger_head set size = {}, leaf = '{}', frontier = '{}', at = {};",
        done.seq,
        done.at.ms(),
        done.kind,
        done.bytes,
        done.leaf,
        head.size(),
        head.leaf,
        head.frontier.text(),
        done.at.ms()
    );
    for node in &done.nodes {
        statements.push_str(&format!(
            "insert into ledger_node (level, pos, hash) values ({}, {}, '{}');",
            node.at.level, node.at.index, node.hash
        ));
    }
    story.by_hand(&statements).unwrap();
}

fn python(story: &Story, arguments: &[&str]) -> (i32, Value) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_ledger.py");
    let done = std::process::Command::new("python3")
        .arg(script)
        .args(arguments)
        .current_dir(story.folder.path())
        .output()
        .unwrap();
    let verdict = serde_json::from_slice(&done.stdout).unwrap_or_else(|e| panic!("{e}: {done:?}"));
    (done.status.code().unwrap_or(-1), verdict)
}

fn is(name: &str, said: Said, (code, verdict): (i32, Value)) {
    let expected = said.map(|(damage, _)| damage);
    assert_eq!(verdict["first_bad"]["damage"].as_str(), expected, "{name}: {verdict}");
    if let Some((_, Some(seq))) = said {
        assert_eq!(verdict["first_bad"]["seq"].as_i64(), Some(seq), "{name}: {verdict}");
    }
    assert_eq!(code, i32::from(said.is_some()), "{name}: {verdict}");
}

/// An export of a store to which its own program no longer adds: taken beside it, with the instance's key.
fn exported(story: &Story) {
    // The attacker with rights on the machine takes the copies away that lie there.
    let _ = std::fs::remove_file(story.data().join("checkpoints.txt"));
    let (code, export, errors) = story.runs(&["audit", "export", "--config", "tidegate.toml", "--data", "data"]);
    assert_eq!(code, 0, "{errors}");
    std::fs::write(story.folder.path().join("record.jsonl"), export).unwrap();
}

#[test]
fn every_attack_is_named_by_both_verifiers_and_what_is_not_detected_is_known() {
    for attack in attacks() {
        let (story, marks) = story();
        let name = attack.name;
        let key = std::fs::read_to_string(story.data().join("ledger.key")).unwrap();
        if name.starts_with("insert") {
            forge(&story, &marks);
        } else {
            without_triggers(&story, &(attack.statements)(&marks));
        }
        let outside: &[&str] = if attack.with == With::Checkpoint { &["--checkpoint", "card.txt"] } else { &[] };
        is(name, attack.store, story.verifies(outside));
        exported(&story);
        let ours = story.verified(&[&["audit", "verify", "record.jsonl", "--data", "data"], outside].concat());
        is(name, attack.export, ours);
        is(name, attack.export, python(&story, &[&["record.jsonl"], outside].concat()));
        assert_eq!(std::fs::read_to_string(story.data().join("ledger.key")).unwrap(), key);
    }
}

const SERVE: [&str; 7] = ["try", "--config", "tidegate.toml", "--data", "data", "--listen", "127.0.0.1:0"];

/// A story that stopped, its newest checkpoint, and a copy of its database from before the last approval.
fn outlived() -> (Story, String, std::path::PathBuf) {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low");
    assert!(story.stop());
    let older = story.folder.path().join("older.db");
    std::fs::copy(database(&story), &older).unwrap();
    story.start(crate::harness::MONDAY_11);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.advances(60);
    let newest = story.get("/api/ledger?most=1")["checkpoint"].as_str().unwrap().to_owned();
    assert!(story.stop());
    (story, newest, older)
}

fn database(story: &Story) -> std::path::PathBuf {
    story.data().join("tidegate.db")
}

fn put_back(story: &Story, copy: &std::path::Path) {
    std::fs::copy(copy, database(story)).unwrap();
}

/// An older copy of the whole database, in its place: nothing inside can tell, and every copy of a checkpoint can.
#[test]
fn an_older_copy_of_the_whole_database_is_found_by_any_checkpoint_outside() {
    if engine() != "sqlite" {
        return;
    }
    let (story, _, older) = outlived();
    put_back(&story, &older);
    let (code, says) = story.refuses_to_start(&SERVE);
    assert!(code == 2 && says.contains("cut off"), "{says}");
    // The file beside the store is read without being asked for.
    let (code, verdict) = story.verifies(&[]);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("truncated")), "{verdict}");
    std::fs::remove_file(story.data().join("checkpoints.txt")).unwrap();
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 0, "with every copy outside gone nobody can tell: {verdict}");
}

/// An operator goes on with an older copy because there is no newer one: on record, in a new epoch, and by nobody's mistake.
#[test]
fn a_copy_that_was_put_back_is_gone_on_with_in_a_new_epoch_that_says_what_is_lost() {
    if engine() != "sqlite" {
        return;
    }
    let (mut story, newest, older) = outlived();
    put_back(&story, &older);
    let size = story.number("select size from ledger_head");
    std::fs::write(story.folder.path().join("card.txt"), &newest).unwrap();
    let reached: i64 = newest.lines().nth(1).unwrap().parse().unwrap();
    assert!(reached > size);
    let (code, says) = story.refuses_to_start(&SERVE);
    assert!(code == 2 && says.contains("tidegate audit restore"), "{says}");
    let restore = |more: &[&str]| {
        let given = ["audit", "restore", "--config", "tidegate.toml", "--data", "data"];
        story.runs(&[&given, more].concat())
    };
    for (refused, because) in [
        (vec!["--by", "nobody", "--why", "the disk died"], "no person `nobody`"),
        (vec!["--by", "lin", "--why", " "], "Say why"),
        (vec!["--by", "lin", "--why", "x", "--checkpoint", "tidegate.toml"], "holds no checkpoint"),
    ] {
        let (code, _, says) = restore(&refused);
        assert!(code != 0 && says.contains(because), "{says}");
    }
    let (code, done, says) = restore(&["--by", "lin", "--why", "the disk died", "--checkpoint", "card.txt"]);
    assert_eq!(code, 0, "{says}");
    let done: serde_json::Value = serde_json::from_str(&done).unwrap();
    assert_eq!((&done["epoch"], &done["lost"]), (&2.into(), &(reached - size).into()), "{done}");
    assert!(says.contains("are lost"), "{says}");

    story.start(crate::harness::MONDAY_11);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved");
    story.advances(60);
    assert!(story.stop());
    let lost = format!("Epoch 2 began with a restore that lost entries {} to {reached} of epoch 1.", size + 1);
    for outside in [&[][..], &["--checkpoint", "card.txt"][..]] {
        let (code, verdict) = story.verifies(outside);
        assert_eq!(code, 0, "{verdict}");
        assert!(verdict["remarks"].as_array().unwrap().contains(&lost.as_str().into()), "{verdict}");
    }
    let ours = story.folder.path().join("ours.db");
    std::fs::copy(database(&story), &ours).unwrap();
    // The same old copy again is older than what was gone on with.
    put_back(&story, &older);
    let (code, says) = story.refuses_to_start(&SERVE);
    assert!(code == 2 && says.contains("in epoch 2"), "{says}");
    let (code, _, says) = story.runs(&[
        "audit",
        "restore",
        "--data",
        "data",
        "--config",
        "tidegate.toml",
        "--by",
        "lin",
        "--why",
        "again",
    ]);
    assert!(code != 0 && says.contains("a later copy was gone on with"), "{says}");
    put_back(&story, &ours);
    exported(&story);
    assert_eq!(python(&story, &["record.jsonl", "--checkpoint", "card.txt"]).0, 0);
}

/// Two ledgers with the same beginning: each is sound by itself, and a checkpoint of the other tells.
#[test]
fn a_fork_is_found_by_a_checkpoint_of_the_other_branch() {
    if engine() != "sqlite" {
        return;
    }
    let (mut story, _) = story();
    let (now, kept) = (story.data().join("tidegate.db"), story.folder.path().join("fork.db"));
    std::fs::copy(&now, &kept).unwrap();
    story.start(crate::harness::MONDAY_11);
    story.says("ada", "/deploy cancel shop-1");
    let note = story.get("/api/ledger?most=1")["checkpoint"].as_str().unwrap().to_owned();
    assert!(story.stop());
    std::fs::write(story.folder.path().join("other.txt"), note).unwrap();
    // The same key goes on from the copy, and further.
    std::fs::copy(&kept, &now).unwrap();
    std::fs::remove_file(story.data().join("checkpoints.txt")).unwrap();
    story.start(crate::harness::MONDAY_11);
    let card = story.card();
    for _ in 0..4 {
        story.unreacts("lin", &card, "white_check_mark");
        story.reacts("lin", &card, "white_check_mark");
    }
    assert!(story.stop());
    assert_eq!(story.verifies(&[]).0, 0);
    let (code, verdict) = story.verifies(&["--checkpoint", "other.txt"]);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("forked")), "{verdict}");
    exported(&story);
    let (code, verdict) = python(&story, &["record.jsonl", "--checkpoint", "other.txt"]);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("forked")), "{verdict}");
}

/// What somebody wrote behind the end is not vouched for: nothing is added to it.
#[test]
fn an_end_that_the_key_did_not_seal_is_not_gone_on_with() {
    let (mut story, marks) = story();
    forge(&story, &marks);
    let (code, says) =
        story.refuses_to_start(&["try", "--config", "tidegate.toml", "--data", "data", "--listen", "127.0.0.1:0"]);
    assert!(code == 2 && says.contains("not sealed by this instance's key"), "{says}");
    story.by_hand("select 1").unwrap();
    assert!(story.stop());
    triggers_back(&story);
}

#[test]
fn a_key_is_rotated_while_people_work_and_old_checkpoints_stay_good() {
    let (mut story, _) = story();
    story.start(crate::harness::MONDAY_11);
    let about = story.get("/api/ledger?most=1");
    let first = about["key"].as_str().unwrap().to_owned();
    let rotate = ["audit", "rotate", "--config", "tidegate.toml", "--data", "data", "--why", "a laptop was lost"];
    let (code, _, errors) = story.runs(&[&rotate[..], &["--by", "nobody"]].concat());
    assert!(code == 2 && errors.contains("no person"), "{errors}");
    let (code, out, errors) = story.runs(&[&rotate[..], &["--by", "lin"]].concat());
    assert_eq!(code, 0, "{errors}");
    let done: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(done["old"], first.as_str());
    let card = story.card();
    story.unreacts("lin", &card, "white_check_mark");
    story.reacts("lin", &card, "white_check_mark");
    let about = story.get("/api/ledger?most=1");
    assert_eq!((&about["key"], &about["first_key"]), (&done["new"], &Value::from(first.as_str())));
    assert_eq!(story.get("/api/ledger/verify")["ok"], true);
    std::fs::write(story.folder.path().join("later.txt"), about["checkpoint"].as_str().unwrap()).unwrap();
    assert!(story.stop());
    // The first public key and both checkpoints are all that an auditor kept.
    let kept = ["--key", &first, "--checkpoint", "card.txt", "--checkpoint", "later.txt"];
    let (code, verdict) = story.verifies(&kept);
    assert_eq!((code, &verdict["last_anchor"]), (0, &verdict["size"]), "{verdict}");
    exported(&story);
    let (code, verdict) = story.verified(&[&["audit", "verify", "record.jsonl"], &kept[..]].concat());
    assert_eq!(code, 0, "{verdict}");
    let (code, verdict) = python(&story, &[&["record.jsonl"], &kept[..]].concat());
    assert_eq!(code, 0, "{verdict}");
    // And it starts again with the new key.
    story.start(crate::harness::MONDAY_11);
    assert_eq!(story.get("/api/ledger/verify")["ok"], true);
}

#[test]
fn a_swapped_key_without_an_entry_is_named_and_not_started_with() {
    let (mut story, _) = story();
    let file = story.data().join("ledger.key");
    let kept = std::fs::read_to_string(&file).unwrap();
    let origin = tidegate::ledger::Origin::parse(&story.word_in_database("select origin from ledger_head")).unwrap();
    std::fs::write(&file, tidegate::ledger::SecretKey::generate(&origin, [9; 32]).file(&origin)).unwrap();
    let (code, says) =
        story.refuses_to_start(&["try", "--config", "tidegate.toml", "--data", "data", "--listen", "127.0.0.1:0"]);
    assert!(code == 2 && says.contains("no entry hands over"), "{says}");
    let (code, verdict) = story.verifies(&[]);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("forked")), "{verdict}");
    assert!(verdict["says"].as_str().unwrap().contains("the key was swapped"), "{verdict}");
    std::fs::write(&file, kept).unwrap();
    story.start(crate::harness::MONDAY_11);
}
