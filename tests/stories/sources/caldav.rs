//! The CalDAV source against a real Radicale, and against servers that mean no good.

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use tidegate::advice::facts::{CalendarEvent, Means};
use tidegate::clock::{Clock, HOUR, MINUTE};
use tidegate::http::Clients;
use tidegate::source::{Answer, Ask, CannotSay, Learned, Opened, Opening, Question};

use super::Case;
use crate::harness::radicale::{Radicale, USER};
use crate::harness::source::{asking, now};

pub const CASE: Case = Case {
    kind: "caldav",
    stanza: "kind = 'caldav'\nurl = '{address}/ada/team/'\nuser = 'ada'\npassword = { value = '{secret}' }",
};

/// A source with a clock that the story moves.
struct Told {
    source: Opened,
    clock: Clock,
}

impl Told {
    fn at(url: &str) -> Told {
        Told::with(&format!("url = '{url}'\nuser = '{}'\npassword = {{ value = '{}' }}", USER.0, USER.1))
    }

    fn with(keys: &str) -> Told {
        Told::within(keys, Duration::from_secs(20))
    }

    /// With a limit on how long an answer is waited for.
    fn within(keys: &str, patience: Duration) -> Told {
        let settings = toml::from_str(&format!("name = 'team'\nkind = 'caldav'\n{keys}")).unwrap();
        let clock = Clock::beginning_at(now());
        let (folder, keep, clients) = (Path::new("."), Duration::ZERO, &Clients::default());
        let opening = Opening { settings: &settings, folder, clock: &clock, patience, keep, clients };
        Told { source: tidegate::source::open(&opening).unwrap(), clock }
    }

    async fn ask(&self) -> Result<Answer, CannotSay> {
        self.source.ask(&self.asking()).await
    }

    /// About the week from now.
    fn asking(&self) -> Ask {
        Ask { from: now(), to: now().plus(7 * 24 * HOUR), ..asking(Question::Calendar, "[service.shop]\n") }
    }

    /// Asks as someone does who comes later.
    async fn ask_later(&self) -> Result<Answer, CannotSay> {
        self.clock.advance(6 * MINUTE);
        self.ask().await
    }
}

fn events(answer: &Answer) -> Vec<&CalendarEvent> {
    let Learned::Calendar(events) = &answer.learned else { panic!("{answer:?}") };
    events.iter().collect()
}

/// Start and title of each.
fn said(answer: &Answer) -> Vec<String> {
    events(answer).iter().map(|event| format!("{} {}", event.start.utc().format("%d %H:%M"), event.summary)).collect()
}

fn methods(asked: &[String]) -> Vec<&str> {
    let name = |asked: &String| {
        ["propfind", "sync-collection", "calendar-multiget", "calendar-query"]
            .into_iter()
            .find(|name| asked.contains(&format!(":{name}")))
    };
    asked.iter().filter_map(name).collect()
}

#[tokio::test]
async fn entries_of_a_real_server_are_told_with_their_recurrence_and_exceptions() {
    let Some(server) = Radicale::start().await else { return };
    server.make("team").await;
    let daily = "DTSTART;TZID=Europe/Berlin:20261123T140000\nDTEND;TZID=Europe/Berlin:20261123T150000\nRRULE:FREQ=DAILY;COUNT=4\n\
                 EXDATE;TZID=Europe/Berlin:20261124T140000\nSUMMARY:Freeze of shop";
    let moved = "RECURRENCE-ID;TZID=Europe/Berlin:20261125T140000\nDTSTART;TZID=Europe/Berlin:20261125T180000\n\
                 DTEND;TZID=Europe/Berlin:20261125T190000\nSUMMARY:Freeze of shop\\, later";
    server.write("team", "freeze", &[daily, moved]).await;
    server.write("team", "launch", &["DTSTART;VALUE=DATE:20261127\nSUMMARY:Launch of the autumn sale"]).await;
    server
        .write(
            "team",
            "called-off",
            &["DTSTART:20261124T100000Z\nDTEND:20261124T110000Z\nSTATUS:CANCELLED\nSUMMARY:Demo"],
        )
        .await;
    server.write("team", "old", &["DTSTART:20200101T100000Z\nDTEND:20200101T110000Z\nSUMMARY:Long ago"]).await;
    let answer = Told::at(&server.calendar("team")).ask().await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    assert_eq!(
        said(&answer),
        [
            "23 13:00 Freeze of shop",
            "25 17:00 Freeze of shop, later",
            "26 13:00 Freeze of shop",
            "27 00:00 Launch of the autumn sale"
        ]
    );
    let found = events(&answer);
    assert_eq!((found[0].means, found[0].services.len()), (Means::Freeze, 1));
    assert_eq!((found[3].means, found[3].all_day), (Means::Launch, true));
}

