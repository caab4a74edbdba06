//! The chart in words, for those who do not see it.

use super::super::axis::{Axis, moment, stretch};
use super::super::words::{cut, sentence};
use super::series::{self, Run};
use super::{Chart, PANELS, PLOT_W, PLOT_X, Panel, State, Verdict};
use crate::message::tame;

/// Of the marks, so many are told.
const TOLD: usize = 8;

/// Says in words what the chart shows, in at most 1,900 characters.
pub fn alt(chart: &Chart) -> String {
    let axis = Axis::new(chart.start, chart.end, PLOT_X, PLOT_W, chart.zone);
    let when = stretch(axis.start, axis.end, chart.zone);
    let mut says = vec![format!("Health of {}, {when}, in {}.", tame(&chart.title, 80), axis.zone_says())];
    match chart.state {
        State::Calm => {}
        State::Alert => says.push("Alert.".to_owned()),
        State::Recovered => says.push("Recovered.".to_owned()),
        State::Unknown => says.push("Cannot tell.".to_owned()),
    }
    let headline = tame(&chart.headline, 200);
    if !headline.is_empty() {
        says.push(sentence(&headline));
    }
    let mut marks: Vec<_> = chart.marks.iter().filter(|mark| axis.holds(mark.at)).collect();
    marks.sort_by_key(|mark| mark.at);
    for mark in marks.iter().take(TOLD) {
        let words = format!("{} {}", tame(&mark.label, 60), mark.kind.says());
        says.push(format!("{}: {}.", moment(mark.at, chart.zone), words.trim()));
    }
    if marks.len() > TOLD {
        says.push(format!("And {} more.", marks.len() - TOLD));
    }
    says.extend(chart.panels.iter().take(PANELS).map(|panel| measure(chart, panel, &axis)));
    cut(&says.join(" "))
}

fn measure(chart: &Chart, panel: &Panel, axis: &Axis) -> String {
    let value = |value: Option<f64>| value.map_or("no data".to_owned(), |value| panel.unit.says(value));
    let verdict = match panel.verdict {
        Verdict::Worse => "worse",
        Verdict::Usual => "as usual",
        Verdict::Better => "better",
        Verdict::Unknown => "cannot tell",
    };
    let runs = series::runs(&panel.points, axis, chart.now);
    let highest = series::values(&runs).reduce(f64::max);
    let highest = highest.map_or(String::new(), |value| format!("; highest {}", panel.unit.says(value)));
    let gap = if runs.iter().any(|run| matches!(run, Run::Gap { .. })) { "; a part has no data" } else { "" };
    let limit = panel.limit.as_ref().map_or(String::new(), |(_, says)| format!("; limit: {}", tame(says, 60)));
    let (before, after) = (value(panel.before), value(panel.after));
    let name = tame(&panel.name, 40);
    sentence(&format!("{name}: {before} before, {after} after, {verdict}{highest}{gap}{limit}"))
}
