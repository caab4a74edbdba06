//! All that can happen, as one enum; dispatch, nothing else.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock::Time;
use crate::name::{Channel, Person, PlanId, SourceName};
use crate::store::Claim;
use crate::webhook::{News, Report, Waits};

/// Everything that happens, as it is stored before it is acknowledged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    Command {
        from: From,
        text: String,
        at: Time,
    },
    Reacted {
        from: From,
        message: String,
        reaction: String,
        removed: bool,
        /// Found when the platform was asked, not told by it: nobody knows when it happened.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        read_back: bool,
        at: Time,
    },
    /// A message of ours was deleted on its platform.
    Vanished {
        platform: String,
        message: String,
        at: Time,
    },
    /// All reactions on a message were removed by somebody who is not named.
    Cleared {
        platform: String,
        message: String,
        at: Time,
    },
    Replied {
        from: From,
        thread: String,
        text: String,
        /// The platform's id of the reply itself, where it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Its author changed what was written before; this is the new text.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        edited: bool,
        at: Time,
    },
    Pressed {
        from: From,
        message: String,
        button: String,
        at: Time,
    },
    Submitted {
        from: From,
        form: String,
        values: std::collections::BTreeMap<String, String>,
        at: Time,
    },
    Reported {
        report: Report,
        /// The source whose system told it; None: the pipeline itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<SourceName>,
        at: Time,
    },
    /// A source's system told something new by itself.
    Heard {
        news: News,
        at: Time,
    },
    /// A platform holds a job until its gate is answered.
    JobWaits {
        waits: Waits,
        at: Time,
    },
    /// Something falls due; the handler looks at what is stored and reconciles.
    Due {
        due: Due,
    },
}

impl Event {
    /// Who did it, where somebody on a platform did.
    pub fn from(&self) -> Option<&From> {
        match self {
            Event::Command { from, .. }
            | Event::Reacted { from, .. }
            | Event::Replied { from, .. }
            | Event::Pressed { from, .. }
            | Event::Submitted { from, .. } => Some(from),
            _ => None,
        }
    }
}

/// Who did it and where, in the platform's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct From {
    pub platform: String,
    /// The platform's id of the user; on the console the person's name.
    pub user: String,
    pub channel: Channel,
    /// What the platform gave for answering this very act privately (an interaction's token, a response URL): good for
    /// minutes, never recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

impl From {
    pub fn new(platform: &str, user: impl Into<String>, channel: Channel) -> From {
        From { platform: platform.to_owned(), user: user.into(), channel, answer: None }
    }

    /// The workspace or server on its platform, where it has several: what stands before the slash of a user's id.
    pub fn workspace(&self) -> &str {
        self.user.split_once('/').map_or("", |(workspace, _)| workspace)
    }
}

/// What may fall due. Timers carry no work of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Due {
    /// Gather and advise: the first brief, or a new look at a waiting one.
    Advise {
        plan: PlanId,
    },
    /// A plan's own time or window is near or over; an approval runs out.
    Remind {
        plan: PlanId,
    },
    Expire {
        plan: PlanId,
    },
    /// Approvals are needed soon, or were needed by now.
    Deadline {
        plan: PlanId,
    },
    /// Compare a plan's words with the reactions on its card, as the platform has them.
    ReadBack {
        plan: PlanId,
    },
    /// Look at a deployment that is watched.
    Look {
        deployment: String,
    },
    /// Nobody took an alert.
    Escalate {
        alert: String,
    },
    /// The time in which an approval could be confirmed is over.
    Step {
        step: String,
    },
    /// A deputy's time is over.
    Deputy {
        deputy: String,
    },
    /// Locks that end, freezes that begin or end, queues that move, people who wait to hear that something is free.
    Holds,
    /// Make what the policy asks for after an entry of the ledger.
    Owe {
        entry: i64,
    },
    /// Remind of what is owed, or find it overdue.
    Owed {
        obligation: String,
    },
    /// See which places outside the database are owed a checkpoint; and look at the clock.
    Anchor,
    /// Leave a checkpoint with one of the places that keep them.
    Witness {
        name: String,
    },
    /// See whether a job that a platform holds may be answered, and answer it.
    Job {
        job: String,
    },
    /// Tell a platform what a job still waits for.
    JobReport {
        job: String,
    },
    /// Ask sources for deployments that nobody told.
    Find,
    /// Forget finished work.
    Sweep,
}

