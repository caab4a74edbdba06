//! What code hosts, PagerDuty and Argo CD say, where a token is in the environment.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Place, repository};
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

static GITHUB: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/init/github.json")).unwrap());
static PAGERDUTY: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/init/pagerduty.json")).unwrap());
static ARGOCD: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/init/argocd.json")).unwrap());
static GITLAB: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/init/gitlab.json")).unwrap());

const TOKEN: &str = "hush-hush-hush";

fn manners(prefix: &'static str, credential: (&'static str, &'static str)) -> Manners {
    Manners { prefix, credential, headers: &[], open: &[] }
}

async fn github() -> Vendor<()> {
    let manners = Manners {
        headers: &[("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")],
        ..manners("", ("authorization", "Bearer hush-hush-hush"))
    };
    Vendor::open(&GITHUB, manners, (), |(), asked: &Asked| {
        if asked.query("page").is_some_and(|page| page != "1") {
            return Reply::ok(json!([]));
        }
        let one = || asked.operation.example_of_one();
        Reply::ok(match asked.id() {
            "repos/get" => laid_over(asked.operation.example(), json!({ "full_name": "harbor/shop" })),
            "repos/get-all-environments" => {
                let example = asked.operation.example()["environments"][0].clone();
                let of = |name: &str, rules: Value| {
                    laid_over(example.clone(), json!({ "name": name, "protection_rules": rules }))
                };
                let environments = json!([
                    of("production", json!([{ "type": "required_reviewers" }])),
                    of("staging", json!([])),
                    of("github-pages", json!([]))
                ]);
                json!({ "total_count": 3, "environments": environments })
            }
            "repos/list-commits" => {
                let mut commit = one();
                commit["commit"]["author"]["email"] = json!("ada@harbor.test");
                commit["author"]["login"] = json!("ada-b");
                json!([commit])
            }
            "teams/list-members-in-org" => json!([laid_over(one(), json!({ "login": "lin-c" }))]),
            _ => json!([laid_over(one(), json!({ "full_name": "harbor/ledger" }))]),
        })
    })
    .await
}

async fn pagerduty() -> Vendor<()> {
    Vendor::open(&PAGERDUTY, manners("", ("authorization", "Token token=hush-hush-hush")), (), |(), asked: &Asked| {
        let mut page = asked.operation.example();
        if asked.id() == "listServices" {
            let one = page["services"][0].clone();
            let of = |id: &str, name: &str| laid_over(one.clone(), json!({ "id": id, "name": name, "summary": name }));
            page["services"] =
                json!([of("PCHECK1", "Checkout (production)"), of("POTHER1", "x\n[people.evil]\nname = \"\u{202e}\"")]);
        }
        if asked.id() == "listUsers" {
            let one = page["users"][0].clone();
            page["users"] =
                json!([laid_over(one.clone(), json!({ "email": "Grace@harbor.test", "name": "Grace H." })), one]);
        }
        Reply::ok(page)
    })
    .await
}

async fn argocd() -> Vendor<()> {
    Vendor::open(&ARGOCD, manners("", ("authorization", "Bearer hush-hush-hush")), (), |(), asked: &Asked| {
        let mut page = asked.operation.example();
        let one = page["items"][0].clone();
        page["items"] = json!([laid_over(one.clone(), json!({ "metadata": { "name": "checkout-prod" } })), one]);
        Reply::ok(page)
    })
    .await
}

