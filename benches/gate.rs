//! How fast the gate answers over HTTP with many plans stored, each with its entry in the record: one pipeline after the
//! other, and a hundred at once: the next question as soon as the last is answered, or a hundred in the same moment and then
//! a pause, as when one schedule starts a hundred pipelines. Beside the rates stands the processor time of an answer, and
//! how much of that went into asking. Half of what is asked waits for an approval; the other half was approved and begun by
//! humans, so that each answer is a yes that is recorded. Either each pipeline goes on asking about its own plan, as they do
//! while they wait, or each question is about another one.
//! The console is the chat, so that reading reactions back asks nobody else.
//!
//! `cargo bench --bench gate`; `-- 1000` stores another number of plans.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Barrier;

use tidegate::advice::{Context, advise};
use tidegate::app::App;
use tidegate::approval::{Word, WordKind};
use tidegate::clock::{Clock, Time};
use tidegate::config::Settings;
use tidegate::name::{Channel, PlanId};
use tidegate::plan::show::record_of_revision;
use tidegate::plan::{Plan, State, brief};
use tidegate::store::plan::Revision;
use tidegate::web::{Attempts, LocalToken, Provider, Site};

const SETTINGS: &str = "[team]\nname = \"Bench\"\nzone = \"America/Los_Angeles\"\n[service.checkout]\n\
    [environment.production]\nmode = \"gate\"\nstart = \"human\"\n[people.ada]\n[people.lin]\nroles = [\"lead\"]\n\
    [[gate.tokens]]\nname = \"bench\"\ntoken = { value = \"bench-token\" }\nmay = [\"gate\"]\n";
/// Questions of each kind, by one pipeline and by many.
const QUESTIONS: [usize; 2] = [2_000, 20_000];
/// Between two moments in which everybody asks.
const PAUSE: Duration = Duration::from_millis(50);

fn main() {
    // `cargo test` builds and runs benches too; only `cargo bench` says so.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let plans = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000usize);
    tidegate::http::provide_tls();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::read(SETTINGS, "bench", folder.path().to_path_buf()).unwrap();
        let app = tidegate::cli::serve::build(settings, Clock::system(), folder.path().to_path_buf()).await.unwrap();
        fill(&app, plans).await;
        let listener = tidegate::web::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let local = LocalToken(secrecy::SecretString::from("local"));
        let site = Site {
            app: app.clone(),
            local,
            trying: false,
            console: false,
            attempts: Attempts::default(),
            provider: Provider::default(),
        };
        let served = tokio::spawn(tidegate::web::serve(listener, site));
        println!("{plans} plans stored");
        println!("answer   | about        | at once | asked      | per second | p50       | p99       | processor time, of it asking");
        for (what, from) in [("waiting", 1), ("approved", 0)] {
            for (about, same) in [("its own plan", true), ("any plan", false)] {
                for (width, pause) in [(1, None), (32, None), (100, None), (100, Some(PAUSE))] {
                    let load = Load { what, from, width, pause, plans, same, address: address.to_string() };
                    let measured = tokio::task::spawn_blocking(move || load.measure()).await.unwrap();
                    println!("{what:<8} | {about:<12} | {measured}");
                }
            }
        }
        app.stop();
        served.await.unwrap().unwrap();
        app.store.close().await;
    });
}

/// Questions of one kind.
struct Load {
    /// The verdict that each gets.
    what: &'static str,
    /// 0: plans that were begun, 1: the others.
    from: usize,
    /// How many pipelines ask at once.
    width: usize,
    /// They all ask in the same moment, and again after such a pause.
    pause: Option<Duration>,
    plans: usize,
    /// Each pipeline goes on about one plan.
    same: bool,
    address: String,
}

impl Load {
    /// Each pipeline has a connection of its own; one thread asks for all of them, so that asking costs little.
    fn measure(&self) -> String {
        let Load { width, .. } = *self;
        let questions = QUESTIONS[usize::from(width > 1)] / width;
        let together = Barrier::new(width);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (began, whole, asking) = (Instant::now(), ticks(), on_processor());
        let asked = (0..width).map(|number| self.pipeline(number, questions, &together));
        let mut took = runtime.block_on(futures::future::join_all(asked)).concat();
        let all = began.elapsed().as_secs_f64();
        let share = |time: Duration| time.as_secs_f64() * 1e6 / took.len() as f64;
        let (whole, asking) = (share(ticks() - whole), share(on_processor() - asking));
        took.sort();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        let (rate, how) = (took.len() as f64 / all, if self.pause.is_some() { "and pauses" } else { "on and on" });
        let (p50, p99) = (at(0.5), at(0.99));
        format!("{width:>7} | {how} | {rate:>10.0} | {p50:>6.2} ms | {p99:>6.2} ms | {whole:.0} µs, {asking:.0} µs")
    }

