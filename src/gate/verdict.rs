//! Facts about one plan to one word. Pure; deny is the default.

use serde::Serialize;

use super::Request;
use crate::advice::NeedView;
use crate::approval::Tally;
use crate::approval::overriding::Override;
use crate::clock::{HOUR, Millis, Time};
use crate::config::{EnvironmentSettings, Mode};
use crate::ledger::Proven;
use crate::name::{Person, Role};
use crate::plan::{State, When};
use crate::store::plan::PlanRow;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Approved,
    Waiting,
    NotYet,
    NotStarted,
    Objected,
    Contested,
    Stale,
    OutsideWindow,
    Blocked,
    Unknown,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Approved => "approved",
            Verdict::Waiting => "waiting",
            Verdict::NotYet => "not-yet",
            Verdict::NotStarted => "not-started",
            Verdict::Objected => "objected",
            Verdict::Contested => "contested",
            Verdict::Stale => "stale",
            Verdict::OutsideWindow => "outside-window",
            Verdict::Blocked => "blocked",
            Verdict::Unknown => "unknown",
        }
    }

    /// 0 approved, 2 cannot tell, 1 all else.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Approved => 0,
            Verdict::Unknown => 2,
            _ => 1,
        }
    }
}

/// What a pipeline is told.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    pub verdict: Verdict,
    pub approved: bool,
    pub plan: Option<String>,
    pub brief: Option<String>,
    pub reasons: Vec<Reason>,
    pub approvals: Vec<Given>,
    /// Blockers that somebody goes on in spite of.
    pub overrides: Vec<Overridden>,
    pub needed: Vec<String>,
    pub schema: u32,
    /// Whether it can still become a yes by itself or by a human's next act: a pipeline that waits goes on waiting.
    pub waits: bool,
    /// False in *observe* and *advise*: the same answer, for information.
    pub enforced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proven>,
    /// The answer as a statement that the ledger's key signed ([`super::signed`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    pub code: String,
    pub says: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Given {
    pub by: Person,
    pub role: Option<Role>,
    /// Whose role it was, where a deputy spoke.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub lender: Option<Person>,
    /// The condition on which it was given, and which is met.
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    pub only_if: Option<String>,
    pub at: Time,
}

/// A blocker that was taken out, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overridden {
    pub code: String,
    pub by: Person,
    pub role: Role,
    pub at: Time,
}

impl Overridden {
    pub fn of(given: &Override) -> Overridden {
        Overridden { code: given.code.clone(), by: given.person.clone(), role: given.role.clone(), at: given.at }
    }
}

/// What the verdict is made from.
#[derive(Debug)]
pub struct Seen<'a> {
    pub row: &'a PlanRow,
    pub environment: &'a EnvironmentSettings,
    pub brief: Option<&'a str>,
    pub needs: &'a [NeedView],
    pub tally: &'a Tally,
    pub given: Vec<Given>,
    /// Approvals that do not count because their condition is not met.
    pub unmet: Vec<Reason>,
    /// Blockers as they stand at this moment.
    pub blocks: Vec<Reason>,
    /// Overrides that hold against what would block.
    pub overrides: Vec<Overridden>,
    /// Overrides that the start relied on and that hold no longer.
    pub lost: Vec<Reason>,
    pub contested: bool,
    /// Why the plan itself is to be reviewed, where nobody has found it sound yet.
    pub unreviewed: Option<&'a str>,
    /// Whose approval waits for them to confirm it.
    pub unconfirmed: Vec<Person>,
    /// An approval is older than it holds.
    pub expired: bool,
    /// How long an approval holds, in milliseconds.
    pub approval_holds: Millis,
    pub request: Option<&'a Request>,
    pub now: Time,
}

static NOTHING: Tally = Tally {
    approved_by: Vec::new(),
    objected_by: Vec::new(),
    held_by: Vec::new(),
    unmet: Vec::new(),
    needs: Vec::new(),
    missing: Vec::new(),
};

