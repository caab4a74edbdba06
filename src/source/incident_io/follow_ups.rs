//! Follow-ups of incidents that are over: how many of them are still to be done.

use futures::stream::{self, StreamExt};
use serde::Deserialize;

use super::IncidentIo;
use crate::advice::facts::Incident;
use crate::source::called::around;
use crate::source::rest::{Failed, readable};
use crate::source::tracker::unread;
use crate::source::{Ask, CannotSay};

/// Of so many incidents they are asked for: the list of all of an organisation has no pages.
const MOST: usize = 20;
/// So many questions are asked at once.
const AT_ONCE: usize = 6;

#[derive(Debug, Deserialize)]
struct List {
    follow_ups: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Told {
    status: String,
}

impl IncidentIo {
    /// Counts the open follow-ups of the newest incidents that are over and may concern the service; each incident with its
    /// id at incident.io. Gives what could not be learned.
    pub(super) async fn count_follow_ups(&self, found: &mut [(String, Incident)], ask: &Ask) -> Vec<String> {
        let near = around(&ask.settings, &ask.service);
        let mut over: Vec<&mut (String, Incident)> = found
            .iter_mut()
            .filter(|(_, incident)| {
                let concerns = incident.services.is_empty() || incident.services.iter().any(|s| near.contains(s));
                concerns && incident.resolved.is_some_and(|at| at >= ask.from)
            })
            .collect();
        over.sort_by(|a, b| b.1.resolved.cmp(&a.1.resolved).then_with(|| a.0.cmp(&b.0)));
        let mut incomplete = Vec::new();
        if over.len() > MOST {
            incomplete
                .push(format!("only of the newest {MOST} of {} settled incidents follow-ups were read", over.len()));
            over.truncate(MOST);
        }
        let ids: Vec<String> = over.iter().map(|(id, _)| id.clone()).collect();
        let asked = ids.into_iter().map(|id| self.open_follow_ups(id));
        let answers: Vec<Result<(u32, usize), Failed>> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        let (mut odd, mut why) = (0, None);
        for ((_, incident), answer) in over.into_iter().zip(answers) {
            match answer {
                Ok((open, unreadable)) => {
                    incident.follow_ups = open;
                    odd += unreadable;
                }
                Err(failed) => why = why.or(Some(CannotSay::from(failed))),
            }
        }
        incomplete.extend(why.map(|why| format!("did not tell all follow-ups: it {why}")));
        incomplete.extend(unread(odd, "follow-up"));
        incomplete
    }

    /// How many are to be done, and how many could not be read.
    async fn open_follow_ups(&self, incident: String) -> Result<(u32, usize), Failed> {
        let list: List = self.rest.get_object(&["v2", "follow_ups"], &[("incident_id", &incident)]).await?;
        let (told, odd) = readable::<Told>(list.follow_ups);
        let is_over = |told: &&Told| matches!(told.status.as_str(), "completed" | "deleted" | "not_doing");
        let open = told.len() - told.iter().filter(is_over).count();
        Ok((u32::try_from(open).unwrap_or(u32::MAX), odd))
    }
}
