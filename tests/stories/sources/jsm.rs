//! The Jira Service Management source against a pretend Atlassian that holds every request against a description of its API.

use base64::Engine;
use serde_json::{Value, json};

use tidegate::advice::facts::Means;
use tidegate::clock::Time;
use tidegate::source::{Answer, Ask, Learned, Opened, Question};

use super::{Case, Standing};
use crate::harness::source::{self, at, events, incidents, shifts};
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case {
    kind: "jsm",
    stanza: r#"
        kind = "jsm"
        url = "{address}"
        cloud = "1a2b3c4d-0000-4000-8000-000000000000"
        email = "deploys@harbor.test"
        token = { value = "{secret}" }
        map = { ledger = ["books", "team-ledger"] }
        schedules = { shop = ["sched-1", "sched-2"] }
        people = { lin = "712020:lin" }
    "#,
};

/// `deploys@harbor.test:story-token`.
const BASIC: &str = "Basic ZGVwbG95c0BoYXJib3IudGVzdDpzdG9yeS10b2tlbg==";

const MANNERS: Manners = Manners { prefix: "", credential: ("authorization", BASIC), headers: &[], open: &[] };

const SETTINGS: &str = r#"
[service.shop]
depends-on = ["ledger"]
[service.ledger]
[environment.production]
[people.ada]
email = ["ada@harbor.test"]
[people.lin]
"#;

/// Each laid over the example; rotations by their schedule.
#[derive(Debug, Default)]
struct World {
    alerts: Vec<Value>,
    rotations: Vec<(&'static str, Value)>,
    maintenances: Vec<Value>,
    /// Addresses that Jira tells, by account; None: it tells nothing of people.
    users: Option<Vec<Value>>,
}

async fn open(world: World) -> Vendor<World> {
    static DESCRIBED: std::sync::LazyLock<Value> =
        std::sync::LazyLock::new(|| serde_json::from_str(include_str!("../../data/jsm/openapi.json")).unwrap());
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let example = asked.operation.example();
    let one = example["values"][0].clone();
    let ms = |name: &str| asked.query(name).and_then(|text| text.parse::<i64>().ok());
    let found: Vec<Value> = match asked.id() {
        "getTimeline" => {
            let own = world.rotations.iter().filter(|(schedule, _)| asked.value("scheduleId") == *schedule);
            let rotations: Vec<Value> = own.map(|(_, rotation)| rotation.clone()).collect();
            return Reply::ok(laid_over(example, json!({ "finalTimeline": { "rotations": rotations } })));
        }
        "bulkGetUsers" => {
            let Some(users) = &world.users else { return Reply::status(401) };
            let wanted = asked.queries("accountId");
            users.iter().filter(|user| wanted.contains(&user["accountId"].as_str().unwrap())).cloned().collect()
        }
        "listMaintenances" => world.maintenances.iter().map(|story| laid_over(one.clone(), story.clone())).collect(),
        _ => {
            let all = world.alerts.iter().map(|story| laid_over(one.clone(), story.clone()));
            let status = asked.query("query").and_then(|query| query.strip_prefix("status:"));
            let created = |alert: &Value| {
                let at = alert["createdAt"].as_str().and_then(Time::parse_rfc3339).map(Time::ms);
                at.is_none_or(|at| ms("from").is_none_or(|from| at >= from) && ms("to").is_none_or(|to| at <= to))
            };
            all.filter(|alert| alert["status"].as_str() == status && created(alert)).collect()
        }
    };
    let (offset, size) = (ms("offset").unwrap_or(0) as usize, ms("size").unwrap_or(20) as usize);
    let page: Vec<Value> = found.iter().skip(offset).take(size).cloned().collect();
    let next = (offset + page.len() < found.len()).then(|| format!("/v1/alerts?offset={}&size={size}", offset + size));
    Reply::ok(json!({ "values": page, "links": next.map_or(json!({}), |next| json!({ "next": next })) }))
}

fn told(server: &Vendor<World>) -> Opened {
    source::opened(&CASE.filled(&server.address, "story-token")).unwrap()
}

fn asking(question: Question) -> Ask {
    source::asking(question, SETTINGS)
}

/// An alert by its short number.
fn alert(number: u32, more: Value) -> Value {
    laid_over(json!({ "id": format!("id-{number}"), "tinyId": number.to_string() }), more)
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, open(World::default()).await, "story-token")
}

