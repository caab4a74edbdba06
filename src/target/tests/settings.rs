//! The same command under different settings.

use super::*;
use crate::advice::FlagLevel;

fn judged(settings: &str, command: &str) -> (Verdict, FlagLevel, String) {
    let targets: BTreeMap<Environment, Target> = toml::from_str(settings).expect("targets");
    let mut findings = judge(&read(command), &Environment::from("production"), &targets);
    let finding = findings.remove(0);
    (finding.verdict, finding.level, finding.says)
}

#[test]
fn an_unnamed_target_is_critical_where_there_are_several_and_a_caution_where_there_is_one() {
    let apply = "kubectl apply -f config.yaml";
    let (_, level, says) = judged("[production]\nkube-contexts = ['prod']", apply);
    assert_eq!(
        (level, says.as_str()),
        (FlagLevel::Caution, "`kubectl apply -f config.yaml` names no cluster: add `--context prod`.")
    );
    let (_, level, _) = judged("[production]\nkube-contexts = ['prod-us', 'prod-eu']", apply);
    assert_eq!(level, FlagLevel::Critical);
    let (_, level, _) = judged("[production]\nkube-contexts = ['prod']\n[staging]\nkube-contexts = ['staging']", apply);
    assert_eq!(level, FlagLevel::Critical);
    let (_, level, says) = judged("[production]\n[staging]", apply);
    assert_eq!(
        (level, says.as_str()),
        (FlagLevel::Critical, "`kubectl apply -f config.yaml` names no cluster: add `--context` with production's.")
    );
}

#[test]
fn a_named_target_that_no_settings_know_cannot_be_told() {
    let (verdict, level, says) = judged("[production]\n[staging]", "kubectl --context prod-us apply -f x.yaml");
    assert_eq!((verdict, level), (Verdict::CannotTell, FlagLevel::Unknown));
    assert!(says.contains("`[environment.production.target]`"), "{says}");
}

#[test]
fn one_cluster_for_two_environments_is_told_apart_by_namespace() {
    let settings = "[production]\nkube-contexts = ['main']\nnamespaces = ['checkout']\n[staging]\nkube-contexts = ['main']\nnamespaces = ['checkout-staging']";
    let (verdict, level, says) = judged(settings, "kubectl --context main apply -f x.yaml");
    assert_eq!((verdict, level), (Verdict::NotNamed, FlagLevel::Critical));
    assert_eq!(
        says,
        "`kubectl --context main apply -f x.yaml` could mean production or staging: both share it (context `main`); add `--namespace checkout`."
    );
    assert_eq!(judged(settings, "kubectl --context main -n checkout apply -f x.yaml").0, Verdict::Here);
    let staging = Verdict::Elsewhere(vec![Environment::from("staging")]);
    assert_eq!(judged(settings, "kubectl --context main -n checkout-staging apply -f x.yaml").0, staging);
}

#[test]
fn settings_of_namespaces_alone_are_told_apart_by_namespace() {
    let settings = "[production]\nnamespaces = ['checkout']\n[staging]\nnamespaces = ['checkout-staging']";
    assert_eq!(judged(settings, "kubectl -n checkout apply -f x.yaml").0, Verdict::Here);
    let (verdict, level, says) = judged(settings, "kubectl apply -f x.yaml");
    assert_eq!((verdict, level), (Verdict::NotNamed, FlagLevel::Critical));
    assert!(says.contains("add `--namespace checkout`"), "{says}");
}

#[test]
fn settings_that_do_not_tell_two_environments_apart_are_said_to() {
    let settings = "[production]\nkube-contexts = ['main']\n[staging]\nkube-contexts = ['main']";
    let (verdict, level, _) = judged(settings, "kubectl --context main apply -f x.yaml");
    assert_eq!((verdict, level), (Verdict::CannotTell, FlagLevel::Unknown));
}

#[test]
fn an_environment_that_the_settings_do_not_have_is_no_panic() {
    assert_eq!(judged("[staging]\nkube-contexts = ['s']", "kubectl --context s apply -f x").1, FlagLevel::Critical);
}
