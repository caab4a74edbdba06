//! Forms for what a command lacks, generated from its spec and prefilled with what was given.

use std::collections::BTreeMap;

use super::time::Lean;
use super::{Argument, ArgumentKind, Arguments, BadCommand, Call, Spec};
use crate::app::App;
use crate::event::From;
use crate::message::{Block, Field, FieldKind, FieldOption, Form, Line, Mark, Message};
use crate::name::{Person, PlanId};
use crate::plan::{Plan, second_step};
use crate::store::Claim;
use crate::store::plan::PlanRow;

/// The form of `plan`, prefilled with what was given and with the last plan of that service.
pub async fn plan(call: &Call<'_>, says: Option<&str>) -> anyhow::Result<Message> {
    let mut values = given(&call.arguments);
    if let Some(service) = call.arguments.get("service")
        && let Ok(service) = call.service(service)
        && let Some(last) = call.app.store.plans(200).await?.into_iter().find(|row| row.plan.service == service)
    {
        for (name, value) in lasting(&last.plan) {
            values.entry(name).or_insert(value);
        }
    }
    Ok(message(call, "plan", says.unwrap_or("What should be deployed?"), &values))
}

/// The form of `amend`, prefilled with the plan as it is.
pub async fn amend(call: &Call<'_>, row: &PlanRow) -> anyhow::Result<Message> {
    let plan = &row.plan;
    let mut values = lasting(plan);
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    values.insert("plan".to_owned(), plan.id.to_string());
    values.insert("version".to_owned(), text(&plan.version));
    values.insert("why".to_owned(), text(&plan.why));
    values.insert("why-now".to_owned(), text(&plan.why_now));
    values.insert("rollback".to_owned(), text(&plan.rollback));
    Ok(message(call, "amend", "What should be different?", &values))
}

/// The form of an approval on a condition: which one, from the list, and what it needs.
pub fn approve_if(call: &Call<'_>, row: &PlanRow) -> Message {
    let mut values = given(&call.arguments);
    values.insert("plan".to_owned(), row.plan.id.to_string());
    values.entry("revision".to_owned()).or_insert_with(|| row.revision.to_string());
    let mut message = message(call, "approve-if", "On which condition do you approve?", &values);
    for field in message.form.iter_mut().flat_map(|form| &mut form.fields) {
        match field.name.as_str() {
            "condition" => {
                field.required = true;
                for option in &mut field.options {
                    option.says = crate::wording::condition::choice(&option.value).to_owned();
                }
            }
            "who" => {
                // One person, of those who could be meant.
                field.kind = FieldKind::Select;
                let member = |name: &str| {
                    let known = call.settings.people.get(&Person::new(name));
                    known.is_some_and(|known| known.kind == crate::config::PersonKind::Member)
                };
                field.options.retain(|option| member(&option.value) && option.value != call.person.as_str());
            }
            _ => {}
        }
    }
    if let Some(form) = &mut message.form {
        form.fields.retain(|field| field.name != "back");
    }
    message
}

/// The form of any command that lacks an argument.
pub fn for_command(call: &Call<'_>) -> Message {
    message(call, &call.arguments.spec.name, "A few things are missing.", &given(&call.arguments))
}

