//! The Microsoft 365 source against a pretend Graph that holds every request against a description of it.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use tidegate::advice::facts::{CalendarEvent, Means};
use tidegate::config::Settings;
use tidegate::source::{Answer, Ask, CannotSay, Learned, Opened, Question};

use super::{Case, Standing};
use crate::harness::source::{asking, opened};
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

/// A stanza with more keys.
macro_rules! stanza {
    ($more:literal) => {
        concat!(
            "kind = 'microsoft-365'\ntenant = 'harbor.test'\nclient = '11111111-2222-3333-4444-555555555555'\n",
            "secret = { value = '{secret}' }\nuser = 'ada@harbor.test'\nurl = '{address}/v1.0'\nlogin = '{address}'\n",
            $more
        )
    };
}

pub const CASE: Case = Case { kind: "microsoft-365", stanza: stanza!("") };

/// Of a team that is not in UTC.
const SETTINGS: &str =
    "[team]\nname = 'Story'\nzone = 'Europe/Berlin'\n[service.shop]\n[people.ada]\nemail = ['ada@harbor.test']\n";
const SECRET: &str = "hush-hush";

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/microsoft-365/api.json")).unwrap());

const MANNERS: Manners =
    Manners { prefix: "", credential: ("authorization", "Bearer eyJ0eXAi.story"), headers: &[], open: &["token"] };

/// What the pretend Graph has.
#[derive(Debug, Default)]
struct World {
    /// What is laid over the example of an event, page by page.
    pages: Vec<Vec<Value>>,
    /// Where the next page is said to be, before its number.
    next: String,
    /// What the newest token is.
    token: Option<&'static str>,
    /// The fields of every grant.
    grants: Vec<Value>,
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    if asked.id() == "token" {
        let body = asked.body.clone().unwrap();
        if body["client_secret"] != SECRET {
            let told = json!({ "error": "invalid_client", "error_description": "AADSTS7000215: hush-hush" });
            return Reply(401, Vec::new(), told);
        }
        world.grants.push(body);
        let token = world.token.take().unwrap_or("eyJ0eXAi.story");
        return Reply::ok(laid_over(asked.operation.example(), json!({ "access_token": token })));
    }
    let page = asked.operation.example();
    let example = page["value"][0].clone();
    let number: usize = asked.query("$skip").map_or(0, |skip| skip.parse().unwrap());
    let events: Vec<Value> =
        world.pages.get(number).into_iter().flatten().map(|story| laid_over(example.clone(), story.clone())).collect();
    let mut page = laid_over(page, json!({ "value": events }));
    if number + 1 < world.pages.len() {
        page["@odata.nextLink"] = format!("{}{}", world.next, number + 1).into();
    }
    Reply::ok(page)
}

async fn world(events: Vec<Value>) -> Vendor<World> {
    Vendor::open(&DESCRIBED, MANNERS, World { pages: vec![events], ..World::default() }, answer).await
}

fn source(address: &str) -> Opened {
    source_of(stanza!("person = 'ada'"), address, SECRET)
}

fn source_of(stanza: &'static str, address: &str, secret: &str) -> Opened {
    opened(&Case { stanza, ..CASE }.filled(address, secret)).unwrap()
}

async fn ask(source: &Opened) -> Result<Answer, CannotSay> {
    let settings = Settings::read(SETTINGS, "story", ".".into()).unwrap();
    source.ask(&Ask { settings: Arc::new(settings), ..asking(Question::Calendar, "[service.shop]\n") }).await
}

fn events(answer: &Answer) -> Vec<&CalendarEvent> {
    let Learned::Calendar(events) = &answer.learned else { panic!("{answer:?}") };
    events.iter().collect()
}

fn titles(answer: &Answer) -> Vec<&str> {
    events(answer).iter().map(|event| event.summary.as_str()).collect()
}

fn at(time: &str) -> Value {
    json!({ "dateTime": format!("2026-11-{time}:00.0000000"), "timeZone": "UTC" })
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, world(Vec::new()).await, SECRET)
}

#[tokio::test]
async fn entries_are_told_with_what_they_mean() {
    let server = world(vec![
        json!({ "subject": "Freeze of shop" }),
        json!({ "subject": "Planning", "categories": ["Team"] }),
        json!({ "subject": "Gone fishing", "showAs": "oof" }),
        json!({ "subject": "At home", "showAs": "workingElsewhere", "isAllDay": true, "start": at("24T00:00"), "end": at("25T00:00") }),
        json!({ "subject": "Only held", "showAs": "free" }),
        json!({ "subject": "Autumn", "categories": ["Campaign"] }),
    ])
    .await;
    let answer = ask(&source(&server.address)).await.unwrap();
    assert_eq!(answer.incomplete, Vec::<String>::new());
    let found = events(&answer);
    let means: Vec<Means> = found.iter().map(|event| event.means).collect();
    assert_eq!(means, [Means::Freeze, Means::Meeting, Means::OutOfOffice, Means::Other, Means::Other, Means::Campaign]);
    assert_eq!((found[0].services.len(), found[0].person.as_ref().map(|p| p.as_str())), (1, Some("ada")));
    assert_eq!((found[0].start.rfc3339().as_str(), found[0].owner.as_deref()), ("2026-11-24T09:00:00Z", Some("Ada")));
    // Days are said at midnight in UTC whatever was asked for, and are meant where the team is.
    assert_eq!((found[3].all_day, found[3].start.rfc3339().as_str()), (true, "2026-11-23T23:00:00Z"));
    server.is_content();
}

