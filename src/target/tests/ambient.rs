//! Shells as people leave them, and what `confirm` says about each.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use super::super::compare::DifferenceKind::{self, *};
use super::*;

const KUBECONFIG: &str = "apiVersion: v1
kind: Config
current-context: prod-us
contexts:
- context:
    cluster: shop-prod
    namespace: checkout
    user: ada
  name: prod-us
- name: staging-us
  context: {cluster: shop-staging, user: ada}
clusters:
- cluster: {certificate-authority-data: LS0t, server: https://k8s.prod.example.com}
  name: shop-prod
";

/// A shell with these variables and files; the person is at home in /home/ada and stands in /home/ada/shop.
fn shell(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Ambient {
    let variables: BTreeMap<_, _> = variables.iter().copied().collect();
    let files: BTreeMap<_, _> = files.iter().copied().collect();
    look(
        |name| variables.get(name).map(|value| (*value).to_owned()),
        |path| files.get(path.to_str()?).map(|text| (*text).to_owned()),
        Path::new("/home/ada/shop"),
        Path::new("/home/ada"),
    )
}

/// Only what is about these keys, as kind and sentence.
fn compared(ambient: &Ambient, keys: &[&str]) -> Vec<(DifferenceKind, String)> {
    let only = Axis::ALL.iter().copied().filter(|axis| keys.contains(&axis.key())).collect();
    let differences = compare(ambient, &Environment::from("production"), &TARGETS, Some(&only));
    differences.into_iter().map(|difference| (difference.kind, difference.says)).collect()
}

#[test]
fn a_kubeconfig_gives_context_cluster_namespace_and_server() {
    let ambient = shell(&[], &[("/home/ada/.kube/config", KUBECONFIG)]);
    assert_eq!(ambient.value(Axis::KubeContext), Some("prod-us"));
    assert_eq!(ambient.value(Axis::KubeCluster), Some("shop-prod"));
    assert_eq!(ambient.value(Axis::KubeNamespace), Some("checkout"));
    assert_eq!(ambient.value(Axis::KubeServer), Some("https://k8s.prod.example.com"));
}

#[test]
fn of_several_kubeconfigs_the_first_to_name_something_wins() {
    let files = [
        ("/home/ada/one", "contexts: [{name: prod-us, context: {cluster: other, namespace: x}}]"),
        ("/home/ada/two", "current-context: staging-us"),
        ("/home/ada/three", KUBECONFIG),
    ];
    let ambient = shell(&[("KUBECONFIG", "/home/ada/missing::/home/ada/one:/home/ada/two:~/three")], &files);
    assert_eq!(ambient.value(Axis::KubeContext), Some("staging-us"));
    assert_eq!(ambient.value(Axis::KubeCluster), Some("shop-staging"));
    assert_eq!(ambient.value(Axis::KubeNamespace), Some("default"));
    let ambient = shell(&[("KUBECONFIG", "/home/ada/one:/home/ada/three")], &files);
    assert_eq!(ambient.value(Axis::KubeCluster), Some("other"));
}

#[test]
fn the_wrong_clusters_shell_is_named_with_both_sides() {
    let staging = KUBECONFIG.replace("current-context: prod-us", "current-context: staging-us");
    let ambient = shell(&[], &[("/home/ada/.kube/config", &staging)]);
    let differences = compared(&ambient, &["kube-contexts"]);
    let says = "kubectl points at context `staging-us`, which is staging's; production is `prod-us`, `prod-eu`.";
    assert_eq!(differences, [(Differs, says.to_owned())]);
}

#[test]
fn a_broken_kubeconfig_is_not_taken_for_an_empty_one() {
    let ambient = shell(
        &[("KUBECONFIG", "/home/ada/bad:/home/ada/good")],
        &[("/home/ada/bad", "a: [b"), ("/home/ada/good", KUBECONFIG)],
    );
    let differences = compared(&ambient, &["kube-contexts"]);
    assert_eq!(differences[0].0, CannotTell);
    assert!(differences[0].1.contains("/home/ada/bad is no YAML"), "{}", differences[0].1);
}

#[test]
fn an_empty_shell_points_nowhere_and_that_is_no_agreement() {
    let ambient = shell(&[], &[]);
    let differences = compare(&ambient, &Environment::from("production"), &TARGETS, None);
    assert!(!agrees(&differences));
    assert!(
        differences
            .iter()
            .any(|difference| difference.says == "No context is set here; production is `prod-us`, `prod-eu`.")
    );
}

#[test]
fn what_two_environments_share_proves_nothing() {
    let ambient = shell(&[("AWS_REGION", "us-east-1")], &[]);
    let differences = compare(&ambient, &Environment::from("production"), &TARGETS, Some(&[Axis::AwsRegion].into()));
    assert_eq!(differences[0].kind, Shared);
    assert_eq!(differences[0].says, "aws points at region `us-east-1`, which production shares with staging.");
    assert!(!agrees(&differences));
}

#[test]
fn aws_obeys_its_own_precedence() {
    let config = "[default]\nregion = eu-west-1\n[profile shop-prod]\nregion = us-east-1\nsso_account_id = 111111111111\n\
                  [profile ops]\nrole_arn = arn:aws:iam::222222222222:role/ops\nsource_profile = default\n";
    let files = [("/home/ada/.aws/config", config)];
    let ambient = shell(&[("AWS_PROFILE", "shop-prod")], &files);
    assert_eq!(ambient.value(Axis::AwsProfile), Some("shop-prod"));
    assert_eq!(ambient.value(Axis::AwsAccount), Some("111111111111"));
    assert_eq!(ambient.value(Axis::AwsRegion), Some("us-east-1"));
    assert_eq!(shell(&[("AWS_PROFILE", "ops")], &files).value(Axis::AwsAccount), Some("222222222222"));
    assert_eq!(shell(&[], &files).value(Axis::AwsProfile), Some("default"));
    assert_eq!(shell(&[], &files).value(Axis::AwsRegion), Some("eu-west-1"));
    assert_eq!(shell(&[("AWS_DEFAULT_REGION", "us-west-2")], &files).value(Axis::AwsRegion), Some("us-west-2"));
    let torn = shell(&[("AWS_PROFILE", "shop-prod"), ("AWS_DEFAULT_PROFILE", "ops")], &files);
    assert_eq!(compared(&torn, &["aws-profiles"])[0].0, CannotTell);
    let keyed = shell(&[("AWS_PROFILE", "shop-prod"), ("AWS_ACCESS_KEY_ID", "AKIA")], &files);
    assert_eq!(compared(&keyed, &["aws-profiles"])[0].0, CannotTell);
}

#[test]
fn gcloud_azure_and_docker_keep_their_choice_in_files() {
    let ambient = shell(
        &[],
        &[
            ("/home/ada/.config/gcloud/active_config", "prod\n"),
            (
                "/home/ada/.config/gcloud/configurations/config_prod",
                "[core]\nproject = shop-prod-1\naccount = ada@example.com\n[compute]\nzone = us-central1-a\n",
            ),
            (
                "/home/ada/.azure/azureProfile.json",
                "\u{feff}{\"subscriptions\": [{\"id\": \"a\", \"name\": \"Shop Staging\", \"isDefault\": false}, {\"id\": \"b\", \"name\": \"Shop Production\", \"isDefault\": true}]}",
            ),
            ("/home/ada/.docker/config.json", "{\"currentContext\": \"prod\"}"),
        ],
    );
    assert_eq!(ambient.value(Axis::GcloudConfig), Some("prod"));
    assert_eq!(ambient.value(Axis::GcloudProject), Some("shop-prod-1"));
    assert_eq!(compared(&ambient, &["gcloud-regions"])[0].0, Shared);
    assert_eq!(compared(&ambient, &["azure-subscriptions"])[0].0, Agrees);
    assert_eq!(
        compared(&ambient, &["docker-contexts"]),
        [(Agrees, "docker points at Docker context `prod`, which is production's.".to_owned())]
    );
    let elsewhere = shell(
        &[("CLOUDSDK_CORE_PROJECT", "shop-staging-1"), ("DOCKER_HOST", "tcp://10.0.0.1")],
        &[("/home/ada/.docker/config.json", "{\"currentContext\": \"prod\"}")],
    );
    assert_eq!(compared(&elsewhere, &["gcloud-projects"])[0].0, Differs);
    assert_eq!(compared(&elsewhere, &["docker-contexts"])[0].0, Differs);
    assert_eq!(elsewhere.value(Axis::DockerHost), Some("tcp://10.0.0.1"));
    let odd = shell(&[("CLOUDSDK_ACTIVE_CONFIG_NAME", "../../x")], &[]);
    assert_eq!(odd.value(Axis::GcloudConfig), None);
}

#[test]
fn a_docker_contexts_host_is_found_under_the_hash_of_its_name() {
    use sha2::Digest;
    let digest: String = sha2::Sha256::digest(b"prod").iter().map(|byte| format!("{byte:02x}")).collect();
    let path = format!("/home/ada/.docker/contexts/meta/{digest}/meta.json");
    let ambient = shell(
        &[("DOCKER_CONTEXT", "prod")],
        &[(&path, "{\"Name\":\"prod\",\"Endpoints\":{\"docker\":{\"Host\":\"ssh://deploy@prod-1\"}}}")],
    );
    assert_eq!(ambient.value(Axis::DockerHost), Some("ssh://deploy@prod-1"));
}

#[test]
fn terraform_takes_its_workspace_from_the_directory() {
    let selected = [("/home/ada/shop/.terraform/environment", "staging")];
    assert_eq!(compared(&shell(&[], &selected), &["workspaces"])[0].0, Differs);
    assert_eq!(compared(&shell(&[("TF_WORKSPACE", "prod")], &selected), &["workspaces"])[0].0, Agrees);
    assert_eq!(shell(&[], &[("/home/ada/shop/.terraform.lock.hcl", "")]).value(Axis::Workspace), Some("default"));
    assert_eq!(shell(&[], &[]).value(Axis::Workspace), None);
}

#[test]
fn platforms_are_looked_up_where_they_keep_it() {
    let ambient = shell(
        &[
            ("DATABASE_URL", "postgres://app:hunter2@db.staging.example.com:5432/shop"),
            ("NOMAD_ADDR", "https://nomad.prod.example.com:4646/"),
        ],
        &[
            ("/home/ada/shop/.git/config", "[remote \"heroku\"]\n\turl = https://git.heroku.com/shop-prod.git\n"),
            ("/home/ada/shop/fly.toml", "app = 'shop-staging'\n"),
            (
                "/home/ada/.cf/config.json",
                "{\"Target\": \"https://api.cf.example.com\", \"SpaceFields\": {\"Name\": \"prod\"}}",
            ),
            (
                "/home/ada/.config/argocd/config",
                "current-context: argo\ncontexts:\n- name: argo\n  server: argocd.prod.example.com\n",
            ),
            ("/home/ada/shop/ansible.cfg", "[defaults]\ninventory = inventories/prod\n"),
        ],
    );
    assert_eq!(compared(&ambient, &["heroku-apps"])[0].0, Agrees);
    assert_eq!(compared(&ambient, &["fly-apps"])[0].0, Differs);
    assert_eq!(compared(&ambient, &["cf-spaces"])[0].0, Agrees);
    assert_eq!(compared(&ambient, &["argocd-servers"])[0].0, Agrees);
    assert_eq!(compared(&ambient, &["inventories"])[0].0, Agrees);
    assert_eq!(compared(&ambient, &["nomad-addresses"])[0].0, Agrees);
    assert_eq!(compared(&ambient, &["database-hosts"])[0].0, Differs);
    assert_eq!(compared(&ambient, &["hosts"])[0].0, NotJudged);
    assert!(ambient.seen.iter().all(|seen| !format!("{seen:?}").contains("hunter2")));
}

#[test]
fn what_the_settings_do_not_list_is_said_and_not_judged() {
    let targets: BTreeMap<Environment, Target> =
        toml::from_str("[production]\nkube-contexts = ['prod-us']\n[staging]\naws-profiles = ['shop-staging']")
            .expect("targets");
    let files = [("/home/ada/.kube/config", KUBECONFIG)];
    let here = Environment::from("production");
    let ambient = shell(&[("AWS_PROFILE", "ops"), ("AWS_REGION", "us-east-1")], &files);
    let differences = compare(&ambient, &here, &targets, None);
    assert!(agrees(&differences), "{differences:?}");
    assert!(differences.iter().any(|one| one.kind == NotJudged
        && one.says == "aws points at profile `ops`; the settings do not say which is production's."));
    let ambient = shell(&[("AWS_PROFILE", "shop-staging")], &files);
    let differences = compare(&ambient, &here, &targets, None);
    assert!(!agrees(&differences), "another environment's profile is a difference, listed here or not");
}

#[test]
fn an_agreeing_stage_does_not_stand_in_for_the_cluster() {
    let targets: BTreeMap<Environment, Target> =
        toml::from_str("[production]\nkube-contexts = ['prod-us']\nstages = ['production']").expect("targets");
    let here = Environment::from("production");
    let stage = [("NODE_ENV", "production")];
    assert!(!agrees(&compare(&shell(&stage, &[]), &here, &targets, None)));
    assert!(agrees(&compare(&shell(&stage, &[("/home/ada/.kube/config", KUBECONFIG)]), &here, &targets, None)));
}

#[test]
fn only_what_the_plans_commands_obey_is_asked_for() {
    let axes = concerns(&read("kubectl apply -f x.yaml")).expect("axes");
    assert!(axes.contains(&Axis::KubeContext) && !axes.contains(&Axis::Workspace));
    assert_eq!(concerns(&read("./deploy.sh")), None);
    assert_eq!(concerns(&read("")), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_files_contents_make_it_panic(text in "\\PC{0,200}", lines in "([\\[\\]{}:=\"a-z \n]){0,200}") {
        for contents in [text, lines] {
            let ambient = look(|_| Some(contents.clone()), |_| Some(contents.clone()), Path::new("/a"), Path::new("/b"));
            let _ = compare(&ambient, &Environment::from("production"), &TARGETS, None);
            let ambient = look(|_| None, |_| Some(contents.clone()), Path::new("/a"), Path::new("/b"));
            let _ = compare(&ambient, &Environment::from("production"), &TARGETS, None);
        }
    }
}
