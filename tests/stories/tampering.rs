//! The record against hands in the database: what was changed is named, what is sound verifies, offline.

use serde_json::Value;

use crate::harness::{Story, engine, settings};

/// A plan approved by lin, and the program stopped.
fn approved_and_stopped() -> Story {
    let mut story = approved();
    assert!(story.stop(), "{}", story.log());
    story
}

fn approved() -> Story {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    for _ in 0..6 {
        story.unreacts("lin", &card, "white_check_mark");
        story.reacts("lin", &card, "white_check_mark");
    }
    story.reacts("ada", &card, "white_check_mark");
    story
}

/// What an attacker with every right does first.
pub fn without_triggers(story: &Story, statements: &str) {
    let drop = match engine().as_str() {
        "postgres" => {
            "alter table ledger_entry disable trigger user; alter table ledger_node disable trigger user; alter table ledger_head disable trigger user;"
        }
        _ => {
            "drop trigger ledger_entry_no_update; drop trigger ledger_entry_no_delete; drop trigger ledger_entry_no_gap;
              drop trigger ledger_node_no_update; drop trigger ledger_node_no_delete; drop trigger ledger_head_grows;"
        }
    };
    story.by_hand(drop).unwrap();
    story.by_hand(statements).unwrap();
    triggers_back(story);
}

/// And last, to leave no trace there.
pub fn triggers_back(story: &Story) {
    let statements = match engine().as_str() {
        "postgres" => include_str!("../../migrations/postgres/triggers.sql").to_owned(),
        _ => include_str!("../../migrations/sqlite/triggers.sql").to_owned(),
    };
    story.by_hand(&statements).unwrap();
}

/// The verdict has the six fields of the contract, with their types.
fn is_as_the_contract_says(verdict: &Value) {
    assert!(verdict["ok"].is_boolean(), "{verdict}");
    assert!(verdict["size"].is_u64(), "{verdict}");
    assert!(verdict["root"].is_string(), "{verdict}");
    assert!(verdict.get("first_bad").is_some(), "{verdict}");
    assert!(verdict.get("last_anchor").is_some(), "{verdict}");
    assert!(verdict["unanchored"].is_u64(), "{verdict}");
}

#[test]
fn an_untouched_record_is_sound() {
    let story = approved_and_stopped();
    let (code, verdict) = story.verifies(&[]);
    is_as_the_contract_says(&verdict);
    assert_eq!((code, &verdict["ok"]), (0, &Value::Bool(true)), "{verdict}");
    assert!(verdict["first_bad"].is_null());
    assert_eq!(verdict["size"].as_i64().unwrap(), story.number("select count(*) from ledger_entry"));
}

#[test]
fn a_row_changed_by_hand_is_named() {
    let story = approved_and_stopped();
    without_triggers(&story, "update ledger_entry set bytes = replace(bytes, 'lin', 'gil') where seq = 5");
    let (code, verdict) = story.verifies(&[]);
    is_as_the_contract_says(&verdict);
    assert_eq!(
        (code, verdict["first_bad"]["seq"].as_u64(), verdict["first_bad"]["damage"].as_str()),
        (1, Some(5), Some("edited")),
        "{verdict}"
    );
}

#[test]
fn a_row_taken_out_is_named() {
    let story = approved_and_stopped();
    without_triggers(&story, "delete from ledger_entry where seq = 5");
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(
        (code, verdict["first_bad"]["seq"].as_u64(), verdict["first_bad"]["damage"].as_str()),
        (1, Some(5), Some("missing")),
        "{verdict}"
    );
}

