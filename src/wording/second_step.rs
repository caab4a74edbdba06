//! What is said of the second step: in private to whom it concerns, in one line to everybody else.

use super::{short, zone};
use crate::advice::{AskedStep, says};
use crate::approval::overriding::Override;
use crate::approval::second_step::{Ended, Step};
use crate::clock::Time;
use crate::config::{SecondStep, Settings};
use crate::message::{Block, Button, ButtonStyle, Field, FieldKind, Form, Level, Line, Mark, Message, Span, tame};
use crate::name::{Person, Role};
use crate::plan::When;
use crate::store::plan::{PlanRow, Revision};

/// The name of the form's one field.
pub const FIELD: &str = "service";

/// What somebody is about to approve, and as what.
#[derive(Debug)]
pub struct What<'a> {
    pub row: &'a PlanRow,
    pub revision: &'a Revision,
    /// Those that stand.
    pub overrides: &'a [Override],
    pub role: Option<&'a Role>,
    /// Whose role it is, where a deputy speaks.
    pub lender: Option<&'a Person>,
}

/// What is approved, exactly, each with its name. The lengths are held so that every platform's form has room for it all.
pub fn pairs(what: &What<'_>, settings: &Settings, now: Time) -> Vec<(String, String)> {
    let plan = &what.row.plan;
    let zone = zone(settings, &plan.service, &plan.environment);
    let bound = match (&plan.commit, plan.set_digest()) {
        (Some(commit), _) => ("Commit", tame(commit, 64)),
        (None, Some(digest)) => ("Change", digest),
        (None, None) => ("Commit", "none".to_owned()),
    };
    let when = match plan.when {
        When::Now => "as soon as it is approved and started".to_owned(),
        When::At { at } => says::time(at, zone, now),
        When::Window { start, end } => says::range(start, end, zone, now),
    };
    let overridden = |code: &String| {
        let given = what.overrides.iter().find(|given| given.code == *code);
        let by = given.map(|given| format!(" (overridden by {} as {})", given.person, given.role));
        format!("{code}{}", by.unwrap_or_default())
    };
    let blockers = &what.revision.advice.blockers;
    // An override may also be of what stood in the way only later: an objection, a hold.
    let others = what.overrides.iter().map(|given| &given.code).filter(|code| !blockers.contains(code));
    let blockers: Vec<String> = blockers.iter().chain(others).map(overridden).collect();
    let blockers = if blockers.is_empty() { "none".to_owned() } else { tame(&blockers.join("; "), 300) };
    let role = match (what.role, what.lender) {
        (Some(role), Some(lender)) => format!("{role}, for {lender}"),
        (Some(role), None) => role.to_string(),
        (None, _) => "somebody who may approve".to_owned(),
    };
    let text = |name: &str, value: String| (name.to_owned(), value);
    vec![
        text("Service", plan.service.to_string()),
        text("Version", tame(&plan.what(), 80)),
        text(bound.0, bound.1),
        text("Environment", plan.environment.to_string()),
        text("When", when),
        text("Blockers", blockers),
        text("The way back", plan.rollback.as_deref().map_or("not stated".to_owned(), |text| tame(text, 300))),
        text("Plan", format!("{}, revision {}, planned by {}", plan.id, what.revision.number, plan.by)),
        text("Brief", brief(&what.revision.brief)),
        text("You approve as", role),
    ]
}

/// "sha256:1a2b3c4d5e6f…"
fn brief(hash: &str) -> String {
    format!("{}…", hash.chars().take(19).collect::<String>())
}

/// In private, once the reaction came: that it does not count yet, why, and what makes it count.
/// `link`: where they sign in, where that is asked for.
pub fn asks(
    row: &PlanRow,
    step: &Step,
    asked: &AskedStep,
    link: Option<&str>,
    settings: &Settings,
    now: Time,
) -> Message {
    let plan = &row.plan;
    let until = says::time(step.ends_at, zone(settings, &plan.service, &plan.environment), now);
    let commit = plan.commit.as_deref().map(|commit| format!(", commit {}", short(commit))).unwrap_or_default();
    let what = format!("{} {}{commit} → {}", plan.service, tame(&plan.what(), 60), plan.environment);
    let verb = if asked.because.contains(" and ") { "ask" } else { "asks" };
    let rest = Span::plain(format!(", until {until}. Taking the reaction away ends it."));
    let does = match link {
        None => vec![Span::plain("Open the form, read what you approve, and type the service's name"), rest],
        Some(link) => vec![
            Span::linked("Sign in to confirm it", link),
            Span::plain(", read what you approve, and approve it there"),
            rest,
        ],
    };
    let buttons = link.is_none().then(|| Button {
        id: format!("{}{}", crate::plan::second_step::BUTTON, step.id),
        says: "Confirm approval".to_owned(),
        style: ButtonStyle::Primary,
    });
    Message {
        blocks: vec![
            Block::Line(Line {
                mark: Some(Mark::Caution),
                spans: vec![
                    Span::plain("Your approval of "),
                    Span::strong(what),
                    Span::plain(format!(
                        " (`{}`, revision {}) does not count yet: {} {verb} for a second step.",
                        plan.id, step.revision, asked.because
                    )),
                ],
                code: None,
            }),
            Block::Line(Line { mark: None, spans: does, code: None }),
        ],
        buttons: buttons.into_iter().collect(),
        level: Level::Info,
        ..Message::default()
    }
}

