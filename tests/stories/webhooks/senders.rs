//! Each sender with an example of what it sends, signed as its documentation says. The bodies are cut down to what they are
//! about; fields and forms are those of the senders' own examples.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use tidegate::clock::{SECOND, Time};

/// The headers by which a body proves whose it is: of a secret, the body, the delivery's id and its time.
pub type Proof = fn(secret: &str, body: &[u8], id: &str, at: Time) -> Vec<(String, String)>;

/// One sender: where it stands in the settings, how it proves itself, what it tells.
#[derive(Clone, Copy)]
pub struct Sender {
    pub kind: &'static str,
    /// Its `[[source]]` without kind, name and webhook.
    pub keys: &'static str,
    pub secret: &'static str,
    /// The headers that prove a body, with everything else that it sends.
    pub proof: Proof,
    pub example: fn() -> Value,
    /// What is heard of it.
    pub hears: &'static str,
}

pub const ALL: &[Sender] = &[
    Sender {
        kind: "github",
        keys: "repository = 'harbor/shop'\ntoken = { value = 't' }\nurl = 'http://127.0.0.1:9'\nanswers = ['deployments']",
        secret: "It's a Secret to Everybody",
        proof: |secret, body, id, _| {
            let event = text(body, "x").unwrap_or_else(|| "deployment_status".to_owned());
            headers(&[
                ("x-github-event", &event),
                ("x-github-delivery", id),
                ("x-hub-signature-256", &format!("sha256={}", hex(secret, body))),
            ])
        },
        example: || github_deployment("success", "v1.1.0"),
        hears: "a deployment",
    },
    Sender {
        kind: "gitlab",
        keys: "project = 'harbor/shop'\ntoken = { value = 't' }\nurl = 'http://127.0.0.1:9'\nanswers = ['deployments']",
        secret: "gl-story-secret",
        proof: |secret, _, id, _| {
            let more = [("x-gitlab-event", "Deployment Hook"), ("x-gitlab-event-uuid", "e"), ("idempotency-key", id)];
            [headers(&[("x-gitlab-token", secret)]), headers(&more)].concat()
        },
        example: || gitlab_deployment("success", "staging"),
        hears: "a deployment",
    },
    Sender {
        kind: "argocd",
        keys: "url = 'http://127.0.0.1:9'\ntoken = { value = 't' }\napplication = '{service}-{environment}'",
        secret: "argo-story-secret",
        proof: |secret, _, _, _| bearer(secret),
        example: || argocd_sync("Succeeded"),
        hears: "a deployment",
    },
    Sender {
        kind: "pagerduty",
        keys: "token = { value = 't' }\nurl = 'http://127.0.0.1:9'\nmap = { shop = 'PSHOP01' }",
        secret: "pd-story-secret",
        proof: |secret, body, _, _| {
            // While a secret is exchanged PagerDuty signs with both.
            let (old, new) = (hex("the one before", body), hex(secret, body));
            headers(&[("x-pagerduty-signature", &format!("v1={old},v1={new}")), ("x-webhook-id", "w")])
        },
        example: || pagerduty_incident("01DEN1HNLBC1VITK198CETJLV0", "incident.triggered"),
        hears: "an incident",
    },
    Sender {
        kind: "alertmanager",
        keys: "url = 'http://127.0.0.1:9'",
        secret: "am-story-secret",
        proof: |secret, _, _, _| bearer(secret),
        example: alertmanager_group,
        hears: "an alert",
    },
    Sender {
        kind: "incident-io",
        keys: "token = { value = 't' }\nurl = 'http://127.0.0.1:9'",
        secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        proof: |secret, body, id, at| standard("webhook", secret, body, id, at),
        example: || {
            json!({ "event_type": "public_incident.incident_created_v2",
                "public_incident.incident_created_v2": { "id": "01FDAG4SAP5TYPT98WGR2N7W91", "reference": "INC-123",
                    "name": "Our database is sad", "incident_status": { "category": "live", "name": "Investigating" },
                    "created_at": "2026-11-23T18:50:00Z", "updated_at": "2026-11-23T18:50:00Z" } })
        },
        hears: "an incident",
    },
    Sender {
        kind: "jsm",
        keys: "cloud = 'c-1'\nemail = 'e@harbor.test'\ntoken = { value = 't' }\nurl = 'http://127.0.0.1:9'",
        secret: "jsm-story-secret",
        proof: |secret, _, _, _| bearer(secret),
        example: || {
            json!({ "source": { "name": "web", "type": "API" }, "action": "Create", "integrationName": "Tidegate",
                "alert": { "alertId": "70413a06-38d6-4c85-92b8-5ebc900d42e2", "message": "Payments fail",
                    "tags": ["service:shop"], "tinyId": "1791", "priority": "P1", "createdAt": 1_795_546_200_000_i64 } })
        },
        hears: "an alert",
    },
    Sender {
        kind: "launchdarkly",
        keys: "project = 'harbor'\ntoken = { value = 't' }\nurl = 'http://127.0.0.1:9'",
        secret: "ld-story-secret",
        proof: |secret, body, _, _| headers(&[("x-ld-signature", &hex(secret, body))]),
        example: || {
            json!({ "_id": "57c0a8e29969090743529965", "date": 1_795_546_200_000_i64, "kind": "flag", "name": "new-checkout",
                "accesses": [{ "action": "updateOn", "resource": "proj/harbor:env/production:flag/new-checkout;web" }],
                "titleVerb": "turned on the flag" })
        },
        hears: "a flag that changed",
    },
    Sender {
        kind: "unleash",
        keys: "url = 'http://127.0.0.1:9'\ntoken = { value = 't' }",
        secret: "unleash-story-secret",
        proof: |secret, _, _, _| headers(&[("authorization", secret)]),
        example: || {
            json!({ "id": 899, "type": "feature-environment-enabled", "createdBy": "ada", "createdAt": "2026-11-23T18:50:00Z",
                "data": null, "preData": null, "tags": [], "featureName": "new-checkout", "project": "default",
                "environment": "production" })
        },
        hears: "a flag that changed",
    },
    Sender {
        kind: "sentry",
        keys: "organization = 'harbor'\ntoken = { value = 't' }\nurl = 'http://127.0.0.1:9'",
        secret: "sentry-story-secret",
        proof: |secret, body, id, at| {
            headers(&[
                ("request-id", id),
                ("sentry-hook-resource", "issue"),
                ("sentry-hook-timestamp", &(at.ms() / SECOND).to_string()),
                ("sentry-hook-signature", &hex(secret, body)),
            ])
        },
        example: || {
            json!({ "action": "created", "installation": { "uuid": "a8e5d37a-696c-4c54-adb5-b3f28d64c7de" },
                "data": { "issue": { "id": "1170820242", "shortId": "SHOP-2", "title": "ReferenceError: blooopy is not defined",
                    "project": { "id": "1", "name": "shop", "slug": "shop", "platform": "javascript" } } },
                "actor": { "type": "application", "id": "sentry", "name": "Sentry" } })
        },
        hears: "an issue",
    },
];

