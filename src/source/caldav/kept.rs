//! What is kept of one calendar of a CalDAV server between two questions, and what an answer changes in it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::multistatus::{Multistatus, Response};
use crate::message::tame;
use crate::source::ics::{Calendar, Limits};

/// The most entries of one calendar that are kept; a larger one is asked for a stretch of time instead.
const MOST_OBJECTS: usize = 10_000;
/// So many are fetched at once, of a server that sends them in time.
const AT_ONCE: usize = 100;
/// The most characters of one entry, its series and changes and time zones included.
const LARGEST_OBJECT: usize = 500_000;

/// The entries of one calendar, each an object of its own with its edition.
#[derive(Debug, Default)]
pub struct Kept {
    /// The state that was reached, in the server's words.
    pub token: Option<String>,
    objects: BTreeMap<String, Object>,
    /// What is new or changed and not fetched yet: where it lies.
    wanted: BTreeSet<String>,
    /// So many fewer than [`AT_ONCE`] are fetched at once.
    fewer: usize,
    /// What a listing from the start has named so far.
    named: Option<BTreeSet<String>>,
    /// What the server left out, where it said so.
    cut: bool,
    /// How many addresses led elsewhere.
    strange: usize,
}

#[derive(Debug)]
struct Object {
    etag: Option<String>,
    /// What it holds, or why it cannot be read.
    holds: Result<Calendar, String>,
}

/// What follows from a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Everything was named.
    Whole,
    /// The next page is to be asked for.
    More,
    /// More entries than are kept.
    TooMany,
}

impl Kept {
    /// Lists everything from the start again; what has the same edition is not fetched again.
    pub fn begin(&mut self) {
        self.token = None;
        self.strange = 0;
        self.named = Some(BTreeSet::new());
    }

    /// Takes in what changed since the token, in the calendar at `home`.
    pub fn listed(&mut self, answer: Multistatus, home: &Url) -> Listed {
        let mut more = false;
        for response in answer.responses {
            let Some(place) = place(&response.href, home) else {
                self.strange += 1;
                continue;
            };
            if place == home.path() || place.ends_with('/') {
                more |= response.status == Some(507);
                continue;
            }
            match response.status {
                Some(404 | 410) => {
                    self.objects.remove(&place);
                    self.wanted.remove(&place);
                }
                _ => {
                    let same = |object: &Object| object.etag.is_some() && object.etag == response.etag;
                    if !self.objects.get(&place).is_some_and(same) {
                        self.wanted.insert(place.clone());
                    }
                    self.named.as_mut().map(|named| named.insert(place));
                }
            }
        }
        // A page that leads to itself is the last one.
        more &= answer.sync_token.is_some() && answer.sync_token != self.token;
        self.token = answer.sync_token;
        if self.objects.len() + self.wanted.len() > MOST_OBJECTS {
            return Listed::TooMany;
        }
        if more {
            return Listed::More;
        }
        if let Some(named) = self.named.take() {
            self.objects.retain(|place, _| named.contains(place));
            self.wanted.retain(|place| named.contains(place));
        }
        Listed::Whole
    }

    /// Whether nothing that was named is left to fetch, and everything was named.
    pub fn is_whole(&self) -> bool {
        self.wanted.is_empty() && self.named.is_none()
    }

    /// The next entries to fetch; empty when there are none. Where they are not there when it is asked again, as the caller
    /// had no more time, they are half as many.
    pub fn next(&mut self) -> Vec<String> {
        if self.wanted.is_empty() {
            return Vec::new();
        }
        let most = AT_ONCE - self.fewer;
        self.fewer = AT_ONCE - (most / 2).max(1);
        self.wanted.iter().take(most).cloned().collect()
    }

    /// Takes in entries that were fetched.
    pub fn fetched(&mut self, asked: &[String], read: Vec<Read>) {
        let mut missing: BTreeSet<&String> = asked.iter().collect();
        for Read { place, status, etag, holds } in read {
            // Only what was asked for.
            if !missing.remove(&place) {
                continue;
            }
            match holds {
                Some(holds) => self.objects.insert(place, Object { etag, holds }),
                None if matches!(status, Some(404 | 410)) => self.objects.remove(&place),
                None => self.objects.insert(place, Object::unread("the server did not hand it out")),
            };
        }
        for place in missing {
            self.objects.insert(place.clone(), Object::unread("the server did not hand it out"));
        }
        for place in asked {
            self.wanted.remove(place);
        }
        let more = if self.wanted.is_empty() { AT_ONCE } else { AT_ONCE.min(2 * asked.len().max(1)) };
        self.fewer = AT_ONCE - more;
    }

