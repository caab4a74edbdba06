//! The Zendesk source against a pretend Zendesk that holds every request against its documentation.

use std::sync::LazyLock;

use serde_json::{Value, json};

use tidegate::advice::facts::Support;
use tidegate::source::{Answer, CannotSay, Learned, Question};

use super::{Case, Standing};
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case {
    kind: "zendesk",
    stanza: "kind = 'zendesk'\nurl = '{address}'\nemail = 'ada@harbor.test'\ntoken = { value = '{secret}' }",
};

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/zendesk/openapi.json")).unwrap());

/// `ada@harbor.test/token:desk-story`
const MANNERS: Manners = Manners {
    prefix: "",
    credential: ("authorization", "Basic YWRhQGhhcmJvci50ZXN0L3Rva2VuOmRlc2stc3Rvcnk="),
    headers: &[],
    open: &[],
};

#[derive(Debug, Default)]
struct World {
    /// When tickets were made.
    made: Vec<String>,
    /// How many a page holds.
    page: usize,
    /// Says that there is more, whatever there is.
    endless: bool,
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let from: usize = asked.query("page[after]").map_or(0, |after| after.trim_start_matches("at-").parse().unwrap());
    let to = (from + world.page).min(world.made.len());
    let mut page = asked.operation.example();
    let one = page["results"][0].clone();
    let ticket = |at: &String| laid_over(one.clone(), json!({ "created_at": at, "subject": null, "priority": null }));
    page["results"] = world.made[from..to].iter().map(ticket).collect();
    let more = world.endless || to < world.made.len();
    page["meta"] = json!({ "has_more": more, "after_cursor": format!("at-{to}"), "before_cursor": null });
    Reply::ok(page)
}

async fn server(made: &[&str]) -> Vendor<World> {
    let made = made.iter().map(|at| (*at).to_owned()).collect();
    Vendor::open(&DESCRIBED, MANNERS, World { made, page: 2, endless: false }, answer).await
}

async fn ask(server: &Vendor<World>, more: &str) -> Result<Answer, CannotSay> {
    let stanza = format!("{}\n{more}", CASE.filled(&server.address, "desk-story"));
    source::opened(&stanza).unwrap().ask(&source::asking(Question::Support, "")).await
}

fn support(answer: Answer) -> Support {
    let Learned::Support(support) = answer.learned else { panic!("{answer:?}") };
    support
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, server(&["2026-11-20T23:59:59Z"]).await, "desk-story")
}

#[tokio::test]
async fn tickets_are_counted_by_day_over_all_pages() {
    let made = [
        "2026-10-24T00:00:00Z",
        "2026-11-20T23:59:59Z",
        "2026-11-21T00:00:00Z",
        "2026-11-21T12:00:00Z",
        "2026-11-23T01:00:00+02:00",
    ];
    let server = server(&made).await;
    let found = support(ask(&server, "").await.unwrap());
    assert_eq!(found.unit, "tickets matching `tags:shop`");
    assert_eq!(found.days.len(), 31, "every day of the time, the one that runs included");
    let some: Vec<(String, u32)> =
        found.days.iter().filter(|(_, n)| *n > 0).map(|(at, n)| (at.rfc3339()[..10].to_owned(), *n)).collect();
    let day = |day: &str, n| (day.to_owned(), n);
    assert_eq!(some, [day("2026-10-24", 1), day("2026-11-20", 1), day("2026-11-21", 2), day("2026-11-22", 1)]);
    let requests = server.shared().requests.clone();
    assert_eq!(requests.len(), 3, "{requests:?}");
    let query = "query=tags%3Ashop+created%3E%3D2026-10-24T00%3A00%3A00Z+created%3C%3D2026-11-23T12%3A00%3A00Z";
    assert!(requests.iter().all(|request| request.contains(query)), "{requests:?}");
    server.is_content();
}

#[tokio::test]
async fn no_ticket_is_told_as_none_and_searches_are_the_teams_own() {
    let server = server(&[]).await;
    let found =
        support(ask(&server, "query = 'group:{service}'\nqueries = { shop = 'tags:basket tags:pay' }").await.unwrap());
    assert_eq!(found.unit, "tickets matching `tags:basket tags:pay`");
    assert!(found.days.iter().all(|(_, n)| *n == 0));
    assert_eq!(support(ask(&server, "query = 'group:{service}'").await.unwrap()).unit, "tickets matching `group:shop`");
    server.is_content();
    let empty = format!("{}\nquery = ' '", CASE.filled(&server.address, "x"));
    assert!(source::opened(&empty).is_err());
}

#[tokio::test]
async fn more_than_can_be_counted_is_no_count() {
    let server = server(&[]).await;
    server.shared().world.endless = true;
    let why = ask(&server, "").await.unwrap_err().0;
    assert_eq!(why, "has more than 10000 tickets that match: a narrower `query` could be counted");
    let more = json!({ "results": [], "meta": { "has_more": true, "after_cursor": null } });
    server.shared().fault = Some(Reply::ok(more));
    let why = ask(&server, "").await.unwrap_err().0;
    assert_eq!(why, "says that there are more tickets, but not where");
    server.shared().fault = Some(Reply(422, Vec::new(), json!({ "error": "invalid", "description": "hush" })));
    assert_eq!(ask(&server, "").await.unwrap_err().0, "answered with an error (422)");
}
