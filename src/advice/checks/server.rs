//! What stands in the way of a pending migration on its database server now: who holds its tables, who waits for them
//! already, which replica lies behind.

use std::collections::BTreeSet;

use crate::advice::facts::{Fact, MigrationState};
use crate::advice::schema::Step;
use crate::advice::server::{Replica, Server, Transaction, TransactionIs};
use crate::advice::view::{View, because, newest};
use crate::advice::{Because, FlagLevel, hazard::Size, says};
use crate::clock::{HOUR, MINUTE, Millis};
use crate::message::tame;

/// What is under way on a server says nothing of a plan that begins later than this.
const SOON: Millis = HOUR;
/// A transaction that has been open for so long is worth waiting for, and one that nobody will end soon.
const OPEN_LONG: Millis = MINUTE;
const OPEN_VERY_LONG: Millis = 10 * MINUTE;
/// How far a replica may lie behind.
const BEHIND: Millis = MINUTE;
const BEHIND_BYTES: u64 = 1 << 30;

/// One thing that stands in the way.
#[derive(Clone, Debug)]
pub struct Concern {
    pub level: FlagLevel,
    /// One sentence, with its full stop.
    pub says: String,
    pub because: Because,
}

/// Everything that stands in the way of these steps, the gravest first. What nobody looked at is not in it.
pub fn concerns(view: &View<'_>, steps: &[Step<'_>]) -> Vec<Concern> {
    let Some((fact, server)) = looked(view) else { return Vec::new() };
    let touched = touched(steps);
    let waits_for_all = steps.iter().filter_map(|step| step.hazards).any(|hazards| hazards.waits_for_all);
    if touched.is_empty() && !waits_for_all {
        return Vec::new();
    }
    let mut found = Vec::new();
    let age = |open: &Transaction| view.now.since(open.since);
    let mut open: Vec<&Transaction> = server.transactions.iter().filter(|open| age(open) >= OPEN_LONG).collect();
    open.sort_by_key(|open| (open.since, open.program.clone()));
    let holder = open.iter().find_map(|open| Some((*open, held(open, &touched)?)));
    let anybody = open.iter().find(|open| waits_for_all || (open.tables.is_none() && !touched.is_empty()));
    if let Some((open, table)) = holder {
        let level = if age(open) >= OPEN_VERY_LONG { FlagLevel::Critical } else { FlagLevel::Caution };
        let says = format!(
            "A transaction on {} has been open for {}{}: the migration would wait for it, and others would wait for the \
             migration.",
            named(server, &table),
            says::span(age(open)),
            who(open)
        );
        found.push(Concern { level, says, because: because(fact, evidence(open)) });
    } else if let Some(open) = anybody {
        let effect = if waits_for_all {
            "an index that is built concurrently would wait for it".to_owned()
        } else {
            let touched: Vec<String> = touched.iter().map(|table| named(server, table)).collect();
            format!("if it used {}, the migration would wait for it", says::any_of(&touched))
        };
        let says = format!("A transaction has been open for {}{}: {effect}.", says::span(age(open)), who(open));
        found.push(Concern { level: FlagLevel::Caution, says, because: because(fact, evidence(open)) });
    }
    for table in &touched {
        let waits =
            server.waits.iter().filter(|wait| wait.table.as_deref().is_some_and(|t| t.eq_ignore_ascii_case(table)));
        let since: Vec<_> = waits.map(|wait| wait.since).collect();
        if since.is_empty() {
            continue;
        }
        let longest = since.iter().flatten().min().map(|since| says::span(view.now.since(*since)));
        let longest = longest.map(|span| format!(", the longest for {span}")).unwrap_or_default();
        let count = i64::try_from(since.len()).unwrap_or(i64::MAX);
        let (who, verb) = (says::count(count, "session"), if count == 1 { "waits" } else { "wait" });
        let says = format!("{who} {verb} for a lock on {} already{longest}.", named(server, table));
        found.push(Concern { level: FlagLevel::Caution, because: because(fact, says.clone()), says });
    }
    if let Some((replica, behind)) = furthest(server) {
        let says =
            format!("The replica `{}` lies {behind} behind, and the migration adds to that.", code(&replica.name));
        found.push(Concern { level: FlagLevel::Caution, because: because(fact, says.clone()), says });
    }
    found.sort_by_key(|concern| std::cmp::Reverse(concern.level));
    found
}

/// Why it is not known whether these steps would be held up: the fragment, and who says so.
pub fn unseen(view: &View<'_>, steps: &[Step<'_>]) -> Option<(String, Because)> {
    let (fact, server) = looked(view)?;
    let waits = steps.iter().filter_map(|step| step.hazards).any(|hazards| hazards.waits_for_all);
    let first = server.unseen.iter().min().filter(|_| waits || !touched(steps).is_empty())?;
    let reason = tame(first, 160);
    Some((format!("{} {reason}", fact.source), because(fact, reason)))
}

/// The server as it was looked at, where the plan begins soon enough for it to matter.
fn looked<'a>(view: &View<'a>) -> Option<(&'a Fact<MigrationState>, &'a Server)> {
    let fact = newest(view.migrations)?;
    let server = fact.value.server.as_ref()?;
    (view.begin.since(view.now) <= SOON).then_some((fact, server))
}

fn touched(steps: &[Step<'_>]) -> BTreeSet<String> {
    steps.iter().filter_map(|step| step.hazards).flat_map(|hazards| hazards.touches.iter().cloned()).collect()
}

/// The table of these that a transaction holds.
fn held(open: &Transaction, touched: &BTreeSet<String>) -> Option<String> {
    let holds = open.tables.as_ref()?;
    touched.iter().find(|table| holds.iter().any(|held| held.eq_ignore_ascii_case(table))).cloned()
}

/// A table as people read it, with its size.
fn named(server: &Server, table: &str) -> String {
    let size = server.table(table).map(|known| Size { rows: known.rows, bytes: known.bytes });
    match size.and_then(Size::says) {
        Some(size) => format!("`{}` ({size})", code(table)),
        None => format!("`{}`", code(table)),
    }
}

fn who(open: &Transaction) -> String {
    let doing = match open.doing {
        TransactionIs::Running => "working",
        TransactionIs::Idle => "idle",
        TransactionIs::Prepared => "prepared and left",
    };
    match &open.program {
        Some(program) => format!(" (`{}`, {doing})", code(program)),
        None => format!(" ({doing})"),
    }
}

fn evidence(open: &Transaction) -> String {
    let tables = open.tables.as_deref().unwrap_or_default();
    let holds = if tables.is_empty() { String::new() } else { format!(", holds {}", says::some(tables, 3)) };
    tame(&format!("transaction open since {}{}{holds}", open.since.rfc3339(), who(open)), 200)
}

/// The replica that lies furthest behind, where that is far, and how far.
fn furthest(server: &Server) -> Option<(&Replica, String)> {
    let late = server.replicas.iter().filter(|replica| replica.behind_ms.is_some_and(|ms| ms >= BEHIND));
    if let Some(replica) = late.max_by_key(|replica| (replica.behind_ms, replica.name.clone())) {
        return Some((replica, says::span(replica.behind_ms.unwrap_or_default())));
    }
    let large = server.replicas.iter().filter(|replica| replica.behind_bytes.is_some_and(|n| n >= BEHIND_BYTES));
    let replica = large.max_by_key(|replica| (replica.behind_bytes, replica.name.clone()))?;
    Some((replica, says::bytes(replica.behind_bytes.unwrap_or_default())))
}

fn code(text: &str) -> String {
    tame(text, 60).replace('`', "'")
}
