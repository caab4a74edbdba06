//! Who is on call over a span: the entries of each schedule, overrides laid over the rotation.

use serde::Deserialize;

use super::{IncidentIo, Next};
use crate::advice::facts::Shift;
use crate::clock::Time;
use crate::source::called::{Names, person};
use crate::source::rest::readable;
use crate::source::tracker::unread;
use crate::source::{Answer, Ask, CannotSay, Learned};

/// So many pages of one schedule are read.
const PAGES: usize = 10;

#[derive(Debug, Deserialize)]
struct Page {
    schedule_entries: Layers,
    #[serde(default)]
    pagination_meta: Option<Next>,
}

#[derive(Debug, Deserialize)]
struct Layers {
    /// With overrides applied.
    #[serde(rename = "final")]
    last: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Told {
    start_at: Time,
    end_at: Time,
    /// Absent: nobody.
    #[serde(default)]
    user: Option<User>,
}

#[derive(Debug, Deserialize)]
struct User {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

impl IncidentIo {
    pub(super) async fn on_call(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let (mut shifts, mut incomplete) = (Vec::new(), Vec::new());
        let schedules = self.keys.schedules.get(&ask.service).map(Names::list).unwrap_or_default();
        for (place, schedule) in schedules.iter().enumerate() {
            let level = u8::try_from(place + 1).unwrap_or(u8::MAX);
            self.schedule(schedule, level, ask, &mut shifts, &mut incomplete).await?;
        }
        shifts.sort_by(|a: &Shift, b| (a.start, a.level, &a.person, a.end).cmp(&(b.start, b.level, &b.person, b.end)));
        shifts.dedup();
        Ok(Answer { learned: Learned::OnCall(shifts), at: ask.now, link: None, incomplete })
    }

    async fn schedule(
        &self,
        schedule: &str,
        level: u8,
        ask: &Ask,
        shifts: &mut Vec<Shift>,
        incomplete: &mut Vec<String>,
    ) -> Result<(), CannotSay> {
        let (mut start, end) = (ask.from.rfc3339(), ask.to.rfc3339());
        let mut odd = 0;
        for page in 1..=PAGES {
            let query =
                [("schedule_id", schedule), ("entry_window_start", start.as_str()), ("entry_window_end", end.as_str())];
            let told: Page = self.rest.get_object(&["v2", "schedule_entries"], &query).await?;
            let (entries, odd_ones) = readable::<Told>(told.schedule_entries.last);
            odd += odd_ones;
            for entry in entries {
                let Some(user) = entry.user else { continue };
                let Some(person) = person(&ask.settings, user.email.as_deref(), user.name.as_deref()) else {
                    odd += 1;
                    continue;
                };
                if entry.start_at < ask.to && entry.end_at > ask.from && entry.start_at < entry.end_at {
                    let (start, end) = (entry.start_at, Some(entry.end_at));
                    shifts.push(Shift { person, service: Some(ask.service.clone()), start, end, level });
                }
            }
            match Next::after(told.pagination_meta).filter(|next| *next != start) {
                None => break,
                Some(_) if page == PAGES => incomplete.push("has more shifts than were read".to_owned()),
                Some(next) => start = next,
            }
        }
        incomplete.extend(unread(odd, "shift"));
        Ok(())
    }
}
