//! What people do to locks and freezes. Each act is one transaction: the entry with its reason, the row that follows from
//! it, and what is said to whom.

use super::{End, Except, Freeze, Lock, Scope, now, tell};
use crate::advice::facts::{CalendarEvent, Means};
use crate::clock::{Millis, Time};
use crate::command::{Call, whisper};
use crate::config::Settings;
use crate::event::{Due, From};
use crate::ledger::Statement;
use crate::name::{Person, Role, new_id};
use crate::people;
use crate::store::Tx;
use crate::store::hold::{FreezeRow, LockRow};
use crate::wording;

/// What somebody asks others to wait for.
#[derive(Clone, Debug)]
pub struct Taking {
    pub scope: Scope,
    pub why: Option<String>,
    /// For how long, already within what the settings allow.
    pub length: Millis,
    /// Takes it from whoever holds it.
    pub steal: bool,
}

/// Takes a lock, keeps one's own for longer, or takes over somebody else's.
pub async fn lock(call: &Call<'_>, taking: &Taking) -> anyhow::Result<()> {
    // The chat is asked before the transaction, which waits for nobody.
    let seen = call.app.store.locks().await?.into_iter().find(|row| row.lock.scope == taking.scope);
    let left = match &seen {
        Some(row) if row.lock.owner != call.person => now::has_gone(call.app, &call.settings, row).await,
        _ => false,
    };
    let mut tx = call.begin().await?;
    let until = tx.now.plus(taking.length);
    let mut former = tx.locks().await?.into_iter().find(|row| row.lock.scope == taking.scope);
    // What ran out a moment ago and was not said to be over yet holds nobody.
    if let Some(row) = former.as_mut().filter(|row| !row.lock.stands(tx.now)) {
        end(call.app, &mut tx, row, End::Expired, None).await?;
        former = None;
    }
    match former {
        Some(row) if row.lock.owner == call.person => keep(call, &mut tx, row, taking, until).await?,
        Some(mut row) if taking.steal => {
            let why = reason(call, taking)?;
            end(call.app, &mut tx, &mut row, End::Stolen, Some((call, why))).await?;
            let taken = take(call, &mut tx, taking, until, why, Some(&row.lock.owner)).await?;
            let says = wording::hold::taken_from_you(&taken.lock, &call.settings, tx.now);
            tell::person(call.app, &mut tx, (&row.platform, &row.channel), &row.lock.owner, says).await?;
        }
        Some(mut row) => {
            row.lock.left = left && seen.is_some_and(|seen| seen.lock.id == row.lock.id);
            let says = wording::hold::is_locked(&row.lock, &call.settings, tx.now);
            whisper(&mut tx, call.from, None, says).await?;
            return tx.commit().await;
        }
        None => {
            let why = reason(call, taking)?;
            take(call, &mut tx, taking, until, why, None).await?;
        }
    }
    tx.due(&Due::Holds, tx.now).await?;
    tx.commit().await
}

fn reason<'a>(call: &Call<'_>, taking: &'a Taking) -> anyhow::Result<&'a str> {
    taking
        .why
        .as_deref()
        .ok_or_else(|| call.refuse(wording::hold::say_why(&call.settings, &taking.scope, taking.steal)))
}

async fn take(
    call: &Call<'_>,
    tx: &mut Tx,
    taking: &Taking,
    until: Time,
    why: &str,
    former: Option<&Person>,
) -> anyhow::Result<LockRow> {
    let id = new_id(tx.now).to_lowercase();
    let act = if former.is_some() { "stolen" } else { "taken" };
    let record = stated(call, "lock", &id, &taking.scope, act).with("until", until.ms());
    let record = record.with("former", former.map(ToString::to_string)).text("reason", Some(why));
    let entry = tx.record(call.app, record).await?;
    let row = LockRow {
        lock: Lock {
            id,
            scope: taking.scope.clone(),
            owner: call.person.clone(),
            why: why.to_owned(),
            since: tx.now,
            until,
            left: false,
        },
        platform: call.from.platform.clone(),
        channel: call.from.channel.clone(),
        entry: entry.seq,
        asked: None,
        ended: None,
    };
    tx.insert_lock(&row).await?;
    let now = tx.now;
    let says = wording::hold::locked(&row.lock, former, &call.settings, now);
    tell::channel(tx, (&row.platform, &row.channel), key(&row), says).await?;
    let lock = &row.lock;
    let says = |plan: &crate::store::plan::PlanRow| wording::hold::you_wait(plan, lock, &call.settings, now);
    tell::plans(call.app, tx, &lock.scope, Some(&lock.owner), false, says).await?;
    Ok(row)
}