/// What is approved, and the field for the service's name.
pub fn form(id: &str, what: &What<'_>, settings: &Settings, now: Time) -> Form {
    let service = &what.row.plan.service;
    let lines: Vec<String> =
        pairs(what, settings, now).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    Form {
        id: id.to_owned(),
        title: "Confirm approval".to_owned(),
        says: format!("You approve:\n{}\nType {service} to confirm.", lines.join("\n")),
        fields: vec![Field {
            name: FIELD.to_owned(),
            kind: FieldKind::Text,
            label: "Service".to_owned(),
            hint: "The service's name, exactly".to_owned(),
            value: String::new(),
            options: Vec::new(),
            required: true,
            offered: false,
        }],
    }
}

/// The form in a message, where it could not be opened at once.
pub fn with_form(form: Form) -> Message {
    let blocks = form.says.lines().map(|line| Block::Line(Line::plain(line.to_owned()))).collect();
    Message { blocks, form: Some(form), level: Level::Info, ..Message::default() }
}

/// One line for the card: "@grace must still confirm, until 11:30."
pub fn line(row: &PlanRow, step: &Step, settings: &Settings, now: Time) -> Line {
    let until = says::time(step.ends_at, zone(settings, &row.plan.service, &row.plan.environment), now);
    Line {
        mark: Some(Mark::Hold),
        spans: vec![Span::person(&step.person), Span::plain(format!(" must still confirm, until {until}."))],
        code: None,
    }
}

/// On the card: that a reaction alone does not count.
pub fn rule(row: &PlanRow, asked: &AskedStep) -> String {
    let verb = if asked.because.contains(" and ") { "ask" } else { "asks" };
    let how = match asked.how {
        SecondStep::Typed => format!("by typing {}", row.plan.service),
        SecondStep::SignIn => "by signing in afresh".to_owned(),
    };
    format!(
        "{} {verb} for a second step: an approval counts once its giver has confirmed it {how}. They are asked in private.",
        capital(&asked.because)
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

/// " (confirmed by typing the service's name)"
pub fn confirmed(how: Option<SecondStep>) -> &'static str {
    match how {
        None => "",
        Some(SecondStep::Typed) => ", confirmed by typing the service's name",
        Some(SecondStep::SignIn) => ", confirmed by signing in",
    }
}

/// In place of the private message, once it counts.
pub fn counts(row: &PlanRow) -> Message {
    Message::line(Mark::Pass, format!("Confirmed: your approval of `{}` counts.", row.plan.id))
}

/// In place of the private message, where it came to nothing.
pub fn over(row: &PlanRow, ended: Ended) -> Message {
    Message::line(Mark::Info, is_over(row, ended))
}

pub fn is_over(row: &PlanRow, ended: Ended) -> String {
    let plan = &row.plan.id;
    match ended {
        Ended::Confirmed => format!("Your approval of `{plan}` is confirmed already."),
        Ended::Withdrawn => format!("You took your reaction on `{plan}` away; there is nothing to confirm."),
        Ended::Expired => format!(
            "The time to confirm your approval of `{plan}` is over. Take your reaction away and set it again to be asked anew."
        ),
        Ended::Refused => format!("Your approval of `{plan}` did not count when you confirmed it."),
        Ended::Void => format!(
            "The brief of `{plan}` changed meanwhile, so there is nothing to confirm. The newest card in its thread asks anew."
        ),
    }
}

pub fn not_yours() -> String {
    "There is nothing for you to confirm here: whoever reacted confirms it, and nobody else.".to_owned()
}

pub fn wrong_word(row: &PlanRow) -> String {
    format!("That is not the name, and nothing was approved. You approve {}: type exactly that.", row.plan.service)
}

pub fn sign_in_instead() -> String {
    "A typed word is not enough for this approval: it is confirmed by signing in.".to_owned()
}

/// In the terminal, where the typed word stands for any second step.
pub fn type_it(row: &PlanRow) -> String {
    format!(
        "`{}` asks for a second step: the name of its service is typed besides, and it was not {}.",
        row.plan.id, row.plan.service
    )
}

/// On the page, after the sign-in.
pub fn signed_in(person: &Person) -> String {
    format!("You signed in as {person}. This is what you approve:")
}

pub fn confirmed_here(row: &PlanRow) -> String {
    format!("Your approval of {} counts. You can close this page.", row.plan.id)
}

pub fn no_such_link() -> String {
    "This link leads to nothing that waits to be confirmed. The newest private message has the right one.".to_owned()
}

pub fn link_used() -> String {
    "This link was used already. Take your reaction away and set it again to get another.".to_owned()
}

pub fn other_browser() -> String {
    "This sign-in did not begin in this browser, or not on this page. Open the link from the private message again."
        .to_owned()
}

pub fn not_signed_in(why: &str) -> String {
    format!("The provider did not sign you in ({why}). Open the link from the private message to try again.")
}

pub fn somebody_else(person: &Person) -> String {
    format!("Whoever signed in is not {person}, whose reaction it was. Only {person} confirms this approval.")
}

pub fn waited_too_long() -> String {
    "You signed in too long ago. Take your reaction away and set it again to get another link.".to_owned()
}
