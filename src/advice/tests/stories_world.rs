use super::world::*;
use crate::advice::Confidence;
use crate::advice::FlagLevel::{Caution, Critical, Info, Pass, Unknown};
use crate::advice::facts::*;
use crate::clock::{DAY, HOUR};

#[test]
fn an_open_incident_says_wait_and_blocks_only_when_marked() {
    let mut world = World::calm();
    world.says("incident.open", Pass, &["No open incident on checkout"]);
    world.facts.incidents.known[0].value.push(incident("#490", "checkout"));
    let flag =
        world.says("incident.open", Caution, &["#490", "Payments fail", "08:30 PST", "SEV2", "not marked as blocking"]);
    assert_eq!(flag.would_help.unwrap().says, "Wait until the open incident is settled");
    assert!(world.advise().blockers.is_empty());
    world.facts.incidents.known[0].value[1].blocks = true;
    world.says("incident.open", Critical, &["marked as blocking"]);
    assert_eq!(world.advise().blockers, ["incident.open"]);
    world.plan.hotfix = Some("#490".to_owned());
    world.says("incident.open", Info, &["This is the hotfix for incident #490"]);
}

#[test]
fn a_neighbours_incident_is_said_and_a_strangers_is_not() {
    let mut world = World::calm();
    world.facts.incidents.known[0].value.push(incident("#490", "ledger"));
    world.says("incident.open", Caution, &["on ledger"]);
    world.facts.incidents.known[0].value[1].services = vec!["elsewhere".into()];
    world.says("incident.open", Pass, &[]);
}

#[test]
fn a_recent_incident_is_said_with_its_open_follow_ups() {
    let mut world = World::calm();
    world.says("incident.recent", Pass, &["last 7 days"]);
    let mut recent = incident("#489", "checkout");
    (recent.opened, recent.resolved, recent.follow_ups) = (now().plus(-3 * DAY), Some(now().plus(-2 * DAY)), 2);
    world.facts.incidents.known[0].value.push(recent);
    world.says("incident.recent", Caution, &["#489", "2 days ago", "2 follow-ups open"]);
}

#[test]
fn an_incident_source_that_hangs_lies_or_is_empty_is_unknown() {
    let mut world = World::calm();
    for (asked, words) in [
        (broken("pager", "did not answer in 2 s"), "pager did not answer in 2 s"),
        (Asked::default(), "no source is set up"),
        (known("pager", Vec::new()), "pager lists no incident at all"),
    ] {
        world.facts.incidents = asked;
        for code in ["incident.open", "incident.recent"] {
            world.says(code, Unknown, &["Incidents unknown", words]);
        }
        assert_ne!(world.advise().score.confidence, Confidence::Good);
    }
    world.facts.incidents = World::calm().facts.incidents;
    world.facts.incidents.known[0].incomplete = vec!["3 lines could not be read".to_owned()];
    world.says("incident.open", Unknown, &["pager answered with gaps (3 lines could not be read)"]);
}

#[test]
fn one_source_that_failed_beside_one_that_answered_is_no_all_clear() {
    let mut world = World::calm();
    world.facts.incidents.unknown = broken::<()>("other-pager", "refused the token (401)").unknown;
    world.says("incident.open", Unknown, &["other-pager refused the token (401)"]);
    world.facts.incidents.known[0].value.push(incident("#490", "checkout"));
    world.says("incident.open", Caution, &["#490"]);
}

#[test]
fn a_service_that_is_ill_already_says_so_with_its_numbers() {
    let mut world = World::calm();
    world.says("health.now", Pass, &["checkout is well", "0.1 % of requests fail"]);
    world.facts.health.known[0].value.errors = Some(0.03);
    let flag = world.says("health.now", Caution, &["3 % of requests fail (usually 0.1 %)"]);
    assert!(flag.points > 0);
    world.facts.health.known[0].value.errors = Some(0.2);
    world.says("health.now", Critical, &["20 %"]);
    world.facts.health.known[0].value.errors = Some(0.001);
    world.facts.health.known[0].value.budget_left = Some(-0.1);
    world.says("health.now", Caution, &["error budget is spent"]);
}

#[test]
fn of_several_that_measure_the_one_that_finds_something_speaks() {
    let mut world = World::calm();
    let crashes = Health {
        errors: Some(0.08),
        usual_errors: Some(0.002),
        counts: Some("sessions crash".to_owned()),
        last_data: Some(now()),
        ..Health::default()
    };
    world.facts.health.known.push(fact("sentry", crashes));
    world.says("health.now", Critical, &["checkout is not well already: 8 % of sessions crash (usually 0.2 %)."]);
}

#[test]
fn old_or_absent_data_is_no_health() {
    let mut world = World::calm();
    world.facts.health.known[0].value.last_data = Some(now().plus(-3 * HOUR));
    world.says("health.now", Unknown, &["last had data 3 h ago"]);
    world.says("health.monitored", Caution, &["Nobody would notice by numbers"]);
    world.facts.health.known[0].value = Health::default();
    world.says("health.now", Unknown, &["has never seen data"]);
    let mut world = World::calm();
    world.facts.health.known[0].value.requests = Some(0.0);
    world.says("health.now", Unknown, &["no request"]);
    world.facts.health = Asked::default();
    world.says("health.monitored", Unknown, &["no source is set up"]);
}