pub fn of(kind: &str) -> Sender {
    *ALL.iter().find(|sender| sender.kind == kind).unwrap()
}

impl Sender {
    /// Its `[[source]]`, called as its kind.
    pub fn stanza(&self) -> String {
        let (kind, keys, secret) = (self.kind, self.keys, toml::Value::from(self.secret));
        format!(
            "\n[[source]]\nkind = '{kind}'\nname = '{kind}'\nwebhook = {{ value = {secret} }}\nservices = ['shop']\n{keys}\n"
        )
    }

    pub fn signed(&self, body: &[u8], id: &str, at: Time) -> Vec<(String, String)> {
        (self.proof)(self.secret, body, id, at)
    }
}

pub fn github_deployment(state: &str, version: &str) -> Value {
    json!({
        "action": "created",
        "deployment_status": { "id": 115_902_988, "state": state, "environment": "production", "description": "",
            "creator": { "login": "deploybot", "id": 1 }, "target_url": "", "created_at": "2026-11-23T18:59:00Z",
            "log_url": "https://github.com/harbor/shop/actions/runs/1" },
        "deployment": { "id": 145_988_746, "sha": "a10867b14bb761a232cd80139fbd4c0d33264240", "ref": version,
            "task": "deploy", "payload": {}, "environment": "production", "created_at": "2026-11-23T18:50:00Z",
            "creator": { "login": "deploybot", "id": 1 } },
        "repository": { "id": 186_853_002, "name": "shop", "full_name": "Harbor/shop" },
        "sender": { "login": "deploybot", "id": 1 }
    })
}

