//! Keeps a calendar fresh, from an address or a file, and says how fresh it is.
//!
//! What an answer means is decided by [`Feed::hear`], which is pure. A calendar that was read once is kept when a later
//! attempt fails, and the failure stands beside it until an attempt succeeds: old news are better than none, as long
//! as they are called old.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use chrono_tz::Tz;
use reqwest::header::{ACCEPT, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};

use super::{Calendar, Expansion, Limits};
use crate::clock::Time;

/// A calendar as it was last read, and how the last attempt to read it went. The default has never been read.
#[derive(Clone, Debug, Default)]
pub struct Feed {
    /// The last calendar that could be read.
    pub calendar: Option<Arc<Calendar>>,
    /// When the calendar was last known to be current.
    pub fetched_at: Option<Time>,
    /// Why it has not been known to be current since.
    pub trouble: Option<Trouble>,
    version: Version,
}

/// A row of failed attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What went wrong last: a sentence. Never holds the address, which may be a secret.
    pub says: String,
    /// When the first attempt of the row failed.
    pub since: Time,
}

/// How to ask whether there is anything newer than what was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Version {
    #[default]
    Unknown,
    /// By the validators of an HTTP answer.
    Answer { etag: Option<String>, last_modified: Option<String> },
    /// By time of change (milliseconds since the epoch) and length of a file.
    File { changed: i64, bytes: u64 },
}

/// What came of an attempt to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An HTTP answer whose body was read to the end.
    Answer { status: u16, etag: Option<String>, last_modified: Option<String>, body: Vec<u8> },
    /// The content of a file.
    File { changed: i64, bytes: u64, body: Vec<u8> },
    /// The file has not changed.
    Unchanged,
    /// There was more than is read.
    TooLarge,
    /// There was no answer; a sentence about why.
    Nothing(String),
}

impl Feed {
    /// What is known after an attempt at `now`.
    pub fn hear(&self, heard: Heard, limits: &Limits, now: Time) -> Feed {
        match heard {
            Heard::Answer { status: 304, etag, last_modified, .. } if self.calendar.is_some() => {
                let mut confirmed = self.confirmed(now);
                if etag.is_some() || last_modified.is_some() {
                    confirmed.version = Version::Answer { etag, last_modified };
                }
                confirmed
            }
            Heard::Answer { status: 200, etag, last_modified, body } => {
                self.read(&body, Version::Answer { etag, last_modified }, limits, now)
            }
            Heard::Answer { status, .. } => self.troubled(refusal(status), now),
            Heard::File { changed, bytes, body } => self.read(&body, Version::File { changed, bytes }, limits, now),
            Heard::Unchanged => self.confirmed(now),
            Heard::TooLarge => self.troubled(super::Unreadable::TooLarge(limits.bytes).to_string(), now),
            Heard::Nothing(says) => self.troubled(says, now),
        }
    }

    /// What the calendar holds, with the trouble in refreshing it among what is incomplete.
    pub fn expand(&self, range: Range<Time>, default_zone: Tz) -> Expansion {
        let mut expansion =
            self.calendar.as_ref().map_or_else(Expansion::default, |calendar| calendar.expand(range, default_zone));
        match (&self.trouble, self.fetched_at) {
            (Some(trouble), Some(fetched_at)) => expansion.incomplete.insert(
                0,
                format!(
                    "It has not been refreshed since {}: {} What is shown is as of {}.",
                    trouble.since.rfc3339(),
                    trouble.says,
                    fetched_at.rfc3339()
                ),
            ),
            (Some(trouble), None) => expansion.incomplete.insert(0, format!("It could not be read: {}", trouble.says)),
            (None, Some(_)) => {}
            (None, None) => expansion.incomplete.insert(0, "It has not been read yet.".into()),
        }
        expansion
    }

    /// What is known once a calendar was read that is no file and no feed.
    pub fn current(&self, calendar: Arc<Calendar>, now: Time) -> Feed {
        Feed { calendar: Some(calendar), fetched_at: Some(now), trouble: None, version: Version::Unknown }
    }

    fn confirmed(&self, now: Time) -> Feed {
        Feed { fetched_at: Some(now), trouble: None, ..self.clone() }
    }

    /// What is known after an attempt that failed; why, as a sentence.
    pub fn troubled(&self, says: String, now: Time) -> Feed {
        let since = self.trouble.as_ref().map_or(now, |trouble| trouble.since);
        Feed { trouble: Some(Trouble { says, since }), ..self.clone() }
    }

    fn read(&self, body: &[u8], version: Version, limits: &Limits, now: Time) -> Feed {
        // Older systems write Latin-1: a letter may be lost, a time never is.
        match Calendar::parse(&String::from_utf8_lossy(body), limits) {
            Ok(calendar) => Feed { calendar: Some(Arc::new(calendar)), fetched_at: Some(now), trouble: None, version },
            Err(unreadable) => self.troubled(unreadable.to_string(), now),
        }
    }
}

