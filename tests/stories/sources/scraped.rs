//! What a real Prometheus makes of targets that come and go: recorded series, targets that are lost, series that went stale;
//! and systems that share its API among tenants.

use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;

use tidegate::advice::facts::Health;
use tidegate::clock::Clock;
use tidegate::source::{Answer, Ask, CannotSay, Learned, Opened, Question};

use crate::harness::prometheus::Running;
use crate::harness::source;

/// A program that is measured, until it is let go of.
struct Target {
    address: String,
    serving: tokio::task::JoinHandle<()>,
}

impl Target {
    async fn open() -> Target {
        // Each connection ends with its answer, so that none outlives the program.
        let told = || async { ([("connection", "close")], "shop_latency_seconds 0.1\n") };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().route("/metrics", get(told));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Target { address, serving }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Asks about now until it is as the story waits for it.
async fn until(
    source: &Opened,
    question: Question,
    is_so: impl Fn(&Result<Answer, CannotSay>) -> bool,
) -> Result<Answer, CannotSay> {
    let began = Instant::now();
    loop {
        let said = source.ask(&Ask { now: Clock::system().now(), ..source::asking(question, "") }).await;
        if is_so(&said) {
            return said;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{said:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn health(said: &Result<Answer, CannotSay>) -> Option<&Health> {
    match said.as_ref().map(|answer| &answer.learned) {
        Ok(Learned::Health(health)) => Some(health),
        _ => None,
    }
}

const RULES: &str = "
groups:
- name: story
  rules:
  - {record: 'service:requests:rate', expr: vector(20), labels: {service: shop}}
";

const QUERIES: &str = r#"
requests = 'service:requests:rate{service="{service}"}'
latency = 'max(shop_latency_seconds{service="{service}"})'
"#;

const UP: &str = r#"up = 'up{service="{service}",environment="{environment}"}'"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_series_counts_and_what_is_not_reached_is_unknown() {
    let (one, two) = (Target::open().await, Target::open().await);
    let targets = format!("['{}', '{}']", one.address, two.address);
    let labels = "{service: shop, environment: production}";
    let scraped =
        format!("scrape_configs: [{{job_name: shop, static_configs: [{{targets: {targets}, labels: {labels}}}]}}]\n");
    let server = tokio::task::spawn_blocking(move || Running::evaluating(RULES, &scraped)).await.unwrap();
    let stanza = format!("kind = 'prometheus'\nurl = '{}'{QUERIES}", server.url);
    let source = source::opened(&format!("{stanza}{UP}")).unwrap();

    let busy = until(&source, Question::Load, Result::is_ok).await.unwrap();
    let Learned::Load(load) = busy.learned else { panic!("{busy:?}") };
    assert_eq!(load.now.map(|(_, rate)| rate), Some(20.0));
    let well = |said: &Result<Answer, CannotSay>| {
        health(said).is_some_and(|health| health.latency_ms == Some(100.0))
            && said.as_ref().unwrap().incomplete.is_empty()
    };
    until(&source, Question::Health, well).await.unwrap();

    drop(two);
    let half = |said: &Result<Answer, CannotSay>| said.as_ref().is_ok_and(|answer| !answer.incomplete.is_empty());
    let answer = until(&source, Question::Health, half).await.unwrap();
    assert_eq!(answer.incomplete, ["it does not reach 1 of the 2 targets of `shop`"]);

    drop(one);
    let why = until(&source, Question::Health, Result::is_err).await.unwrap_err();
    assert_eq!(why.0, "reaches none of the 2 targets of `shop`");
    // A series that ended is over at once, and not for five minutes more what it last was.
    let plain = source::opened(&stanza).unwrap();
    let ended = |said: &Result<Answer, CannotSay>| health(said).is_some_and(|health| health.latency_ms.is_none());
    let last = until(&plain, Question::Health, ended).await.unwrap();
    assert!(last.incomplete.is_empty(), "{last:?}");

    // Nobody measures a service that has no target at all.
    let elsewhere = Ask { service: "elsewhere".into(), ..source::asking(Question::Health, "") };
    let why = source.ask(&elsewhere).await.unwrap_err();
    assert_eq!(why.0, "has no target of `elsewhere` to measure");
}

#[tokio::test]
async fn a_tenant_is_named_and_an_answer_of_which_a_part_is_missing_says_so() {
    let told = |headers: HeaderMap| async move {
        if headers.get("x-scope-orgid").is_none_or(|tenant| tenant != "harbor") {
            return (StatusCode::UNAUTHORIZED, "no org id").into_response();
        }
        let body = r#"{"status":"success","warnings":["store words-of-the-server is gone"],"infos":["a counter?"],
            "data":{"resultType":"matrix","result":[{"metric":{},"values":[[1795435200,"3"]]}]}}"#;
        body.into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/prometheus/api/v1/query_range", get(told));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let stanza = format!("kind = 'prometheus'\nurl = 'http://{address}/prometheus'{QUERIES}");
    let opened = |more: &str| source::opened(&format!("{stanza}{more}"));
    let ask = source::asking(Question::Load, "");

    let answer = opened("headers = { X-Scope-OrgID = 'harbor' }").unwrap().ask(&ask).await.unwrap();
    assert_eq!(answer.incomplete, ["it says that its answer on requests has gaps"]);
    let why = opened("").unwrap().ask(&ask).await.unwrap_err();
    assert_eq!(why.0, "refused the token (401)");

    let refused = |headers: &str| format!("{:#}", opened(headers).unwrap_err());
    let says = refused("headers = { authorization = 'Bearer hush' }");
    assert!(says.ends_with("`headers` may not set `authorization`: a credential has a key of its own"), "{says}");
    let says = refused(r#"headers = { x-a = "a\nb" }"#);
    assert!(says.ends_with("`headers` gives `x-a` a value that no request can carry"), "{says}");
    assert!(refused("headers = { 'a b' = 'c' }").ends_with("`headers` names one that no request has"));
}
