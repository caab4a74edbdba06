//! Support tickets by day, from a metric that somebody feeds.

use super::{Prometheus, query};
use crate::advice::facts::Support;
use crate::clock::{DAY, Millis, Time};
use crate::source::metrics::{Range, Several, note};
use crate::source::{Answer, Ask, CannotSay, Learned};

/// The longest time of which tickets are counted.
const LONGEST: Millis = 120 * DAY;

impl Prometheus {
    /// A value at midnight (UTC) stands for the day that ends there.
    pub(super) async fn support(&self, ask: &Ask) -> Result<Answer, CannotSay> {
        let none = || CannotSay::because(format!("has no query for the tickets of `{}`", ask.service));
        let query = query::fill(self.tickets.as_deref().ok_or_else(none)?, &ask.service, &ask.environment)
            .map_err(|why| CannotSay::because(format!("has a query for `tickets` that does not fit: {why}")))?;
        let end = midnight(ask.to.min(ask.now));
        let start = midnight(ask.from).plus(DAY).max(end.plus(-LONGEST));
        let values = self.api.range(Range { query: &query, start, end, step: DAY }, Several::AddUp).await?;
        if values.points.is_empty() {
            return Err(CannotSay::because(format!("has no data on the tickets of `{}`", ask.service)));
        }
        let mut incomplete = Vec::new();
        note(&mut incomplete, "tickets", &[&values]);
        let counted = |(at, n): &(Time, f64)| (at.plus(-DAY), n.clamp(0.0, f64::from(u32::MAX)).round() as u32);
        let days: Vec<(Time, u32)> = values.points.iter().map(counted).collect();
        let expected = end.since(start) / DAY + 1;
        if i64::try_from(days.len()).is_ok_and(|days| days < expected) {
            incomplete.push(format!("it counted tickets on {} of {expected} days", days.len()));
        }
        let learned = Learned::Support(Support { unit: "tickets by its metric".to_owned(), days });
        Ok(Answer { learned, at: ask.now, link: None, incomplete })
    }
}

fn midnight(at: Time) -> Time {
    Time::from_ms(at.ms().div_euclid(DAY) * DAY)
}
