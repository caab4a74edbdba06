//! Interactions: stored first, answered within three seconds, finished in private.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Answer;
use super::asked::{Asked, What, typed};
use super::modal::{Open, modal, read_id};
use super::post::EPHEMERAL;
use super::render::{OPEN_FORM, button_of, text};
use super::{Inner, PLATFORM, suggest};
use crate::app::App;
use crate::command::{Beside, Spec, form_errors, form_wanted, offers};
use crate::event::{Event, From};
use crate::message::{Form, Message};
use crate::name::Channel;
use crate::plan::second_step;
use crate::wording::discord as says;

/// Of the three seconds so much is spent at most on finding out which form is wanted.
const FOR_A_FORM: Duration = Duration::from_millis(1_500);
/// After an event is handled its private answer arrives within this, or there is none.
const FOR_AN_ANSWER: Duration = Duration::from_secs(3);
const FOR_THE_EVENT: Duration = Duration::from_secs(120);
/// Before the key of a form that is opened again.
const AGAIN: &str = "|again|";

/// Discord's kinds of interaction callbacks.
const MESSAGE: u8 = 4;
const THINKING: u8 = 5;
const NOTHING_NEW: u8 = 6;
const CHOICES: u8 = 8;
const MODAL: u8 = 9;

impl Inner {
    /// Takes one interaction; what goes wrong is logged here.
    pub async fn interact(&self, app: &App, asked: Asked) {
        if let Err(error) = self.take(app, &asked).await {
            tracing::error!(error = format!("{error:#}"), "an interaction could not be taken");
            let body = private(says::NOT_STORED);
            if !matches!(asked.what, What::Typing { .. }) {
                self.respond(&asked, MESSAGE, Some(body)).await;
            }
        }
    }

    async fn take(&self, app: &App, asked: &Asked) -> anyhow::Result<()> {
        let settings = app.settings();
        let guilds = settings.chat.discord.as_ref().map(|discord| discord.guild.as_slice()).unwrap_or_default();
        let foreign = asked.guild.as_ref().is_some_and(|guild| guilds.iter().all(|known| known.id != *guild));
        let from = self.from(app, asked).await?;
        match &asked.what {
            What::Typing { name, option, typed, values } => {
                let beside = |name: &str| values.get(name).map(String::as_str);
                let beside = Beside { service: beside("service"), environment: beside("environment") };
                let known = !foreign && crate::event::person_of(&settings, &from).is_some();
                let choices = match known {
                    true => suggest::choices(offers(app, name, option, typed, &beside).await?),
                    false => Vec::new(),
                };
                self.respond(asked, CHOICES, Some(json!({ "choices": choices }))).await;
                Ok(())
            }
            _ if foreign => {
                self.respond(asked, MESSAGE, Some(private(says::OTHER_SERVER))).await;
                Ok(())
            }
            What::Command { name, values } => {
                if let Some(form) = self.wanted(app, &from, &typed(name, values)).await {
                    let mut open = Open::new(form);
                    open.values.extend(values.clone());
                    if self.open(asked, open).await {
                        return Ok(());
                    }
                }
                let (form, values, at) = (name.clone(), values.clone(), app.clock.now());
                let make = |from| Event::Submitted { from, form, values, at };
                self.store_and_wait(app, asked, from, make, says::NOTED.to_owned()).await
            }
            What::Pressed { id } => self.press(app, asked, from, id).await,
            What::Submitted { id, values } => self.submit(app, asked, from, id, values).await,
        }
    }