    /// Holds nothing but what was found by a question about a stretch of time.
    pub fn found(read: Vec<Read>, cut: bool) -> Kept {
        let objects = read
            .into_iter()
            .filter_map(|Read { place, etag, holds, .. }| Some((place, Object { etag, holds: holds? })));
        Kept { objects: objects.collect(), cut, ..Kept::default() }
    }

    /// The calendars of all entries, and what could not be read.
    pub fn holds(&self) -> (impl Iterator<Item = &Calendar>, Vec<String>) {
        let mut problems: Vec<String> = Vec::new();
        for (place, object) in &self.objects {
            if let Err(why) = &object.holds {
                let name = place.rsplit('/').next().unwrap_or(place);
                problems.push(format!("“{}” is left out: {}", tame(name, 80), why));
            }
        }
        if self.cut {
            problems.push("The server left entries out of its answer.".to_owned());
        }
        if !self.wanted.is_empty() {
            problems.push(format!("Changed entries that have not been fetched yet: {}.", self.wanted.len()));
        }
        if self.named.is_some() {
            problems.push("The list of its entries has not been read to its end yet.".to_owned());
        }
        if self.strange > 0 {
            problems.push(format!("Entries that lie outside of the calendar and were not read: {}.", self.strange));
        }
        (self.objects.values().filter_map(|object| object.holds.as_ref().ok()), problems)
    }
}

impl Object {
    /// Has no edition, so that it is fetched again when it is named again.
    fn unread(why: &str) -> Object {
        Object { etag: None, holds: Err(format!("{why}.")) }
    }
}

/// One entry of an answer, parsed.
#[derive(Debug)]
pub struct Read {
    place: String,
    status: Option<u16>,
    etag: Option<String>,
    holds: Option<Result<Calendar, String>>,
}

/// Parses the entries of an answer, with one budget for all of them. Takes a while: not on a thread that others wait for.
pub fn parse(answer: Multistatus, home: &Url, limits: &Limits) -> Vec<Read> {
    let mut steps = limits.steps;
    let mut read = Vec::new();
    for Response { href, status, etag, data, .. } in answer.responses {
        let Some(place) = place(&href, home) else { continue };
        let holds = data.map(|text| {
            let limits = Limits { bytes: LARGEST_OBJECT, steps, ..limits.clone() };
            let calendar = Calendar::parse(&text, &limits).map_err(|why| why.to_string())?;
            steps = steps.saturating_sub(calendar.effort());
            Ok(calendar)
        });
        read.push(Read { place, status, etag, holds });
    }
    read
}

