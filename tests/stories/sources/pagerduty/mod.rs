//! The PagerDuty source against a pretend PagerDuty that holds every request against a description of its API.

pub(in crate::stories) mod world;

use serde_json::json;

use tidegate::advice::facts::Means;
use tidegate::clock::{DAY, Time};
use tidegate::source::{Ask, Opened, Question};

use self::world::{TOKEN, World};
use super::{Case, Standing};
use crate::harness::source::{self, at, events, incidents, shifts};
use crate::harness::vendor::{Reply, laid_over};

pub const CASE: Case = Case {
    kind: "pagerduty",
    stanza: r#"
        kind = "pagerduty"
        url = "{address}"
        token = { value = "{secret}" }
        map = { shop = "PSHOP01", ledger = ["PLEDG01", "PLEDG02"] }
        [on-call]
        shop = { schedules = ["PROTA01", "PROTA02"], escalation-policies = ["PESC001"] }
    "#,
};

const SETTINGS: &str = r#"
[service.shop]
depends-on = ["ledger"]
[service.ledger]
[service.mail]
[environment.production]
[people.ada]
email = ["ada@harbor.test"]
[people.lin]
name = "Lin Park"
"#;

fn told(address: &str) -> Opened {
    source::opened(&CASE.filled(address, TOKEN)).unwrap()
}

fn asking(question: Question) -> Ask {
    source::asking(question, SETTINGS)
}

/// One that is well, for who wants all kinds at once.
pub async fn standing() -> Standing {
    Standing::new(&CASE, world::open(World::default()).await, TOKEN)
}

#[tokio::test]
async fn incidents_that_are_open_however_old_and_those_of_late_are_told() {
    let ledger = json!({ "id": "PLEDG02", "type": "service_reference", "summary": "Ledger" });
    let mail = json!({ "id": "PMAIL01", "type": "service_reference", "summary": "Mail" });
    let world = World {
        incidents: vec![
            json!({}),
            json!({ "incident_number": 301, "title": "Open since spring", "status": "acknowledged", "service": ledger,
                "created_at": "2026-03-02T08:00:00Z", "priority": null, "urgency": "low" }),
            json!({ "incident_number": 450, "title": "Began before, ended within", "status": "resolved",
                "created_at": "2026-10-10T08:00:00Z", "resolved_at": "2026-10-30T08:00:00Z" }),
            json!({ "incident_number": 440, "title": "Over before", "status": "resolved",
                "created_at": "2026-10-09T08:00:00Z", "resolved_at": "2026-10-10T08:00:00Z" }),
            json!({ "incident_number": 470, "title": "Old account", "status": "resolved", "resolved_at": null,
                "created_at": "2026-11-18T08:00:00Z", "last_status_change_at": "2026-11-18T09:00:00+00:00" }),
            json!({ "incident_number": 480, "title": "Somebody else's", "service": mail }),
        ],
        ..World::default()
    };
    let server = world::open(world).await;
    let (found, incomplete) = incidents(&told(&server.address), &asking(Question::Incidents)).await;
    assert_eq!(incomplete, Vec::<String>::new());
    let ids: Vec<&str> = found.iter().map(|incident| incident.id.as_str()).collect();
    assert_eq!(ids, ["#482", "#470", "#450", "#301"], "the newest first");
    let (first, old, spring) = (&found[0], &found[1], &found[3]);
    assert_eq!((first.severity.as_deref(), first.blocks, first.resolved), (Some("P2"), false, None));
    assert_eq!(first.services, ["shop".into()]);
    assert!(first.link.as_deref().is_some_and(|link| link.starts_with("https://harbor.pagerduty.com/")));
    assert_eq!(old.resolved, Some(at("2026-11-18T09:00:00Z")), "the last change, where no end is told");
    assert_eq!(
        (spring.services.as_slice(), spring.severity.as_deref()),
        (["ledger".into()].as_slice(), Some("low urgency"))
    );
    server.is_content();
}

