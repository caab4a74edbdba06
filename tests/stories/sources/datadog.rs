//! Load, health and minutes from a pretend Datadog.

use std::sync::LazyLock;

use serde_json::{Value, json};

use tidegate::advice::facts::{Health, Load, hour_of_week};
use tidegate::clock::{DAY, HOUR, MINUTE, Time};
use tidegate::source::{Answer, Ask, Learned, Opened, Question};

use super::{Case, Standing};
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case {
    kind: "datadog",
    stanza: "kind = 'datadog'\nurl = '{address}'\napi-key = { value = '{secret}' }\napplication-key = { value = 'app-{secret}' }\nrequests = 'sum:hits{service:{service},env:{environment}}.as_rate().rollup(sum, {step})'\nerrors = 'sum:errors{service:{service},env:{environment}}.as_rate().rollup(sum, {step})'\nlatency = 'p95:latency{service:{service}}.rollup(avg, {step})'\ndeployments = true\nmap = { shop = ['shop', 'shop-worker'] }",
};

/// Both versions of the API.
static DESCRIBED: LazyLock<Value> = LazyLock::new(|| {
    let read = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    let mut described = read(include_str!("../../data/datadog/v1.json"));
    let second = read(include_str!("../../data/datadog/v2.json"));
    let paths = described["paths"].as_object_mut().unwrap();
    paths.extend(second["paths"].as_object().unwrap().clone());
    described
});

const KEY: &str = "dd-story";

const MANNERS: Manners = Manners {
    prefix: "",
    credential: ("dd-api-key", "dd-story"),
    headers: &[("dd-application-key", "app-dd-story")],
    open: &[],
};

#[derive(Debug, Default)]
struct World {
    /// Nothing is measured from then on.
    silent_from: Option<Time>,
    answers: Option<Value>,
    /// Deployment events: an `id`, and attributes that are laid over the example's.
    deployed: Vec<Value>,
}

async fn pretend(world: World) -> Vendor<World> {
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

/// Four weeks of `shop`: 20 requests a second from 9 to 17 and 5 at other times, 1 % of which fail, 100 ms; in the last
/// twenty minutes 10 % fail and it takes 400 ms. Two series of requests make up the sum.
fn answer(world: &mut World, asked: &Asked) -> Reply {
    let mut told = asked.operation.example();
    if asked.id() == "ListDORADeployments" {
        let event = told["data"][0].clone();
        let query = asked.body.as_ref().unwrap()["data"]["attributes"]["query"].clone();
        assert_eq!(query, "service:(shop OR shop-worker) env:production");
        let over = |over: &Value| {
            let mut event = laid_over(event.clone(), json!({ "id": over.get("id").unwrap_or(&event["id"]) }));
            event["attributes"] = laid_over(event["attributes"].clone(), over.clone());
            event["attributes"].as_object_mut().unwrap().remove("id");
            event
        };
        told["data"] = world.deployed.iter().map(over).collect();
        return Reply::ok(told);
    }
    if let Some(answers) = &world.answers {
        return Reply::ok(laid_over(told, answers.clone()));
    }
    let query = asked.query("query").unwrap();
    let seconds = |name: &str| asked.query(name).unwrap().parse::<i64>().unwrap();
    let step: i64 = query.rsplit_once(", ").unwrap().1.trim_end_matches(')').parse().unwrap();
    assert!((seconds("to") - seconds("from")) / step <= 1_001, "too many points: Datadog would make them coarser");
    let value = |at: i64| {
        let at = Time::from_ms(at * 1_000);
        let hour = hour_of_week(at) % 24;
        let rate = if (9..17).contains(&hour) { 20.0 } else { 5.0 };
        let ill = source::now().since(at) <= 20 * MINUTE;
        match query {
            _ if query.starts_with("sum:hits{service:shop,env:production}") => rate,
            _ if query.starts_with("sum:errors") => rate * if ill { 0.1 } else { 0.01 },
            _ if ill => 0.4,
            _ => 0.1,
        }
    };
    let first = seconds("from").div_euclid(step) * step;
    let ends = world.silent_from.map_or(i64::MAX, |at| at.ms() / 1_000);
    let times = (first..seconds("to").min(ends)).step_by(usize::try_from(step).unwrap());
    let points = |share: f64| times.clone().map(|at| json!([at * 1_000, value(at) * share])).collect::<Vec<_>>();
    let series = |share: f64| json!({ "metric": "m", "interval": step, "pointlist": points(share), "scope": "*" });
    let mut all = if query.starts_with("p95:") { vec![series(1.0)] } else { vec![series(0.75), series(0.25)] };
    if !query.contains("service:shop") {
        all.clear();
    }
    told["series"] = all.into();
    told["query"] = json!(query);
    Reply::ok(told)
}

fn source_of(server: &Vendor<World>) -> Opened {
    source::opened(&CASE.filled(&server.address, KEY)).unwrap()
}

fn load(answer: Answer) -> Load {
    let Learned::Load(load) = answer.learned else { panic!("{answer:?}") };
    load
}

fn health(answer: Answer) -> Health {
    let Learned::Health(health) = answer.learned else { panic!("{answer:?}") };
    health
}

#[track_caller]
fn near(value: Option<f64>, wanted: f64) {
    let value = value.expect("a value");
    assert!((value - wanted).abs() <= wanted.abs() * 0.06, "{value} is not near {wanted}");
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, pretend(World::default()).await, KEY)
}

