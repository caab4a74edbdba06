//! The pretend team: settings from TOML, facts made by hand.

use crate::advice::facts::{
    Asked, CalendarEvent, Doing, Fact, Facts, Load, Means, Other, Shift, Unknown, hour_of_week,
};
use crate::advice::timing::{Moment, Timeline, windows};
use crate::advice::{Context, Flag, FlagLevel, Windows};
use crate::clock::{HOUR, Time};
use crate::config::Settings;
use crate::name::{Person, Service};
use crate::plan::Plan;

pub const SETTINGS: &str = r#"
service.checkout = { depends-on = ["ledger"] }
service.ledger = {}
service.search = {}

[team]
name = "Tidewater"
zone = "America/Los_Angeles"
hours = ["Mon-Fri 09:00-18:00"]
[store]
[chat]
command = "deploy"
channel = "deploys"
reactions = {}
console = { enabled = false, channels = [] }
[hold]
lock-for = "2h"
lock-longest = "24h"
lock-asks = "15m"
turn = "30m"
[gate]
longest-wait = "10m"
[watch]
length = "1h"
every = "1m"
least-requests = 100
escalate-after = "10m"
[ledger]
origin = "tidegate.example/deployments"
anchor-every = "1h"
anchor-at-least = "1d"
clock-drift = "2s"
[web]
listen = "127.0.0.1:0"
[environment.production]
window = ["Mon-Thu 10:00-16:00"]
[environment.staging]
[people.ada]
name = "Ada Lovelace"
[people.lin]
name = "Lin Wei"
[people.grace]
name = "Grace Hopper"
zone = "Europe/Berlin"
[policy]
horizon = "48h"
source-timeout = "2s"
source-keep = "20s"
brief-timeout = "5s"
approval-expires = "24h"
plan-expires = "7d"
deployment-length = "20m"
refresh-every = "5m"
score-step = 10
separation = true
bands = { moderate = 25, elevated = 50, high = 75 }
blockers = ["timing.window", "timing.freeze"]
[[policy.override]]
codes = ["timing.window"]
environment = "production"
roles = ["vp-engineering"]
"#;

#[derive(Debug)]
pub struct World {
    pub settings: Settings,
    pub plan: Plan,
    pub facts: Facts,
    pub now: Time,
}

/// A team that sees everything, and a plan for now by Ada, with Lin on call for ever and traffic that sleeps at night.
pub fn world(now: &str) -> World {
    world_with(now, SETTINGS)
}

pub fn world_with(now: &str, settings: &str) -> World {
    let settings = Settings::read(settings, "test", ".".into()).unwrap();
    let now = at(now);
    let plan = Plan {
        id: crate::name::PlanId::new("checkout-87"),
        version: Some("v2.14.0".to_owned()),
        ..Plan::bare(Service::new("checkout"), crate::name::Environment::new("production"), Person::new("ada"), now)
    };
    let mut world = World { settings, plan, facts: Facts::default(), now };
    // A calendar that is seen holds something, and Ada's own tells that she is free.
    world.own("ada", Means::Other, "2000-01-01T00:00:00Z", "2040-01-01T00:00:00Z");
    world.shift("lin", "2026-01-01T00:00:00Z", None);
    world.facts.others.known.push(fact("record", world.now, Vec::new()));
    world.load(|_| 0.3);
    world
}

pub fn at(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap_or_else(|| panic!("{text} is no time"))
}

pub fn fact<T>(source: &str, at: Time, value: T) -> Fact<T> {
    Fact { source: source.into(), link: None, at, value, incomplete: Vec::new() }
}

impl World {
    pub fn context(&self) -> Context<'_> {
        Context { plan: &self.plan, facts: &self.facts, settings: &self.settings, now: self.now }
    }

    pub fn moment(&self) -> Moment {
        self.moment_at(self.plan.when.start(self.now))
    }

    pub fn moment_at(&self, at: Time) -> Moment {
        Timeline::build(&self.context()).moment(at)
    }

    /// Windows over a base of 20 points.
    pub fn windows(&self) -> Windows {
        let ctx = self.context();
        windows(&ctx, &Timeline::build(&ctx), 20)
    }

    pub fn flag(&self, code: &str) -> Flag {
        let moment = self.moment();
        moment.flags.into_iter().find(|flag| flag.code == code).unwrap_or_else(|| panic!("no {code}"))
    }

    /// The level and the sentence of one check at the plan's own time.
    pub fn says(&self, code: &str) -> (FlagLevel, String) {
        let flag = self.flag(code);
        (flag.level, flag.says)
    }

    pub fn event(&mut self, means: Means, summary: &str, start: &str, end: &str) -> &mut CalendarEvent {
        let event = CalendarEvent {
            uid: summary.to_owned(),
            start: at(start),
            end: at(end),
            all_day: false,
            summary: summary.to_owned(),
            means,
            services: Vec::new(),
            environments: Vec::new(),
            owner: None,
            person: None,
        };
        let known = &mut self.facts.calendar.known;
        if !known.iter().any(|fact| fact.source.as_str() == "company") {
            known.push(fact("company", self.now, Vec::new()));
        }
        let company = known.iter_mut().find(|fact| fact.source.as_str() == "company").unwrap();
        company.value.push(event);
        company.value.last_mut().unwrap()
    }

    pub fn own(&mut self, person: &str, means: Means, start: &str, end: &str) {
        self.event(means, &format!("{person} {means:?}"), start, end).person = Some(Person::new(person));
    }

    pub fn shift(&mut self, person: &str, start: &str, end: Option<&str>) {
        if self.facts.on_call.known.is_empty() {
            self.facts.on_call.known.push(fact("rota", self.now, Vec::new()));
        }
        let shift = Shift { person: person.into(), service: None, start: at(start), end: end.map(at), level: 1 };
        self.facts.on_call.known[0].value.push(shift);
    }

    pub fn other(&mut self, id: &str, service: &str, doing: Doing, start: &str, end: &str) {
        let other = Other {
            id: id.to_owned(),
            service: service.into(),
            environment: "production".into(),
            version: Some("v1.0.0".to_owned()),
            by: Some("grace".into()),
            doing,
            start: at(start),
            end: at(end),
            files: Vec::new(),
            link: None,
        };
        self.facts.others.known[0].value.push(other);
    }

    /// Traffic by the hour of the day in Los Angeles (of November: PST), 0 to 23, as a share of 1,000 requests.
    pub fn load(&mut self, share: impl Fn(u32) -> f64) {
        let monday = at("2026-11-16T00:00:00Z");
        let mut week = vec![None; 168];
        for hour in 0..168 {
            let utc = monday.plus(hour * HOUR);
            let pst = (hour + 24 - 8) % 24;
            week[hour_of_week(utc)] = Some(1000.0 * share(u32::try_from(pst).unwrap()));
        }
        // One hour at night is the peak of the week, so that shares are shares of 1,000.
        week[hour_of_week(at("2026-11-22T12:00:00Z"))] = Some(1000.0);
        let load = Load { unit: "requests per second".to_owned(), now: None, week, weeks: 4 };
        self.facts.load = Asked { known: vec![fact("prometheus", self.now, load)], unknown: Vec::new() };
    }
}

pub fn unknown(source: &str, reason: &str, at: Time) -> Unknown {
    Unknown { source: source.into(), reason: reason.to_owned(), at }
}
