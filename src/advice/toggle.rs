//! Feature flags as their providers tell of them: whether one is there, and what it does now.

use crate::advice::facts::{Fact, FlagState};
use crate::advice::view::View;
use crate::message::tame;

/// What became of looking a flag up.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// Some provider has it. Where several have it, the one that says the most is taken: on before off.
    Here(&'a Fact<Vec<FlagState>>, &'a FlagState),
    /// Everybody who was asked answered in full, and nobody has it.
    Nowhere,
    /// Nobody has it, and somebody did not tell.
    Unseen,
}

/// The flags that the change reads, each once, in order of their names.
pub fn mentioned<'a>(view: &View<'a>) -> Vec<&'a str> {
    let mut names: Vec<&str> =
        view.the_change().map(|change| change.flags.iter().map(String::as_str).collect()).unwrap_or_default();
    names.sort_unstable();
    names.dedup();
    names
}

/// Looks a flag up in what the providers said.
pub fn look_up<'a>(view: &View<'a>, name: &str) -> Found<'a> {
    let told = |fact: &'a Fact<Vec<FlagState>>| fact.value.iter().find(|state| state.name == name);
    let here = view.flags.known.iter().filter_map(|fact| Some((fact, told(fact).filter(|state| state.defined)?)));
    let weight = |state: &FlagState| (state.archived, is_off(state));
    if let Some((fact, state)) = here.min_by(|(a, one), (b, other)| {
        weight(one).cmp(&weight(other)).then_with(|| b.at.cmp(&a.at)).then_with(|| a.source.cmp(&b.source))
    }) {
        return Found::Here(fact, state);
    }
    let whole = view.flags.is_whole() && view.flags.known.iter().all(|fact| told(fact).is_some());
    if whole { Found::Nowhere } else { Found::Unseen }
}

/// Whether nobody gets what lies behind it, as far as the provider tells: it is off, and what is served then is not "on" by
/// another name; or it is on for nobody.
pub fn is_off(state: &FlagState) -> bool {
    let served = state.default.as_deref().and_then(meant);
    match state.on {
        Some(false) => served != Some(true),
        Some(true) => state.percent.is_some_and(|percent| percent <= 0.0),
        None => false,
    }
}

/// Whether every flag that the change reads is off. None: it reads none. An error is the first reason to doubt it, as a
/// fragment: "`new-cart` is on".
pub fn all_off(view: &View<'_>) -> Option<Result<(), String>> {
    let names = mentioned(view);
    let doubt = names.iter().find_map(|name| {
        let shown = format!("`{}`", tame(name, 60));
        match look_up(view, name) {
            Found::Here(_, state) if is_off(state) && !state.archived => None,
            Found::Here(_, state) => Some(format!("{shown} {}", is(state))),
            Found::Nowhere => Some(format!("{shown} is known to no provider")),
            Found::Unseen => Some(format!("whether {shown} is off is not known")),
        }
    });
    if names.is_empty() { None } else { Some(doubt.map_or(Ok(()), Err)) }
}

/// What it does now, in a word or two, for people and for `before` of a plan: "on", "off", "25 %".
pub fn present(state: &FlagState) -> String {
    let served = state.default.as_deref().map(|value| tame(value, 40));
    match (state.on, state.percent, served) {
        (Some(true), Some(percent), _) if percent < 100.0 => format!("{} %", rounded(percent)),
        (Some(true), ..) => "on".to_owned(),
        (Some(false), ..) => "off".to_owned(),
        (None, _, Some(served)) => served,
        (None, _, None) => "not told".to_owned(),
    }
}

/// The rest of a sentence that begins with its name: "is off", "is on for 25 % of users", "is archived".
pub fn is(state: &FlagState) -> String {
    if state.archived {
        return "is archived".to_owned();
    }
    let served = state.default.as_deref().map(|value| tame(value, 40));
    match (state.on, state.percent, served) {
        (Some(true), Some(percent), _) if percent < 100.0 => {
            format!("is on for {} % of users", rounded(percent))
        }
        (Some(true), ..) => "is on".to_owned(),
        (Some(false), _, Some(served)) if meant(&served) != Some(false) => format!("is off and serves `{served}`"),
        (Some(false), ..) => "is off".to_owned(),
        (None, _, Some(served)) => format!("serves `{served}` where no rule applies"),
        (None, _, None) => "is there, on or off is not told".to_owned(),
    }
}

/// Whether a flag does already what a plan would set it to; None: that cannot be compared.
pub fn does(state: &FlagState, wanted: &str) -> Option<bool> {
    let now = present(state);
    match (meant(wanted), state.on) {
        (Some(wanted), Some(on)) => Some(wanted == on && (!on || state.percent.is_none_or(|percent| percent >= 100.0))),
        _ if wanted.replace(' ', "") == now.replace(' ', "") => Some(true),
        _ if state.percent.is_some() && wanted.trim_end().ends_with('%') => Some(false),
        _ => None,
    }
}

/// To a tenth.
fn rounded(percent: f64) -> f64 {
    (percent * 10.0).round() / 10.0
}

/// Words for on and off.
fn meant(word: &str) -> Option<bool> {
    match word.trim().to_lowercase().as_str() {
        "on" | "true" | "enabled" | "1" | "100%" | "100 %" => Some(true),
        "off" | "false" | "disabled" | "0" | "0%" | "0 %" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(on: Option<bool>, default: Option<&str>, percent: Option<f64>) -> FlagState {
        FlagState {
            name: "new-cart".to_owned(),
            defined: true,
            on,
            default: default.map(str::to_owned),
            percent,
            archived: false,
            changed: None,
            link: None,
        }
    }

    #[test]
    fn off_is_what_nobody_gets() {
        assert!(is_off(&state(Some(false), None, None)));
        assert!(is_off(&state(Some(false), Some("false"), None)));
        assert!(is_off(&state(Some(true), None, Some(0.0))));
        assert!(!is_off(&state(Some(false), Some("true"), None)), "off by name only");
        assert!(!is_off(&state(Some(true), Some("false"), None)));
        assert!(!is_off(&state(None, None, None)), "not told is not off");
    }

    #[test]
    fn a_flag_is_said_as_people_would() {
        assert_eq!(is(&state(Some(true), Some("false"), Some(25.0))), "is on for 25 % of users");
        assert_eq!(is(&state(Some(true), None, Some(100.0))), "is on");
        assert_eq!(is(&state(Some(false), Some("true"), None)), "is off and serves `true`");
        assert_eq!(present(&state(Some(true), None, Some(12.5))), "12.5 %");
        assert_eq!(present(&state(Some(false), None, None)), "off");
    }

    #[test]
    fn what_is_wanted_is_compared_with_what_is() {
        let on = state(Some(true), None, None);
        let part = state(Some(true), None, Some(25.0));
        assert_eq!((does(&on, "true"), does(&on, "off")), (Some(true), Some(false)));
        assert_eq!(
            (does(&part, "on"), does(&part, "25%"), does(&part, "50 %")),
            (Some(false), Some(true), Some(false))
        );
        assert_eq!(does(&on, "blue"), None);
    }
}
