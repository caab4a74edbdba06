//! What arrives from Slack, by a socket or by HTTP: stored before it is acknowledged, or answered with a form at once,
//! because a form can be opened only then.

use std::time::Duration;

use serde_json::{Value, json};

use super::form::{self, Seed};
use super::inbound::{self, Arrived, Known, Me, Wire};
use super::{Slack, Workspace};
use crate::app::App;
use crate::command::{Beside, form_errors, form_wanted, offers};
use crate::event::{Event, From};
use crate::message::Form;

/// A trigger is good for three seconds, and the acknowledgement is due in the same time.
const FOR_A_FORM: Duration = Duration::from_millis(2_000);

impl Slack {
    /// Takes a payload and returns what is to be answered with the acknowledgement. An error: it was not stored and must
    /// not be acknowledged.
    pub async fn take(&self, app: &App, wire: Wire, payload: &Value) -> anyhow::Result<Option<Value>> {
        self.learn(app);
        let Some(workspace) = inbound::team(wire, payload).and_then(|team| self.workspace(team).ok()) else {
            tracing::warn!("something from a workspace that the settings do not name was left alone");
            return Ok(None);
        };
        // Commands are never the bot's own; a first command does not wait for Slack to say who the bot is.
        let me = match wire {
            Wire::Command => &Me::default(),
            Wire::Event | Wire::Interaction => self.me(workspace).await?,
        };
        let settings = app.settings();
        let arrived = inbound::read(
            wire,
            payload,
            &Known {
                team: &workspace.team,
                me,
                command: &settings.chat.command,
                person: &|user| {
                    let user = format!("{}/{user}", workspace.team);
                    crate::people::behind(&settings, "slack", &user).map(|person| person.to_string())
                },
                home: workspace.channel.as_str(),
                now: app.clock.now(),
            },
        );
        match arrived {
            Arrived::Nothing => {}
            Arrived::Event { event, lane, key, trigger } => {
                if let Some(trigger) = trigger
                    && let Some((from, form)) = wanted(app, &event).await?
                    && self.open_form(workspace, &form, &from, &trigger).await
                {
                    return Ok(None);
                }
                app.inbox.put(&event, &lane, Some(key)).await?;
            }
            Arrived::Open { from, seed, trigger } => {
                if let Some(form) = grown(app, &from, &seed).await? {
                    self.open_form(workspace, &form, &from, &trigger).await;
                }
            }
            Arrived::Ask { from, about, trigger } => {
                let text = format!("{} plan", settings.chat.command);
                if let Some(mut form) = form_wanted(app, &from, &text).await? {
                    if let Some(field) = form.fields.iter_mut().find(|field| field.name == "why") {
                        field.value = about;
                    }
                    self.open_form(workspace, &form, &from, &trigger).await;
                }
            }
            Arrived::Submitted { from, carried, values, shown, key } => {
                let errors = form_errors(app, &from, &carried.form, &values).await?;
                if !errors.is_empty() {
                    return Ok(Some(form::errors(&errors, &shown, &carried.first)));
                }
                let lane = format!("person:slack:{}", from.user);
                let event = Event::Submitted { from, form: carried.form, values, at: app.clock.now() };
                app.inbox.put(&event, &lane, Some(key)).await?;
            }
            Arrived::Typing { user, form, field, typed, beside } => {
                // Outsiders are not told which versions and plans there are.
                let known = crate::people::behind(&settings, "slack", &user).is_some();
                let value = |name: &str| beside.get(name).map(String::as_str);
                let beside = Beside { service: value("service"), environment: value("environment") };
                let offers = if known { offers(app, &form, &field, &typed, &beside).await? } else { Vec::new() };
                return Ok(Some(form::options(&offers, &typed)));
            }
            Arrived::Home { user } => {
                if let Err(error) = self.publish_home(app, workspace, &user).await {
                    tracing::warn!(error = format!("{error:#}"), "an App Home was not shown");
                }
            }
        }
        Ok(None)
    }

    /// Opens a modal. False: it did not open, and the command is answered in another way.
    async fn open_form(&self, workspace: &Workspace, form: &Form, from: &From, trigger: &str) -> bool {
        let channel = from.channel.as_str().rsplit('/').next().unwrap_or_default();
        let view = form::modal(form, channel, from.answer.as_deref());
        let body = json!({ "trigger_id": trigger, "view": view });
        let opening = self.api.post(&workspace.token, "views.open", &body);
        match tokio::time::timeout(FOR_A_FORM, opening).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                tracing::warn!(error = %error, "a form did not open");
                false
            }
            Err(_) => {
                tracing::warn!("a form did not open in time");
                false
            }
        }
    }
}

/// The form that a command, or the command that a button stands for, lacks something for.
async fn wanted(app: &App, event: &Event) -> anyhow::Result<Option<(From, Form)>> {
    let (from, text) = match event {
        Event::Command { from, text, .. } => (from, text.clone()),
        Event::Pressed { from, button, .. } => (from, format!("{} {button}", app.settings().chat.command)),
        _ => return Ok(None),
    };
    Ok(form_wanted(app, from, &text).await?.map(|form| (from.clone(), form)))
}

/// The form that a button's value stands for.
async fn grown(app: &App, from: &From, seed: &str) -> anyhow::Result<Option<Form>> {
    match serde_json::from_str(seed) {
        Ok(Seed::Form(form)) => Ok(Some(form)),
        Ok(Seed::Command { id, values }) => {
            // A plan is named for the form to be made of it; every other command's form is made of nothing.
            let of = values.get("plan").filter(|_| id != "plan").map(String::as_str).unwrap_or_default();
            let text = format!("{} {id} {of}", app.settings().chat.command);
            let mut form = form_wanted(app, from, text.trim()).await?;
            for field in form.iter_mut().flat_map(|form| &mut form.fields) {
                if let Some(value) = values.get(&field.name) {
                    field.value.clone_from(value);
                }
            }
            Ok(form)
        }
        Err(_) => Ok(None),
    }
}
