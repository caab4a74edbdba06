//! From a plan and its facts to the advice.

use crate::advice::checks::{self, ALL};
use crate::advice::facts::Facts;
use crate::advice::paths::PathBook;
use crate::advice::rollback;
use crate::advice::rules;
use crate::advice::schema;
use crate::advice::timing::{self, Timeline};
use crate::advice::view::View;
use crate::advice::{
    Advice, Approvals, Asked, Context, Flag, Part, Points, Score, Windows, mitigation, policy, score, template,
};
use crate::config::{CheckMode, Settings};
use crate::plan::Plan;

/// What Tidegate has to say about a plan. The same context always gives the same advice, in whatever order its sources
/// answered.
pub fn advise(ctx: Context<'_>) -> Advice {
    let paths = PathBook::of(ctx.settings, &ctx.plan.service);
    let sql = schema::read_sql(&ctx);
    let view = View::new(ctx, &paths, &sql);
    let timeline = Timeline::build(&ctx);
    let Judged { mut flags, base, sum, score, approvals } = judge(&view, &timeline);

    let windows = timing::windows(&ctx, &timeline, base);
    let draft = rollback::draft(&view);
    let ideas = mitigation::ideas(&view, score.value, sum, &windows, draft.as_deref(), &flags);
    mitigation::help(&mut flags, &ideas);
    let is_on = |code: &str| checks::mode(&view, code) == CheckMode::On;
    let (flags, shadow): (Vec<Flag>, Vec<Flag>) = flags.into_iter().partition(|flag| is_on(&flag.code));
    Advice {
        blockers: policy::blockers(ctx.settings, &flags),
        flags,
        shadow,
        score,
        windows,
        mitigations: mitigation::offered(&ideas),
        asked: Asked { second_step: policy::second_step(&view, &approvals), ..template::asked(&view) },
        approvals,
        category: view.category.view.clone(),
        rollback_draft: draft,
        impact: checks::impact(&view),
    }
}

/// The flags that stop the gate at this moment: as [`advise`] finds them, without the search for windows and mitigations,
/// which takes most of its time and which no pipeline reads. Where no check that may stop it does, no other is asked.
pub fn stops(ctx: Context<'_>) -> Vec<Flag> {
    let paths = PathBook::of(ctx.settings, &ctx.plan.service);
    let sql = schema::read_sql(&ctx);
    let view = View::new(ctx, &paths, &sql);
    if !checks::may_stop(&view, &ctx) {
        return Vec::new();
    }
    let mut flags = judge(&view, &Timeline::build(&ctx)).flags;
    flags.retain(|flag| checks::mode(&view, &flag.code) == CheckMode::On);
    let stop = policy::blockers(ctx.settings, &flags);
    flags.retain(|flag| stop.contains(&flag.code));
    flags
}

/// What one check of the brief answers at this moment, whether it is on or not. None: it does not apply.
pub fn answer(ctx: Context<'_>, code: &str) -> Option<Flag> {
    let paths = PathBook::of(ctx.settings, &ctx.plan.service);
    let sql = schema::read_sql(&ctx);
    let view = View::new(ctx, &paths, &sql);
    checks::answer(&view, code)
}

/// What a brief comes to at the plan's moment.
struct Judged {
    /// Of all checks that are not off, in the order of the visible list.
    flags: Vec<Flag>,
    /// Points that the hour does not change, and all points.
    base: i32,
    sum: i32,
    score: Score,
    approvals: Approvals,
}

fn judge(view: &View<'_>, timeline: &Timeline<'_>) -> Judged {
    let moment = timeline.moment(view.begin);
    let answered: Vec<(Flag, Part)> = checks::ask(view);
    let mut points = checks::points(view, &answered);
    let base: i32 = points.iter().map(|p| p.points).sum();
    let is_on = |code: &str| checks::mode(view, code) == CheckMode::On;
    points.extend(moment.points.into_iter().filter(|p| p.points != 0 && is_on(&p.code)));
    let sum: i32 = points.iter().map(|p| p.points).sum();
    let score = score::score(view, points);

    let mut flags: Vec<Flag> = answered.into_iter().map(|(flag, _)| flag).collect();
    let asked = moment.flags.into_iter().filter(|flag| checks::mode(view, &flag.code) != CheckMode::Off);
    join(&mut flags, asked, &score.points);
    let shown: Vec<Flag> = flags.iter().filter(|flag| is_on(&flag.code)).cloned().collect();
    let approvals = rules::approvals(view, score.value, &shown);
    flags.extend(checks::ask_policy(view, &approvals).into_iter().map(|(flag, _)| flag));
    flags.sort_by_key(|flag| ALL.iter().position(|check| check.code == flag.code).unwrap_or(ALL.len()));
    Judged { flags, base, sum, score, approvals }
}

/// The windows for a target without a change: what timing alone says.
pub fn windows(ctx: Context<'_>) -> Windows {
    timing::windows(&ctx, &Timeline::build(&ctx), 0)
}

/// The kinds of change that paths, words and settings see, the weightiest first.
pub fn seen_categories(plan: &Plan, facts: &Facts, settings: &Settings) -> Vec<String> {
    let ctx = Context { plan, facts, settings, now: plan.made_at };
    let paths = PathBook::of(settings, &plan.service);
    let sql = schema::read_sql(&ctx);
    View::new(ctx, &paths, &sql).category.view.seen.clone()
}

/// Puts the moment's flags to the brief's. Where both speak of the same code, the brief's words stand, at the graver of
/// the two levels, with the points of the moment.
fn join(flags: &mut Vec<Flag>, moment: impl Iterator<Item = Flag>, points: &[Points]) {
    for flag in moment {
        match flags.iter_mut().find(|own| own.code == flag.code) {
            Some(own) if own.level >= flag.level => own.would_help = own.would_help.take().or(flag.would_help),
            Some(own) => *own = flag,
            None => flags.push(flag),
        }
    }
    for flag in flags.iter_mut().filter(|flag| flag.of == 0) {
        let own = points.iter().filter(|p| p.code == flag.code);
        (flag.points, flag.of) = own.fold((0, 0), |(points, of), p| (points + p.points, of + p.of));
    }
}