impl<'a> Seen<'a> {
    /// A plan whose first brief is still being gathered.
    pub fn without_brief(row: &'a PlanRow, environment: &'a EnvironmentSettings, now: Time) -> Seen<'a> {
        Seen {
            row,
            environment,
            brief: None,
            needs: &[],
            tally: &NOTHING,
            given: Vec::new(),
            unmet: Vec::new(),
            blocks: Vec::new(),
            overrides: Vec::new(),
            lost: Vec::new(),
            contested: false,
            unreviewed: None,
            unconfirmed: Vec::new(),
            expired: false,
            approval_holds: 0,
            request: None,
            now,
        }
    }
}

impl Answer {
    /// The chat could not be asked whether the words on the card still stand: what they would have made is not known.
    pub fn cannot_tell(&mut self) {
        self.verdict = Verdict::Unknown;
        self.approved = false;
        self.waits = false;
        let says = "The chat could not be asked whether the approvals on the card still stand.";
        self.reasons = vec![reason("chat.unreachable", says)];
    }

    /// Nobody planned this.
    pub fn no_plan(enforced: bool) -> Answer {
        Answer {
            verdict: Verdict::Unknown,
            approved: false,
            plan: None,
            brief: None,
            reasons: vec![reason("plan.none", "There is no plan for this; make one with the plan command.")],
            approvals: Vec::new(),
            overrides: Vec::new(),
            needed: Vec::new(),
            schema: 1,
            waits: false,
            enforced,
            commit: None,
            revision: None,
            service: None,
            environment: None,
            checkpoint: None,
            proof: None,
            signed: None,
        }
    }
}

/// What blocks only until a human's next act, or ends by itself.
const HOPEFUL_BLOCKS: [&str; 4] = ["plan.held", "plan.unconfirmed", "coordination.lock", "coordination.queue"];

/// How long somebody's wish to start waits for the planner's confirmation.
pub const ASK_HOLDS: Millis = HOUR;

/// By how many characters a commit is named at least.
pub const SHORTEST_COMMIT: usize = 7;

/// The verdict: the first thing that stands in the way, or approved.
pub fn verdict(seen: &Seen<'_>) -> Answer {
    let (verdict, mut reasons) = weigh(seen);
    let waits = match verdict {
        Verdict::Waiting | Verdict::NotYet | Verdict::NotStarted | Verdict::Stale | Verdict::Contested => true,
        Verdict::Blocked => reasons.iter().all(|r| HOPEFUL_BLOCKS.contains(&r.code.as_str())),
        Verdict::Approved | Verdict::Objected | Verdict::OutsideWindow | Verdict::Unknown => false,
    };
    // Whoever reads why it is (not) approved reads too what was gone past.
    reasons.extend(seen.overrides.iter().map(|given| Reason {
        code: "overridden".to_owned(),
        says: format!("{} is overridden by {} as {}.", given.code, given.by, given.role),
    }));
    Answer {
        verdict,
        approved: verdict == Verdict::Approved,
        plan: Some(seen.row.plan.id.to_string()),
        brief: seen.brief.map(str::to_owned),
        reasons,
        approvals: seen.given.clone(),
        overrides: seen.overrides.clone(),
        needed: seen.tally.missing.iter().map(crate::wording::need).collect(),
        schema: 1,
        waits,
        enforced: seen.environment.mode == Mode::Gate,
        commit: seen.row.plan.commit.clone(),
        revision: Some(seen.row.revision),
        service: Some(seen.row.plan.service.to_string()),
        environment: Some(seen.row.plan.environment.to_string()),
        checkpoint: None,
        proof: None,
        signed: None,
    }
}

