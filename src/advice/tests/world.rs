//! A small world to ask for advice in: by default everything is known and calm, and a test spoils one thing of it.

use crate::advice::facts::*;
use crate::advice::{Advice, Context, Flag, FlagLevel, advise};
use crate::clock::{DAY, HOUR, Time};
use crate::config::Settings;
use crate::plan::Plan;

pub struct World {
    pub plan: Plan,
    pub facts: Facts,
    pub settings: Settings,
    pub now: Time,
}

/// Tuesday 24 November 2026, 10:30 in Los Angeles.
pub fn now() -> Time {
    Time::parse_rfc3339("2026-11-24T10:30:00-08:00").unwrap()
}

pub const SETTINGS: &str = r##"
[team]
name = "Shop"
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
longest-wait = "2m"
[watch]
length = "1h"
every = "1m"
least-requests = 50
escalate-after = "10m"
[ledger]
origin = "test"
anchor-every = "1h"
anchor-at-least = "1d"
clock-drift = "2s"
[web]
listen = "127.0.0.1:0"

[service.checkout]
category = "storefront"
depends-on = ["ledger"]
migrations = "migrations/*.sql"
customers-pct = 60
revenue-pct = 90
visible = ["web/**"]
tell = ["support"]
midway = "A checkout takes up to 20 minutes"
shares = ["orders-db"]
[service.checkout.support]
"How to pay" = ["web/pay/**"]
[service.ledger]
customers-pct = 60
[service.search]
depends-on = ["checkout"]
[service.reports]
shares = ["orders-db"]

[environment.staging]
[environment.production]
protected = true
after = "staging"
soak = "1d"

[policy]
horizon = "48h"
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
blockers = ["incident.open", "migration.state", "target.version", "plan.rollback"]
[policy.category.payments]
says = "payments and transaction processing"
paths = ["src/payments/**"]
words = ["payment", "refund"]
high = true
weight = 100
[policy.category.storefront]
says = "what customers meet"
weight = 10
[policy.category.docs]
says = "documentation"
paths = ["docs/**", "*.md"]
light = true
weight = 1
[[policy.approval]]
environment = "production"
needs = [{ count = 1 }]
[[policy.approval]]
because = "high-risk categories ask for a VP"
high-category = true
needs = [{ role = "vp" }]
[[policy.approval]]
risk = "high"
needs = [{ role = "vp" }]
[[policy.override]]
codes = ["timing.window", "timing.freeze"]
roles = ["vp"]

[people.ada]
email = ["ada@example.com"]
roles = ["engineer"]
[people.grace]
email = ["grace@example.com"]
roles = ["vp"]
[people.lin]
email = ["lin@example.com"]
roles = ["engineer"]
[people.gus]
kind = "guest"
roles = ["vp"]
[people.robot]
kind = "bot"
roles = ["vp"]
"##;

pub fn fact<T>(source: &str, value: T) -> Fact<T> {
    Fact { source: source.into(), link: None, at: now(), value, incomplete: Vec::new() }
}

pub fn known<T>(source: &str, value: T) -> Asked<T> {
    Asked { known: vec![fact(source, value)], unknown: Vec::new() }
}

pub fn broken<T>(source: &str, reason: &str) -> Asked<T> {
    let unknown = Unknown { source: source.into(), reason: reason.to_owned(), at: now() };
    Asked { known: Vec::new(), unknown: vec![unknown] }
}

pub fn version(name: &str, commit: &str, days_ago: i64) -> Version {
    Version { name: name.to_owned(), commit: commit.repeat(10), at: now().plus(-days_ago * DAY) }
}

pub fn file(path: &str, added: u32, deleted: u32) -> FileChange {
    FileChange {
        path: path.to_owned(),
        was: None,
        status: FileStatus::Changed,
        added: Some(added),
        deleted: Some(deleted),
        churn: Some(3),
        age_days: Some(20),
        new_lines: None,
    }
}

pub fn commit(title: &str) -> Commit {
    Commit {
        sha: "4f2c".repeat(10),
        title: title.to_owned(),
        email: "ada@example.com".to_owned(),
        author: Some("ada".into()),
        co_authors: Vec::new(),
        at: now().plus(-DAY),
        ai: AiMark::Undeclared,
        fix: false,
    }
}