#[tokio::test]
async fn grave_alerts_on_our_services_are_incidents() {
    let closed =
        |created: &str, updated: &str| json!({ "status": "closed", "createdAt": created, "updatedAt": updated });
    let world = World {
        alerts: vec![
            alert(482, json!({})),
            alert(
                301,
                json!({ "tags": [], "responders": [{ "id": "team-ledger", "type": "team" }], "createdAt": "2026-03-02T08:00:00.000Z" }),
            ),
            alert(450, closed("2026-10-20T08:00:00Z", "2026-10-25T08:00:00Z")),
            alert(440, closed("2026-10-19T08:00:00Z", "2026-10-20T08:00:00Z")),
            alert(10, json!({ "priority": "P4" })),
            alert(11, json!({ "tags": ["service:mail"], "responders": [] })),
            alert(
                12,
                json!({ "tags": null, "priority": null, "entity": "books", "responders": null, "message": "a\u{202e}b" }),
            ),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let (found, incomplete) = incidents(&told(&server), &asking(Question::Incidents)).await;
    assert_eq!(incomplete, Vec::<String>::new());
    let told: Vec<(&str, &str)> = found.iter().map(|i| (i.id.as_str(), i.services[0].as_str())).collect();
    assert_eq!(told, [("#12", "ledger"), ("#482", "shop"), ("#450", "shop"), ("#301", "ledger")]);
    let (odd, first, past) = (&found[0], &found[1], &found[2]);
    assert_eq!((first.severity.as_deref(), first.blocks, first.resolved), (Some("P2"), false, None));
    assert_eq!(past.resolved, Some(at("2026-10-25T08:00:00Z")));
    assert_eq!((odd.title.as_str(), odd.severity.as_deref()), ("ab", None), "a priority that is not told may be any");
    server.is_content();
}

#[tokio::test]
async fn only_the_tag_blocks_and_it_needs_neither_priority_nor_service() {
    let world = World {
        alerts: vec![
            alert(1, json!({ "tags": ["Blocks-Deployments"], "priority": "P5" })),
            alert(2, json!({ "priority": "P1", "message": "blocks-deployments" })),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let (found, _) = incidents(&told(&server), &asking(Question::Incidents)).await;
    let told: Vec<(&str, bool, usize)> = found.iter().map(|i| (i.id.as_str(), i.blocks, i.services.len())).collect();
    assert_eq!(told, [("#1", true, 0), ("#2", false, 1)], "without a service it concerns all");
}

#[tokio::test]
async fn what_is_cut_off_or_not_readable_is_said() {
    let many = (0..620)
        .map(|number| alert(number, json!({})))
        .chain([json!({ "createdAt": "yesterday", "status": "closed" })]);
    let server = open(World { alerts: many.collect(), ..World::default() }).await;
    let (found, incomplete) = incidents(&told(&server), &asking(Question::Incidents)).await;
    assert_eq!(found.len(), 500);
    assert_eq!(
        incomplete,
        ["has more than 500 open alerts, of which only these were read", "has 1 closed alert that could not be read"]
    );
    server.is_content();
}

#[tokio::test]
async fn what_is_open_on_the_service_fires_whatever_its_priority() {
    let world = World {
        alerts: vec![
            alert(1, json!({ "priority": "P5", "snoozed": true, "snoozedUntil": "2026-11-23T13:00:00Z" })),
            alert(2, json!({ "snoozed": true, "snoozedUntil": "2026-11-23T11:00:00Z" })),
            alert(3, json!({ "tags": ["books"] })),
            alert(4, json!({ "status": "closed" })),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let answer = told(&server).ask(&asking(Question::Alerts)).await.unwrap();
    let Answer { learned: Learned::Alerts(found), .. } = answer else { panic!("{answer:?}") };
    let told: Vec<(Option<&str>, Option<Time>)> = found.iter().map(|a| (a.severity.as_deref(), a.silenced)).collect();
    assert_eq!(told, [(Some("P5"), Some(at("2026-11-23T13:00:00Z"))), (Some("P2"), None)]);
    server.is_content();
}

/// A period of a rotation.
fn period(from: &str, to: &str, responder: Value) -> Value {
    json!({ "startDate": from, "endDate": to, "type": "base", "responder": responder })
}

fn account(id: &str) -> Value {
    json!({ "id": id, "type": "user" })
}

fn rota() -> Vec<(&'static str, Value)> {
    let rotation = |order: Value, deleted: bool, periods: Vec<Value>| json!({ "id": "r", "order": order, "deleted": deleted, "periods": periods });
    let (one, two, three) = ("2026-11-20T09:00:00Z", "2026-11-24T09:00:00Z", "2026-11-27T09:00:00Z");
    let escalation = laid_over(
        period(one, two, json!({ "id": "esc", "type": "escalation" })),
        json!({ "flattenedResponders": [account("712020:guest"), account("712020:lin")] }),
    );
    vec![
        ("sched-1", rotation(json!(4), false, vec![escalation])),
        (
            "sched-1",
            rotation(
                json!(1),
                false,
                vec![
                    period("2026-09-20T09:00:00Z", "2026-09-24T09:00:00Z", account("712020:lin")),
                    period(one, two, account("712020:ada")),
                    period(two, three, account("712020:lin")),
                    period("2026-11-23T00:00:00Z", "2026-11-23T01:00:00Z", json!({ "type": "noone" })),
                ],
            ),
        ),
        ("sched-1", rotation(json!(null), true, vec![period(one, two, account("712020:gone"))])),
        ("sched-2", rotation(json!(1), false, vec![period(one, two, json!({ "id": "team", "type": "team" }))])),
    ]
}

#[tokio::test]
async fn shifts_are_told_by_rotation_with_people_of_ours() {
    let user =
        |id: &str, name: &str, email: Value| json!({ "accountId": id, "displayName": name, "emailAddress": email });
    let users =
        vec![user("712020:ada", "A.", json!("Ada@harbor.test")), user("712020:guest", "Night crew", json!(null))];
    let server = open(World { rotations: rota(), users: Some(users), ..World::default() }).await;
    let (found, incomplete) = shifts(&told(&server), &asking(Question::OnCall)).await;
    let told: Vec<(&str, u8, Time)> = found.iter().map(|s| (s.person.as_str(), s.level, s.start)).collect();
    let (one, two) = (at("2026-11-20T09:00:00Z"), at("2026-11-24T09:00:00Z"));
    assert_eq!(told, [("ada", 1, one), ("Night crew", 2, one), ("lin", 2, one), ("lin", 1, two)]);
    assert_eq!(found[0].end, Some(two), "the hand-over is at the same moment");
    assert_eq!(incomplete, ["does not tell who is behind a team or an escalation (shifts: 1)"]);
    let asked = server.shared().requests.iter().filter(|path| path.contains("user/bulk")).cloned().collect::<Vec<_>>();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(!asked[0].contains("lin"), "whom the settings name is not asked for: {asked:?}");
    server.is_content();
}

#[tokio::test]
async fn that_names_are_not_told_hides_nobody() {
    let server = open(World { rotations: rota(), users: None, ..World::default() }).await;
    let (found, incomplete) = shifts(&told(&server), &asking(Question::OnCall)).await;
    let people: Vec<&str> = found.iter().map(|shift| shift.person.as_str()).collect();
    assert_eq!(people, ["712020:ada", "712020:guest", "lin", "lin"]);
    assert_eq!(incomplete[1], "told no names of people: refused the token (401)");
    server.is_content();
}

#[tokio::test]
async fn maintenance_of_the_site_is_an_event() {
    let world = World {
        maintenances: vec![
            json!({}),
            json!({ "id": "mnt-2", "status": "cancelled" }),
            json!({ "id": "mnt-3", "startDate": "2026-10-01T10:00:00Z", "endDate": "2026-10-01T11:00:00Z" }),
            json!({ "id": "mnt-4", "status": "active", "description": "", "startDate": "2026-11-23T11:00:00Z" }),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let (found, incomplete) = events(&told(&server), &asking(Question::Calendar)).await;
    assert_eq!(incomplete, Vec::<String>::new());
    let told: Vec<(&str, &str, Means)> =
        found.iter().map(|event| (event.uid.as_str(), event.summary.as_str(), event.means)).collect();
    assert_eq!(
        told,
        [("jsm-mnt-1", "Card processor moves", Means::Maintenance), ("jsm-mnt-4", "Maintenance", Means::Maintenance)]
    );
    server.is_content();
}

#[test]
fn the_credential_is_the_address_with_the_token() {
    let basic = base64::engine::general_purpose::STANDARD.encode("deploys@harbor.test:story-token");
    assert_eq!(BASIC, format!("Basic {basic}"));
    let error = source::opened(&CASE.filled("http://x.test", "t").replace("1a2b3c4d", "../x")).unwrap_err();
    assert!(format!("{error:#}").contains("`cloud`"), "{error:#}");
}