#[tokio::test]
async fn only_what_changed_is_fetched_the_next_time() {
    let Some(server) = Radicale::start().await else { return };
    server.make("team").await;
    for day in 24..28 {
        let lines = format!("DTSTART:202611{day}T100000Z\nDTEND:202611{day}T110000Z\nSUMMARY:Demo {day}");
        server.write("team", &format!("demo-{day}"), &[&lines]).await;
    }
    let recorded = server.recorded(|answer| answer).await;
    let told = Told::at(&format!("{}/ada/team", recorded.address));
    assert_eq!(said(&told.ask().await.unwrap()).len(), 4);
    assert_eq!(methods(&recorded.asked()), ["propfind", "sync-collection", "calendar-multiget"]);

    told.ask().await.unwrap();
    assert!(recorded.asked().is_empty(), "it was asked a moment ago");
    told.ask_later().await.unwrap();
    assert_eq!(methods(&recorded.asked()), ["sync-collection"]);

    server.write("team", "demo-24", &["DTSTART:20261124T150000Z\nDTEND:20261124T160000Z\nSUMMARY:Demo\\, moved"]).await;
    server.delete("team", "demo-25").await;
    let answer = told.ask_later().await.unwrap();
    assert_eq!(said(&answer), ["24 15:00 Demo, moved", "26 10:00 Demo 26", "27 10:00 Demo 27"]);
    let asked = recorded.asked();
    assert_eq!(methods(&asked), ["sync-collection", "calendar-multiget"]);
    assert!(asked[1].contains("demo-24.ics") && !asked[1].contains("demo-26.ics"), "{asked:?}");
}

#[tokio::test]
async fn a_server_that_forgot_the_former_state_is_listed_anew_and_only_changes_are_fetched() {
    let Some(server) = Radicale::start().await else { return };
    server.make("team").await;
    server.write("team", "a", &["DTSTART:20261124T100000Z\nDTEND:20261124T110000Z\nSUMMARY:A"]).await;
    server.write("team", "b", &["DTSTART:20261125T100000Z\nDTEND:20261125T110000Z\nSUMMARY:B"]).await;
    let recorded = server.recorded(|answer| answer).await;
    let told = Told::at(&format!("{}/ada/team/", recorded.address));
    told.ask().await.unwrap();
    recorded.asked();
    server.delete("team", "a").await;
    server.write("team", "c", &["DTSTART:20261126T100000Z\nDTEND:20261126T110000Z\nSUMMARY:C"]).await;
    server.forget_states("team");
    let answer = told.ask_later().await.unwrap();
    assert_eq!((said(&answer), answer.incomplete.len()), (vec!["25 10:00 B".to_owned(), "26 10:00 C".to_owned()], 0));
    let asked = recorded.asked();
    assert_eq!(methods(&asked), ["sync-collection", "sync-collection", "calendar-multiget"]);
    assert!(asked[2].contains("c.ics") && !asked[2].contains("b.ics"), "{asked:?}");
}

#[tokio::test]
async fn a_server_that_cannot_tell_changes_is_asked_for_the_stretch_of_time() {
    let Some(server) = Radicale::start().await else { return };
    server.make("team").await;
    server
        .write("team", "weekly", &["DTSTART:20250106T100000Z\nDTEND:20250106T110000Z\nRRULE:FREQ=WEEKLY\nSUMMARY:Demo"])
        .await;
    server.write("team", "old", &["DTSTART:20200101T100000Z\nDTEND:20200101T110000Z\nSUMMARY:Long ago"]).await;
    let recorded = server.recorded(|answer| answer.replace("<sync-collection />", "")).await;
    let told = Told::at(&format!("{}/ada/team/", recorded.address));
    let answer = told.ask().await.unwrap();
    assert_eq!((said(&answer), answer.incomplete.len()), (vec!["30 10:00 Demo".to_owned()], 0));
    assert_eq!(methods(&recorded.asked()), ["propfind", "calendar-query"]);
    // Another stretch is another question, however fresh the first.
    let later = Ask { to: now().plus(60 * 24 * HOUR), ..told.asking() };
    assert_eq!(said(&told.source.ask(&later).await.unwrap()).len(), 8);
    assert_eq!(methods(&recorded.asked()), ["calendar-query"]);
    told.ask().await.unwrap();
    assert!(recorded.asked().is_empty(), "what was read covers it");
}