#[tokio::test]
async fn what_takes_no_time_is_left_out_and_what_cannot_be_read_is_named() {
    let server = world(vec![
        json!({ "subject": "Called off", "isCancelled": true }),
        json!({ "subject": "Declined", "responseStatus": { "response": "declined", "time": null } }),
        json!({ "subject": "No time", "start": null }),
        json!({ "subject": "Odd zone", "start": { "dateTime": "2026-11-24T09:00:00", "timeZone": "Somewhere Standard Time" } }),
        json!({ "subject": ["no text"] }),
        json!({ "subject": null, "organizer": null, "location": null, "categories": null, "showAs": null, "iCalUId": null,
            "responseStatus": null, "isAllDay": null, "isCancelled": null }),
        json!({ "subject": format!("<!channel> {}", "x".repeat(100_000)) }),
    ])
    .await;
    let answer = ask(&source(&server.address)).await.unwrap();
    let found = titles(&answer);
    assert!(found.len() == 2 && found[0] == "(without a title)" && found[1].chars().count() <= 121, "{found:?}");
    assert_eq!(
        answer.incomplete,
        ["An entry is left out: it could not be read.", "An entry is left out: its time could not be read."]
    );
    server.is_content();
}

#[tokio::test]
async fn pages_are_followed_on_the_same_host_only() {
    let server = world(vec![json!({ "subject": "One" })]).await;
    let more = |link: String| {
        let mut shared = server.shared();
        shared.world.pages = vec![vec![json!({ "subject": "One" })], vec![json!({ "subject": "Two" })]];
        shared.world.next = link;
    };
    let path = "/v1.0/users/ada@harbor.test/calendarView?startDateTime=2026-10-23T12:00:00Z&endDateTime=2026-11-26T12:00:00Z&$skip=";
    more(format!("{}{path}", server.address));
    let answer = ask(&source(&server.address)).await.unwrap();
    assert_eq!((titles(&answer), answer.incomplete.len()), (vec!["One", "Two"], 0));
    for elsewhere in ["http://169.254.169.254", "http://127.0.0.1:1", "https://evil.test", "file:///etc"] {
        more(format!("{elsewhere}{path}"));
        let before = server.shared().requests.len();
        let answer = ask(&source(&server.address)).await.unwrap();
        assert_eq!(titles(&answer), ["One"]);
        assert!(answer.incomplete[0].contains("another host"), "{:?}", answer.incomplete);
        assert_eq!(server.shared().requests.len(), before + 2, "a token and a page");
    }
    server.is_content();
}

#[tokio::test]
async fn pages_without_end_are_read_for_a_while() {
    let server = world(vec![]).await;
    server.shared().world.pages = vec![vec![json!({})]; 30];
    let path = "/v1.0/users/ada@harbor.test/calendarView?startDateTime=2026-10-23T12:00:00Z&endDateTime=2026-11-26T12:00:00Z&$skip=";
    server.shared().world.next = format!("{}{path}", server.address);
    let answer = ask(&source(&server.address)).await.unwrap();
    assert_eq!(titles(&answer).len(), 20);
    assert!(answer.incomplete[0].contains("more entries than are read"), "{:?}", answer.incomplete);
}

#[tokio::test]
async fn a_token_is_kept_and_obtained_anew_once_when_it_is_refused() {
    let server = world(vec![json!({})]).await;
    let source = source(&server.address);
    ask(&source).await.unwrap();
    ask(&source).await.unwrap();
    let grants = server.shared().world.grants.clone();
    assert_eq!((grants.len(), &grants[0]["scope"]), (1, &json!(format!("{}/.default", server.address))));
    server.shared().world.token = Some("withdrawn");
    let other = source_of(stanza!("calendar = 'AAMkAGI='"), &server.address, SECRET);
    assert_eq!(titles(&ask(&other).await.unwrap()).len(), 1);
    assert_eq!(server.shared().world.grants.len(), 3);
    server.is_content();
}

#[tokio::test]
async fn a_wrong_secret_is_said_without_it() {
    let server = world(vec![]).await;
    let why = ask(&source_of(CASE.stanza, &server.address, "guessed")).await.unwrap_err().0;
    assert_eq!(why, "gave no access token (invalid_client)");
}
