//! Jobs that GitHub holds by a deployment protection rule, from the webhook to the answer, against a pretend GitHub that
//! holds every request against GitHub's own description.

use serde_json::{Value, json};

use super::super::sources::github::world::{self, Github, World};
use super::{PLAN, arrivals, deliver, now, of, tells};
use crate::harness::{Story, settings};

const RUN: u64 = 23_625_057_533;

/// A team whose production on GitHub is protected by Tidegate's App, and the runtime that the pretend GitHub runs on.
fn protected() -> (tokio::runtime::Runtime, Github, Story) {
    protected_with("")
}

fn protected_with(more: &str) -> (tokio::runtime::Runtime, Github, Story) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(world::open(World { lasting: true, ..World::default() }));
    let story = Story::begin(&(settings() + &stanza(&server.address, more)));
    (runtime, server, story)
}

fn stanza(address: &str, more: &str) -> String {
    // A key that was made for the tests of Google calendars alone; it opens nothing.
    let file: Value = serde_json::from_str(include_str!("../../data/google-calendar/key.json")).unwrap();
    let key = file["private_key"].as_str().unwrap();
    let secret = of("github").secret;
    format!(
        "\n[[source]]\nkind = 'github'\nname = 'github'\nrepository = 'harbor/shop'\nurl = '{address}'\nanswers = []\n\
         services = ['shop']\nwebhook = {{ value = \"{secret}\" }}\n[source.protection]\napp-id = '12'\n{more}\n\
         map = {{ 'prod-eu' = 'production', 'shop-live' = 'shop/production' }}\nprivate-key = {{ value = '''{key}''' }}\n"
    )
}

/// What GitHub sends, cut down to what it is about; the fields are those of its documentation.
fn asks(server: &Github, commit: &str, deployment: u64) -> Value {
    json!({
        "x": "deployment_protection_rule", "action": "requested", "environment": "prod-eu", "event": "push",
        "deployment_callback_url":
            format!("{}/repos/Harbor/shop/actions/runs/{RUN}/deployment_protection_rule", server.address),
        "deployment": { "id": deployment, "sha": commit, "ref": "main", "task": "deploy", "payload": {},
            "environment": "prod-eu", "created_at": "2026-11-23T18:59:00Z", "creator": { "login": "ada-h", "id": 1 } },
        "pull_requests": [],
        "repository": { "id": 186_853_002, "name": "shop", "full_name": "Harbor/shop",
            "html_url": "https://github.com/Harbor/shop" },
        "installation": { "id": 77 },
        "sender": { "login": "ada-h", "id": 1 }
    })
}

/// The commit of a plan that ada makes.
fn planned(story: &mut Story) -> String {
    story.says("ada", PLAN);
    story.plan("shop-1")["plan"]["commit"].as_str().unwrap().to_owned()
}

fn begun(story: &mut Story) {
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
}

/// What GitHub was told that decides something.
fn decisions(server: &Github) -> Vec<Value> {
    let told = server.shared().world.told.clone();
    told.into_iter().filter(|(_, told)| told.get("state").is_some()).map(|(_, told)| told).collect()
}

/// Kind and verdict of each entry about jobs.
fn entries(story: &Story) -> Vec<String> {
    let (code, out, _) = story.runs_with(&["audit", "export"], &[], "");
    assert_eq!(code, 0);
    let lines = out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let entries = lines.filter_map(|line| serde_json::from_str::<Value>(line["bytes"].as_str()?).ok());
    let jobs = entries.filter(|entry| entry["kind"].as_str().is_some_and(|kind| kind.starts_with("job.")));
    jobs.map(|entry| format!("{} {}", entry["kind"].as_str().unwrap(), entry["verdict"].as_str().unwrap_or("-")))
        .collect()
}

fn verifies(story: &Story) {
    let (code, out, _) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}");
}