#[tokio::test]
async fn every_calendar_of_a_folder_is_read_and_new_ones_are_found() {
    let Some(server) = Radicale::start().await else { return };
    server.make("team").await;
    server.make("launches").await;
    server.write("team", "a", &["DTSTART:20261124T100000Z\nDTEND:20261124T110000Z\nSUMMARY:A"]).await;
    server.write("launches", "a", &["DTSTART:20261125T100000Z\nDTEND:20261125T110000Z\nSUMMARY:Launch"]).await;
    let told = Told::at(server.calendar("team").trim_end_matches("team/"));
    assert_eq!(said(&told.ask().await.unwrap()), ["24 10:00 A", "25 10:00 Launch"]);
    server.make("third").await;
    server.write("third", "b", &["DTSTART:20261126T100000Z\nDTEND:20261126T110000Z\nSUMMARY:B"]).await;
    assert_eq!(said(&told.ask_later().await.unwrap()).len(), 3);
}

#[tokio::test]
async fn a_first_reading_that_outlasts_its_time_goes_on_at_the_next_question_and_is_called_incomplete() {
    const ENTRIES: usize = 800;
    let Some(server) = Radicale::start().await else { return };
    // From ten days ago on, so that those of the week asked about are among the many.
    server.fill("team", ENTRIES as i64, now().plus(-10 * 24 * HOUR).utc()).await;
    let slow = server.slowed(|answer| answer, Duration::from_millis(150)).await;
    let (user, password) = USER;
    let keys = format!("url = '{}/ada/team/'\nuser = '{user}'\npassword = {{ value = '{password}' }}", slow.address);
    let patience = Duration::from_secs(1);
    let told = Told::within(&keys, patience);
    let (mut questions, mut known, mut unknown) = (0, 0, 0);
    let whole = loop {
        questions += 1;
        assert!(questions < 60, "it never ends: {known} entries are told");
        // As a brief asks: who does not answer in time is let go of.
        match tokio::time::timeout(patience, told.ask()).await {
            Ok(Ok(answer)) if answer.incomplete.is_empty() => break answer,
            Ok(Ok(answer)) => {
                assert!(said(&answer).len() >= known, "what was read is not lost");
                known = said(&answer).len();
                let says = answer.incomplete.join(" ");
                assert!(says.contains("not been fetched yet") || says.contains("to its end yet"), "{says}");
            }
            // Its time and that of one request end together.
            Ok(Err(_)) | Err(_) => unknown += 1,
        }
    };
    assert!(questions - unknown >= 3, "{questions} questions, {unknown} of them without an answer");
    assert_eq!(said(&whole).len(), 7 * 24, "every hour of the week is taken");
    let fetched: usize = slow.asked().iter().map(|asked| asked.matches("<d:href>").count()).sum();
    assert_eq!(fetched, ENTRIES, "none twice");
    told.ask().await.unwrap();
    assert!(slow.asked().is_empty(), "it is fresh now");
}

#[tokio::test]
async fn the_address_of_the_server_and_a_user_are_enough_and_calendars_are_chosen_by_name() {
    let Some(server) = Radicale::start().await else { return };
    for (name, day) in [("team", 24), ("launches", 25)] {
        server.make(name).await;
        let lines = format!("DTSTART:202611{day}T100000Z\nDTEND:202611{day}T110000Z\nSUMMARY:Of {name}");
        server.write(name, "a", &[&lines]).await;
    }
    let told = Told::at(server.root());
    assert_eq!(said(&told.ask().await.unwrap()), ["24 10:00 Of team", "25 10:00 Of launches"]);
    server.make("third").await;
    server.write("third", "b", &["DTSTART:20261126T100000Z\nDTEND:20261126T110000Z\nSUMMARY:Of third"]).await;
    assert_eq!(said(&told.ask_later().await.unwrap()).len(), 3, "a new one is found");

    let (user, password) = USER;
    let named = |url: &str, names: &str| {
        let keys =
            format!("url = '{url}'\nuser = '{user}'\npassword = {{ value = '{password}' }}\ncalendars = {names}");
        Told::with(&keys)
    };
    let answer = named(server.root(), "['launches', 'gone']").ask().await.unwrap();
    assert_eq!(said(&answer), ["25 10:00 Of launches"]);
    assert_eq!(answer.incomplete, ["There is no calendar of the name “gone”."]);
    let why = named(server.root(), "['gone']").ask().await.unwrap_err().0;
    assert!(why.contains("of a name that `calendars` gives"), "{why}");
    let wrong = format!("url = '{}'\nuser = 'ada'\npassword = {{ value = 'guessed' }}", server.root());
    let why = Told::with(&wrong).ask().await.unwrap_err().0;
    assert!(why.contains("(401)"), "{why}");
}