#[tokio::test]
async fn datadog_tells_the_usual_week_how_it_is_now_and_each_minute() {
    let server = pretend(World::default()).await;
    let source = source_of(&server);
    let noon = source::now();

    let load = load(source.ask(&source::asking(Question::Load, "")).await.unwrap());
    assert_eq!((load.week.len(), load.weeks), (168, 4));
    near(load.week[hour_of_week(noon)], 20.0);
    // Each hour is its own: it gets busy at nine.
    near(load.week[hour_of_week(noon) - 4], 5.0);
    near(load.week[hour_of_week(noon) - 3], 20.0);
    near(load.now.map(|(_, rate)| rate), 20.0);

    let target = "[service.shop.health]\ntarget-pct = 98.0";
    let answer = source.ask(&source::asking(Question::Health, target)).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let now = health(answer);
    near(now.errors, 0.1);
    near(now.latency_ms, 400.0);
    near(now.usual_errors, 0.01);
    near(now.usual_latency_ms, 100.0);
    near(now.budget_left, 0.5);
    assert_eq!(now.last_data, Some(noon));

    // Two days of minutes: more than one answer holds.
    let asking = Ask { from: noon.plus(-2 * DAY), to: noon.plus(HOUR), ..source::asking(Question::Series, "") };
    let answer = source.ask(&asking).await.unwrap();
    let Learned::Series(series) = answer.learned else { panic!("{answer:?}") };
    assert_eq!(series.minutes.len(), 2 * 24 * 60);
    assert_eq!(series.minutes.last().unwrap().at, noon.plus(-MINUTE));
    let yesterday = series.minutes.iter().find(|minute| minute.at == noon.plus(-DAY)).unwrap();
    near(Some(yesterday.requests), 1_200.0);
    near(Some(yesterday.errors), 12.0);
    near(yesterday.latency_ms, 100.0);
    near(series.minutes.last().map(|minute| minute.errors), 120.0);
    server.is_content();
}

#[tokio::test]
async fn what_is_not_measured_is_unknown_and_absent() {
    let noon = source::now();
    let server = pretend(World { silent_from: Some(noon.plus(-2 * HOUR)), ..World::default() }).await;
    let source = source_of(&server);
    let now = health(source.ask(&source::asking(Question::Health, "")).await.unwrap());
    assert_eq!((now.errors, now.requests, now.latency_ms), (None, None, None));
    assert!(now.last_data.is_some_and(|at| noon.since(at) >= 2 * HOUR - 10 * MINUTE), "{now:?}");
    let asking = Ask { from: noon.plus(-HOUR), ..source::asking(Question::Series, "") };
    assert_eq!(source.ask(&asking).await.unwrap().learned, Learned::Series(Default::default()));

    let elsewhere = Ask { service: "elsewhere".into(), ..source::asking(Question::Load, "") };
    let why = source.ask(&elsewhere).await.unwrap_err();
    assert_eq!(why.0, "has no data on the requests of `elsewhere` in the last 28 days");
    let hostile = Ask { service: "a} or {*".into(), ..source::asking(Question::Load, "") };
    let why = source.ask(&hostile).await.unwrap_err();
    assert!(why.0.starts_with("has a query for `requests` that does not fit"), "{why}");
    server.is_content();
}

