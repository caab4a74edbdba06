//! The metrics source against a real Prometheus, and against servers that misbehave.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::get;

use crate::harness::source as harness;
use tidegate::advice::facts::{Health, Load, hour_of_week};
use tidegate::clock::{DAY, HOUR, MINUTE, Time};
use tidegate::config::Settings;
use tidegate::source::{Answer, Ask, CannotSay, Learned, Minute, Opened, Question};

use crate::harness::faults::Expired;
use crate::harness::prometheus::{Prometheus as Server, Told};

/// A Friday noon.
fn noon() -> Time {
    Time::parse_rfc3339("2026-11-20T12:00:00Z").unwrap()
}

/// Four weeks of `checkout`: 20 requests a second from 9 to 17 and 5 at other times, 1 % of which fail, 100 ms; in the
/// last twenty minutes 10 % fail and it takes 400 ms. Nothing was measured two days ago from 10 to 11.
fn four_weeks() -> Server {
    let label = |more: &str| format!("service=\"checkout\",env=\"production\"{more}");
    let (mut well, mut failed, mut slow) = (Vec::new(), Vec::new(), Vec::new());
    let (mut good, mut bad) = (0.0, 0.0);
    let mut at = noon().plus(-28 * DAY - 2 * HOUR);
    while at <= noon() {
        let hour = hour_of_week(at) % 24;
        let rate = if (9..17).contains(&hour) { 20.0 } else { 5.0 };
        let ill = noon().since(at) < 20 * MINUTE;
        let share = if ill { 0.1 } else { 0.01 };
        good += rate * 60.0 * (1.0 - share);
        bad += rate * 60.0 * share;
        let gap = at >= noon().plus(-2 * DAY - 2 * HOUR) && at < noon().plus(-2 * DAY - HOUR);
        if !gap {
            let seconds = at.ms() / 1000;
            well.push((seconds, good));
            failed.push((seconds, bad));
            slow.push((seconds, if ill { 0.4 } else { 0.1 }));
        }
        at = at.plus(MINUTE);
    }
    Server::remembering(&[
        Told { name: "http_requests_total", labels: &label(",code=\"200\""), samples: well },
        Told { name: "http_requests_total", labels: &label(",code=\"500\""), samples: failed },
        Told { name: "latency_seconds", labels: &label(""), samples: slow },
    ])
}

pub const CASE: super::Case = super::Case {
    kind: "prometheus",
    stanza: "kind = 'prometheus'\nurl = '{address}'\ntoken = { value = '{secret}' }\nrequests = 'sum(a)'\nerrors = 'sum(b)'\nlatency = 'c'\ntickets = 'd'",
};

const QUERIES: &str = r#"
    requests = 'sum by (code) (rate(http_requests_total{service="{service}",env="{environment}"}[2m]))'
    errors = 'sum(rate(http_requests_total{service="{service}",env="{environment}",code=~"5.."}[2m]))'
    latency = 'latency_seconds{service="{service}"}'
    link = 'https://graphs.example.org/d/{service}?env={environment}'
"#;

fn source(url: &str, queries: &str) -> Opened {
    source_within(url, queries, Duration::from_secs(2))
}

fn source_within(url: &str, queries: &str, timeout: Duration) -> Opened {
    harness::opened_within(&format!("kind = 'prometheus'\nurl = '{url}'\n{queries}"), timeout).unwrap()
}

fn asking(question: Question, service: &str, more: &str) -> Ask {
    let settings =
        Settings::read(&format!("[team]\nname = 'Story'\nzone = 'UTC'\n{more}"), "story", ".".into()).unwrap();
    Ask {
        question,
        settings: Arc::new(settings),
        service: service.into(),
        environment: "production".into(),
        version: None,
        running: None,
        names: Vec::new(),
        change: None,
        from: noon().plus(-2 * DAY - 3 * HOUR),
        to: noon().plus(HOUR),
        now: noon(),
        fresh: false,
    }
}

async fn ask(source: &Opened, question: Question) -> Result<Answer, CannotSay> {
    source.ask(&asking(question, "checkout", "")).await
}

fn load(answer: Answer) -> Load {
    match answer.learned {
        Learned::Load(load) => load,
        other => panic!("{other:?}"),
    }
}

fn health(answer: Answer) -> Health {
    match answer.learned {
        Learned::Health(health) => health,
        other => panic!("{other:?}"),
    }
}

