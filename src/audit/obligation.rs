//! What is owed after something happened: made by the policy's rules, reminded of, given by a named person.

use crate::app::App;
use crate::audit::{Cause, cause_of};
use crate::clock::{Millis, Time};
use crate::command::{BadCommand, whisper};
use crate::config::{After, ObligationRule, Owed, Settings};
use crate::event::{Due, From};
use crate::ledger::{Record, Statement};
use crate::message::{Message, is_web};
use crate::name::{Environment, Person, PlanId, Role, Service};
use crate::plan::show;
use crate::store::plan::PlanRow;
use crate::store::{Claim, Tx};
use crate::wording;
use crate::work::Send;

/// A review, root cause, remediation or report that somebody owes until a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Obligation {
    pub id: String,
    pub plan: Option<PlanId>,
    /// The deployment that it is about, where there is one.
    pub deployment: Option<String>,
    pub service: Service,
    pub environment: Environment,
    pub what: Owed,
    pub after: After,
    /// The number of the entry that it follows from.
    pub cause: i64,
    /// Who owes it: one person, or whoever holds a role (`owners`: the service's).
    pub person: Option<Person>,
    pub role: Option<Role>,
    /// Whose act it reviews, and who may therefore not give it.
    pub not_by: Option<Person>,
    pub made_at: Time,
    pub due_at: Time,
    pub reminded_at: Option<Time>,
    /// When it was found not to have been given in time.
    pub overdue_at: Option<Time>,
    pub given: Option<(Time, Person)>,
    pub link: Option<String>,
    /// The entries that made it and that gave it.
    pub entry: i64,
    pub given_entry: Option<i64>,
}

impl Obligation {
    /// What it is about, as people say it: the plan's handle, or the deployment's id.
    pub fn subject(&self) -> &str {
        self.plan.as_ref().map(PlanId::as_str).or(self.deployment.as_deref()).unwrap_or_default()
    }

    pub fn is_overdue(&self, now: Time) -> bool {
        self.given.is_none() && now >= self.due_at
    }

    /// When its owner is reminded: when a quarter of the time is left.
    fn reminder(&self) -> Time {
        let whole: Millis = self.due_at.since(self.made_at);
        self.due_at.plus(-(whole / 4))
    }

    /// The people who owe it, as the settings know them now.
    pub fn owners(&self, settings: &Settings) -> Vec<Person> {
        let of_service = || settings.service.get(&self.service).map(|s| s.owners.clone()).unwrap_or_default();
        let mut owners = match (&self.person, &self.role) {
            (Some(person), _) => vec![person.clone()],
            (None, Some(role)) if role.as_str() == "owners" => of_service(),
            (None, Some(role)) => {
                let members = settings.people.iter().filter(|(_, p)| p.kind == crate::config::PersonKind::Member);
                members.filter(|(_, p)| p.roles.contains(role)).map(|(name, _)| name.clone()).collect()
            }
            (None, None) => Vec::new(),
        };
        owners.retain(|owner| Some(owner) != self.not_by.as_ref());
        owners
    }

    /// Whether a person may give it: whoever owes it, and for one person's the service's owners too; a review of somebody's
    /// own act is never theirs.
    fn may_give(&self, person: &Person, settings: &Settings) -> bool {
        if Some(person) == self.not_by.as_ref() {
            return false;
        }
        let of_service = settings.service.get(&self.service).is_some_and(|s| s.owners.contains(person));
        self.owners(settings).contains(person) || self.person.is_some() && of_service
    }
}

