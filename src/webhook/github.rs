//! GitHub: `X-Hub-Signature-256`, an HMAC over the body.
//!
//! <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>,
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads>. A redelivery keeps its `X-GitHub-Delivery`.

use serde_json::Value;

use super::room::Deployed;
use super::signature::is_hmac;
use super::{Delivery, Room, Sender, Target, Told, Waits, name_at, text};
use crate::clock::Time;
use crate::message::{is_web, tame};
use crate::name::{Environment, Service};
use crate::source::SourceKind;
use crate::source::github::{Keys, Protection};
use crate::store::deployment::Status;

pub const SENDER: Sender = Sender {
    kind: "github",
    proves: |delivery, secret| {
        let given = delivery.one("x-hub-signature-256").and_then(|given| given.strip_prefix("sha256="));
        given.is_some_and(|hex| is_hmac(secret, &[delivery.body], hex))
    },
    id: |delivery, _| delivery.one("x-github-delivery").map(str::to_owned),
    read,
};

fn read(delivery: &Delivery<'_>, body: &Value, room: &Room<'_>) -> Told {
    let event = delivery.one("x-github-event").unwrap_or_default();
    if event == "ping" {
        return Told::Greeting;
    }
    let SourceKind::Github(keys) = &room.source.kind else { return Told::other(event) };
    if !keys.is_of(text(body, "/repository/full_name")) {
        return Told::Unread("it is about another repository than this source's".to_owned());
    }
    let what = match (event, text(body, "/action")) {
        ("deployment_status", _) => return deployment(body, room),
        ("deployment_protection_rule", "requested") => return protection(body, keys, room),
        ("push", _) => "a push",
        ("pull_request_review", _) => "a review",
        ("pull_request", "closed" | "reopened" | "synchronize" | "edited" | "labeled" | "unlabeled") => {
            "a pull request that changed"
        }
        ("check_run" | "check_suite" | "workflow_run", "completed") => "a build",
        ("status", _) if text(body, "/state") != "pending" => "a build",
        ("issues", action) if is_incident(body, keys.incident_label(), action) => "an incident",
        _ => return Told::other(event),
    };
    match what {
        "an incident" => room.news(what, room.around(&room.services()), None),
        _ => room.news(what, room.services_of_code(), None),
    }
}

/// A status of a deployment. What waits for its turn is no deployment yet; one that another replaced is no news.
fn deployment(body: &Value, room: &Room<'_>) -> Told {
    let status = match text(body, "/deployment_status/state") {
        "in_progress" => Status::Started,
        "success" => Status::Succeeded,
        "failure" | "error" => Status::Failed,
        other => return Told::other(other),
    };
    let Some(id) = name_at(body, "/deployment/id") else {
        return Told::Unread("the deployment has no id".to_owned());
    };
    let url = ["/deployment_status/log_url", "/deployment_status/target_url", "/deployment_status/environment_url"];
    // A payload may be an object, or a text that holds one.
    let payload = body.pointer("/deployment/payload");
    let inner = payload.and_then(Value::as_str).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let named = inner.as_ref().or(payload).map(|payload| text(payload, "/service")).filter(|name| !name.is_empty());
    let version = text(body, "/deployment/ref");
    room.deployment(Deployed {
        id: format!("github-{id}"),
        status,
        service: room.deployed_service(named),
        environment: text(body, "/deployment/environment"),
        version: Some(version.trim_start_matches("refs/tags/")),
        commit: Some(text(body, "/deployment/sha")),
        actor: Some(text(body, "/deployment/creator/login")),
        at: Time::parse_rfc3339(text(body, "/deployment_status/created_at")),
        url: url.into_iter().map(|at| text(body, at)).find(|url| !url.is_empty()),
    })
}

/// A job that waits for the App behind a deployment protection rule.
/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#deployment_protection_rule>
fn protection(body: &Value, keys: &Keys, room: &Room<'_>) -> Told {
    let Some(rule) = keys.protection() else {
        return Told::Stray(
            "a job waits for a deployment protection rule, and this source has no `protection`".to_owned(),
        );
    };
    let Some(run) = keys.run_of(text(body, "/deployment_callback_url")) else {
        let says = "the callback address is no run of this repository at the API that the settings name";
        return Told::Unread(says.to_owned());
    };
    let commit = text(body, "/deployment/sha");
    if !matches!(commit.len(), 40 | 64) || !commit.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Told::Unread("the request names no commit".to_owned());
    }
    let (gate, deployment) = (text(body, "/environment"), name_at(body, "/deployment/id"));
    let (Some(deployment), 1..=255) = (deployment.filter(|id| id.len() <= 20), gate.len()) else {
        return Told::Unread("the request names no deployment, or no environment".to_owned());
    };
    if gate.contains('\0') {
        return Told::Unread("the environment's name does not read".to_owned());
    }
    let payload = body.pointer("/deployment/payload");
    let named = payload.map(|payload| text(payload, "/service")).filter(|name| !name.is_empty());
    let target = target(rule, gate, named, room);
    let page = format!("{}/actions/runs/{run}", text(body, "/repository/html_url"));
    let reference = tame(text(body, "/deployment/ref"), 250);
    Told::Waits(Box::new(Waits {
        source: room.source.name.clone(),
        repository: tame(text(body, "/repository/full_name"), 200),
        run,
        gate: gate.to_owned(),
        deployment,
        target: target.map_or_else(Target::Unknown, |(service, environment)| Target::Known(service, environment)),
        commit: commit.to_ascii_lowercase(),
        reference: Some(reference).filter(|reference| !reference.is_empty()),
        link: Some(page).filter(|page| is_web(page) && page.len() <= 300),
    }))
}

/// Our service and environment for what GitHub calls an environment.
fn target(
    rule: &Protection,
    gate: &str,
    named: Option<&str>,
    room: &Room<'_>,
) -> Result<(Service, Environment), String> {
    let (service, environment) = match rule.map.get(gate).map(|target| target.split_once('/').ok_or(target)) {
        None => (room.deployed_service(named)?, gate),
        Some(Err(environment)) => (room.deployed_service(named)?, environment.as_str()),
        Some(Ok((service, environment))) => (room.deployed_service(Some(service))?, environment),
    };
    let known = room.environment(environment);
    let known = known.ok_or_else(|| format!("the settings have no environment `{}` for it", tame(environment, 60)))?;
    Ok((service, known))
}

/// Whether an issue is an incident, or was one until this moment.
fn is_incident(body: &Value, label: &str, action: &str) -> bool {
    let read = ["opened", "closed", "reopened", "edited", "deleted", "labeled", "unlabeled"].contains(&action);
    let labels = body.pointer("/issue/labels").and_then(Value::as_array);
    let has = labels.is_some_and(|labels| labels.iter().any(|known| text(known, "/name").eq_ignore_ascii_case(label)));
    read && (has || text(body, "/label/name").eq_ignore_ascii_case(label))
}