/// The form that a command would be answered with, because something in it is missing: for platforms where a form can
/// only be opened at the moment of the command. None: it is carried out as any other.
pub async fn form_wanted(app: &App, from: &From, text: &str) -> anyhow::Result<Option<Form>> {
    let settings = app.settings();
    // A button that opens a form and stands for no command.
    let bare = text.strip_prefix(&settings.chat.command).unwrap_or(text).trim();
    if let Some(step) = bare.strip_prefix(second_step::BUTTON).or_else(|| bare.strip_prefix(second_step::FORM)) {
        return Ok(second_step::form(app, from, step.trim()).await?.ok());
    }
    let Ok(arguments) = super::parse(text, &settings.chat.command) else { return Ok(None) };
    let Some(person) = crate::event::person_of(&settings, from) else { return Ok(None) };
    let claim = Claim::unheld();
    let now = app.clock.now();
    let call = Call { app, claim: &claim, from, person, arguments, settings, at: now, now };
    let lacks = !call.arguments.missing().is_empty();
    let message = match call.arguments.spec.name.as_str() {
        "plan" => match super::plan::lacks(&call) {
            Some(says) => plan(&call, says).await?,
            None => return Ok(None),
        },
        "amend" if !lacks && call.arguments.values.len() <= 1 => match call.plan().await {
            Ok(row) if row.state.waits() => amend(&call, &row).await?,
            _ => return Ok(None),
        },
        "followup" if super::followup::lacks(&call) => for_command(&call),
        "approve-if" if !lacks && super::approve_if::lacks(&call) => match call.plan().await {
            Ok(row) if row.state.waits() => approve_if(&call, &row),
            _ => return Ok(None),
        },
        _ if lacks => for_command(&call),
        _ => return Ok(None),
    };
    Ok(message.form)
}

/// What is wrong with a filled-in form, field by field, so that it can be said beside the field.
pub async fn form_errors(
    app: &App,
    from: &From,
    form: &str,
    values: &BTreeMap<String, String>,
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut errors = BTreeMap::new();
    if let Some(id) = form.strip_prefix("confirm:") {
        // Said beside the field, so that a slip of the finger can be mended there.
        if let Some(row) = app.store.plan(&PlanId::new(id)).await?
            && values.get("environment").map(|typed| typed.trim()) != Some(row.plan.environment.as_str())
        {
            errors.insert("environment".to_owned(), crate::wording::refusal::wrong_name(&row));
        }
        return Ok(errors);
    }
    if let Some(step) = form.strip_prefix(second_step::FORM) {
        let field = crate::wording::second_step::FIELD;
        let typed = values.get(field).map(String::as_str).unwrap_or_default();
        errors.extend(second_step::wrong(app, step, typed).await?.map(|says| (field.to_owned(), says)));
        return Ok(errors);
    }
    let Ok(arguments) = crate::chat::form_arguments(form, values) else {
        errors.insert("form".to_owned(), "That form is not known.".to_owned());
        return Ok(errors);
    };
    let settings = app.settings();
    let claim = Claim::unheld();
    let now = app.clock.now();
    let person = crate::event::person_of(&settings, from).unwrap_or_else(|| Person::new(&from.user));
    let call = Call { app, claim: &claim, from, person, arguments, settings, at: now, now };
    for argument in call.arguments.missing() {
        errors.insert(argument.name.clone(), format!("{} is missing.", argument.label));
    }
    for argument in call.arguments.spec.arguments.iter().chain(&call.arguments.spec.options) {
        let Some(value) = call.arguments.get(&argument.name) else { continue };
        let wrong = match argument.kind {
            ArgumentKind::Service => call.service(value).err(),
            ArgumentKind::Environment => call.environment(value).err(),
            ArgumentKind::Category => call.category(value).err(),
            ArgumentKind::People => call.people(&argument.name).err(),
            ArgumentKind::Time => match call.time(value, Lean::Future) {
                Ok(at) if at < now && !value.eq_ignore_ascii_case("now") => {
                    Some(BadCommand("That is in the past.".to_owned()))
                }
                read => read.err(),
            },
            ArgumentKind::Choice if !argument.choices.iter().any(|c| c.eq_ignore_ascii_case(value)) => {
                Some(BadCommand(format!("One of {}.", argument.choices.join(", "))))
            }
            _ if value.chars().count() > 4_000 => Some(BadCommand("At most 4,000 characters.".to_owned())),
            _ => None,
        };
        if let Some(BadCommand(says)) = wrong {
            errors.insert(argument.name.clone(), says);
        }
    }
    if form == "approve-if"
        && errors.is_empty()
        && let Err((field, BadCommand(says))) = super::approve_if::read(&call)
    {
        errors.insert(field.to_owned(), says);
    }
    if form == "plan" && errors.is_empty() {
        let (field, checked) = super::plan::check(&call).await;
        match checked.map_err(anyhow::Error::downcast::<BadCommand>) {
            Err(Ok(BadCommand(says))) => drop(errors.insert(field.to_owned(), says)),
            Err(Err(error)) => return Err(error),
            Ok(()) => {}
        }
    }
    Ok(errors)
}