fn weigh(seen: &Seen<'_>) -> (Verdict, Vec<Reason>) {
    let row = seen.row;
    let one = |verdict, code: &str, says: String| (verdict, vec![Reason { code: code.to_owned(), says }]);
    match row.state {
        State::Cancelled => return one(Verdict::Blocked, "plan.cancelled", "The plan was cancelled.".to_owned()),
        State::Expired => {
            return one(Verdict::Blocked, "plan.expired", "The plan expired before anybody began it.".to_owned());
        }
        // A deployment was told of: whoever wants another one plans it.
        State::Watching | State::Settled if !is_rollback(seen) => {
            return one(Verdict::Blocked, "plan.used", "The plan was carried out; its approval is used up.".to_owned());
        }
        _ => {}
    }
    if row.plan.kind.has_version() && row.plan.commit.is_none() {
        return one(
            Verdict::Unknown,
            "version.unresolved",
            "The version could not be looked up, so nobody can say which commit this is.".to_owned(),
        );
    }
    if let Some(request) = seen.request
        && let Some(wrong) = differs(request, seen)
    {
        return (Verdict::Stale, vec![wrong]);
    }
    if is_rollback(seen) {
        return rollback(seen);
    }
    if seen.brief.is_none() || row.state == State::Draft {
        return one(Verdict::Waiting, "brief.gathering", "The brief is still being gathered.".to_owned());
    }
    if row.stale_at.is_some() {
        return one(
            Verdict::Stale,
            "brief.stale",
            "Something that matters changed since the brief that was approved.".to_owned(),
        );
    }
    if let Some(started) = &row.started {
        return under_way(seen, started);
    }
    if !seen.tally.objected_by.is_empty() {
        let who = names(&seen.tally.objected_by);
        return one(Verdict::Objected, "approval.objected", format!("{who} objected."));
    }
    if !seen.tally.held_by.is_empty() {
        let who = names(&seen.tally.held_by);
        return one(Verdict::Blocked, "plan.held", format!("{who} asked to hold."));
    }
    if seen.contested {
        return one(
            Verdict::Contested,
            "category.contested",
            "The declared risk or category is doubted; an eligible person other than planner and authors settles it."
                .to_owned(),
        );
    }
    if let Some(why) = seen.unreviewed {
        let says = format!("Somebody other than planner and authors reviews the plan first: {why}.");
        return one(Verdict::Waiting, "plan.unreviewed", says);
    }
    // What only time stands in the way of is judged when its time has come.
    let (timing, others): (Vec<&Reason>, Vec<&Reason>) =
        seen.blocks.iter().partition(|r| r.code.starts_with("timing."));
    if !others.is_empty() {
        return (Verdict::Blocked, others.into_iter().cloned().collect());
    }
    if seen.expired && !seen.tally.missing.is_empty() {
        return one(
            Verdict::Waiting,
            "approval.expired",
            "An approval is too old to count; it must be given again.".to_owned(),
        );
    }
    if !seen.tally.missing.is_empty() {
        let needed: Vec<String> = seen.tally.missing.iter().map(crate::wording::need).collect();
        let mut reasons = vec![reason("approval.missing", &format!("Missing: {}.", needed.join("; ")))];
        if !seen.unconfirmed.is_empty() {
            let says = format!("{} must still confirm.", names(&seen.unconfirmed));
            reasons.push(reason("approval.unconfirmed", &says));
        }
        reasons.extend(seen.unmet.iter().cloned());
        return (Verdict::Waiting, reasons);
    }
    let start = row.plan.when.start(seen.now);
    if seen.now < start {
        return one(Verdict::NotYet, "plan.not-yet", format!("Planned for {}.", start.rfc3339()));
    }
    if let When::Window { end, .. } = row.plan.when
        && seen.now >= end
    {
        return one(
            Verdict::OutsideWindow,
            "plan.window-over",
            format!("The window that was approved ended at {}.", end.rfc3339()),
        );
    }
    if !timing.is_empty() {
        let outside = timing.iter().any(|r| r.code == "timing.window");
        let verdict = if outside { Verdict::OutsideWindow } else { Verdict::Blocked };
        return (verdict, timing.into_iter().cloned().collect());
    }
    if seen.environment.needs_start() {
        if let Some((_, by)) =
            row.asked.as_ref().filter(|(at, _)| seen.environment.protected && seen.now.since(*at) < ASK_HOLDS)
        {
            let says = format!("{by} asked to start; the planner has not typed the environment's name yet.");
            return one(Verdict::Blocked, "plan.unconfirmed", says);
        }
        let mut reasons = vec![reason("plan.not-started", "Approved; nobody has said start.")];
        if seen.environment.protected && row.confirmed.is_none() {
            reasons.push(reason("plan.unconfirmed", "The planner has not typed the environment's name."));
        }
        return (Verdict::NotStarted, reasons);
    }
    (Verdict::Approved, vec![reason("approved", "Approved and clear.")])
}