#[test]
fn the_last_ten_cut_off_show_against_a_checkpoint() {
    let mut story = approved();
    let size = story.get("/api/ledger?most=1000")["entries"].as_array().unwrap().len() as i64;
    let answer = story.get("/api/ledger?most=1");
    std::fs::write(story.folder.path().join("card.txt"), answer["checkpoint"].as_str().unwrap()).unwrap();
    assert!(story.stop());
    // The skilled one also forgets the anchors inside, sets the head back and rewrites the tables that follow.
    let keep = size - 10;
    assert!(keep > 1, "{size}");
    let leaf = story.word_in_database(&format!("select leaf from ledger_entry where seq = {keep}"));
    without_triggers(
        &story,
        &format!(
            "delete from ledger_entry where seq > {keep}; delete from ledger_text where seq > {keep}; delete from ledger_anchor; update ledger_head set size = {keep}, leaf = '{leaf}' where id = 1"
        ),
    );
    let (code, verdict) = story.verifies(&["--checkpoint", "card.txt"]);
    is_as_the_contract_says(&verdict);
    assert_eq!(code, 1, "{verdict}");
    let damages: Vec<&str> =
        verdict["findings"].as_array().unwrap().iter().filter_map(|f| f["damage"].as_str()).collect();
    assert!(damages.contains(&"truncated"), "{verdict}");
}

#[test]
fn the_last_ten_cut_off_and_everything_else_set_right_is_truncated() {
    // Nothing but refused words at the end: no table follows from them, so only the checkpoint can tell.
    let mut story = approved();
    let card = story.card();
    story.get("/api/ledger?most=1");
    let before = frontier_and_size(&story);
    let seal = story.word_in_database("select seal from ledger_head");
    for _ in 0..10 {
        story.reacts("ada", &card, "white_check_mark");
    }
    // Long enough for a checkpoint to be copied outside.
    story.advances(60);
    let answer = story.get("/api/ledger?most=1");
    std::fs::write(story.folder.path().join("card.txt"), answer["checkpoint"].as_str().unwrap()).unwrap();
    assert!(story.stop());
    let (size, frontier, leaf) = before;
    assert_eq!(story.number("select size from ledger_head"), size + 10);
    without_triggers(
        &story,
        &format!(
            "delete from ledger_entry where seq > {size}; delete from ledger_text where seq > {size}; delete from ledger_anchor;
             delete from ledger_node where ((pos + 1) << cast(level as integer)) > {size};
             update ledger_head set size = {size}, leaf = '{leaf}', frontier = '{frontier}', seal = '{seal}' where id = 1"
        ),
    );
    let file = story.data().join("checkpoints.txt");
    std::fs::rename(&file, file.with_extension("away")).unwrap();
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 0, "without a checkpoint nobody can tell: {verdict}");
    std::fs::rename(file.with_extension("away"), &file).unwrap();
    let (code, verdict) = story.verifies(&["--checkpoint", "card.txt"]);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("truncated")), "{verdict}");
    // And it is not gone on with: the anchor file is ahead.
    let (code, says) =
        story.refuses_to_start(&["try", "--config", "tidegate.toml", "--data", "data", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, 2, "{says}");
    assert!(says.contains("cut off") && says.trim().lines().count() == 1, "{says}");
}

fn frontier_and_size(story: &Story) -> (i64, String, String) {
    (
        story.number("select size from ledger_head"),
        story.word_in_database("select frontier from ledger_head"),
        story.word_in_database("select leaf from ledger_head"),
    )
}

#[test]
fn an_approval_written_into_the_table_is_a_projection_without_an_entry() {
    let story = approved_and_stopped();
    story
        .by_hand(
            "insert into word (id, plan, revision, brief, kind, person, role, platform, at)
             select 'forged', id, revision, 'sha256:0', 'approve', 'grace', 'vp-engineering', 'console', changed_at from plan",
        )
        .unwrap();
    let (code, verdict) = story.verifies(&[]);
    is_as_the_contract_says(&verdict);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("projection")), "{verdict}");
    assert!(verdict["says"].as_str().unwrap().contains("grace"), "{verdict}");
}

#[test]
fn a_role_raised_in_the_table_is_a_projection() {
    let story = approved_and_stopped();
    story.by_hand("update word set role = 'vp-engineering' where person = 'lin'").unwrap();
    let (code, verdict) = story.verifies(&[]);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("projection")), "{verdict}");
}

