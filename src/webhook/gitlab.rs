//! GitLab: a signing token (Standard Webhooks), or the older secret token, which comes as it is in `X-Gitlab-Token`.
//!
//! <https://docs.gitlab.com/user/project/integrations/webhooks/>,
//! <https://docs.gitlab.com/user/project/integrations/webhook_events/>. Retries keep their `Idempotency-Key`.

use serde_json::Value;

use super::room::Deployed;
use super::signature::is_standard;
use super::{Delivery, Room, Sender, Told, name_at, text};
use crate::clock::Time;
use crate::name::{Environment, Service};
use crate::source::SourceKind;
use crate::store::deployment::Status;

/// What begins a signing token.
const SIGNING: &str = "whsec_";

pub const SENDER: Sender = Sender {
    kind: "gitlab",
    proves: |delivery, secret| match secret.starts_with(SIGNING) {
        // It never travels: who sends it as it is has read it somewhere.
        true => is_standard(delivery, "webhook", secret),
        false => delivery.carries("x-gitlab-token", "", secret),
    },
    id: |delivery, _| {
        let ids = ["idempotency-key", "webhook-id", "x-gitlab-event-uuid"];
        ids.into_iter().find_map(|name| delivery.one(name)).map(str::to_owned)
    },
    read,
};

fn read(_: &Delivery<'_>, body: &Value, room: &Room<'_>) -> Told {
    let event = text(body, "/object_kind");
    let SourceKind::Gitlab(keys) = &room.source.kind else { return Told::other(event) };
    let number = name_at(body, "/project/id").or_else(|| name_at(body, "/project_id")).unwrap_or_default();
    if !keys.is_of(text(body, "/project/path_with_namespace"), &number) {
        return Told::Unread("it is about another project than this source's".to_owned());
    }
    let attributes = |name: &str| text(body, &format!("/object_attributes/{name}"));
    let what = match event {
        "deployment" => {
            return deployment(body, room, &|service, environment| keys.environment_of(service, environment));
        }
        "push" | "tag_push" => "a push",
        "merge_request" => "a merge request that changed",
        "pipeline" if !["created", "pending", "running"].contains(&attributes("status")) => "a build",
        "issue" if attributes("type").eq_ignore_ascii_case("incident") => "an incident",
        _ => return Told::other(event),
    };
    match what {
        "an incident" => room.news(what, room.around(&room.services()), None),
        _ => room.news(what, room.services_of_code(), None),
    }
}

fn deployment(body: &Value, room: &Room<'_>, called: &dyn Fn(&Service, &Environment) -> String) -> Told {
    let status = match text(body, "/status") {
        "running" => Status::Started,
        "success" => Status::Succeeded,
        "failed" | "canceled" => Status::Failed,
        other => return Told::other(other),
    };
    let Some(id) = name_at(body, "/deployment_id") else {
        return Told::Unread("the deployment has no id".to_owned());
    };
    let (place, reference) = (text(body, "/environment"), text(body, "/ref"));
    let environments = room.settings.environment.keys();
    let fits: Vec<(Service, &Environment)> = room
        .services_of_code()
        .into_iter()
        .flat_map(|service| environments.clone().map(move |environment| (service.clone(), environment)))
        .filter(|(service, environment)| called(service, environment) == place)
        .collect();
    // Of several services in one project the environment's name tells which it was, or the prefix of the tag.
    let prefix =
        |service: &Service| room.settings.service.get(service)?.tag_prefix.as_deref().filter(|p| !p.is_empty());
    let tagged: Vec<&(Service, &Environment)> = fits
        .iter()
        .filter(|(service, _)| prefix(service).is_some_and(|prefix| reference.starts_with(prefix)))
        .collect();
    let (service, environment) = match (fits.as_slice(), tagged.as_slice()) {
        ([(service, environment)], _) | (_, [(service, environment)]) => (Ok(service.clone()), environment.as_str()),
        ([], _) => (room.services_of_code().into_iter().next().ok_or("no service has its code here".to_owned()), place),
        _ => (Err("several services have their code here, and the deployment does not say which".to_owned()), place),
    };
    let commit = text(body, "/commit_url").rsplit('/').next().unwrap_or_default();
    let short = text(body, "/short_sha");
    room.deployment(Deployed {
        id: format!("gitlab-{id}"),
        status,
        service,
        environment,
        version: Some(reference),
        commit: Some(if !short.is_empty() && commit.starts_with(short) { commit } else { short }),
        actor: Some(text(body, "/user/username")),
        at: time(text(body, "/status_changed_at")),
        url: Some(text(body, "/deployable_url")),
    })
}

/// A moment as GitLab writes it to webhooks: `2021-04-28 21:50:00 +0200`, `2021-04-28 21:50:00 UTC`, or RFC 3339.
fn time(told: &str) -> Option<Time> {
    if let Some(at) = Time::parse_rfc3339(told) {
        return Some(at);
    }
    let mut parts = told.split(' ');
    let (day, hour, zone) = (parts.next()?, parts.next()?, parts.next()?);
    let zone = match (zone, zone.split_at_checked(3)) {
        ("UTC", _) => "Z".to_owned(),
        (_, Some((hours, minutes))) => format!("{hours}:{minutes}"),
        _ => return None,
    };
    Time::parse_rfc3339(&format!("{day}T{hour}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_gitlab_writes_them() {
        let at = Time::parse_rfc3339("2021-04-28T19:50:00Z");
        for told in ["2021-04-28 21:50:00 +0200", "2021-04-28 19:50:00 UTC", "2021-04-28T19:50:00Z"] {
            assert_eq!(time(told), at, "{told}");
        }
        for odd in ["", "yesterday", "2021-04-28 21:50:00", "2021-04-28 21:50:00 €", "2021-04-28 21:50:00 CEST"] {
            assert_eq!(time(odd), None, "{odd}");
        }
    }
}
