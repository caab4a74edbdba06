use std::fmt::Write as _;
use std::fs;

use super::super::tests::{ask, opened, settings};
use super::*;
use crate::advice::facts::Outcome;
use crate::clock::Time;
use crate::config::Settings;
use crate::name::Person;
use crate::source::Opened;

const SERVICES: &str = "[service.checkout]\ndepends-on = [\"payments\"]\n[service.payments]\n[service.web]\n\
    depends-on = [\"checkout\"]\n[service.search]\n[environment.production]\nafter = \"staging\"\n[environment.staging]\n\
    [people.ada]\nemail = [\"ada@sample.test\"]\non-call = [\"A. Lovelace\"]\n";

struct World {
    folder: tempfile::TempDir,
    source: Opened,
    settings: Arc<Settings>,
}

fn world(deployments: &str, incidents: &str, on_call: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("deployments.jsonl"), deployments).unwrap();
    fs::write(folder.path().join("incidents.jsonl"), incidents).unwrap();
    fs::write(folder.path().join("on-call.jsonl"), on_call).unwrap();
    let settings = settings(&format!(
        "{SERVICES}\n[[source]]\nname = \"files\"\nkind = \"jsonl\"\ndeployments = \"deployments.jsonl\"\n\
         incidents = \"incidents.jsonl\"\non-call = \"on-call.jsonl\"\n"
    ));
    let source = opened(&settings.source[0], folder.path()).unwrap();
    World { folder, source, settings }
}

async fn learn(world: &World, question: Question) -> Result<Answer, CannotSay> {
    world.source.ask(&ask(question, &world.settings)).await
}

async fn deployments(world: &World) -> (Vec<Deployment>, Vec<String>) {
    match learn(world, Question::Deployments).await.unwrap() {
        Answer { learned: Learned::Deployments(list), incomplete, .. } => (list, incomplete),
        other => panic!("{other:?}"),
    }
}

fn at(text: &str) -> Time {
    Time::parse_rfc3339(text).unwrap()
}

#[tokio::test]
async fn deployments_are_read_by_many_names_and_only_those_that_concern() {
    let lines = concat!(
        "\u{feff}{\"id\":\"1\",\"service\":\"checkout\",\"environment\":\"production\",\"version\":\"v1\",\"at\":\"2026-11-01T10:00:00Z\",\"outcome\":\"rolledback\",\"cause\":\"timing\"}\r\n",
        "\n",
        "{\"id\":\"2\",\"app\":\"payments\",\"env\":\"production\",\"sha\":\"abc\",\"timestamp\":1793700000,\"outcome\":\"ok\",\"lines\":120,\"files\":[\"a.rs\"],\"ai\":true}\n",
        "{\"id\":\"3\",\"service\":\"checkout\",\"environment\":\"staging\",\"at\":\"2026-11-02T10:00:00Z\"}\n",
        "{\"id\":\"4\",\"service\":\"search\",\"environment\":\"production\",\"at\":\"2026-11-02T10:00:00Z\"}\n",
        "{\"id\":\"5\",\"service\":\"checkout\",\"environment\":\"production\",\"at\":\"2027-11-02T10:00:00Z\"}\n",
        "{\"id\":\"6\",\"service\":\"checkout\",\"environment\":\"production\",\"at\":\"2026-11-03T10:00:00Z\",\"status\":\"failed\"}\n",
        "{\"service\":\"checkout\",\"environment\":\"production\",\"at\":\"2026-11-04T10:00:00Z\",\"shape\":{\"migration\":true,\"hour\":42}}"
    );
    let (found, incomplete) = deployments(&world(lines, "", "")).await;
    assert_eq!(incomplete, Vec::<String>::new());
    let ids: Vec<&str> = found.iter().map(|deployment| deployment.id.as_str()).collect();
    assert_eq!(ids, ["checkout/production/2026-11-04T10:00:00Z", "2", "3", "1"]);
    assert!(found[0].shape.migration && found[0].shape.hour == Some(42));
    assert_eq!(found[1].outcome, Some(Outcome::Clean));
    assert_eq!((found[1].commit.as_deref(), found[1].shape.lines, found[1].shape.ai), (Some("abc"), 120, Some(true)));
    assert_eq!(found[3].outcome, Some(Outcome::RolledBack));
}

