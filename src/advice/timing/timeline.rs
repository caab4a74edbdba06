//! Everything that varies with time, laid out once for a plan.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use super::calendar::Calendar;
use super::gap::{Gap, gap};
use super::load::Profile;
use super::local::Wall;
use super::on_call::Rota;
use super::people::{Desk, Desks};
use super::reason::nearby;
use super::spans::Spans;
use super::{Code, Moment, check};
use crate::advice::facts::{Doing, Fact, Other};
use crate::advice::{Context, Points};
use crate::clock::{DAY, HOUR, MINUTE, Millis, Time};
use crate::config::CheckMode;
use crate::name::Service;

/// How far ahead windows are searched.
pub(super) const SEARCHED: Millis = 90 * DAY;
/// How far ahead a plan's own time may lie and still be judged.
const JUDGED: Millis = 400 * DAY;
/// Most faults of a deployment show themselves this soon: somebody should be there, and the load is looked at.
const FIRST_HOURS: Millis = 2 * HOUR;
/// People named in a plan beyond this many are not looked up.
const MOST_NAMED: usize = 20;

/// What varies with time, for one plan.
#[derive(Debug)]
pub struct Timeline<'a> {
    pub(super) ctx: Context<'a>,
    /// The zone that times are said in.
    pub(super) zone: Tz,
    /// The team's clocks: steps are round on them.
    pub(super) wall: Wall,
    /// How long the deployment takes.
    pub(super) length: Millis,
    /// How long it is watched afterwards.
    pub(super) watch: Millis,
    /// The deployment and the first hours of its watch.
    pub(super) look: Millis,
    /// The last moment that can be judged.
    pub(super) last: Millis,
    /// When deployments are allowed, in the zone that the rule is written for; None: always.
    pub(super) allowed: Option<(Spans, Tz)>,
    pub(super) calendar: Calendar<'a>,
    pub(super) load: Profile<'a>,
    pub(super) rota: Rota,
    pub(super) desks: Vec<Desk<'a>>,
    pub(super) planner: usize,
    /// Whom the plan names to watch and to respond.
    pub(super) named: Vec<usize>,
    /// When somebody who would notice is at work.
    pub(super) attended: Spans,
    pub(super) team_work: Arc<Spans>,
    /// Absences and meetings of the planner and those named, with the points that each gives.
    pub(super) absences: Vec<(usize, i32, Spans)>,
    /// The names of those of them whose own time no calendar tells.
    pub(super) unseen: Vec<String>,
    /// The last three days and the first day of each quarter.
    pub(super) quarter: Spans,
    pub(super) others: Others<'a>,
    pub(super) calendar_gap: Option<Gap>,
    pub(super) on_call_gap: Option<Gap>,
    modes: [CheckMode; Code::ALL.len()],
}

/// Others who move or were moved, by how near they are.
#[derive(Debug, Default)]
pub(super) struct Others<'a> {
    pub list: Vec<(&'a Fact<Vec<Other>>, &'a Other, i32)>,
    /// Watched still: the same service, and what it depends on.
    pub soaking: Spans,
    pub soaking_below: Spans,
    /// Under way or planned: the same service; one that it needs or that needs it; anything else in the environment.
    pub moving: [(Spans, i32); 3],
    pub gap: Option<Gap>,
}

