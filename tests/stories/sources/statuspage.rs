//! The status page source against a pretend page that holds every request against a description of its API.

use serde_json::{Value, json};

use tidegate::advice::facts::{Incident, Means};
use tidegate::clock::Time;
use tidegate::source::{Ask, Opened, Question};

use super::{Case, Standing};
use crate::harness::source::{self, events, incidents};
use crate::harness::vendor::{Asked, Manners, Reply, Vendor, laid_over};

pub const CASE: Case = Case { kind: "statuspage", stanza: "kind = 'statuspage'\npage = '{address}'" };

/// There is no credential: pages are public.
const MANNERS: Manners = Manners { prefix: "", credential: ("accept", "application/json"), headers: &[], open: &[] };

/// Each laid over the example; `past` is answered beside what is unresolved.
#[derive(Debug, Default)]
struct World {
    components: Vec<Value>,
    unresolved: Vec<Value>,
    past: Vec<Value>,
    maintenances: Vec<Value>,
    has_no_past: bool,
}

async fn open(world: World) -> Vendor<World> {
    static DESCRIBED: std::sync::LazyLock<Value> =
        std::sync::LazyLock::new(|| serde_json::from_str(include_str!("../../data/statuspage/openapi.json")).unwrap());
    Vendor::open(&DESCRIBED, MANNERS, world, answer).await
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let mut body = asked.operation.example();
    let each = |example: &Value, told: &[Value]| -> Value {
        told.iter().map(|story| laid_over(example[0].clone(), story.clone())).collect()
    };
    if asked.id() == "incidents" {
        if world.has_no_past {
            return Reply::status(404);
        }
        // Unresolved ones are in both answers.
        body["incidents"] = each(&body["incidents"], &[world.unresolved.clone(), world.past.clone()].concat());
    } else {
        body["incidents"] = each(&body["incidents"], &world.unresolved);
        body["scheduled_maintenances"] = each(&body["scheduled_maintenances"], &world.maintenances);
        if !world.components.is_empty() {
            body["components"] = world.components.clone().into();
        }
    }
    Reply::ok(body)
}

fn told(server: &Vendor<World>, more: &str) -> Opened {
    source::opened(&format!("{}\n{more}", CASE.filled(&server.address, ""))).unwrap()
}

fn asking(question: Question) -> Ask {
    source::asking(question, "[service.shop]\ndepends-on = ['paywell']\n[service.paywell]\n[environment.production]")
}

fn ids(found: &[Incident]) -> Vec<&str> {
    found.iter().map(|incident| incident.id.as_str()).collect()
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, open(World::default()).await, "")
}

#[tokio::test]
async fn incidents_of_a_provider_are_told_with_its_name_and_on_the_service_that_stands_for_it() {
    let resolved = json!({ "id": "inc00", "name": "Failed logins", "status": "resolved", "impact": "major",
        "started_at": "2026-11-18T08:00:00Z", "resolved_at": "2026-11-18T09:30:00Z" });
    let old = json!({ "id": "inc-old", "status": "postmortem", "started_at": "2026-09-18T08:00:00Z",
        "created_at": "2026-09-18T08:00:00Z", "resolved_at": "2026-09-18T09:30:00Z" });
    let world = World { unresolved: vec![json!({})], past: vec![resolved, old], ..World::default() };
    let server = open(world).await;
    let (found, incomplete) = incidents(&told(&server, "service = 'paywell'"), &asking(Question::Incidents)).await;
    assert_eq!(incomplete, Vec::<String>::new());
    assert_eq!(ids(&found), ["inc01", "inc00"], "the newest first, what is over for long not at all");
    let first = &found[0];
    assert_eq!(first.title, "Paywell (outside): Slow captures");
    assert_eq!(first.services, ["paywell".into()]);
    assert_eq!((first.severity.as_deref(), first.blocks, first.resolved), (Some("minor"), false, None));
    assert_eq!(first.opened, Time::parse_rfc3339("2026-11-23T11:40:00Z").unwrap());
    assert_eq!(first.link.as_deref(), Some("https://stspg.io/inc01"));
    assert_eq!(found[1].resolved, Time::parse_rfc3339("2026-11-18T09:30:00Z"));
    server.is_content();
}