#[tokio::test]
async fn a_later_line_with_the_same_id_says_what_became_of_it() {
    let lines = "{\"id\":\"1\",\"status\":\"started\",\"service\":\"checkout\",\"environment\":\"production\",\"at\":\"2026-11-01T10:00:00Z\"}\n\
        {\"id\":\"1\",\"status\":\"rolled_back\",\"service\":\"checkout\",\"environment\":\"production\",\"at\":\"2026-11-01T10:30:00Z\"}\n\
        {\"id\":\"2\",\"status\":\"started\",\"service\":\"checkout\",\"environment\":\"production\",\"at\":\"2026-11-02T10:00:00Z\"}\n\
        {\"id\":\"2\",\"status\":\"failed\"}\n";
    let (found, _) = deployments(&world(lines, "", "")).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].at, at("2026-11-01T10:00:00Z"));
    assert_eq!(found[0].finished, Some(at("2026-11-01T10:30:00Z")));
    assert_eq!(found[0].outcome, Some(Outcome::RolledBack));
}

#[tokio::test]
async fn a_bad_line_is_named_and_loses_nothing_but_itself() {
    let mut lines = String::from(
        "{\"id\":\"1\",\"service\":\"checkout\",\"environment\":\"production\",\"at\":\"2026-11-01T10:00:00Z\"}\n\
         not json\n{\"id\":\"2\",\"environment\":\"production\",\"at\":\"2026-11-01T10:00:00Z\"}\n\
         {\"id\":\"3\",\"service\":\"checkout\",\"environment\":\"production\",\"at\":\"yesterday\"}\n[1]\n\
         {\"id\":\"4\",\"service\":\"checkout\",\"environment\":\"production\",\"at\":\"2026-11-01T10:00:00Z\",\"outcome\":\"meh\u{202e}\"}\n",
    );
    lines.push_str(&"x".repeat(2 << 20));
    lines.push_str("\n{\"half\": ");
    let (found, incomplete) = deployments(&world(&lines, "", "")).await;
    assert_eq!(found.len(), 1);
    insta::assert_snapshot!(incomplete.join("\n"), @r"
    deployments.jsonl line 2 is not JSON (column 2)
    deployments.jsonl line 3 has no `service`
    deployments.jsonl line 4 has a `at` that is no time (write 2026-11-24T18:00:00Z)
    deployments.jsonl line 5 is not a JSON object
    deployments.jsonl line 6 has the outcome `meh`; known are clean, degraded, hotfix, rolled_back, incident
    deployments.jsonl has 2 more lines that cannot be read
    ");
}

#[tokio::test]
async fn a_file_is_read_again_when_it_has_changed() {
    let line =
        "{\"id\":\"1\",\"service\":\"checkout\",\"environment\":\"production\",\"at\":\"2026-11-01T10:00:00Z\"}\n";
    let world = world(line, "", "");
    assert_eq!(deployments(&world).await.0.len(), 1);
    let path = world.folder.path().join("deployments.jsonl");
    fs::write(&path, line.to_owned() + &line.replace("\"1\"", "\"2\"")).unwrap();
    assert_eq!(deployments(&world).await.0.len(), 2);
    fs::remove_file(&path).unwrap();
    let why = learn(&world, Question::Deployments).await.unwrap_err().0;
    assert!(why.starts_with("found no file at `") && why.ends_with("deployments.jsonl`"), "{why}");
}

#[tokio::test]
async fn incidents_of_the_service_and_its_neighbours_that_were_open_in_the_time_looked_at() {
    let lines = "{\"id\":\"#1\",\"title\":\"old\",\"service\":\"checkout\",\"opened\":\"2026-10-01T10:00:00Z\",\"resolved\":\"2026-10-01T11:00:00Z\"}\n\
        {\"number\":482,\"title\":\"slow\\npayments\",\"services\":[\"payments\"],\"opened_at\":\"2026-10-01T10:00:00Z\",\"blocks\":true,\"follow_ups\":[\"a\",\"b\"],\"url\":\"javascript:x\"}\n\
        {\"id\":\"#3\",\"title\":\"web\",\"service\":\"web\",\"opened\":\"2026-11-20T10:00:00Z\",\"severity\":\"sev2\"}\n\
        {\"id\":\"#4\",\"title\":\"search\",\"service\":\"search\",\"opened\":\"2026-11-20T10:00:00Z\"}\n\
        {\"id\":\"#5\",\"title\":\"a provider\",\"opened\":\"2026-11-20T11:00:00Z\"}\n\
        {\"id\":\"#5\",\"title\":\"a provider\",\"opened\":\"2026-11-20T11:00:00Z\",\"resolved\":\"2026-11-20T11:30:00Z\"}\n";
    let world = world("", lines, "");
    let Learned::Incidents(found) = learn(&world, Question::Incidents).await.unwrap().learned else { panic!() };
    let ids: Vec<&str> = found.iter().map(|incident| incident.id.as_str()).collect();
    assert_eq!(ids, ["#5", "#3", "482"]);
    assert_eq!(found[0].resolved, Some(at("2026-11-20T11:30:00Z")));
    let payments = &found[2];
    assert!(payments.blocks && payments.follow_ups == 2 && payments.link.is_none());
    assert_eq!(payments.title, "slow payments");
}

#[tokio::test]
async fn shifts_name_people_of_ours_where_they_are_known() {
    let lines = "{\"person\":\"A. Lovelace\",\"start\":\"2026-11-20T09:00:00Z\",\"end\":\"2026-11-21T09:00:00Z\"}\n\
        {\"email\":\"ADA@sample.test\",\"service\":\"checkout\",\"from\":\"2026-11-21T09:00:00Z\",\"level\":2}\n\
        {\"who\":\"Somebody Else\",\"service\":\"search\",\"start\":\"2026-11-20T09:00:00Z\"}\n\
        {\"who\":\"Backwards\",\"start\":\"2026-11-20T09:00:00Z\",\"end\":\"2026-11-19T09:00:00Z\"}\n";
    let world = world("", "", lines);
    let answer = learn(&world, Question::OnCall).await.unwrap();
    let Learned::OnCall(found) = answer.learned else { panic!() };
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|shift| shift.person == Person::new("ada")));
    assert_eq!((found[0].level, found[1].level, found[1].end), (1, 2, None));
    assert_eq!(answer.incomplete, ["on-call.jsonl line 4 ends before it starts"]);
}