#[tokio::test]
async fn only_the_mark_in_the_title_blocks() {
    let world = World {
        incidents: vec![
            json!({ "incident_number": 1, "title": "Down [Blocks deployments]", "urgency": "low", "priority": null }),
            json!({ "incident_number": 2, "title": "Everything is down", "urgency": "high",
                "priority": { "id": "P1", "summary": "P1" } }),
        ],
        ..World::default()
    };
    let server = world::open(world).await;
    let (found, _) = incidents(&told(&server.address), &asking(Question::Incidents)).await;
    let blocks: Vec<(&str, bool)> = found.iter().map(|incident| (incident.id.as_str(), incident.blocks)).collect();
    assert_eq!(blocks, [("#1", true), ("#2", false)]);
}

#[tokio::test]
async fn a_custom_field_or_a_priority_that_the_settings_name_blocks() {
    let incident = |number: u64, more: serde_json::Value| {
        laid_over(json!({ "id": format!("Q{number}"), "incident_number": number, "priority": null }), more)
    };
    let over = json!({ "status": "resolved", "resolved_at": "2026-11-21T08:00:00Z" });
    let world = World {
        incidents: vec![
            incident(1, json!({})),
            incident(2, json!({})),
            incident(3, json!({ "priority": { "id": "P0", "summary": "Deploy stop" } })),
            incident(4, json!({ "priority": { "id": "P1", "summary": "P1" } })),
            incident(5, over),
            incident(6, json!({})),
        ],
        fields: vec![
            ("Q1", json!({ "value": true })),
            ("Q2", json!({ "value": null })),
            ("Q4", json!({ "name": "other", "display_name": "Another field", "id": "PF2", "value": true })),
            ("Q5", json!({ "value": true })),
            ("Q6", json!({ "field_type": "multi_value_fixed", "data_type": "string", "value": ["no", "TRUE"] })),
        ],
        ..World::default()
    };
    let server = world::open(world).await;
    let marks =
        "blocks-field = { field = 'Blocks deployments', value = 'true' }\nblocks-priorities = ['deploy stop']\n";
    let stanza = CASE.filled(&server.address, TOKEN).replace("[on-call]", &format!("{marks}[on-call]"));
    let source = source::opened(&stanza).unwrap();
    let (mut found, incomplete) = incidents(&source, &asking(Question::Incidents)).await;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let blocks: Vec<bool> = found.iter().map(|incident| incident.blocks).collect();
    assert_eq!((blocks, incomplete), (vec![true, false, true, false, false, true], Vec::new()));
    let asked = server.shared().requests.iter().filter(|request| request.contains("custom_fields")).count();
    assert_eq!(asked, 4, "neither of what is over nor of what blocks anyway");
    server.is_content();

    // Nobody may take an incident for harmless whose mark could not be read.
    server.shared().world.no_fields = Some(403);
    let (found, incomplete) = incidents(&source, &asking(Question::Incidents)).await;
    assert_eq!((found.len(), incomplete.len()), (6, 1));
    assert!(incomplete[0].starts_with("did not tell which incidents block: it refused"), "{incomplete:?}");
}

