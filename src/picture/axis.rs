//! Time along a picture: from moments to pixels, and what the clocks of the zone show on the way.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::clock::{DAY, HOUR, MINUTE, Millis, Time};

/// Steps between labels that people count in.
const STEPS: [Millis; 15] = [
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    28 * DAY,
];

/// More labels than this fit no picture.
const MOST: usize = 64;

#[derive(Clone, Copy, Debug)]
pub struct Axis {
    pub start: Time,
    pub end: Time,
    pub x: f64,
    pub w: f64,
    pub zone: Tz,
}

/// A label at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    pub x: f64,
    pub says: String,
    /// Whether a day begins here.
    pub midnight: bool,
}

/// A day, or the part of it that is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Day {
    pub x1: f64,
    pub x2: f64,
    pub date: NaiveDate,
}

/// A place where the clocks are changed, by so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    pub at: Time,
    pub by: Millis,
}

impl Axis {
    /// A stretch that runs backwards is turned round, an empty one lasts a minute.
    pub fn new(start: Time, end: Time, x: f64, w: f64, zone: Tz) -> Axis {
        let (start, end) = if end < start { (end, start) } else { (start, end) };
        let start = start.min(Time::from_ms(i64::MAX).plus(-MINUTE));
        let end = end.max(start.plus(MINUTE));
        Axis { start, end, x, w, zone }
    }

    pub fn right(&self) -> f64 {
        self.x + self.w
    }

    /// Where a moment lies; outside ones at the edge.
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of ours fit 53 bits")]
    pub fn at(&self, at: Time) -> f64 {
        let share = at.since(self.start) as f64 / self.end.since(self.start) as f64;
        self.x + self.w * share.clamp(0.0, 1.0)
    }

    pub fn holds(&self, at: Time) -> bool {
        self.start <= at && at <= self.end
    }

    /// The part of a stretch that is seen, from left to right.
    pub fn clip(&self, start: Time, end: Time) -> Option<(f64, f64)> {
        let (start, end) = if end < start { (end, start) } else { (start, end) };
        (start <= self.end && end >= self.start).then(|| (self.at(start), self.at(end)))
    }

    /// Labels at round times of the zone's clocks, at least `gap` pixels apart.
    pub fn ticks(&self, gap: f64) -> Vec<Tick> {
        let per_pixel = self.end.since(self.start) as f64 / self.w;
        let wanted = per_pixel * gap;
        let step = STEPS.into_iter().find(|step| *step as f64 >= wanted);
        let times = match step {
            Some(step) if step < DAY => self.hours(step),
            Some(step) => self.midnights(u64::try_from(step / DAY).unwrap_or(1)),
            None => self.midnights((wanted / DAY as f64) as u64 + 1),
        };
        let mut ticks: Vec<Tick> = Vec::new();
        for at in times {
            let tick = self.tick(at, step.is_none_or(|step| step >= DAY));
            if ticks.last().is_none_or(|last| tick.x - last.x >= gap * 0.8) {
                ticks.push(tick);
            }
        }
        ticks
    }

    /// The days of a picture of at most a month; none where there are more.
    pub fn days(&self) -> Vec<Day> {
        if self.end.since(self.start) > 31 * DAY {
            return Vec::new();
        }
        let mut edges = vec![self.start];
        edges.extend(self.midnights(1).into_iter().filter(|at| *at > self.start && *at < self.end));
        edges.push(self.end);
        edges
            .windows(2)
            .map(|pair| Day { x1: self.at(pair[0]), x2: self.at(pair[1]), date: pair[0].at(self.zone).date_naive() })
            .collect()
    }

    /// Where the clocks change; at most four places.
    pub fn shifts(&self) -> Vec<Shift> {
        let offset = |at: Time| Millis::from(at.at(self.zone).offset().fix().local_minus_utc()) * 1_000;
        let step = (self.end.since(self.start) / 400).max(HOUR);
        let mut shifts = Vec::new();
        let mut from = self.start;
        while from < self.end && shifts.len() < 4 {
            let to = from.plus(step).min(self.end);
            if offset(from) != offset(to) {
                let (mut low, mut high) = (from, to);
                while high.since(low) > 1 {
                    let middle = low.plus(high.since(low) / 2);
                    if offset(middle) == offset(from) { low = middle } else { high = middle }
                }
                shifts.push(Shift { at: high, by: offset(to) - offset(from) });
            }
            from = to;
        }
        shifts
    }

