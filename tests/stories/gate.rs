//! What pipelines are told: over HTTP and by the command.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Story, said, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";
const TARGET: &str = "service=shop&environment=production";

/// Ada's plan, approved by Lin.
fn approved() -> Story {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story
}

fn started() -> Story {
    let mut story = approved();
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
    story
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("{value}")).keys().map(String::as_str).collect()
}

fn has(value: &Value, names: &[&str]) {
    for name in names {
        assert!(keys(value).contains(name), "`{name}` is missing: {value:#}");
    }
}

#[test]
fn a_plan_reads_as_the_contract_says() {
    let story = approved();
    let view = story.plan("shop-1");
    has(
        &view,
        &["plan", "revision", "brief", "flags", "blockers", "score", "windows", "mitigations", "approvals", "state"],
    );
    has(&view["plan"], &["id", "kind", "service", "environment", "version", "commit", "by", "why", "when", "rollback"]);
    assert_eq!(
        (&view["plan"]["id"], &view["plan"]["kind"], &view["revision"], &view["state"]),
        (&json!("shop-1"), &json!("release"), &json!(1), &json!("approved"))
    );
    assert!(view["brief"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(view["plan"]["commit"].as_str().unwrap().len(), 40);
    for flag in view["flags"].as_array().unwrap() {
        has(flag, &["code", "level", "says", "because", "points", "of", "would_help"]);
        for because in flag["because"].as_array().unwrap() {
            has(because, &["source", "says", "link", "at"]);
            assert!(because["at"].as_str().unwrap().ends_with('Z'), "{because}");
        }
    }
    has(&view["score"], &["value", "band", "confidence", "rate", "model"]);
    assert!(["low", "moderate", "elevated", "high"].contains(&view["score"]["band"].as_str().unwrap()));
    assert!(["good", "fair", "poor"].contains(&view["score"]["confidence"].as_str().unwrap()));
    let windows = view["windows"].as_array().unwrap();
    assert!(!windows.is_empty());
    for window in windows {
        has(window, &["start", "end", "score", "reasons"]);
        assert!(window["start"].as_str().unwrap().ends_with('Z') && window["reasons"][0].is_string(), "{window}");
    }
    for mitigation in view["mitigations"].as_array().unwrap() {
        has(mitigation, &["says", "delta"]);
    }
    has(&view["approvals"], &["needed", "given", "eligible"]);
    assert!(view["approvals"]["needed"][0].is_string() && view["approvals"]["eligible"][0].is_string());
    has(&view["approvals"]["given"][0], &["by", "role", "at", "brief"]);
    assert_eq!(view["approvals"]["given"][0]["brief"], view["brief"]);
}

#[test]
fn the_gates_answer_reads_as_the_contract_says_with_a_proof() {
    let story = started();
    let gate = story.gate("plan=shop-1");
    has(
        &gate,
        &["verdict", "approved", "plan", "brief", "reasons", "approvals", "needed", "schema", "checkpoint", "proof"],
    );
    assert_eq!(
        (&gate["verdict"], &gate["approved"], &gate["plan"], &gate["schema"]),
        (&json!("approved"), &json!(true), &json!("shop-1"), &json!(1))
    );
    assert_eq!(gate["brief"], story.plan("shop-1")["brief"]);
    has(&gate["reasons"][0], &["code", "says"]);
    has(&gate["approvals"][0], &["by", "role", "at"]);
    assert_eq!((&gate["approvals"][0]["by"], &gate["approvals"][0]["role"]), (&json!("lin"), &json!("lead")));
    assert!(gate["checkpoint"].as_str().unwrap().contains("\n\n"), "a signed note: {gate}");
    assert!(!gate["proof"].is_null());
    // Waiting answers carry the checkpoint too.
    assert!(story.gate("service=shop&environment=staging&version=v1.0.0")["checkpoint"].is_string());
}

#[test]
fn every_answer_is_signed_and_proved_with_the_public_key_alone() {
    let mut story = Story::begin(&settings());
    let mut answers = vec![story.gate(&format!("{TARGET}&version=v1.1.0"))];
    story.says("ada", PLAN);
    answers.push(story.gate("plan=shop-1"));
    answers.push(story.gate(&format!("plan=shop-1&commit={}", "0".repeat(40))));
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    answers.push(story.gate("plan=shop-1"));
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
    answers.push(story.gate(&format!("{TARGET}&version=v1.1.0&rollback=1")));
    answers.push(story.gate("plan=shop-1"));
    let verdicts: Vec<&str> = answers.iter().map(|answer| answer["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["unknown", "waiting", "stale", "not-started", "approved", "approved"]);
    let key = story.get("/api/ledger")["key"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("public-key.txt"), format!("{key}\n")).unwrap();
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_ledger.py");
    let page = include_str!("../../docs/audit.md");
    let section = page.split("### A gate's answer").nth(1).unwrap().split("\n## ").next().unwrap();
    let by_hand = section.split("```sh\n").nth(2).unwrap().split("```").next().unwrap();
    // What Tidegate, the independent verifier and openssl say of an answer.
    let judged = |answer: &Value| {
        std::fs::write(folder.path().join("answer.json"), answer.to_string()).unwrap();
        let run = |program: &str, arguments: &[&str]| {
            let done = std::process::Command::new(program).args(arguments).current_dir(folder.path()).output().unwrap();
            (done.status.code().unwrap(), String::from_utf8_lossy(&done.stdout).into_owned())
        };
        let own = run(env!("CARGO_BIN_EXE_tidegate"), &["audit", "verify", "answer.json", "--key", "public-key.txt"]);
        let other = run("python3", &[script.to_str().unwrap(), "answer.json", "--key", &key]);
        assert_eq!(own.0, other.0, "{own:?} {other:?}");
        (own.0, own.1, run("bash", &["-e", "-o", "pipefail", "-c", by_hand]))
    };
    for answer in &answers {
        let (code, says, (by_hand, shown)) = judged(answer);
        assert_eq!((code, by_hand), (0, 0), "{says} {shown}");
        let statement: Value = serde_json::from_str(shown.lines().last().unwrap()).unwrap();
        has(
            &statement,
            &["v", "at", "asked", "verdict", "approved", "enforced", "reasons", "instance", "size", "root"],
        );
        assert_eq!((&statement["verdict"], &statement["brief"]), (&answer["verdict"], &answer["brief"]));
        assert!(says.contains(&format!("said {} ", answer["verdict"].as_str().unwrap())), "{says}");
    }
    let statement: Value =
        serde_json::from_str(answers[1]["signed"].as_str().unwrap().lines().nth(1).unwrap()).unwrap();
    assert_eq!(
        (&statement["plan"], &statement["revision"], &statement["environment"]),
        (&json!("shop-1"), &json!(1), &json!("production"))
    );
    assert_eq!(
        (&statement["reasons"], &statement["asked"]),
        (&json!(["approval.missing"]), &json!({ "plan": "shop-1" }))
    );
    // A no that somebody would like to have been a yes.
    let mut forged = answers[1].clone();
    forged["verdict"] = json!("approved");
    assert_eq!((judged(&forged).0, judged(&forged).2.0), (1, 0), "the note is sound, the answer around it is not");
    forged["signed"] = json!(forged["signed"].as_str().unwrap().replace("waiting", "approved"));
    assert_eq!((judged(&forged).0, judged(&forged).2.0), (1, 1));
    let other = story.gate("plan=shop-1");
    let mut swapped = answers[1].clone();
    swapped["signed"] = other["signed"].clone();
    assert_eq!(judged(&swapped).0, 1, "another answer's signature");
}

#[test]
fn the_gate_is_asked_by_service_environment_and_version_or_commit() {
    let story = started();
    let commit = story.plan("shop-1")["plan"]["commit"].as_str().unwrap().to_owned();
    let other = "0123456789abcdef0123456789abcdef01234567";
    let ask = |query: &str| said(&story.gate(&format!("{TARGET}&{query}")));
    let none = ("unknown".to_owned(), vec!["plan.none".to_owned()]);
    assert_eq!(ask("version=v1.1.0").0, "approved");
    assert_eq!(ask(&format!("version=v1.1.0&commit={commit}")).0, "approved");
    assert_eq!(ask(&format!("commit={commit}")).0, "approved");
    assert_eq!(ask(&format!("commit={}", &commit[..12])).0, "approved");
    assert_eq!(ask(&format!("version={commit}")).0, "approved");
    assert_eq!(ask(&format!("version=v1.1.0&commit={other}")), ("stale".to_owned(), vec!["commit.differs".to_owned()]));
    assert_ne!(ask(&format!("version=v1.1.0&commit={}", &commit[..3])).0, "approved");
    assert_eq!(ask("version=v1.0.0"), none);
    assert_eq!(ask("version=V1.1.0"), none);
    assert_eq!(ask(&format!("commit={other}")), none);
    assert_eq!(said(&story.gate("plan=shop-9")), none);
    assert_eq!(said(&story.gate("service=shop&environment=staging&version=v1.1.0")), none);
    assert_eq!(said(&story.gate("plan=shop-1&version=v1.0.0")).1, ["target.differs"]);
    assert_eq!(said(&story.gate("plan=shop-1&environment=staging")).1, ["target.differs"]);
    assert_eq!(said(&story.gate("plan=SHOP-1")).0, "approved");
}

#[test]
fn a_question_that_does_not_read_is_said_and_no_verdict() {
    let story = Story::begin(&settings());
    for query in ["", "?service=shop", "?plan=shop-1&wait=soon", "?plan=shop-1&pplan=x"] {
        let (status, answer) = story.call("GET", &format!("/api/gate{query}"), None);
        assert_eq!((status, &answer["error"]["code"]), (400, &json!("bad-request")), "{query}: {answer}");
    }
}

#[test]
fn a_wrong_token_is_refused_and_a_right_one_is_not() {
    let story = Story::begin(&settings());
    for path in ["/api/gate?plan=shop-1", "/api/plans", "/api/plans/shop-1", "/api/ledger"] {
        assert_eq!(story.status_with(path, "wrong"), 401, "{path}");
        assert_ne!(story.status_with(path, "story-token"), 401, "{path}");
    }
    assert_eq!(story.status_with("/api/gate?plan=shop-1", "story-token"), 200);
    assert_eq!(story.call("GET", "/api/gates", None).0, 404);
}

#[test]
fn a_token_speaks_for_its_own_services_and_purposes() {
    let narrow = settings()
        + "[service.till]\nrepository = \"code\"\n[[gate.tokens]]\nname = \"till\"\ntoken = { value = \"till-token\" }\nmay = [\"gate\"]\nservices = [\"till\"]\n";
    let mut story = Story::begin(&narrow);
    story.says("ada", PLAN);
    assert_eq!(story.status_with("/api/gate?plan=shop-1", "till-token"), 401);
    assert_eq!(story.status_with("/api/plans/shop-1", "till-token"), 401);
    assert_eq!(story.status_with("/api/gate?service=till&environment=production&version=v1.1.0", "till-token"), 200);
}

#[test]
fn a_flag_plan_is_found_by_the_digest_of_its_change() {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop production --kind flag --set new-greeting=on --set limit=5 --why PAY-1 --risk low --rollback \"set it off\"");
    let view = story.plan("shop-1");
    assert_eq!(
        (&view["plan"]["kind"], &view["plan"]["commit"], &view["plan"]["version"]),
        (&json!("flag"), &Value::Null, &Value::Null)
    );
    assert_eq!(view["plan"]["after"], json!({ "new-greeting": "on", "limit": "5" }));
    has(&view["plan"], &["before"]);
    let digest = view["plan"]["change"].as_str().unwrap().to_owned();
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["state"], "approved", "{}", story.whispered_to("lin"));
    let gate = story.gate(&format!("{TARGET}&change={digest}"));
    assert_eq!((&gate["verdict"], &gate["plan"]), (&json!("not-started"), &json!("shop-1")));
    assert_eq!(
        said(&story.gate(&format!("plan=shop-1&change={}", digest.replace('a', "b").replace('1', "2")))).1,
        ["change.differs"]
    );
    assert_eq!(said(&story.gate(&format!("{TARGET}&change=sha256:00"))).1, ["plan.none"]);
    // Another value is another change: a new revision with another digest.
    story.says("ada", "/deploy amend shop-1 --set new-greeting=off");
    assert_ne!(story.plan("shop-1")["plan"]["change"], digest.as_str());
    assert_eq!(said(&story.gate(&format!("{TARGET}&change={digest}"))).1, ["plan.none"]);
}

#[test]
fn the_stated_rollback_is_part_of_what_was_started_at_any_hour() {
    let mut story = approved();
    assert_eq!(said(&story.gate("plan=shop-1&rollback=1")).0, "not-started");
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
    story.advances(14 * 3_600);
    assert_eq!(story.verdict("shop-1").0, "outside-window");
    assert_eq!(said(&story.gate("plan=shop-1&rollback=1")).0, "approved");
    assert_eq!(said(&story.gate("plan=shop-1&rollback=1&version=v1.0.0")).0, "approved", "it brings the older version");
    assert_eq!(said(&story.gate("plan=shop-1&rollback=1&environment=staging")).1, ["target.differs"]);

    story.says("noor", "/deploy plan shop staging v1.1.0 --why PAY-1 --risk low");
    assert_eq!(said(&story.gate("plan=shop-2&rollback=1")).1, ["rollback.none"]);
}

#[test]
fn what_was_deployed_without_approval_has_no_approved_rollback() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    story.reports(&json!({ "id": "ci-1", "status": "succeeded", "service": "shop", "environment": "production", "version": "v1.1.0" }));
    assert_eq!(said(&story.gate("plan=shop-1&rollback=1")).0, "waiting");
}

#[test]
fn cancelled_and_expired_plans_are_blocked_by_their_codes() {
    let mut story = approved();
    story.says("ada", "/deploy cancel shop-1");
    assert_eq!(story.verdict("shop-1"), ("blocked".to_owned(), vec!["plan.cancelled".to_owned()]));
    story.says("ada", PLAN);
    story.advances(8 * 86_400);
    assert_eq!(story.plan("shop-2")["state"], "expired");
    assert_eq!(story.verdict("shop-2"), ("blocked".to_owned(), vec!["plan.expired".to_owned()]));
}

#[test]
fn an_old_approval_must_be_given_again() {
    let story = approved();
    let mut story = story;
    story.advances(24 * 3_600);
    assert_eq!(story.verdict("shop-1"), ("waiting".to_owned(), vec!["approval.expired".to_owned()]));
    let card = story.card();
    story.unreacts("lin", &card, "white_check_mark");
    story.reacts("lin", &card, "white_check_mark");
    assert_eq!(story.verdict("shop-1").0, "not-started");
}

#[test]
fn outside_the_allowed_window_the_gate_stays_shut_whoever_approved() {
    let mut story = approved();
    story.advances(6 * 3_600);
    assert_eq!(story.verdict("shop-1"), ("outside-window".to_owned(), vec!["timing.window".to_owned()]));
    story.says("ada", "/deploy start shop-1");
    assert!(story.whispered_to("ada").contains("outside-window"), "{}", story.whispered_to("ada"));
}

#[test]
fn a_pipeline_may_wait_for_the_yes() {
    let mut story = approved();
    let (asked, began) = (story.address.clone(), std::time::Instant::now());
    let waiting = std::thread::spawn(move || {
        tidegate::http::provide_tls();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = tidegate::http::trusted(Duration::from_secs(70)).unwrap();
            let answer = client.get(format!("{asked}/api/gate?plan=shop-1&wait=60")).send().await.unwrap();
            serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()
        })
    });
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
    let answer = waiting.join().unwrap();
    assert_eq!(answer["verdict"], "approved", "the missing confirmation is waited for too: {answer}");
    assert!(began.elapsed() < Duration::from_secs(50));
    // What can become no yes is told at once.
    story.says("noor", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"");
    story.says("noor", "/deploy cancel shop-2");
    let began = std::time::Instant::now();
    assert_eq!(story.gate("plan=shop-2&wait=30")["verdict"], "blocked");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn many_pipelines_that_ask_at_once_each_get_their_own_answer_and_proof() {
    let mut story = started();
    story.says("ada", "/deploy plan shop staging v1.1.0 --why PAY-1");
    let recorded =
        |story: &Story| story.ledger("shop-1").into_iter().filter(|entry| entry["kind"] == "gate.answered").count();
    let before = recorded(&story);
    let asked = ["plan=shop-1", "plan=shop-9", "plan=shop-2", "plan=shop-1&version=v1.0.0", TARGET];
    tidegate::http::provide_tls();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = tidegate::http::trusted(Duration::from_secs(70)).unwrap();
    let ask = async |n: usize| {
        let url = format!("{}/api/gate?{}", story.address, asked[n % asked.len()]);
        let answer = client.get(url).send().await.unwrap();
        serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()
    };
    let answers = runtime.block_on(futures::future::join_all((0..60).map(ask)));
    for (n, answer) in answers.iter().enumerate() {
        let proved = answer["proof"]["bytes"].as_str().map(|bytes| serde_json::from_str::<Value>(bytes).unwrap());
        let plan = proved.map(|entry| entry["plan"]["id"].clone());
        let (verdict, reasons) = said(answer);
        match n % asked.len() {
            0 => assert_eq!((verdict.as_str(), plan), ("approved", Some(json!("shop-1")))),
            1 => assert_eq!((reasons, plan), (vec!["plan.none".to_owned()], None)),
            2 => assert_eq!((&answer["environment"], plan), (&json!("staging"), Some(json!("shop-2")))),
            3 => assert_eq!((reasons, plan), (vec!["target.differs".to_owned()], Some(json!("shop-1")))),
            _ => assert_eq!(reasons, ["plan.none"], "neither version nor commit"),
        }
    }
    assert_eq!(recorded(&story) - before, 12, "each yes is an entry");
}