fn refusal(status: u16) -> String {
    match status {
        401 | 403 => format!("The calendar's address refused us ({status}). It or its token may be out of date."),
        404 | 410 => format!("There is no calendar at its address any more ({status})."),
        300..=399 => format!("The calendar's address points elsewhere ({status}) and was not followed."),
        429 => "The calendar's server asks us to come less often (429).".into(),
        500..=599 => format!("The calendar's server has a fault ({status})."),
        _ => format!("The calendar's server answered {status}, which is not a calendar."),
    }
}

/// Asks an address for anything newer than what `feed` holds, and reads it. The client decides on timeouts, redirects
/// and which addresses may be reached; no more than `limits.bytes` are ever held.
pub async fn refresh(client: &reqwest::Client, url: &str, feed: &Feed, limits: &Limits, now: Time) -> Feed {
    let heard = match ask(client, url, feed, limits).await {
        Ok(heard) => heard,
        Err(error) => Heard::Nothing(silence(&error)),
    };
    let (before, limits) = (feed.clone(), limits.clone());
    // Reading a large calendar takes a while, which is no business of the runtime's other tasks.
    match tokio::task::spawn_blocking(move || before.hear(heard, &limits, now)).await {
        Ok(after) => after,
        Err(_) => feed.troubled(super::Unreadable::ParserFailed.to_string(), now),
    }
}

