//! `plan`: the main job. Makes the plan; its brief is gathered right after, so that the answer to the command is at once.

use anyhow::Result;

use super::{BadCommand, Call};
use crate::advice::facts::FlagState;
use crate::advice::toggle;
use crate::command::time::Lean;
use crate::event::Due;
use crate::ledger::Statement;
use crate::name::{Environment, PlanId, Service};
use crate::plan::{Kind, Plan, Risk, Setting, When, brief, show};
use crate::source::{Ask, Learned, Question};
use crate::store::plan::PlanRow;
use crate::wording;
use crate::work::Send;

pub async fn run(call: &Call<'_>) -> Result<()> {
    if let Some(says) = lacks(call) {
        return call.answer(super::form::plan(call, says).await?).await;
    }
    kind_of(call)?;
    let mut plan = read(call).await?;
    let (service, environment) = (plan.service.clone(), plan.environment.clone());

    let mut tx = call.begin().await?;
    let number = tx.count_up(&format!("plan:{service}")).await?;
    plan.id = PlanId::new(format!("{}-{number}", handle(&service)));
    tx.insert_plan(&plan, &call.from.platform, &call.from.channel).await?;
    let row = tx.plan(&plan.id).await?.ok_or_else(|| anyhow::anyhow!("the plan just made is not there"))?;
    tx.record(call.app, made("plan.made", call, &row)).await?;
    let only_for = (call.settings.environment.get(&environment).map(|e| e.mode) == Some(crate::config::Mode::Observe))
        .then(|| call.from.user.clone());
    let message = wording::brief::gathering(&row, &call.settings, call.now);
    let send = Send::to(&call.from.platform, &call.from.channel, message).key(show::main_key(&plan.id)).of(&plan.id);
    tx.send(&send.only_for(only_for)).await?;
    tx.due(&Due::Advise { plan: plan.id.clone() }, call.now).await?;
    tx.due(
        &Due::Expire { plan: plan.id.clone() },
        plan.when.start(call.now).plus(call.settings.policy.plan_expires.ms()),
    )
    .await?;
    if plan.when != When::Now {
        let before = plan.when.start(call.now).plus(-15 * crate::clock::MINUTE).max(call.now);
        tx.due(&Due::Remind { plan: plan.id.clone() }, before).await?;
    }
    crate::plan::deadline::schedule(&mut tx, &row, &call.settings).await?;
    tx.commit().await
}

