//! The Jira source against a pretend Jira, of the cloud and of a Data Center, that holds every request against a description.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use tidegate::advice::facts::{Incident, Ticket};
use tidegate::source::{Answer, Ask, Learned, Opened, Question};

use super::{Case, Standing};
use crate::harness::source;
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case {
    kind: "jira",
    stanza: "kind = 'jira'\nurl = '{address}'\nemail = 'tidegate@harbor.test'\ntoken = { value = '{secret}' }\n\
             incidents = 'project = INC'",
};

const DATA_CENTER: Case = Case {
    kind: "jira",
    stanza: "kind = 'jira'\nurl = '{address}'\nsite = 'https://jira.harbor.test/tracker/'\ntoken = { value = '{secret}' }\n\
             projects = ['PAY']\nincidents = 'project = INC'",
};

static DESCRIBED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../data/jira/rest.json")).unwrap());

const TOKEN: &str = "jira-story";

/// `tidegate@harbor.test:jira-story`
const CLOUD: Manners = Manners {
    prefix: "",
    credential: ("authorization", "Basic dGlkZWdhdGVAaGFyYm9yLnRlc3Q6amlyYS1zdG9yeQ=="),
    headers: &[("accept", "application/json")],
    open: &[],
};

const ON_PREMISES: Manners = Manners { credential: ("authorization", "Bearer jira-story"), ..CLOUD };

#[derive(Debug, Default)]
struct World {
    /// By key, what is laid over the example's `fields`.
    issues: BTreeMap<String, Value>,
    /// What a search finds: open ones and closed ones.
    open: Vec<(String, Value)>,
    closed: Vec<(String, Value)>,
    /// So many are on one page.
    page: usize,
    /// The JQL that was asked.
    jql: Vec<String>,
    /// Whether the token is taken as a stranger's.
    stranger: bool,
}

type Server = Vendor<World>;

async fn cloud(world: World) -> Server {
    Vendor::open(&DESCRIBED, CLOUD, world, answer).await
}

async fn data_center(world: World) -> Server {
    Vendor::open(&DESCRIBED, ON_PREMISES, world, answer).await
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let reason = if world.stranger { "AUTHENTICATED_FAILED" } else { "OK" };
    let Reply(status, mut headers, body) = world.answer(asked);
    headers.push(("x-seraph-loginreason", reason.to_owned()));
    Reply(status, headers, body)
}

impl World {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let told = |example: &Value, key: &str, fields: &Value| {
            let mut issue = example.clone();
            issue["key"] = json!(key);
            issue["fields"] = laid_over(issue["fields"].clone(), fields.clone());
            issue
        };
        let example = asked.operation.example();
        if asked.id().starts_with("getIssue") {
            let key = asked.value("issueIdOrKey");
            let none = json!({ "errorMessages": ["Issue does not exist or you do not have permission to see it."], "errors": {} });
            let found = self.issues.get(key).filter(|_| !self.stranger);
            return found.map_or(Reply(404, Vec::new(), none), |fields| Reply::ok(told(&example, key, fields)));
        }
        let body = asked.body.clone().unwrap_or_default();
        let jql = body["jql"].as_str().unwrap_or_default().to_owned();
        if jql.contains("no JQL") {
            return Reply(400, Vec::new(), json!({ "errorMessages": ["Error in the JQL Query"], "errors": {} }));
        }
        let all = if jql.contains("statusCategory != Done") { &self.open } else { &self.closed };
        self.jql.push(jql);
        let token = body["nextPageToken"].as_str().and_then(|token| token.parse().ok());
        let from = token.or(body["startAt"].as_u64()).map_or(0, |from| usize::try_from(from).unwrap());
        let to = (from + self.page.max(1)).min(all.len());
        let issues: Value =
            all[from..to].iter().map(|(key, fields)| told(&example["issues"][0], key, fields)).collect();
        Reply::ok(match asked.id() {
            "searchByJql" if to < all.len() => {
                json!({ "issues": issues, "nextPageToken": to.to_string(), "isLast": false })
            }
            "searchByJql" => json!({ "issues": issues, "isLast": true }),
            _ => json!({ "startAt": from, "maxResults": self.page, "total": all.len(), "issues": issues }),
        })
    }
}

