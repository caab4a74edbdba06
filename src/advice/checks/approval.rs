//! Who must approve, whether anyone independent is left, and whether the declared risk looks right.

use crate::advice::checks::Answer;
use crate::advice::facts::CodeOwner;
use crate::advice::policy;
use crate::advice::says;
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because, newest};
use crate::advice::{Approvals, Because, FlagLevel, NeedView};
use crate::approval::role::{ON_CALL, on_call};
use crate::message::tame;
use crate::name::Person;
use crate::plan::Risk;

pub fn needed(view: &View<'_>, approvals: &Approvals) -> Option<Answer> {
    if approvals.needs.is_empty() {
        return Some(Answer::info("The policy asks for no approval here."));
    }
    let total: u32 = approvals.needs.iter().map(|need| need.need.count).sum();
    let needs: Vec<String> =
        approvals.needs.iter().map(|need| format!("{} ({})", policy::says_need(need), need.because)).collect();
    let lacks = |need: &&NeedView| policy::able(view, need).len() < need.need.count as usize;
    let short: Vec<&NeedView> = approvals.needs.iter().filter(lacks).collect();
    let says = format!("{} needed: {}.", says::count(total, "approval"), needs.join("; "));
    let notes: String = approvals.notes.iter().map(|note| format!(" {note}")).collect();
    if !short.is_empty() {
        let who: Vec<String> = short.iter().map(|need| policy::says_need(need)).collect();
        let duty = short.iter().any(|lacking| lacking.need.role.as_ref().is_some_and(|role| role.as_str() == ON_CALL));
        let nobody = duty && on_call(view.on_call, &view.plan.service, view.now).is_empty();
        let rotas = if nobody { " Who is on call now is not known." } else { "" };
        let says = format!(
            "{says}{notes} Too few people could give {}: neither planner nor authors count.{rotas}",
            says::list(&who)
        );
        return Some(Answer::critical(says));
    }
    let could: Vec<&str> = approvals.eligible.iter().map(Person::as_str).collect();
    let around: Vec<&str> =
        approvals.eligible.iter().filter(|p| policy::is_at_work(view, p, view.now)).map(Person::as_str).collect();
    let around = match around.len() {
        0 => "none of them is at work now".to_owned(),
        n if n == could.len() => "at work now, all of them".to_owned(),
        _ => format!("at work now: {}", says::some(&around, 5)),
    };
    let (owned, evidence) = owners(view).unzip();
    let owned = owned.unwrap_or_default();
    let says = format!("{says}{notes} Could give one: {} ({around}).{owned}", says::some(&could, 6));
    Some(Answer::info(says).because(evidence))
}

/// Who owns what changes, by the repository's own file: a sentence, and what it rests on.
fn owners(view: &View<'_>) -> Option<(String, Because)> {
    let fact = newest(view.change)?;
    let owners = fact.value.owners.as_deref().filter(|owners| !owners.is_empty())?;
    let named = |owner: &CodeOwner| match view.settings.person_known_as(owner.owner.trim_start_matches('@')) {
        Some(person) => person.to_string(),
        None => format!("`{}`", tame(&owner.owner, 60).replace('`', "'")),
    };
    let mut names: Vec<String> = Vec::new();
    for name in owners.iter().map(named) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let with_files = |owner: &CodeOwner| format!("{} ({})", named(owner), says::count(owner.files, "file"));
    let all: Vec<String> = owners.iter().take(12).map(with_files).collect();
    let whose = says::some(&names, 4);
    Some((format!(" Code owners of what changes: {whose}."), because(fact, format!("CODEOWNERS: {}", all.join(", ")))))
}

pub fn separation(view: &View<'_>, approvals: &Approvals) -> Option<Answer> {
    if !view.settings.policy.separation || approvals.needs.is_empty() {
        return None;
    }
    let authors = policy::authors(view);
    let mut out: Vec<&str> = std::iter::once(&view.plan.by).chain(&authors.people).map(Person::as_str).collect();
    out.sort_unstable();
    out.dedup();
    let out = says::some(&out, 5);
    if approvals.eligible.is_empty() {
        return Some(Answer::critical(format!(
            "Nobody is left to approve: {out} planned or wrote it, and no one else may."
        )));
    }
    let answer = if let Some(first) = authors.strangers.first() {
        let more = match authors.strangers.len() {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        let says = format!(
            "Whether an approver wrote it is not certain: nobody in the settings is {}{more}.",
            tame(first, 60)
        );
        Answer::unknown(says)
    } else {
        Answer::pass(format!(
            "{out} planned or wrote it and cannot approve it; {} others could.",
            approvals.eligible.len()
        ))
    };
    let missing = if view.plan.kind.has_version() { gap(view, Topic::Change) } else { None };
    Some(answer.unless(missing))
}

/// A declared word stands; a doubt goes upwards only.
pub fn risk_declared(view: &View<'_>) -> Option<Answer> {
    let Some(risk) = view.plan.risk else {
        return Some(Answer::caution("No risk was declared; it counts as high."));
    };
    if let Some(doubt) = &view.category.view.doubt {
        let says = format!("{doubt} The declared word stands until an eligible person settles it.");
        return Some(Answer::caution(says));
    }
    let seen = view.category.highest().filter(|_| risk < Risk::High);
    if let Some(seen) = seen {
        return Some(Answer::caution(format!(
            "Declared {} risk; looks higher: {}, and {} is high-risk.",
            risk.as_str(),
            seen.why,
            seen.name
        )));
    }
    let irreversible = crate::advice::schema::steps(view).into_iter().filter(|step| step.ran != Some(true));
    let irreversible = irreversible.filter_map(|step| Some((step.name(), step.irreversible()?.says.clone()))).next();
    if let (Some((name, _)), true) = (&irreversible, risk < Risk::High) {
        return Some(Answer::caution(format!(
            "Declared {} risk; looks higher: migration {name} cannot be undone.",
            risk.as_str()
        )));
    }
    let says = format!("Declared {} risk, and nothing seen speaks for more.", risk.as_str());
    let missing = if view.plan.kind.has_version() && risk < Risk::High { gap(view, Topic::Change) } else { None };
    let level = if risk == Risk::High { FlagLevel::Info } else { FlagLevel::Pass };
    let says = if risk == Risk::High { "Declared high risk.".to_owned() } else { says };
    Some(Answer::at(level, says).unless(missing))
}