/// Makes what the policy asks for after an entry. Called again it makes nothing twice.
pub async fn owe(app: &App, claim: &Claim, seq: i64) -> anyhow::Result<()> {
    let settings = app.settings();
    let mut tx = app.store.begin_finishing(claim, app.clock.now()).await?;
    let Some(entry) = tx.ledger_entry(seq).await? else { return tx.commit().await };
    let Some(cause) = Record::parse(&entry.bytes).ok().as_ref().and_then(cause_of) else { return tx.commit().await };
    let plan = match &cause.plan {
        Some(plan) => tx.plan(plan).await?,
        None => None,
    };
    let mut new = false;
    for rule in &settings.policy.obligations {
        let there = rule.environment.as_ref().is_none_or(|only| *only == cause.environment);
        if rule.after != cause.after || !there {
            continue;
        }
        let mut owed = obligation(&cause, rule, plan.as_ref(), seq, entry.at);
        if tx.obligation(&owed.id).await?.is_some() {
            continue;
        }
        let record = about(&owed, plan.as_ref())
            .by_system("policy")
            .policy(&crate::advice::policy_digest(&settings), Some(&format!("after {}", owed.after.as_str())), None)
            .verdict("owed")
            .with("after", owed.after.as_str())
            .with("cause", owed.cause)
            .with("due", owed.due_at.rfc3339())
            .with("person", owed.person.as_ref().map(Person::as_str))
            .with("role", owed.role.as_ref().map(Role::as_str))
            .with("not_by", owed.not_by.as_ref().map(Person::as_str));
        owed.entry = tx.record(app, record).await?.seq;
        tx.put_obligation(&owed).await?;
        tx.due(&Due::Owed { obligation: owed.id.clone() }, owed.reminder()).await?;
        new = true;
    }
    if new {
        let subject = cause.plan.as_ref().map(ToString::to_string).or(cause.deployment).unwrap_or_default();
        list(app, &mut tx, &subject, plan.as_ref()).await?;
    }
    tx.commit().await
}

/// The time of an obligation has nearly come, or has come: its owners are told.
pub async fn remind(app: &App, claim: &Claim, id: &str) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let Some(mut owed) = tx.obligation(id).await?.filter(|owed| owed.given.is_none() && owed.overdue_at.is_none())
    else {
        return tx.commit().await;
    };
    let plan = match &owed.plan {
        Some(plan) => tx.plan(plan).await?,
        None => None,
    };
    if now >= owed.due_at {
        owed.overdue_at = Some(now);
        tx.put_obligation(&owed).await?;
        tx.record(app, about(&owed, plan.as_ref()).by_system("clock").verdict("overdue")).await?;
        list(app, &mut tx, owed.subject(), plan.as_ref()).await?;
    } else {
        owed.reminded_at = Some(now);
        tx.put_obligation(&owed).await?;
        tx.due(&Due::Owed { obligation: owed.id.clone() }, owed.due_at).await?;
    }
    let message = wording::obligation::reminder(&owed, &owed.owners(&settings), &settings, now);
    say(app, &mut tx, plan.as_ref(), None, message).await?;
    tx.commit().await
}

/// A person gives what is owed, with a link or in words.
#[derive(Debug)]
pub struct Giving<'a> {
    pub from: &'a From,
    pub person: &'a Person,
    /// A plan's handle or a deployment's id.
    pub subject: &'a str,
    pub what: Owed,
    pub link: Option<&'a str>,
    pub text: Option<&'a str>,
}