/// What the forgeries below touch, as one text.
fn tables(story: &Story) -> String {
    let of_revisions = "select max(advice) || max(facts) || max(plan_body) || max(brief) || count(*) || coalesce(max(commit_sha), '') from revision";
    story.word_in_database(of_revisions)
        + &story.word_in_database("select max(body) from plan")
        + &story.word_in_database("select cast(max(at) as varchar(20)) from word")
}

/// Mutant that this catches: a `verify` that reads the revisions' own `brief` column instead of hashing what is stored.
#[test]
fn a_stored_brief_changed_by_hand_is_named_with_its_plan_and_revision() {
    let story = approved_and_stopped();
    let whole = "delete from revision; insert into revision select * from kept_revision;
        delete from word; insert into word select * from kept_word; update plan set body = (select body from kept_plan)";
    story
        .by_hand(
            "create table kept_revision as select * from revision; create table kept_word as select * from word;
             create table kept_plan as select * from plan",
        )
        .unwrap();
    let forgeries = [
        // The needs, from which the gate counts.
        ("update revision set advice = replace(advice, '\"count\":1', '\"count\":0')", "plan, facts or advice"),
        ("update revision set advice = replace(advice, '\"unknown\"', '\"pass\"')", "plan, facts or advice"),
        ("update revision set facts = replace(facts, 'v1.0.0', 'v1.0.1')", "plan, facts or advice"),
        ("update revision set facts = substr(facts, 1, length(facts) - 1) || ',\"added\":1}'", "plan, facts or advice"),
        ("update revision set facts = 'nonsense'", "plan, facts or advice"),
        ("update revision set plan_body = replace(plan_body, 'PAY-1', 'PAY-2')", "plan, facts or advice"),
        ("update revision set brief = 'sha256:0'", "hash"),
        ("update revision set commit_sha = 'f00d'", "commit"),
        ("update plan set body = replace(body, 'v1.1.0', 'v1.1.1')", "plan itself"),
        ("delete from revision", "the store lacks"),
        (
            "insert into revision select plan, 2, at, brief, commit_sha, plan_body, facts, advice, score, reason from revision",
            "no entry made",
        ),
        ("update word set at = at + 90000000", "later than its entry"),
    ];
    for (forgery, what) in forgeries {
        let before = tables(&story);
        story.by_hand(forgery).unwrap();
        let (code, verdict) = story.verifies(&[]);
        is_as_the_contract_says(&verdict);
        assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("projection")), "{forgery}: {verdict}");
        let says = verdict["findings"].to_string();
        assert!(says.contains("shop-1") && says.contains("revision") && says.contains(what), "{forgery}: {says}");
        story.by_hand(whole).unwrap();
        let after = tables(&story);
        assert_eq!(before, after, "not set right after: {forgery}");
    }
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 0, "{verdict}");
}

/// An amended plan differs from its newest brief until the next one, and many revisions are many hashes.
#[test]
fn a_plan_with_many_revisions_and_one_that_was_amended_last_verify() {
    let mut story = approved();
    for i in 2..5 {
        story.says("ada", &format!("/deploy amend shop-1 --why PAY-{i}"));
        let verdict = story.get("/api/ledger/verify");
        assert_eq!(verdict["ok"], true, "{verdict}");
    }
    assert_eq!(story.number("select count(*) from revision"), 4);
    story.says("ada", "/deploy cancel shop-1");
    assert!(story.stop());
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 0, "{verdict}");
    // An older revision is as bound as the newest.
    story.by_hand("update revision set facts = replace(facts, 'v1.0.0', 'v1.0.1') where number = 2").unwrap();
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 1, "{verdict}");
    assert!(verdict["says"].as_str().unwrap().contains("revision 2 of `shop-1`"), "{verdict}");
}

