//! Alerts: a real Alertmanager that a real Prometheus tells of them, and a pretend one.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use tidegate::advice::facts::{Alert, AlertState};
use tidegate::clock::{Clock, HOUR};
use tidegate::source::{Answer, Ask, Learned, Opened, Question};

use super::{Case, Standing};
use crate::harness::prometheus::Running;
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case {
    kind: "alertmanager",
    stanza: "kind = 'alertmanager'\nurl = '{address}'\ntoken = { value = '{secret}' }\nheartbeat = 'Watchdog'",
};

const SETTINGS: &str = "[environment.production]\n[environment.staging]\n";

fn asking() -> Ask {
    source::asking(Question::Alerts, SETTINGS)
}

fn alerts(answer: &Answer) -> &[Alert] {
    let Learned::Alerts(alerts) = &answer.learned else { panic!("{answer:?}") };
    alerts
}

/// Asks again and again until it is as the story waits for it; Prometheus and Alertmanager take their time.
async fn until(source: &Opened, ask: impl Fn() -> Ask, is_so: impl Fn(&Answer) -> bool) -> Answer {
    let began = Instant::now();
    loop {
        let answer = source.ask(&ask()).await.unwrap();
        if is_so(&answer) {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{answer:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

const RULES: &str = r#"
groups:
- name: story
  rules:
  - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
  - {alert: HighErrorRate, expr: vector(1), labels: {service: shop, environment: production, severity: critical}, annotations: {summary: 'Payments fail'}}
  - {alert: SlowPages, expr: vector(1), labels: {service: shop, environment: production, severity: warning}}
  - {alert: DiskFull, expr: vector(1), labels: {service: shop, severity: warning, disk: orders}}
  - {alert: OnlyStaging, expr: vector(1), labels: {service: shop, environment: staging, severity: critical}}
  - {alert: AnotherService, expr: vector(1), labels: {service: search, environment: production, severity: critical}}
"#;

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, pretend(World::default()).await, TOKEN)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_alertmanager_tells_what_fires_and_what_is_silenced() {
    let servers = tokio::task::spawn_blocking(|| {
        // While errors are high, nobody needs to hear that pages are slow: inhibited, and firing all the same.
        let manager = Running::alertmanager(
            "route: {receiver: nobody, group_wait: 0s}\nreceivers: [{name: nobody}]\ninhibit_rules:\n- {source_matchers: ['alertname=\"HighErrorRate\"'], target_matchers: ['alertname=\"SlowPages\"'], equal: [service]}\n",
        )?;
        let target = manager.url.trim_start_matches("http://").to_owned();
        let alerting = format!("alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{target}']}}]}}]}}\n");
        Some((manager, Running::evaluating(RULES, &alerting)))
    });
    let Some((manager, prometheus)) = servers.await.unwrap() else { return };
    let stanza = format!("kind = 'alertmanager'\nurl = '{}'\nheartbeat = 'Watchdog'", manager.url);
    let source = source::opened(&stanza).unwrap();
    let clock = Clock::system();
    let ask = || Ask { now: clock.now(), ..asking() };
    let names = |answer: &Answer| alerts(answer).iter().map(|alert| alert.name.clone()).collect::<Vec<_>>();

    let answer = until(&source, ask, |answer| alerts(answer).len() == 3 && answer.incomplete.is_empty()).await;
    let mut told = names(&answer);
    told.sort();
    assert_eq!(told, ["DiskFull", "HighErrorRate", "SlowPages"], "{answer:?}");
    let high = alerts(&answer).iter().find(|alert| alert.name == "HighErrorRate").unwrap();
    assert_eq!((high.severity.as_deref(), high.summary.as_deref()), (Some("critical"), Some("Payments fail")));
    assert_eq!((high.state, high.silenced), (AlertState::Firing, None));
    assert!(high.since <= clock.now() && clock.now().since(high.since) < HOUR, "{high:?}");
    assert!(high.link.as_deref().is_some_and(|link| link.contains("/graph?")), "{high:?}");

    // Somebody knows of it, and somebody else works on the whole service.
    let silence = |matchers: Value| {
        let now = clock.now();
        json!({ "matchers": matchers, "startsAt": now.rfc3339(), "endsAt": now.plus(HOUR).rfc3339(), "createdBy": "ada",
            "comment": "we know" })
    };
    let equal = |name: &str, value: &str| json!({ "name": name, "value": value, "isRegex": false, "isEqual": true });
    let client = tidegate::http::trusted(Duration::from_secs(5)).unwrap();
    let post = |body: Value| client.post(format!("{}/api/v2/silences", manager.url)).json(&body).send();
    assert!(
        post(silence(json!([equal("alertname", "HighErrorRate"), equal("service", "shop")])))
            .await
            .unwrap()
            .status()
            .is_success()
    );
    assert!(post(silence(json!([equal("service", "search")]))).await.unwrap().status().is_success());
    let is_silenced = |answer: &Answer| alerts(answer).iter().any(|a| a.state.is_firing() && a.silenced.is_some());
    let answer = until(&source, ask, is_silenced).await;
    let muted: Vec<&Alert> = alerts(&answer).iter().filter(|alert| !alert.state.is_firing()).collect();
    assert_eq!(muted.len(), 1, "the other service's silence is not ours: {answer:?}");
    assert_eq!((muted[0].name.as_str(), muted[0].summary.as_deref()), ("HighErrorRate", Some("ada: we know")));
    let high = alerts(&answer).iter().find(|alert| alert.name == "HighErrorRate" && alert.state.is_firing()).unwrap();
    assert_eq!(high.silenced, muted[0].silenced);
    assert!(high.silenced.is_some_and(|until| until > clock.now()));

    // What is over fires no longer; and where the alert that always fires is gone, quiet is no all-clear.
    std::fs::write(prometheus.folder.path().join("rules.yml"), "groups: []\n").unwrap();
    assert!(client.post(format!("{}/-/reload", prometheus.url)).send().await.unwrap().status().is_success());
    let over = |answer: &Answer| !alerts(answer).iter().any(|alert| alert.state.is_firing());
    let answer = until(&source, ask, over).await;
    assert!(answer.incomplete.iter().any(|gap| gap.contains("`Watchdog`, which always fires, does not")), "{answer:?}");
}

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/alertmanager/v2.json")).unwrap());

const TOKEN: &str = "am-story-token";

const MANNERS: Manners =
    Manners { prefix: "/api/v2", credential: ("authorization", "Bearer am-story-token"), headers: &[], open: &[] };

/// Labels of what fires with the story's values over the example, and silences.
#[derive(Debug, Default)]
struct World {
    alerts: Vec<Value>,
    silences: Vec<Value>,
}

async fn pretend(world: World) -> Vendor<World> {
    Vendor::open(&DESCRIBED, MANNERS, world, |world, asked: &Asked| {
        let example = asked.operation.example_of_one();
        let over = |all: &[Value]| all.iter().map(|story| laid_over(example.clone(), story.clone())).collect();
        match asked.id() {
            "getAlerts" if asked.query("filter").is_some_and(|f| f == "alertname=\"Watchdog\"") => {
                Reply::ok(json!([example]))
            }
            "getAlerts" => Reply::ok(over(&world.alerts)),
            _ => Reply::ok(over(&world.silences)),
        }
    })
    .await
}

fn source_of(server: &Vendor<World>) -> Opened {
    source::opened(&CASE.filled(&server.address, TOKEN)).unwrap()
}

#[tokio::test]
async fn the_question_names_the_service_and_nothing_in_the_answer_is_believed() {
    let world = World {
        alerts: vec![
            json!({ "labels": { "alertname": "\u{202e}evil\n\n<!channel>", "service": "shop", "severity": "x".repeat(500) },
                "annotations": { "description": "d".repeat(5_000) }, "generatorURL": "javascript:alert(1)" }),
            // Nothing but what the description demands; a silence that is not among those that were read.
            json!({ "labels": {}, "annotations": {}, "generatorURL": null,
                "status": { "state": "suppressed", "silencedBy": ["gone"], "inhibitedBy": [], "mutedBy": [] } }),
            json!({ "labels": { "alertname": "Elsewhere", "environment": "prod-eu" } }),
        ],
        silences: vec![
            json!({ "matchers": [{ "name": "service", "value": "shop|search", "isRegex": true, "isEqual": true }],
                "comment": "m".repeat(5_000) }),
            json!({ "id": "2", "matchers": [{ "name": "service", "value": "((", "isRegex": true }] }),
            json!({ "id": "3", "status": { "state": "expired" }, "matchers": [{ "name": "service", "value": "shop", "isRegex": false }] }),
            json!({ "id": "4", "matchers": [{ "name": "team", "value": "payments", "isRegex": false }] }),
            json!({ "id": "5", "matchers": [{ "name": "environment", "value": "staging", "isRegex": false, "isEqual": false }] }),
        ],
    };
    let server = pretend(world).await;
    let answer = source_of(&server).ask(&asking()).await.unwrap();
    let firing: Vec<&Alert> = alerts(&answer).iter().filter(|alert| alert.state.is_firing()).collect();
    assert_eq!(firing.len(), 2, "{answer:?}");
    let evil = firing.iter().find(|alert| alert.name.contains("evil")).unwrap();
    assert!(evil.name.chars().all(|c| c != '\n' && c != '\u{202e}') && evil.link.is_none(), "{evil:?}");
    assert!(
        evil.severity.as_ref().unwrap().chars().count() <= 41 && evil.summary.as_ref().unwrap().chars().count() <= 201
    );
    let bare = firing.iter().find(|alert| alert.name == "without a name").unwrap();
    assert_eq!((bare.silenced, &bare.severity), (Some(source::now()), &None));
    let muted: Vec<&Alert> = alerts(&answer).iter().filter(|alert| !alert.state.is_firing()).collect();
    assert_eq!(muted.iter().map(|alert| alert.name.as_str()).collect::<Vec<_>>(), ["", ""], "{muted:?}");
    assert!(muted[0].summary.as_ref().unwrap().chars().count() <= 300);
    assert_eq!(
        answer.incomplete,
        [
            "alerts of `prod-eu` were left out: the settings have no such environment",
            "a silence has a pattern that was not understood"
        ]
    );
    server.is_content();
    let shared = server.shared();
    assert!(
        shared.requests.iter().any(|asked| asked == "/api/v2/alerts?filter=service%3D%22shop%22"),
        "{:?}",
        shared.requests
    );
    assert!(shared.requests.iter().any(|asked| asked == "/api/v2/silences?expired=false"), "{:?}", shared.requests);
}

#[tokio::test]
async fn labels_are_the_teams_own_and_many_alerts_are_bounded() {
    let alerts_of = |n: usize| {
        let one = |i: usize| json!({ "labels": { "alertname": format!("A{i:03}"), "team_service": "shop", "env": "staging", "prio": "p1" } });
        (0..n).map(one).collect::<Vec<_>>()
    };
    let server = pretend(World { alerts: alerts_of(150), silences: Vec::new() }).await;
    let labels = "\nservice-label = 'team_service'\nenvironment-label = ''\nseverity-label = 'prio'";
    let source = source::opened(&format!("{}{labels}", CASE.filled(&server.address, TOKEN))).unwrap();
    let answer = source.ask(&asking()).await.unwrap();
    assert_eq!(alerts(&answer).len(), 100);
    assert_eq!(alerts(&answer)[0].severity.as_deref(), Some("p1"));
    assert_eq!(answer.incomplete, ["of 150 alerts that fire the first 100 were read"]);
    assert!(
        answer.link.as_deref().is_some_and(|link| link.contains("#/alerts?filter=%7Bteam_service%3D%22shop%22%7D"))
    );

    // In another environment than those that the label names.
    let source =
        source::opened(&format!("{}\nenvironment-label = 'env'", CASE.filled(&server.address, TOKEN))).unwrap();
    let answer = source.ask(&asking()).await.unwrap();
    assert!(alerts(&answer).is_empty() && answer.incomplete.is_empty(), "{answer:?}");

    for wrong in ["service-label = 'a b'", "environment-label = '1'", "severity-label = ''", "labels = 'a'"] {
        let stanza = format!("{}\n{wrong}", CASE.filled(&server.address, TOKEN));
        assert!(source::opened(&stanza).is_err(), "{wrong}");
    }
    server.is_content();
}
