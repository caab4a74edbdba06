//! Command lines as people paste them, and what is to be said about them.

mod ambient;
mod commands;
mod hostile;
mod settings;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::*;
use crate::name::Environment;

/// Production and staging of the sample company, told apart by nearly everything.
static TARGETS: LazyLock<BTreeMap<Environment, Target>> = LazyLock::new(|| {
    let text = r#"
        [production]
        kube-contexts = ["prod-us", "prod-eu"]
        kube-clusters = ["shop-prod"]
        namespaces = ["checkout", "payments"]
        workspaces = ["prod"]
        directories = ["infra/prod"]
        var-files = ["prod.tfvars"]
        aws-profiles = ["shop-prod"]
        aws-accounts = ["111111111111"]
        aws-regions = ["us-east-1"]
        ecs-clusters = ["shop-prod"]
        gcloud-projects = ["shop-prod-1"]
        gcloud-configurations = ["prod"]
        gcloud-regions = ["us-central1"]
        azure-subscriptions = ["Shop Production"]
        docker-contexts = ["prod"]
        docker-hosts = ["ssh://deploy@prod-1"]
        hosts = ["*.prod.example.com", "prod-*"]
        inventories = ["inventories/prod", "prod.ini"]
        database-hosts = ["db.prod.example.com"]
        databases = ["shop"]
        heroku-apps = ["shop-prod"]
        fly-apps = ["shop-prod"]
        argocd-servers = ["argocd.prod.example.com"]
        argocd-apps = ["checkout-prod"]
        nomad-addresses = ["https://nomad.prod.example.com:4646"]
        cf-spaces = ["prod"]
        stacks = ["prod", "acme/shop/prod"]
        stages = ["production", "prod"]
        git-remotes = ["heroku-prod"]
        urls = ["api.prod.example.com"]
        [staging]
        kube-contexts = ["staging-us"]
        kube-clusters = ["shop-staging"]
        namespaces = ["checkout-staging"]
        workspaces = ["staging"]
        directories = ["infra/staging"]
        var-files = ["staging.tfvars"]
        aws-profiles = ["shop-staging"]
        aws-accounts = ["222222222222"]
        aws-regions = ["us-east-1"]
        ecs-clusters = ["shop-staging"]
        gcloud-projects = ["shop-staging-1"]
        gcloud-configurations = ["staging"]
        gcloud-regions = ["us-central1"]
        azure-subscriptions = ["Shop Staging"]
        docker-contexts = ["staging"]
        hosts = ["*.staging.example.com", "staging-*"]
        inventories = ["inventories/staging"]
        database-hosts = ["db.staging.example.com"]
        databases = ["shop"]
        heroku-apps = ["shop-staging"]
        fly-apps = ["shop-staging"]
        argocd-servers = ["argocd.staging.example.com"]
        argocd-apps = ["checkout-staging"]
        nomad-addresses = ["https://nomad.staging.example.com:4646"]
        cf-spaces = ["staging"]
        stacks = ["staging"]
        stages = ["staging"]
        git-remotes = ["heroku-staging"]
        urls = ["api.staging.example.com"]
    "#;
    toml::from_str(text).expect("the targets")
});

fn findings(commands: &str) -> Vec<Finding> {
    judge(&read(commands), &Environment::from("production"), &TARGETS)
}

/// Verdict and level of each command, as one word each: `here/pass`.
fn short(commands: &str) -> Vec<String> {
    findings(commands)
        .iter()
        .map(|finding| {
            let verdict = match &finding.verdict {
                Verdict::Here => "here".to_owned(),
                Verdict::Elsewhere(others) => {
                    let names: Vec<&str> = others.iter().map(Environment::as_str).collect();
                    format!("elsewhere:{}", names.join("+"))
                }
                Verdict::NotNamed => "unnamed".to_owned(),
                Verdict::PartlyNamed => "partly".to_owned(),
                Verdict::CannotTell => "cannot-tell".to_owned(),
            };
            format!("{verdict}/{:?}", finding.level).to_lowercase()
        })
        .collect()
}

fn says(commands: &str) -> String {
    findings(commands).into_iter().map(|finding| finding.says).collect::<Vec<_>>().join("\n")
}