fn said(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let (code, out, said) = place.runs(arguments, variables);
    assert!(!out.contains(TOKEN) && !said.contains(TOKEN), "{out}{said}");
    (code, said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_systems_say_is_proposed_where_the_names_agree() {
    let (github, pagerduty, argocd) = (github().await, pagerduty().await, argocd().await);
    let place = Place::new();
    repository(&place.path("shop.git"), "git@github.com:harbor/shop.git");
    let sources = [("github", &github), ("pagerduty", &pagerduty), ("argocd", &argocd)]
        .map(|(k, s)| format!("{k}={}", s.address));
    let mut arguments = vec!["init", "shop.git"];
    sources.iter().for_each(|source| arguments.extend(["--source", source]));
    let tokens = [("GITHUB_TOKEN", TOKEN), ("TIDEGATE_PAGERDUTY_TOKEN", TOKEN), ("ARGOCD_AUTH_TOKEN", TOKEN)];
    let (code, told) = said(&place, &arguments, &tokens);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("2 services, 2 environments, 3 people, 3 sources"), "{told}");
    let (text, settings) = (place.text(), place.settings());
    assert!(!text.contains(TOKEN) && !text.contains('\u{202e}') && !settings.people.contains_key("evil"), "{text}");
    for part in [
        "repository = \"harbor/shop\"",
        "token = { env = \"GITHUB_TOKEN\" }",
        "token = { env = \"ARGOCD_AUTH_TOKEN\" }",
        "map = { checkout = [\"PCHECK1\"] }",
        "on-call = { checkout = { escalation-policies = [\"PT20YPA\"] } }",
        "applications = { \"checkout/production\" = \"checkout-prod\" }",
        "it is protected at GitHub",
        "# Other services there: POTHER1 x [people.evil]",
        "a user of PagerDuty, as Grace H.",
        "# - Earline Greenholt <125.greenholt.earline@graham.name>",
    ] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    // GitHub knows who is behind the address, and who is in the team.
    assert_eq!(settings.people["ada"].email, ["77+ada-b@users.noreply.github.com", "ada@harbor.test"]);
    assert_eq!(settings.people["ada"].logins, ["ada-b"]);
    let owners: Vec<&str> = settings.service["checkout"].owners.iter().map(|owner| owner.as_str()).collect();
    assert_eq!(owners, ["grace", "lin-c"]);
    for server in [&github, &pagerduty, &argocd] {
        server.is_content();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_that_does_not_answer_is_named_and_nothing_else_is_lost() {
    let (github, pagerduty) = (github().await, pagerduty().await);
    github.shared().fault = Some(Reply::status(401));
    pagerduty.shared().fault = Some(Reply(200, Vec::new(), json!("<html>")));
    let place = Place::new();
    repository(&place.path("shop.git"), "git@github.com:harbor/shop.git");
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sources = [
        format!("github={}", github.address),
        format!("pagerduty={}", pagerduty.address),
        format!("argocd=http://{gone}"),
    ];
    let mut arguments = vec!["init", "shop.git"];
    sources.iter().for_each(|source| arguments.extend(["--source", source]));
    let tokens = [("GITHUB_TOKEN", TOKEN), ("TIDEGATE_PAGERDUTY_TOKEN", TOKEN), ("ARGOCD_AUTH_TOKEN", TOKEN)];
    let (code, told) = said(&place, &arguments, &tokens);
    assert_eq!(code, 0, "{told}");
    for part in ["harbor/shop: it refused the token (401)", "a web page instead of data", "refused the connection"] {
        assert!(told.contains(part) && place.text().contains(part), "{part}: {told}");
    }
    let settings = place.settings();
    assert_eq!((settings.service.len(), settings.source.len()), (2, 1), "{}", place.text());
    assert_eq!(place.runs(&["check"], &[]).0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_goes_only_where_a_person_sends_it() {
    // The remote is on a server that calls itself a GitHub; nobody named it.
    let github = github().await;
    let place = Place::new();
    repository(&place.path("shop.git"), &format!("{}/harbor/shop.git", github.address));
    let nowhere = [("GITHUB_TOKEN", TOKEN), ("GITHUB_API_URL", "http://127.0.0.1:9/")];
    let (code, told) = said(&place, &["init", "shop.git"], &nowhere);
    assert_eq!(code, 0, "{told}");
    assert!(github.shared().requests.is_empty());
    assert!(told.contains("asked for harbor/shop: it refused the connection"), "{told}");
    for (source, says) in [
        ("github=ftp://x", "no web address"),
        ("github=https://ada:hush-hush-hush@x.test", "no web address"),
        ("slack", "init can ask github, gitlab, pagerduty, argocd"),
        ("argocd", "needs an address"),
        ("pagerduty", "needs a token in TIDEGATE_PAGERDUTY_TOKEN"),
    ] {
        let (code, told) = said(&place, &["init", "--stdout", "--source", source], &nowhere);
        assert!(code == 2 && told.contains(says), "{source}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_on_a_gitlab_of_ones_own_is_known_by_the_address_that_was_given() {
    let gitlab = Vendor::open(&GITLAB, manners("/api/v4", ("private-token", TOKEN)), (), |(), asked: &Asked| {
        let last = asked.query("page").is_some_and(|page| page != "1");
        let named = |name: &str| laid_over(asked.operation.example_of_one(), json!({ "name": name }));
        Reply::ok(match asked.id() {
            "project" => laid_over(asked.operation.example(), json!({ "path_with_namespace": asked.value("id") })),
            _ if last => json!([]),
            _ => json!([named("prod"), named("review/a"), named("canary")]),
        })
    })
    .await;
    let place = Place::new();
    repository(&place.path("shop.git"), "ssh://git@127.0.0.1:22/harbor/web/shop.git");
    let source = format!("gitlab={}", gitlab.address);
    let (code, told) = said(&place, &["init", "shop.git", "--source", &source], &[("GITLAB_TOKEN", TOKEN)]);
    assert_eq!(code, 0, "{told}");
    let text = place.text();
    for part in [
        "project = \"harbor/web/shop\"",
        "GitLab calls it `prod`",
        "# - the environment `canary` of harbor/web/shop at GitLab",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert!(!text.contains("review/a"), "{text}");
    place.settings();
    gitlab.is_content();
}