async fn ask(client: &reqwest::Client, url: &str, feed: &Feed, limits: &Limits) -> Result<Heard, reqwest::Error> {
    let mut request = client.get(url).header(ACCEPT, "text/calendar, */*;q=0.5");
    if let (Some(_), Version::Answer { etag, last_modified }) = (&feed.calendar, &feed.version) {
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(last_modified) = last_modified {
            request = request.header(IF_MODIFIED_SINCE, last_modified);
        }
    }
    let mut answer = request.send().await?;
    let status = answer.status().as_u16();
    let (etag, last_modified) = (header(answer.headers(), &ETAG), header(answer.headers(), &LAST_MODIFIED));
    let mut body = Vec::new();
    if status == 200 {
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > limits.bytes {
                return Ok(Heard::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
    }
    Ok(Heard::Answer { status, etag, last_modified, body })
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= 1_024).then(|| value.to_owned())
}

/// Why there was no answer, without the address.
fn silence(error: &reqwest::Error) -> String {
    if error.is_connect() {
        return format!("The calendar's server {}.", crate::source::unreached::why(error));
    }
    let says = if error.is_timeout() {
        "The calendar's server did not answer in time."
    } else if error.is_redirect() {
        "The calendar's address redirects too often or to where it may not."
    } else if error.is_builder() {
        "The calendar's address is not one that can be asked."
    } else {
        "The answer of the calendar's server broke off."
    };
    says.into()
}

/// Reads a file again if its time of change or its length is another. Blocks for as long as the disk does.
pub fn reread(path: &Path, feed: &Feed, limits: &Limits, now: Time) -> Feed {
    let heard = look(path, feed, limits).unwrap_or_else(|error| {
        Heard::Nothing(format!("The calendar file {} could not be read ({}).", path.display(), error.kind()))
    });
    feed.hear(heard, limits, now)
}

fn look(path: &Path, feed: &Feed, limits: &Limits) -> std::io::Result<Heard> {
    let about = std::fs::metadata(path)?;
    if !about.is_file() {
        return Ok(Heard::Nothing(format!("The calendar file {} is not a file.", path.display())));
    }
    let changed = about.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let changed = i64::try_from(changed).unwrap_or(0);
    if feed.calendar.is_some() && feed.version == (Version::File { changed, bytes: about.len() }) {
        return Ok(Heard::Unchanged);
    }
    let most = u64::try_from(limits.bytes).unwrap_or(u64::MAX);
    let mut body = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut body)?;
    if body.len() > limits.bytes {
        return Ok(Heard::TooLarge);
    }
    Ok(Heard::File { changed, bytes: about.len(), body })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALENDAR: &str = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:freeze\r\nDTSTART:20261124T100000Z\r\n\
        DTEND:20261124T120000Z\r\nSUMMARY:Freeze\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    fn at(hour: i64) -> Time {
        Time::parse_rfc3339("2026-11-24T00:00:00Z").unwrap().plus(hour * crate::clock::HOUR)
    }

    fn answer(status: u16, body: &str) -> Heard {
        Heard::Answer { status, etag: Some("\"v1\"".into()), last_modified: None, body: body.into() }
    }

    fn hear(feed: &Feed, heard: Heard, now: Time) -> Feed {
        feed.hear(heard, &Limits::default(), now)
    }

    fn today(feed: &Feed) -> Expansion {
        feed.expand(at(0)..at(24), Tz::UTC)
    }

    #[test]
    fn a_feed_that_was_never_read_is_not_an_all_clear() {
        assert_eq!(today(&Feed::default()).incomplete, ["It has not been read yet."]);
        let feed = hear(&Feed::default(), answer(401, ""), at(1));
        assert!(today(&feed).incomplete[0].contains("refused us (401)"));
    }

    #[test]
    fn an_unchanged_feed_is_kept_and_counts_as_fresh() {
        let feed = hear(&Feed::default(), answer(200, CALENDAR), at(1));
        let feed = hear(&feed, answer(304, ""), at(2));
        assert_eq!(feed.fetched_at, Some(at(2)));
        assert_eq!(today(&feed).occurrences.len(), 1);
        assert!(today(&feed).incomplete.is_empty());
    }

    #[test]
    fn a_sign_in_page_does_not_empty_a_calendar_and_is_told_with_its_beginning() {
        let feed = hear(&Feed::default(), answer(200, CALENDAR), at(1));
        let feed = hear(&feed, answer(200, "<!DOCTYPE html><html></html>"), at(2));
        let feed = hear(&feed, Heard::Nothing("The calendar's server could not be reached.".into()), at(3));
        let expansion = today(&feed);
        assert_eq!(expansion.occurrences.len(), 1);
        let says = &expansion.incomplete[0];
        assert!(says.contains("since 2026-11-24T02:00:00Z") && says.contains("as of 2026-11-24T01:00:00Z"), "{says}");
        assert!(today(&hear(&feed, answer(200, CALENDAR), at(4))).incomplete.is_empty());
    }

    #[test]
    fn what_is_too_large_or_empty_keeps_the_old() {
        let feed = hear(&Feed::default(), answer(200, CALENDAR), at(1));
        for heard in [Heard::TooLarge, answer(200, ""), answer(204, ""), answer(503, CALENDAR), answer(302, "")] {
            let after = today(&hear(&feed, heard, at(2)));
            assert_eq!((after.occurrences.len(), after.incomplete.len()), (1, 1));
        }
    }

    #[test]
    fn a_304_without_anything_to_keep_is_trouble() {
        assert!(hear(&Feed::default(), answer(304, ""), at(1)).trouble.is_some());
    }

    #[test]
    fn a_file_is_read_again_only_when_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("team.ics");
        let limits = Limits::default();
        assert!(reread(&path, &Feed::default(), &limits, at(1)).trouble.unwrap().says.contains("not found"));
        std::fs::write(&path, CALENDAR).unwrap();
        let first = reread(&path, &Feed::default(), &limits, at(1));
        let second = reread(&path, &first, &limits, at(2));
        let same = |a: &Feed, b: &Feed| Arc::ptr_eq(a.calendar.as_ref().unwrap(), b.calendar.as_ref().unwrap());
        assert!(same(&first, &second));
        assert_eq!(second.fetched_at, Some(at(2)));
        std::fs::write(&path, CALENDAR.replace("Freeze", "Thaw later")).unwrap();
        let third = reread(&path, &second, &limits, at(3));
        assert!(!same(&second, &third));
        assert!(reread(folder.path(), &third, &limits, at(4)).trouble.is_some());
    }

    #[tokio::test]
    async fn an_address_is_asked_conditionally_and_never_for_more_than_is_read() {
        use axum::extract::State;
        use axum::http::{HeaderMap, StatusCode, header};
        use axum::response::IntoResponse;
        use std::sync::atomic::{AtomicUsize, Ordering};

        async fn calendar(State(asked): State<Arc<AtomicUsize>>, headers: HeaderMap) -> impl IntoResponse {
            match asked.fetch_add(1, Ordering::SeqCst) {
                0 => ([(header::ETAG, "\"v1\"")], CALENDAR).into_response(),
                1 if headers[header::IF_NONE_MATCH] == "\"v1\"" => StatusCode::NOT_MODIFIED.into_response(),
                _ => "x".repeat(6_000_000).into_response(),
            }
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/secret", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(calendar).with_state(Arc::new(AtomicUsize::new(0)));
        let server = tokio::spawn(async move { axum::serve(listener, app).await });
        #[allow(clippy::disallowed_methods)]
        let client = reqwest::Client::builder().build().unwrap();
        let limits = Limits::default();
        let first = refresh(&client, &url, &Feed::default(), &limits, at(1)).await;
        assert!(first.trouble.is_none(), "{first:?}");
        let second = refresh(&client, &url, &first, &limits, at(2)).await;
        assert_eq!((second.fetched_at, &second.trouble), (Some(at(2)), &None));
        let third = refresh(&client, &url, &second, &limits, at(3)).await;
        assert_eq!(third.fetched_at, Some(at(2)));
        assert!(third.trouble.as_ref().unwrap().says.contains("larger"));
        server.abort();
        let _ = server.await;
        let fourth = refresh(&client, &url, &third, &limits, at(4)).await;
        let trouble = fourth.trouble.unwrap();
        assert_eq!(trouble.since, at(3));
        assert!(!trouble.says.contains("secret"));
    }
}
