//! Teams of code hosts that give roles, and cannot be read.

use std::collections::BTreeSet;

use crate::advice::says;
use crate::clock::Time;
use crate::config::Settings;
use crate::message::{Mark, Message, tame};
use crate::name::Role;
use crate::people::team::{KEPT, Team};

/// Once to whoever keeps the settings: what cannot be read, why, and until when what was known counts.
pub fn unread(
    team: &Team,
    roles: &BTreeSet<Role>,
    why: &str,
    read: Option<Time>,
    settings: &Settings,
    now: Time,
) -> Message {
    let until = read.map(|at| at.plus(KEPT)).filter(|until| *until > now);
    let then = match until {
        Some(until) => format!(
            "Who was in it keeps {} until {}; then nobody has it by this team until it can be read.",
            named(roles),
            says::time(until, settings.team.zone, now)
        ),
        None => format!("Nobody has {} by this team until it can be read.", named(roles)),
    };
    Message::line(Mark::Caution, format!("Who is in {} cannot be read: {}. {then}", called(team), because(team, why)))
}

/// The same message once it can be read again.
pub fn read_again(team: &Team, roles: &BTreeSet<Role>) -> Message {
    Message::line(Mark::Info, format!("{} can be read again and gives {}.", called(team), named(roles)))
}

/// In a pipeline's answer: how old what it rests on is.
pub fn doubt(team: &Team, why: &str, read: Option<Time>, settings: &Settings, now: Time) -> String {
    let since = match read.filter(|at| at.plus(KEPT) > now) {
        Some(at) => format!("it stands as it was read {}", says::time(at, settings.team.zone, now)),
        None => "its roles are given to nobody".to_owned(),
    };
    format!("Who is in {} cannot be read ({}); {since}.", called(team), because(team, why))
}

fn called(team: &Team) -> String {
    format!("the team `{}`", tame(&team.name, 100))
}

fn because(team: &Team, why: &str) -> String {
    format!("the source `{}` {}", team.source, tame(why, 200))
}

fn named(roles: &BTreeSet<Role>) -> String {
    let roles: Vec<String> = roles.iter().map(|role| format!("`{role}`")).collect();
    says::list(&roles)
}