#[test]
fn a_job_that_waits_is_let_through_by_a_reaction_and_a_start() {
    let (_runtime, server, mut story) = protected();
    let commit = planned(&mut story);
    let hub = of("github");
    let (status, answer) = tells(&mut story, hub, "d-1", &asks(&server, &commit, 9));
    assert_eq!((status, answer["says"].as_str()), (200, Some("github heard of a job that waits")), "{answer}");
    assert!(story.texts().contains("waits for this plan. It goes on when the gate says yes"), "{}", story.texts());
    let told = server.shared().world.told.clone();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((told[0].0, &told[0].1["environment_name"], told[0].1.get("state")), (RUN, &json!("prod-eu"), None));
    assert!(told[0].1["comment"].as_str().unwrap().contains("(plan shop-1) waits: Missing: "), "{told:#?}");

    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    let said = server.shared().world.told.last().unwrap().1["comment"].as_str().unwrap().to_owned();
    assert!(said.contains("nobody has said start"), "{said}");
    assert_eq!(decisions(&server), Vec::<Value>::new());
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
    let decided = decisions(&server);
    assert_eq!(decided.len(), 1, "{decided:#?} {}", story.log());
    assert_eq!((&decided[0]["environment_name"], &decided[0]["state"]), (&json!("prod-eu"), &json!("approved")));
    let comment = decided[0]["comment"].as_str().unwrap();
    assert!(comment.contains(&commit[..7]) && comment.contains("Approved by lin (lead)"), "{comment}");
    assert!(story.texts().contains("was let through."), "{}", story.texts());

    // Redelivered, and told again under another id: the same job.
    tells(&mut story, hub, "d-1", &asks(&server, &commit, 9));
    tells(&mut story, hub, "d-2", &asks(&server, &commit, 9));
    story.advances(3_600);
    assert_eq!(decisions(&server).len(), 1);
    assert_eq!(entries(&story), ["job.waits -", "job.answered approved", "job.told taken"]);
    // A run that is tried again is another job, and the plan that was begun lets it through too.
    tells(&mut story, hub, "d-3", &asks(&server, &commit, 10));
    assert_eq!(decisions(&server).len(), 2);
    {
        let world = &server.shared().world;
        assert_eq!(world.tokens, 1, "one token is kept for all of it");
        assert_eq!(world.tokens_for[0], json!({ "repositories": ["shop"], "permissions": { "deployments": "write" } }));
    }
    server.is_content();
    verifies(&story);
    // What a job would deploy cannot be changed in the table unseen.
    story
        .by_hand("update job set commit_sha = 'ffffffffffffffffffffffffffffffffffffffff' where deployment = '10'")
        .unwrap();
    let (code, out, _) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("\"projection\""), "{out}");
}

#[test]
fn an_objection_a_cancelled_plan_and_time_that_is_over_refuse_the_job() {
    let (_runtime, server, mut story) = protected();
    let commit = planned(&mut story);
    let hub = of("github");
    tells(&mut story, hub, "d-1", &asks(&server, &commit, 1));
    let card = story.card();
    story.reacts("noor", &card, "no_entry");
    let decided = decisions(&server);
    assert_eq!(decided.len(), 1, "{} {}", story.texts(), story.log());
    assert_eq!(decided[0]["state"], "rejected");
    assert!(decided[0]["comment"].as_str().unwrap().contains("noor objected."), "{decided:#?}");
    story.unreacts("noor", &card, "no_entry");

    tells(&mut story, hub, "d-2", &asks(&server, &commit, 2));
    assert_eq!(decisions(&server).len(), 1, "it waits again");
    story.says("ada", "/deploy cancel shop-1");
    let decided = decisions(&server);
    assert_eq!((decided.len(), &decided[1]["state"]), (2, &json!("rejected")), "{decided:#?}");
    assert!(decided[1]["comment"].as_str().unwrap().contains("The plan was cancelled."), "{decided:#?}");

    // Nobody planned it again: a day later it is refused.
    tells(&mut story, hub, "d-3", &asks(&server, &commit, 3));
    story.advances(86_000);
    assert_eq!(decisions(&server).len(), 2);
    story.advances(600);
    let decided = decisions(&server);
    assert_eq!((decided.len(), &decided[2]["state"]), (3, &json!("rejected")), "{decided:#?}");
    let comment = decided[2]["comment"].as_str().unwrap();
    assert!(comment.starts_with("Nobody decided on commit ") && comment.contains("2026-11-24 11:00 PST"), "{comment}");
    assert_eq!(story.texts().matches("was refused.").count(), 3, "{}", story.texts());
    server.is_content();
    verifies(&story);
}

