//! Sources that hang, answer rubbish, speak no TLS or hold nothing: unknown by name with the reason, and never clear.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::harness::faults::Expired;
use crate::harness::{Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

/// A server that accepts and says `answer`, or nothing at all and keeps the line.
fn server(answer: Option<&'static [u8]>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let Some(answer) = answer else {
                kept.push(stream);
                continue;
            };
            let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
            let _ = stream.read(&mut [0u8; 4096]);
            let _ = stream.write_all(answer);
        }
    });
    port
}

fn with(calendar: &str, metrics: &str) -> String {
    let queries = "requests = \"up\"\nerrors = \"up\"\nlatency = \"up\"";
    format!(
        "{}\n[[source]]\nkind = \"ics\"\nname = \"company-calendar\"\ntimeout = \"1s\"\nfrom = \"{calendar}\"\n\n[[source]]\nkind = \"prometheus\"\nname = \"metrics\"\ntimeout = \"1s\"\nurl = \"{metrics}\"\n{queries}\n",
        settings()
    )
}

/// The brief on these sources: calendar and metrics are each unknown, with their reasons, and confidence is poor.
fn unknown(calendar: &str, metrics: &str, calendar_why: &str, metrics_why: &str) {
    let mut story = Story::begin(&with(calendar, metrics));
    let began = Instant::now();
    story.says("ada", PLAN);
    assert!(began.elapsed() < Duration::from_secs(8), "the brief took {:?}", began.elapsed());
    for (code, source, why) in [
        ("timing.freeze", "company-calendar", calendar_why),
        ("coordination.launch", "company-calendar", calendar_why),
        ("timing.peak-traffic", "metrics", metrics_why),
        ("health.now", "metrics", metrics_why),
    ] {
        let flag = story.flag("shop-1", code);
        let says = flag["says"].as_str().unwrap();
        assert_eq!(flag["level"], "unknown", "{flag}");
        assert!(says.contains(source) && says.contains(why), "{code}: {says}");
    }
    assert_eq!(story.plan("shop-1")["score"]["confidence"], "poor");
}

#[test]
fn a_source_that_hangs_is_unknown_within_its_deadline() {
    let url = format!("http://127.0.0.1:{}", server(None));
    unknown(&format!("{url}/team.ics"), &url, "did not answer in", "did not answer in");
}

#[test]
fn a_source_that_answers_rubbish_is_unknown() {
    let url = format!(
        "http://127.0.0.1:{}",
        server(Some(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<garbage>"))
    );
    unknown(&format!("{url}/team.ics"), &url, "could not be read", "instead of data");
}

#[test]
fn a_source_without_tls_is_unknown_and_says_that_it_is_tls() {
    let url = format!("https://127.0.0.1:{}", server(Some(b"HTTP/1.1 400 Bad Request\r\n\r\n")));
    unknown(&format!("{url}/team.ics"), &url, "does not speak TLS as expected", "does not speak TLS as expected");
}

#[test]
fn an_empty_calendar_is_not_a_clear_one() {
    let hangs = format!("http://127.0.0.1:{}", server(None));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("team.ics");
    std::fs::write(&file, "").unwrap();
    unknown(&file.display().to_string(), &hangs, "It is empty", "did not answer");
    std::fs::write(&file, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:story\r\nEND:VCALENDAR\r\n").unwrap();
    unknown(&file.display().to_string(), &hangs, "holds no entry", "did not answer");
}

#[test]
fn a_source_with_an_expired_certificate_is_unknown_and_says_so() {
    let server = Expired::begin();
    let url = format!("https://localhost:{}", server.port);
    unknown(&format!("{url}/team.ics"), &url, "certificate that has expired", "certificate that has expired");
}

/// The sample company's sources all answer; then three of its calendars break, each in its own way.
#[test]
fn confidence_falls_with_the_sources_that_fail() {
    let mut story = Story::sample(crate::harness::MONDAY_11);
    let plan = |story: &mut Story, name: &str| {
        story.says("max", "/deploy plan search production v3.2.0 --why S-1 --risk low --rollback \"redeploy v3.1.5\"");
        let plan = story.plan(name);
        let unknown = plan["flags"].as_array().unwrap().iter().filter(|f| f["level"] == "unknown").count();
        (plan["score"]["confidence"].as_str().unwrap().to_owned(), unknown)
    };
    assert_eq!(plan(&mut story, "search-1"), ("good".to_owned(), 0));
    for (calendar, text) in [("freezes", ""), ("launches", "<html>"), ("on-call", "BEGIN:VCALENDAR\r\nBEGIN:VEV")] {
        let file = story.data().join(format!("sample/calendars/{calendar}.ics"));
        std::fs::write(file, text).unwrap();
    }
    let (confidence, unknown) = plan(&mut story, "search-2");
    assert!(confidence != "good" && unknown >= 3, "{confidence}, {unknown} unknown");
    for (code, source) in [("timing.freeze", "freezes"), ("coordination.launch", "launches")] {
        let flag = story.flag("search-2", code);
        assert_eq!(flag["level"], "unknown", "{flag}");
        assert!(flag["says"].as_str().unwrap().contains(source), "{flag}");
    }
    assert!(story.main()["text"].as_str().unwrap().contains(&format!("confidence: {confidence}")));
}
