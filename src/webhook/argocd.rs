//! Argo CD: its notifications, in the template that `docs/sources.md` gives, with the secret as a bearer token.
//!
//! <https://argo-cd.readthedocs.io/en/stable/operator-manual/notifications/services/webhook/>: Argo CD signs nothing, and what
//! it sends is what its templates say.

use serde::Deserialize;
use serde_json::Value;

use super::room::Deployed;
use super::{Delivery, Room, Sender, Told};
use crate::clock::Time;
use crate::message::tame;
use crate::source::SourceKind;
use crate::store::deployment::Status;

pub const SENDER: Sender = Sender {
    kind: "argocd",
    proves: |delivery, secret| delivery.carries("authorization", "Bearer ", secret),
    // The same state of the same sync is one event; it holds when it began.
    id: |_, _| None,
    read,
};

/// The body of our template. Everything but the application may be empty: Argo CD leaves out what it does not know.
#[derive(Debug, Deserialize)]
struct Body {
    application: String,
    #[serde(default)]
    phase: Option<String>,
    #[serde(default)]
    started_at: Option<Time>,
    #[serde(default)]
    finished_at: Option<Time>,
    #[serde(default)]
    revision: Option<String>,
    #[serde(default)]
    target_revision: Option<String>,
    #[serde(default)]
    images: Option<Vec<String>>,
    #[serde(default)]
    initiated_by: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

fn read(_: &Delivery<'_>, body: &Value, room: &Room<'_>) -> Told {
    let SourceKind::Argocd(keys) = &room.source.kind else { return Told::other("argocd") };
    let Ok(body) = serde_json::from_value::<Body>(body.clone()) else {
        return Told::Unread("it is not the template that the documentation gives".to_owned());
    };
    let targets = room.services().into_iter().flat_map(|service| {
        room.settings.environment.keys().map(move |environment| (service.clone(), environment.clone()))
    });
    let called = targets.filter(|(service, environment)| keys.is_called(service, environment, &body.application));
    let targets: Vec<_> = called.collect();
    let Some((service, environment)) = targets.first().cloned() else {
        let name = tame(&body.application, 60);
        return Told::Stray(format!("the application `{name}` is no service's in any environment"));
    };
    let status = match body.phase.as_deref() {
        Some("Running") => Some(Status::Started),
        Some("Succeeded") => Some(Status::Succeeded),
        Some("Failed" | "Error") => Some(Status::Failed),
        _ => None,
    };
    let (Some(status), Some(began), [_]) = (status, body.started_at, targets.as_slice()) else {
        return room.news("an application that changed", vec![service], Some(environment));
    };
    let (version, commit) =
        keys.brought(&service, body.revision.as_deref(), body.target_revision.as_deref(), body.images.as_deref());
    room.deployment(Deployed {
        id: format!("argocd-{}-{}", body.application, began.rfc3339()),
        status,
        service: Ok(service),
        environment: environment.as_str(),
        version: version.as_deref(),
        commit: commit.as_deref(),
        actor: body.initiated_by.as_deref(),
        at: if status == Status::Started { Some(began) } else { body.finished_at },
        url: body.url.as_deref(),
    })
}