pub fn gitlab_deployment(status: &str, environment: &str) -> Value {
    json!({
        "object_kind": "deployment", "status": status, "status_changed_at": "2026-11-23 19:55:00 +0100", "deployment_id": 15,
        "deployable_id": 796, "deployable_url": "https://gitlab.com/harbor/shop/-/jobs/796", "environment": environment,
        "environment_tier": environment, "environment_slug": environment, "environment_external_url": "",
        "project": { "id": 30, "name": "shop", "path_with_namespace": "harbor/shop", "default_branch": "main" },
        "short_sha": "279484c0", "ref": "v1.1.0", "user": { "id": 1, "name": "Ada", "username": "ada" },
        "user_url": "https://gitlab.com/ada", "commit_title": "Greet the customer",
        "commit_url": "https://gitlab.com/harbor/shop/-/commit/279484c09fbe69ededfced8c1bb6e6d24616b468"
    })
}

/// What our template makes of an application.
pub fn argocd_sync(phase: &str) -> Value {
    json!({ "application": "shop-production", "phase": phase, "started_at": "2026-11-23T18:58:00Z",
        "finished_at": if phase == "Running" { Value::Null } else { json!("2026-11-23T18:59:00Z") },
        "revision": "a10867b14bb761a232cd80139fbd4c0d33264240", "target_revision": "v1.1.0",
        "images": ["registry.harbor.test/shop:v1.1.0"], "health": "Progressing",
        "health_since": "2026-11-23T18:58:30Z", "initiated_by": "ada",
        "url": "https://argocd.harbor.test/applications/shop-production" })
}

pub fn pagerduty_incident(id: &str, event: &str) -> Value {
    json!({ "event": { "id": id, "event_type": event, "resource_type": "incident", "occurred_at": "2026-11-23T18:59:00.000Z",
        "agent": { "id": "PLH1HKV", "type": "user_reference" }, "client": null,
        "data": { "id": "PGR0VU2", "type": "incident", "number": 2, "status": "triggered", "title": "A little bump in the road",
            "urgency": "high", "service": { "id": "PSHOP01", "summary": "Shop", "type": "service_reference" } } } })
}

fn alertmanager_group() -> Value {
    let labels =
        json!({ "alertname": "HighErrorRate", "service": "shop", "environment": "production", "severity": "critical" });
    json!({
        "receiver": "tidegate", "status": "firing",
        "alerts": [{ "status": "firing", "labels": labels, "annotations": { "summary": "Payments fail" },
            "startsAt": "2026-11-23T18:58:00.000Z", "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.harbor.test/graph", "fingerprint": "c78ac9ca6da6fae2" }],
        "groupLabels": {}, "commonLabels": labels, "commonAnnotations": { "summary": "Payments fail" },
        "externalURL": "http://alertmanager.harbor.test", "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0
    })
}

/// Standard Webhooks.
pub fn standard(prefix: &str, secret: &str, body: &[u8], id: &str, at: Time) -> Vec<(String, String)> {
    let seconds = (at.ms() / SECOND).to_string();
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let signed = mac(&key, &[format!("{id}.{seconds}.").as_bytes(), body].concat());
    headers(&[
        (&format!("{prefix}-id"), id),
        (&format!("{prefix}-timestamp"), &seconds),
        (&format!("{prefix}-signature"), &format!("v1,{}", STANDARD.encode(signed))),
    ])
}

fn bearer(secret: &str) -> Vec<(String, String)> {
    headers(&[("authorization", &format!("Bearer {secret}"))])
}

fn hex(secret: &str, body: &[u8]) -> String {
    mac(secret.as_bytes(), body).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn headers(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The event that a story's own body stands for (`x`), where it is another than the example's.
fn text(body: &[u8], name: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body[name].as_str().map(str::to_owned)
}