    async fn press(&self, app: &App, asked: &Asked, from: From, id: &str) -> anyhow::Result<()> {
        let gone = async |says: &str| {
            self.respond(asked, MESSAGE, Some(private(says))).await;
            Ok(())
        };
        if let Some(key) = id.strip_prefix(AGAIN) {
            return match self.forms.get(key) {
                Some(open) if self.open(asked, open.clone()).await => Ok(()),
                _ => gone(says::FORM_GONE).await,
            };
        }
        let under = asked.message.clone().unwrap_or_default();
        let button = if id == OPEN_FORM || id.starts_with('#') {
            let posted = app.store.posted_as(PLATFORM, &under).await?;
            let message: Option<Message> = posted.and_then(|posted| serde_json::from_str(&posted.body).ok());
            if id == OPEN_FORM {
                return match message.and_then(|message| message.form) {
                    Some(form) if self.open(asked, Open::new(form.clone())).await => Ok(()),
                    _ => gone(says::FORM_GONE).await,
                };
            }
            match message.as_ref().and_then(|message| button_of(message, id)) {
                Some(button) => button.id.clone(),
                None => return gone(says::BUTTON_GONE).await,
            }
        } else {
            id.to_owned()
        };
        // A button that stands for a command may want a form as the command does.
        let command = button.split(' ').next().and_then(Spec::named).is_some();
        if (command || button.starts_with(second_step::BUTTON))
            && let Some(form) = self.wanted(app, &from, &button).await
            && self.open(asked, Open::new(form)).await
        {
            return Ok(());
        }
        let answer = Answer::new(&asked.application, &asked.token, app.clock.now(), false);
        let from = From { answer: Some(answer.written()), ..from };
        let event = Event::Pressed { from, message: under, button, at: app.clock.now() };
        app.inbox.put(&event, &lane(asked), Some(key(asked))).await?;
        self.respond(asked, NOTHING_NEW, None).await;
        Ok(())
    }

    async fn submit(
        &self,
        app: &App,
        asked: &Asked,
        from: From,
        id: &str,
        given: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let Some((key, form)) = read_id(id) else { return Ok(()) };
        let mut open = self.forms.get(key).unwrap_or_else(|| {
            // Opened before a restart: what was not shown is lost, and is asked for again.
            let form = Form { id: form.to_owned(), title: String::new(), says: String::new(), fields: Vec::new() };
            Open { form, values: BTreeMap::new() }
        });
        if open.form.id.is_empty() {
            self.respond(asked, MESSAGE, Some(private(says::FORM_GONE))).await;
            return Ok(());
        }
        open.values.extend(given.clone());
        let form = open.form.id.clone();
        let errors = form_errors(app, &from, &form, &open.values).await?;
        if !errors.is_empty() {
            let label = |name: &str| {
                let field = open.form.fields.iter().find(|field| field.name == name);
                field.map_or_else(|| name.to_owned(), |field| field.label.clone())
            };
            let shown: Vec<(String, String)> = errors
                .iter()
                .map(|(name, wrong)| (text::escape(&label(name)), text::escape(&text::clean(wrong, 300))))
                .take(12)
                .collect();
            let content = says::form_errors(shown.iter().map(|(name, wrong)| (name.as_str(), wrong.as_str())));
            let mut body = private(&text::cut(&content, 1_900));
            if !open.form.fields.is_empty() {
                let key = self.forms.keep(open, app.clock.now());
                let button =
                    json!({ "type": 2, "style": 1, "label": says::OPEN_AGAIN, "custom_id": format!("{AGAIN}{key}") });
                body["components"] = json!([{ "type": 1, "components": [button] }]);
            }
            self.respond(asked, MESSAGE, Some(body)).await;
            return Ok(());
        }
        let hidden = open.hidden();
        let noted = match hidden.is_empty() {
            true => says::NOTED.to_owned(),
            false => {
                let command = format!("{} {form}", app.settings().chat.command);
                format!("{} {}", says::NOTED, text::escape(&says::also(&command, &hidden)))
            }
        };
        let (values, at) = (open.values.clone(), app.clock.now());
        let make = |from| Event::Submitted { from, form, values, at };
        self.store_and_wait(app, asked, from, make, text::cut(&noted, 1_900)).await
    }

