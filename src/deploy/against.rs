//! What a deployment goes against: what the gate would have said when it was first told of.

use crate::advice::says;
use crate::app::App;
use crate::clock::Time;
use crate::config::{Mode, Settings};
use crate::gate::{self, Answer, Reason, Request};
use crate::message::tame;
use crate::plan::show::Heard;
use crate::store::Tx;
use crate::store::deployment::Status;
use crate::store::plan::PlanRow;
use crate::wording::zone;

use super::Report;

/// Why the gate would not have let a deployment through, where its environment is protected or asks its gate; empty where
/// it would have, and for the way back, which is nobody's to stop.
pub async fn against(
    app: &App,
    tx: &mut Tx,
    plan: Option<&PlanRow>,
    report: &Report,
    at: Time,
) -> anyhow::Result<Vec<Reason>> {
    let settings = app.settings();
    let guarded = settings.environment.get(&report.environment).filter(|e| e.protected || e.mode == Mode::Gate);
    if guarded.is_none() || report.status == Status::RolledBack {
        return Ok(Vec::new());
    }
    let mut reasons = match plan {
        Some(row) => {
            let commit = report.commit.clone().filter(|commit| commit.len() >= gate::SHORTEST_COMMIT);
            let request = Request { commit, ..Request::default() };
            let answer = gate::decide(app, tx, row, Some(&request), Heard::All).await?;
            if answer.approved { Vec::new() } else { answer.reasons }
        }
        None => {
            let mut reasons = Answer::no_plan(true).reasons;
            reasons.extend(of_nobodys(tx, report, &settings, at).await?);
            reasons
        }
    };
    // What is told when it is over began at a time that nobody told: it may have been inside.
    let began = report.status == Status::Started;
    reasons.retain(|reason| {
        let of_time = reason.code.starts_with("timing.") || reason.code == "plan.window-over";
        reason.code != "overridden" && (began || !of_time)
    });
    Ok(reasons)
}

/// What stood in the way of anything there at that moment: locks, freezes, hours.
async fn of_nobodys(tx: &mut Tx, report: &Report, settings: &Settings, at: Time) -> anyhow::Result<Vec<Reason>> {
    let (service, environment) = (&report.service, &report.environment);
    let reason = |code: &str, says: String| Reason { code: code.to_owned(), says };
    let mut reasons = Vec::new();
    for row in tx.locks().await? {
        if row.lock.stands(at) && row.lock.scope.covers(service, environment) {
            let says = format!("{} locked it: {}.", row.lock.owner, tame(&row.lock.why, 200));
            reasons.push(reason("coordination.lock", says));
        }
    }
    for row in tx.freezes().await? {
        if row.freeze.holds(at) && row.freeze.scope().covers(service, environment) {
            reasons.push(reason(
                "timing.freeze",
                format!("A freeze was in force: {}.", tame(&row.freeze.entry.summary, 100)),
            ));
        }
    }
    let window = settings.environment.get(environment).map(|e| e.window.as_slice()).unwrap_or_default();
    let zone = zone(settings, service, environment);
    if !window.is_empty() && !window.iter().any(|hours| hours.holds(at.at(zone))) {
        let rules: Vec<String> = window.iter().take(4).map(crate::config::WeekHours::says).collect();
        let says = format!("Outside the allowed window ({} {}).", says::list(&rules), says::zone_name(at, zone));
        reasons.push(reason("timing.window", says));
    }
    Ok(reasons)
}
