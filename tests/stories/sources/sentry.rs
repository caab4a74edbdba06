//! Issues and crashes, from a pretend Sentry.

use std::sync::LazyLock;

use serde_json::{Value, json};

use tidegate::advice::facts::{Alert, Health};
use tidegate::clock::{DAY, HOUR, MINUTE, Time};
use tidegate::source::{Answer, Ask, Learned, Opened, Question};

use super::{Case, Standing};
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case {
    kind: "sentry",
    stanza: "kind = 'sentry'\norganization = 'harbor'\nurl = '{address}'\ntoken = { value = '{secret}' }\nrelease = '{service}@{version}'",
};

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/sentry/api.json")).unwrap());

const TOKEN: &str = "sntrys_story";

const MANNERS: Manners =
    Manners { prefix: "/api/0", credential: ("authorization", "Bearer sntrys_story"), headers: &[], open: &[] };

/// Values over the example of an issue, and sessions by hour: when it began, how many, which share did not crash.
#[derive(Debug, Default)]
struct World {
    new: Vec<Value>,
    regressed: Vec<Value>,
    more: bool,
    sessions: Vec<(Time, Option<f64>, Option<f64>)>,
    groups: usize,
}

async fn pretend(world: World) -> Vendor<World> {
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    if asked.value("organization") != "harbor" || asked.query("project") != Some("shop") {
        return Reply::status(404);
    }
    if asked.id() == "querySessions" {
        let mut told = asked.operation.example();
        told["intervals"] = world.sessions.iter().map(|(at, ..)| at.rfc3339()).collect();
        let series = json!({
            "sum(session)": world.sessions.iter().map(|(_, count, _)| *count).collect::<Vec<_>>(),
            "crash_free_rate(session)": world.sessions.iter().map(|(_, _, free)| *free).collect::<Vec<_>>(),
        });
        let group = json!({ "by": {}, "totals": {}, "series": series });
        told["groups"] = vec![group; world.groups].into();
        return Reply::ok(told);
    }
    let example = asked.operation.example_of_one();
    let regressed = asked.query("query").unwrap().contains("is:regressed");
    let stories = if regressed { &world.regressed } else { &world.new };
    let link = format!("<https://sentry.io/x>; rel=\"next\"; results=\"{}\"; cursor=\"0:100:0\"", world.more);
    let body = stories.iter().map(|story| laid_over(example.clone(), story.clone())).collect();
    Reply(200, vec![("link", link)], body)
}

fn source_of(server: &Vendor<World>) -> Opened {
    source::opened(&CASE.filled(&server.address, TOKEN)).unwrap()
}

fn alerts(answer: &Answer) -> &[Alert] {
    let Learned::Alerts(alerts) = &answer.learned else { panic!("{answer:?}") };
    alerts
}

async fn health(server: &Vendor<World>) -> Health {
    let answer = source_of(server).ask(&source::asking(Question::Health, "")).await.unwrap();
    let Learned::Health(health) = answer.learned else { panic!("{answer:?}") };
    health
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, pretend(World { groups: 1, ..World::default() }).await, TOKEN)
}