/// What a form must ask for before there is a plan, with the sentence that asks; None: nothing.
pub fn lacks(call: &Call<'_>) -> Option<Option<&'static str>> {
    if !call.arguments.missing().is_empty() {
        return Some(None);
    }
    match kind_of(call) {
        Ok(kind) if kind.has_version() && call.arguments.get("version").is_none() => Some(Some("Which version?")),
        Ok(kind) if !kind.has_version() && call.arguments.all("set").is_empty() => {
            Some(Some("What is set to what? Give `name=new value`."))
        }
        _ => None,
    }
}

/// The plan that the arguments describe, its version pinned to a commit; it has no handle yet.
pub async fn read(call: &Call<'_>) -> Result<Plan> {
    let args = &call.arguments;
    let kind = kind_of(call)?;
    let mut plan = Plan {
        kind,
        ..Plan::bare(
            call.service(args.get("service").unwrap_or_default())?,
            call.environment(args.get("environment").unwrap_or_default())?,
            call.person.clone(),
            call.now,
        )
    };
    fill(call, &mut plan)?;
    if !kind.has_version() {
        plan.version = None;
    }
    resolve(call, &mut plan).await?;
    present(call, &mut plan).await;
    Ok(plan)
}

/// Whether what a form gave makes a plan, and the field that a refusal is about.
pub async fn check(call: &Call<'_>) -> (&'static str, Result<()>) {
    let missing = |says: &str| Err(BadCommand(says.to_owned()).into());
    match kind_of(call) {
        Err(error) => ("kind", Err(error.into())),
        Ok(kind) if kind.has_version() && call.arguments.get("version").is_none() => {
            ("version", missing("Which version?"))
        }
        Ok(kind) if !kind.has_version() && call.arguments.all("set").is_empty() => {
            ("set", missing("What is set to what? Give `name=new value`."))
        }
        Ok(kind) => (if kind.has_version() { "version" } else { "set" }, read(call).await.map(drop)),
    }
}

/// What the record says of a plan that was made or amended.
pub fn made(kind: &str, call: &Call<'_>, row: &PlanRow) -> Statement {
    let plan = &row.plan;
    let set: Vec<String> = plan.set.iter().map(|s| format!("{}={}", s.name, s.after)).collect();
    Statement::new(kind)
        .by(call.from, Some(&call.person), None)
        .of(row, None)
        .evidence(&call.claim.id, None)
        .with("kind", plan.kind.as_str())
        .with("set", set)
        .with("when", plan.when.start(plan.made_at).rfc3339())
        .with("risk_declared", plan.risk.map_or("undeclared", Risk::as_str))
        .with("category_declared", plan.category.clone())
        .with("hotfix", plan.hotfix.clone())
        .with("needed_by", plan.needed_by.map(|at| at.rfc3339()))
        .text("why", plan.why.as_deref())
        .text("why_now", plan.why_now.as_deref())
        .text("how", plan.how.as_deref())
        .text("validate", plan.validate.as_deref())
        .text("success", plan.success.as_deref())
        .text("rollback", plan.rollback.as_deref())
        .text("rollback_if", plan.rollback_if.as_deref())
}

fn kind_of(call: &Call<'_>) -> Result<Kind, BadCommand> {
    let typed = call.arguments.get("kind");
    match typed.map(str::to_lowercase).as_deref() {
        None if !call.arguments.all("set").is_empty() && call.arguments.get("version").is_none() => Ok(Kind::Config),
        None => Ok(Kind::Release),
        Some(text) => Kind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| BadCommand(format!("`{}` is no kind of plan.", crate::message::tame(text, 40)))),
    }
}

/// Puts what the options say into the plan; what they do not say stays.
pub fn fill(call: &Call<'_>, plan: &mut Plan) -> Result<(), BadCommand> {
    let args = &call.arguments;
    let text = |name: &str, old: Option<String>| args.get(name).map(str::to_owned).or(old);
    plan.why = text("why", plan.why.take());
    plan.why_now = text("why-now", plan.why_now.take());
    plan.how = text("how", plan.how.take());
    plan.validate = text("validate", plan.validate.take());
    plan.success = text("success", plan.success.take());
    plan.rollback = text("rollback", plan.rollback.take());
    plan.rollback_if = text("rollback-if", plan.rollback_if.take());
    plan.hotfix = text("hotfix", plan.hotfix.take());
    plan.version = text("version", plan.version.take());
    if let Some(when) = args.get("when") {
        plan.when = match call.time(when, Lean::Future)? {
            _ if when.eq_ignore_ascii_case("now") => When::Now,
            at if at < call.now => {
                return Err(BadCommand(format!("`{}` is in the past.", crate::message::tame(when, 40))));
            }
            at => When::At { at },
        };
    }
    if let Some(needed) = args.get("needed-by") {
        let at = call.time(needed, Lean::Future)?;
        if at < call.now || at > plan.when.start(at) {
            let text = crate::message::tame(needed, 40);
            return Err(BadCommand(format!("`{text}` is in the past, or after the plan's own time.")));
        }
        plan.needed_by = Some(at);
    }
    if args.get("tell").is_some() {
        plan.tell = args.list("tell");
    }
    if args.get("watch").is_some() {
        plan.watch = call.people("watch")?;
    }
    if args.get("respond").is_some() {
        plan.respond = call.people("respond")?;
    }
    if let Some(risk) = args.get("risk") {
        plan.risk = Risk::ALL.into_iter().find(|r| r.as_str() == risk.to_lowercase());
    }
    if let Some(category) = args.get("category") {
        plan.category = Some(call.category(category)?);
    }
    if !args.all("set").is_empty() {
        plan.set = args.all("set").iter().map(|text| setting(text)).collect::<Result<_, _>>()?;
    }
    Ok(())
}