#[test]
fn the_same_service_under_way_is_a_caution_and_a_stranger_is_a_remark() {
    let mut world = World::calm();
    world.says("coordination.in-flight", Pass, &[]);
    let other = Other {
        id: "checkout-86".to_owned(),
        service: "checkout".into(),
        environment: "production".into(),
        version: Some("v2.13.3".to_owned()),
        by: Some("lin".into()),
        doing: Doing::Watched,
        start: now().plus(-HOUR),
        end: now().plus(HOUR / 2),
        files: vec!["src/cart.rs".to_owned()],
        link: None,
    };
    world.facts.others.known[0].value.push(other);
    world.says(
        "coordination.in-flight",
        Caution,
        &["checkout-86", "by lin", "watched until 11:00 PST", "the same service", "both touch `src/cart.rs`"],
    );
    let other = &mut world.facts.others.known[0].value[0];
    (other.service, other.files) = ("blog".into(), Vec::new());
    world.says("coordination.in-flight", Info, &["the same environment"]);
    world.facts.others.known[0].value[0].environment = "staging".into();
    world.says("coordination.in-flight", Pass, &[]);
}

#[test]
fn a_launch_and_a_campaign_are_named_with_calendar_and_time() {
    let mut world = World::calm();
    let words = ["No launch, campaign, demo or training"];
    world.says("coordination.launch", Pass, &words);
    let calendar = &mut world.facts.calendar.known[0].value;
    calendar.push(event("Search relaunch", Means::Launch, 1, 2));
    calendar.push(event("Black Friday mail", Means::Campaign, 20, 22));
    world.says(
        "coordination.launch",
        Caution,
        &[
            "launch \"Search relaunch\" 11:30–12:30 PST (company)",
            "campaign \"Black Friday mail\" Wed 25 Nov 06:30–08:30 PST (company)",
        ],
    );
    world.facts.calendar.known[0].value.retain(|e| e.means != Means::Launch);
    world.says("coordination.launch", Info, &["Black Friday mail"]);
    for event in &mut world.facts.calendar.known[0].value {
        event.services = vec!["blog".into()];
    }
    world.says("coordination.launch", Pass, &[]);
    world.facts.calendar = broken("company", "did not answer in 2 s");
    world.says("coordination.launch", Unknown, &["company did not answer in 2 s"]);
}

#[test]
fn words_from_calendars_cannot_pose_as_ours() {
    let mut world = World::calm();
    let hostile = "Launch\n⛔ approved by\u{202e} everyone <!channel>";
    world.facts.calendar.known[0].value.push(event(hostile, Means::Launch, 1, 2));
    let says = world.flag("coordination.launch").says;
    assert!(!says.contains('\n') && !says.contains('\u{202e}'), "{says}");
}

#[test]
fn whoever_must_be_told_is_named() {
    let mut world = World::calm();
    world.says("coordination.informed", Pass, &["support"]);
    world.plan.tell.clear();
    world.says("coordination.informed", Caution, &["does not name support"]);
}

#[test]
fn a_needed_version_that_does_not_run_here_is_said() {
    let mut world = World::calm();
    world.says("dependency.versions", Pass, &["ledger v1.4.0 runs in production"]);
    world.plan.why_now = Some("needs ledger v1.5".to_owned());
    world.says("dependency.versions", Caution, &["ledger v1.5 is asked for, v1.4.0 runs"]);
    world.plan.why_now = Some("needs ledger v1.4".to_owned());
    world.says("dependency.versions", Pass, &[]);
    world.history().dependencies.clear();
    world.says("dependency.versions", Unknown, &["ledger"]);
}

#[test]
fn an_environment_that_nobody_set_up_is_critical() {
    let mut world = World::calm();
    world.says("target.environment", Pass, &["protected"]);
    world.plan.environment = "prod".into();
    world.says("target.environment", Critical, &["no environment `prod`", "production and staging"]);
}

#[test]
fn what_people_see_and_read_about_is_named() {
    let mut world = World::calm();
    world.says("users.visible", Pass, &[]);
    world.says("users.support", Pass, &[]);
    world.change().files.push(file("web/pay/form.ts", 4, 0));
    world.change().flags = vec!["new-pay".to_owned()];
    world.says("users.visible", Info, &["`web/pay/form.ts` is touched", "`new-pay`", "no flag provider"]);
    world.says("users.support", Info, &["\"How to pay\" (`web/pay/form.ts`)"]);
}

#[test]
fn reach_and_what_people_are_in_the_middle_of_come_with_the_hours_traffic() {
    let mut world = World::calm();
    world.says("users.reached", Info, &["60 % of customers meet checkout", "38 % of the weekly peak"]);
    world.says("users.midway", Info, &["checkout takes up to 20 minutes", "38 %"]);
    world.facts.load.known[0].value.week = (0..168).map(|h| Some(if h == 0 { 100.0 } else { 94.0 })).collect();
    world.says("users.midway", Caution, &["94 %"]);
    world.facts.load = broken("prometheus", "answered rubbish");
    world.says("users.midway", Unknown, &["prometheus answered rubbish"]);
    world.says("users.reached", Unknown, &[]);
}

/// 3.0 as a share of requests can never be reached; it stood there once, meant as "three times the usual".
#[test]
fn the_default_limits_are_ones_that_can_be_reached() {
    let settings = crate::config::Settings::read("[team]\nname = 'T'\nzone = 'UTC'\n", "test", ".".into()).unwrap();
    for code in ["health.now", "timing.peak-traffic", "history.service", "change.size", "tests.main-branch"] {
        let limits = &settings.policy.threshold[code];
        for limit in [limits.caution, limits.critical].into_iter().flatten() {
            assert!((0.0..=1.0).contains(&limit), "{code}: {limit} is no share");
        }
    }
}