#[tokio::test]
async fn issues_that_are_new_or_came_back_are_told_by_release() {
    let world = World {
        new: vec![
            json!({ "id": "7", "shortId": "SHOP-7", "title": "Total\u{202e} is\nundefined", "level": "fatal",
                "firstSeen": "2026-11-23T09:00:00Z", "count": "150", "userCount": 12 }),
            // Whatever may be missing is.
            json!({ "id": "8", "shortId": null, "title": null, "level": null, "count": null, "userCount": null,
                "permalink": "javascript:alert(1)", "firstSeen": "2026-11-23T10:00:00Z" }),
        ],
        regressed: vec![
            json!({ "id": "7", "shortId": "SHOP-7" }),
            json!({ "id": "9", "shortId": "SHOP-9", "firstSeen": "2024-01-01T00:00:00Z", "lastSeen": "2026-11-23T11:58:00.123456Z" }),
        ],
        ..World::default()
    };
    let server = pretend(world).await;
    let source = source_of(&server);
    let asking = Ask { running: Some("v1.2".to_owned()), ..source::asking(Question::Alerts, "") };
    let answer = source.ask(&asking).await.unwrap();
    let told: Vec<&str> = alerts(&answer).iter().map(|alert| alert.name.as_str()).collect();
    assert_eq!((told.as_slice(), &answer.incomplete), (["SHOP-7", "8", "SHOP-9"].as_slice(), &Vec::new()));
    let [new, bare, back] = alerts(&answer) else { panic!("{answer:?}") };
    assert_eq!(new.summary.as_deref(), Some("new: Total is undefined, 150 events, 12 users"));
    assert_eq!((new.severity.as_deref(), new.since.rfc3339().as_str()), (Some("fatal"), "2026-11-23T09:00:00Z"));
    assert!(new.link.as_deref().is_some_and(|link| link.starts_with("https://harbor.sentry.io/")), "{new:?}");
    assert_eq!((bare.summary.as_deref(), &bare.link), (Some("new: without a title"), &None));
    assert!(back.summary.as_deref().is_some_and(|says| says.starts_with("came back: ")), "{back:?}");
    assert!(source::now().since(back.since) < 3 * MINUTE, "{back:?}");

    // Without knowing what runs, it is the latest release that Sentry knows; and there may be more than was read.
    server.shared().world.more = true;
    let answer = source.ask(&source::asking(Question::Alerts, "")).await.unwrap();
    assert_eq!(answer.incomplete, ["only the first 100 issues of a kind were read"]);
    server.is_content();
    let requests = server.shared().requests.join("\n");
    for asked in
        ["firstRelease%3A%22shop%40v1.2%22", "firstRelease%3Alatest", "is%3Aregressed", "environment=production"]
    {
        assert!(requests.contains(asked), "{asked} in {requests}");
    }
    assert!(requests.lines().all(|asked| asked.starts_with("/api/0/organizations/harbor/issues/?")), "{requests}");
}

#[tokio::test]
async fn the_share_of_sessions_that_crash_is_told_beside_the_usual() {
    // A week of 1,000 sessions an hour of which 1 in 500 crashes; now 1 in 20.
    let first = source::now().plus(-8 * DAY);
    let hours = (0..=8 * 24).map(|hour| first.plus(hour * HOUR));
    let free = |at: Time| if source::now().since(at) < 2 * HOUR { 0.95 } else { 0.998 };
    let sessions: Vec<_> = hours.map(|at| (at, Some(1000.0), Some(free(at)))).collect();
    let server = pretend(World { sessions, groups: 1, ..World::default() }).await;
    let told = health(&server).await;
    let near = |value: Option<f64>, wanted: f64| value.is_some_and(|value| (value - wanted).abs() < 1e-6);
    assert!(near(told.errors, 0.05) && near(told.usual_errors, 0.002), "{told:?}");
    assert_eq!((told.requests, told.counts.as_deref()), (Some(2000.0), Some("sessions crash")));
    assert_eq!((told.last_data, told.latency_ms), (Some(source::now()), None));

    // An hour without sessions has no rate, and an hour that nobody counted is no hour without sessions.
    server.shared().world.sessions.iter_mut().rev().take(3).for_each(|hour| (hour.1, hour.2) = (Some(0.0), None));
    let told = health(&server).await;
    assert_eq!((told.errors, told.requests), (None, Some(0.0)));
    assert!(told.last_data.is_some_and(|at| source::now().since(at) >= 2 * HOUR), "{told:?}");
    server.shared().world.sessions.iter_mut().rev().take(3).for_each(|hour| (hour.1, hour.2) = (None, None));
    assert_eq!(health(&server).await.requests, None);

    server.shared().world.groups = 0;
    let told = health(&server).await;
    assert_eq!((told.errors, told.requests, told.last_data), (None, None, None));
    server.is_content();
}

#[tokio::test]
async fn a_project_that_sentry_does_not_know_is_said_by_name() {
    let server = pretend(World::default()).await;
    let source = source_of(&server);
    for question in [Question::Alerts, Question::Health] {
        let elsewhere = Ask { service: "elsewhere".into(), ..source::asking(question, "") };
        let why = source.ask(&elsewhere).await.unwrap_err();
        assert_eq!(why.0, "knows no project `elsewhere` with this environment, or may not see it (404)");
    }
    let stanza = CASE.filled(&server.address, TOKEN).replace("'harbor'", "'har/bor'");
    assert!(source::opened(&stanza).is_err());
}