fn minutes(answer: Answer) -> Vec<Minute> {
    match answer.learned {
        Learned::Series(series) => series.minutes,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn near(value: Option<f64>, wanted: f64) {
    let value = value.expect("a value");
    assert!((value - wanted).abs() <= wanted.abs() * 0.05, "{value} is not near {wanted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_tells_the_usual_week_how_it_is_now_and_each_minute() {
    let server = tokio::task::spawn_blocking(four_weeks).await.unwrap();
    let source = source(&server.url, QUERIES);

    let answer = ask(&source, Question::Load).await.unwrap();
    assert_eq!(answer.link.as_deref(), Some("https://graphs.example.org/d/checkout?env=production"));
    let load = load(answer);
    assert_eq!((load.week.len(), load.weeks), (168, 4));
    near(load.week[hour_of_week(noon())], 20.0);
    near(load.week[hour_of_week(noon()) - 10], 5.0);
    assert!(load.week.iter().all(Option::is_some), "an hour missing once is there in other weeks");
    let (at, now) = load.now.unwrap();
    assert_eq!(at, noon());
    near(Some(now), 20.0);

    let now = health(ask(&source, Question::Health).await.unwrap());
    near(now.errors, 0.1);
    near(now.latency_ms, 400.0);
    near(now.usual_errors, 0.01);
    near(now.usual_latency_ms, 100.0);
    assert_eq!((now.last_data, now.budget_left), (Some(noon()), None));
    let target = "[service.checkout.health]\ntarget-pct = 98.0";
    let with_target = source.ask(&asking(Question::Health, "checkout", target)).await.unwrap();
    near(health(with_target).budget_left, 0.5);

    let answer = ask(&source, Question::Series).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let minutes = minutes(answer);
    let gap = minutes.iter().filter(|m| m.at >= noon().plus(-2 * DAY - 2 * HOUR + 3 * MINUTE));
    assert_eq!(gap.clone().next().unwrap().at, noon().plus(-2 * DAY - HOUR + MINUTE - MINUTE), "the gap is absent");
    let first = minutes.iter().find(|m| m.at == noon().plus(-DAY)).unwrap();
    near(Some(first.requests), 1200.0);
    near(Some(first.errors), 12.0);
    near(first.latency_ms, 100.0);
    let last = minutes.last().unwrap();
    assert_eq!(last.at, noon().plus(-MINUTE));
    near(Some(last.errors), 120.0);

    // What nothing is known of is not well, and not idle.
    let elsewhere = |question| asking(question, "elsewhere", "");
    let why = source.ask(&elsewhere(Question::Load)).await.unwrap_err();
    assert_eq!(why.0, "has no data on the requests of `elsewhere` in the last 28 days");
    assert_eq!(health(source.ask(&elsewhere(Question::Health)).await.unwrap()), Health::default());
    assert_eq!(self::minutes(source.ask(&elsewhere(Question::Series)).await.unwrap()), []);

    // After the last measurement it soon has nothing to say about now.
    let later = Ask { now: noon().plus(2 * HOUR), ..asking(Question::Load, "checkout", "") };
    assert_eq!(self::load(source.ask(&later).await.unwrap()).now, None);
    let later = Ask { question: Question::Health, ..later };
    let later = health(source.ask(&later).await.unwrap());
    assert_eq!((later.errors, later.requests), (None, None));
    assert!(later.last_data.is_some_and(|at| noon().since(at).abs() <= 10 * MINUTE), "{later:?}");

    let own = "[service.checkout.health]\nrequests = 'sum(rate(nonsense'";
    let why = source.ask(&asking(Question::Load, "checkout", own)).await.unwrap_err();
    assert_eq!(why.0, "does not understand the query");
    let none = self::source(&server.url, "");
    assert_eq!(ask(&none, Question::Load).await.unwrap_err().0, "has no query for the requests of `checkout`");
}

#[tokio::test]
async fn a_metrics_server_that_misbehaves_is_unknown_with_the_reason() {
    let app = Router::new()
        .route("/hang/api/v1/query_range", get(|| async { futures::future::pending::<()>().await }))
        .route("/html/api/v1/query_range", get(|| async { Html("<html>sign in</html>") }))
        .route("/rubbish/api/v1/query_range", get(|| async { "\u{0}\u{1}{]" }))
        .route("/redirect/api/v1/query_range", get(|| async { Redirect::temporary("https://example.org/") }))
        .route("/down/api/v1/query_range", get(|| async { StatusCode::SERVICE_UNAVAILABLE }))
        .route(
            "/token/api/v1/query_range",
            get(|headers: HeaderMap| async move {
                match headers.get("authorization").and_then(|value| value.to_str().ok()) {
                    Some("Bearer right-token") => {
                        r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#.into_response()
                    }
                    _ => (StatusCode::UNAUTHORIZED, "wrong-token is no token").into_response(),
                }
            }),
        )
        .route(
            "/huge/api/v1/query_range",
            get(|| async {
                let chunk = axum::body::Bytes::from(vec![b' '; 1 << 20]);
                let endless = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
                Body::from_stream(endless)
            }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let token = |token: &str| format!("{QUERIES}\ntoken = {{ value = '{token}' }}");
    for (url, queries, why) in [
        (format!("http://me:hush@{address}/hang"), QUERIES.to_owned(), "did not answer in time"),
        (format!("http://{address}/html/"), QUERIES.to_owned(), "answered with a web page instead of data"),
        (
            format!("http://{address}/rubbish"),
            QUERIES.to_owned(),
            "answered with something that is not Prometheus' format",
        ),
        (
            format!("http://{address}/redirect"),
            QUERIES.to_owned(),
            "answered with a redirect (307), which is not followed",
        ),
        (format!("http://{address}/down"), QUERIES.to_owned(), "answered with an error (503)"),
        (format!("http://{address}/nowhere"), QUERIES.to_owned(), "has nothing at this address (404)"),
        (format!("http://{address}/huge"), QUERIES.to_owned(), "answered with more than 10 MB"),
        (format!("http://{address}/token"), token("wrong-token"), "refused the token (401)"),
        (format!("http://me:hush@{gone}"), QUERIES.to_owned(), "refused the connection"),
    ] {
        // Ten megabytes take their time on a busy machine.
        let timeout = Duration::from_secs(if url.ends_with("/hang") { 2 } else { 20 });
        let source = source_within(&url, &queries, timeout);
        for question in [Question::Load, Question::Health, Question::Series] {
            assert_eq!(ask(&source, question).await.unwrap_err().0, why, "{url}");
        }
        assert!(!format!("{source:?}").contains("hush"));
    }
    let source = source(&format!("http://{address}/token"), &token("right-token"));
    assert_eq!(health(ask(&source, Question::Health).await.unwrap()), Health::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_named() {
    let server = Expired::begin();
    let source = source(&format!("https://localhost:{}", server.port), QUERIES);
    assert_eq!(ask(&source, Question::Load).await.unwrap_err().0, "has a certificate that has expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_of_a_metric_are_counted_by_day() {
    let (mut total, mut samples) = (0.0, Vec::new());
    let mut at = noon().plus(-20 * DAY);
    while at <= noon() {
        // Three times as many on the 15th; nothing was measured on the 17th.
        let day = &at.rfc3339()[8..10];
        total += if day == "15" { 3.0 } else { 1.0 };
        if day != "17" {
            samples.push((at.ms() / 1000, total));
        }
        at = at.plus(HOUR);
    }
    let told =
        move || Server::remembering(&[Told { name: "tickets_total", labels: "component=\"checkout\"", samples }]);
    let server = tokio::task::spawn_blocking(told).await.unwrap();
    let tickets = "tickets = 'sum(increase(tickets_total{component=\"{service}\"}[1d]))'";
    let source = source(&server.url, &format!("{QUERIES}\n{tickets}"));
    let ask = Ask { from: noon().plus(-10 * DAY), ..asking(Question::Support, "checkout", "") };
    let answer = source.ask(&ask).await.unwrap();
    let Learned::Support(found) = answer.learned else { panic!() };
    let count = |day: &str| found.days.iter().find(|(at, _)| at.rfc3339().starts_with(day)).map(|(_, n)| *n);
    assert!(count("2026-11-14").is_some_and(|n| (23..=27).contains(&n)), "{found:?}");
    assert!(count("2026-11-15").is_some_and(|n| (68..=75).contains(&n)), "{found:?}");
    assert_eq!((count("2026-11-17"), count("2026-11-20")), (None, None), "not measured, and not over: {found:?}");
    assert_eq!(found.days.first().map(|(at, _)| at.rfc3339()).as_deref(), Some("2026-11-10T00:00:00Z"));
    assert_eq!(answer.incomplete, ["it counted tickets on 9 of 10 days"]);
    let other = source.ask(&asking(Question::Support, "search", "")).await.unwrap_err().0;
    assert_eq!(other, "has no data on the tickets of `search`");
    // Without the query it is not asked.
    assert!(!self::source(&server.url, QUERIES).answers().contains(&Question::Support));
}