#[tokio::test]
async fn what_is_cut_off_skipped_or_unknown_is_said() {
    let many = (0..620).map(|n| json!({ "incident_number": n, "created_at": "2026-11-20T08:10:00Z" }));
    let odd = [json!({ "created_at": "yesterday" })];
    let world = World { incidents: odd.into_iter().chain(many).collect(), ..World::default() };
    let server = world::open(world).await;
    let source = told(&server.address);
    let (found, incomplete) = incidents(&source, &asking(Question::Incidents)).await;
    assert_eq!(found.len(), 499);
    assert_eq!(
        incomplete,
        [
            "has more than 500 open incidents, of which only these were read",
            "has 1 open incident that could not be read"
        ]
    );
    let asked = server.shared().requests.clone();
    assert_eq!(asked.iter().filter(|request| request.contains("date_range=all")).count(), 5, "{asked:#?}");
    // A service that PagerDuty does not know, and a past that it does not search.
    let mail = Ask { service: "mail".into(), ..asking(Question::Incidents) };
    let (found, incomplete) = incidents(&source, &mail).await;
    assert_eq!((found.len(), incomplete), (0, vec!["knows no service for mail: `map` does not name it".to_owned()]));
    let long = Ask { from: source::now().plus(-400 * DAY), ..asking(Question::Incidents) };
    let (_, incomplete) = incidents(&source, &long).await;
    assert!(incomplete.contains(&"searches no further back than six months".to_owned()), "{incomplete:?}");
    server.is_content();
}

#[tokio::test]
async fn shifts_have_levels_hand_overs_and_people_of_ours() {
    let lin = json!({ "id": "PLIN001", "type": "user", "name": "Lin Park", "email": "other@harbor.test" });
    let guest = json!({ "id": "PEXT001", "type": "user", "name": "Night\u{202e} crew", "email": null });
    let world = World {
        shifts: vec![
            json!({}),
            json!({ "user": lin, "start": "2026-11-24T10:00:00+01:00", "end": "2026-11-28T09:00:00Z" }),
            json!({ "user": guest, "escalation_level": 2, "schedule": { "id": "PROTA02" } }),
            // Called without a schedule, for as long as the policy stands.
            json!({ "escalation_level": 3, "schedule": null, "start": null, "end": null }),
            json!({ "schedule": { "id": "PROTA09" }, "start": "2026-11-23T00:00:00Z" }),
        ],
        ..World::default()
    };
    let server = world::open(world).await;
    let source = told(&server.address);
    let (found, incomplete) = shifts(&source, &asking(Question::OnCall)).await;
    assert_eq!(incomplete, Vec::<String>::new());
    let told: Vec<(&str, u8, Time, Option<Time>)> =
        found.iter().map(|shift| (shift.person.as_str(), shift.level, shift.start, shift.end)).collect();
    let (one, two) = (at("2026-11-20T09:00:00Z"), at("2026-11-24T09:00:00Z"));
    assert_eq!(
        told,
        [
            ("Night crew", 2, one, Some(two)),
            ("ada", 1, one, Some(two)),
            ("lin", 1, two, Some(at("2026-11-28T09:00:00Z"))),
        ],
        "the hand-over is at the same moment"
    );
    assert!(found.iter().all(|shift| shift.service == Some("shop".into())));
    assert!(server.shared().requests[0].contains("include%5B%5D=users"), "addresses come with the shifts");
    // Beyond ninety days nothing is told.
    let far = Ask { to: source::now().plus(120 * DAY), ..asking(Question::OnCall) };
    assert_eq!(shifts(&source, &far).await.1, ["tells shifts no further ahead than 90 days"]);
    let ledger = Ask { service: "ledger".into(), ..asking(Question::OnCall) };
    assert_eq!(shifts(&source, &ledger).await, (Vec::new(), Vec::new()), "nobody is named, which is no all-clear");
    server.is_content();
}