/// The owner moves the end, later or sooner.
async fn keep(call: &Call<'_>, tx: &mut Tx, mut row: LockRow, taking: &Taking, until: Time) -> anyhow::Result<()> {
    let record = stated(call, "lock", &row.lock.id, &row.lock.scope, "kept").with("until", until.ms());
    let entry = tx.record(call.app, record.text("reason", taking.why.as_deref())).await?;
    row.lock.until = until;
    row.asked = None;
    if let Some(why) = &taking.why {
        row.lock.why.clone_from(why);
        row.entry = entry.seq;
    }
    tx.update_lock(&row).await?;
    let now = tx.now;
    let says = wording::hold::locked(&row.lock, None, &call.settings, now);
    tell::channel(tx, (&row.platform, &row.channel), key(&row), says).await?;
    whisper(tx, call.from, None, wording::hold::kept(&row.lock, &call.settings, now)).await
}

/// Ends a lock: its owner, somebody with a role of the settings, or anyone who may lock where its owner left.
pub async fn unlock(call: &Call<'_>, scope: &Scope, why: Option<&str>) -> anyhow::Result<()> {
    let settings = &call.settings;
    // The chat is asked before the transaction, which waits for nobody.
    let seen = call.app.store.locks().await?.into_iter().find(|row| row.lock.scope == *scope);
    let left = match &seen {
        Some(row) => now::has_gone(call.app, settings, row).await,
        None => false,
    };
    let mut tx = call.begin().await?;
    let found = tx.locks().await?.into_iter().find(|row| row.lock.scope == *scope && row.lock.stands(tx.now));
    let Some(mut row) = found else { return Err(call.refuse(wording::hold::not_locked(scope))) };
    let same = seen.is_some_and(|seen| seen.lock.id == row.lock.id);
    row.lock.left = left && same;
    let owner = row.lock.owner == call.person;
    if !owner && !row.lock.left && role_of(settings, &call.person, &settings.hold.unlock).is_none() {
        return Err(call.refuse(wording::hold::may_not_unlock(&row.lock, settings, tx.now)));
    }
    end(call.app, &mut tx, &mut row, End::Unlocked, Some((call, why.unwrap_or_default()))).await?;
    if !owner {
        let says = wording::hold::yours_was_unlocked(&row.lock, &call.person, why);
        tell::person(call.app, &mut tx, (&row.platform, &row.channel), &row.lock.owner, says).await?;
    }
    tx.commit().await
}

