//! What of a plan is shown where: one message in the channel, edited in place; everything else in its thread.

use serde_json::{Value, json};

use crate::advice::rules::eligible_now;
use crate::advice::{Approvals, Context, FlagLevel, NeedView};
use crate::app::App;
use crate::approval::condition::{Condition, Watcher};
use crate::approval::deputy::lent;
use crate::approval::overriding::{OBJECTED, Override};
use crate::approval::role::{ON_CALL, meets};
use crate::approval::second_step::suffices;
use crate::approval::{Tally, Word, WordKind, tally};
use crate::clock::Time;
use crate::config::{Mode, PersonKind, Settings};
use crate::hold::Scope;
use crate::ledger::{Receipt, Statement};
use crate::message::Message;
use crate::name::{Person, PlanId, Role};
use crate::people;
use crate::plan::{Plan, When, condition, overriding, second_step};
use crate::store::Tx;
use crate::store::plan::{PlanRow, Revision};
use crate::store::standing::Said;
use crate::wording;
use crate::work::Send;

/// The key of the channel's one message.
pub fn main_key(plan: &PlanId) -> String {
    format!("main:{plan}")
}

/// The key of a revision's card.
pub fn card_key(plan: &PlanId, revision: i64) -> String {
    format!("card:{plan}:{revision}")
}

/// Everything that a new revision shows.
pub async fn revision(
    app: &App,
    tx: &mut Tx,
    row: &PlanRow,
    revision: &Revision,
    entry: &Receipt,
) -> anyhow::Result<()> {
    let settings = app.settings();
    let picture = format!("strip-{}-{}", row.plan.id, revision.number);
    let strip = crate::picture::strip_of(&row.plan, &revision.facts, &revision.advice.windows, &settings, tx.now);
    tx.insert_picture(&picture, &strip.light, &strip.dark).await?;
    main(app, tx, row, revision).await?;
    in_thread_as(
        tx,
        row,
        Some(format!("evidence:{}:{}", row.plan.id, revision.number)),
        wording::evidence::evidence(row, revision, tx.now),
    )
    .await?;
    in_thread_as(
        tx,
        row,
        Some(format!("picture:{}:{}", row.plan.id, revision.number)),
        wording::brief::picture(&picture, &strip.alt, row, &revision.advice, &settings, tx.now),
    )
    .await?;
    if row.revision > 1 {
        // The older card stays readable and says that it no longer asks.
        let older = wording::card::superseded(&row.plan.id, row.revision - 1, row.revision);
        in_thread_as(tx, row, Some(card_key(&row.plan.id, row.revision - 1)), older).await?;
    }
    card(tx, row, revision, &settings, entry).await
}

/// The card of the revision, as things stand now.
pub async fn card(
    tx: &mut Tx,
    row: &PlanRow,
    revision: &Revision,
    settings: &Settings,
    entry: &Receipt,
) -> anyhow::Result<()> {
    let mut overrides = tx.overrides(&row.plan.id).await?;
    overrides.retain(Override::stands);
    let mut deputies = tx.deputies().await?;
    deputies.retain(|deputy| deputy.is_active(tx.now) && revision.advice.approvals.eligible.contains(&deputy.lender));
    let steps = match revision.advice.asked.second_step {
        Some(_) => second_step::open(&tx.steps(&row.plan.id).await?, &row.plan.id, row.revision),
        None => Vec::new(),
    };
    let mut conditional = tx.words(&row.plan.id).await?;
    conditional.retain(|word| word.revision == row.revision && word.stands() && word.only_if.is_some());
    let watchers = tx.watchers(&row.plan.id).await?;
    let beside = wording::card::Beside {
        overrides: &overrides,
        deputies: &deputies,
        steps: &steps,
        conditional: &conditional,
        watchers: &watchers,
    };
    let mut shown = revision.clone();
    shown.advice.approvals = approvals_now(row, revision, settings, tx.now);
    let card = wording::card::asks(row, &shown, settings, entry, &beside, tx.now);
    in_thread_as(tx, row, Some(card_key(&row.plan.id, row.revision)), card).await
}