fn setting(text: &str) -> Result<Setting, BadCommand> {
    match text.split_once('=') {
        Some((name, after)) if !name.trim().is_empty() => {
            Ok(Setting { name: name.trim().to_owned(), before: None, after: after.trim().to_owned() })
        }
        _ => Err(BadCommand(format!("`{}` does not read as `name=new value`.", crate::message::tame(text, 60)))),
    }
}

/// Pins the version to its commit. One that does not exist refuses the plan; one that cannot be looked up just now makes
/// a plan that cannot be approved until it is.
pub async fn resolve(call: &Call<'_>, plan: &mut Plan) -> Result<()> {
    let Some(version) = plan.version.clone() else { return Ok(()) };
    let ask = Ask {
        version: Some(version.clone()),
        ..Ask::of(Question::Versions, &call.settings, &plan.service, &plan.environment, call.now)
    };
    plan.commit = None;
    let mut known: Vec<String> = Vec::new();
    let mut said = false;
    for (_, answer) in brief::ask(call.app, &ask).await {
        let Ok(answer) = answer else { continue };
        let Learned::Versions(versions) = answer.learned else { continue };
        said = true;
        known.extend(versions.known.into_iter().map(|v| v.name));
        if let Some(commit) =
            versions.resolved.into_iter().find(|(name, _)| *name == version).and_then(|(_, commit)| commit)
        {
            plan.commit = Some(commit);
        }
    }
    if said && plan.commit.is_none() {
        return Err(no_version(&plan.service, &plan.environment, &version, &known).into());
    }
    Ok(())
}

/// Notes what the flags of a flag plan do now, where a provider tells: what they would go back to.
pub async fn present(call: &Call<'_>, plan: &mut Plan) {
    if plan.kind != Kind::Flag || plan.set.is_empty() {
        return;
    }
    let ask = Ask {
        names: plan.set.iter().map(|set| set.name.clone()).collect(),
        ..Ask::of(Question::Flags, &call.settings, &plan.service, &plan.environment, call.now)
    };
    let said = brief::ask(call.app, &ask).await;
    let told = said.into_iter().filter_map(|(_, answer)| answer.ok()).filter_map(|answer| match answer.learned {
        Learned::Flags(states) => Some(states),
        _ => None,
    });
    let told: Vec<FlagState> = told.flatten().filter(|state| state.defined && !state.archived).collect();
    for set in &mut plan.set {
        set.before = told.iter().find(|state| state.name == set.name).map(toggle::present);
    }
}

fn no_version(service: &Service, _: &Environment, version: &str, known: &[String]) -> BadCommand {
    let shown = crate::message::tame(version, 60);
    let mut says = format!("There is no version `{shown}` of {service}.");
    let same = known.iter().find(|name| name.eq_ignore_ascii_case(version));
    let near =
        same.map(String::as_str).or_else(|| super::arguments::nearest(version, known.iter().map(String::as_str)));
    match (same, near) {
        (Some(same), _) => says.push_str(&format!(" Upper and lower case differ: did you mean `{same}`?")),
        (None, Some(near)) => says.push_str(&format!(" Did you mean `{near}`?")),
        _ => {}
    }
    if !known.is_empty() {
        let newest: Vec<&str> = known.iter().take(5).map(String::as_str).collect();
        says.push_str(&format!(" The newest: {}.", newest.join(", ")));
    }
    BadCommand(says)
}

/// A service's name as it stands in handles: letters, digits and dashes.
fn handle(service: &Service) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    service.as_str().chars().map(plain).collect()
}
