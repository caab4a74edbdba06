//! One human's recorded word on one brief, and who may give it.

use super::condition::OnlyIf;
use super::deputy::{Deputy, lent};
use super::role::{CODE_OWNER, ON_CALL, meets};
use crate::advice::NeedView;
use crate::advice::facts::Change;
use crate::clock::Time;
use crate::config::{PersonKind, SecondStep, Settings};
use crate::name::{Person, Role};
use crate::plan::Plan;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WordKind {
    Approve,
    Object,
    Hold,
}

impl WordKind {
    pub fn as_str(self) -> &'static str {
        match self {
            WordKind::Approve => "approve",
            WordKind::Object => "object",
            WordKind::Hold => "hold",
        }
    }

    /// The name in `[chat.reactions]` of the marks that give this word.
    pub fn setting(self) -> &'static str {
        self.as_str()
    }

    pub fn parse(text: &str) -> Option<WordKind> {
        [WordKind::Approve, WordKind::Object, WordKind::Hold].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A word as it was given, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    pub id: String,
    pub revision: i64,
    /// The hash of the brief that its giver saw.
    pub brief: String,
    pub kind: WordKind,
    pub person: Person,
    /// The role that made it count.
    pub role: Option<Role>,
    /// Whose role it was, where a deputy spoke.
    pub lender: Option<Person>,
    /// What an approval depends on, where it does.
    pub only_if: Option<OnlyIf>,
    /// Where it was given: a chat, or the terminal.
    pub platform: String,
    /// When its giver was on call for the service, if they were as they gave it: it goes on counting so after a hand-over.
    pub on_call_at: Option<Time>,
    /// How its giver confirmed it, where a second step was asked for.
    pub confirmed: Option<SecondStep>,
    pub at: Time,
    pub withdrawn_at: Option<Time>,
    pub voided_at: Option<Time>,
    pub void_reason: Option<String>,
}

impl Word {
    /// Whether it stands: neither taken back nor voided.
    pub fn stands(&self) -> bool {
        self.withdrawn_at.is_none() && self.voided_at.is_none()
    }
}

impl Word {
    /// Whether it is older than an approval may be: it holds so long after it was given, or after the plan's own time if
    /// that is later.
    pub fn has_expired(&self, plan: &Plan, settings: &Settings, now: Time) -> bool {
        let from = self.at.max(plan.when.start(self.at));
        now.since(from) > settings.policy.approval_expires.ms()
    }
}

/// Whether somebody is on call for a plan's service at the moment at which they speak.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Duty {
    #[default]
    Off,
    On,
    /// Nobody could say; why.
    Unknown(String),
}

/// Who speaks, as far as the platform and the settings know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    pub person: Person,
    pub kind: PersonKind,
    /// Those of the settings, and what groups and teams give.
    pub roles: Vec<Role>,
    pub duty: Duty,
}

impl Speaker {
    /// Their roles at this moment, with `on-call` while they are.
    pub fn roles_now(&self) -> Vec<Role> {
        let duty = (self.duty == Duty::On).then(|| Role::from(ON_CALL));
        self.roles.iter().cloned().chain(duty).collect()
    }
}

/// Why a word does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody that the settings know.
    Stranger,
    Bot,
    Guest,
    Deactivated,
    /// The planner, where separation is asked.
    Planner,
    /// An author of one of the commits, where separation is asked.
    Author,
    /// Nobody of those who are asked for; they are named, by role or otherwise.
    NoRole(Vec<String>),
    /// Only whoever is on call could, and who that is could not be told; why.
    DutyUnknown(String),
}

/// Whether a person's word of this kind counts on this plan, and in which role. Everybody who is a member may hold or
/// object; approval asks for a role that a need names.
pub fn may_speak(
    kind: WordKind,
    speaker: Option<&Speaker>,
    plan: &Plan,
    change: Option<&Change>,
    needs: &[NeedView],
    settings: &Settings,
) -> Result<Option<Role>, Refusal> {
    let speaker = member(speaker)?;
    if kind != WordKind::Approve {
        return Ok(None);
    }
    if settings.policy.separation {
        somebody_else(&speaker.person, plan, change, settings)?;
    }
    let roles = speaker.roles_now();
    let mut met = needs.iter().filter(|view| meets(view, &speaker.person, &roles, settings)).peekable();
    if needs.is_empty() || met.peek().is_some() {
        // Where anyone may, or they are meant by name, the record says as what they came.
        return Ok(met.find_map(|view| view.need.role.clone()).or_else(|| speaker.roles.first().cloned()));
    }
    match &speaker.duty {
        Duty::Unknown(why) if asks_for(needs, ON_CALL) => Err(Refusal::DutyUnknown(why.clone())),
        _ => Err(Refusal::NoRole(needs.iter().map(named).collect())),
    }
}

