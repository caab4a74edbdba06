//! Other systems tell what happened: who is believed, what is stored, and what is looked at because of it.

mod jobs;
mod senders;

use std::time::Duration;

use serde_json::{Value, json};

use tidegate::clock::{SECOND, Time};

use self::senders::{ALL, Sender, github_deployment, gitlab_deployment, of, pagerduty_incident, standard};
use super::sources::pagerduty::world;
use crate::harness::prometheus::Running;
use crate::harness::{MONDAY_11, Story, eventually, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

fn now() -> Time {
    Time::parse_rfc3339(MONDAY_11).unwrap()
}

/// A small team that all senders tell.
fn told_by(senders: &[Sender]) -> Story {
    Story::begin(&(settings() + &senders.iter().map(Sender::stanza).collect::<String>()))
}

/// One delivery: its status and what was answered.
fn deliver(story: &Story, path: &str, headers: &[(String, String)], body: &[u8]) -> (u16, Value) {
    let mut all = vec![("Content-Type", "application/json")];
    all.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let (status, answer) = story.asks("POST", path, &all, body);
    (status, serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{path} {status}: {answer}")))
}

/// What a sender tells, signed as it should be and carried out to the end.
fn tells(story: &mut Story, sender: Sender, id: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string().into_bytes();
    let path = format!("/hooks/{}", sender.kind);
    let answer = deliver(story, &path, &sender.signed(&body, id, now()), &body);
    story.settle();
    answer
}

fn arrivals(story: &Story) -> i64 {
    story.number("select count(*) from work where kind = 'arrival'")
}

#[test]
fn each_sender_is_believed_by_its_own_proof_alone() {
    let story = told_by(ALL);
    for sender in ALL {
        let (kind, path) = (sender.kind, format!("/hooks/{}", sender.kind));
        let body = (sender.example)().to_string().into_bytes();
        let (right, another) = (sender.signed(&body, "d-1", now()), "whsec_AAAA");
        let before = arrivals(&story);
        let refused = |headers: &[(String, String)], body: &[u8], why: &str| {
            let (status, answer) = deliver(&story, &path, headers, body);
            assert_eq!((status, &answer["error"]["code"]), (401, &json!("unauthorized")), "{kind}, {why}: {answer}");
            answer
        };
        let constant = refused(&[], &body, "nothing");
        assert_eq!(constant, refused(&(sender.proof)(another, &body, "d-1", now()), &body, "another secret"));
        assert_eq!(constant, refused(&(sender.proof)("whsec_", &body, "d-1", now()), &body, "an empty secret"));
        assert_eq!(constant, refused(&[right.clone(), right.clone()].concat(), &body, "everything twice"));
        // What a body says is not looked at before who says it is known.
        assert_eq!(constant, refused(&(sender.proof)(another, b"{", "d-1", now()), b"{", "half a body"));
        let signs = !["gitlab", "argocd", "alertmanager", "jsm", "unleash"].contains(&kind);
        if signs {
            let other = [body.as_slice(), b" "].concat();
            assert_eq!(constant, refused(&right, &other, "another body"));
        }
        assert_eq!(arrivals(&story), before, "{kind}: nothing of it was stored");

        let (status, answer) = deliver(&story, &path, &right, &body);
        assert_eq!((status, &answer["ok"]), (200, &json!(true)), "{kind}: {answer}");
        assert_eq!(answer["says"], format!("{kind} heard of {}", sender.hears));
        let stored = arrivals(&story);
        assert!(stored > before, "{kind}");
        // Redelivered, a day later too.
        assert_eq!(deliver(&story, &path, &right, &body).0, 200);
        let named = deliver(&story, &format!("{path}/{kind}"), &right, &body);
        assert_eq!((named.0, arrivals(&story)), (200, stored), "{kind}: the same delivery is one event");
        assert_eq!(deliver(&story, &format!("{path}/another"), &right, &body).0, 401, "{kind}");
    }
    assert_eq!(story.asks("POST", "/hooks/nobody", &[("Content-Type", "application/json")], b"{}").0, 404);
    assert_eq!(story.asks("GET", "/hooks/github", &[], b"").0, 405);
    story.settle();
    // Each told of something once, and no secret was said anywhere.
    assert_eq!(story.number("select count(*) from heard where times = 1"), i64::try_from(ALL.len()).unwrap());
    let log = story.log();
    assert!(ALL.iter().all(|sender| !log.contains(sender.secret)), "{log}");
}

#[test]
fn a_signed_time_counts_for_five_minutes_either_way() {
    let sender = of("incident-io");
    let story = told_by(&[sender]);
    let body = (sender.example)().to_string().into_bytes();
    let status = |headers: Vec<(String, String)>| deliver(&story, "/hooks/incident-io", &headers, &body).0;
    for (seconds, expected) in [(-400, 401), (400, 401), (-200, 200), (200, 200)] {
        let at = now().plus(seconds * SECOND);
        assert_eq!(status(sender.signed(&body, "d-2", at)), expected, "{seconds}");
    }
    assert_eq!(status(standard("svix", sender.secret, &body, "d-3", now())), 200, "Svix's older names");
    let mut other = sender.signed(&body, "d-4", now());
    other[0].1 = "d-5".to_owned();
    assert_eq!(status(other), 401, "the id is signed too");
    story.settle();
}

#[test]
fn gitlabs_signing_token_is_never_taken_as_it_is_and_two_secrets_count_while_one_is_exchanged() {
    let sender = of("gitlab");
    let signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let two = format!("webhook = [{{ value = '{signing}' }}, {{ value = 'gl-old' }}]");
    let story =
        Story::begin(&(settings() + &sender.stanza().replace("webhook = { value = \"gl-story-secret\" }", &two)));
    let body = (sender.example)().to_string().into_bytes();
    let status = |headers: &[(String, String)]| deliver(&story, "/hooks/gitlab", headers, &body).0;
    assert_eq!(status(&standard("webhook", signing, &body, "d-1", now())), 200);
    assert_eq!(status(&(sender.proof)("gl-old", &body, "d-1", now())), 200);
    assert_eq!(status(&(sender.proof)(signing, &body, "d-1", now())), 401);
    assert_eq!(status(&(sender.proof)("gl-story-secret", &body, "d-1", now())), 401);
    story.settle();
}

#[test]
fn a_deployment_that_github_tells_begins_the_watch_of_its_plan_and_is_one_with_the_pipelines_word() {
    let hub = of("github");
    let mut story = told_by(&[hub]);
    story.says("ada", PLAN);
    let commit = story.plan("shop-1")["plan"]["commit"].as_str().unwrap().to_owned();
    let told = |state: &str| {
        let mut told = github_deployment(state, "v1.1.0");
        told["deployment"]["sha"] = json!(commit);
        told
    };
    for (n, state) in ["queued", "waiting", "pending", "inactive"].into_iter().enumerate() {
        let (status, answer) = tells(&mut story, hub, &format!("q-{n}"), &told(state));
        assert_eq!((status, &answer["event"]), (202, &Value::Null), "{answer}");
    }
    assert_eq!(story.plan("shop-1")["state"], "advised");
    tells(&mut story, hub, "d-1", &told("in_progress"));
    assert_eq!(story.plan("shop-1")["state"], "started", "{}", story.texts());
    // The pipeline says so too, in words of its own.
    story.reports(&json!({ "id": "ci-1", "status": "started", "service": "shop", "environment": "production", "version": "v1.1.0", "commit": commit }));
    tells(&mut story, hub, "d-2", &told("success"));
    tells(&mut story, hub, "d-2", &told("success"));
    story.reports(&json!({ "id": "ci-1", "status": "succeeded", "service": "shop", "environment": "production", "version": "v1.1.0", "commit": commit }));
    assert_eq!(story.plan("shop-1")["state"], "watching");
    assert_eq!(story.number("select count(*) from deployment"), 1);
    assert_eq!(story.number("select count(*) from work where key like 'look:%' and done_at is null"), 1);
    let told_by: Vec<Value> =
        story.ledger("shop-1").into_iter().filter(|e| e["kind"] == "deployment.succeeded").collect();
    assert_eq!(told_by.len(), 1, "{told_by:#?}");
    assert_eq!(told_by[0]["actor"]["system"], "hook:github", "{}", told_by[0]);
    assert_eq!(told_by[0]["data"]["external_id"], "github-145988746");
    assert_eq!(told_by[0]["data"]["actor"], "deploybot");
}

#[test]
fn deployments_that_nobody_planned_are_asked_about_and_unknown_targets_are_no_error() {
    let (lab, argo) = (of("gitlab"), of("argocd"));
    let mut story = told_by(&[lab, argo]);
    tells(&mut story, lab, "d-1", &gitlab_deployment("success", "staging"));
    tells(&mut story, argo, "", &senders::argocd_sync("Running"));
    tells(&mut story, argo, "", &senders::argocd_sync("Succeeded"));
    assert_eq!(story.number("select count(*) from deployment where status = 'succeeded'"), 2);
    assert_eq!(story.number("select count(*) from deployment"), 2);
    assert_eq!(story.texts().matches("without a plan. Whose").count(), 2, "{}", story.texts());
    let commit = "select commit_sha from deployment where source = 'gitlab'";
    assert_eq!(story.word_in_database(commit), "279484c09fbe69ededfced8c1bb6e6d24616b468");

    let (status, answer) = tells(&mut story, lab, "d-2", &gitlab_deployment("success", "review/42"));
    assert_eq!(status, 202, "{answer}");
    assert!(answer["says"].as_str().unwrap().contains("no environment `review/42`"), "{answer}");
    let mut other = senders::argocd_sync("Succeeded");
    other["application"] = json!("guestbook");
    let (status, answer) = tells(&mut story, argo, "", &other);
    assert_eq!(status, 202, "{answer}");
    assert!(answer["says"].as_str().unwrap().contains("`guestbook` is no service's"), "{answer}");
    let mut elsewhere = gitlab_deployment("success", "staging");
    elsewhere["project"]["path_with_namespace"] = json!("harbor/another");
    assert_eq!(tells(&mut story, lab, "d-3", &elsewhere).0, 202);
    assert_eq!(story.number("select count(*) from deployment"), 2);
}

#[test]
fn a_greeting_is_answered_and_what_is_not_read_costs_nothing() {
    let (hub, pager) = (of("github"), of("pagerduty"));
    let mut story = told_by(&[hub, pager]);
    let before = arrivals(&story);
    assert_eq!(
        tells(&mut story, hub, "p-1", &json!({ "x": "ping", "zen": "Half measures are as bad as nothing at all." })).0,
        200
    );
    assert_eq!(tells(&mut story, pager, "", &pagerduty_incident("p-2", "pagey.ping")).0, 200);
    let repository = json!({ "full_name": "harbor/shop" });
    for event in ["star", "fork", "workflow_job", "no such event", ""] {
        assert_eq!(tells(&mut story, hub, "s-1", &json!({ "x": event, "repository": repository })).0, 202, "{event}");
    }
    assert_eq!(tells(&mut story, pager, "", &pagerduty_incident("a-1", "incident.annotated")).0, 202);
    let mut unmapped = pagerduty_incident("a-2", "incident.triggered");
    unmapped["event"]["data"]["service"]["id"] = json!("PELSE01");
    let (status, answer) = tells(&mut story, pager, "", &unmapped);
    assert!(status == 202 && answer["says"].as_str().unwrap().contains("`map` names no service"), "{answer}");
    assert_eq!(arrivals(&story), before);
    assert!(story.log().contains("a webhook came to nothing"), "whoever keeps the settings hears of it");

    for (event, body) in [
        ("push", json!({ "ref": "refs/heads/main" })),
        ("pull_request_review", json!({ "action": "submitted" })),
        ("check_suite", json!({ "action": "completed" })),
        ("status", json!({ "state": "success" })),
        ("issues", json!({ "action": "closed", "issue": { "labels": [{ "name": "Incident" }] } })),
    ] {
        let mut told = json!({ "x": event, "repository": repository });
        told.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        assert_eq!(tells(&mut story, hub, event, &told).0, 200, "{event}");
    }
    let question = json!({ "x": "issues", "action": "closed", "issue": { "labels": [] }, "repository": repository });
    assert_eq!(tells(&mut story, hub, "i-2", &question).0, 202, "an issue that is no incident");
}

/// A team whose PagerDuty is asked rarely, and tells by itself; and the runtime that the pretend one runs on.
fn paged() -> (tokio::runtime::Runtime, world::PagerDuty, Story) {
    tidegate::http::provide_tls();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(world::open(world::World::default()));
    let stanza = of("pagerduty").stanza().replace("http://127.0.0.1:9", &server.address);
    let stanza = stanza.replace("{ value = 't' }", &format!("{{ value = '{}' }}", world::TOKEN));
    let story = Story::begin(&(settings() + &stanza + "keep = '1h'\nanswers = ['incidents']\n"));
    (runtime, server, story)
}

#[test]
fn an_incident_makes_a_new_revision_of_a_waiting_plan_at_once_though_answers_are_kept_for_long() {
    let (_runtime, server, mut story) = paged();
    story.says("ada", PLAN);
    story.advances(60);
    server.shared().world.incidents = vec![json!({ "incident_number": 482, "title": "Payments fail",
        "created_at": "2026-11-23T10:58:00Z", "service": { "id": "PSHOP01", "type": "service_reference" } })];
    // Nobody tells: the kept answer stands, however often the plan is looked at.
    story.advances(11 * 60);
    assert_eq!(story.plan("shop-1")["revision"], 1);
    let (status, answer) = tells(&mut story, of("pagerduty"), "", &pagerduty_incident("e-1", "incident.triggered"));
    assert_eq!(status, 200, "{answer}");
    story.settle();
    eventually("a revision that says why", || story.plan("shop-1")["revision"] == 2);
    assert!(story.texts().contains("Payments fail"), "{}", story.texts());
}

#[test]
fn a_burst_of_news_is_one_look() {
    let (_runtime, server, mut story) = paged();
    story.says("ada", PLAN);
    let asked = || server.shared().requests.len();
    let (before, began) = (asked(), std::time::Instant::now());
    // Within moments of the first look, thirty times, at once and one after the other.
    for n in 0..30 {
        let body = pagerduty_incident(&format!("b-{n}"), "incident.acknowledged").to_string().into_bytes();
        let sender = of("pagerduty");
        assert_eq!(deliver(&story, "/hooks/pagerduty", &sender.signed(&body, "", now()), &body).0, 200);
    }
    story.settle();
    story.advances(6);
    assert_eq!(story.number("select times from heard where service = 'shop'"), 30);
    // One look asks for what is open and for what was resolved; a slow machine may have had time for more than one.
    let looks = |from: usize| (asked() - from) as u64 / 2;
    let most = 2 + began.elapsed().as_secs() / 5;
    assert!((1..=most).contains(&looks(before)), "{} of {most}: {:#?}", looks(before), server.shared().requests);
    let quiet = asked();
    story.advances(20);
    assert_eq!(looks(quiet), 0, "and then it is quiet again");
}

#[test]
fn a_real_alertmanager_reaches_the_watch() {
    let config = |address: &str| {
        format!(
            "route: {{receiver: tidegate, group_wait: 0s, group_by: [alertname, service]}}\nreceivers:\n- name: tidegate\n  webhook_configs:\n  - url: {address}/hooks/alertmanager\n    send_resolved: true\n    http_config: {{authorization: {{credentials: am-story-secret}}}}\n"
        )
    };
    let Some(manager) = Running::alertmanager(&config("http://127.0.0.1:9")) else { return };
    let stanza = of("alertmanager").stanza().replace("http://127.0.0.1:9", &manager.url);
    let mut story = Story::begin(&(settings() + &stanza));
    std::fs::write(manager.folder.path().join("alertmanager.yml"), config(&story.address)).unwrap();
    post(&format!("{}/-/reload", manager.url), &Value::Null);
    story.says("ada", PLAN);
    story.reports(&json!({ "id": "ci-1", "status": "succeeded", "service": "shop", "environment": "production", "version": "v1.1.0" }));
    assert_eq!(story.number("select count(*) from deployment where watch_body is not null"), 0, "not looked at yet");
    let alert = |service: &str| json!([{ "labels": { "alertname": "HighErrorRate", "service": service, "environment": "production" } }]);
    post(&format!("{}/api/v2/alerts", manager.url), &alert("search"));
    post(&format!("{}/api/v2/alerts", manager.url), &alert("shop"));
    eventually("a look", || story.number("select count(*) from deployment where watch_body is not null") == 1);
    assert_eq!(story.number("select count(*) from heard"), 1);
    story.settle();
}

fn post(url: &str, body: &Value) {
    tidegate::http::provide_tls();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = tidegate::http::trusted(Duration::from_secs(10)).unwrap();
        let answer = client.post(url).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{url}: {}", answer.status());
    });
}

