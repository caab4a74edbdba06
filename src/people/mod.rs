//! Who is who, and in what role.

use crate::approval::Speaker;
use crate::config::Settings;
use crate::name::Person;

/// The person behind a platform's user: exactly one, or nobody. Display names are never looked at.
pub fn behind(settings: &Settings, platform: &str, user: &str) -> Option<Person> {
    if platform == "console" || platform == "terminal" {
        return settings.people.contains_key(user).then(|| Person::new(user));
    }
    let mut found = settings.people.iter().filter(|(_, person)| match platform {
        "slack" => person.slack.iter().any(|id| id == user),
        "discord" => person.discord.iter().any(|id| id == user),
        _ => false,
    });
    let (person, _) = found.next()?;
    found.next().is_none().then(|| person.clone())
}

/// What a platform calls a person, where it knows them.
pub fn user_on(settings: &Settings, platform: &str, person: &Person) -> Option<String> {
    let known = settings.people.get(person)?;
    match platform {
        "slack" => known.slack.first().cloned(),
        "discord" => known.discord.first().cloned(),
        _ => Some(person.to_string()),
    }
}

/// A person as approvals see them.
pub fn speaker(settings: &Settings, person: &Person) -> Option<Speaker> {
    let known = settings.people.get(person)?;
    Some(Speaker { person: person.clone(), kind: known.kind, roles: known.roles.clone() })
}

/// The person with this e-mail address: exactly one, or nobody.
pub fn with_email(settings: &Settings, email: &str) -> Option<Person> {
    let mut found = settings.people.iter().filter(|(_, p)| p.email.iter().any(|e| e.eq_ignore_ascii_case(email)));
    let (person, _) = found.next()?;
    found.next().is_none().then(|| person.clone())
}