pub fn migration(version: &str, sql: &str) -> MigrationFile {
    MigrationFile {
        path: format!("migrations/{version}.sql"),
        version: version.to_owned(),
        status: FileStatus::Added,
        sql: Some(sql.to_owned()),
        reversible: true,
        checksum: Some(format!("sum-{version}")),
    }
}

pub fn applied(version: &str) -> AppliedMigration {
    AppliedMigration {
        version: version.to_owned(),
        name: None,
        at: Some(now().plus(-12 * DAY)),
        success: true,
        checksum: Some(format!("sum-{version}")),
    }
}

pub fn deployment(id: &str, version: &str, days_ago: i64, outcome: Option<Outcome>) -> Deployment {
    Deployment {
        id: id.to_owned(),
        service: "checkout".into(),
        environment: "production".into(),
        version: Some(version.to_owned()),
        commit: None,
        at: now().plus(-days_ago * DAY),
        finished: Some(now().plus(-days_ago * DAY)),
        outcome,
        cause: None,
        incident: None,
        link: None,
        shape: Shape::default(),
    }
}

pub fn incident(id: &str, service: &str) -> Incident {
    Incident {
        id: id.to_owned(),
        title: "Payments fail".to_owned(),
        services: vec![service.into()],
        severity: Some("SEV2".to_owned()),
        opened: now().plus(-2 * HOUR),
        resolved: None,
        blocks: false,
        follow_ups: 0,
        link: Some("https://incidents.example.com/1".to_owned()),
    }
}

/// Somebody's leave, long after the deployment and its watch: their calendar is known, and free now.
pub fn away(person: &str) -> CalendarEvent {
    CalendarEvent { person: Some(person.into()), ..event("Leave", Means::OutOfOffice, 24 * 20, 24 * 21) }
}

pub fn event(summary: &str, means: Means, starts_in: i64, ends_in: i64) -> CalendarEvent {
    CalendarEvent {
        uid: summary.to_owned(),
        start: now().plus(starts_in * HOUR),
        end: now().plus(ends_in * HOUR),
        all_day: false,
        summary: summary.to_owned(),
        means,
        services: Vec::new(),
        environments: Vec::new(),
        owner: None,
        person: None,
    }
}