#[test]
fn hostile_bodies_of_known_senders_never_break_anything() {
    let story = told_by(ALL);
    let nested = format!("{}1{}", "{\"alerts\":[".repeat(5_000), "]}".repeat(5_000));
    let long = "x".repeat(5_000);
    for sender in ALL {
        let path = format!("/hooks/{}", sender.kind);
        let example = (sender.example)();
        let mut bodies: Vec<Vec<u8>> = [
            &b""[..],
            b"null",
            b"[]",
            b"3",
            b"\"x\"",
            b"{}",
            b"{",
            b"\xff\xfe",
            b"{\"event\":\"\\u0000\"}",
            nested.as_bytes(),
        ]
        .map(<[u8]>::to_vec)
        .to_vec();
        // Every value of the example in turn is something else, and then something else again.
        let wrong = [
            json!(null),
            json!(-1),
            json!([[]]),
            json!({ "a": 1 }),
            json!(long),
            json!("\u{202e}\n@everyone"),
            json!(1e300),
        ];
        bodies.extend(places(&example).iter().enumerate().flat_map(|(n, place)| {
            [n, n + 3].map(|n| {
                let mut changed = example.clone();
                *changed.pointer_mut(place).unwrap() = wrong[n % wrong.len()].clone();
                changed.to_string().into_bytes()
            })
        }));
        for (n, body) in bodies.iter().enumerate() {
            let (status, answer) = deliver(&story, &path, &sender.signed(body, &format!("h-{n}"), now()), body);
            assert!([200, 202, 400].contains(&status), "{path} {status}: {answer} {}", String::from_utf8_lossy(body));
        }
        let huge = vec![b' '; 10 << 20];
        let (status, answer) = deliver(&story, &path, &sender.signed(&huge, "h", now()), &huge);
        assert_eq!((status, &answer["error"]["code"]), (413, &json!("too-large")));
        let body = example.to_string().into_bytes();
        let mut plain: Vec<(String, String)> = sender.signed(&body, "h", now());
        plain.push(("Content-Type".to_owned(), "text/plain".to_owned()));
        let all: Vec<(&str, &str)> = plain.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(story.asks("POST", &path, &all, &body).0, 415, "{path}");
    }
    story.settle();
    let (code, out, _) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}");
    assert!(!story.texts().contains("@everyone\n"));
}

/// Where each value of a body stands.
fn places(body: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match body {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(all) => all.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let below = |(name, value): (String, &Value)| {
        let places = places(value).into_iter().map(|place| format!("/{name}{place}"));
        std::iter::once(format!("/{name}")).chain(places.collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    inner.into_iter().flat_map(below).collect()
}