fn source(case: &Case, server: &Server) -> Opened {
    source::opened(&case.filled(&server.address, TOKEN)).unwrap()
}

fn asking(question: Question, names: &[&str]) -> Ask {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Ask { names, ..source::asking(question, "[service.shop]\n[service.ledger]\n[environment.production]\n") }
}

fn ticket(answer: Answer) -> Ticket {
    let Learned::Ticket(ticket) = answer.learned else { panic!("{answer:?}") };
    ticket
}

fn incidents(answer: &Answer) -> &[Incident] {
    let Learned::Incidents(incidents) = &answer.learned else { panic!("{answer:?}") };
    incidents
}

fn status(name: &str, category: &str) -> Value {
    json!({ "status": { "name": name, "statusCategory": { "key": category } } })
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, cloud(World::default()).await, TOKEN)
}

#[tokio::test]
async fn a_ticket_is_found_by_its_key_or_by_a_link_to_the_site() {
    let issues = [("PAY-123".to_owned(), json!({})), ("PAY-9".to_owned(), status("Done", "done"))].into();
    let server = cloud(World { issues, ..World::default() }).await;
    let source = source(&CASE, &server);
    let host = &server.address;
    let board = format!("{host}/jira/software/projects/PAY/boards/1?selectedIssue=PAY-123&view=detail");
    for names in
        [["#3", "PAY-123"], ["https://docs.harbor.test/PAY-9", &format!("{host}/browse/PAY-123")], [&board, "X"]]
    {
        let answer = source.ask(&asking(Question::Ticket, &names)).await.unwrap();
        assert_eq!(answer.link, Some(format!("{host}/browse/PAY-123")), "{names:?}");
        let found = ticket(answer);
        assert_eq!((found.key.as_str(), found.exists, found.closed), ("PAY-123", true, false), "{names:?}");
        assert_eq!((found.title.as_str(), found.status.as_str()), ("Refunds fail for gift cards", "In review"));
        assert_eq!(found.kind.as_deref(), Some("Story"));
    }
    let closed = ticket(source.ask(&asking(Question::Ticket, &["PAY-9"])).await.unwrap());
    assert!(closed.exists && closed.closed && closed.status == "Done");
    let none = ticket(source.ask(&asking(Question::Ticket, &["PAY-404"])).await.unwrap());
    assert!(!none.exists && none.key == "PAY-404");
    server.is_content();
}

#[tokio::test]
async fn what_is_no_ticket_of_this_site_is_not_asked_for() {
    let server = data_center(World::default()).await;
    let source = source(&DATA_CENTER, &server);
    for name in
        ["#482", "UTF-8", "https://docs.harbor.test/PAY-1", "https://jira.harbor.test/tracker/secure/Dashboard.jspa"]
    {
        let why = source.ask(&asking(Question::Ticket, &[name])).await.unwrap_err().0;
        assert_eq!(why, format!("keeps no tickets that are called like `{name}`"));
    }
    assert!(server.shared().requests.is_empty());
}

#[tokio::test]
async fn a_data_center_is_asked_by_its_own_version_and_linked_where_people_see_it() {
    let open = (1..=3).map(|n| (format!("INC-{n}"), json!({}))).collect();
    let issues = [("PAY-1".to_owned(), json!({ "issuetype": null, "summary": null, "status": null }))].into();
    let server = data_center(World { issues, open, page: 2, ..World::default() }).await;
    let source = source(&DATA_CENTER, &server);
    let answer =
        source.ask(&asking(Question::Ticket, &["https://jira.harbor.test/tracker/browse/PAY-1"])).await.unwrap();
    assert_eq!(answer.link.as_deref(), Some("https://jira.harbor.test/tracker/browse/PAY-1"));
    let found = ticket(answer);
    assert_eq!((found.kind, found.status.as_str(), found.closed), (None, "no status", false));
    let answer = source.ask(&asking(Question::Incidents, &[])).await.unwrap();
    assert_eq!(incidents(&answer).len(), 3, "two pages of them");
    assert!(answer.incomplete.is_empty());
    server.is_content();
}

