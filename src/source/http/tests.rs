use std::sync::atomic::{AtomicU16, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use super::super::tests::{ask, opening, settings};
use super::*;
use crate::clock::{DAY, HOUR};
use crate::config::SourceSettings;
use crate::source::{Minute, SourceKind};

type Word = Arc<AtomicU16>;

/// A service that answers with the status it is told.
async fn service() -> (String, Word) {
    let word: Word = Arc::new(AtomicU16::new(200));
    let say = |State(word): State<Word>| async move { StatusCode::from_u16(word.load(Ordering::SeqCst)).unwrap() };
    let hang = || async { futures::future::pending::<()>().await };
    let app = Router::new().route("/health", get(say)).route("/hang", get(hang)).with_state(Arc::clone(&word));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, word)
}

fn source(text: &str) -> anyhow::Result<Probe> {
    let source: SourceSettings = toml::from_str(text).unwrap();
    let SourceKind::Http(keys) = &source.kind else { panic!("another kind") };
    Probe::of(keys, &opening(&source, std::path::Path::new("."), &Clock::system()))
}

fn probe(url: &str) -> Probe {
    source(&format!(
        "name = 'probe'\nkind = 'http'\nevery = '1s'\n[probe]\n'checkout/production' = {{ url = '{url}' }}"
    ))
    .unwrap()
}

fn asking(question: Question, now: Time) -> Ask {
    Ask { now, from: now.plus(-2 * DAY), to: now, ..ask(question, &settings("")) }
}

async fn health(probe: &Probe, now: Time) -> Health {
    match probe.ask(&asking(Question::Health, now)).await.unwrap().learned {
        Learned::Health(health) => health,
        other => panic!("{other:?}"),
    }
}

async fn minutes(probe: &Probe, now: Time) -> Result<Vec<Minute>, String> {
    match probe.ask(&asking(Question::Series, now)).await.map(|answer| answer.learned) {
        Ok(Learned::Series(series)) => Ok(series.minutes),
        Ok(other) => panic!("{other:?}"),
        Err(why) => Err(why.0),
    }
}

fn noon() -> Time {
    Time::parse_rfc3339("2026-11-20T12:00:00Z").unwrap()
}

#[tokio::test]
async fn health_is_what_the_url_says_now_and_said_before() {
    let (address, word) = service().await;
    let probe = probe(&format!("{address}/health"));
    let well = health(&probe, noon()).await;
    assert_eq!((well.errors, well.requests, well.last_data), (Some(0.0), Some(1.0), Some(noon())));
    assert!(well.latency_ms.is_some_and(|ms| ms > 0.0 && ms < 2_000.0));
    word.store(503, Ordering::SeqCst);
    let ill = health(&probe, noon().plus(MINUTE)).await;
    assert_eq!((ill.errors, ill.requests), (Some(0.5), Some(2.0)));
    word.store(302, Ordering::SeqCst);
    assert_eq!(health(&probe, noon().plus(30 * MINUTE)).await.errors, Some(0.0));
}

#[tokio::test]
async fn what_hangs_or_refuses_is_an_error_seen_before_the_caller_gives_up() {
    let (address, _) = service().await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [format!("{address}/hang"), format!("http://{gone}/")] {
        let probe = probe(&url);
        let answer = tokio::time::timeout(Duration::from_secs(2), health(&probe, noon())).await.unwrap();
        assert_eq!((answer.errors, answer.latency_ms), (Some(1.0), None), "{url}");
    }
}

#[tokio::test]
async fn only_the_expected_statuses_are_well() {
    let (address, word) = service().await;
    let text = format!(
        "name = 'p'\nkind = 'http'\n[probe]\n'checkout/production' = {{ url = '{address}/health', expect = [418] }}"
    );
    let probe = source(&text).unwrap();
    assert_eq!(health(&probe, noon()).await.errors, Some(1.0));
    word.store(418, Ordering::SeqCst);
    assert_eq!(health(&probe, noon().plus(HOUR)).await.errors, Some(0.0));
}

#[tokio::test]
async fn it_looks_on_its_own_and_minutes_that_the_clock_skips_are_absent() {
    let (address, word) = service().await;
    let probe = Arc::new(probe(&format!("{address}/health")));
    assert_eq!(minutes(&probe, noon()).await, Err("has not looked at this service in that time".to_owned()));
    let clock = Clock::beginning_at(noon());
    let task = probe.start(clock.clone());
    let wait = async |least: usize| {
        for _ in 0..500 {
            if minutes(&probe, clock.now()).await.is_ok_and(|minutes| minutes.len() >= least) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no look in five seconds");
    };
    wait(1).await;
    word.store(500, Ordering::SeqCst);
    clock.advance(HOUR);
    wait(2).await;
    let seen = minutes(&probe, clock.now()).await.unwrap();
    assert_eq!(seen.iter().map(|m| m.at).collect::<Vec<_>>(), [noon(), noon().plus(HOUR)]);
    assert_eq!((seen[0].errors, seen[1].errors), (0.0, seen[1].requests));
    drop(probe);
    clock.advance(HOUR);
    tokio::time::timeout(Duration::from_secs(5), task).await.unwrap().unwrap();
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let place = |more: &str| format!("name = 'p'\nkind = 'http'\n{more}");
    for (text, why) in [
        (place("[probe]"), "probes nothing"),
        (place("[probe]\ncheckout = { url = 'http://a' }"), "service/environment"),
        (place("[probe]\n'a/b' = { url = 'ftp://a' }"), "http://"),
        (place("[probe]\n'a/b' = { url = 'http://a', expect = [] }"), "no status"),
        (place("every = '10ms'\n[probe]\n'a/b' = { url = 'http://a' }"), "every 1s to 1m"),
    ] {
        let error = source(&text).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let secret = source(&place("[probe]\n'a/b' = { url = 'http://me:hush@a/?token=hush' }")).unwrap();
    assert!(!format!("{secret:?}").contains("hush"));
}