#[test]
fn a_job_that_nobody_planned_is_told_to_the_owners_once_and_never_let_through_by_another_commits_plan() {
    let (_runtime, server, mut story) = protected();
    planned(&mut story);
    begun(&mut story);
    let hub = of("github");
    let other = "4f2c91a1b2c3d4e5f60718293a4b5c6d7e8f9012";
    tells(&mut story, hub, "d-1", &asks(&server, other, 1));
    tells(&mut story, hub, "d-2", &asks(&server, other, 1));
    story.advances(1_800);
    let texts = story.texts();
    assert_eq!(texts.matches("and nobody planned it").count(), 1, "{texts}");
    assert!(texts.contains("@ada A job of Harbor/shop (run 23625057533)"), "{texts}");
    assert!(texts.contains("waits for shop in production, 4f2c91a (main)"), "{texts}");
    assert_eq!(decisions(&server), Vec::<Value>::new());
    // What the settings do not know is told to whoever keeps them, once.
    let mut unknown = asks(&server, other, 2);
    unknown["environment"] = json!("moon");
    tells(&mut story, hub, "d-3", &unknown);
    unknown["deployment"]["id"] = json!(3);
    tells(&mut story, hub, "d-4", &unknown);
    let texts = story.texts();
    assert_eq!(texts.matches("waits at its environment `moon`").count(), 1, "{texts}");
    server.is_content();
    verifies(&story);
}

#[test]
fn only_what_github_signed_about_this_repository_at_this_api_is_heard() {
    let (_runtime, server, mut story) = protected();
    let commit = planned(&mut story);
    begun(&mut story);
    let hub = of("github");
    let before = arrivals(&story);
    let body = asks(&server, &commit, 1).to_string().into_bytes();
    let forged = (hub.proof)("another", &body, "d-1", now());
    assert_eq!(deliver(&story, "/hooks/github", &forged, &body).0, 401);
    let elsewhere = |url: String| {
        let mut body = asks(&server, &commit, 1);
        body["deployment_callback_url"] = json!(url);
        body
    };
    let path = |of: &str| format!("/repos/{of}/actions/runs/7/deployment_protection_rule");
    let mut odd = vec![
        elsewhere(format!("https://evil.test{}", path("harbor/shop"))),
        elsewhere(format!("http://127.0.0.1:9{}", path("harbor/shop"))),
        elsewhere(format!("{}{}", server.address, path("harbor/other"))),
        elsewhere(format!("{}/repos/harbor/shop/actions/runs/7", server.address)),
    ];
    for (place, value) in
        [("/deployment/sha", json!("main")), ("/deployment/id", json!({})), ("/environment", json!(""))]
    {
        let mut body = asks(&server, &commit, 1);
        *body.pointer_mut(place).unwrap() = value;
        odd.push(body);
    }
    for (n, body) in odd.iter().enumerate() {
        let (status, answer) = tells(&mut story, hub, &format!("o-{n}"), body);
        assert_eq!((status, &answer["event"]), (202, &Value::Null), "{answer}");
    }
    assert_eq!(arrivals(&story), before, "nothing of it was stored");
    assert!(server.shared().requests.is_empty(), "and nobody was asked: {:?}", server.shared().requests);
}

#[test]
fn an_answer_outlives_githubs_failure_and_a_kill_and_is_given_once() {
    let (_runtime, server, mut story) = protected();
    let commit = planned(&mut story);
    tells(&mut story, of("github"), "d-1", &asks(&server, &commit, 1));
    server.shared().fault = Some(crate::harness::vendor::Reply::status(503));
    begun(&mut story);
    assert_eq!(decisions(&server), Vec::<Value>::new());
    story.kill();
    story.start("2026-11-23T11:10:00-08:00");
    story.settle();
    story.advances(200);
    let texts = story.texts();
    assert_eq!(texts.matches("should be told \"approved\", and cannot be since").count(), 1, "{texts}");
    server.shared().fault = None;
    story.kill();
    story.start("2026-11-23T11:30:00-08:00");
    story.settle();
    story.advances(600);
    let decided = decisions(&server);
    assert_eq!((decided.len(), &decided[0]["state"]), (1, &json!("approved")), "{decided:#?} {}", story.log());
    assert_eq!(entries(&story), ["job.waits -", "job.answered approved", "job.told taken"]);
    server.is_content();
    verifies(&story);
}

