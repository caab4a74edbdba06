//! What scanners and advisories make of a change.

use super::world::*;
use crate::advice::FlagLevel::{Caution, Critical, Info, Pass, Unknown};
use crate::advice::facts::{Finding, FindingKind, PackageChange};

fn package(name: &str, from: Option<&str>, to: Option<&str>) -> PackageChange {
    let own = |text: Option<&str>| text.map(str::to_owned);
    PackageChange { name: name.to_owned(), ecosystem: "crates.io".to_owned(), from: own(from), to: own(to) }
}

fn advisory(id: &str, severity: Option<&str>, new: bool) -> Finding {
    Finding {
        kind: FindingKind::Dependency,
        id: id.to_owned(),
        title: "It is broken".to_owned(),
        severity: severity.map(str::to_owned),
        path: None,
        package: Some("time 0.1.44".to_owned()),
        new: Some(new),
        link: Some(format!("https://osv.dev/vulnerability/{id}")),
    }
}

fn scanned(kind: FindingKind, severity: Option<&str>, new: Option<bool>) -> Finding {
    let path = Some("src/cart.ts".to_owned());
    Finding { kind, path, package: None, new, id: "js/sql-injection".to_owned(), ..advisory("", severity, false) }
}

/// With sources of these names and kinds, and a change that moves packages.
fn world(sources: &[(&str, &str)]) -> World {
    let mut world = World::calm();
    for (name, keys) in sources {
        world.settings.source.push(toml::from_str(&format!("name = '{name}'\n{keys}")).unwrap());
    }
    world.change().files.push(file("Cargo.lock", 30, 20));
    world.change().packages =
        vec![package("fresh", None, Some("0.1.0")), package("time", Some("0.1.43"), Some("0.1.44"))];
    world
}

const OSV: (&str, &str) = ("advisories", "kind = 'osv'");
const SARIF: (&str, &str) = ("scans", "kind = 'sarif'\npath = 'x'");

#[test]
fn packages_that_move_are_named_and_advisories_by_id_and_severity() {
    let mut world = world(&[OSV]);
    let says = "Libraries move: time 0.1.43 → 0.1.44; added fresh 0.1.0; no major upgrade. Known advisories were not looked up.";
    world.says("change.dependencies", Info, &[says]);
    world.facts.findings = known("advisories", Vec::new());
    world.says("change.dependencies", Info, &["No known advisory speaks of them."]);
    world.facts.findings = known("advisories", vec![advisory("GHSA-1", Some("high"), true)]);
    let flag = world.says("change.dependencies", Caution, &["Brings a known advisory: time 0.1.44 (GHSA-1, high)."]);
    assert!(flag.points > 0);
    assert!(flag.because.iter().any(|because| because.link.as_deref() == Some("https://osv.dev/vulnerability/GHSA-1")));
    let two = vec![advisory("GHSA-1", None, true), advisory("GHSA-2", Some("critical"), true)];
    world.facts.findings = known("advisories", two);
    world.says("change.dependencies", Critical, &["time 0.1.44 (GHSA-2, critical) and time 0.1.44 (GHSA-1)"]);
    world.facts.findings = known("advisories", vec![advisory("GHSA-1", Some("high"), false)]);
    world.says("change.dependencies", Info, &["1 known advisory of them was there before"]);
    // Advisories alone are no scan of the code.
    world.is_silent("change.security");
}

#[test]
fn advisories_that_could_not_be_looked_up_are_no_all_clear() {
    let mut world = world(&[OSV]);
    world.facts.findings = broken("advisories", "did not answer in 2 s");
    world.says("change.dependencies", Unknown, &["advisories did not answer in 2 s"]);
    world.facts.findings = known("advisories", Vec::new());
    world.facts.findings.known[0].incomplete = vec!["only 30 of 40 advisories were read".to_owned()];
    world.says("change.dependencies", Unknown, &["only 30 of 40"]);
    // A major upgrade is said whatever is known of advisories.
    world.change().packages.push(package("serde", Some("1.0.3"), Some("2.0.0")));
    world.says("change.dependencies", Caution, &["serde 1.0.3 → 2.0.0", "could not all be looked up"]);
    world.change().packages = vec![package("gone", Some("1.0.0"), None)];
    world.facts.findings = known("advisories", Vec::new());
    world.says("change.dependencies", Info, &["1 package taken away"]);
}

#[test]
fn scanners_findings_count_where_the_change_brings_them() {
    let mut world = world(&[OSV, SARIF]);
    world.is_silent("change.security");
    world.facts.findings = known("scans", vec![scanned(FindingKind::Code, Some("high"), Some(false))]);
    let says = "Scanners found nothing that this change brings. 1 finding stood there before.";
    assert_eq!(world.says("change.security", Pass, &[says]).points, 0);
    world.facts.findings = known("scans", vec![scanned(FindingKind::Code, Some("high"), Some(true))]);
    let says = "Scanners found js/sql-injection (high) in `src/cart.ts` in this change.";
    assert!(world.says("change.security", Caution, &[says]).points > 0);
    world.facts.findings = known("scans", vec![scanned(FindingKind::Code, Some("critical"), Some(true))]);
    world.says("change.security", Critical, &[]);
    world.facts.findings = known("scans", vec![scanned(FindingKind::Secret, None, Some(true))]);
    world.says("change.security", Critical, &["a secret", "exchange it"]);
    // Nobody can tell whether it is new.
    world.facts.findings = known("scans", vec![scanned(FindingKind::Code, Some("critical"), None)]);
    world.says("change.security", Caution, &["in files that this change touches"]);
    world.facts.findings = broken("scans", "found no such file or folder");
    world.says("change.security", Unknown, &["scans found no such file or folder"]);
}
