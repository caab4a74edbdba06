//! Deployments that begin without the gate or against it: seen on every road by which they become known, recorded, and told
//! to the owners.

use serde_json::{Value, json};

use super::sources::github::world::{self, World};
use crate::harness::{Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

fn report(id: &str, status: &str, version: &str) -> Value {
    json!({ "id": id, "status": status, "service": "shop", "environment": "production", "version": version, "actor": "max" })
}

/// What the record says that the newest deployment went against.
fn against(story: &Story) -> Value {
    let (code, out, _) = story.runs_with(&["audit", "export"], &[], "");
    assert_eq!(code, 0);
    let lines = out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut entries = lines.filter_map(|line| serde_json::from_str::<Value>(line["bytes"].as_str()?).ok());
    let of_deployments = |entry: &Value| entry["kind"].as_str().is_some_and(|kind| kind.starts_with("deployment."));
    let last = entries.rfind(of_deployments);
    last.unwrap_or_else(|| panic!("no deployment: {}", story.texts()))["data"]["against"].clone()
}

#[test]
fn one_that_nobody_planned_names_owners_locks_and_hours() {
    let mut story = Story::begin(&settings());
    story.says("lin", "/deploy lock shop/production --why \"counting stock\" --for 2h");
    story.reports(&report("ci-1", "started", "v1.0.0"));
    assert_eq!(against(&story), json!(["plan.none", "coordination.lock"]));
    let texts = story.texts();
    assert!(texts.contains("@ada shop v1.0.0 was deployed to production"), "{texts}");
    assert!(texts.contains("without a plan. Whose is it, and why?"), "{texts}");
    assert!(texts.contains("Besides: lin locked it: counting stock."), "{texts}");
    // A second word on the same deployment is no second one.
    story.reports(&report("ci-1", "succeeded", "v1.0.0"));
    assert_eq!((story.texts().matches("Whose is it").count(), against(&story)), (1, Value::Null));

    let mut sunday = Story::begin_at(&settings(), "2026-11-22T11:00:00-08:00");
    sunday.reports(&report("ci-1", "started", "v1.0.0"));
    assert_eq!(against(&sunday), json!(["plan.none", "timing.window"]));
    assert!(sunday.texts().contains("Outside the allowed window (Mon–Thu 10:00–16:00 PST)."), "{}", sunday.texts());
    // What staging does is nobody's gate.
    let mut staging = report("ci-2", "started", "v1.0.0");
    staging["environment"] = json!("staging");
    sunday.reports(&staging);
    assert_eq!(against(&sunday), Value::Null);
}

#[test]
fn one_that_was_planned_says_what_the_gate_would_have_said() {
    let thread = "The gate had not let this deployment through: ";
    let told = |story: &Story, codes: Value, says: &str| {
        assert_eq!(against(story), codes, "{}", story.texts());
        let texts = story.texts();
        assert!(texts.contains(&format!("@ada {thread}")) && texts.contains(says), "{texts}");
    };
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    story.reports(&report("ci-1", "started", "v1.1.0"));
    told(&story, json!(["approval.missing"]), "Missing: ");

    let approved = || {
        let mut story = Story::begin(&settings());
        story.says("ada", PLAN);
        let card = story.card();
        story.reacts("lin", &card, "white_check_mark");
        story
    };
    let mut story = approved();
    let mut other = report("ci-1", "started", "v1.1.0");
    other["commit"] = json!("4f2c91a1b2c3d4e5f60718293a4b5c6d7e8f9012");
    story.reports(&other);
    told(&story, json!(["commit.differs"]), "not 4f2c91a");

    let mut story = approved();
    story.says("noor", "/deploy lock shop/production --why \"counting stock\" --for 2h");
    story.reports(&report("ci-1", "started", "v1.1.0"));
    told(&story, json!(["coordination.lock"]), "counting stock");

    let mut story = approved();
    story.advances(6 * 3_600);
    story.reports(&report("ci-1", "started", "v1.1.0"));
    told(&story, json!(["timing.window"]), "Outside the allowed window");

    // With the gate: nothing is said.
    let mut story = approved();
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
    story.reports(&report("ci-1", "started", "v1.1.0"));
    assert_eq!((against(&story), story.texts().contains(thread)), (Value::Null, false));
    story.reports(&report("ci-1", "succeeded", "v1.1.0"));
    assert_eq!((against(&story), story.texts().contains(thread)), (Value::Null, false));
    // The approval is used up: another deployment of it is another plan's.
    story.reports(&report("ci-2", "started", "v1.1.0"));
    told(&story, json!(["plan.used"]), "its approval is used up");
    let (code, out, _) = story.runs_with(&["audit", "verify"], &[], "");
    assert_eq!(code, 0, "{out}");
}

#[test]
fn one_that_no_webhook_told_is_found_where_its_system_keeps_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(world::open(World::default()));
    let told = |id: u64, at: &str| json!({ "id": id, "ref": "v1.0.0", "environment": "production", "created_at": at });
    {
        let world = &mut server.shared().world;
        // One from before the record began, and one of this hour.
        world.deployments = vec![told(2, "2026-11-23T19:03:00Z"), told(1, "2026-11-23T12:00:00Z")];
        world.states = [(2, "success"), (1, "success")].map(|(id, state)| (id, state.to_owned())).into();
    }
    let stanza = format!(
        "\n[[source]]\nkind = 'github'\nname = 'github'\nrepository = 'harbor/shop'\nurl = '{}'\nservices = ['shop']\n\
         token = {{ value = '{}' }}\nanswers = ['deployments']\nwebhook = {{ value = 's' }}\n",
        server.address,
        world::TOKEN
    );
    let mut story = Story::begin(&(settings() + &stanza));
    story.advances(400);
    assert_eq!(against(&story), json!(["plan.none"]), "{}", story.log());
    let texts = story.texts();
    assert!(texts.contains("@ada shop v1.0.0 was deployed to production"), "{texts}");
    story.advances(3_600);
    assert_eq!(story.texts().matches("Whose is it, and why?").count(), 1, "{}", story.texts());
    assert_eq!(story.number("select count(*) from deployment"), 1);
    server.is_content();
}
