//! Proofs that leave the house, and texts that leave the record: each good or gone without anything else being touched.

use serde_json::Value;

use crate::harness::{Story, settings};

fn planned() -> Story {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop production v1.1.0 --why \"Grace Hopper asked\" --risk low");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story
}

const PLACE: [&str; 4] = ["--config", "tidegate.toml", "--data", "data"];

fn audit(story: &Story, words: &[&str]) -> (i32, String, String) {
    story.runs(&[&["audit"], words, &PLACE[..]].concat())
}

#[test]
fn a_plans_entries_and_the_way_from_an_older_checkpoint_are_proved_offline() {
    let mut story = planned();
    let about = story.get("/api/ledger?most=1");
    let first = about["first_key"].as_str().unwrap().to_owned();
    let folder = story.folder.path().to_owned();
    let file = |name: &str| folder.join(name);
    std::fs::write(file("then.txt"), about["checkpoint"].as_str().unwrap()).unwrap();
    let verify = |story: &Story, name: &str| story.verified(&["audit", "verify", name, "--key", &first]);

    let (code, proof, errors) = audit(&story, &["prove", "shop-1"]);
    assert_eq!(code, 0, "{errors}");
    std::fs::write(file("plan.json"), &proof).unwrap();
    let (code, verdict) = verify(&story, "plan.json");
    assert!(
        code == 0 && verdict["says"].as_str().unwrap().contains("stand in the ledger as they are here"),
        "{verdict}"
    );
    std::fs::write(file("forged.json"), proof.replace("\\\"lin\\\"", "\\\"gil\\\"")).unwrap();
    assert_eq!(verify(&story, "forged.json").0, 1);

    // One entry as another program knows it, by C2SP.
    let (code, proof, _) = audit(&story, &["prove", "--entry", "2", "--format", "tlog"]);
    assert!(code == 0 && proof.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{proof}");
    std::fs::write(file("entry.tlog-proof"), &proof).unwrap();
    assert_eq!(verify(&story, "entry.tlog-proof").0, 0);

    // The record went on, under another key too.
    let (code, _, errors) = audit(&story, &["rotate", "--by", "lin", "--why", "yearly"]);
    assert_eq!(code, 0, "{errors}");
    story.says("ada", "/deploy cancel shop-1");
    let (code, proof, errors) = audit(&story, &["prove", "--from", "then.txt"]);
    assert_eq!(code, 0, "{errors}");
    std::fs::write(file("since.json"), &proof).unwrap();
    let (code, verdict) = verify(&story, "since.json");
    assert!(code == 0 && verdict["says"].as_str().unwrap().contains("are unchanged"), "{verdict}");
    let mut cut: Value = serde_json::from_str(&proof).unwrap();
    cut["hashes"].as_array_mut().unwrap().pop();
    std::fs::write(file("cut.json"), cut.to_string()).unwrap();
    assert_eq!(verify(&story, "cut.json").0, 1);
    let (code, proof, _) = audit(&story, &["prove", "shop-1"]);
    std::fs::write(file("plan.json"), &proof).unwrap();
    assert_eq!((code, verify(&story, "plan.json").0), (0, 0), "the first key leads to the second");

    assert_eq!(story.call("GET", "/api/ledger/proof?plan=none-1", None).0, 404);
    assert_eq!(story.call("GET", "/api/ledger/proof", None).0, 400);
    let other = about["checkpoint"].as_str().unwrap().replacen("tidegate", "elsewhere", 2);
    let other: String = url::form_urlencoded::byte_serialize(other.as_bytes()).collect();
    assert_eq!(story.call("GET", &format!("/api/ledger/proof?from={other}"), None).0, 409);

    story.says("lin", "/deploy verify shop-1");
    let said = story.whispered_to("lin") + &story.texts();
    assert!(said.contains("shop-1: Proved: entries"), "{said}");
    // And by the store itself, when nobody runs.
    assert!(story.stop());
    let (code, proof, errors) = audit(&story, &["prove", "shop-1"]);
    std::fs::write(file("plan.json"), &proof).unwrap();
    assert_eq!((code, verify(&story, "plan.json").0), (0, 0), "{errors}");
}

#[test]
fn a_text_is_erased_on_record_and_not_under_a_hold() {
    let mut story = planned();
    let texts = |story: &Story| story.number("select count(*) from ledger_text where body = 'Grace Hopper asked'");
    let before = texts(&story);
    assert!(before > 0);
    let entry = story.number("select min(seq) from ledger_text where body = 'Grace Hopper asked'").to_string();
    let word = ["--by", "lin", "--why", "she asked us to"];
    let hold = ["hold", "add", "plan:shop-1", "--by", "grace", "--why", "a lawsuit"];
    let (code, out, errors) = audit(&story, &hold);
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("hold on plan:shop-1"), "{out}");
    let (code, _, errors) = audit(&story, &[&["erase", &entry], &word[..]].concat());
    assert!(code == 2 && errors.contains("under a hold (plan:shop-1), which grace placed"), "{errors}");
    let (code, _, errors) = audit(&story, &[&["erase", "--person", "ada"], &word[..]].concat());
    assert!(code == 2 && errors.contains("under a hold"), "{errors}");
    assert_eq!(texts(&story), before);
    let (code, out, _) = audit(&story, &["hold", "list"]);
    assert!(code == 0 && out.contains("plan:shop-1"), "{out}");
    let (code, _, errors) = audit(&story, &["hold", "lift", "plan:shop-1", "--by", "grace", "--why", "settled"]);
    assert_eq!(code, 0, "{errors}");
    let (code, out, errors) = audit(&story, &[&["erase", "--person", "ada"], &word[..]].concat());
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("What stays"), "{out}");
    let left = "select count(*) from ledger_text t join ledger_entry e on e.seq = t.seq
        where t.body = 'Grace Hopper asked' and e.kind = 'plan.made'";
    assert_eq!(story.number(left), 0);
    let verdict = story.get("/api/ledger/verify");
    assert!(verdict["ok"] == true && verdict["texts"]["erased"].as_i64() >= Some(1), "{verdict}");
    let (code, _, errors) = audit(&story, &[&["erase", &entry], &word[..]].concat());
    assert!(code == 2 && errors.contains("erased before"), "{errors}");
    // Somebody of no name may do nothing.
    let (code, _, errors) = audit(&story, &["erase", "2", "--by", "robo", "--why", "x"]);
    assert!(code == 2 && errors.contains("not a member"), "{errors}");
    assert!(story.stop());
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 0, "{verdict}");
}

