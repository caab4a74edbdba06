use super::world::*;
use crate::advice::FlagLevel::{Caution, Critical, Info, Pass, Unknown};
use crate::advice::facts::*;
use crate::clock::{HOUR, MINUTE};

fn alert(name: &str, severity: &str) -> Alert {
    Alert {
        name: name.to_owned(),
        state: AlertState::Firing,
        severity: Some(severity.to_owned()),
        summary: Some("Payments fail".to_owned()),
        since: now().plus(-20 * MINUTE),
        silenced: None,
        link: None,
    }
}

/// A calm world in which an Alertmanager tells of these.
fn with(alerts: Vec<Alert>) -> World {
    let mut world = World::calm();
    world.facts.alerts = known("alerts", alerts);
    world
}

#[test]
fn an_alert_that_fires_is_named_with_since_when_and_whether_it_is_silenced() {
    with(Vec::new()).says("health.now", Pass, &["checkout is well"]);
    let mut world = with(vec![alert("SlowPages", "warning"), alert("HighErrorRate", "critical")]);
    let says = "checkout is not well already: alert HighErrorRate (critical) has fired since ";
    let flag = world.says("health.now", Critical, &[says, "not silenced, and one more fires."]);
    assert!(flag.because.iter().any(|because| because.says.contains("Payments fail")), "{:?}", flag.because);

    world.facts.alerts.known[0].value.truncate(1);
    world.says("health.now", Caution, &["alert SlowPages (warning) has fired since"]);
    // Somebody knows of it: a step less.
    world.facts.alerts.known[0].value[0].silenced = Some(now().plus(HOUR));
    let flag = world.says("health.now", Info, &["checkout is well: ", "; alert SlowPages", "silenced until"]);
    assert_eq!(flag.points, 0);
    world.facts.alerts.known[0].value = vec![Alert { silenced: Some(now().plus(HOUR)), ..alert("Down", "page") }];
    world.says("health.now", Caution, &["alert Down (page)", "silenced until"]);
    // A silence that is over is none.
    world.facts.alerts.known[0].value[0].silenced = Some(now().plus(-1));
    world.says("health.now", Critical, &["not silenced"]);
    // What asks nobody to do anything is no illness.
    with(vec![alert("Watchdog", "none")]).says("health.now", Pass, &[]);
}

#[test]
fn alerts_and_numbers_are_told_together_and_neither_hides_the_other() {
    let mut world = with(vec![alert("SlowPages", "warning")]);
    world.facts.health.known[0].value.errors = Some(0.2);
    world.says("health.now", Critical, &["20 % of requests fail", "; alert SlowPages"]);
    world.facts.health = broken("metrics", "did not answer in 2 s");
    world.says("health.now", Caution, &["alert SlowPages", "Health unknown: metrics did not answer in 2 s."]);
    world.facts.alerts = known("alerts", Vec::new());
    world.says("health.now", Unknown, &["metrics did not answer"]);
}

#[test]
fn alerts_that_could_not_be_seen_are_no_all_clear() {
    let mut world = World::calm();
    world.facts.alerts = broken("alerts", "refused the token (401)");
    world.says("health.now", Unknown, &["Alerts unknown: alerts refused the token (401)"]);
    let mut world = with(Vec::new());
    world.facts.alerts.known[0].incomplete = vec!["its heartbeat is gone".to_owned()];
    world.says("health.now", Unknown, &["its heartbeat is gone"]);
}

#[test]
fn a_silence_over_the_deployment_is_said() {
    let muted = |name: &str| Alert {
        state: AlertState::Muted,
        silenced: Some(now().plus(6 * HOUR)),
        summary: Some("lin: load test".to_owned()),
        severity: None,
        ..alert(name, "")
    };
    with(Vec::new()).says("health.monitored", Pass, &["alerts tells of alerts"]);
    with(vec![muted("SlowPages")]).says("health.monitored", Info, &["Nobody is told of the alert SlowPages until"]);
    let world = with(vec![muted("SlowPages"), muted("")]);
    world.says("health.monitored", Caution, &["Nobody is told of an alert until", "silenced (lin: load test)."]);
    world.says("health.now", Pass, &["checkout is well"]);
}
