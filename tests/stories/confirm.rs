//! `tidegate confirm`: is this shell aimed at where the plan goes?

use crate::harness::{Story, settings};

const KUBECONFIG: &str = "apiVersion: v1
kind: Config
current-context: CURRENT
contexts:
- name: prod-us
  context: { cluster: shop-prod, namespace: shop, user: ada }
- name: staging-us
  context: { cluster: shop-staging, namespace: shop, user: ada }
clusters:
- name: shop-prod
  cluster: { server: https://k8s.prod.example.com }
- name: shop-staging
  cluster: { server: https://k8s.staging.example.com }
";

/// A plan to production whose target is a cluster and a namespace, and two kubeconfigs beside it.
fn story() -> Story {
    let targets = "[environment.production.target]\nkube-contexts = [\"prod-us\"]\nnamespaces = [\"shop\"]\nworkspaces = [\"prod\"]\naws-profiles = [\"prod\"]\n[environment.staging.target]\nkube-contexts = [\"staging-us\"]\nworkspaces = [\"staging\"]\naws-profiles = [\"staging\"]\n";
    let mut story = Story::begin(&(settings() + targets));
    for name in ["prod-us", "staging-us"] {
        std::fs::write(story.folder.path().join(name), KUBECONFIG.replace("CURRENT", name)).unwrap();
    }
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\" --how \"kubectl --context prod-us -n shop apply -f shop.yaml\"");
    story
}

fn shell(story: &Story, context: &str) -> String {
    story.folder.path().join(context).display().to_string()
}

#[test]
fn a_shell_in_the_wrong_cluster_is_named_and_refused() {
    let story = story();
    let (code, out, err) =
        story.runs_with(&["confirm", "shop-1"], &[("KUBECONFIG", &shell(&story, "staging-us"))], "production\n");
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("staging-us") && err.contains("prod-us") && err.contains("staging"), "{err}");
    assert!(err.contains("not aimed at production") && !err.contains("Type production"), "{err}");
    assert_eq!(out, "");
}

#[test]
fn the_right_shell_and_the_typed_name_confirm() {
    let story = story();
    let kubeconfig = shell(&story, "prod-us");
    let right = [("KUBECONFIG", kubeconfig.as_str())];
    let (code, _, err) = story.runs_with(&["confirm", "shop-1"], &right, "production\n");
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("Type production"), "{err}");
    for typed in ["staging\n", "Production\n", "y\n", ""] {
        let (code, _, err) = story.runs_with(&["confirm", "shop-1"], &right, typed);
        assert_eq!(code, 1, "{typed:?}: {err}");
        assert!(err.contains("not the name"), "{typed:?}: {err}");
    }
    let (code, ..) = story.runs_with(&["confirm", "SHOP-1", "--yes"], &right, "");
    assert_eq!(code, 0);
}

#[test]
fn a_shell_that_aims_nowhere_is_not_confirmed() {
    let story = story();
    let (code, _, err) = story.runs_with(&["confirm", "shop-1"], &[("KUBECONFIG", "/nonexistent")], "production\n");
    assert_eq!(code, 1, "{err}");
}

#[test]
fn commands_of_other_tools_are_compared_by_their_own_coordinates() {
    let mut story = story();
    story.says("ada", "/deploy amend shop-1 --how \"terraform workspace select prod; terraform apply\"");
    let workspace =
        |name: &'static str| [("TF_WORKSPACE", name), ("AWS_PROFILE", if name == "prod" { "prod" } else { "staging" })];
    let (code, _, err) = story.runs_with(&["confirm", "shop-1"], &workspace("staging"), "production\n");
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("workspace") && err.contains("`staging`"), "{err}");
    let (code, _, err) = story.runs_with(&["confirm", "shop-1"], &workspace("prod"), "production\n");
    assert_eq!(code, 0, "{err}");
}

#[test]
fn a_plan_that_does_not_exist_cannot_be_confirmed() {
    let story = story();
    let (code, _, err) = story.runs_with(&["confirm", "shop-9"], &[], "production\n");
    assert_eq!(code, 2, "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}