impl World {
    /// checkout v2.14.0 to production, with everything known and nothing amiss.
    pub fn calm() -> World {
        let settings = Settings::read(SETTINGS, "test", ".".into()).unwrap();
        let plan = Plan {
            id: "checkout-87".into(),
            version: Some("v2.14.0".to_owned()),
            commit: Some("4f2c".repeat(10)),
            why: Some("SHOP-12: faster cart".to_owned()),
            why_now: Some("the sale begins on Friday".to_owned()),
            rollback: Some("redeploy v2.13.2".to_owned()),
            rollback_if: Some("errors > 2 % for 5m".to_owned()),
            success: Some("p95 below 400 ms".to_owned()),
            tell: vec!["support".to_owned()],
            watch: vec!["ada".into()],
            respond: vec!["lin".into()],
            risk: Some(crate::plan::Risk::Standard),
            ..Plan::bare("checkout".into(), "production".into(), "ada".into(), now())
        };
        let base = version("v2.13.2", "aaaa", 12);
        let head = version("v2.14.0", "4f2c", 1);
        let change = Change {
            base: Some(base.clone()),
            head: head.clone(),
            direction: Direction::Forward,
            commits: vec![commit("Make the cart faster")],
            commit_count: 1,
            files: vec![file("src/cart.rs", 40, 10), file("tests/cart.rs", 20, 0)],
            file_count: 2,
            migrations: Vec::new(),
            migrations_at_head: vec!["0045".to_owned(), "0046".to_owned()],
            flags: Vec::new(),
            packages: Vec::new(),
            owners: None,
            owned: None,
        };
        let versions = Versions {
            known: vec![head, base, version("v2.13.1", "bbbb", 20), version("v2.12.0", "cccc", 40)],
            resolved: vec![
                ("v2.14.0".to_owned(), Some("4f2c".repeat(10))),
                ("v2.13.2".to_owned(), Some("aaaa".repeat(10))),
            ],
        };
        let recent: Vec<Deployment> = (0..12)
            .map(|i| deployment(&format!("d{i}"), &format!("v2.{}.0", 12 - i), 12 + 7 * i, Some(Outcome::Clean)))
            .collect();
        let running = deployment("d", "v2.13.2", 12, Some(Outcome::Clean));
        let mut before = deployment("s", "v2.14.0", 2, Some(Outcome::Clean));
        before.environment = "staging".into();
        let similar = |n: i64| Similar {
            deployment: deployment(&format!("d{n}"), &format!("v2.{}.0", 12 - n), 12 + 7 * n, Some(Outcome::Clean)),
            likeness: 0.6,
            shares: vec!["both touch `src/cart.rs`".to_owned()],
        };
        let history = History {
            running: Some(running.clone()),
            last_good: Some(running),
            recent,
            service_rate: Rate { bad: 4, n: 40 },
            team_rate: Rate { bad: 30, n: 200 },
            similar: vec![similar(1), similar(2), similar(3)],
            compared: 200,
            ai_rate: Rate { bad: 2, n: 20 },
            not_ai_rate: Rate { bad: 5, n: 60 },
            sizes: vec![10, 20, 40, 60, 80, 100, 150, 200, 300, 500, 800, 1_200],
            before: Some(before),
            dependencies: vec![("ledger".into(), Some("v1.4.0".to_owned()))],
        };
        let mut past = incident("#470", "checkout");
        (past.opened, past.resolved) = (now().plus(-60 * DAY), Some(now().plus(-59 * DAY)));
        let load = Load {
            unit: "requests per second".to_owned(),
            now: Some((now(), 38.0)),
            week: (0..168).map(|hour| Some(if hour == 0 { 100.0 } else { 38.0 })).collect(),
            weeks: 4,
        };
        let health = Health {
            errors: Some(0.001),
            latency_ms: Some(120.0),
            requests: Some(18_000.0),
            usual_errors: Some(0.001),
            usual_latency_ms: Some(118.0),
            counts: None,
            last_data: Some(now()),
            budget_left: Some(0.8),
        };
        let shift = Shift { person: "lin".into(), service: None, start: now().plus(-DAY), end: None, level: 1 };
        let migrations = MigrationState {
            tool: "sqlx".to_owned(),
            table: "_sqlx_migrations".to_owned(),
            applied: vec![applied("45"), applied("46")],
            engine: "postgres".to_owned(),
            server: None,
        };
        let facts = Facts {
            calendar: known("company", vec![event("Lunch", Means::Other, 2, 3), away("ada"), away("lin")]),
            on_call: known("rota", vec![shift]),
            incidents: known("pager", vec![past]),
            versions: known("repo", versions),
            change: known("repo", change),
            migrations: known("orders", migrations),
            load: known("prometheus", load),
            health: known("prometheus", health),
            history: known("tidegate", history),
            others: known("tidegate", Vec::new()),
            ..Facts::default()
        };
        World { plan, facts, settings, now: now() }
    }

    pub fn change(&mut self) -> &mut Change {
        &mut self.facts.change.known[0].value
    }

    pub fn history(&mut self) -> &mut History {
        &mut self.facts.history.known[0].value
    }

    /// Adds a migration to the change, and its file to the tree.
    pub fn migrate(&mut self, migration: MigrationFile) {
        let change = self.change();
        change.files.push(file(&migration.path, 3, 0));
        change.file_count += 1;
        change.migrations_at_head.push(migration.version.clone());
        change.migrations.push(migration);
    }

    pub fn context(&self) -> Context<'_> {
        Context { plan: &self.plan, facts: &self.facts, settings: &self.settings, now: self.now }
    }

    pub fn advise(&self) -> Advice {
        advise(self.context())
    }

    pub fn stops(&self) -> Vec<Flag> {
        crate::advice::stops(self.context())
    }

    /// The flag of a code, which must be there.
    pub fn flag(&self, code: &str) -> Flag {
        let advice = self.advise();
        advice.flags.into_iter().find(|flag| flag.code == code).unwrap_or_else(|| panic!("no flag {code}"))
    }

    /// Asserts level and words of a flag.
    pub fn says(&self, code: &str, level: FlagLevel, words: &[&str]) -> Flag {
        let flag = self.flag(code);
        assert_eq!(flag.level, level, "{code}: {}", flag.says);
        for word in words {
            assert!(flag.says.contains(word), "{code} does not say \"{word}\": {}", flag.says);
        }
        flag
    }

    pub fn is_silent(&self, code: &str) {
        assert!(self.advise().flags.iter().all(|flag| flag.code != code), "{code} speaks");
    }
}
