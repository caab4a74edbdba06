//! The queue of an environment that has one: approved plans whose time has come begin one at a time, hotfixes first, the
//! others in the order in which they joined. A turn that is not used goes to the next one who could begin.

use crate::app::App;
use crate::clock::{Millis, Time};
use crate::config::Settings;
use crate::gate::{self, Reason};
use crate::name::{Environment, PlanId};
use crate::plan::{State, When, show};
use crate::store::Tx;
use crate::store::deployment::Status;
use crate::store::hold::Place;
use crate::store::plan::PlanRow;
use crate::wording;

/// While nobody in line could begin, they are looked at this often.
const LOOK: Millis = 5 * crate::clock::MINUTE;

/// Those in line, first things first: hotfixes, then whoever stands there longest.
pub fn line<'a>(places: &'a [Place], plans: &'a [PlanRow]) -> Vec<(&'a Place, &'a PlanRow)> {
    let mut line: Vec<(&Place, &PlanRow)> =
        places.iter().filter_map(|place| Some((place, plans.iter().find(|row| row.plan.id == place.plan)?))).collect();
    line.sort_by(|a, b| {
        let rank = |(place, row): &(&Place, &PlanRow)| (row.plan.hotfix.is_none(), place.at);
        rank(a).cmp(&rank(b)).then_with(|| a.0.plan.cmp(&b.0.plan))
    });
    line
}

/// Why a plan has to wait in line at this moment, where its environment has a queue and it does.
pub async fn stands_in_line(tx: &mut Tx, row: &PlanRow, settings: &Settings) -> anyhow::Result<Option<Reason>> {
    let environment = &row.plan.environment;
    if !has_queue(settings, environment) || row.started.is_some() || row.state != State::Approved {
        return Ok(None);
    }
    let plans = tx.open_plans().await?;
    let reason = |says: String| Some(Reason { code: "coordination.queue".to_owned(), says });
    for other in plans.iter().filter(|other| other.plan.id != row.plan.id && other.plan.environment == *environment) {
        if is_under_way(tx, other, settings).await? {
            return Ok(reason(wording::hold::under_way(other)));
        }
    }
    let places = tx.places(environment).await?;
    let now = tx.now;
    let turn = |place: &&Place| place.plan != row.plan.id && has_turn(place, settings, now);
    let line = line(&places, &plans);
    let number = line.iter().position(|(place, _)| place.plan == row.plan.id).map(|at| at + 1);
    let first = line.iter().find(|(place, _)| turn(place));
    Ok(first.and_then(|(place, first)| {
        let until = place.turn.map_or(now, |since| since.plus(settings.hold.turn.ms()));
        reason(wording::hold::not_your_turn(first, until, number, settings, now))
    }))
}

/// Brings every queue in line with what is stored, and says so to whom it concerns. Tells when to look again.
pub async fn look(app: &App, tx: &mut Tx) -> anyhow::Result<Option<Time>> {
    let settings = app.settings();
    let plans = tx.open_plans().await?;
    let mut next: Option<Time> = None;
    for environment in settings.environment.keys().filter(|name| has_queue(&settings, name)) {
        let here: Vec<PlanRow> = plans.iter().filter(|row| row.plan.environment == *environment).cloned().collect();
        next = earliest(next, look_at(app, tx, environment, &here).await?);
    }
    Ok(next)
}

async fn look_at(app: &App, tx: &mut Tx, environment: &Environment, plans: &[PlanRow]) -> anyhow::Result<Option<Time>> {
    let settings = app.settings();
    let now = tx.now;
    let mut next = plans
        .iter()
        .filter(|row| row.state == State::Approved)
        .map(|row| row.plan.when.start(now))
        .filter(|start| *start > now)
        .min();
    let ready = |row: &PlanRow| {
        let over = matches!(row.plan.when, When::Window { end, .. } if end <= now);
        row.state == State::Approved && row.started.is_none() && row.plan.when.start(now) <= now && !over
    };
    let mut places = tx.places(environment).await?;
    for place in &places {
        if !plans.iter().any(|row| row.plan.id == place.plan && ready(row)) {
            tx.leave_queue(&place.plan).await?;
        }
    }
    places.retain(|place| plans.iter().any(|row| row.plan.id == place.plan && ready(row)));
    // Of several who join at once, whoever changed first stands first.
    let mut joining: Vec<&PlanRow> =
        plans.iter().filter(|row| ready(row) && !places.iter().any(|place| place.plan == row.plan.id)).collect();
    joining.sort_by(|a, b| (a.changed_at, &a.plan.id).cmp(&(b.changed_at, &b.plan.id)));
    let mut joined: Vec<PlanId> = Vec::new();
    for row in joining {
        let place =
            Place { plan: row.plan.id.clone(), environment: environment.clone(), at: row.changed_at, turn: None };
        tx.put_place(&place).await?;
        places.push(place);
        joined.push(row.plan.id.clone());
    }
    let mut busy = None;
    for row in plans {
        if is_under_way(tx, row, &settings).await? {
            busy = Some(row);
        }
    }
    let order: Vec<PlanId> = line(&places, plans).into_iter().map(|(place, _)| place.plan.clone()).collect();
    let turn = if busy.is_some() { None } else { whose_turn(app, tx, &mut places, plans, &order).await? };
    for place in &mut places {
        let own = turn.as_ref() == Some(&place.plan);
        if place.turn.is_some() != own {
            place.turn = own.then_some(now);
            tx.put_place(place).await?;
            if own && !joined.contains(&place.plan) {
                let waiting = order.len() > 1;
                its_turn(app, tx, plans, place, waiting).await?;
            }
        }
        if own && order.len() > 1 {
            next = earliest(next, place.turn.map(|since| since.plus(settings.hold.turn.ms())));
        }
    }
    let line = line(&places, plans);
    let new = |row: &PlanRow| joined.contains(&row.plan.id) && turn.as_ref() != Some(&row.plan.id);
    for (i, (_, row)) in line.iter().enumerate().filter(|(_, (_, row))| new(row)) {
        let before = if i > 0 { Some(&line[i - 1].0.plan) } else { busy.map(|row| &row.plan.id) };
        show::in_thread(tx, row, wording::hold::joined(row, i + 1, before)).await?;
    }
    if !places.is_empty() && turn.is_none() && busy.is_none() {
        next = earliest(next, Some(now.plus(LOOK)));
    }
    Ok(next)
}