#[tokio::test]
async fn somebody_called_without_a_schedule_is_called_until_further_notice() {
    let world = World {
        shifts: vec![json!({ "escalation_level": 3, "schedule": null, "start": null, "end": null })],
        ..World::default()
    };
    let server = world::open(world).await;
    let stanza = CASE.filled(&server.address, TOKEN).replace(r#"schedules = ["PROTA01", "PROTA02"], "#, "");
    let ask = asking(Question::OnCall);
    let (found, _) = shifts(&source::opened(&stanza).unwrap(), &ask).await;
    let told: Vec<(&str, u8, Time, Option<Time>)> =
        found.iter().map(|shift| (shift.person.as_str(), shift.level, shift.start, shift.end)).collect();
    assert_eq!(told, [("ada", 3, ask.from, None)]);
    server.is_content();
}

#[tokio::test]
async fn maintenance_windows_are_events_that_mean_maintenance() {
    let world = World {
        windows: vec![
            json!({}),
            json!({ "id": "POVER01", "start_time": "2026-11-21T20:00:00Z", "end_time": "2026-11-21T22:00:00Z" }),
            json!({ "id": "PLATER1", "start_time": "2026-12-21T20:00:00Z", "end_time": "2026-12-21T22:00:00Z" }),
            json!({ "id": "PLEDGER", "description": null, "summary": "", "start_time": "2026-11-23T11:00:00Z",
                "end_time": "2026-11-23T13:00:00Z", "services": [{ "id": "PLEDG01" }, { "id": "POTHER1" }] }),
        ],
        ..World::default()
    };
    let server = world::open(world).await;
    let (found, incomplete) = events(&told(&server.address), &asking(Question::Calendar)).await;
    assert_eq!(incomplete, Vec::<String>::new());
    let told: Vec<(&str, &str, Means)> =
        found.iter().map(|event| (event.uid.as_str(), event.summary.as_str(), event.means)).collect();
    let maintenance = Means::Maintenance;
    let expected =
        [("pagerduty-PWIND01", "Card processor moves", maintenance), ("pagerduty-PLEDGER", "Maintenance", maintenance)];
    assert_eq!(told, expected);
    assert_eq!((found[0].services.as_slice(), found[0].owner.as_deref()), (["shop".into()].as_slice(), Some("Ada")));
    assert_eq!(found[1].services, ["ledger".into()]);
    server.is_content();
}

#[tokio::test]
async fn what_pagerduty_refuses_is_said_with_the_reason() {
    let server = world::open(World::default()).await;
    for (reply, says) in [
        (Reply::status(402), "answered with an error (402)"),
        (
            Reply(429, vec![("ratelimit-remaining", "0".into()), ("ratelimit-reset", "20".into())], json!({})),
            "has no questions left for this credential for another 20 s (429)",
        ),
    ] {
        server.shared().fault = Some(reply);
        // Each from a source of its own, for who was told to wait asks no more.
        let source = told(&server.address);
        let why = source.ask(&asking(Question::OnCall)).await.unwrap_err();
        if says.contains("429") {
            let again = source.ask(&asking(Question::OnCall)).await.unwrap_err();
            assert!(again.0.starts_with("asked for no more questions for another"), "{again}");
        }
        assert_eq!(why.0, says);
    }
}

#[tokio::test]
async fn a_request_that_pagerduty_does_not_describe_is_complained_of() {
    let server = world::open(World::default()).await;
    let client = tidegate::http::trusted(std::time::Duration::from_secs(20)).unwrap();
    let wrong = "incidents?statuses[]=bogus&limit=500&colour=red";
    let _ = client.get(format!("{}/{wrong}", server.address)).send().await;
    let _ = client.get(format!("{}/incidents?colour=red", server.address)).send().await;
    let complaints = server.shared().complaints.join("\n");
    for wrong in ["statuses[]", "no such parameter", "vnd.pagerduty"] {
        assert!(complaints.contains(wrong), "{wrong}: {complaints}");
    }
}

#[test]
fn settings_that_would_tell_nothing_are_refused() {
    let error = |more: &str| {
        let stanza = format!("kind = 'pagerduty'\ntoken = {{ value = 'x' }}\n{more}");
        format!("{:#}", source::opened(&stanza).unwrap_err())
    };
    assert!(error("").contains("`map` or `on-call`"), "{}", error(""));
    assert!(error("on-call = { shop = {} }").contains("neither schedules nor escalation policies for `shop`"));
    assert!(error("map = { shop = 'P1' }\nanswers = ['on-call']").contains("cannot answer `on-call`"));
}