/// The channel's message, as things stand now.
pub async fn main(app: &App, tx: &mut Tx, row: &PlanRow, revision: &Revision) -> anyhow::Result<()> {
    let settings = app.settings();
    let tally = tally_of(tx, row, revision, &settings).await?;
    let shown = Revision { advice: crate::hold::renewed(tx, row, revision, &settings).await?, ..revision.clone() };
    let mut message = wording::brief::main(row, &shown, &tally, &settings, tx.now);
    let target = Scope::target(&row.plan.service, &row.plan.environment);
    if row.state.waits()
        && crate::hold::is_held(&tx.locks().await?, &tx.freezes().await?, &target, &row.plan.by, tx.now)
    {
        wording::hold::offer(&mut message, &target);
    }
    crate::hold::stir(tx, row, &settings).await?;
    crate::gate::job::stir(tx, &row.plan).await?;
    tx.send(&to_channel(row, &settings, Some(main_key(&row.plan.id)), message)).await
}

/// Whose approvals are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    All,
    /// Only those given in the terminal: the chat could not be asked whether the others still stand.
    Terminal,
}

/// How the words on the current revision stand.
pub async fn tally_of(tx: &mut Tx, row: &PlanRow, revision: &Revision, settings: &Settings) -> anyhow::Result<Tally> {
    Ok(tally_heard(&tx.said(&row.plan.id).await?, row, revision, settings, Heard::All, tx.now))
}

/// How the words stand, of all approvals or of some. Objections and holds always count.
pub fn tally_heard(
    said: &Said,
    row: &PlanRow,
    revision: &Revision,
    settings: &Settings,
    heard: Heard,
    now: Time,
) -> Tally {
    let needs = needs_now(row, revision, settings, now);
    // Whoever is no member any more has no voice, whatever they said before; an approval counts for its time.
    let counts = |word: &Word| {
        let old = word.kind == WordKind::Approve && word.has_expired(&row.plan, settings, now);
        let unheard = word.kind == WordKind::Approve && heard == Heard::Terminal && word.platform != people::TERMINAL;
        // Whatever the store says, what the brief asks for was done.
        let past_the_chat = word.platform == people::TERMINAL;
        let confirmed = suffices(word.kind, &revision.advice.asked, word.confirmed, past_the_chat).is_ok();
        is_member(settings, &word.person) && !old && !unheard && (confirmed || word.revision != row.revision)
    };
    let mut words: Vec<Word> = said.words.iter().filter(|word| counts(word)).cloned().collect();
    let unmet = set_aside_unmet(row, &mut words, &said.watchers, settings, now);
    let change = revision.facts.change.first().map(|fact| &fact.value);
    let approval = |person: &Person| {
        let mut approvals = words.iter().filter(|word| word.kind == WordKind::Approve && word.revision == row.revision);
        approvals.find(|word| word.person == *person && word.stands())
    };
    let mut tally = tally(&needs, &words, row.revision, |person, need| {
        let mut roles = people::speaker(settings, person).map(|speaker| speaker.roles).unwrap_or_default();
        // What was said for somebody counts while it is lent, and not beside the lender's own word.
        if let Some(lender) = approval(person).and_then(|word| word.lender.as_ref()).filter(|l| approval(l).is_none()) {
            let lent = lent(person, &said.deputies, &row.plan, change, settings, now);
            roles.extend(lent.into_iter().filter(|(_, by)| by == lender).map(|(role, _)| role));
        }
        // Hand-overs are ordinary: whoever was on call when they spoke goes on counting so.
        if approval(person).is_some_and(|word| word.on_call_at.is_some()) {
            roles.push(Role::from(ON_CALL));
        }
        meets(need, person, &roles, settings)
    });
    tally.unmet = unmet;
    for block in overriding::of_words(&words, row.revision) {
        if overriding::against(&said.overrides, &block, row, settings, now).is_some() {
            match block.code.as_str() {
                OBJECTED => tally.objected_by.clear(),
                _ => tally.held_by.clear(),
            }
        }
    }
    tally
}

/// Takes approvals whose condition is not met out of the words that count, and tells whose they are.
fn set_aside_unmet(
    row: &PlanRow,
    words: &mut Vec<Word>,
    watchers: &[Watcher],
    settings: &Settings,
    now: Time,
) -> Vec<(Person, Condition)> {
    let asks = |word: &Word| word.revision == row.revision && word.stands();
    let standing: Vec<Word> = words.iter().filter(|word| asks(word)).cloned().collect();
    let judged = condition::judged(row, &standing, watchers, settings, None, now);
    let mut unmet = Vec::new();
    words.retain(|word| {
        let Some(only_if) = word.only_if.as_ref().filter(|_| asks(word)) else { return true };
        let holds = judged.get(&word.id).is_some_and(|look| only_if.holds(look));
        if !holds {
            unmet.push((word.person.clone(), only_if.condition.clone()));
        }
        holds
    });
    unmet
}

