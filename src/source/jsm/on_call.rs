//! Who is on call over a span: the final timeline of each schedule, overrides and forwarding applied.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Jsm;
use crate::advice::facts::Shift;
use crate::clock::{DAY, Millis, Time};
use crate::source::called::Names;
use crate::source::rest::readable;
use crate::source::tracker::unread;
use crate::source::{Answer, Ask, CannotSay, Learned};

const WEEK: Millis = 7 * DAY;
/// A timeline reaches at most so far ahead.
const AHEAD: Millis = 2 * 365 * DAY;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Timelines {
    final_timeline: Timeline,
}

#[derive(Debug, Deserialize)]
struct Timeline {
    rotations: Vec<Rotation>,
}

#[derive(Debug, Deserialize)]
struct Rotation {
    #[serde(default)]
    order: Option<f64>,
    /// Still there for its history.
    #[serde(default)]
    deleted: Option<bool>,
    #[serde(default)]
    periods: Option<Vec<serde_json::Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Period {
    start_date: Time,
    end_date: Time,
    #[serde(default)]
    responder: Option<Responder>,
    /// The people behind a team or an escalation, where they are told.
    #[serde(default)]
    flattened_responders: Option<Vec<Responder>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Responder {
    #[serde(default)]
    id: Option<String>,
    /// `user`, `team`, `escalation` or `noone`.
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

/// A shift by account id.
struct Duty {
    account: String,
    start: Time,
    end: Time,
    level: u8,
}

impl Jsm {
    pub(super) async fn on_call(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let (mut duties, mut incomplete, mut level) = (Vec::new(), Vec::new(), 0_u8);
        let schedules = self.keys.schedules.get(&ask.service).map(Names::list).unwrap_or_default();
        for schedule in schedules {
            self.schedule(schedule, &mut level, ask, &mut duties, &mut incomplete).await?;
        }
        let accounts: BTreeSet<&str> = duties.iter().map(|duty| duty.account.as_str()).collect();
        let (people, gaps) = self.people(&accounts, ask).await;
        incomplete.extend(gaps);
        let shifts = duties.iter().filter_map(|duty| {
            let person = people.get(duty.account.as_str())?.clone();
            let service = Some(ask.service.clone());
            Some(Shift { person, service, start: duty.start, end: Some(duty.end), level: duty.level })
        });
        let mut shifts: Vec<Shift> = shifts.collect();
        shifts.sort_by(|a, b| (a.start, a.level, &a.person, a.end).cmp(&(b.start, b.level, &b.person, b.end)));
        shifts.dedup();
        Ok(Answer { learned: Learned::OnCall(shifts), at: ask.now, link: None, incomplete })
    }

    /// Rotations of a schedule are levels in their order: whoever stands in the first is called first.
    async fn schedule(
        &self,
        schedule: &str,
        level: &mut u8,
        ask: &Ask,
        duties: &mut Vec<Duty>,
        incomplete: &mut Vec<String>,
    ) -> Result<(), CannotSay> {
        let to = ask.to.min(ask.now.plus(AHEAD));
        if to < ask.to {
            incomplete.push("tells shifts no further ahead than two years".to_owned());
        }
        // The range begins with the week of the date, and cuts shifts off there: a week earlier their ends are real ones.
        let date = ask.from.plus(-WEEK).rfc3339();
        let weeks = (to.since(ask.from).max(0) / WEEK + 4).to_string();
        let query = [("date", date.as_str()), ("interval", weeks.as_str()), ("intervalUnit", "weeks")];
        let told: Timelines = self.rest.get_object(&self.path(&["schedules", schedule, "timeline"]), &query).await?;
        let (mut odd, mut nameless) = (0, 0);
        let mut rotations = told.final_timeline.rotations;
        rotations.retain(|rotation| rotation.deleted != Some(true));
        rotations.sort_by(|a, b| a.order.unwrap_or(f64::MAX).total_cmp(&b.order.unwrap_or(f64::MAX)));
        for rotation in rotations {
            *level = level.saturating_add(1);
            let (periods, odd_ones) = readable::<Period>(rotation.periods.unwrap_or_default());
            odd += odd_ones;
            for period in periods {
                let (start, end) = (period.start_date, period.end_date);
                if start >= ask.to || end <= ask.from || end <= start {
                    continue;
                }
                let behind = period.flattened_responders.filter(|behind| !behind.is_empty());
                for responder in behind.unwrap_or_else(|| period.responder.clone().into_iter().collect()) {
                    match (responder.kind.as_deref(), responder.id) {
                        (Some("noone"), _) => {}
                        (Some("user") | None, Some(account)) => {
                            duties.push(Duty { account, start, end, level: *level })
                        }
                        _ => nameless += 1,
                    }
                }
            }
        }
        incomplete.extend(unread(odd, "shift"));
        if nameless > 0 {
            incomplete.push(format!("does not tell who is behind a team or an escalation (shifts: {nameless})"));
        }
        Ok(())
    }
}
