//! The strip in words, for those who do not see it.

use super::super::axis::{Axis, moment, stretch};
use super::super::words::{cut, sentence};
use super::super::{Labelled, Stretch};
use super::lanes::nobody;
use super::load::{Run, runs};
use super::{PLOT_W, PLOT_X, Strip, Window};
use crate::clock::Time;
use crate::message::tame;

/// Of each kind, so many are told.
const TOLD: usize = 5;

/// Says in words what the strip shows, in at most 1,900 characters.
pub fn alt(strip: &Strip) -> String {
    let axis = Axis::new(strip.start, strip.end, PLOT_X, PLOT_W, strip.zone);
    let mut says = vec![format!(
        "{}, {}, in {}.",
        tame(&strip.title, 80),
        stretch(axis.start, axis.end, strip.zone),
        axis.zone_says()
    )];
    if let Some(words) = &strip.none_good {
        says.push(sentence(&tame(words, 160)));
    } else if strip.windows.is_empty() {
        says.push("No window found.".to_owned());
    }
    says.extend(strip.windows.iter().take(TOLD).enumerate().map(|(n, window)| one_window(strip, n, window)));
    says.push(match strip.score_now {
        Some(score) => format!("Now, {}: risk {} of 100.", moment(strip.now, strip.zone), score.min(100)),
        None => format!("Now, {}: risk unknown.", moment(strip.now, strip.zone)),
    });
    says.push(traffic(strip, &axis));
    let seen = |start: Time, end: Time| axis.clip(start, end).is_some();
    let stretches = |list: &[Stretch]| -> Vec<String> {
        list.iter().filter(|one| seen(one.start, one.end)).map(|one| stretch(one.start, one.end, strip.zone)).collect()
    };
    let labelled = |list: &[Labelled]| -> Vec<String> {
        let when = |one: &Labelled| format!("{}, {}", tame(&one.label, 60), stretch(one.start, one.end, strip.zone));
        list.iter().filter(|one| seen(one.start, one.end)).map(when).collect()
    };
    let events: Option<Vec<Labelled>> = strip.events.as_ref().map(|list| {
        let plain = |event: &super::Event| Labelled { start: event.start, end: event.end, label: event.label.clone() };
        list.iter().map(plain).collect()
    });
    let deployments: Option<Vec<String>> = strip.deployments.as_ref().map(|list| {
        let when = |one: &super::super::Moment| format!("{}, {}", tame(&one.label, 60), moment(one.at, strip.zone));
        list.iter().filter(|one| axis.holds(one.at)).map(when).collect()
    });
    says.push(listed("Allowed", strip.allowed.as_deref().map(stretches)));
    says.push(listed("Freezes", strip.freezes.as_deref().map(labelled)));
    says.push(listed("Events", events.as_deref().map(labelled)));
    says.push(listed("Other deployments", deployments));
    says.push(listed("On call", strip.on_call.as_deref().map(labelled)));
    let nobody = strip.on_call.as_deref().map(|list| stretches(&nobody(list, &axis))).unwrap_or_default();
    if !nobody.is_empty() {
        says.push(listed("Nobody on call", Some(nobody)));
    }
    cut(&says.join(" "))
}

fn one_window(strip: &Strip, n: usize, window: &Window) -> String {
    let kind = if window.good { "" } else { ", at a cost" };
    let when = stretch(window.start, window.end, strip.zone);
    let says = format!("{}. {when}: risk {} of 100{kind}", n + 1, window.score.min(100));
    match tame(&window.why, 160) {
        why if why.is_empty() => format!("{says}."),
        why => sentence(&format!("{says}; {why}")),
    }
}

fn traffic(strip: &Strip, axis: &Axis) -> String {
    let runs = runs(&strip.load, axis);
    let points = || {
        runs.iter()
            .filter_map(|run| match run {
                Run::Known(points) => Some(points.iter().copied()),
                Run::Unknown(..) => None,
            })
            .flatten()
    };
    let high = points().reduce(|best, next| if next.1 > best.1 { next } else { best });
    let low = points().reduce(|best, next| if next.1 < best.1 { next } else { best });
    let (Some(high), Some(low)) = (high, low) else { return "Traffic: unknown.".to_owned() };
    let part =
        if runs.iter().any(|run| matches!(run, Run::Unknown(..))) { "; unknown for a part of the time" } else { "" };
    format!(
        "Traffic: highest {} % of the weekly peak, {}; lowest {} %, {}{part}.",
        (high.1 * 100.0).round(),
        moment(high.0, strip.zone),
        (low.1 * 100.0).round(),
        moment(low.0, strip.zone)
    )
}

fn listed(name: &str, list: Option<Vec<String>>) -> String {
    match list {
        None => format!("{name}: unknown."),
        Some(list) if list.is_empty() => format!("{name}: none."),
        Some(list) => {
            let more = if list.len() > TOLD { format!("; and {} more", list.len() - TOLD) } else { String::new() };
            format!("{name}: {}{more}.", list.iter().take(TOLD).cloned().collect::<Vec<_>>().join("; "))
        }
    }
}