impl<'a> Timeline<'a> {
    pub fn build(ctx: &Context<'a>) -> Timeline<'a> {
        let ahead = ctx.plan.when.start(ctx.now).max(ctx.now).since(ctx.now);
        Timeline::laid_out(ctx, ahead.saturating_add(DAY).clamp(SEARCHED, JUDGED))
    }

    /// No further than the plan's own time is judged, which is much less work: what is said of later times is wrong.
    pub fn brief(ctx: &Context<'a>) -> Timeline<'a> {
        let ahead = ctx.plan.when.start(ctx.now).max(ctx.now).since(ctx.now);
        Timeline::laid_out(ctx, ahead.min(JUDGED))
    }

    /// `ahead`: how far after now times may lie and still be judged.
    fn laid_out(ctx: &Context<'a>, ahead: Millis) -> Timeline<'a> {
        let Context { plan, facts, settings, now } = *ctx;
        let length = settings.policy.deployment_length.ms().clamp(MINUTE, 7 * DAY);
        let watch = settings.watch.length.ms().clamp(0, 14 * DAY);
        let last = now.ms().saturating_add(ahead);
        let range = (now.ms() - 2 * DAY, last + length + watch + 3 * DAY);

        let calendar = Calendar::read(ctx, range);
        let mut desks = Desks::new(ctx, &calendar, range);
        let planner = desks.seat(&plan.by, &calendar);
        let mut named: Vec<usize> = Vec::new();
        for person in plan.watch.iter().chain(&plan.respond).take(MOST_NAMED) {
            let seat = desks.seat(person, &calendar);
            if !named.contains(&seat) {
                named.push(seat);
            }
        }
        let rota = Rota::read(ctx, &calendar, &mut desks, range);
        let team_work = desks.team();
        let allowed = allowed(ctx, &mut desks);
        let wall = desks.wall(settings.team.zone).clone();
        let desks = desks.into_list();
        let rota = rota.with_work(&desks);
        let attended = attended(&desks, &named, &rota, &team_work);
        let mut around = vec![planner];
        around.extend(named.iter().filter(|seat| **seat != planner));

        Timeline {
            ctx: *ctx,
            zone: settings.team.zone,
            quarter: quarter_days(&wall),
            wall,
            length,
            watch,
            look: length + watch.min(FIRST_HOURS),
            last,
            allowed,
            load: Profile::read(ctx),
            rota,
            absences: absences(&around, &desks, &calendar),
            unseen: around.iter().map(|s| &desks[*s]).filter(|desk| !desk.seen).map(|desk| desk.name.clone()).collect(),
            desks,
            planner,
            named,
            attended,
            team_work,
            others: Others::read(ctx),
            calendar_gap: gap(
                &facts.calendar,
                "an `ics` source would tell",
                "holds no entry in the time looked at",
                Vec::is_empty,
            ),
            on_call_gap: gap(&facts.on_call, "an `ics` or `jsonl` rota would tell", "names nobody", Vec::is_empty),
            calendar,
            modes: Code::ALL.map(|code| settings.policy.checks.get(code.as_str()).copied().unwrap_or(CheckMode::On)),
        }
    }

    /// A plan that begins at a moment, judged in words. The past counts as now.
    pub fn moment(&self, at: Time) -> Moment {
        let at = at.max(self.ctx.now).ms();
        let cost = self.cost(Time::from_ms(at));
        let mut moment = Moment { flags: Vec::new(), points: Vec::new() };
        for code in Code::ALL.into_iter().filter(|code| self.mode(*code) != CheckMode::Off) {
            let flag = check::flag(self, code, at, &cost);
            if self.mode(code) == CheckMode::On && code.of() > 0 {
                let says = flag.as_ref().map_or_else(|| nearby(self, code, at), |flag| flag.says.clone());
                let (points, of) = (cost.part(code), code.of());
                moment.points.push(Points { code: code.as_str().to_owned(), part: code.part(), says, points, of });
            }
            moment.flags.extend(flag);
        }
        moment
    }

    pub(super) fn mode(&self, code: Code) -> CheckMode {
        self.modes[code as usize]
    }

    /// How far ahead windows are suggested first.
    pub(super) fn horizon_end(&self) -> Millis {
        self.ctx.now.ms() + self.ctx.settings.policy.horizon.ms().clamp(0, SEARCHED)
    }

    /// When the watch of a deployment that begins at `at` would end.
    pub(super) fn watched_until(&self, at: Millis) -> Millis {
        at + self.length + self.watch
    }
}

impl<'a> Others<'a> {
    fn read(ctx: &Context<'a>) -> Others<'a> {
        let asked = &ctx.facts.others;
        let service = &ctx.plan.service;
        let below = |name: &Service| ctx.settings.service.get(name).map(|set| set.depends_on.as_slice());
        let needs = below(service).unwrap_or_default();
        let nearness = |other: &Other| {
            if other.service == *service {
                6
            } else if needs.contains(&other.service) || below(&other.service).is_some_and(|n| n.contains(service)) {
                4
            } else {
                2
            }
        };
        let mut list = Vec::new();
        for fact in &asked.known {
            for other in &fact.value {
                let ours = other.id == ctx.plan.id.as_str();
                if !ours && other.environment == ctx.plan.environment && other.start < other.end {
                    list.push((fact, other, nearness(other)));
                }
            }
        }
        list.sort_by(|a, b| (a.1.start, &a.1.id).cmp(&(b.1.start, &b.1.id)));
        let spans = |wanted: &dyn Fn(&Other, i32) -> bool| {
            let found = list.iter().filter(|(_, other, near)| wanted(other, *near));
            Spans::new(found.map(|(_, other, _)| (other.start.ms(), other.end.ms())).collect())
        };
        let moving = [6, 4, 2].map(|at| (spans(&|o, near| o.doing != Doing::Watched && near == at), at));
        let soaking = spans(&|other, near| other.doing == Doing::Watched && near == 6);
        let soaking_below = spans(&|o, _| o.doing == Doing::Watched && needs.contains(&o.service));
        let gap = gap(asked, "Tidegate's own record would tell", "", |_| false);
        Others { soaking, soaking_below, moving, list, gap }
    }
}

fn allowed(ctx: &Context<'_>, desks: &mut Desks<'_>) -> Option<(Spans, Tz)> {
    let set = ctx.settings.environment.get(&ctx.plan.environment)?;
    if set.window.is_empty() {
        return None;
    }
    let of_service = ctx.settings.service.get(&ctx.plan.service).and_then(|service| service.zone);
    let zone = set.zone.or(of_service).unwrap_or(ctx.settings.team.zone);
    Some((desks.wall(zone).hours(&set.window), zone))
}

/// Whoever the plan names and whoever is on call; else the team, where nobody is named and nobody is on call.
fn attended(desks: &[Desk<'_>], named: &[usize], rota: &Rota, team: &Spans) -> Spans {
    let mut sets: Vec<&Spans> = named.iter().map(|seat| desks[*seat].work.as_ref()).collect();
    sets.push(&rota.at_work);
    let untold = team.minus(&rota.covered);
    if named.is_empty() {
        sets.push(&untold);
    }
    Spans::union(&sets)
}

fn absences(around: &[usize], desks: &[Desk<'_>], calendar: &Calendar<'_>) -> Vec<(usize, i32, Spans)> {
    let mut found = Vec::new();
    for seat in around {
        let Some(own) = calendar.people.get(desks[*seat].person) else { continue };
        found.push((*seat, 3, own.away.time.clone()));
        found.push((*seat, 1, own.meetings.time.clone()));
    }
    found.retain(|(.., time)| !time.is_empty());
    found
}

/// The last three days and the first day of the quarters of the year.
fn quarter_days(wall: &Wall) -> Spans {
    let ends = wall.days().into_iter().filter(|(_, day)| {
        let date = |day: i64| NaiveDate::from_epoch_days(i32::try_from(day).unwrap_or(0));
        let begins = |day: i64| date(day).is_some_and(|date| date.day() == 1 && date.month0() % 3 == 0);
        (0..=3).any(|ahead| begins(day + ahead))
    });
    Spans::new(ends.map(|(stretch, _)| stretch).collect())
}