/// Records that something owed was given. Several of the same name after one change are given together.
pub async fn give(app: &App, claim: &Claim, giving: &Giving<'_>) -> anyhow::Result<()> {
    let settings = app.settings();
    let now = app.clock.now();
    let Giving { from, person, subject, what, link, text } = giving;
    if let Some(link) = link
        && (!is_web(link) || link.len() > 2_000)
    {
        return Err(BadCommand(
            "The link must begin with http:// or https://, and have at most 2,000 characters.".to_owned(),
        )
        .into());
    }
    let mut tx = app.store.begin_finishing(claim, now).await?;
    let all = tx.obligations(subject).await?;
    let open: Vec<Obligation> = all.iter().filter(|owed| owed.what == *what && owed.given.is_none()).cloned().collect();
    let (mine, others): (Vec<_>, Vec<_>) = open.into_iter().partition(|owed| owed.may_give(person, &settings));
    if mine.is_empty() {
        let says = wording::obligation::not_given(subject, *what, &all, others.first(), person, &settings);
        whisper(&mut tx, from, None, wording::refusal::plain(&says)).await?;
        return tx.commit().await;
    }
    let plan = match &mine[0].plan {
        Some(plan) => tx.plan(plan).await?,
        None => None,
    };
    for owed in &mine {
        let mut owed = owed.clone();
        let late = owed.is_overdue(now);
        let role = owed.role.as_ref().filter(|role| role.as_str() != "owners");
        let record = about(&owed, plan.as_ref())
            .by(from, Some(person), role)
            .evidence(&claim.id, None)
            .verdict("given")
            .with("link", link.map(str::to_owned))
            .with("late", late.then_some(true))
            .text("says", *text);
        owed.given_entry = Some(tx.record(app, record).await?.seq);
        owed.given = Some((now, (*person).clone()));
        owed.link = link.map(str::to_owned);
        tx.put_obligation(&owed).await?;
        tx.no_longer_due(&Due::Owed { obligation: owed.id.clone() }).await?;
    }
    let message = wording::obligation::given(person, *what, subject, *link, *text, &mine, now);
    say(app, &mut tx, plan.as_ref(), None, message).await?;
    list(app, &mut tx, subject, plan.as_ref()).await?;
    tx.commit().await
}

fn obligation(cause: &Cause, rule: &ObligationRule, plan: Option<&PlanRow>, seq: i64, at: Time) -> Obligation {
    // Nobody planned it: then it is its service's owners' to say.
    let (person, role) = match (rule.owner.as_str(), plan) {
        ("planner", Some(row)) => (Some(row.plan.by.clone()), None),
        ("planner", None) => (None, Some(Role::new("owners"))),
        (role, _) => (None, Some(Role::new(role))),
    };
    let (subject, tail) = cause.key.split_once(':').unwrap_or((&cause.key, ""));
    Obligation {
        id: format!("{subject}:{}:{tail}", rule.what.as_str()),
        plan: cause.plan.clone(),
        deployment: cause.deployment.clone(),
        service: cause.service.clone(),
        environment: cause.environment.clone(),
        what: rule.what,
        after: cause.after,
        cause: seq,
        person,
        role,
        not_by: cause.by.clone().filter(|_| rule.what == Owed::Review),
        made_at: at,
        due_at: at.plus(rule.within.ms()),
        reminded_at: None,
        overdue_at: None,
        given: None,
        link: None,
        entry: 0,
        given_entry: None,
    }
}

/// What every entry about an obligation says.
fn about(owed: &Obligation, plan: Option<&PlanRow>) -> Statement {
    let record = Statement::new("obligation").with("obligation", owed.id.clone()).with("what", owed.what.as_str());
    let record = record.with("deployment", owed.deployment.clone());
    match plan {
        Some(plan) => record.of(plan, None),
        None => record.with("service", owed.service.as_str()).with("environment", owed.environment.as_str()),
    }
}

/// One message that lists what is owed after a change, edited as it is given.
async fn list(app: &App, tx: &mut Tx, subject: &str, plan: Option<&PlanRow>) -> anyhow::Result<()> {
    let all = tx.obligations(subject).await?;
    let message = wording::obligation::list(subject, &all, &app.settings(), tx.now);
    say(app, tx, plan, Some(format!("owed:{subject}")), message).await
}

/// In the plan's thread, or where things are said that belong to no conversation.
async fn say(
    app: &App,
    tx: &mut Tx,
    plan: Option<&PlanRow>,
    key: Option<String>,
    message: Message,
) -> anyhow::Result<()> {
    if let Some(plan) = plan {
        return show::in_thread_as(tx, plan, key, message).await;
    }
    tx.send(&Send::home(app, message).key(key)).await
}
