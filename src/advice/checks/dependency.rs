//! Services that this one needs: what runs of them here, and whether the plan asks for another version.

use crate::advice::checks::Answer;
use crate::advice::facts::Doing;
use crate::advice::rollback;
use crate::advice::says;
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because, newest};
use crate::message::tame;
use crate::name::Service;

pub fn versions(view: &View<'_>) -> Option<Answer> {
    let needs = view.needs();
    if needs.is_empty() || !view.plan.kind.has_version() {
        return None;
    }
    let environment = &view.plan.environment;
    let Some(fact) = newest(view.history) else { return Some(Answer::gap(gap(view, Topic::History)?)) };
    let runs = |service: &Service| {
        fact.value.dependencies.iter().find(|(name, _)| name == service).and_then(|(_, version)| version.clone())
    };
    let mut wrong = Vec::new();
    let mut unseen = Vec::new();
    let mut here = Vec::new();
    for service in needs {
        let wanted = wanted(view, service);
        match (runs(service), wanted) {
            (None, _) => unseen.push(service.to_string()),
            (Some(version), Some(wanted)) if !same_version(&version, &wanted) => {
                wrong.push(format!("{service} {} is asked for, {} runs", tame(&wanted, 40), tame(&version, 40)));
            }
            (Some(version), _) => here.push(format!("{service} {}", tame(&version, 40))),
        }
    }
    let moving = view.others.known.iter().flat_map(|fact| &fact.value).filter(|other| {
        other.environment == *environment && needs.contains(&other.service) && other.doing == Doing::UnderWay
    });
    let mut moving: Vec<String> = moving.map(|other| other.service.to_string()).collect();
    moving.sort();
    moving.dedup();
    let evidence = because(fact, format!("what runs in {environment}"));
    let answer = if !wrong.is_empty() {
        Answer::caution(format!("In {environment} {}.", wrong.join("; ")))
    } else if !unseen.is_empty() {
        let says =
            format!("Whether {} in {environment} is unknown: no deployment of it is recorded.", runs_there(&unseen));
        Answer::unknown(says)
    } else if !moving.is_empty() {
        Answer::caution(format!("{} is being deployed to {environment} now, and this needs it.", says::list(&moving)))
    } else {
        let says = format!("{} run in {environment}; the plan asks for no other version.", says::some(&here, 4));
        Answer::pass(if here.len() == 1 { says.replacen(" run in", " runs in", 1) } else { says })
    };
    Some(answer.because([evidence]).unless(gap(view, Topic::History)))
}

fn runs_there(services: &[String]) -> String {
    format!("{} {}", says::some(services, 4), if services.len() == 1 { "runs" } else { "run" })
}

/// The version of a service that the plan's words ask for: "needs ledger v1.4".
fn wanted(view: &View<'_>, service: &Service) -> Option<String> {
    let plan = view.plan;
    let texts = [&plan.why, &plan.why_now, &plan.how, &plan.validate].into_iter().flatten();
    texts
        .filter_map(|text| {
            let words: Vec<&str> = text.split_whitespace().take(500).collect();
            let at =
                words.iter().position(|word| word.trim_matches([',', '`']).eq_ignore_ascii_case(service.as_str()))?;
            let asks = at.checked_sub(1).and_then(|before| words.get(before))?.to_lowercase();
            let asks = matches!(asks.as_str(), "needs" | "need" | "requires" | "require" | "after" | "with");
            let names = rollback::names(words.get(at + 1)?);
            names.into_iter().next().filter(|_| asks)
        })
        .next()
}

fn same_version(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.rsplit('/').next().unwrap_or(text).trim_start_matches('v').to_owned();
    let (a, b) = (bare(a), bare(b));
    a == b || a.starts_with(&format!("{b}."))
}