#[tokio::test]
async fn components_narrow_what_is_told_and_one_that_is_not_there_is_said() {
    let component = |id: &str, name: &str, group: Option<&str>| json!({ "id": id, "name": name, "status": "operational", "group_id": group });
    let on = |id: &str, component: Value| json!({ "id": id, "components": [component], "incident_updates": [] });
    let world = World {
        components: vec![
            component("c-api", "API", Some("g")),
            component("c-mail", "Mail", None),
            component("g", "Core", None),
        ],
        unresolved: vec![
            on("api", component("c-api", "API", Some("g"))),
            on("mail", component("c-mail", "Mail", None)),
            // It names its components in an update alone.
            json!({ "id": "late", "components": [], "incident_updates": [{ "affected_components": [{ "code": "c-mail", "name": "Mail" }] }] }),
            json!({ "id": "any", "components": [], "incident_updates": [] }),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let narrowed = told(&server, "components = ['core', 'Kafka']");
    let (found, incomplete) = incidents(&narrowed, &asking(Question::Incidents)).await;
    assert_eq!(
        ids(&found),
        ["any", "api"],
        "a group counts with what is in it, and what names nothing may be about it"
    );
    assert_eq!(incomplete, ["has no component `kafka`"]);
    assert_eq!(
        incidents(&told(&server, "components = ['c-mail']"), &asking(Question::Incidents)).await.0.len(),
        3,
        "by id too"
    );
    server.is_content();
}

#[tokio::test]
async fn a_component_that_is_down_without_an_incident_is_one() {
    let component = |id: &str, status: &str, group: bool| {
        json!({ "id": id, "name": id, "status": status, "group": group,
        "updated_at": "2026-11-23T11:50:00Z" })
    };
    let world = World {
        components: vec![
            component("comp-api", "major_outage", false),
            component("Search", "partial_outage", false),
            component("Batch", "under_maintenance", false),
            component("All", "partial_outage", true),
        ],
        unresolved: vec![json!({})],
        ..World::default()
    };
    let server = open(world).await;
    let (found, _) = incidents(&told(&server, ""), &asking(Question::Incidents)).await;
    let titles: Vec<&str> = found.iter().map(|incident| incident.title.as_str()).collect();
    assert_eq!(titles, ["Paywell (outside): Search: partial outage", "Paywell (outside): Slow captures"]);
    assert_eq!(found[0].opened, Time::parse_rfc3339("2026-11-23T11:50:00Z").unwrap());
}

#[tokio::test]
async fn only_a_mark_in_the_title_blocks_and_words_from_outside_are_tamed() {
    let world = World {
        unresolved: vec![
            json!({ "id": "a", "impact": "critical", "name": "Everything\nis \u{202e}down" }),
            json!({ "id": "b", "impact": "none", "name": "Keep still [BLOCKS DEPLOYMENTS]", "shortlink": "javascript:alert(1)" }),
            json!({ "id": "c", "name": "x".repeat(5_000) }),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let (found, _) = incidents(&told(&server, ""), &asking(Question::Incidents)).await;
    let told: Vec<(bool, Option<&str>, Option<&str>)> =
        found.iter().map(|i| (i.blocks, i.severity.as_deref(), i.link.as_deref())).collect();
    assert_eq!(
        (told[0], found[0].title.as_str()),
        ((false, Some("critical"), Some("https://stspg.io/inc01")), "Paywell (outside): Everything is down")
    );
    assert_eq!(told[1], (true, None, None));
    assert_eq!(found[2].title.chars().count(), 301);
}

#[tokio::test]
async fn a_page_whose_past_is_cut_off_or_not_told_says_so() {
    let recent = |n: usize| {
        json!({ "id": format!("p{n}"), "status": "resolved", "created_at": "2026-11-20T08:00:00Z",
        "started_at": "2026-11-20T08:00:00Z", "resolved_at": "2026-11-20T09:00:00Z" })
    };
    let odd = json!({ "id": 7 });
    let past = (0..49).map(recent).chain([odd]).collect();
    let server = open(World { past, ..World::default() }).await;
    let (found, incomplete) = incidents(&told(&server, ""), &asking(Question::Incidents)).await;
    assert_eq!(found.len(), 50, "with the component that is not well");
    assert_eq!(incomplete, ["lists the last 50 incidents alone", "has 1 incident that could not be read"]);
    server.shared().world.has_no_past = true;
    assert_eq!(
        incidents(&told(&server, ""), &asking(Question::Incidents)).await.1,
        ["tells of no incidents of the past"]
    );
    server.is_content();
}

#[tokio::test]
async fn maintenance_ahead_and_under_way_are_events() {
    let world = World {
        maintenances: vec![
            json!({}),
            // It was to be over half an hour ago.
            json!({ "id": "mnt02", "name": "Router swap", "status": "in_progress", "scheduled_for": "2026-11-23T10:00:00Z",
                "scheduled_until": "2026-11-23T11:30:00Z" }),
            json!({ "id": "mnt03", "status": "completed" }),
            json!({ "id": "mnt04", "scheduled_for": "2026-12-24T02:00:00Z", "scheduled_until": "2026-12-24T04:00:00Z" }),
            json!({ "id": "mnt05", "scheduled_until": null }),
        ],
        ..World::default()
    };
    let server = open(world).await;
    let (found, incomplete) =
        events(&told(&server, "services = ['shop']\nenvironments = ['production']"), &asking(Question::Calendar)).await;
    let told: Vec<(&str, &str, Means)> =
        found.iter().map(|event| (event.uid.as_str(), event.summary.as_str(), event.means)).collect();
    assert_eq!(
        told,
        [
            ("statuspage-mnt01", "Paywell (outside): Database upgrade", Means::Maintenance),
            ("statuspage-mnt02", "Paywell (outside): Router swap", Means::Maintenance),
        ]
    );
    assert_eq!(found[1].end, source::now(), "what is under way is not over");
    assert_eq!(
        (found[0].services.as_slice(), found[0].environments.as_slice()),
        (["shop".into()].as_slice(), ["production".into()].as_slice())
    );
    assert_eq!(incomplete, ["has 1 maintenance that could not be read"]);
    server.is_content();
}

#[test]
fn the_api_in_place_of_the_page_is_refused() {
    let error = source::opened("kind = 'statuspage'\npage = 'https://www.githubstatus.com/api/v2'").unwrap_err();
    assert!(format!("{error:#}").contains("as a browser opens it"), "{error:#}");
}