/// The path of what lies at the same server below `home`; None for everything else.
pub fn place(href: &str, home: &Url) -> Option<String> {
    let address = home.join(href).ok().filter(|address| address.origin() == home.origin())?;
    (address.path().len() <= 2_000 && address.path().starts_with(home.path())).then(|| address.path().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Url {
        Url::parse("https://cal.harbor.test/ada/team/").unwrap()
    }

    fn entry(name: &str, etag: &str) -> Response {
        Response { href: format!("/ada/team/{name}"), etag: Some(etag.to_owned()), ..Response::default() }
    }

    fn with_text(name: &str, etag: &str, title: &str) -> Response {
        let text = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:{name}\nDTSTART:20261124T100000Z\nSUMMARY:{title}\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        Response { data: Some(text), ..entry(name, etag) }
    }

    fn answer(token: &str, responses: Vec<Response>) -> Multistatus {
        Multistatus { sync_token: Some(token.to_owned()), responses }
    }

    fn fetch(kept: &mut Kept, responses: Vec<Response>) {
        let asked = kept.next();
        let read = parse(answer("", responses), &home(), &Limits::default());
        kept.fetched(&asked, read);
    }

    fn count(kept: &Kept) -> usize {
        kept.holds().0.count()
    }

    #[test]
    fn only_what_changed_is_fetched_and_what_is_gone_goes() {
        let mut kept = Kept::default();
        kept.begin();
        assert_eq!(kept.listed(answer("1", vec![entry("a", "1"), entry("b", "1")]), &home()), Listed::Whole);
        assert_eq!(kept.next(), ["/ada/team/a", "/ada/team/b"]);
        fetch(&mut kept, vec![with_text("a", "1", "A"), with_text("b", "1", "B")]);
        assert_eq!((count(&kept), kept.next().len(), kept.token.as_deref()), (2, 0, Some("1")));
        let gone = Response { status: Some(404), ..entry("b", "1") };
        kept.listed(answer("2", vec![entry("a", "2"), gone]), &home());
        assert_eq!((kept.next(), count(&kept)), (vec!["/ada/team/a".to_owned()], 1));
        assert_eq!(kept.holds().1, ["Changed entries that have not been fetched yet: 1."]);
    }

    #[test]
    fn a_listing_from_the_start_fetches_only_other_editions_and_forgets_what_it_does_not_name() {
        let mut kept = Kept::default();
        kept.begin();
        kept.listed(answer("1", vec![entry("a", "1"), entry("b", "1"), entry("c", "1")]), &home());
        fetch(&mut kept, ["a", "b", "c"].map(|name| with_text(name, "1", "x")).into());
        kept.begin();
        let cut = Response { href: "/ada/team/".into(), status: Some(507), ..Response::default() };
        assert_eq!(kept.listed(answer("7", vec![entry("a", "1"), cut]), &home()), Listed::More);
        assert_eq!(count(&kept), 3, "nothing is forgotten before the last page");
        assert_eq!(kept.listed(answer("8", vec![entry("b", "2")]), &home()), Listed::Whole);
        assert_eq!((kept.next(), count(&kept)), (vec!["/ada/team/b".to_owned()], 2));
    }

    #[test]
    fn addresses_that_lead_elsewhere_are_neither_asked_nor_passed_over_in_silence() {
        let mut kept = Kept::default();
        kept.begin();
        let elsewhere = [
            "https://evil.test/ada/team/a",
            "//evil.test/ada/team/a",
            "/ada/other/a",
            "../../a",
            "http://cal.harbor.test/ada/team/a",
        ]
        .map(|href| Response { href: href.to_owned(), ..entry("a", "1") });
        kept.listed(answer("1", elsewhere.into()), &home());
        assert!(kept.next().is_empty());
        assert_eq!(kept.holds().1, ["Entries that lie outside of the calendar and were not read: 5."]);
    }

    #[test]
    fn an_entry_that_was_not_handed_out_or_is_no_calendar_is_named() {
        let mut kept = Kept::default();
        kept.begin();
        kept.listed(answer("1", ["a", "b", "c"].map(|name| entry(name, "1")).into()), &home());
        let page = Response { data: Some("<html></html>".to_owned()), ..entry("b", "1") };
        fetch(&mut kept, vec![entry("a", "1"), page]);
        let (_, problems) = kept.holds();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[1].contains("“b” is left out: It is a web page"), "{problems:?}");
    }

    #[test]
    fn who_sends_too_slowly_is_asked_for_fewer_and_for_more_again() {
        let mut kept = Kept::default();
        kept.begin();
        let names: Vec<String> = (100..400).map(|number| number.to_string()).collect();
        kept.listed(answer("1", names.iter().map(|name| entry(name, "1")).collect()), &home());
        assert!(!kept.is_whole());
        assert_eq!([kept.next().len(), kept.next().len(), kept.next().len()], [100, 50, 25]);
        let asked = kept.next();
        let sent = asked.iter().map(|place| with_text(place.rsplit('/').next().unwrap(), "1", "x")).collect();
        let read = parse(answer("", sent), &home(), &Limits::default());
        kept.fetched(&asked, read);
        assert_eq!((asked.len(), count(&kept), kept.next().len()), (12, 12, 24));
    }

    #[test]
    fn too_many_entries_are_not_kept() {
        let mut kept = Kept::default();
        kept.begin();
        let many = (0..10_001).map(|number| entry(&number.to_string(), "1")).collect();
        assert_eq!(kept.listed(answer("1", many), &home()), Listed::TooMany);
    }
}