#[tokio::test]
async fn an_error_in_spite_of_its_status_and_odd_points_are_not_values() {
    let server = pretend(World::default()).await;
    let source = source_of(&server);
    server.shared().world.answers = Some(json!({ "status": "error", "error": "words-of-the-server", "series": [] }));
    let why = source.ask(&source::asking(Question::Load, "")).await.unwrap_err();
    assert_eq!(why.0, "does not understand the query, or could not work it out");

    let noon = source::now().ms();
    let odd =
        json!([{ "pointlist": [[noon - 120_000, null], [-5, 3], [1e300, 3], [noon - 60_000, 7]], "interval": 60_000 }]);
    server.shared().world.answers = Some(json!({ "series": odd }));
    let load = load(source.ask(&source::asking(Question::Load, "")).await.unwrap());
    assert_eq!(load.now, Some((source::now(), 7.0)));

    server.shared().fault = Some(Reply(
        429,
        vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", "30".to_owned())],
        json!({}),
    ));
    let why = source.ask(&source::asking(Question::Load, "")).await.unwrap_err();
    assert_eq!(why.0, "has no questions left for this credential for another 30 s (429)");
    let why = source.ask(&source::asking(Question::Load, "")).await.unwrap_err();
    assert!(why.0.starts_with("asked for no more questions for another "), "{why}");

    for wrong in ["site = 'a/b'", "site = ''", "keys = 'a'"] {
        assert!(source::opened(&format!("{}\n{wrong}", CASE.filled(&server.address, KEY))).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn deployments_are_those_that_pipelines_sent_of_this_service_and_environment() {
    let worker = json!({ "id": "d-2", "service": "shop-worker", "started_at": "2026-11-12T10:00:00Z",
        "finished_at": "2026-11-12T09:00:00Z", "version": "", "git": { "commit_sha": "no commit", "repository_id": "" } });
    let deployed = vec![
        worker,
        json!({}),
        json!({ "env": "staging" }),
        json!({ "service": "till" }),
        json!({ "started_at": "soon" }),
    ];
    let server = pretend(World { deployed, ..World::default() }).await;
    let source = source_of(&server);
    let asking = Ask { from: source::now().plus(-30 * DAY), ..source::asking(Question::Deployments, "") };
    let answer = source.ask(&asking).await.unwrap();
    assert_eq!(answer.incomplete, ["1 deployment events do not read"]);
    let Learned::Deployments(told) = answer.learned else { panic!() };
    assert_eq!(told.len(), 2, "{told:#?}");
    let (first, second) = (&told[0], &told[1]);
    assert_eq!((first.id.as_str(), first.version.as_deref()), ("datadog-d-0123456789abcdef", Some("v1.1.0")));
    assert_eq!(first.commit.as_deref(), Some("66adc9350f2cc9b250b69abddab733dd55e1a588"));
    assert_eq!(first.at, Time::parse_rfc3339("2026-11-10T10:00:00Z").unwrap());
    assert_eq!(first.finished, Time::parse_rfc3339("2026-11-10T10:04:00Z"));
    assert_eq!((&second.version, &second.commit, second.finished), (&None, &None, None));
    server.is_content();

    let many = vec![json!({}); 1_000];
    let server = pretend(World { deployed: many, ..World::default() }).await;
    let answer = source_of(&server).ask(&asking).await.unwrap();
    assert_eq!(answer.incomplete, ["only the newest 1000 deployments were read"]);
}
