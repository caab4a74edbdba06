//! How long the facts of a brief take to gather: `cargo bench --bench gather`.
//!
//! Twelve pretend systems on loopback answer after 100 ms each. Aims: all together in about 110 ms; one that hangs costs its
//! deadline and no more; ten plans in a minute ask once.

#![allow(clippy::print_stdout)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use tidegate::clock::{Clock, Time};
use tidegate::config::{Settings, SourceSettings};
use tidegate::http::Clients;
use tidegate::source::{Ask, Opened, Opening, Question, ask_all, open};

const SYSTEMS: usize = 12;
const TAKES: Duration = Duration::from_millis(100);
/// Requests that one question about load takes.
const EACH: usize = 2;
const ROUNDS: usize = 20;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let asked = Arc::new(AtomicUsize::new(0));
    let quick = serve(TAKES, Arc::clone(&asked)).await;
    let slow = serve(Duration::from_secs(60), Arc::clone(&asked)).await;

    let one = median(&sources(&quick, 1, Duration::ZERO)).await;
    let twelve = median(&sources(&quick, SYSTEMS, Duration::ZERO)).await;
    println!("one system of 100 ms          {one:>8.1?}");
    println!("{SYSTEMS} systems of 100 ms each     {twelve:>8.1?}   {:.2} of one", ratio(twelve, one));

    let mut hanging = sources(&quick, SYSTEMS - 1, Duration::ZERO);
    hanging.extend(sources(&slow, 1, Duration::ZERO));
    let began = Instant::now();
    gather(&hanging).await;
    println!("the same, one of them hangs   {:>8.1?}   its deadline is 2 s", began.elapsed());

    let kept = sources(&quick, SYSTEMS, Duration::from_secs(20));
    asked.store(0, Ordering::SeqCst);
    let began = Instant::now();
    for _ in 0..10 {
        gather(&kept).await;
    }
    let (took, asked) = (began.elapsed(), asked.load(Ordering::SeqCst));
    println!("ten plans, answers kept       {took:>8.1?}   {asked} requests instead of {}", SYSTEMS * 10 * EACH);

    let (alone, together) = (open_example(false), open_example(true));
    println!(
        "config/example.toml opened    {together:>8.1?}   {:.3} of what a client for each source takes",
        ratio(together, alone)
    );
}

async fn serve(takes: Duration, asked: Arc<AtomicUsize>) -> String {
    let answer = |State((takes, asked)): State<(Duration, Arc<AtomicUsize>)>| async move {
        asked.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(takes).await;
        r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{},"values":[[1795429800,"7"],[1795433400,"8"],[1795435200,"9"]]}]}}"#
    };
    let router = Router::new().fallback(answer).with_state((takes, asked));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// The median time that opening every source of the example takes, with clients of its own for each or shared ones.
fn open_example(shared: bool) -> Duration {
    let text = include_str!("../config/example.toml");
    let settings = Settings::read(text, "config/example.toml", ".".into()).expect("it reads");
    let clock = Clock::system();
    let (patience, keep) = (Duration::from_secs(2), Duration::ZERO);
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let together = Clients::default();
        for settings in &settings.source {
            let own = Clients::default();
            let clients = if shared { &together } else { &own };
            // What needs a credential or a file of its own is not there; by then it has its client.
            let _ = open(&Opening { settings, folder: Path::new("."), clock: &clock, patience, keep, clients });
        }
        took.push(began.elapsed());
    }
    took.sort();
    took[ROUNDS / 2]
}

fn sources(address: &str, how_many: usize, keep: Duration) -> Vec<Arc<Opened>> {
    let clock = Clock::system();
    let one = |n: usize| {
        let stanza = format!(
            "name = 'metrics-{n}'\nkind = 'prometheus'\nurl = '{address}'\nerrors = 'a'\nlatency = 'b'\nrequests = 'c'"
        );
        let settings: SourceSettings = toml::from_str(&stanza).expect("it reads");
        let patience = Duration::from_secs(2);
        let (folder, clients) = (Path::new("."), &Clients::default());
        let opening = Opening { settings: &settings, folder, clock: &clock, patience, keep, clients };
        Arc::new(open(&opening).expect("it opens"))
    };
    (0..how_many).map(one).collect()
}

async fn gather(sources: &[Arc<Opened>]) {
    let settings = Settings::read("[team]\nname = 'Bench'\nzone = 'UTC'\n", "bench", ".".into()).expect("it reads");
    let now = Time::parse_rfc3339("2026-11-23T12:00:00Z").expect("a time");
    let ask = Ask::of(Question::Load, &Arc::new(settings), &"shop".into(), &"production".into(), now);
    for (name, said) in ask_all(sources, &ask, &Clock::system()).await {
        // Failures are not kept; only the one that hangs has one.
        assert!(said.is_ok() || name.as_str() == "metrics-0", "{said:?}");
    }
}

async fn median(sources: &[Arc<Opened>]) -> Duration {
    gather(sources).await;
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        gather(sources).await;
        took.push(began.elapsed());
    }
    took.sort();
    took[ROUNDS / 2]
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
