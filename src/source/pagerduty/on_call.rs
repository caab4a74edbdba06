//! Who is called for a service over a span, level by level, with the hand-overs.

use serde::Deserialize;

use super::{PagerDuty, Reference};
use crate::advice::facts::Shift;
use crate::clock::{DAY, Millis, Time};
use crate::source::called::person;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// Shifts are told for so long ahead.
const AHEAD: Millis = 90 * DAY;

/// What says who is called for a service. Where both are named, only the shifts of these schedules in these policies count.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rota {
    #[serde(default)]
    schedules: Vec<String>,
    #[serde(default)]
    escalation_policies: Vec<String>,
}

impl Rota {
    pub fn is_empty(&self) -> bool {
        self.schedules.is_empty() && self.escalation_policies.is_empty()
    }
}

#[derive(Debug, Deserialize)]
struct Told {
    user: User,
    #[serde(default)]
    schedule: Option<Reference>,
    escalation_level: u32,
    /// Absent: since ever.
    #[serde(default)]
    start: Option<Time>,
    /// Absent: until further notice.
    #[serde(default)]
    end: Option<Time>,
}

#[derive(Debug, Deserialize)]
struct User {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

impl PagerDuty {
    pub(super) async fn on_call(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let at = ask.now;
        let Some(rota) = self.keys.on_call.get(&ask.service) else {
            // Nobody named is never an all-clear, so nothing has to be said beside it.
            return Ok(Answer { learned: Learned::OnCall(Vec::new()), at, link: None, incomplete: Vec::new() });
        };
        let until = ask.to.min(ask.now.plus(AHEAD));
        let (since, until_text) = (ask.from.min(until).rfc3339(), until.rfc3339());
        let mut query =
            vec![("since", since.as_str()), ("until", &until_text), ("time_zone", "UTC"), ("include[]", "users")];
        query.extend(rota.schedules.iter().map(|id| ("schedule_ids[]", id.as_str())));
        query.extend(rota.escalation_policies.iter().map(|id| ("escalation_policy_ids[]", id.as_str())));
        let list = self.list::<Told>("oncalls", &query, "shift").await?;
        let mut incomplete = list.incomplete;
        if until < ask.to {
            incomplete.push("tells shifts no further ahead than 90 days".to_owned());
        }
        let mut unnamed = 0;
        let mut shifts: Vec<Shift> = Vec::new();
        for told in list.entries {
            let User { name, summary, email } = told.user;
            let Some(person) = person(&ask.settings, email.as_deref(), name.or(summary).as_deref()) else {
                unnamed += 1;
                continue;
            };
            let start = told.start.unwrap_or(ask.from);
            if start > ask.to || told.end.is_some_and(|end| end <= ask.from || end <= start) {
                continue;
            }
            // Somebody who is called without a schedule is called for as long as the policy stands.
            let end = told.end.filter(|_| told.schedule.is_some() || told.start.is_some());
            let level = u8::try_from(told.escalation_level.max(1)).unwrap_or(u8::MAX);
            shifts.push(Shift { person, service: Some(ask.service.clone()), start, end, level });
        }
        if unnamed > 0 {
            incomplete.push(format!("does not tell who is called (shifts: {unnamed})"));
        }
        // A schedule in several policies, or in several levels of one, is told once for each.
        shifts.sort_by(|a, b| (a.start, &a.person, a.end, a.level).cmp(&(b.start, &b.person, b.end, b.level)));
        shifts.dedup_by(|next, kept| (next.start, &next.person, next.end) == (kept.start, &kept.person, kept.end));
        Ok(Answer { learned: Learned::OnCall(shifts), at, link: None, incomplete })
    }
}
