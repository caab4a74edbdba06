//! How fast the gate answers over HTTP with many plans stored: one pipeline after the other, and a hundred at once. Half of
//! what is asked waits for an approval; the other half was begun by a human, so that each answer is a yes that is recorded.
//! The console is the chat, so that reading reactions back asks nobody else.
//!
//! `cargo bench --bench gate`; `-- 1000` stores another number of plans.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate::advice::{Context, advise};
use tidegate::app::App;
use tidegate::clock::{Clock, Time};
use tidegate::config::Settings;
use tidegate::name::{Channel, PlanId};
use tidegate::plan::{Plan, State, brief};
use tidegate::store::plan::Revision;
use tidegate::web::{Attempts, LocalToken, Provider, Site};

const SETTINGS: &str = "[team]\nname = \"Bench\"\nzone = \"America/Los_Angeles\"\n[service.checkout]\n\
    [environment.production]\nmode = \"gate\"\nstart = \"human\"\n[people.ada]\n[people.lin]\nroles = [\"lead\"]\n\
    [[gate.tokens]]\nname = \"bench\"\ntoken = { value = \"bench-token\" }\nmay = [\"gate\"]\n";
/// Questions of each kind, at each width.
const QUESTIONS: usize = 2_000;

fn main() {
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
        println!("answer   | at once | per second | p50       | p99");
        for (what, from) in [("waiting", 1), ("approved", 0)] {
            for width in [1, 100] {
                measure(what, from, width, plans, &format!("http://{address}")).await;
            }
        }
        app.stop();
        served.await.unwrap().unwrap();
        app.store.close().await;
    });
}

async fn measure(what: &'static str, from: usize, width: usize, plans: usize, address: &str) {
    let client = tidegate::http::trusted(Duration::from_secs(60)).unwrap();
    let began = Instant::now();
    let mut asking = tokio::task::JoinSet::new();
    for worker in 0..width {
        let (client, address) = (client.clone(), address.to_owned());
        asking.spawn(async move {
            let mut took = Vec::new();
            for n in 0..QUESTIONS / width {
                // Spread over all that is stored; even ones were begun.
                let plan = ((worker * 7919 + n * 104_729) % (plans / 2)) * 2 + from;
                let url = format!("{address}/api/gate?plan=checkout-{plan}");
                let asked = Instant::now();
                let answer = client.get(url).header("authorization", "Bearer bench-token").send().await.unwrap();
                let text = answer.text().await.unwrap();
                took.push(asked.elapsed());
                assert!(text.starts_with(&format!("{{\"verdict\":\"{what}\"")), "{text}");
            }
            took
        });
    }
    let mut took: Vec<Duration> = asking.join_all().await.into_iter().flatten().collect();
    let all = began.elapsed();
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let rate = took.len() as f64 / all.as_secs_f64();
    println!("{what:<8} | {width:>7} | {rate:>10.0} | {:>6.2} ms | {:.2} ms", at(0.5), at(0.99));
}

/// Plans with one revision each; every other one was begun.
async fn fill(app: &App, plans: usize) {
    let settings = app.settings();
    let now = app.clock.now();
    let facts = brief::gather(app, &Arc::clone(&settings), &plan(0, now)).await;
    let mut done = 0;
    while done < plans {
        let mut tx = app.store.begin(now).await.unwrap();
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
            }
            tx.update_plan(&row).await.unwrap();
        }
        tx.commit().await.unwrap();
        done += 5_000;
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
