//! What one check sees of a plan and its facts: everything by reference, so that a mitigation can be scored by looking
//! at the same facts with one of them changed.

use std::collections::BTreeSet;
use std::rc::Rc;

use chrono_tz::Tz;

use crate::advice::category::Category;
use crate::advice::facts::{
    Alert, Asked, Builds, CalendarEvent, Change, Coverage, Fact, Finding, FlagState, Health, History, Incident, Load,
    MigrationState, Other, Reviews, Shift, Support, Ticket, Versions,
};
use crate::advice::paths::PathBook;
use crate::advice::rollback::{self, Rollback};
use crate::advice::schema::SqlRead;
use crate::advice::{Because, Context, category, says};
use crate::clock::Time;
use crate::config::{EnvironmentSettings, ServiceSettings, Settings};
use crate::hold::Lock;
use crate::name::Service;
use crate::plan::Plan;

/// A plan, its facts and what was read out of them once.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub plan: &'a Plan,
    pub settings: &'a Settings,
    pub now: Time,
    /// When the plan would begin.
    pub begin: Time,
    /// When its watch would end.
    pub end: Time,
    /// The zone that times are said in: the team's.
    pub zone: Tz,
    pub calendar: &'a Asked<Vec<CalendarEvent>>,
    pub on_call: &'a Asked<Vec<Shift>>,
    pub incidents: &'a Asked<Vec<Incident>>,
    pub versions: &'a Asked<Versions>,
    pub change: &'a Asked<Change>,
    pub migrations: &'a Asked<MigrationState>,
    pub load: &'a Asked<Load>,
    pub health: &'a Asked<Health>,
    pub reviews: &'a Asked<Reviews>,
    pub builds: &'a Asked<Builds>,
    pub flags: &'a Asked<Vec<FlagState>>,
    pub findings: &'a Asked<Vec<Finding>>,
    pub coverage: &'a Asked<Coverage>,
    pub ticket: &'a Asked<Ticket>,
    pub alerts: &'a Asked<Vec<Alert>>,
    pub support: &'a Asked<Support>,
    pub locks: &'a Asked<Vec<Lock>>,
    pub history: &'a Asked<History>,
    pub others: &'a Asked<Vec<Other>>,
    pub paths: &'a PathBook,
    /// What the SQL of each migration would do.
    pub sql: &'a [SqlRead],
    pub category: Rc<Category>,
    pub rollback: Rc<Rollback>,
    /// Services that need this one, directly or through others.
    needed_by: Rc<BTreeSet<&'a Service>>,
}

impl<'a> View<'a> {
    pub fn new(ctx: Context<'a>, paths: &'a PathBook, sql: &'a [SqlRead]) -> View<'a> {
        let Context { plan, facts, settings, now } = ctx;
        let begin = plan.when.start(now).max(now);
        let view = View {
            plan,
            settings,
            now,
            begin,
            end: begin.plus(settings.policy.deployment_length.ms()).plus(settings.watch.length.ms()),
            zone: settings.team.zone,
            calendar: &facts.calendar,
            on_call: &facts.on_call,
            incidents: &facts.incidents,
            versions: &facts.versions,
            change: &facts.change,
            migrations: &facts.migrations,
            load: &facts.load,
            health: &facts.health,
            reviews: &facts.reviews,
            builds: &facts.builds,
            flags: &facts.flags,
            findings: &facts.findings,
            coverage: &facts.coverage,
            ticket: &facts.ticket,
            alerts: &facts.alerts,
            support: &facts.support,
            locks: &facts.locks,
            history: &facts.history,
            others: &facts.others,
            paths,
            sql,
            category: Rc::default(),
            rollback: Rc::default(),
            needed_by: Rc::new(settings.needed_by(&plan.service)),
        };
        view.read()
    }

    /// The same with another plan (one that a mitigation would make of it).
    pub fn with_plan<'b>(&self, plan: &'b Plan) -> View<'b>
    where
        'a: 'b,
    {
        View { plan, ..self.clone() }.read()
    }

    /// The same with another change.
    pub fn with_change<'b>(&self, change: &'b Asked<Change>) -> View<'b>
    where
        'a: 'b,
    {
        View { change, ..self.clone() }.read()
    }

    /// The same with other incidents.
    pub fn with_incidents<'b>(&self, incidents: &'b Asked<Vec<Incident>>) -> View<'b>
    where
        'a: 'b,
    {
        View { incidents, ..self.clone() }
    }

    /// Reads anew what depends on the plan and the change.
    fn read(mut self) -> View<'a> {
        self.category = Rc::new(category::read(&self));
        self.rollback = Rc::new(rollback::read(&self));
        self
    }

    pub fn service(&self) -> Option<&'a ServiceSettings> {
        self.settings.service.get(&self.plan.service)
    }

    pub fn environment(&self) -> Option<&'a EnvironmentSettings> {
        self.settings.environment.get(&self.plan.environment)
    }

    /// The change, where it is known.
    pub fn the_change(&self) -> Option<&'a Change> {
        newest(self.change).map(|fact| &fact.value)
    }

    pub fn the_history(&self) -> Option<&'a History> {
        newest(self.history).map(|fact| &fact.value)
    }

    /// A moment on the team's clocks.
    pub fn time(&self, at: Time) -> String {
        says::time(at, self.zone, self.now)
    }

    pub fn day(&self, at: Time) -> String {
        says::day(at, self.zone, self.now)
    }

    /// The limits that a check compares with: the settings' or its own.
    pub fn limits(&self, code: &str, caution: f64, critical: f64) -> (f64, f64) {
        let set = self.settings.policy.threshold.get(code);
        let or = |set: Option<f64>, own: f64| set.filter(|limit| limit.is_finite()).unwrap_or(own);
        (or(set.and_then(|t| t.caution), caution), or(set.and_then(|t| t.critical), critical))
    }

    /// Services that this one needs, directly.
    pub fn needs(&self) -> &'a [Service] {
        self.service().map(|service| service.depends_on.as_slice()).unwrap_or_default()
    }

    /// Services that need this one, directly or through others, in the order of their names.
    pub fn needed_by(&self) -> &BTreeSet<&'a Service> {
        &self.needed_by
    }

    /// Services that use the same databases or queues, with the name of what they share.
    pub fn shares(&self) -> Vec<(&'a Service, &'a str)> {
        let own = self.service().map(|service| service.shares.as_slice()).unwrap_or_default();
        let others = self.settings.service.iter().filter(|(name, _)| **name != self.plan.service);
        others
            .flat_map(|(name, other)| own.iter().filter(|s| other.shares.contains(s)).map(move |s| (name, s.as_str())))
            .collect()
    }

    /// Whether a service is this one, or one that it needs or that needs it.
    pub fn is_near(&self, service: &Service) -> bool {
        *service == self.plan.service || self.needs().contains(service) || self.needed_by().contains(service)
    }
}

/// The newest answer; the first by source where several are as new, so that their order never matters.
pub fn newest<T>(asked: &Asked<T>) -> Option<&Fact<T>> {
    asked.known.iter().min_by(|a, b| b.at.cmp(&a.at).then_with(|| a.source.cmp(&b.source)))
}

/// What a fact lends to a flag.
pub fn because<T>(fact: &Fact<T>, says: impl Into<String>) -> Because {
    Because { source: fact.source.clone(), says: says.into(), link: fact.link.clone(), at: fact.at }
}
