//! The incident.io source against a pretend incident.io that holds every request against incident.io's own description.

use serde_json::{Value, json};

use tidegate::advice::facts::Means;
use tidegate::clock::Time;
use tidegate::source::{Ask, Opened, Question};

use super::{Case, Standing};
use crate::harness::source::{self, at, events, incidents, shifts};
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

const TOKEN: &str = "inc-story-key";

pub const CASE: Case = Case {
    kind: "incident-io",
    stanza: r#"
        kind = "incident-io"
        url = "{address}"
        token = { value = "{secret}" }
        field = "Affected services"
        map = { ledger = ["Ledger v2", "ledger-external"] }
        schedules = { shop = ["SCHED1", "SCHED2"] }
    "#,
};

const MANNERS: Manners =
    Manners { prefix: "", credential: ("authorization", "Bearer inc-story-key"), headers: &[], open: &[] };

const SETTINGS: &str = r#"
[service.shop]
depends-on = ["ledger"]
[service.ledger]
[environment.production]
[people.ada]
email = ["lisa@incident.io"]
"#;

/// Each laid over incident.io's example; shifts by their schedule.
#[derive(Debug, Default)]
struct World {
    incidents: Vec<Value>,
    shifts: Vec<(&'static str, Value)>,
    windows: Vec<Value>,
    /// By the id of their incident.
    follow_ups: Vec<(&'static str, Value)>,
    /// Answered when follow-ups are asked for, if set.
    no_follow_ups: Option<u16>,
}

async fn open(world: World) -> Vendor<World> {
    static DESCRIBED: std::sync::LazyLock<Value> =
        std::sync::LazyLock::new(|| serde_json::from_str(include_str!("../../data/incident-io/openapi.json")).unwrap());
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

/// Pages of two, so that every story pages.
fn answer(world: &mut World, asked: &Asked) -> Reply {
    let example = asked.operation.example();
    if let Some(incident) = asked.query("incident_id") {
        if let Some(status) = world.no_follow_ups {
            return Reply::status(status);
        }
        let own = world.follow_ups.iter().filter(|(of, _)| *of == incident);
        let told = own.map(|(_, story)| laid_over(example["follow_ups"][0].clone(), story.clone()));
        return Reply::ok(json!({ "follow_ups": told.collect::<Vec<Value>>() }));
    }
    let path = if asked.query("schedule_id").is_some() {
        "entries"
    } else if asked.query("status").is_some() {
        "windows"
    } else {
        "incidents"
    };
    match path {
        "entries" => {
            let one = &example["schedule_entries"]["final"][0];
            let own = world.shifts.iter().filter(|(schedule, _)| asked.query("schedule_id") == Some(schedule));
            let all: Vec<Value> = own.map(|(_, story)| laid_over(one.clone(), story.clone())).collect();
            let start = asked.query("entry_window_start").unwrap().strip_prefix("cursor-").and_then(|n| n.parse().ok());
            let at: usize = start.unwrap_or(0);
            let page: Vec<Value> = all.iter().skip(at).take(2).cloned().collect();
            let meta = if at + 2 < all.len() { json!({ "after": format!("cursor-{}", at + 2) }) } else { json!({}) };
            Reply::ok(
                json!({ "schedule_entries": { "final": page, "overrides": [], "scheduled": [] }, "pagination_meta": meta }),
            )
        }
        kind => {
            let (key, told) = match kind {
                "windows" => ("maintenance_windows", &world.windows),
                _ => ("incidents", &world.incidents),
            };
            let all = told.iter().map(|story| laid_over(example[key][0].clone(), story.clone()));
            let categories = asked.queries("status_category[one_of]");
            let since = asked.query("updated_at[gte]").unwrap_or_default();
            let meant = |entry: &Value| match kind {
                "windows" => {
                    let begun =
                        entry["start_at"].as_str().and_then(Time::parse_rfc3339).is_some_and(|at| at <= source::now());
                    begun == (asked.query("status") == Some("active"))
                }
                _ => {
                    let category = entry["incident_status"]["category"].as_str().unwrap_or_default();
                    categories.contains(&category) && entry["updated_at"].as_str().unwrap_or_default() >= since
                }
            };
            let all: Vec<Value> = all.filter(meant).collect();
            let at = asked
                .query("after")
                .and_then(|after| all.iter().position(|entry| entry["id"] == after))
                .map_or(0, |at| at + 1);
            let page: Vec<Value> = all.iter().skip(at).take(2).cloned().collect();
            let last = page.last().filter(|_| at + 2 < all.len()).map(|entry| entry["id"].clone());
            Reply::ok(json!({ key: page, "pagination_meta": { "after": last.unwrap_or_default(), "page_size": 2 } }))
        }
    }
}

fn told(server: &Vendor<World>) -> Opened {
    source::opened(&CASE.filled(&server.address, TOKEN)).unwrap()
}

fn asking(question: Question) -> Ask {
    source::asking(question, SETTINGS)
}

/// An incident of a category, changed on a day.
fn of(reference: &str, category: &str, updated: &str, more: Value) -> Value {
    let basis = json!({ "id": format!("ID-{reference}"), "reference": reference, "incident_status": { "category": category },
        "created_at": "2026-11-10T08:00:00Z", "updated_at": updated, "custom_field_entries": [],
        "incident_timestamp_values": [] });
    laid_over(basis, more)
}

/// A value of a custom field.
fn field(name: &str, value: Value) -> Value {
    json!({ "custom_field": { "id": "F1", "name": name, "description": "", "field_type": "multi_select", "options": [] }, "values": [value] })
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, open(World::default()).await, TOKEN)
}

#[tokio::test]
async fn incidents_are_told_by_the_category_of_their_status() {
    let late = "2026-11-20T08:00:00Z";
    let stamp = json!([{ "incident_timestamp": { "id": "T", "name": "Fixed at", "rank": 1 }, "value": { "value": "2026-11-12T08:00:00Z" } }]);
    let world = World {
        incidents: vec![
            of("INC-1", "live", late, json!({ "created_at": "2026-01-10T08:00:00Z", "name": "Slow since winter" })),
            of("INC-2", "triage", late, json!({ "severity": null })),
            of("INC-3", "paused", late, json!({})),
            of("INC-4", "learning", late, json!({ "incident_timestamp_values": stamp })),
            of("INC-5", "closed", late, json!({})),
            of("INC-6", "closed", "2026-10-01T08:00:00Z", json!({})),
            of("INC-7", "declined", late, json!({})),
            of("INC-8", "canceled", late, json!({})),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let (found, incomplete) = incidents(&told(&server), &asking(Question::Incidents)).await;
    assert_eq!(incomplete, Vec::<String>::new());
    let told: Vec<(&str, Option<Time>)> = found.iter().map(|i| (i.id.as_str(), i.resolved)).collect();
    assert_eq!(
        told,
        [
            ("INC-2", None),
            ("INC-3", None),
            ("INC-4", Some(at("2026-11-12T08:00:00Z"))),
            ("INC-5", Some(at(late))),
            ("INC-1", None),
        ],
        "an incident that is open is told however old it is, one that is over by when it was fixed or last changed"
    );
    let (triage, winter) = (&found[0], &found[4]);
    assert_eq!((triage.severity.as_deref(), winter.severity.as_deref()), (None, Some("Minor")));
    assert_eq!(
        (winter.title.as_str(), winter.link.as_deref()),
        ("Slow since winter", Some("https://app.incident.io/incidents/123"))
    );
    server.is_content();
}

#[tokio::test]
async fn a_custom_field_names_the_services_and_another_marks_what_blocks() {
    let late = "2026-11-20T08:00:00Z";
    let option = |value: &str| json!({ "value_option": { "id": "O1", "custom_field_id": "F1", "sort_key": 10, "value": value } });
    let entry =
        |name: &str| json!({ "value_catalog_entry": { "id": "C1", "name": name, "external_id": "ledger-external" } });
    let fields = |fields: Vec<Value>| json!({ "custom_field_entries": fields });
    let world = World {
        incidents: vec![
            of("INC-1", "live", late, fields(vec![field("Affected services", option("Shop"))])),
            of("INC-2", "live", late, fields(vec![field("affected services", entry("The books"))])),
            of("INC-3", "live", late, fields(vec![field("Affected services", option("Data lake"))])),
            of("INC-4", "live", late, fields(vec![field("Blocks deployments", option("yes"))])),
            of("INC-5", "live", late, fields(vec![field("Blocks deployments", option("No"))])),
            of("INC-6", "live", late, json!({ "visibility": "private", "name": "Who left with what" })),
            of("INC-7", "live", late, json!({ "custom_field_entries": null, "permalink": null, "name": "a\u{202e}b" })),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let (found, _) = incidents(&told(&server), &asking(Question::Incidents)).await;
    let named = |at: usize| -> Vec<&str> { found[at].services.iter().map(|service| service.as_str()).collect() };
    assert_eq!((named(0), named(1)), (vec!["shop"], vec!["ledger"]));
    assert_eq!(named(2), ["Data lake"], "on a service that is none of ours, which is not the same as on all");
    assert_eq!(named(3), Vec::<&str>::new(), "where nothing is named it may be any");
    let blocks: Vec<bool> = found.iter().map(|incident| incident.blocks).collect();
    assert_eq!(blocks, [false, false, false, true, false, false, false]);
    assert_eq!((found[5].title.as_str(), found[6].title.as_str()), ("A private incident", "ab"));
    server.is_content();
}

#[tokio::test]
async fn follow_ups_that_are_to_be_done_are_counted_for_settled_incidents_on_the_service_and_around_it() {
    let late = "2026-11-20T08:00:00Z";
    let on = |value: &str| {
        let option = json!({ "value_option": { "id": "O1", "custom_field_id": "F1", "sort_key": 10, "value": value } });
        json!({ "custom_field_entries": [field("Affected services", option)] })
    };
    let status = |status: &str| json!({ "status": status });
    let world = World {
        incidents: vec![
            of("INC-1", "closed", late, on("Shop")),
            of("INC-2", "learning", late, on("Ledger v2")),
            of("INC-3", "closed", late, on("Data lake")),
            of("INC-4", "live", late, on("Shop")),
        ],
        follow_ups: vec![
            ("ID-INC-1", status("outstanding")),
            ("ID-INC-1", status("completed")),
            ("ID-INC-1", status("not_doing")),
            ("ID-INC-1", status("deleted")),
            ("ID-INC-1", status("outstanding")),
            ("ID-INC-2", status("completed")),
            ("ID-INC-3", status("outstanding")),
            ("ID-INC-4", status("outstanding")),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let (mut found, incomplete) = incidents(&told(&server), &asking(Question::Incidents)).await;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(found.iter().map(|incident| incident.follow_ups).collect::<Vec<u32>>(), [2, 0, 0, 0]);
    assert_eq!(incomplete, Vec::<String>::new());
    let asked = server.shared().requests.iter().filter(|request| request.contains("follow_ups")).count();
    assert_eq!(asked, 2, "neither of incidents elsewhere nor of those that go on");
    server.is_content();

    server.shared().world.no_follow_ups = Some(403);
    let (found, incomplete) = incidents(&told(&server), &asking(Question::Incidents)).await;
    assert_eq!(found.len(), 4, "the incidents are told all the same");
    assert_eq!(incomplete.len(), 1);
    assert!(incomplete[0].starts_with("did not tell all follow-ups: it refused the question (403)"), "{incomplete:?}");
}

#[tokio::test]
async fn shifts_come_from_the_schedules_in_the_order_in_which_people_are_called() {
    let lin = json!({ "id": "U2", "name": "Lin", "email": "lin@harbor.test", "role": "responder" });
    let span = |from: &str, to: &str, more: Value| laid_over(json!({ "start_at": from, "end_at": to }), more);
    let world = World {
        shifts: vec![
            ("SCHED1", span("2026-11-20T09:00:00Z", "2026-11-24T09:00:00Z", json!({}))),
            ("SCHED1", span("2026-11-24T09:00:00Z", "2026-11-26T09:00:00Z", json!({ "user": lin }))),
            ("SCHED1", span("2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z", json!({ "user": null }))),
            ("SCHED1", span("tomorrow", "2026-11-26T09:00:00Z", json!({}))),
            ("SCHED2", span("2026-11-22T09:00:00Z", "2026-11-25T09:00:00Z", json!({ "user": lin }))),
            ("SCHED9", span("2026-11-22T09:00:00Z", "2026-11-25T09:00:00Z", json!({}))),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let (found, incomplete) = shifts(&told(&server), &asking(Question::OnCall)).await;
    let told: Vec<(&str, u8, Time)> = found.iter().map(|s| (s.person.as_str(), s.level, s.start)).collect();
    assert_eq!(
        told,
        [
            ("ada", 1, at("2026-11-20T09:00:00Z")),
            ("Lin", 2, at("2026-11-22T09:00:00Z")),
            ("Lin", 1, at("2026-11-24T09:00:00Z")),
        ]
    );
    assert_eq!(found[0].end, Some(found[2].start), "the hand-over is at the same moment");
    assert_eq!(incomplete, ["has 1 shift that could not be read"]);
    server.is_content();
}

#[tokio::test]
async fn maintenance_windows_under_way_and_to_come_are_events() {
    let span =
        |id: &str, from: &str, to: &str| json!({ "id": id, "start_at": from, "end_at": to, "archived_at": null });
    let world = World {
        windows: vec![
            span("W1", "2026-11-23T10:00:00Z", "2026-11-23T14:00:00Z"),
            span("W2", "2026-11-24T10:00:00Z", "2026-11-24T14:00:00Z"),
            span("W3", "2026-12-24T10:00:00Z", "2026-12-24T14:00:00Z"),
            laid_over(
                span("W4", "2026-11-24T10:00:00Z", "2026-11-24T14:00:00Z"),
                json!({ "archived_at": "2026-11-20T10:00:00Z" }),
            ),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let (found, incomplete) = events(&told(&server), &asking(Question::Calendar)).await;
    assert_eq!(incomplete, Vec::<String>::new());
    let told: Vec<(&str, &str, Means)> =
        found.iter().map(|event| (event.uid.as_str(), event.summary.as_str(), event.means)).collect();
    let summary = "Planned database migration";
    assert_eq!(
        told,
        [("incident-io-W1", summary, Means::Maintenance), ("incident-io-W2", summary, Means::Maintenance)]
    );
    server.is_content();
}

#[tokio::test]
async fn what_is_cut_off_is_said() {
    let many = (0..520).map(|n| of(&format!("INC-{n}"), "live", "2026-11-20T08:00:00Z", json!({}))).collect();
    let server = open(World { incidents: many, ..World::default() }).await;
    let (found, incomplete) = incidents(&told(&server), &asking(Question::Incidents)).await;
    assert_eq!(
        (found.len(), incomplete),
        (500, vec!["has more than 500 open incidents, of which only these were read".to_owned()])
    );
    server.is_content();
}