#[test]
fn texts_go_when_their_time_is_over_and_what_is_held_stays() {
    let mut story = Story::begin(&format!("{}\n[ledger]\nretain-texts = \"30d\"\n", settings()));
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low");
    let kept = |story: &Story| story.number("select count(*) from ledger_text where body = 'PAY-1'");
    assert!(kept(&story) > 0);
    let (code, _, errors) = audit(&story, &["hold", "add", "service:shop", "--by", "lin", "--why", "audit"]);
    assert_eq!(code, 0, "{errors}");
    story.advances(31 * 86_400);
    story.advances(7 * 3_600);
    assert!(kept(&story) > 0, "under a hold");
    let (code, _, errors) = audit(&story, &["hold", "lift", "service:shop", "--by", "lin", "--why", "over"]);
    assert_eq!(code, 0, "{errors}");
    story.advances(7 * 3_600);
    assert_eq!(kept(&story), 0);
    let verdict = story.get("/api/ledger/verify");
    assert_eq!(verdict["ok"], true, "{verdict}");
}

#[test]
fn a_start_says_which_key_signs_and_which_clock_it_goes_by() {
    let story = planned();
    let entries = story.get("/api/ledger?from=1&most=1");
    let first: Value = serde_json::from_str(entries["entries"][0]["bytes"].as_str().unwrap()).unwrap();
    assert_eq!((&first["kind"], &first["data"]["key"]), (&"instance.started".into(), &entries["key"]), "{first}");
    let clock = &first["data"]["clock"];
    assert_eq!(clock["source"], "moved for trying");
    match crate::harness::engine().as_str() {
        "postgres" => assert!(clock["drift_ms"].as_i64().unwrap().abs() < 5_000, "{clock}"),
        _ => assert_eq!(clock["against"], "nothing"),
    }
}