#[tokio::test]
async fn a_server_leads_to_another_host_only_where_the_settings_name_it() {
    let Some(server) = Radicale::start().await else { return };
    server.make("team").await;
    server.write("team", "a", &["DTSTART:20261124T100000Z\nDTEND:20261124T110000Z\nSUMMARY:A"]).await;
    let there = server.recorded(|answer| answer).await;
    // Nothing at the address itself, as at many: only where calendars are to be looked for.
    let to = format!("{}/", there.address);
    let router = Router::new().route(
        "/.well-known/caldav",
        axum::routing::any(move || async move { (StatusCode::MOVED_PERMANENTLY, [("location", to)]) }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let why = Told::at(&address).ask().await.unwrap_err().0;
    let host = there.address.trim_start_matches("http://");
    assert_eq!(why, format!("leads to {host}, which `hosts` does not name"));
    assert!(there.asked().is_empty(), "nobody who was not named learns the password");
    let (user, password) = USER;
    let keys = format!("url = '{address}'\nuser = '{user}'\npassword = {{ value = '{password}' }}\nhosts = ['{host}']");
    assert_eq!(said(&Told::with(&keys).ask().await.unwrap()), ["24 10:00 A"]);
}

#[tokio::test]
async fn a_wrong_password_or_address_is_said() {
    let Some(server) = Radicale::start().await else { return };
    server.make("team").await;
    let url = server.calendar("team");
    let wrong = Told::with(&format!("url = '{url}'\nuser = 'ada'\npassword = {{ value = 'guessed' }}")).ask().await;
    let why = wrong.unwrap_err().0;
    assert!(why.contains("(401)") && !why.contains("guessed"), "{why}");
    let why = Told::at(&server.calendar("nowhere")).ask().await.unwrap_err().0;
    assert!(why.contains("(404)"), "{why}");
}

#[tokio::test]
async fn what_was_read_stays_when_the_server_goes_and_is_called_old() {
    let Some(server) = Radicale::start().await else { return };
    server.make("team").await;
    server.write("team", "a", &["DTSTART:20261124T100000Z\nDTEND:20261124T110000Z\nSUMMARY:A"]).await;
    let told = Told::at(&server.calendar("team"));
    told.ask().await.unwrap();
    drop(server);
    let answer = told.ask_later().await.unwrap();
    assert_eq!(said(&answer), ["24 10:00 A"]);
    let says = &answer.incomplete[0];
    assert!(says.contains("has not been refreshed since") && says.contains("refused the connection"), "{says}");
    assert!(answer.at < told.clock.now().plus(-5 * MINUTE));
}

/// A server that answers every PROPFIND and REPORT with these, and notes what else it is asked.
async fn malicious(look: String, report: String) -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    type World = (String, String, std::sync::Arc<std::sync::Mutex<Vec<String>>>);
    async fn answer(State((look, report, asked)): State<World>, request: Request) -> impl IntoResponse {
        asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri().path()));
        let body = if request.method().as_str() == "PROPFIND" { look } else { report };
        (StatusCode::MULTI_STATUS, body)
    }
    let asked = std::sync::Arc::<std::sync::Mutex<Vec<String>>>::default();
    let router = Router::new().fallback(answer).with_state((look, report, asked.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, asked)
}

const CALENDAR: &str = "<propstat><prop><resourcetype><collection/><calendar xmlns='urn:ietf:params:xml:ns:caldav'/></resourcetype>\
    <supported-report-set><supported-report><report><sync-collection/></report></supported-report></supported-report-set></prop>\
    <status>HTTP/1.1 200 OK</status></propstat>";