#[test]
fn a_yes_that_could_not_be_told_in_time_is_taken_back() {
    let (_runtime, server, mut story) = protected();
    let commit = planned(&mut story);
    tells(&mut story, of("github"), "d-1", &asks(&server, &commit, 1));
    server.shared().fault = Some(crate::harness::vendor::Reply::status(503));
    begun(&mut story);
    story.reports(&json!({ "id": "ci-1", "status": "succeeded", "service": "shop", "environment": "production", "version": "v1.1.0", "commit": commit }));
    server.shared().fault = None;
    story.advances(600);
    let decided = decisions(&server);
    assert_eq!((decided.len(), &decided[0]["state"]), (1, &json!("rejected")), "{decided:#?} {}", story.log());
    let entries = entries(&story);
    assert_eq!(entries, ["job.waits -", "job.answered approved", "job.answered rejected", "job.told taken"]);
    verifies(&story);
}

#[test]
fn a_token_that_was_withdrawn_is_replaced_a_run_that_is_over_is_left_and_a_missing_permission_is_told_at_once() {
    let (_runtime, server, mut story) = protected();
    let commit = planned(&mut story);
    begun(&mut story);
    let hub = of("github");
    server.shared().world.answers = vec![401];
    tells(&mut story, hub, "d-1", &asks(&server, &commit, 1));
    assert_eq!((decisions(&server).len(), server.shared().world.tokens), (1, 2), "{}", story.log());

    server.shared().world.answers = vec![404];
    tells(&mut story, hub, "d-2", &asks(&server, &commit, 2));
    story.advances(600);
    assert_eq!(decisions(&server).len(), 1, "it is not tried again");
    let texts = story.texts();
    assert!(texts.contains("but github no longer waits for an answer about this job (404)."), "{texts}");

    server.shared().world.answers = vec![403, 403];
    tells(&mut story, hub, "d-3", &asks(&server, &commit, 3));
    let texts = story.texts();
    assert!(texts.contains("the App needs the permission Deployments, read and write"), "{texts}");
    story.advances(60);
    assert_eq!(decisions(&server).len(), 1);
    story.advances(600);
    assert_eq!(decisions(&server).len(), 2, "when somebody has mended it");
    assert_eq!(story.texts().matches("the permission Deployments, read and write").count(), 1);
    let entries = entries(&story);
    assert_eq!(
        entries[2..],
        [
            "job.told taken",
            "job.waits -",
            "job.answered approved",
            "job.told refused",
            "job.waits -",
            "job.answered approved",
            "job.told taken"
        ]
    );
    server.is_content();
    verifies(&story);
}

#[test]
fn check_says_whether_the_app_could_answer() {
    let (_runtime, server, story) = protected();
    let line = |story: &Story| {
        let (_, out, _) = story.runs_with(&["check"], &[], "");
        let told = out.lines().find(|line| line.contains("github (protection)"));
        told.unwrap_or_else(|| panic!("{out}")).to_owned()
    };
    let may = "may answer deployment protection rules of harbor/shop, with `deployments: write` and nothing else";
    assert_eq!(line(&story), format!("on     github (protection): {may}"));
    for (status, says) in
        [(401, "refused the"), (404, "has no such repository, or the App is not installed on it (404)"), (503, "(503)")]
    {
        server.shared().fault = Some(crate::harness::vendor::Reply::status(status));
        let line = line(&story);
        assert!(line.starts_with("wrong  github (protection): ") && line.contains(says), "{status}: {line}");
        assert!(line.contains("an App that is installed on the repository"), "{line}");
    }
    let other = story.settings().replace("'shop/production'", "'shop/moon'").replace("webhook =", "# webhook =");
    std::fs::write(story.folder.path().join("tidegate.toml"), other).unwrap();
    let (code, out, _) = story.runs_with(&["check"], &[], "");
    assert_eq!(code, 1);
    assert!(out.contains("`shop-live` stands for `shop/moon`, which the settings do not know"), "{out}");
    assert!(out.contains("wrong  github (protection): without `webhook` no job is ever heard of"), "{out}");
}