/// When somebody was on call, if they are at this moment.
pub fn on_call_at(speaker: Option<&Speaker>, now: Time) -> Option<Time> {
    speaker.is_some_and(|speaker| speaker.duty == Duty::On).then_some(now)
}

/// Whether a need names this role.
fn asks_for(needs: &[NeedView], role: &str) -> bool {
    needs.iter().any(|view| view.need.role.as_ref().is_some_and(|asked| asked.as_str() == role))
}

/// Who meets a need, in a word or two.
fn named(view: &NeedView) -> String {
    match (&view.need.person, &view.owned, &view.need.role) {
        (Some(person), ..) => person.to_string(),
        (None, Some(owned), _) => format!("an owner of {}", owned.place),
        (None, None, Some(role)) => role.to_string(),
        (None, None, None) => "anyone".to_owned(),
    }
}

/// The same, where somebody may also stand in for others: a role of one's own comes first, then one that is lent (with
/// its lender), then a pair of eyes.
#[allow(clippy::too_many_arguments)]
pub fn may_speak_also_for(
    kind: WordKind,
    speaker: Option<&Speaker>,
    plan: &Plan,
    change: Option<&Change>,
    needs: &[NeedView],
    deputies: &[Deputy],
    settings: &Settings,
    now: Time,
) -> Result<(Option<Role>, Option<Person>), Refusal> {
    let asked: Vec<Role> = needs.iter().filter_map(|need| need.need.role.clone()).collect();
    let lent = match speaker {
        Some(speaker) if kind == WordKind::Approve => lent(&speaker.person, deputies, plan, change, settings, now),
        _ => Vec::new(),
    };
    let lent = lent.into_iter().find(|(role, _)| asked.contains(role)).map(|(role, lender)| (Some(role), Some(lender)));
    let by_name = speaker.is_some_and(|s| needs.iter().any(|view| view.need.person.as_ref() == Some(&s.person)));
    // Owning what changes counts beside every other place, so a role that is lent comes before it.
    let own = |role: &Role| asked.contains(role) && role.as_str() != CODE_OWNER;
    match may_speak(kind, speaker, plan, change, needs, settings) {
        Ok(role) if by_name || role.as_ref().is_some_and(own) => Ok((role, None)),
        Ok(role) => Ok(lent.unwrap_or((role, None))),
        Err(refusal @ (Refusal::NoRole(_) | Refusal::DutyUnknown(_))) => lent.ok_or(refusal),
        Err(refusal) => Err(refusal),
    }
}

/// A member, where it is one: nobody else's word counts for anything.
pub fn member(speaker: Option<&Speaker>) -> Result<&Speaker, Refusal> {
    let speaker = speaker.ok_or(Refusal::Stranger)?;
    match speaker.kind {
        PersonKind::Member => Ok(speaker),
        PersonKind::Guest => Err(Refusal::Guest),
        PersonKind::Bot => Err(Refusal::Bot),
        PersonKind::Deactivated => Err(Refusal::Deactivated),
    }
}

/// Refuses the planner and the authors of the change: one does not answer for one's own.
pub fn somebody_else(
    person: &Person,
    plan: &Plan,
    change: Option<&Change>,
    settings: &Settings,
) -> Result<(), Refusal> {
    if *person == plan.by {
        return Err(Refusal::Planner);
    }
    match change {
        Some(change) if is_author(person, change, settings) => Err(Refusal::Author),
        _ => Ok(()),
    }
}

/// Whether somebody wrote or co-wrote one of the change's commits.
pub fn is_author(person: &Person, change: &Change, settings: &Settings) -> bool {
    let addresses = settings.people.get(person).map(|p| p.email.as_slice()).unwrap_or_default();
    change.commits.iter().any(|commit| {
        commit.author.as_ref() == Some(person)
            || addresses.iter().any(|a| {
                a.eq_ignore_ascii_case(&commit.email) || commit.co_authors.iter().any(|c| a.eq_ignore_ascii_case(c))
            })
    })
}