/// A human began it: the gate is open inside the time that was approved.
fn under_way(seen: &Seen<'_>, (started, by): &(Time, Person)) -> (Verdict, Vec<Reason>) {
    let row = seen.row;
    if seen.environment.protected && row.confirmed.is_none() {
        let says = "Started, but the planner has not typed the environment's name.";
        return (Verdict::Blocked, vec![reason("plan.unconfirmed", says)]);
    }
    if !seen.lost.is_empty() {
        return (Verdict::Blocked, seen.lost.clone());
    }
    let until = match row.plan.when {
        When::Window { end, .. } => end,
        _ => started.plus(seen.approval_holds),
    };
    if seen.now >= until {
        return (Verdict::OutsideWindow, vec![reason("plan.window-over", "The time that was approved is over.")]);
    }
    (
        Verdict::Approved,
        vec![Reason {
            code: "approved".to_owned(),
            says: format!("Approved; {by} began it at {}.", started.rfc3339()),
        }],
    )
}

fn is_rollback(seen: &Seen<'_>) -> bool {
    seen.request.is_some_and(|request| request.rollback)
}

/// The stated rollback is part of what was approved, at any hour.
fn rollback(seen: &Seen<'_>) -> (Verdict, Vec<Reason>) {
    let row = seen.row;
    if row.plan.rollback.is_none() {
        return (Verdict::Unknown, vec![reason("rollback.none", "The plan states no rollback.")]);
    }
    if row.started.is_none() && !matches!(row.state, State::Started | State::Watching | State::Settled) {
        return (
            Verdict::NotStarted,
            vec![reason("rollback.not-started", "Nothing was started that could be rolled back.")],
        );
    }
    // What a person started was approved then; what a pipeline began without asking may never have been.
    if row.started.is_none() && !seen.tally.missing.is_empty() {
        return (
            Verdict::Waiting,
            vec![reason("approval.missing", "The plan was never approved, and so neither was its rollback.")],
        );
    }
    (Verdict::Approved, vec![reason("rollback.approved", "The stated rollback was approved with the plan.")])
}

/// How what is asked about differs from what was approved.
fn differs(request: &Request, seen: &Seen<'_>) -> Option<Reason> {
    let plan = &seen.row.plan;
    // A rollback brings another version and commit than the plan did.
    if let (Some(asked), Some(known), false) = (&request.commit, &plan.commit, request.rollback)
        && !known.starts_with(asked.as_str())
    {
        return Some(Reason {
            code: "commit.differs".to_owned(),
            says: format!("The plan is for commit {}, not {}.", short(known), short(asked)),
        });
    }
    if let (Some(commit), false) = (&request.commit, request.rollback)
        && commit.len() < SHORTEST_COMMIT
    {
        return Some(reason("commit.differs", "A commit is named by at least seven characters."));
    }
    if request.change.is_some() && request.change != plan.set_digest() {
        return Some(reason("change.differs", "The plan sets other values."));
    }
    if request.plan.is_some() {
        let other = |asked: Option<&str>, known: &str| asked.is_some_and(|asked| asked != known);
        if other(request.service.as_ref().map(|s| s.as_str()), plan.service.as_str())
            || other(request.environment.as_ref().map(|e| e.as_str()), plan.environment.as_str())
            || !request.rollback
                && request.version.is_some()
                && request.version != plan.version
                && request.version != plan.commit
        {
            return Some(reason("target.differs", "The plan is for another service, environment or version."));
        }
    }
    None
}

fn reason(code: &str, says: &str) -> Reason {
    Reason { code: code.to_owned(), says: says.to_owned() }
}

fn names(people: &[Person]) -> String {
    people.iter().map(Person::as_str).collect::<Vec<_>>().join(" and ")
}

fn short(commit: &str) -> String {
    crate::message::tame(&commit.chars().take(12).collect::<String>(), 12)
}
