//! A form that was filled in: a command whose arguments came by fields, or the typed name of an environment.

use std::collections::BTreeMap;

use crate::app::App;
use crate::clock::Time;
use crate::command::{Arguments, BadCommand, Spec};
use crate::event::From;
use crate::name::PlanId;
use crate::plan::second_step;
use crate::store::Claim;

pub async fn submitted(
    app: &App,
    claim: &Claim,
    from: &From,
    form: &str,
    values: &BTreeMap<String, String>,
    at: Time,
) -> anyhow::Result<()> {
    if let Some(plan) = form.strip_prefix("confirm:") {
        let typed = values.get("environment").map(String::as_str).unwrap_or_default();
        let person = crate::people::behind(&app.settings(), &from.platform, &from.user);
        if let (Some(row), Some(person)) = (app.store.plan(&PlanId::new(plan)).await?, person) {
            return crate::command::confirm(app, claim, from, &person, &row, typed).await;
        }
        return app.store.begin_finishing(claim, app.clock.now()).await?.commit().await;
    }
    if let Some(step) = form.strip_prefix(second_step::FORM) {
        return second_step::submitted(app, claim, from, step, values).await;
    }
    crate::command::run_parsed(app, claim, from, arguments(form, values), at).await
}

/// A form's values as a command's arguments.
pub fn arguments(form: &str, values: &BTreeMap<String, String>) -> Result<Arguments, BadCommand> {
    let spec = Spec::named(form).ok_or_else(|| BadCommand("That form is not known.".to_owned()))?;
    let mut read: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for argument in spec.arguments.iter().chain(&spec.options) {
        let Some(value) = values.get(&argument.name).map(|v| v.trim()).filter(|v| !v.is_empty()) else { continue };
        let list = if argument.many { value.lines().map(str::to_owned).collect() } else { vec![value.to_owned()] };
        read.insert(argument.name.clone(), list);
    }
    Ok(Arguments { spec, values: read })
}