/// A lock is over, by somebody's hand or because its time is.
pub async fn end(
    app: &crate::app::App,
    tx: &mut Tx,
    row: &mut LockRow,
    how: End,
    by: Option<(&Call<'_>, &str)>,
) -> anyhow::Result<()> {
    let now = tx.now;
    row.end(now, how);
    tx.update_lock(row).await?;
    let lock = &row.lock;
    let record = match by {
        Some((call, why)) => stated(call, "unlock", &lock.id, &lock.scope, how.as_str()).text("reason", Some(why)),
        None => about(Statement::new("unlock").by_system("clock"), &lock.id, &lock.scope, how.as_str()),
    };
    tx.record(app, record.with("owner", lock.owner.as_str())).await?;
    let whose = by.map(|(call, _)| &call.person);
    tell::channel(tx, (&row.platform, &row.channel), key(row), wording::hold::over(lock, how, whose)).await?;
    if how != End::Stolen {
        let says = |plan: &crate::store::plan::PlanRow| wording::hold::free_again(plan, lock, how, whose);
        tell::plans(app, tx, &lock.scope, Some(&lock.owner), false, says).await?;
    }
    tx.due(&Due::Holds, now).await
}

/// Adds a freeze from one time to another.
pub async fn add_freeze(
    call: &Call<'_>,
    scope: Scope,
    (from, to): (Time, Time),
    why: &str,
    except: Except,
) -> anyhow::Result<()> {
    let settings = &call.settings;
    let Some(role) = role_of(settings, &call.person, &settings.hold.freeze) else {
        return Err(call.refuse(wording::hold::may_not_freeze(settings)));
    };
    let mut tx = call.begin().await?;
    let now = tx.now;
    let id = format!("freeze-{}", tx.count_up("freeze").await?);
    let record = about(said(call, "freeze", Some(&role)), &id, &scope, "added");
    let record = record.with("from", from.ms()).with("to", to.ms());
    let entry =
        tx.record(call.app, record.with("except", serde_json::to_value(&except)?).text("reason", Some(why))).await?;
    let row = FreezeRow {
        freeze: Freeze {
            entry: CalendarEvent {
                uid: id.clone(),
                start: from,
                end: to,
                all_day: false,
                summary: why.to_owned(),
                means: Means::Freeze,
                services: scope.service.iter().cloned().collect(),
                environments: scope.environment.iter().cloned().collect(),
                owner: Some(call.person.to_string()),
                person: None,
            },
            except,
        },
        owner: call.person.clone(),
        platform: call.from.platform.clone(),
        channel: call.from.channel.clone(),
        at: now,
        entry: entry.seq,
        begun: (from <= now).then_some(now),
        lifted: None,
    };
    tx.insert_freeze(&row).await?;
    let says = wording::hold::freeze(&row, settings, now);
    tell::channel(&mut tx, (&row.platform, &row.channel), format!("freeze:{id}"), says).await?;
    let says = |_: &crate::store::plan::PlanRow| wording::hold::freeze_added(&row, settings, now);
    tell::plans(call.app, &mut tx, &scope, None, true, says).await?;
    tx.due(&Due::Holds, now).await?;
    tx.commit().await?;
    call.app.wake();
    Ok(())
}

/// Ends a freeze before its time: whoever added it, or whoever may add one.
pub async fn lift_freeze(call: &Call<'_>, id: &str, why: Option<&str>) -> anyhow::Result<()> {
    let settings = &call.settings;
    let mut tx = call.begin().await?;
    let open: Vec<FreezeRow> = tx.freezes().await?.into_iter().filter(|row| row.freeze.entry.end > tx.now).collect();
    let Some(row) = open.iter().find(|row| row.freeze.entry.uid == id) else {
        let ids: Vec<&str> = open.iter().map(|row| row.freeze.entry.uid.as_str()).collect();
        return Err(call.refuse(wording::hold::no_freeze(id, &ids)));
    };
    let role = role_of(settings, &call.person, &settings.hold.freeze);
    if role.is_none() && row.owner != call.person {
        return Err(call.refuse(wording::hold::may_not_freeze(settings)));
    }
    let scope = row.freeze.scope();
    tx.freeze_lifted(id).await?;
    let record = about(said(call, "freeze", role.as_ref()), id, &scope, "lifted").text("reason", why);
    tx.record(call.app, record).await?;
    let says = wording::hold::freeze_over(row, Some(&call.person), why);
    tell::channel(&mut tx, (&row.platform, &row.channel), format!("freeze:{id}"), says.clone()).await?;
    tell::plans(call.app, &mut tx, &scope, None, true, |_| says.clone()).await?;
    tx.due(&Due::Holds, tx.now).await?;
    tx.commit().await?;
    call.app.wake();
    Ok(())
}

/// The role of the settings in which somebody may do something, where they hold one.
fn role_of(settings: &Settings, person: &Person, roles: &[Role]) -> Option<Role> {
    let own = people::speaker(settings, person)?.roles;
    roles.iter().find(|role| own.contains(role)).cloned()
}

fn stated(call: &Call<'_>, kind: &str, id: &str, scope: &Scope, act: &str) -> Statement {
    about(said(call, kind, None), id, scope, act)
}

fn said(call: &Call<'_>, kind: &str, role: Option<&Role>) -> Statement {
    let from: &From = call.from;
    Statement::new(kind).by(from, Some(&call.person), role).evidence(&call.claim.id, None)
}

fn about(statement: Statement, id: &str, scope: &Scope, act: &str) -> Statement {
    statement.with("id", id).with("scope", scope.key()).with("act", act)
}

/// The key of the channel's message about a lock.
fn key(row: &LockRow) -> String {
    format!("lock:{}", row.lock.id)
}