/// What is needed as things stand: by the brief, and by the hour at which it would begin.
pub fn needs_now(row: &PlanRow, revision: &Revision, settings: &Settings, now: Time) -> Vec<NeedView> {
    let plan = as_of(&row.plan, now);
    let ctx = Context { plan: &plan, facts: &revision.facts, settings, now };
    crate::advice::rules::at_this_hour(ctx, &revision.advice.approvals)
}

/// What the brief asks for, with those who could give it now: shifts change while a plan waits.
pub fn approvals_now(row: &PlanRow, revision: &Revision, settings: &Settings, now: Time) -> Approvals {
    let approvals = &revision.advice.approvals;
    let ctx = Context { plan: &row.plan, facts: &revision.facts, settings, now };
    Approvals { eligible: eligible_now(ctx, &approvals.needs), ..approvals.clone() }
}

/// The plan as it would begin from now on: one whose time has come begins at once.
pub fn as_of(plan: &Plan, now: Time) -> Plan {
    let when = if plan.when.start(now) > now { plan.when } else { When::Now };
    Plan { when, ..plan.clone() }
}

fn is_member(settings: &Settings, person: &Person) -> bool {
    settings.people.get(person).is_some_and(|known| known.kind == PersonKind::Member)
}

/// One more line in the plan's thread.
pub async fn in_thread(tx: &mut Tx, row: &PlanRow, message: Message) -> anyhow::Result<()> {
    in_thread_as(tx, row, None, message).await
}

/// A message in the plan's thread that can be edited later under its key.
pub async fn in_thread_as(tx: &mut Tx, row: &PlanRow, key: Option<String>, message: Message) -> anyhow::Result<()> {
    let send = Send::to(&row.platform, &row.channel, message).thread(Some(main_key(&row.plan.id))).key(key);
    tx.send(&send.of(&row.plan.id)).await
}

/// In *observe* the planner alone sees the brief.
fn to_channel(row: &PlanRow, settings: &Settings, key: Option<String>, message: Message) -> Send {
    let mode = settings.environment.get(&row.plan.environment).map(|e| e.mode).unwrap_or_default();
    let only_for = (mode == Mode::Observe)
        .then(|| people::user_on(settings, &row.platform, &row.plan.by).unwrap_or_else(|| row.plan.by.to_string()));
    Send::to(&row.platform, &row.channel, message).key(key).only_for(only_for).of(&row.plan.id)
}

/// The entry that binds a revision: brief hash, flags with their levels and points, score, declared words.
pub fn record_of_revision(row: &PlanRow, revision: &Revision, settings: &Settings) -> Statement {
    let advice = &revision.advice;
    let flags: Vec<Value> = advice
        .flags
        .iter()
        .map(|flag| json!({ "code": flag.code, "level": level(flag.level), "points": flag.points, "of": flag.of }))
        .collect();
    let plan = &row.plan;
    let needs: Vec<String> = advice.approvals.needs.iter().map(wording::need).collect();
    Statement::new("plan.revised")
        .of(row, Some(&revision.brief))
        .policy(
            &crate::advice::policy_digest(settings),
            None,
            Some(advice.approvals.needs.iter().map(|n| n.need.count).sum()),
        )
        .with("flags", flags)
        .with("blockers", advice.blockers.clone())
        .with("score", advice.score.value)
        .with("needs", needs)
        .with("kind", plan.kind.as_str())
        .with("risk_declared", plan.risk.map_or("undeclared", crate::plan::Risk::as_str))
        .with("category_declared", plan.category.clone())
        .with("category_seen", advice.category.seen.clone())
        .with("contested", advice.category.contested)
        .text("why", plan.why.as_deref())
        .text("why_now", plan.why_now.as_deref())
        .text("how", plan.how.as_deref())
        .text("validate", plan.validate.as_deref())
        .text("success", plan.success.as_deref())
        .text("rollback", plan.rollback.as_deref())
        .text("rollback_if", plan.rollback_if.as_deref())
        .text("reason", Some(&revision.reason))
}

fn level(level: FlagLevel) -> &'static str {
    match level {
        FlagLevel::Pass => "pass",
        FlagLevel::Info => "info",
        FlagLevel::Unknown => "unknown",
        FlagLevel::Caution => "caution",
        FlagLevel::Critical => "critical",
    }
}