#[test]
fn a_trigger_dropped_is_named() {
    let story = approved_and_stopped();
    let statement = match engine().as_str() {
        "postgres" => "drop trigger ledger_entry_no_gap on ledger_entry",
        _ => "drop trigger ledger_entry_no_gap",
    };
    story.by_hand(statement).unwrap();
    let (code, verdict) = story.verifies(&[]);
    is_as_the_contract_says(&verdict);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("trigger")), "{verdict}");
    assert!(verdict["first_bad"]["seq"].is_null());
    assert!(verdict["says"].as_str().unwrap().contains("ledger_entry_no_gap"), "{verdict}");
}

#[test]
fn a_trigger_changed_is_named() {
    let story = approved_and_stopped();
    let statement = match engine().as_str() {
        "postgres" => {
            "create or replace function ledger_refuse() returns trigger language plpgsql as $$ begin return new; end $$"
        }
        _ => {
            "drop trigger ledger_entry_no_update; create trigger ledger_entry_no_update before update on ledger_entry begin select 1; end"
        }
    };
    story.by_hand(statement).unwrap();
    let (code, verdict) = story.verifies(&[]);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("trigger")), "{verdict}");
}

#[test]
fn a_trigger_that_was_disabled_is_named() {
    if engine() != "postgres" {
        return;
    }
    let story = approved_and_stopped();
    story.by_hand("alter table ledger_entry disable trigger ledger_entry_no_change").unwrap();
    let (code, verdict) = story.verifies(&[]);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("trigger")), "{verdict}");
}

#[test]
fn a_changed_tree_and_a_changed_text_are_named() {
    let story = approved_and_stopped();
    let other = "0".repeat(64);
    without_triggers(&story, &format!("update ledger_node set hash = '{other}' where level = 1 and pos = 1"));
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 1, "{verdict}");
    assert!(!verdict["first_bad"].is_null(), "{verdict}");

    let story = approved_and_stopped();
    without_triggers(&story, "update ledger_node set hash = 'nonsense' where level = 1 and pos = 1");
    assert_eq!(story.verifies(&[]).0, 1);

    let story = approved_and_stopped();
    story.by_hand("update ledger_text set body = 'never said' where name = 'why'").unwrap();
    let (code, verdict) = story.verifies(&[]);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("edited")), "{verdict}");
}

#[test]
fn the_database_itself_refuses_to_change_the_record() {
    let story = approved_and_stopped();
    let row = "(2, 0, 'plan.made', null, '{}', 'x')";
    let replace = match engine().as_str() {
        "postgres" => format!(
            "insert into ledger_entry (seq, at, kind, plan, bytes, leaf) values {row} on conflict (seq) do update set bytes = 'x'"
        ),
        _ => format!("insert or replace into ledger_entry (seq, at, kind, plan, bytes, leaf) values {row}"),
    };
    let mut attempts = vec![
        "update ledger_entry set bytes = 'x' where seq = 2".to_owned(),
        "delete from ledger_entry where seq = 2".to_owned(),
        replace,
        "insert into ledger_entry (seq, at, kind, plan, bytes, leaf) values (900, 0, 'plan.made', null, '{}', 'x')"
            .to_owned(),
        "update ledger_node set hash = 'x'".to_owned(),
        "delete from ledger_node".to_owned(),
        "update ledger_head set size = size - 1".to_owned(),
        "delete from ledger_head".to_owned(),
    ];
    if engine() == "postgres" {
        attempts.push("truncate ledger_entry".to_owned());
        attempts.push("set session_replication_role = replica; delete from ledger_entry where seq = 2".to_owned());
    } else {
        attempts.push("insert or replace into ledger_node (level, pos, hash) values (1, 0, 'x')".to_owned());
    }
    for attempt in attempts {
        let refused = story.by_hand(&attempt).expect_err(&attempt);
        assert!(refused.contains("append-only") || refused.contains("one at a time"), "{attempt}: {refused}");
    }
    assert_eq!(story.verifies(&[]).0, 0);
}