#[test]
fn the_command_tells_by_its_exit_code_and_its_json() {
    let mut story = Story::begin(&settings());
    let (code, out, err) = story.runs_with(&["gate", "shop-1", "--json"], &[], "");
    assert_eq!(code, 2, "{out}{err}");
    assert_eq!(said(&serde_json::from_str(&out).unwrap()).1, ["plan.none"]);
    story.says("ada", PLAN);
    let (code, out, err) = story.runs_with(&["gate", "shop-1"], &[], "");
    assert_eq!((code, out.as_str()), (1, ""), "words are for people: {err}");
    assert!(err.starts_with("waiting:"), "{err}");
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
    let (code, out, _) = story.runs_with(
        &["gate", "--service", "shop", "--environment", "production", "--version", "v1.1.0", "--json"],
        &[],
        "",
    );
    assert_eq!(code, 0, "{out}");
    let answer: Value = serde_json::from_str(&out).unwrap();
    has(
        &answer,
        &["verdict", "approved", "plan", "brief", "reasons", "approvals", "needed", "schema", "checkpoint", "proof"],
    );
    let (code, ..) =
        story.runs_with(&["gate", "shop-1", "--commit", "0123456789abcdef0123456789abcdef01234567"], &[], "");
    assert_eq!(code, 1);
    let (code, ..) = story.runs_with(&["gate", "shop-1", "--rollback"], &[], "");
    assert_eq!(code, 0);
    let (code, out, err) =
        story.runs_with(&["gate", "shop-1", "--json"], &[("TIDEGATE_URL", "http://127.0.0.1:9")], "");
    assert_eq!(code, 2, "unreachable cannot tell: {out}{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    let (code, _, err) = story.runs_with(&["gate"], &[], "");
    assert_eq!(code, 2, "{err}");
}

#[test]
fn the_command_opens_the_store_itself_when_no_server_runs() {
    let mut story = started();
    assert!(story.stop());
    let (code, out, err) = story.runs_with(&["gate", "shop-9", "--json"], &[], "");
    assert_eq!(code, 2, "{out}{err}");
    let (code, out, err) = story.runs_with(&["gate", "shop-1", "--json"], &[], "");
    // The machine's own clock is not the story's: whatever it says of the time, it knows the plan.
    assert!(code != 2, "{out}{err}");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["plan"], "shop-1");
}
