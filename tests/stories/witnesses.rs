//! Checkpoints on their way out of the house: every place gets them, one that fails is said and stops nobody.

use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::harness::{Story, settings, stage};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A log store that remembers what it was sent, and fails where it is told to.
struct LogStore {
    address: String,
    took: Arc<Mutex<Vec<Value>>>,
    broken: Arc<Mutex<bool>>,
    _runtime: tokio::runtime::Runtime,
}

impl LogStore {
    fn begin() -> LogStore {
        let (took, broken) = (Arc::<Mutex<Vec<Value>>>::default(), Arc::new(Mutex::new(false)));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("http://{}/ingest", listener.local_addr().unwrap());
        let (kept, fails) = (took.clone(), broken.clone());
        let take = move |headers: HeaderMap, body: String| async move {
            let text = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
            let (id, at, signature) = (text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"));
            let now = tidegate::clock::Time::from_ms(at.parse::<i64>().unwrap() * 1_000);
            let signed = tidegate::webhook::signature::is_signed(SECRET, &id, &at, &signature, body.as_bytes(), now);
            if *fails.lock().unwrap() || !signed {
                return StatusCode::INTERNAL_SERVER_ERROR;
            }
            kept.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            StatusCode::NO_CONTENT
        };
        let router = axum::Router::new().route("/ingest", axum::routing::post(take));
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        LogStore { address, took, broken, _runtime: runtime }
    }

    fn sizes(&self) -> Vec<u64> {
        self.took.lock().unwrap().iter().filter_map(|event| event["data"]["size"].as_u64()).collect()
    }
}

fn with_witnesses(store: &LogStore) -> Story {
    let folder = tempfile::tempdir().unwrap();
    crate::harness::repository(&folder.path().join("code.git"));
    gix::init_bare(folder.path().join("audit.git")).unwrap();
    let anchors = format!(
        r#"
[chat.console]
channels = ["deploys", "audit"]

[[ledger.anchor]]
kind = "file"
path = "checkpoints.txt"

[[ledger.anchor]]
kind = "git"
path = "{{folder}}/audit.git"

[[ledger.anchor]]
kind = "channel"
platform = "console"
channel = "audit"

[[ledger.anchor]]
kind = "webhook"
name = "log-store"
url = "{}"
secret = {{ value = "{SECRET}" }}
"#,
        store.address
    );
    Story::begin_in(folder, &format!("{}{anchors}", settings()), crate::harness::MONDAY_11)
}

fn commits(story: &Story) -> usize {
    let repository = gix::open(story.folder.path().join("audit.git")).unwrap();
    let Ok(mut reference) = repository.find_reference("refs/heads/tidegate-checkpoints") else { return 0 };
    let tip = reference.peel_to_id().unwrap().detach();
    repository.rev_walk([tip]).all().unwrap().count()
}

fn state(story: &Story, name: &str) -> Value {
    let told = story.get("/api/ledger?most=1");
    told["witnesses"].as_array().unwrap().iter().find(|w| w["name"] == name).cloned().unwrap_or_default()
}

#[test]
fn every_place_gets_the_checkpoints_and_one_that_fails_is_said_and_stops_nobody() {
    if !stage::is_console() {
        return;
    }
    let store = LogStore::begin();
    let mut story = with_witnesses(&store);
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low");
    story.advances(31);
    let size = story.number("select size from ledger_head");
    assert_eq!(store.sizes().last(), Some(&u64::try_from(size).unwrap()), "{}", story.log());
    let commits_before = commits(&story);
    assert!(commits_before >= 1);
    let audit = story.get("/console/api/messages?channel=audit");
    let text = audit["messages"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap().to_owned();
    assert!(text.contains(&format!("The record has {size} entries")), "{text}");
    let file = std::fs::read_to_string(story.data().join("checkpoints.txt")).unwrap();
    let newest = tidegate::ledger::checkpoints_in(&file).pop().unwrap();
    assert!(text.contains(newest.lines().nth(2).unwrap()), "the channel has what the file has: {text} {newest}");

    // The log store fails: everything else goes on, and whoever asks is told.
    *store.broken.lock().unwrap() = true;
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.post("/console/api/advance", &serde_json::json!({ "seconds": 31 }));
    crate::harness::eventually("the failure", || state(&story, "log-store")["failures"].as_i64() >= Some(1));
    let failing = state(&story, "log-store");
    assert!(failing["error"].as_str().unwrap().contains("500"), "{failing}");
    crate::harness::eventually("the other places", || {
        state(&story, "file")["size"].as_i64() > Some(size) && commits(&story) > commits_before
    });
    let verdict = story.get("/api/ledger/verify");
    assert_eq!(verdict["ok"], true, "{verdict}");
    assert!(verdict["remarks"].to_string().contains("log-store"), "{verdict}");
    let metrics = story.get("/metrics");
    let metrics = metrics.as_str().unwrap();
    assert!(metrics.contains("tidegate_ledger_witness_failures{witness=\"log-store\"} "), "{metrics}");
    assert!(metrics.contains("tidegate_ledger_witness_failures{witness=\"file\"} 0"), "{metrics}");
    let (code, says, _) = story.runs(&["check", "--config", "tidegate.toml", "--data", "data"]);
    assert!(code == 1 && says.contains("wrong  anchor log-store"), "{says}");

    // After an hour in vain the team hears of it, once; and again when it is well.
    for _ in 0..5 {
        let failures = state(&story, "log-store")["failures"].as_i64();
        story.post("/console/api/advance", &serde_json::json!({ "seconds": 1_000 }));
        crate::harness::eventually("another attempt", || state(&story, "log-store")["failures"].as_i64() > failures);
    }
    crate::harness::eventually("the team hears of it", || {
        story.texts().contains("have not reached `log-store` for an hour")
    });
    *store.broken.lock().unwrap() = false;
    story.advances(1_000);
    crate::harness::eventually("it is well again", || state(&story, "log-store")["failures"] == 0);
    story.settle();
    assert!(story.texts().contains("reach `log-store` again"), "{}", story.texts());

    // Nothing happened for a day: a checkpoint all the same.
    let (told, size) = (store.sizes().len(), story.number("select size from ledger_head"));
    story.advances(86_400);
    story.advances(31);
    crate::harness::eventually("a checkpoint about nothing", || store.sizes().len() > told);
    assert!(story.number("select size from ledger_head") >= size);
}

/// The git repository is asked too, when the file beside the store is gone.
#[test]
fn a_store_that_is_behind_the_repositorys_checkpoint_is_not_started() {
    if !stage::is_console() || crate::harness::engine() != "sqlite" {
        return;
    }
    let store = LogStore::begin();
    let mut story = with_witnesses(&store);
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low");
    assert!(story.stop());
    let (now, kept) = (story.data().join("tidegate.db"), story.folder.path().join("older.db"));
    std::fs::copy(&now, &kept).unwrap();
    story.start(crate::harness::MONDAY_11);
    story.says("ada", "/deploy cancel shop-1");
    story.advances(31);
    assert!(story.stop());
    std::fs::copy(&kept, &now).unwrap();
    std::fs::remove_file(story.data().join("checkpoints.txt")).unwrap();
    let start = ["try", "--config", "tidegate.toml", "--data", "data", "--listen", "127.0.0.1:0"];
    let (code, says) = story.refuses_to_start(&start);
    assert!(code == 2 && says.contains("kept outside"), "{says}");
}
