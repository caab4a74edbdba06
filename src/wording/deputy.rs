//! What is said of deputies.

use crate::advice::says;
use crate::approval::deputy::Deputy;
use crate::clock::Time;
use crate::config::{Settings, Span as Length};
use crate::message::{Line, Mark, Message, Span, tame};
use crate::name::{Person, Role};

/// Everybody hears it: whoever reads an approval must know for whom it is given.
pub fn named(deputy: &Deputy, settings: &Settings, now: Time) -> Message {
    Message::spans(
        Some(Mark::Note),
        vec![
            Span::person(&deputy.lender),
            Span::plain(" named "),
            Span::person(&deputy.person),
            Span::plain(format!(
                " as deputy for {} until {}. An approval given so says for whom; it does not count for plans of the \
                 one who lends, and what is lent cannot be lent on.",
                roles(deputy),
                says::time(deputy.until, settings.team.zone, now)
            )),
        ],
    )
}

pub fn ended(deputy: &Deputy, reason: &str) -> Message {
    Message::spans(
        Some(Mark::Info),
        vec![
            Span::person(&deputy.person),
            Span::plain(" no longer stands in for "),
            Span::person(&deputy.lender),
            Span::plain(format!(": {}.", tame(reason, 200))),
        ],
    )
}

pub fn no_longer_speaks(deputy: &Deputy, progress: &str) -> Message {
    Message::spans(
        Some(Mark::Caution),
        vec![
            Span::plain("What "),
            Span::person(&deputy.person),
            Span::plain(" said for "),
            Span::person(&deputy.lender),
            Span::plain(format!(" no longer counts. {progress}")),
        ],
    )
}

/// "lin for grace (vp-engineering) until Wed 18:00".
pub fn line(deputy: &Deputy, settings: &Settings, now: Time) -> Line {
    let until = says::time(deputy.until, settings.team.zone, now);
    Line::plain(format!("@{} for @{} ({}) until {until}", deputy.person, deputy.lender, roles(deputy)))
}

fn roles(deputy: &Deputy) -> String {
    deputy.role.as_ref().map_or("all roles".to_owned(), ToString::to_string)
}

pub fn nothing_to_lend() -> String {
    "You hold no role that could be lent.".to_owned()
}

pub fn not_your_role(role: &str, own: &[Role]) -> String {
    if crate::approval::role::is_told(role) {
        return format!("`{role}` is nobody's to lend: it is whoever the rotas or the repository name at the moment.");
    }
    let own: Vec<&str> = own.iter().map(Role::as_str).collect();
    format!(
        "`{}` is not yours to lend: you hold {}. What was lent to you cannot be lent on.",
        tame(role, 60),
        own.join(", ")
    )
}

pub fn not_oneself() -> String {
    "A deputy is somebody else.".to_owned()
}

pub fn no_member(person: &Person) -> String {
    format!("@{person} is no member, and only members approve.")
}

pub fn no_end(longest: Length) -> String {
    format!("Until when? Give `--until tomorrow 18:00`; at most {longest} ahead.")
}

pub fn too_long(longest: Length) -> String {
    format!("A deputy is named for at most {longest}.")
}

pub fn already(deputy: &Deputy, settings: &Settings, now: Time) -> String {
    format!(
        "@{} stands in for you already, until {}. End that first: `delegate {} --end yes`.",
        deputy.person,
        says::time(deputy.until, settings.team.zone, now),
        deputy.person
    )
}

pub fn none_to_end(person: &Person) -> String {
    format!("@{person} does not stand in for you.")
}
