//! Every fault that a system on the other side of HTTP can have, for every kind of source: it is unknown with the reason,
//! within its time, and nothing that is nobody's business is repeated.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};

use futures::StreamExt;
use tidegate::clock::Clock;
use tidegate::source::{Ask, SourceKind, ask_all};

use super::{ALL, Case, change_of};
use crate::harness::source;

/// What the system does.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Status(u16),
    Busy,
    Hangs,
    DripsForever,
    Page,
    Rubbish,
    OtherJson,
    HalfAnAnswer,
    TooLong,
    LeadsAway,
    Silence,
}

/// Each with a part of what is said of it.
const FAULTS: &[(Fault, &str)] = &[
    (Fault::Status(400), "(400)"),
    (Fault::Status(401), "(401)"),
    (Fault::Status(403), "(403)"),
    // What is not there may be an answer: "knows no version".
    (Fault::Status(404), ""),
    (Fault::Status(500), "(500)"),
    (Fault::Status(503), "(503)"),
    (Fault::Busy, "fewer questions"),
    (Fault::Hangs, "did not answer in"),
    (Fault::DripsForever, "did not answer in"),
    (Fault::Page, "web page"),
    (Fault::Rubbish, "format"),
    (Fault::OtherJson, "format"),
    (Fault::HalfAnAnswer, ""),
    (Fault::TooLong, "more than"),
    (Fault::LeadsAway, "not followed"),
    (Fault::Silence, ""),
];

const SECRET: &str = "hush-hush-hush";
/// So many are played at once: all of them would slow each other down until it looks as if they hung.
const AT_ONCE: usize = 16;
/// In every body; never to be repeated.
const BODY: &str = "words-of-the-server";

pub async fn server(fault: Fault) -> String {
    let router = Router::new().fallback(answer).with_state(fault);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn answer(State(fault): State<Fault>) -> Response {
    let endless = |chunk: Bytes, pause: Duration| {
        let next = move |()| {
            let chunk = chunk.clone();
            async move {
                tokio::time::sleep(pause).await;
                Some((Ok::<_, std::io::Error>(chunk), ()))
            }
        };
        Body::from_stream(futures::stream::unfold((), next)).into_response()
    };
    match fault {
        Fault::Status(status) => (StatusCode::from_u16(status).unwrap(), BODY).into_response(),
        Fault::Busy => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], BODY).into_response(),
        Fault::Hangs => futures::future::pending().await,
        Fault::DripsForever => endless(Bytes::from_static(b" "), Duration::from_millis(100)),
        Fault::Page => Html(format!("<html>{BODY}</html>")).into_response(),
        Fault::Rubbish => format!("\u{0}{{]{BODY}").into_response(),
        Fault::OtherJson => axum::Json(serde_json::json!([[BODY]])).into_response(),
        Fault::HalfAnAnswer => {
            let breaks = Err(std::io::Error::other("the line is cut"));
            let half = [Ok(Bytes::from(format!("{{\"{BODY}\":"))), breaks];
            Body::from_stream(futures::stream::iter(half)).into_response()
        }
        Fault::TooLong => endless(Bytes::from(vec![b' '; 1 << 20]), Duration::ZERO),
        // The address at which clouds tell machines their credentials.
        Fault::LeadsAway => Redirect::temporary("http://169.254.169.254/latest/meta-data/").into_response(),
        Fault::Silence => StatusCode::NO_CONTENT.into_response(),
    }
}

/// What each question of a source is answered with, once it is opened.
async fn said(case: &Case, address: &str, patience: Duration) -> Vec<(String, String)> {
    let opened = source::opened_within(&case.filled(address, SECRET), patience).unwrap();
    let opened = [std::sync::Arc::new(opened)];
    let questions = opened[0].answers().to_vec();
    let mut all = Vec::new();
    for question in questions {
        let ask = Ask {
            version: Some("v1.1.0".to_owned()),
            running: Some("v1.0.0".to_owned()),
            names: vec!["SHOP-1".to_owned(), "#1".to_owned()],
            change: Some(std::sync::Arc::new(change_of(&[["npm", "left-pad", "", "1.0.0"]]))),
            ..source::asking(question, "")
        };
        let began = Instant::now();
        for (_, said) in ask_all(&opened, &ask, &Clock::system()).await {
            let why = said.expect_err(&format!("{} {}: {address}", case.kind, question.as_str()));
            all.push((question.as_str().to_owned(), why.0));
        }
        assert!(began.elapsed() < Duration::from_secs(8), "{} {}", case.kind, question.as_str());
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_every_source_is_unknown_with_the_reason() {
    let stories = ALL.iter().flat_map(|case| FAULTS.iter().map(move |fault| (case, fault)));
    let played = stories.map(|(case, (fault, says))| async move {
        let address = server(*fault).await;
        let mut wrong = Vec::new();
        for (question, why) in said(case, &address, Duration::from_secs(2)).await {
            // Who was told to wait says so the second time.
            let waits = matches!(fault, Fault::Busy) && why.contains("asked for no more questions");
            if !(why.contains(says) || waits) || !is_a_fragment(&why, &address) {
                wrong.push(format!("{} {question} {fault:?}: {why}", case.kind));
            }
        }
        wrong
    });
    let wrong: Vec<Vec<String>> = futures::stream::iter(played).buffer_unordered(AT_ONCE).collect().await;
    let wrong = wrong.concat();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_whose_system_is_gone_is_unknown_with_the_reason() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = format!("http://{gone}");
    for case in ALL {
        for (question, why) in said(case, &address, Duration::from_secs(2)).await {
            let right = why.contains("refused the connection") && is_a_fragment(&why, &address);
            assert!(right, "{} {question}: {why}", case.kind);
        }
    }
}

/// It ends a sentence that begins with the source's name, and tells nothing that it should not.
fn is_a_fragment(why: &str, address: &str) -> bool {
    let host = address.trim_start_matches("http://");
    let ends_a_sentence = why.starts_with(char::is_lowercase) && why.len() <= 300 && !why.ends_with('.');
    ends_a_sentence && [SECRET, BODY, host, "169.254"].iter().all(|secret| !why.contains(secret))
}

/// Kinds that ask nobody over HTTP, or have stories of their own about it.
const OTHERS: [&str; 7] = ["git", "ics", "jsonl", "http", "database", "sarif", "lcov"];

#[test]
fn every_kind_that_is_asked_over_http_is_in_the_list() {
    for kind in SourceKind::WORDS.iter().filter(|kind| !OTHERS.contains(kind)) {
        assert!(ALL.iter().any(|case| case.kind == *kind), "`{kind}` is not in tests/stories/sources/mod.rs");
    }
}
