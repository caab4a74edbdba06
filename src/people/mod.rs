//! Who is who, and in what role.

pub mod account;
pub mod code;
pub mod deputy;
mod duty;
pub mod email;
pub mod link;
pub mod register;
pub mod team;

use crate::app::App;
use crate::approval::{Duty, Speaker};
use crate::config::{PersonKind, Settings};
use crate::event::{Event, From};
use crate::name::Person;
use crate::plan::Plan;

/// The platform of what is said on the command line by a person with a token of their own.
pub const TERMINAL: &str = "terminal";

/// The person behind a platform's user: exactly one, or nobody. Display names are never looked at.
pub fn behind(settings: &Settings, platform: &str, user: &str) -> Option<Person> {
    if platform == "console" || platform == TERMINAL {
        return settings.people.contains_key(user).then(|| Person::new(user));
    }
    // A bare Slack user is meant in the one workspace that there is.
    let workspaces = settings.chat.slack.as_ref().map_or(0, |slack| slack.workspace.len());
    let bare = user.split_once('/').map(|(_, bare)| bare).filter(|_| workspaces == 1);
    let mut found = settings.people.iter().filter(|(_, person)| match platform {
        "slack" => person.slack.iter().any(|id| id == user || Some(id.as_str()) == bare),
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
        "slack" => known.slack.first().map(|id| match (&settings.chat.slack, id.contains('/')) {
            (Some(slack), false) if slack.workspace.len() == 1 => format!("{}/{id}", slack.workspace[0].team),
            _ => id.clone(),
        }),
        "discord" => known.discord.first().cloned(),
        _ => Some(person.to_string()),
    }
}

/// A person as approvals see them.
pub fn speaker(settings: &Settings, person: &Person) -> Option<Speaker> {
    let known = settings.people.get(person)?;
    Some(Speaker { person: person.clone(), kind: known.kind, roles: known.roles.clone(), duty: Duty::Off })
}

/// The same for a plan at this moment: what teams give is looked up anew where it is old, and whether they are on call for
/// its service is asked where a rule may want to know.
pub async fn speaker_on(app: &App, person: &Person, plan: &Plan) -> anyhow::Result<Option<Speaker>> {
    team::look(app, &plan.id).await?;
    let Some(mut speaker) = speaker(&app.settings(), person) else { return Ok(None) };
    if speaker.kind == PersonKind::Member {
        speaker.duty = duty::of(app, person, plan).await;
    }
    Ok(Some(speaker))
}

/// Before an event is handled: what other replicas linked is known, and so is whoever writes from an account that nobody
/// knows, if its platform confirmed an address that is theirs.
pub async fn meet(app: &App, event: &Event) -> anyhow::Result<()> {
    if !app.store.is_alone() {
        link::refresh(app).await?;
    }
    let Some(from) = event.from() else { return Ok(()) };
    if behind(&app.settings(), &from.platform, &from.user).is_some() {
        return Ok(());
    }
    if let Event::Reacted { message, .. } = event
        && app.store.posted_as(&from.platform, message).await?.is_none_or(|posted| posted.plan.is_none())
    {
        // Whoever likes what others say is nobody's business.
        return Ok(());
    }
    email::recognise(app, from).await
}

/// The same, as the platform that they spoke on sees them at this moment: a guest there is a guest. None: the account is
/// theirs no more.
pub async fn speaker_now(app: &App, from: &From, person: &Person) -> anyhow::Result<Option<Speaker>> {
    if email::is_lost(app, from, person).await? {
        return Ok(None);
    }
    let Some(speaker) = speaker(&app.settings(), person) else { return Ok(None) };
    as_there(app, from, speaker).await.map(Some)
}

/// The same for a plan, as [`speaker_on`] is.
pub async fn speaker_now_on(app: &App, from: &From, person: &Person, plan: &Plan) -> anyhow::Result<Option<Speaker>> {
    if email::is_lost(app, from, person).await? {
        return Ok(None);
    }
    let Some(speaker) = speaker_on(app, person, plan).await? else { return Ok(None) };
    as_there(app, from, speaker).await.map(Some)
}

/// A member is what the platform calls them.
async fn as_there(app: &App, from: &From, mut speaker: Speaker) -> anyhow::Result<Speaker> {
    if speaker.kind == PersonKind::Member {
        speaker.kind = app.chat(&from.platform)?.kind(&from.user).await?;
    }
    Ok(speaker)
}

/// What somebody is now: as the settings say and, for their members, as the platform says where it knows them.
pub async fn kind_now(app: &App, platform: &str, person: &Person) -> anyhow::Result<PersonKind> {
    let settings = app.settings();
    let kind = speaker(&settings, person).map(|known| known.kind).unwrap_or(PersonKind::Guest);
    match user_on(&settings, platform, person) {
        Some(user) if kind == PersonKind::Member => Ok(app.chat(platform)?.kind(&user).await?),
        _ => Ok(kind),
    }
}

/// The person with this e-mail address: exactly one, or nobody.
pub fn with_email(settings: &Settings, email: &str) -> Option<Person> {
    let mut found = settings.people.iter().filter(|(_, p)| p.email.iter().any(|e| e.eq_ignore_ascii_case(email)));
    let (person, _) = found.next()?;
    found.next().is_none().then(|| person.clone())
}