    /// Stores the event, shows "thinking" to its author alone, and sees to it that this ends.
    async fn store_and_wait(
        &self,
        app: &App,
        asked: &Asked,
        from: From,
        make: impl FnOnce(From) -> Event,
        noted: String,
    ) -> anyhow::Result<()> {
        let _answering = self.answering.read().await;
        let answer = Answer::new(&asked.application, &asked.token, app.clock.now(), true);
        let event = make(From { answer: Some(answer.written()), ..from });
        let id = app.inbox.put(&event, &lane(asked), Some(key(asked))).await?;
        if !self.respond(asked, THINKING, Some(json!({ "flags": EPHEMERAL }))).await {
            return Ok(());
        }
        let until = tokio::time::Instant::now() + FOR_THE_EVENT;
        while !app.store.is_done(&id).await? && tokio::time::Instant::now() < until && !app.is_stopping() {
            let woken = app.woken();
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(Duration::from_millis(250)) => {}
            }
        }
        let until = tokio::time::Instant::now() + FOR_AN_ANSWER;
        while !self.answers.is_filled(&answer) && tokio::time::Instant::now() < until && !app.is_stopping() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if !self.answers.is_filled(&answer) {
            let body = json!({ "content": noted, "allowed_mentions": { "parse": [] } });
            if let Err(failed) = self.answer(&answer, &body, &[]).await {
                tracing::debug!(error = failed.error.to_string(), "an interaction's answer was not taken");
            }
        }
        Ok(())
    }

    async fn wanted(&self, app: &App, from: &From, text: &str) -> Option<Form> {
        match tokio::time::timeout(FOR_A_FORM, form_wanted(app, from, text)).await {
            Ok(Ok(form)) => form,
            Ok(Err(error)) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "a form could not be made; the command goes on without it"
                );
                None
            }
            Err(_) => None,
        }
    }

    /// Opens a form. False: it has no field that a modal could show.
    async fn open(&self, asked: &Asked, open: Open) -> bool {
        let key = self.forms.keep(open.clone(), self.clock.now());
        match modal(&open, &key) {
            Some(body) => self.respond(asked, MODAL, Some(body)).await,
            None => false,
        }
    }

    /// Who did it and where, as events say it: a thread's channel is the one that it is in.
    async fn from(&self, app: &App, asked: &Asked) -> anyhow::Result<From> {
        let channel = match &asked.guild {
            Some(guild) => format!("{guild}/{}", asked.parent.as_ref().unwrap_or(&asked.channel)),
            // In direct messages: where the message under which it happened belongs.
            None => {
                let posted = match &asked.message {
                    Some(message) => app.store.posted_as(PLATFORM, message).await?,
                    None => None,
                };
                posted.map_or_else(|| app.home().channel.to_string(), |posted| posted.channel.to_string())
            }
        };
        Ok(From::new(PLATFORM, asked.user.clone(), Channel::new(channel)))
    }

    async fn respond(&self, asked: &Asked, kind: u8, data: Option<Value>) -> bool {
        let mut body = json!({ "type": kind });
        if let Some(data) = data {
            body["data"] = data;
        }
        // The token is Discord's; it was checked to hold nothing that leaves its place in the path.
        let Some(answer) =
            Answer::read(&Answer::new(&asked.application, &asked.token, self.clock.now(), false).written())
        else {
            return false;
        };
        match self.api.post(&format!("interactions/{}/{}/callback", asked.id, answer.token), &body).await {
            Ok(_) => true,
            Err(failed) => {
                tracing::warn!(error = failed.error.to_string(), "Discord did not take the answer to an interaction");
                false
            }
        }
    }
}

fn private(content: &str) -> Value {
    json!({ "content": content, "flags": EPHEMERAL, "allowed_mentions": { "parse": [] } })
}

/// What one person does is handled in order.
fn lane(asked: &Asked) -> String {
    format!("person:{PLATFORM}:{}", asked.user)
}

/// The same interaction again is the same event.
fn key(asked: &Asked) -> String {
    format!("{PLATFORM}:interaction:{}", asked.id)
}