impl Due {
    /// The key under which it is due: the same thing is due once.
    pub fn key(&self) -> String {
        match self {
            Due::Advise { plan } => format!("advise:{plan}"),
            Due::Remind { plan } => format!("remind:{plan}"),
            Due::Deadline { plan } => format!("deadline:{plan}"),
            Due::Expire { plan } => format!("expire:{plan}"),
            Due::ReadBack { plan } => format!("read-back:{plan}"),
            Due::Look { deployment } => format!("look:{deployment}"),
            Due::Escalate { alert } => format!("escalate:{alert}"),
            Due::Step { step } => format!("step:{step}"),
            Due::Deputy { deputy } => format!("deputy:{deputy}"),
            Due::Holds => "holds".to_owned(),
            Due::Owe { entry } => format!("owe:{entry}"),
            Due::Owed { obligation } => format!("owed:{obligation}"),
            Due::Anchor => "anchor".to_owned(),
            Due::Witness { name } => format!("witness:{name}"),
            Due::Job { job } => format!("job:{job}"),
            Due::JobReport { job } => format!("job-report:{job}"),
            Due::Find => "find".to_owned(),
            Due::Sweep => "sweep".to_owned(),
        }
    }

    /// What must not be worked on at the same time.
    pub fn lane(&self) -> String {
        match self {
            Due::Advise { plan } | Due::Remind { plan } | Due::Expire { plan } | Due::Deadline { plan } => {
                format!("due:{plan}")
            }
            Due::Look { deployment } => format!("look:{deployment}"),
            other => other.key(),
        }
    }
}

/// Hands an event to whoever handles it. What it changes is one transaction, which finishes `claim`.
pub async fn dispatch(app: &App, event: Event, claim: &Claim) -> anyhow::Result<()> {
    crate::people::meet(app, &event).await?;
    match event {
        Event::Command { from, text, at } => crate::command::run(app, claim, &from, &text, at).await,
        Event::Reacted { from, message, reaction, removed, read_back, at } => {
            let act = crate::chat::Reaction { from, message, reaction, removed, read_back, at };
            crate::chat::reacted(app, claim, &act).await
        }
        Event::Vanished { platform, message, .. } => crate::chat::vanished(app, claim, &platform, &message).await,
        Event::Cleared { platform, message, .. } => crate::chat::cleared(app, claim, &platform, &message).await,
        Event::Replied { from, thread, text, message, edited, at } => {
            let reply = crate::chat::Reply { from, thread, text, message, edited, at };
            crate::chat::replied(app, claim, &reply).await
        }
        Event::Pressed { from, message, button, at } => {
            crate::chat::pressed(app, claim, &from, &message, &button, at).await
        }
        Event::Submitted { from, form, values, at } => {
            crate::chat::submitted(app, claim, &from, &form, &values, at).await
        }
        Event::Reported { report, source, at } => {
            crate::deploy::reported(app, claim, &report, source.as_ref(), at).await
        }
        Event::Heard { news, .. } => crate::webhook::news::heard(app, claim, &news).await,
        Event::JobWaits { waits, at } => crate::gate::job::waits(app, claim, &waits, at).await,
        Event::Due { due } => match due {
            Due::Advise { plan } => crate::plan::advise(app, claim, &plan).await,
            Due::Remind { plan } => crate::plan::remind(app, claim, &plan).await,
            Due::Deadline { plan } => crate::plan::deadline::came(app, claim, &plan).await,
            Due::Expire { plan } => crate::plan::expire(app, claim, &plan).await,
            Due::ReadBack { plan } => crate::chat::read_back(app, claim, &plan).await,
            Due::Look { deployment } => crate::deploy::look(app, claim, &deployment).await,
            Due::Escalate { alert } => crate::deploy::escalate(app, claim, &alert).await,
            Due::Step { step } => crate::plan::second_step::lapse(app, claim, &step).await,
            Due::Deputy { deputy } => crate::people::deputy::lapse(app, claim, &deputy).await,
            Due::Holds => crate::hold::due(app, claim).await,
            Due::Owe { entry } => crate::audit::owe(app, claim, entry).await,
            Due::Owed { obligation } => crate::audit::remind(app, claim, &obligation).await,
            Due::Anchor => crate::ledger::anchor(app, claim).await,
            Due::Witness { name } => crate::ledger::witness(app, claim, &name).await,
            Due::Job { job } => crate::gate::job::due(app, claim, &job).await,
            Due::JobReport { job } => crate::gate::job::report(app, claim, &job).await,
            Due::Find => crate::deploy::find(app, claim).await,
            Due::Sweep => crate::work::sweep(app, claim).await,
        },
    }
}

/// The person of ours behind a platform's user, if the settings know one: exactly one, or nobody.
pub fn person_of(settings: &crate::config::Settings, from: &From) -> Option<Person> {
    crate::people::behind(settings, &from.platform, &from.user)
}