#[test]
fn an_export_is_verified_elsewhere_by_two_programs() {
    let story = approved_and_stopped();
    let (code, export, _) = story.runs(&["audit", "export", "--config", "tidegate.toml", "--data", "data"]);
    assert_eq!(code, 0);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("ledger.jsonl");
    std::fs::write(&file, &export).unwrap();
    let file = file.display().to_string();
    let key = serde_json::from_str::<Value>(export.lines().next().unwrap()).unwrap();
    let key = key["key"].as_str().unwrap_or_else(|| panic!("the export names no key: {key}")).to_owned();
    let (code, verdict) = story.verified(&["audit", "verify", &file, "--key", &key]);
    is_as_the_contract_says(&verdict);
    assert_eq!((code, &verdict["ok"]), (0, &Value::Bool(true)), "{verdict}");

    let python = |file: &str| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_ledger.py");
        std::process::Command::new("python3").args([script, file]).output().unwrap()
    };
    let done = python(&file);
    assert!(done.status.success(), "{done:?}");

    std::fs::write(&file, export.replacen("\\\"lin\\\"", "\\\"gil\\\"", 1)).unwrap();
    let (code, verdict) = story.verified(&["audit", "verify", &file, "--key", &key]);
    assert_eq!((code, verdict["first_bad"]["damage"].as_str()), (1, Some("edited")), "{verdict}");
    assert_eq!(python(&file).status.code(), Some(1));
}

#[test]
fn a_gates_answer_is_proof_by_itself() {
    let mut story = approved();
    let mut answer = story.gate("service=shop&environment=production&version=v1.1.0");
    assert!(answer["proof"].is_object(), "{answer}");
    let key = story.get("/console/api/about")["instance"].as_str().unwrap().to_owned();
    assert!(story.stop());
    let file = story.folder.path().join("answer.json");
    std::fs::write(&file, answer.to_string()).unwrap();
    // Nobody says whose signature to believe.
    assert_eq!(story.verified(&["audit", "verify", "answer.json"]).0, 2);
    assert_eq!(story.verified(&["audit", "verify", "answer.json", "--data", "data"]).0, 0);
    let (code, verdict) = story.verified(&["audit", "verify", "answer.json", "--key", &key]);
    is_as_the_contract_says(&verdict);
    assert_eq!(code, 0, "{verdict}");

    let bytes = answer["proof"]["entry"].as_str().or(answer["proof"]["bytes"].as_str()).map(str::to_owned);
    let bytes = bytes.unwrap_or_else(|| panic!("{}", answer["proof"]));
    let field = if answer["proof"]["entry"].is_string() { "entry" } else { "bytes" };
    answer["proof"][field] = Value::String(bytes.replacen("shop", "shup", 1));
    std::fs::write(&file, answer.to_string()).unwrap();
    assert_eq!(story.verified(&["audit", "verify", "answer.json", "--key", &key]).0, 1);
}

#[test]
fn verifying_while_people_work_finds_nothing() {
    if !crate::harness::stage::is_console() {
        return;
    }
    let story = approved();
    let address = story.address.clone();
    let card = story.card();
    let busy = std::thread::spawn(move || {
        for i in 0..30 {
            let body = serde_json::json!({ "user": "lin", "message": card, "reaction": "white_check_mark", "remove": i % 2 == 0 });
            assert!(crate::harness::faults::acknowledged(&address, "/console/api/react", &body));
        }
    });
    let mut looks = 0;
    while !busy.is_finished() || looks < 3 {
        let verdict = story.get("/api/ledger/verify");
        assert_eq!(verdict["ok"], true, "{verdict}");
        looks += 1;
    }
    busy.join().unwrap();
    story.settle();
}

#[test]
fn what_is_no_ledger_cannot_be_told() {
    let story = approved_and_stopped();
    std::fs::write(story.folder.path().join("noise"), "neither this nor that\n").unwrap();
    for what in ["noise", "nowhere"] {
        let (code, verdict) = story.verified(&["audit", "verify", what]);
        is_as_the_contract_says(&verdict);
        assert_eq!((code, &verdict["ok"], &verdict["first_bad"]), (2, &Value::Bool(false), &Value::Null), "{verdict}");
    }
}
