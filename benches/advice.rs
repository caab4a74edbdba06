//! Advice on a prepared context: 10,000 calendar entries, and 10,000 or 1,000,000 past deployments in the store. What is
//! measured is reading the history and advising, in one process; the growth is the ratio of the two medians.
//!
//! `cargo bench --bench advice`; `-- 100000` takes another large number.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate::advice::facts::{Asked, CalendarEvent, Deployment, Fact, Means, Outcome, Shape};
use tidegate::advice::{Context, advise};
use tidegate::app::App;
use tidegate::clock::{Clock, DAY, HOUR, MINUTE};
use tidegate::config::Settings;
use tidegate::name::PlanId;
use tidegate::plan::{Plan, When, brief};
use tidegate::store::deployment::{DeploymentRow, Status};

const RUNS: usize = 30;

fn main() {
    let large = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000u32);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        println!("past deployments | history median | history + advice median | slowest");
        let mut medians = Vec::new();
        for n in [10_000, large] {
            medians.push(measure(n).await);
        }
        println!(
            "growth: history {:.2}x, history + advice {:.2}x",
            medians[1].0 / medians[0].0,
            medians[1].1 / medians[0].1
        );
    });
}

async fn measure(n: u32) -> (f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    let text = "[team]\nname = \"Bench\"\nzone = \"America/Los_Angeles\"\n[service.checkout]\n[service.ledger]\n[service.search]\n\
                [environment.staging]\n[environment.production]\nafter = \"staging\"\nwindow = [\"Mon-Thu 10:00-16:00\"]\n[people.ada]\n";
    let settings = Settings::read(text, "bench", folder.path().to_path_buf()).unwrap();
    let app = tidegate::cli::serve::build(settings, Clock::system(), folder.path().to_path_buf()).await.unwrap();
    fill(&app, n).await;
    let settings = app.settings();
    let now = app.clock.now();
    let plan = plan(now);
    let events = calendar(now);
    let touched: Vec<String> = (0..40).map(|i| format!("src/file{i}.rs")).collect();
    let (mut history, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        let mut facts = brief::gather(&app, &Arc::clone(&settings), &plan).await;
        // No repository is asked here, so what touched the change's files is read by itself.
        std::hint::black_box(app.store.touching(&touched).await.unwrap());
        history.push(began.elapsed());
        facts.calendar = Asked {
            known: vec![Fact {
                source: "company".into(),
                link: None,
                at: now,
                value: events.clone(),
                incomplete: Vec::new(),
            }],
            unknown: Vec::new(),
        };
        let advising = Instant::now();
        let advice = advise(Context { plan: &plan, facts: &facts, settings: &settings, now });
        std::hint::black_box(advice);
        whole.push(history[history.len() - 1] + advising.elapsed());
    }
    let (a, b) = (median(&mut history), median(&mut whole));
    println!(
        "{n:>16} | {:>11.2} ms | {:>20.2} ms | {:.2} ms",
        a * 1e3,
        b * 1e3,
        whole[whole.len() - 1].as_secs_f64() * 1e3
    );
    app.store.close().await;
    (a, b)
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

async fn fill(app: &App, n: u32) {
    let now = app.clock.now();
    let services = ["checkout", "ledger", "search"];
    let mut done = 0;
    while done < n {
        let mut tx = app.store.begin(now).await.unwrap();
        for i in done..(done + 20_000).min(n) {
            let row = DeploymentRow {
                deployment: Deployment {
                    id: format!("d-{i}"),
                    service: services[i as usize % 3].into(),
                    environment: if i % 2 == 0 { "production" } else { "staging" }.into(),
                    version: Some(format!("v{i}")),
                    commit: None,
                    at: now.plus(-i64::from(n - i) * MINUTE),
                    finished: None,
                    outcome: Some(if i % 9 == 0 { Outcome::RolledBack } else { Outcome::Clean }),
                    cause: None,
                    incident: None,
                    link: None,
                    shape: Shape { files: vec![format!("src/file{}.rs", i % 997)], lines: i % 400, ..Shape::default() },
                },
                external_id: i.to_string(),
                source: "import".to_owned(),
                plan: None,
                actor: None,
                status: Status::Succeeded,
                outcome_by: None,
                outcome_at: None,
                proposed: None,
                watch_until: None,
                watch_body: None,
            };
            tx.insert_deployment(&row).await.unwrap();
        }
        tx.commit().await.unwrap();
        done += 20_000;
    }
}

fn calendar(now: tidegate::clock::Time) -> Vec<CalendarEvent> {
    let event = |i: i64| CalendarEvent {
        uid: i.to_string(),
        start: now.plus(i * 13 * MINUTE),
        end: now.plus(i * 13 * MINUTE + HOUR),
        all_day: false,
        summary: format!("Entry {i}"),
        means: if i % 50 == 0 { Means::Launch } else { Means::Other },
        services: Vec::new(),
        environments: Vec::new(),
        owner: None,
        person: None,
    };
    (0..10_000).map(event).collect()
}

fn plan(now: tidegate::clock::Time) -> Plan {
    Plan {
        id: PlanId::new("checkout-1"),
        version: Some("v2".to_owned()),
        commit: Some("4f2c91a".to_owned()),
        when: When::At { at: now.plus(DAY) },
        ..Plan::bare("checkout".into(), "production".into(), "ada".into(), now)
    }
}