fn message(call: &Call<'_>, command: &str, says: &str, values: &BTreeMap<String, String>) -> Message {
    let spec = Spec::named(command).unwrap_or(call.arguments.spec);
    let fields = spec.arguments.iter().map(|a| (a, !a.optional)).chain(spec.options.iter().map(|o| (o, false)));
    let form = Form {
        id: command.to_owned(),
        title: format!("{} {}", call.settings.chat.command, spec.name),
        says: says.to_owned(),
        fields: fields.map(|(argument, required)| field(call, argument, required, values)).collect(),
    };
    Message {
        blocks: vec![Block::Line(Line::marked(
            Mark::Note,
            format!("{says} Fill in the form, or type `{} {}`.", call.settings.chat.command, spec.usage()),
        ))],
        form: Some(form),
        ..Message::default()
    }
}

fn field(call: &Call<'_>, argument: &Argument, required: bool, values: &BTreeMap<String, String>) -> Field {
    let names = |names: Vec<String>| -> Vec<FieldOption> {
        names.into_iter().map(|n| FieldOption { says: n.clone(), value: n }).collect()
    };
    let settings = &call.settings;
    let options = match argument.kind {
        ArgumentKind::Service => names(settings.service.keys().map(ToString::to_string).collect()),
        ArgumentKind::Environment => names(settings.environment.keys().map(ToString::to_string).collect()),
        ArgumentKind::Category => names(settings.policy.category.keys().cloned().collect()),
        ArgumentKind::Choice => names(argument.choices.clone()),
        ArgumentKind::Flag => names(vec!["yes".to_owned()]),
        ArgumentKind::People => names(settings.people.keys().map(ToString::to_string).collect()),
        _ => Vec::new(),
    };
    Field {
        name: argument.name.clone(),
        kind: match argument.kind {
            ArgumentKind::Service
            | ArgumentKind::Environment
            | ArgumentKind::Category
            | ArgumentKind::Choice
            | ArgumentKind::Flag => FieldKind::Select,
            ArgumentKind::Long => FieldKind::Long,
            ArgumentKind::Time => FieldKind::Time,
            ArgumentKind::People => FieldKind::Person,
            _ => FieldKind::Text,
        },
        label: argument.label.clone(),
        hint: argument.says.clone(),
        value: values.get(&argument.name).cloned().unwrap_or_default(),
        options,
        required,
        offered: matches!(argument.kind, ArgumentKind::Version | ArgumentKind::Plan),
    }
}

fn given(arguments: &Arguments) -> BTreeMap<String, String> {
    arguments.values.iter().map(|(name, values)| (name.clone(), values.join("\n"))).collect()
}

/// What usually stays the same from one plan of a service to the next.
fn lasting(plan: &Plan) -> BTreeMap<String, String> {
    let people = |people: &[crate::name::Person]| people.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut values = BTreeMap::from([
        ("environment".to_owned(), plan.environment.to_string()),
        ("watch".to_owned(), people(&plan.watch)),
        ("respond".to_owned(), people(&plan.respond)),
        ("tell".to_owned(), plan.tell.join(", ")),
    ]);
    let texts = [
        ("how", &plan.how),
        ("validate", &plan.validate),
        ("success", &plan.success),
        ("rollback-if", &plan.rollback_if),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            values.insert(name.to_owned(), value.clone());
        }
    }
    values.retain(|_, value| !value.is_empty());
    values
}