    /// The zone's name, with what its clocks are called in the time that is seen: "Europe/Berlin (CEST, then CET)".
    pub fn zone_says(&self) -> String {
        let mut names = vec![self.start.at(self.zone).format("%Z").to_string()];
        names.extend(self.shifts().iter().map(|shift| shift.at.at(self.zone).format("%Z").to_string()));
        names.dedup();
        let name = self.zone.name().replace('_', " ");
        if names.iter().all(|said| said.chars().all(|c| c.is_ascii_alphabetic()) && *said != name) {
            format!("{name} ({})", names.join(", then "))
        } else {
            name
        }
    }

    fn tick(&self, at: Time, days: bool) -> Tick {
        let local = at.at(self.zone);
        let midnight = local.time() == NaiveTime::MIN;
        let says = if days { date_short(local.date_naive()) } else { local.format("%H:%M").to_string() };
        Tick { x: self.at(at), says, midnight }
    }

    /// Round times of the clock, `step` apart: those that the clocks skip are left out, of those that they show twice
    /// the first is taken.
    fn hours(&self, step: Millis) -> Vec<Time> {
        let mut times = Vec::new();
        let mut date = self.start.at(self.zone).date_naive();
        let last = self.end.at(self.zone).date_naive();
        while date <= last && times.len() < MOST {
            for n in 0..DAY / step {
                let seconds = u32::try_from(n * step / 1_000).unwrap_or(0);
                let local = NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).map(|time| date.and_time(time));
                let at = local.and_then(|local| self.zone.from_local_datetime(&local).earliest()).map(Time::from);
                times.extend(at.filter(|at| self.holds(*at)));
            }
            let Some(next) = date.checked_add_days(Days::new(1)) else { break };
            date = next;
        }
        times
    }

    /// When days begin, every so many of them.
    fn midnights(&self, every: u64) -> Vec<Time> {
        let mut times = Vec::new();
        let mut date = self.start.at(self.zone).date_naive();
        let last = self.end.at(self.zone).date_naive();
        while date <= last && times.len() < MOST {
            times.extend(day_begins(date, self.zone).filter(|at| self.holds(*at)));
            let Some(next) = date.checked_add_days(Days::new(every.max(1))) else { break };
            date = next;
        }
        times
    }
}

/// The first moment of a day; where the clocks skip midnight, the first that exists.
pub fn day_begins(date: NaiveDate, zone: Tz) -> Option<Time> {
    (0..4).find_map(|hour| {
        let local = date.and_time(NaiveTime::from_hms_opt(hour, 0, 0)?);
        zone.from_local_datetime(&local).earliest().map(Time::from)
    })
}

/// "Sun 22 Nov".
pub fn date_short(date: NaiveDate) -> String {
    date.format("%a %-d %b").to_string()
}

/// "Sun 22 Nov 15:04".
pub fn moment(at: Time, zone: Tz) -> String {
    let local = at.at(zone);
    format!("{} {}", date_short(local.date_naive()), clock(&local))
}

/// "Sun 22 Nov 10:20–11:40", or with both days where it ends on another one.
pub fn stretch(start: Time, end: Time, zone: Tz) -> String {
    let (start, end) = (start.at(zone), end.at(zone));
    let from = format!("{} {}", date_short(start.date_naive()), clock(&start));
    if start.date_naive() == end.date_naive() {
        return format!("{from}–{}", clock(&end));
    }
    let away = (end.date_naive() - start.date_naive()).num_days();
    let day = if away < 7 { end.format("%a").to_string() } else { date_short(end.date_naive()) };
    let year = if start.year() == end.year() { String::new() } else { format!(" {}", end.year()) };
    format!("{from} – {day}{year} {}", clock(&end))
}

