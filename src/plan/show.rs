//! What of a plan is shown where: one message in the channel, edited in place; everything else in its thread.

use serde_json::{Value, json};

use crate::advice::FlagLevel;
use crate::app::App;
use crate::approval::{Tally, tally};
use crate::config::{Mode, Settings};
use crate::hold::Scope;
use crate::ledger::{Receipt, Statement};
use crate::message::Message;
use crate::name::PlanId;
use crate::people;
use crate::store::Tx;
use crate::store::plan::{PlanRow, Revision};
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
    let card = wording::card::asks(row, revision, &settings, entry);
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
    tx.send(&to_channel(row, &settings, Some(main_key(&row.plan.id)), message)).await
}

/// How the words on the current revision stand.
pub async fn tally_of(tx: &mut Tx, row: &PlanRow, revision: &Revision, settings: &Settings) -> anyhow::Result<Tally> {
    let words = tx.words(&row.plan.id).await?;
    Ok(tally(&revision.advice.approvals.needs, &words, row.revision, |person| {
        people::speaker(settings, person).map(|speaker| speaker.roles).unwrap_or_default()
    }))
}

/// One more line in the plan's thread.
pub async fn in_thread(tx: &mut Tx, row: &PlanRow, message: Message) -> anyhow::Result<()> {
    in_thread_as(tx, row, None, message).await
}

/// A message in the plan's thread that can be edited later under its key.
pub async fn in_thread_as(tx: &mut Tx, row: &PlanRow, key: Option<String>, message: Message) -> anyhow::Result<()> {
    tx.send(&Send {
        platform: row.platform.clone(),
        channel: row.channel.clone(),
        thread: Some(main_key(&row.plan.id)),
        key,
        only_for: None,
        direct: false,
        answer: None,
        plan: Some(row.plan.id.clone()),
        message,
    })
    .await
}

/// In *observe* the planner alone sees the brief.
fn to_channel(row: &PlanRow, settings: &Settings, key: Option<String>, message: Message) -> Send {
    let mode = settings.environment.get(&row.plan.environment).map(|e| e.mode).unwrap_or_default();
    Send {
        platform: row.platform.clone(),
        channel: row.channel.clone(),
        thread: None,
        key,
        only_for: (mode == Mode::Observe)
            .then(|| people::user_on(settings, &row.platform, &row.plan.by).unwrap_or_else(|| row.plan.by.to_string())),
        direct: false,
        answer: None,
        plan: Some(row.plan.id.clone()),
        message,
    }
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