fn multistatus(responses: &str) -> String {
    format!("<multistatus xmlns='DAV:'><sync-token>1</sync-token>{responses}</multistatus>")
}

#[tokio::test]
async fn addresses_that_a_server_names_never_lead_to_another_host() {
    let elsewhere = ["http://169.254.169.254/latest/", "//evil.test/ada/team/", "http://127.0.0.1:1/ada/team/"];
    // As calendars of a folder: none of them is asked.
    let found: String =
        elsewhere.iter().map(|href| format!("<response><href>{href}</href>{CALENDAR}</response>")).collect();
    let folder = "<response><href>/ada/</href><propstat><prop><resourcetype><collection/></resourcetype></prop></propstat></response>";
    let (address, asked) = malicious(multistatus(&format!("{folder}{found}")), String::new()).await;
    let why = Told::at(&format!("{address}/ada/")).ask().await.unwrap_err().0;
    assert!(why.contains("another host"), "{why}");
    assert_eq!(*asked.lock().unwrap(), ["PROPFIND /ada/", "PROPFIND /ada/"]);
    // As entries of a calendar: not asked, and not passed over in silence.
    let own = format!("<response><href>/ada/team/</href>{CALENDAR}</response>");
    let entry = "<propstat><prop><getetag>1</getetag></prop></propstat>";
    let found: String =
        elsewhere.iter().map(|href| format!("<response><href>{href}x.ics</href>{entry}</response>")).collect();
    let (address, asked) = malicious(multistatus(&own), multistatus(&found)).await;
    let answer = Told::at(&format!("{address}/ada/team/")).ask().await.unwrap();
    assert_eq!((said(&answer).len(), answer.incomplete.len()), (0, 1));
    assert!(answer.incomplete[0].contains("outside of the calendar and were not read: 3."), "{:?}", answer.incomplete);
    assert_eq!(*asked.lock().unwrap(), ["PROPFIND /ada/team/", "REPORT /ada/team/"]);
}

#[tokio::test]
async fn hostile_texts_are_bounded_and_what_makes_no_sense_is_named() {
    let own = format!("<response><href>/ada/team/</href>{CALENDAR}</response>");
    let entry = |name: &str, text: &str| {
        format!(
            "<response><href>/ada/team/{name}</href><propstat><prop><getetag>1</getetag>\
             <calendar-data xmlns='urn:ietf:params:xml:ns:caldav'>{text}</calendar-data></prop></propstat></response>"
        )
    };
    let event = |lines: &str| {
        format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nDTSTART:20261124T100000Z\nDTEND:20261124T110000Z\n{lines}\nEND:VEVENT\nEND:VCALENDAR"
        )
    };
    let all = [
        entry("long", &event(&format!("SUMMARY:@here {}", "x".repeat(100_000)))),
        entry("endless", &event("SUMMARY:Endless\nRRULE:FREQ=SECONDLY")),
        entry("page", "&lt;html&gt;sign in&lt;/html&gt;"),
        entry("empty", ""),
    ];
    let (address, _) = malicious(multistatus(&own), multistatus(&all.concat())).await;
    let answer = Told::at(&format!("{address}/ada/team/")).ask().await.unwrap();
    assert!(events(&answer).iter().all(|event| event.summary.chars().count() <= 121), "{answer:?}");
    assert_eq!(events(&answer).len(), 2);
    assert_eq!(answer.incomplete.len(), 3, "{:#?}", answer.incomplete);
}

#[test]
fn passwords_do_not_belong_into_addresses() {
    for (keys, part) in [
        ("url = 'https://ada:secret@cal.harbor.test/'", "belong into"),
        ("url = 'https://cal.harbor.test/'\nuser = 'ada'", "`password`"),
        ("url = 'file:///etc/'", "http"),
    ] {
        let settings = toml::from_str(&format!("name = 'team'\nkind = 'caldav'\n{keys}")).unwrap();
        let clock = Clock::system();
        let opening = Opening {
            settings: &settings,
            folder: Path::new("."),
            clock: &clock,
            patience: Duration::from_secs(1),
            keep: Duration::ZERO,
            clients: &Clients::default(),
        };
        let why = format!("{:#}", tidegate::source::open(&opening).unwrap_err());
        assert!(why.contains(part) && !why.contains("secret"), "{why}");
    }
}