#[tokio::test]
async fn incidents_are_those_of_the_settings_that_were_open_in_the_time() {
    let done = |resolved: &str, rest: Value| {
        let fields = laid_over(
            status("Done", "done"),
            json!({ "created": "2026-11-01T10:00:00.000+0000", "resolutiondate": resolved }),
        );
        laid_over(fields, rest)
    };
    let subtasks = json!([
        { "key": "INC-2", "fields": status("To do", "new") }, { "key": "INC-3", "fields": status("Done", "done") }, {}
    ]);
    let labelled = json!({ "labels": ["blocks-deployments", "severity:1"], "components": [{ "name": "shop" }] });
    let open =
        vec![("INC-482".to_owned(), labelled), ("INC-1".to_owned(), json!({ "created": null, "priority": null }))];
    let closed = vec![
        ("INC-470".to_owned(), done("2026-11-20T10:00:00.000+0100", json!({ "subtasks": subtasks }))),
        ("INC-400".to_owned(), done("2026-01-20T10:00:00.000+0000", json!({}))),
    ];
    let server = cloud(World { open, closed, page: 1, ..World::default() }).await;
    let source = source(&CASE, &server);
    let answer = source.ask(&asking(Question::Incidents, &[])).await.unwrap();
    assert_eq!(answer.incomplete, ["1 incidents do not say when they began"]);
    let found = incidents(&answer);
    let ids: Vec<&str> = found.iter().map(|incident| incident.id.as_str()).collect();
    assert_eq!(ids, ["INC-482", "INC-470"]);
    assert_eq!((found[0].severity.as_deref(), found[0].blocks, found[0].resolved), (Some("1"), true, None));
    assert_eq!(found[0].services, ["shop".into()]);
    assert_eq!((found[1].severity.as_deref(), found[1].follow_ups), (Some("High"), 1));
    assert!(found[1].resolved.is_some() && found[1].services.is_empty());
    assert_eq!(found[1].link, Some(format!("{}/browse/INC-470", server.address)));
    let jql = server.shared().world.jql.clone();
    assert!(jql.iter().all(|jql| jql.starts_with("(project = INC) AND statusCategory ")), "{jql:?}");
    assert!(jql.iter().any(|jql| jql.contains("updated >= -43201m")), "{jql:?}");
    server.is_content();
}

#[tokio::test]
async fn more_incidents_than_are_read_are_said() {
    let open = (1..=400).map(|n| (format!("INC-{n}"), json!({}))).collect();
    let server = cloud(World { open, page: 100, ..World::default() }).await;
    let answer = source(&CASE, &server).ask(&asking(Question::Incidents, &[])).await.unwrap();
    assert_eq!(incidents(&answer).len(), 300);
    assert_eq!(answer.incomplete, ["only the newest incidents were read: there are more"]);
    server.is_content();
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_no_answer_about_the_ticket() {
    let server = cloud(World { stranger: true, ..World::default() }).await;
    let source = source(&CASE, &server);
    for question in [Question::Ticket, Question::Incidents] {
        let why = source.ask(&asking(question, &["PAY-123"])).await.unwrap_err().0;
        assert_eq!(why, "refused the token (Jira answered as to a stranger)");
    }
}

#[tokio::test]
async fn jql_that_is_none_and_words_that_are_hostile_stay_harmless() {
    let loud = "a\u{202e}b\n@everyone ".to_owned() + &"x".repeat(5_000);
    let issues = [("PAY-1".to_owned(), json!({ "summary": loud, "status": { "name": loud } }))].into();
    let server = cloud(World { issues, ..World::default() }).await;
    let found = ticket(source(&CASE, &server).ask(&asking(Question::Ticket, &["PAY-1"])).await.unwrap());
    assert!(found.title.chars().count() <= 301 && found.status.chars().count() <= 81);
    assert!(!found.title.contains(['\n', '\u{202e}']));
    let wrong = CASE.filled(&server.address, TOKEN).replace("project = INC", "no JQL");
    let why = source::opened(&wrong).unwrap().ask(&asking(Question::Incidents, &[])).await.unwrap_err().0;
    assert_eq!(why, "does not take the JQL of `incidents` (400)");
    let ordered = CASE.filled(&server.address, TOKEN).replace("project = INC", "project = INC ORDER BY created");
    assert!(format!("{:#}", source::opened(&ordered).unwrap_err()).contains("JQL without `ORDER BY`"));
}
