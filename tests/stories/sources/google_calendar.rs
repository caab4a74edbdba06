//! The Google Calendar source against a pretend Google that holds every request against Google's own description.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::SignatureScheme;
use serde_json::{Value, json};

use tidegate::advice::facts::{CalendarEvent, Means};
use tidegate::source::{Answer, Ask, CannotSay, Learned, Opened, Question};

use super::{Case, Standing};
use crate::harness::source::{asking, now, opened};
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

/// A stanza with more keys.
macro_rules! stanza {
    ($more:literal) => {
        concat!(
            "kind = 'google-calendar'\ncalendar = 'ada@harbor.test'\nurl = '{address}/calendar/v3'\n",
            $more,
            "\nkey = { value = '''",
            include_str!("../../data/google-calendar/key.json"),
            "''' }"
        )
    };
}

pub const CASE: Case = Case { kind: "google-calendar", stanza: stanza!("") };

const SETTINGS: &str = "[service.shop]\n[people.ada]\nemail = ['ada@harbor.test']\n";

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/google-calendar/api.json")).unwrap());

const MANNERS: Manners =
    Manners { prefix: "", credential: ("authorization", "Bearer ya29.story"), headers: &[], open: &["token"] };

/// What the pretend Google has.
#[derive(Debug, Default)]
struct World {
    /// What is laid over the example of an event, page by page.
    pages: Vec<Vec<Value>>,
    /// What is laid over a page.
    page: Value,
    /// What the newest token is.
    token: Option<&'static str>,
    /// Claims of every grant.
    grants: Vec<Value>,
    refuses: bool,
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    if asked.id() == "token" {
        if world.refuses {
            return Reply(
                400,
                Vec::new(),
                json!({ "error": "invalid_grant", "error_description": "Invalid JWT Signature." }),
            );
        }
        let body = asked.body.clone().unwrap();
        world.grants.push(claims(body["assertion"].as_str().unwrap()));
        let token = world.token.take().unwrap_or("ya29.story");
        return Reply::ok(laid_over(asked.operation.example(), json!({ "access_token": token })));
    }
    let page = asked.operation.example();
    let example = page["items"][0].clone();
    let number: usize = asked.query("pageToken").map_or(0, |page| page.parse().unwrap());
    let items: Vec<Value> =
        world.pages.get(number).into_iter().flatten().map(|story| laid_over(example.clone(), story.clone())).collect();
    let mut page = laid_over(laid_over(page, json!({ "items": items })), world.page.clone());
    if number + 1 < world.pages.len() {
        page["nextPageToken"] = (number + 1).to_string().into();
    }
    Reply::ok(page)
}

/// What a token of ours claims, where it is signed as it should be.
fn claims(token: &str) -> Value {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts.as_slice() else { panic!("{token}") };
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(read(head), json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
    let public = include_str!("../../data/google-calendar/key.public.pem");
    let public: String = public.lines().filter(|line| !line.starts_with('-')).collect();
    let known = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    let (_, algorithms) =
        known.mapping.iter().find(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256).unwrap();
    let message = format!("{head}.{claims}");
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    algorithms[0].verify_signature(&STANDARD.decode(public).unwrap(), message.as_bytes(), &signature).unwrap();
    read(claims)
}

async fn world(events: Vec<Value>) -> Vendor<World> {
    Vendor::open(&DESCRIBED, MANNERS, World { pages: vec![events], page: json!({}), ..World::default() }, answer).await
}

fn source(address: &str) -> Opened {
    source_of(stanza!("person = 'ada'"), address)
}

fn source_of(stanza: &'static str, address: &str) -> Opened {
    opened(&Case { stanza, ..CASE }.filled(address, "harbor")).unwrap()
}

async fn ask(source: &Opened) -> Result<Answer, CannotSay> {
    let about: Ask = asking(Question::Calendar, SETTINGS);
    source.ask(&about).await
}

fn events(answer: &Answer) -> Vec<&CalendarEvent> {
    let Learned::Calendar(events) = &answer.learned else { panic!("{answer:?}") };
    events.iter().collect()
}

fn titles(answer: &Answer) -> Vec<&str> {
    events(answer).iter().map(|event| event.summary.as_str()).collect()
}

/// A time on the day after the story's.
fn at(hour: &str) -> Value {
    json!({ "dateTime": format!("2026-11-24T{hour}:00+01:00"), "timeZone": "Europe/Berlin" })
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, world(Vec::new()).await, "harbor")
}

#[tokio::test]
async fn entries_are_told_with_what_they_mean() {
    let server = world(vec![
        json!({ "summary": "Freeze of shop" }),
        json!({ "summary": "Planning" }),
        json!({ "summary": "Gone fishing", "eventType": "outOfOffice" }),
        json!({ "summary": "Home", "eventType": "workingLocation", "transparency": "transparent",
            "start": { "date": "2026-11-24" }, "end": { "date": "2026-11-25" } }),
        json!({ "summary": "Only held", "transparency": "transparent" }),
    ])
    .await;
    let answer = ask(&source(&server.address)).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let found = events(&answer);
    let means: Vec<Means> = found.iter().map(|event| event.means).collect();
    assert_eq!(means, [Means::Freeze, Means::Meeting, Means::OutOfOffice, Means::Other, Means::Other]);
    assert_eq!((found[0].services.len(), found[0].person.as_ref().map(|p| p.as_str())), (1, Some("ada")));
    assert_eq!(found[0].start.rfc3339(), "2026-11-24T09:00:00Z");
    // Days are days where the calendar is.
    assert_eq!((found[3].all_day, found[3].start.rfc3339().as_str()), (true, "2026-11-23T23:00:00Z"));
    server.is_content();
}

