//! The search for windows on a prepared context: `cargo bench --bench windows`. Aim: 14 days in under 5 ms, with 10,000
//! calendar entries.

use divan::Bencher;
use tidegate::advice::Context;
use tidegate::advice::facts::{Asked, CalendarEvent, Fact, Facts, Load, Means, Shift};
use tidegate::advice::timing::{Timeline, windows};
use tidegate::clock::{DAY, HOUR, MINUTE, Time};
use tidegate::config::Settings;
use tidegate::name::{Environment, Person, PlanId, Service};
use tidegate::plan::Plan;

fn main() {
    divan::main();
}

/// How many calendar entries there are.
const ENTRIES: [usize; 3] = [100, 1_000, 10_000];

/// Everything, from facts to windows.
#[divan::bench(args = ENTRIES)]
fn build_and_search_14_days(bencher: Bencher, entries: usize) {
    let (settings, plan, facts) = world(entries, false);
    let ctx = Context { plan: &plan, facts: &facts, settings: &settings, now: plan.made_at };
    bencher.bench_local(|| windows(&ctx, &Timeline::build(&ctx), 20));
}

/// The search alone, on a timeline that stands.
#[divan::bench(args = ENTRIES)]
fn search_14_days(bencher: Bencher, entries: usize) {
    let (settings, plan, facts) = world(entries, false);
    let ctx = Context { plan: &plan, facts: &facts, settings: &settings, now: plan.made_at };
    let line = Timeline::build(&ctx);
    bencher.bench_local(|| windows(&ctx, &line, 20));
}

/// A freeze over everything: ninety days are searched in vain.
#[divan::bench(args = ENTRIES)]
fn search_90_days_in_vain(bencher: Bencher, entries: usize) {
    let (settings, plan, facts) = world(entries, true);
    let ctx = Context { plan: &plan, facts: &facts, settings: &settings, now: plan.made_at };
    let line = Timeline::build(&ctx);
    bencher.bench_local(|| windows(&ctx, &line, 20));
}

/// One moment in words.
#[divan::bench(args = ENTRIES)]
fn one_moment(bencher: Bencher, entries: usize) {
    let (settings, plan, facts) = world(entries, false);
    let ctx = Context { plan: &plan, facts: &facts, settings: &settings, now: plan.made_at };
    let line = Timeline::build(&ctx);
    bencher.bench_local(|| line.moment(plan.made_at.plus(HOUR)));
}

fn world(entries: usize, frozen: bool) -> (Settings, Plan, Facts) {
    let settings = Settings::read(SETTINGS, "bench", ".".into()).expect("the settings below read");
    let now = Time::parse_rfc3339("2026-11-20T16:30:00-08:00").expect("a time");
    let means = [Means::Meeting, Means::OutOfOffice, Means::Launch, Means::Demo, Means::Meeting, Means::Other];
    let people = ["ada", "lin", "grace", "somebody"];
    let mut events: Vec<CalendarEvent> = (0..entries)
        .map(|i| {
            // Spread over ninety days, out of order, as files are.
            let start = now.plus((i as i64 * 7_919 * MINUTE) % (90 * DAY));
            let means = means[i % means.len()];
            let personal = matches!(means, Means::Meeting | Means::OutOfOffice | Means::Other);
            CalendarEvent {
                uid: format!("entry-{i}"),
                start,
                end: start.plus(HOUR),
                all_day: false,
                summary: format!("Entry {i}"),
                means,
                services: Vec::new(),
                environments: Vec::new(),
                owner: None,
                person: personal.then(|| Person::new(people[i % people.len()])),
            }
        })
        .collect();
    if frozen {
        let mut freeze = events[0].clone();
        (freeze.means, freeze.person) = (Means::Freeze, None);
        (freeze.start, freeze.end) = (now, now.plus(400 * DAY));
        events.push(freeze);
    }
    let shifts = (0..60).map(|week| Shift {
        person: Person::new(people[week % 3]),
        service: None,
        start: now.plus((week as i64 - 1) * 2 * DAY),
        end: Some(now.plus(week as i64 * 2 * DAY)),
        level: 1,
    });
    let week = (0..168).map(|hour| Some(100.0 + f64::from((hour % 24) * 10))).collect();
    let load = Load { unit: "requests per second".to_owned(), now: Some((now, 320.0)), week, weeks: 4 };
    let facts = Facts {
        calendar: asked("company", now, events),
        on_call: asked("rota", now, shifts.collect()),
        load: asked("prometheus", now, load),
        others: asked("record", now, Vec::new()),
        ..Facts::default()
    };
    (settings, plan(now), facts)
}

fn asked<T>(source: &str, at: Time, value: T) -> Asked<T> {
    let fact = Fact { source: source.into(), link: None, at, value, incomplete: Vec::new() };
    Asked { known: vec![fact], unknown: Vec::new() }
}

fn plan(now: Time) -> Plan {
    Plan {
        id: PlanId::new("checkout-87"),
        version: Some("v2.14.0".to_owned()),
        watch: vec![Person::new("lin")],
        respond: vec![Person::new("grace")],
        ..Plan::bare(Service::new("checkout"), Environment::new("production"), Person::new("ada"), now)
    }
}

const SETTINGS: &str = r#"
service.checkout = {}
[team]
name = "Tidewater"
zone = "America/Los_Angeles"
hours = ["Mon-Fri 09:00-18:00"]
[store]
[chat]
command = "deploy"
channel = "deploys"
reactions = {}
console = { enabled = false, channels = [] }
[hold]
lock-for = "2h"
lock-longest = "24h"
lock-asks = "15m"
turn = "30m"
[gate]
longest-wait = "10m"
[watch]
length = "1h"
every = "1m"
least-requests = 100
escalate-after = "10m"
[ledger]
origin = "tidegate.example/deployments"
anchor-every = "1h"
anchor-at-least = "1d"
clock-drift = "2s"
[web]
listen = "127.0.0.1:0"
[environment.production]
window = ["Mon-Thu 10:00-16:00"]
[people.ada]
[people.lin]
[people.grace]
zone = "America/New_York"
[policy]
horizon = "14d"
source-timeout = "2s"
source-keep = "20s"
brief-timeout = "5s"
approval-expires = "24h"
plan-expires = "7d"
deployment-length = "20m"
refresh-every = "5m"
score-step = 10
separation = true
bands = { moderate = 25, elevated = 50, high = 75 }
blockers = []
"#;