/// Whoever has the turn keeps it while they could begin and its time is not over; else the first who could begin has it.
async fn whose_turn(
    app: &App,
    tx: &mut Tx,
    places: &mut [Place],
    plans: &[PlanRow],
    order: &[PlanId],
) -> anyhow::Result<Option<PlanId>> {
    let settings = app.settings();
    let now = tx.now;
    let mut able: Vec<PlanId> = Vec::new();
    for id in order {
        let Some(row) = plans.iter().find(|row| row.plan.id == *id) else { continue };
        if gate::could_begin(app, tx, row).await? {
            able.push(id.clone());
        }
    }
    let Some(held) = places.iter_mut().find(|place| place.turn.is_some() && able.contains(&place.plan)) else {
        return Ok(able.into_iter().next());
    };
    if has_turn(held, &settings, now) || able.len() == 1 {
        return Ok(Some(held.plan.clone()));
    }
    let late = held.plan.clone();
    held.at = now;
    held.turn = None;
    tx.put_place(held).await?;
    if let Some(row) = plans.iter().find(|row| row.plan.id == late) {
        show::in_thread(tx, row, wording::hold::passed(row)).await?;
    }
    Ok(able.into_iter().find(|id| *id != late))
}

async fn its_turn(app: &App, tx: &mut Tx, plans: &[PlanRow], place: &Place, waiting: bool) -> anyhow::Result<()> {
    let settings = app.settings();
    let Some(row) = plans.iter().find(|row| row.plan.id == place.plan) else { return Ok(()) };
    let until = waiting.then(|| tx.now.plus(settings.hold.turn.ms()));
    let says = wording::hold::your_turn(row, until, &settings, tx.now);
    show::in_thread(tx, row, says.clone()).await?;
    super::tell::person(app, tx, (&row.platform, &row.channel), &row.plan.by, says).await
}

/// Whether a plan was begun and its deployment is neither over nor forgotten.
pub async fn is_under_way(tx: &mut Tx, row: &PlanRow, settings: &Settings) -> anyhow::Result<bool> {
    if row.state != State::Started {
        return Ok(false);
    }
    let since = row.started.as_ref().map_or(row.changed_at, |(at, _)| *at);
    if tx.now.since(since) > settings.policy.approval_expires.ms() {
        return Ok(false);
    }
    let deployment = tx.deployment_of(&row.plan.id).await?;
    Ok(deployment.is_none_or(|deployment| deployment.status == Status::Started))
}

fn has_turn(place: &Place, settings: &Settings, now: Time) -> bool {
    place.turn.is_some_and(|since| now < since.plus(settings.hold.turn.ms()))
}

fn has_queue(settings: &Settings, environment: &Environment) -> bool {
    settings.environment.get(environment).is_some_and(|settings| settings.queue)
}

pub fn earliest(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MINUTE;

    fn plan(id: &str, hotfix: bool) -> PlanRow {
        let plan = serde_json::json!({ "id": id, "kind": "release", "service": "shop", "environment": "production",
            "by": "ada", "when": { "is": "now" }, "made_at": "2026-11-23T19:00:00Z",
            "hotfix": if hotfix { Some("#1") } else { None } });
        PlanRow::unrecorded(serde_json::from_value(plan).unwrap())
    }

    fn place(id: &str, minute: i64) -> Place {
        let at = Time::from_ms(1_800_000_000_000).plus(minute * MINUTE);
        Place { plan: PlanId::new(id), environment: Environment::new("production"), at, turn: None }
    }

    #[test]
    fn hotfixes_stand_first_and_others_in_the_order_in_which_they_came() {
        let plans = [plan("a-1", false), plan("b-1", false), plan("c-1", true), plan("d-1", false)];
        let places = [place("b-1", 5), place("a-1", 5), place("c-1", 9), place("d-1", 1), place("gone-1", 0)];
        let order: Vec<&str> = line(&places, &plans).iter().map(|(place, _)| place.plan.as_str()).collect();
        assert_eq!(order, ["c-1", "d-1", "a-1", "b-1"]);
    }
}
