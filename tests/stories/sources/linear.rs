//! The Linear source against a pretend Linear that holds every request against a description.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use tidegate::advice::facts::Ticket;
use tidegate::source::{Ask, CannotSay, Learned, Question};

use super::{Case, Standing};
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case {
    kind: "linear",
    stanza: "kind = 'linear'\nurl = '{address}'\ntoken = { value = '{secret}' }\nteams = ['PAY', 'SHOP']",
};

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/linear/graphql.json")).unwrap());

const TOKEN: &str = "lin_api_story";

const MANNERS: Manners = Manners {
    prefix: "",
    credential: ("authorization", "lin_api_story"),
    headers: &[("accept", "application/json"), ("content-type", "application/json")],
    open: &[],
};

/// By identifier, what is laid over the example.
type World = BTreeMap<String, Value>;

async fn open(world: World) -> Vendor<World> {
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let body = asked.body.clone().unwrap_or_default();
    let query = body["query"].as_str().unwrap_or_default();
    let balanced = query.matches('{').count() == query.matches('}').count();
    if !balanced || !query.contains("includeArchived: true") {
        return Reply(400, Vec::new(), json!({ "errors": [{ "message": "Syntax Error" }] }));
    }
    let variables = &body["variables"];
    let key = format!("{}-{}", variables["team"].as_str().unwrap_or_default(), variables["number"]);
    let mut told = asked.operation.example();
    let one = told["data"]["issues"]["nodes"][0].clone();
    let found = world.get(&key).map(|more| laid_over(laid_over(one, json!({ "identifier": key })), more.clone()));
    told["data"]["issues"]["nodes"] = json!(found.into_iter().collect::<Vec<_>>());
    Reply::ok(told)
}

async fn ask(server: &Vendor<World>, names: &[&str]) -> Result<Ticket, CannotSay> {
    let source = source::opened(&CASE.filled(&server.address, TOKEN)).unwrap();
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let answer = source.ask(&Ask { names, ..source::asking(Question::Ticket, "") }).await?;
    let Learned::Ticket(ticket) = answer.learned else { panic!("{answer:?}") };
    assert_eq!(answer.link, ticket.link);
    Ok(ticket)
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, open(World::default()).await, TOKEN)
}

#[tokio::test]
async fn a_ticket_is_found_by_its_identifier_or_by_a_link() {
    let server = open([("PAY-123".to_owned(), json!({}))].into()).await;
    let page = "https://linear.app/harbor/issue/PAY-123/refunds-fail-for-gift-cards";
    for names in [["UTF-8", "PAY-123"], ["#3", page]] {
        let found = ask(&server, &names).await.unwrap();
        assert_eq!((found.key.as_str(), found.exists, found.closed), ("PAY-123", true, false), "{names:?}");
        assert_eq!((found.title.as_str(), found.status.as_str()), ("Refunds fail for gift cards", "In Progress"));
        assert_eq!((found.kind.as_deref(), found.link.as_deref()), (Some("Bug"), Some(page)));
    }
    assert!(!ask(&server, &["PAY-9"]).await.unwrap().exists);
    server.is_content();
}

#[tokio::test]
async fn what_is_over_or_archived_is_closed() {
    let state =
        |kind: &str| json!({ "state": { "name": kind, "type": kind }, "labels": null, "title": null, "url": null });
    let kinds = ["triage", "backlog", "unstarted", "started", "completed", "canceled", "duplicate"];
    let mut world: World = kinds.iter().enumerate().map(|(n, kind)| (format!("PAY-{n}"), state(kind))).collect();
    world.insert("SHOP-1".to_owned(), json!({ "archivedAt": "2026-11-01T10:00:00.000Z" }));
    let server = open(world).await;
    for (n, kind) in kinds.iter().enumerate() {
        let found = ask(&server, &[&format!("PAY-{n}")]).await.unwrap();
        assert_eq!((found.closed, found.kind), (n >= 4, None), "{kind}");
    }
    let archived = ask(&server, &["SHOP-1"]).await.unwrap();
    assert!(archived.closed && archived.status == "In Progress, archived");
    server.is_content();
}

#[tokio::test]
async fn what_is_no_ticket_of_the_workspace_is_not_asked_for() {
    let server = open(World::new()).await;
    for name in ["#482", "UTF-8", "https://docs.harbor.test/PAY-1", "https://linear.app/harbor/team/PAY/all"] {
        let why = ask(&server, &[name]).await.unwrap_err().0;
        assert_eq!(why, format!("keeps no tickets that are called like `{name}`"));
    }
    let why = ask(&server, &["PAY-99999999999999999999"]).await.unwrap_err().0;
    assert_eq!(why, "keeps no tickets with a number as large as that");
    assert!(server.shared().requests.is_empty());
}

#[tokio::test]
async fn errors_of_graphql_are_told_apart_and_their_words_are_not_repeated() {
    let server = open(World::new()).await;
    let wrong = |code: &str| json!({ "data": null, "errors": [{ "message": "hush", "extensions": { "code": code } }] });
    for (status, body, says) in [
        (400, wrong("RATELIMITED"), "asks for fewer questions (RATELIMITED)"),
        (400, wrong("AUTHENTICATION_ERROR"), "refused the token (401)"),
        (200, wrong("FORBIDDEN"), "refused the question (403): the credential lacks a permission"),
        (400, wrong("GRAPHQL_VALIDATION_FAILED"), "answered with an error (400)"),
        (200, wrong("INTERNAL_SERVER_ERROR"), "answered with an error"),
        (200, json!({ "errors": [{}] }), "answered with an error"),
        (200, json!({}), "answered with something that is not Linear's format"),
        (200, json!({ "data": { "issues": null } }), "answered with something that is not Linear's format"),
    ] {
        server.shared().fault = Some(Reply(status, Vec::new(), body));
        assert_eq!(ask(&server, &["PAY-1"]).await.unwrap_err().0, says);
    }
}

#[tokio::test]
async fn hostile_words_are_bounded() {
    let loud = "a\u{202e}b\n@everyone ".to_owned() + &"x".repeat(5_000);
    let story = json!({ "title": loud, "state": { "name": loud, "type": loud }, "url": "javascript:alert(1)",
        "identifier": loud, "labels": { "nodes": [{ "name": loud }] } });
    let server = open([("PAY-1".to_owned(), story)].into()).await;
    let found = ask(&server, &["PAY-1"]).await.unwrap();
    assert_eq!((found.key.as_str(), found.link), ("PAY-1", None));
    for text in [&found.title, &found.status, found.kind.as_ref().unwrap()] {
        assert!(text.chars().count() <= 301 && !text.contains(['\n', '\u{202e}']), "{text}");
    }
}