    async fn pipeline(&self, number: usize, questions: usize, together: &Barrier) -> Vec<Duration> {
        let mut connection = Connection::open(&self.address).await;
        let mut took = Vec::with_capacity(questions);
        together.wait().await;
        for n in 0..questions {
            if let Some(pause) = self.pause {
                tokio::time::sleep(pause).await;
                together.wait().await;
            }
            let step = if self.same { 0 } else { n * 104_729 };
            // Spread over all that is stored; even ones were begun.
            let plan = ((number * 7919 + step) % (self.plans / 2)) * 2 + self.from;
            let asked = Instant::now();
            let answer = connection.ask(&format!("/api/gate?plan=checkout-{plan}")).await;
            took.push(asked.elapsed());
            assert!(answer.contains(&format!("\r\n\r\n{{\"verdict\":\"{}\"", self.what)), "{answer}");
        }
        took
    }
}

/// Processor time of this process, from Linux's /proc, in its hundredths of a second; nothing elsewhere.
fn ticks() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// Processor time of this thread.
fn on_processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}

/// HTTP/1.1, as much of it as the gate's answers take.
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> Connection {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream, read: Vec::with_capacity(16 * 1024) }
    }

    async fn ask(&mut self, path: &str) -> String {
        let head = format!("GET {path} HTTP/1.1\r\nhost: gate\r\nauthorization: Bearer bench-token\r\n\r\n");
        self.stream.write_all(head.as_bytes()).await.unwrap();
        self.read.clear();
        loop {
            assert!(self.stream.read_buf(&mut self.read).await.unwrap() > 0, "the connection ended");
            let text = std::str::from_utf8(&self.read).unwrap_or_default();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return text.to_owned();
            }
        }
    }
}

/// Plans with one revision each, and its entry; every other one was approved and begun.
async fn fill(app: &App, plans: usize) {
    let settings = app.settings();
    let now = app.clock.now();
    let facts = brief::gather(app, &Arc::clone(&settings), &plan(0, now)).await;
    let mut done = 0;
    while done < plans {
        let mut tx = app.store.begin(now).await.unwrap();
        let mut entries = Vec::new();
        for i in done..(done + 5_000).min(plans) {
            let plan = plan(i, now);
            let advice = advise(Context { plan: &plan, facts: &facts, settings: &settings, now });
            let revision = Revision {
                number: 1,
                at: now,
                brief: brief::hash(&plan, &facts, &advice).unwrap(),
                commit: plan.commit.clone(),
                plan: plan.clone(),
                facts: facts.clone(),
                advice,
                reason: "first brief".to_owned(),
            };
            tx.insert_plan(&plan, "console", &Channel::new("deploys")).await.unwrap();
            tx.insert_revision(&plan.id, &revision).await.unwrap();
            let mut row = tx.plan(&plan.id).await.unwrap().unwrap();
            row.revision = 1;
            row.state = State::Advised;
            if i % 2 == 0 {
                row.state = State::Started;
                row.started = Some((now, "ada".into()));
                tx.insert_word(&row.plan.id, &approval(&format!("word-{i}"), &revision, now), None).await.unwrap();
            }
            tx.update_plan(&row).await.unwrap();
            entries.push(record_of_revision(&row, &revision, &settings));
        }
        tx.record_all(app, entries).await.unwrap();
        tx.commit().await.unwrap();
        done += 5_000;
    }
}

fn approval(id: &str, revision: &Revision, now: Time) -> Word {
    Word {
        id: id.to_owned(),
        revision: revision.number,
        brief: revision.brief.clone(),
        kind: WordKind::Approve,
        person: "lin".into(),
        role: Some("lead".into()),
        platform: "console".to_owned(),
        confirmed: None,
        lender: None,
        on_call_at: None,
        only_if: None,
        at: now,
        withdrawn_at: None,
        voided_at: None,
        void_reason: None,
    }
}

fn plan(i: usize, now: Time) -> Plan {
    Plan {
        id: PlanId::new(format!("checkout-{i}")),
        version: Some(format!("v{i}")),
        commit: Some(format!("{i:040x}")),
        why: Some("PAY-1".to_owned()),
        rollback: Some("redeploy v0".to_owned()),
        ..Plan::bare("checkout".into(), "production".into(), "ada".into(), now)
    }
}