#[tokio::test]
async fn what_takes_no_time_is_left_out_and_what_cannot_be_read_is_named() {
    let declined = json!([{ "email": "ada@harbor.test", "self": true, "responseStatus": "declined" },
        { "email": "lin@harbor.test", "responseStatus": "accepted" }]);
    let others = json!([{ "email": "ada@harbor.test", "self": true, "responseStatus": "accepted" },
        { "email": "lin@harbor.test", "responseStatus": "declined" }]);
    let server = world(vec![
        json!({ "summary": "Declined", "attendees": declined }),
        json!({ "summary": "Kept", "attendees": others }),
        json!({ "id": "x", "status": "cancelled", "start": null, "end": null }),
        json!({ "summary": "No time", "start": {}, "end": null }),
        json!({ "summary": 7 }),
        json!({ "summary": null, "organizer": null, "attendees": null, "eventType": null, "iCalUID": null, "transparency": null }),
        json!({ "summary": format!("<!channel> @everyone {}", "x".repeat(100_000)), "description": "y".repeat(100_000) }),
        json!({ "summary": "Backwards", "start": at("12:00"), "end": at("11:00") }),
    ])
    .await;
    let answer = ask(&source(&server.address)).await.unwrap();
    let found = titles(&answer);
    assert_eq!(found[..2], ["Kept", "(without a title)"]);
    assert!(found.len() == 3 && found[2].chars().count() <= 121, "{found:?}");
    assert_eq!(
        answer.incomplete,
        ["An entry is left out: it could not be read.", "An entry is left out: its time could not be read."]
    );
    server.is_content();
}

#[tokio::test]
async fn pages_are_read_to_their_end_or_the_rest_is_said_to_be_missing() {
    let server = world(vec![json!({ "summary": "One" })]).await;
    server.shared().world.pages.push(vec![json!({ "summary": "Two" })]);
    server.shared().world.pages.push(vec![json!({ "summary": "Three" })]);
    let answer = ask(&source(&server.address)).await.unwrap();
    assert_eq!((titles(&answer), answer.incomplete.len()), (vec!["One", "Two", "Three"], 0));
    server.shared().world.pages.extend([vec![], vec![json!({ "summary": "Five" })]]);
    let answer = ask(&source(&server.address)).await.unwrap();
    assert_eq!((titles(&answer).len(), answer.incomplete.len()), (3, 1));
    assert!(answer.incomplete[0].contains("more entries than are read"), "{:?}", answer.incomplete);
    server.is_content();
}

#[tokio::test]
async fn the_account_signs_for_reading_events_alone_and_keeps_its_token() {
    let server = world(vec![]).await;
    let plain = source(&server.address);
    ask(&plain).await.unwrap();
    ask(&plain).await.unwrap();
    ask(&source_of(stanza!("subject = 'ada@harbor.test'"), &server.address)).await.unwrap();
    let grants = server.shared().world.grants.clone();
    assert_eq!(grants.len(), 2, "the second question had a token");
    let seconds = now().ms() / 1_000;
    let issued = grants[0]["iat"].as_i64().unwrap();
    assert!((seconds..seconds + 60).contains(&issued));
    let expected = json!({ "iss": "tidegate@harbor.test", "aud": format!("{}/token", server.address), "iat": issued,
        "exp": issued + 3_600, "scope": "https://www.googleapis.com/auth/calendar.events.readonly" });
    assert_eq!(grants[0], expected);
    assert_eq!((&grants[1]["sub"], &grants[0]["sub"]), (&json!("ada@harbor.test"), &Value::Null));
    server.is_content();
}

#[tokio::test]
async fn a_token_that_was_withdrawn_is_obtained_anew_once() {
    let server = world(vec![json!({})]).await;
    server.shared().world.token = Some("ya29.withdrawn");
    assert_eq!(titles(&ask(&source(&server.address)).await.unwrap()).len(), 1);
    assert_eq!(server.shared().world.grants.len(), 2);
}

#[tokio::test]
async fn what_google_refuses_is_said_without_a_secret() {
    let server = world(vec![]).await;
    server.shared().world.refuses = true;
    let why = ask(&source(&server.address)).await.unwrap_err().0;
    assert_eq!(why, "gave no access token (invalid_grant)");
    server.shared().world.refuses = false;
    server.shared().world.page = json!({ "accessRole": "freeBusyReader" });
    let answer = ask(&source(&server.address)).await.unwrap();
    assert!(answer.incomplete[0].contains("not for what"), "{:?}", answer.incomplete);
    let elsewhere =
        stanza!("").replace("{address}/token", "http://192.0.2.1/token").replace("{address}", &server.address);
    let why = ask(&opened(&elsewhere).unwrap()).await.unwrap_err().0;
    assert_eq!(why, "has no key: its `token_uri` is not an https address");
    let broken = "kind = 'google-calendar'\ncalendar = 'a'\nkey = { value = '{}' }";
    let why = ask(&opened(broken).unwrap()).await.unwrap_err().0;
    assert_eq!(why, "has no key: it is not the JSON file of a service account");
}
