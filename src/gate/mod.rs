//! The verdict that pipelines ask for. It says whether humans approved and began; whoever runs the pipeline decides what to
//! do with that word.

pub mod job;
mod line;
mod statement;
mod verdict;

pub use line::Lines;
pub use statement::signed;
pub use verdict::{ASK_HOLDS, Answer, Given, Overridden, Reason, SHORTEST_COMMIT, Seen, Verdict, verdict};

use std::sync::Arc;

use crate::advice::Context;
use crate::app::App;
use crate::approval::overriding::Block;
use crate::approval::{Word, WordKind};
use crate::clock::Time;
use crate::config::Mode;
use crate::event::Due;
use crate::name::{Environment, PlanId, Service};
use crate::plan::show::Heard;
use crate::plan::{State, When, overriding};
use crate::source::{Ask, Learned, Question};
use crate::store::Tx;
use crate::store::plan::PlanRow;
use crate::store::standing::{Said, Standing};
use line::Asked;

/// What a pipeline asks.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub plan: Option<PlanId>,
    pub service: Option<Service>,
    pub environment: Option<Environment>,
    pub version: Option<String>,
    pub commit: Option<String>,
    /// The digest of a flag or configuration change.
    pub change: Option<String>,
    /// The stated rollback is what will be run.
    pub rollback: bool,
}

/// The plan that a request is about.
async fn find(tx: &mut Tx, request: &Request) -> anyhow::Result<Option<PlanRow>> {
    if let Some(id) = &request.plan {
        return tx.plan(id).await;
    }
    let (Some(service), Some(environment)) = (&request.service, &request.environment) else { return Ok(None) };
    let rows = tx.plans_for(service, environment).await?;
    let fits = |row: &&PlanRow| {
        let version = request.version.as_deref();
        let same_version =
            version.is_some() && (row.plan.version.as_deref() == version || row.plan.commit.as_deref() == version);
        let begins = |asked: &String| {
            asked.len() >= verdict::SHORTEST_COMMIT
                && row.plan.commit.as_ref().is_some_and(|known| known.starts_with(asked))
        };
        let same_commit = version.is_none() && request.commit.as_ref().is_some_and(begins);
        let same_change = request.change.is_some() && row.plan.set_digest() == request.change;
        same_version || same_commit || same_change
    };
    // The newest that is not over; an over one only if there is no other.
    let found = rows.iter().filter(fits).find(|row| !row.state.is_over()).or_else(|| rows.iter().find(fits));
    Ok(found.cloned())
}