fn clock(at: &DateTime<Tz>) -> String {
    at.format("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    fn axis(start: &str, hours: i64, zone: Tz) -> Axis {
        Axis::new(time(start), time(start).plus(hours * HOUR), 0.0, 384.0, zone)
    }

    fn says(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.says.as_str()).collect()
    }

    #[test]
    fn hours_are_those_of_the_zone() {
        let axis = axis("2026-11-21T23:00:00Z", 48, Tz::America__Los_Angeles);
        assert_eq!(says(&axis.ticks(40.0)), ["18:00", "00:00", "06:00", "12:00", "18:00", "00:00", "06:00", "12:00"]);
        assert_eq!(
            axis.days().iter().map(|day| date_short(day.date)).collect::<Vec<_>>(),
            ["Sat 21 Nov", "Sun 22 Nov", "Mon 23 Nov"]
        );
        assert_eq!(axis.zone_says(), "America/Los Angeles (PST)");
    }

    #[test]
    fn the_hour_that_the_clocks_skip_is_seen() {
        let axis = axis("2027-03-28T00:00:00+01:00", 12, Tz::Europe__Berlin);
        assert_eq!(axis.shifts(), [Shift { at: time("2027-03-28T01:00:00Z"), by: HOUR }]);
        assert_eq!(axis.zone_says(), "Europe/Berlin (CET, then CEST)");
        let ticks = axis.ticks(20.0);
        assert_eq!(says(&ticks)[..4], ["00:00", "01:00", "03:00", "04:00"]);
        assert!((ticks[2].x - ticks[1].x - 32.0).abs() < 0.01);
    }

    #[test]
    fn the_hour_that_comes_twice_is_seen() {
        let axis = axis("2026-10-25T00:00:00+02:00", 12, Tz::Europe__Berlin);
        assert_eq!(axis.shifts(), [Shift { at: time("2026-10-25T01:00:00Z"), by: -HOUR }]);
        let ticks = axis.ticks(20.0);
        assert!((ticks[3].x - ticks[2].x - 64.0).abs() < 0.01, "{ticks:?}");
    }

    #[test]
    fn a_day_without_a_midnight_begins_later() {
        // Beirut, 2024-03-31: from 00:00 to 01:00.
        let date = NaiveDate::from_ymd_opt(2024, 3, 31).unwrap();
        assert_eq!(day_begins(date, Tz::Asia__Beirut), Some(time("2024-03-31T01:00:00+03:00")));
    }

    #[test]
    fn any_stretch_has_few_labels() {
        for hours in [0, 1, 7, 200, 24 * 40, 24 * 366, 24 * 366 * 7_000] {
            let axis = axis("2026-11-21T23:10:00Z", hours, Tz::Asia__Kathmandu);
            assert!(axis.ticks(40.0).len() <= 12, "{hours}");
            assert!(axis.days().len() <= 33);
            let _ = axis.zone_says();
        }
        let backwards = Axis::new(Time::from_ms(i64::MAX), Time::from_ms(0), 0.0, 100.0, Tz::UTC);
        assert!(backwards.start < backwards.end && backwards.ticks(40.0).len() <= 4);
        let late = Axis::new(Time::from_ms(i64::MAX), Time::from_ms(i64::MAX), 0.0, 100.0, Tz::UTC);
        assert!(late.start < late.end);
    }

    #[test]
    fn a_stretch_says_its_days() {
        let zone = Tz::America__Los_Angeles;
        let at = |text| time(text);
        let says = |a, b| stretch(at(a), at(b), zone);
        assert_eq!(says("2026-11-22T18:20:00Z", "2026-11-22T19:40:00Z"), "Sun 22 Nov 10:20–11:40");
        assert_eq!(says("2026-11-22T18:20:00Z", "2026-11-23T19:40:00Z"), "Sun 22 Nov 10:20 – Mon 11:40");
        assert_eq!(says("2026-11-22T18:20:00Z", "2027-11-23T19:40:00Z"), "Sun 22 Nov 10:20 – Tue 23 Nov 2027 11:40");
    }
}