#[tokio::test]
async fn more_than_is_kept_is_said_and_the_newest_stay() {
    let mut lines = String::new();
    for n in 0..(2 * MOST_DEPLOYMENTS + 500) {
        let at = at("2026-01-01T00:00:00Z").plus(i64::try_from(n).unwrap() * 60_000).rfc3339();
        writeln!(lines, "{{\"id\":\"{n}\",\"service\":\"checkout\",\"environment\":\"production\",\"at\":\"{at}\"}}")
            .unwrap();
    }
    let (found, incomplete) = deployments(&world(&lines, "", "")).await;
    assert_eq!(found.len(), MOST_DEPLOYMENTS);
    assert_eq!(found[0].id, (2 * MOST_DEPLOYMENTS + 499).to_string());
    assert_eq!(incomplete, ["deployments.jsonl holds more than the newest 5000 that were kept"]);
}

#[test]
fn a_source_without_files_or_with_a_question_that_it_has_none_for_is_refused() {
    let settings = settings(
        "[[source]]\nname = \"a\"\nkind = \"jsonl\"\n[[source]]\nname = \"b\"\nkind = \"jsonl\"\nincidents = \"x\"\n\
         answers = [\"deployments\"]\n",
    );
    let says = |n: usize| format!("{:#}", opened(&settings.source[n], Path::new(".")).unwrap_err());
    assert_eq!(says(0), "the source `a`: it names no file: set `deployments`, `incidents` or `on-call`");
    assert_eq!(says(1), "the source `b` cannot answer `deployments`: as it is set up it can answer `incidents`");
}