/// Answers a pipeline that may ask about the plan's target; None where it may not. Nothing that fails on the way ever reads
/// as approved.
///
/// Whatever is not a yes decides nothing and waits for nobody: it is what a look at the store says. Only what looks like a
/// yes takes the writer, and is decided anew there (`line.rs`): no withdrawal can come between it and its record.
pub async fn ask(
    app: &App,
    request: &Request,
    may: impl Fn(&Service, &Environment) -> bool,
) -> anyhow::Result<Option<Answer>> {
    let plan = match &request.plan {
        Some(plan) => Some(plan.clone()),
        None => find(&mut app.store.look(app.clock.now()).await?, request).await?.map(|row| row.plan.id),
    };
    let told = 'told: {
        let Some(plan) = plan else { break 'told None };
        let mut asked = Asked { plan, request: request.clone(), heard: Heard::All };
        let Some(mut told) = app.gate.look(app, &asked).await? else { break 'told None };
        if !may(&told.row.plan.service, &told.row.plan.environment) {
            return Ok(None);
        }
        if may_be_behind(app, &told.row) {
            // Nothing is held while others are asked.
            look_again(app, &told.row).await?;
            if !crate::chat::bring_up_to_date(app, &told.row).await? {
                asked.heard = Heard::Terminal;
            }
            let Some(again) = app.gate.look(app, &asked).await? else { break 'told None };
            told = again;
        }
        if told.answer.approved { app.gate.decide(app, &asked).await? } else { Some(told) }
    };
    match told {
        Some(told) => Ok(Some(told.answer)),
        None => no_plan(app, request).await.map(Some),
    }
}

/// Nobody planned what is asked about.
async fn no_plan(app: &App, request: &Request) -> anyhow::Result<Answer> {
    let mode = request.environment.as_ref().and_then(|name| app.settings().environment.get(name).map(|e| e.mode));
    let checkpoint = crate::ledger::checkpoint_now(&app.store, &app.signer).await?;
    Ok(Answer { checkpoint: Some(checkpoint.note), ..Answer::no_plan(mode.is_none_or(|mode| mode == Mode::Gate)) })
}

/// Whether systems outside may know more about a plan than the store does. What was begun rests on roles all the same.
fn may_be_behind(app: &App, row: &PlanRow) -> bool {
    let rests_on_teams = row.state == State::Started && crate::people::team::matter(app);
    rests_on_teams
        || row.state.waits()
            && (!app.sources().is_empty() || app.chat(&row.platform).map_or(true, |chat| chat.can_miss()))
}

/// What a pipeline is told about a plan as it stands in this transaction, of which `standing` was read.
async fn answer(app: &App, tx: &mut Tx, standing: &Standing, asked: &Asked) -> anyhow::Result<Answer> {
    let waits = crate::hold::stands_in_line(tx, &standing.row, &app.settings()).await?;
    let mut answer = judge(app, standing, Some(&asked.request), asked.heard, waits, tx.now);
    if asked.heard == Heard::Terminal && !rest_on_terminal(&standing.said.words, &standing.row, &answer) {
        answer.cannot_tell();
    }
    Ok(answer)
}

/// Whether an answer that heard the terminal alone may be given: what was approved there needs no chat to be read back
/// from, and suffices.
pub async fn rests_on_terminal(tx: &mut Tx, row: &PlanRow, answer: &Answer) -> anyhow::Result<bool> {
    Ok(rest_on_terminal(&tx.words(&row.plan.id).await?, row, answer))
}

fn rest_on_terminal(words: &[Word], row: &PlanRow, answer: &Answer) -> bool {
    let there =
        |word: &Word| word.platform == crate::people::TERMINAL && word.revision == row.revision && word.stands();
    answer.needed.is_empty() && words.iter().any(there)
}

/// The verdict on a plan as it stands in this transaction.
pub async fn decide(
    app: &App,
    tx: &mut Tx,
    row: &PlanRow,
    request: Option<&Request>,
    heard: Heard,
) -> anyhow::Result<Answer> {
    let waits = crate::hold::stands_in_line(tx, row, &app.settings()).await?;
    let mut standing = tx.standing(row).await?;
    as_now(&mut standing, app, tx.now);
    Ok(judge(app, &standing, request, heard, waits, tx.now))
}

/// Whether a plan could begin now if nobody stood before it in a queue.
pub async fn could_begin(app: &App, tx: &mut Tx, row: &PlanRow) -> anyhow::Result<bool> {
    let mut standing = tx.standing(row).await?;
    as_now(&mut standing, app, tx.now);
    let answer = judge(app, &standing, None, Heard::All, None, tx.now);
    let begins = matches!(answer.verdict, Verdict::NotStarted | Verdict::Approved);
    Ok(begins || answer.verdict == Verdict::Blocked && answer.reasons.iter().all(|r| r.code == "plan.unconfirmed"))
}

/// Puts the locks and freezes of this moment among the brief's facts: windows close and freezes begin while a plan waits.
fn as_now(standing: &mut Standing, app: &App, now: Time) {
    if let Some(revision) = &mut standing.revision {
        let (locks, freezes) = (std::mem::take(&mut standing.locks), std::mem::take(&mut standing.freezes));
        let holds = crate::hold::as_of(locks, freezes, &app.settings(), &revision.facts, now);
        if !crate::hold::is_said(&revision.facts, &holds) {
            crate::hold::put(&mut Arc::make_mut(revision).facts, holds);
        }
    }
}

/// The verdict on what was read, and put as it is now. `waits`: why it stands in line, where it does.
fn judge(
    app: &App,
    standing: &Standing,
    request: Option<&Request>,
    heard: Heard,
    waits: Option<Reason>,
    now: Time,
) -> Answer {
    let settings = app.settings();
    let row = &standing.row;
    let environment = settings.environment.get(&row.plan.environment).cloned().unwrap_or_default();
    let Some(revision) = &standing.revision else {
        return verdict(&Seen::without_brief(row, &environment, now));
    };
    let said = &standing.said;
    let tally = crate::plan::show::tally_heard(said, row, revision, &settings, heard, now);
    let Said { words, overrides: given_overrides, .. } = said;
    let mut at_once = row.plan.clone();
    at_once.when = When::Now;
    let stops = crate::advice::stops(Context { plan: &at_once, facts: &revision.facts, settings: &settings, now });
    let mut blocks: Vec<Block> = stops.iter().map(Block::of).collect();
    // Overridden blockers are taken out and named; roles, commits and facts are compared at this moment.
    let mut overrides: Vec<Overridden> = Vec::new();
    let mut against = |block: &Block| match overriding::against(given_overrides, block, row, &settings, now) {
        Some(given) => {
            overrides.push(Overridden::of(given));
            true
        }
        None => false,
    };
    for block in overriding::of_words(words, row.revision) {
        against(&block);
    }
    blocks.retain(|block| !against(block));
    let used = given_overrides.iter().filter(|given| given.used_at.is_some() && given.stands());
    let lost: Vec<Reason> = used
        .filter_map(|given| given.has_role(&row.plan, &settings).err().map(|gone| (given, gone)))
        .map(|(given, gone)| Reason {
            code: "override.void".to_owned(),
            says: format!("The override of {} by {} does not hold: {}.", given.code, given.person, gone.says()),
        })
        .collect();
    let blocks = blocks.into_iter().map(|block| Reason { code: block.code, says: block.says }).chain(waits).collect();
    // One whose condition is not met is no approval yet, and is named among the reasons.
    let is_met = |word: &Word| word.only_if.is_none() || tally.approved_by.contains(&word.person);
    let given = words
        .iter()
        .filter(|word| word.kind == WordKind::Approve && word.revision == row.revision && word.stands())
        .filter(|word| is_met(word))
        .map(|word| Given {
            by: word.person.clone(),
            role: word.role.clone(),
            lender: word.lender.clone(),
            only_if: word.only_if.as_ref().map(|only_if| only_if.condition.written()),
            at: word.at,
        })
        .collect();
    let unmet = tally.unmet.iter().map(|(person, condition)| Reason {
        code: "approval.condition".to_owned(),
        says: crate::wording::condition::does_not_count(person, condition, row, &settings, now),
    });
    let expired = words
        .iter()
        .filter(|word| word.kind == WordKind::Approve && word.revision == row.revision && word.stands())
        .any(|word| word.has_expired(&row.plan, &settings, now));
    let unconfirmed = match revision.advice.asked.second_step {
        Some(_) => crate::plan::second_step::open(&standing.steps, &row.plan.id, row.revision),
        None => Vec::new(),
    };
    let mut answer = verdict(&Seen {
        row,
        environment: &environment,
        brief: Some(&revision.brief),
        needs: &tally.needs,
        tally: &tally,
        given,
        unmet: unmet.collect(),
        blocks,
        overrides,
        lost,
        contested: revision.advice.category.contested && row.category.is_none(),
        unreviewed: row.awaits_review(revision),
        unconfirmed: unconfirmed.into_iter().map(|step| step.person).collect(),
        expired,
        approval_holds: settings.policy.approval_expires.ms(),
        request,
        now,
    });
    // Whoever reads the answer reads too how old it is what it rests on.
    let doubts = crate::people::team::doubts(app, &tally.needs).into_iter();
    answer.reasons.extend(doubts.map(|says| Reason { code: "team.unread".to_owned(), says }));
    answer
}

/// Looks anew at what must not be old when somebody decides: which commit the version is, and what conditions on approvals
/// rest on.
pub async fn look_again(app: &App, row: &PlanRow) -> anyhow::Result<()> {
    crate::people::team::look(app, &row.plan.id).await?;
    resolve_again(app, row).await?;
    crate::plan::condition::look(app, row).await
}

/// Looks the version up anew: a tag that moved, or a branch that grew, makes the brief stale at once.
async fn resolve_again(app: &App, row: &PlanRow) -> anyhow::Result<()> {
    let Some(version) = row.plan.version.clone().filter(|_| row.state.waits()) else { return Ok(()) };
    let settings = app.settings();
    let now = app.clock.now();
    let ask = Ask {
        version: Some(version.clone()),
        fresh: true,
        ..Ask::of(Question::Versions, &settings, &row.plan.service, &row.plan.environment, now)
    };
    let mut commit = None;
    for (_, answer) in crate::plan::brief::ask(app, &ask).await {
        if let Ok(answer) = answer
            && let Learned::Versions(versions) = answer.learned
        {
            commit =
                versions.resolved.into_iter().find(|(name, _)| *name == version).map(|(_, commit)| commit).or(commit);
        }
    }
    // None: nobody could say; Some(None): the version is gone.
    let Some(found) = commit else { return Ok(()) };
    if found == row.plan.commit && row.stale_at.is_none() {
        return Ok(());
    }
    let mut tx = app.store.begin(now).await?;
    if let Some(mut fresh) = tx.plan(&row.plan.id).await?
        && fresh.state.waits()
        && fresh.plan.commit != found
    {
        fresh.stale_at.get_or_insert(now);
        tx.update_plan(&fresh).await?;
        tx.due(&Due::Advise { plan: row.plan.id.clone() }, now).await?;
        tx.commit().await?;
        app.wake();
    }
    Ok(())
}
