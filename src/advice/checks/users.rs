//! Will people notice, and what would it meet them in the middle of?

use std::collections::BTreeMap;

use crate::advice::checks::Answer;
use crate::advice::facts::Means;
use crate::advice::paths::{Meaning, looks_visible};
use crate::advice::says;
use crate::advice::schema::fragment;
use crate::advice::sight::{Topic, gap};
use crate::advice::toggle;
use crate::advice::view::{View, because, newest};
use crate::clock::DAY;
use crate::message::tame;

pub fn visible(view: &View<'_>) -> Option<Answer> {
    if !view.plan.kind.has_version() {
        return None;
    }
    let Some(fact) = newest(view.change) else { return Some(Answer::gap(gap(view, Topic::Change)?)) };
    let change = &fact.value;
    let set_up = view.service().is_some_and(|service| !service.visible.is_empty());
    let seen = |path: &str| view.paths.meanings(path).contains(&&Meaning::Visible) || looks_visible(path);
    let mut paths: Vec<String> =
        change.files.iter().filter(|file| seen(&file.path)).map(|file| format!("`{}`", tame(&file.path, 80))).collect();
    paths.sort();
    let mut flags: Vec<String> = change.flags.iter().map(|flag| format!("`{}`", tame(flag, 60))).collect();
    flags.sort();
    let behind = if flags.is_empty() { String::new() } else { behind(view, &flags) };
    if paths.is_empty() && set_up {
        let says = format!("Nothing that people see is touched, by the patterns of {}.{behind}", view.plan.service);
        return Some(Answer::pass(says).unless(gap(view, Topic::Change)));
    }
    if paths.is_empty() {
        let says =
            format!("Nothing looks visible by its name; `visible` in the settings would say for certain.{behind}");
        return Some(Answer::info(says).unless(gap(view, Topic::Change)));
    }
    let what = says::some(&paths, 3);
    let says = format!("People will see it: {what} {} touched.{behind}", if paths.len() == 1 { "is" } else { "are" });
    Some(Answer::info(says).because([because(fact, paths.join(", "))]).unless(gap(view, Topic::Change)))
}

/// What is known of the flags that the change reads.
fn behind(view: &View<'_>, flags: &[String]) -> String {
    let (which, environment) = (says::some(flags, 3), &view.plan.environment);
    match toggle::all_off(view) {
        _ if view.flags.is_unasked() => {
            format!(" It speaks of the flags {which}; whether they are off was not asked (no flag provider is set up).")
        }
        Some(Ok(())) => format!(" What lies behind {which} is off in {environment}, so nobody meets that yet."),
        Some(Err(doubt)) => format!(" It speaks of the flags {which}; in {environment} {doubt}."),
        None => String::new(),
    }
}

pub fn reached(view: &View<'_>) -> Option<Answer> {
    let customers = view.service().and_then(|service| service.customers_pct);
    let at = view.time(view.begin);
    let load = newest(view.load).and_then(|fact| {
        let (usual, peak) = (fact.value.usual(view.begin)?, fact.value.peak()?);
        let value = says::value(usual * peak);
        Some((
            fact,
            format!("about {value} {} at {at}, {} of the weekly peak", tame(&fact.value.unit, 30), says::share(usual)),
        ))
    });
    match (customers, load) {
        (Some(pct), Some((fact, load))) => {
            let says = format!("{pct} % of customers meet {}; {load}.", view.plan.service);
            Some(Answer::info(says).because([because(fact, load)]).unless(gap(view, Topic::Load)))
        }
        (None, Some((fact, load))) => {
            let says = format!(
                "Which share of customers meets {} is unknown (set `customers-pct`); {load}.",
                view.plan.service
            );
            Some(Answer::unknown(says).because([because(fact, load)]))
        }
        (customers, None) => {
            let gap = gap(view, Topic::Load)?;
            let share = customers.map(|pct| format!("{pct} % of customers meet {}; how ", view.plan.service));
            let share = share.unwrap_or_else(|| "How ".to_owned());
            Some(Answer::unknown(format!("{share}many at {at} is unknown: {}.", gap.reason)).because(gap.because))
        }
    }
}

pub fn midway(view: &View<'_>) -> Option<Answer> {
    let midway = view.service().and_then(|service| service.midway.as_deref())?;
    let midway = fragment(midway);
    let at = view.time(view.begin);
    let Some((fact, usual)) = newest(view.load).and_then(|fact| Some((fact, fact.value.usual(view.begin)?))) else {
        let gap = gap(view, Topic::Load)?;
        let says =
            format!("People may be in the middle of it ({midway}); how many at {at} is unknown: {}.", gap.reason);
        return Some(Answer::unknown(says).because(gap.because));
    };
    let (caution, critical) = view.limits("users.midway", 0.7, f64::INFINITY);
    let says = format!(
        "People may be in the middle of it ({midway}): traffic at {at} is usually {} of the weekly peak.",
        says::share(usual)
    );
    let level = super::size::level(usual, caution, critical, crate::advice::FlagLevel::Info);
    Some(Answer::at(level, says.clone()).because([because(fact, says)]).unless(gap(view, Topic::Load)))
}

pub fn support(view: &View<'_>) -> Option<Answer> {
    let articles = view.service().map(|service| &service.support).filter(|articles| !articles.is_empty())?;
    let Some(fact) = newest(view.change) else {
        return if view.plan.kind.has_version() { Some(Answer::gap(gap(view, Topic::Change)?)) } else { None };
    };
    let mut touched: BTreeMap<&str, &str> = BTreeMap::new();
    for file in &fact.value.files {
        for meaning in view.paths.meanings(&file.path) {
            if let Meaning::Support(article) = meaning {
                let first = touched.entry(article).or_insert(&file.path);
                *first = (*first).min(&file.path);
            }
        }
    }
    let busy = training(view);
    if touched.is_empty() {
        let n = says::count(i64::try_from(articles.len()).unwrap_or(0), "support article");
        let says = format!("No support article describes what changes ({n} looked at).");
        return Some(Answer::pass(says).unless(gap(view, Topic::Change)));
    }
    let told: Vec<String> =
        touched.iter().map(|(article, path)| format!("\"{}\" (`{}`)", tame(article, 80), tame(path, 60))).collect();
    let verb = if told.len() == 1 { "describes" } else { "describe" };
    let says = format!("{} {verb} what changes: support may need a new text.{busy}", says::some(&told, 3));
    Some(Answer::info(says).because([because(fact, told.join(", "))]).unless(gap(view, Topic::Change)))
}

/// A training of support on that day, where a calendar knows one.
fn training(view: &View<'_>) -> String {
    let day = |at: crate::clock::Time| at.at(view.zone).date_naive();
    let events = view.calendar.known.iter().flat_map(|fact| fact.value.iter().map(move |event| (fact, event)));
    let found = events
        .filter(|(_, e)| e.means == Means::Training && e.start < view.begin.plus(DAY) && e.end > view.begin.plus(-DAY))
        .filter(|(_, e)| day(e.start) <= day(view.begin) && day(e.end.plus(-1)) >= day(view.begin))
        .min_by(|a, b| (a.1.start, &a.1.summary).cmp(&(b.1.start, &b.1.summary)));
    found
        .map(|(fact, e)| format!(" That day there is \"{}\" ({}).", tame(&e.summary, 80), fact.source))
        .unwrap_or_default()
}
