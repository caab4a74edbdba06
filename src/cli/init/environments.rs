//! Where things are deployed to, guessed from names: of kube contexts, of environments at code hosts, of folders and files.

use std::collections::BTreeMap;

use super::systems::Told;
use crate::source::git::Survey;
use crate::target::KubeContext;

/// Clusters on somebody's own machine.
const LOCAL: [&str; 9] = [
    "minikube",
    "docker-desktop",
    "docker-for-desktop",
    "rancher-desktop",
    "colima",
    "orbstack",
    "kind-",
    "k3d-",
    "microk8s",
];
/// Folders in which each folder or file is an environment.
const HOMES: [&str; 6] = ["environments", "envs", "env", "overlays", "stages", "clusters"];

/// In the order in which a version goes through them.
const KNOWN: [(&str, &[&str]); 4] = [
    ("development", &["dev", "develop", "development"]),
    ("test", &["test", "testing", "qa"]),
    ("staging", &["staging", "stage", "stg", "preprod", "uat"]),
    ("production", &["production", "prod", "prd", "live"]),
];

/// An environment as it is proposed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    /// What speaks for it.
    pub because: Vec<String>,
    pub contexts: Vec<String>,
    pub namespaces: Vec<String>,
    /// Where it is protected already: "GitHub".
    pub protected: Option<String>,
    /// What systems call it, where they call it otherwise: system and name.
    pub called: Vec<(&'static str, String)>,
}

/// The environments, and what could not be taken for one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guessed {
    pub found: Vec<Found>,
    /// Names of systems' environments and of contexts, each with where it is from.
    pub unclear: Vec<(String, String)>,
}

/// Guesses. Production is always there: a plan needs somewhere to go.
pub fn environments(contexts: &[KubeContext], surveys: &[Survey], told: &Told) -> Guessed {
    let mut found: BTreeMap<usize, Found> = BTreeMap::new();
    let mut unclear = Vec::new();
    for context in contexts.iter().filter(|context| !LOCAL.iter().any(|local| context.name.starts_with(local))) {
        let from = format!("the kube context `{}` of {}", context.name, context.from);
        match meant(&context.name) {
            Some(at) => {
                let environment = entry(&mut found, at, from);
                environment.contexts.push(context.name.clone());
                environment.namespaces.extend(context.namespace.clone().filter(|name| name != "default"));
            }
            None => unclear.push((context.name.clone(), from)),
        }
    }
    for environment in &told.environments {
        let from = format!("the environment `{}` of {} at {}", environment.name, environment.of, environment.system);
        match meant(&environment.name) {
            Some(at) => {
                let known = entry(&mut found, at, from);
                if environment.protected {
                    known.protected = Some(environment.system.to_owned());
                }
                let called = (environment.system, environment.name.clone());
                if environment.name != known.name && !known.called.contains(&called) {
                    known.called.push(called);
                }
            }
            None if is_passing(&environment.name) => {}
            None => unclear.push((environment.name.clone(), from)),
        }
    }
    for (name, path) in surveys.iter().flat_map(named_in) {
        if let Some(at) = meant(&name) {
            entry(&mut found, at, path);
        }
    }
    if !found.contains_key(&(KNOWN.len() - 1)) {
        entry(&mut found, KNOWN.len() - 1, "nothing was found that names it: it is a guess".to_owned());
    }
    let mut found: Vec<Found> = found.into_values().collect();
    for environment in &mut found {
        environment.because.dedup();
        environment.namespaces.sort();
        environment.namespaces.dedup();
    }
    unclear.truncate(40);
    Guessed { found, unclear }
}

/// The environment that a name means, by its words; None where it means none, or several.
pub fn canonical(name: &str) -> Option<&'static str> {
    meant(name).map(|at| KNOWN[at].0)
}

fn entry(found: &mut BTreeMap<usize, Found>, at: usize, because: String) -> &mut Found {
    let known = found.entry(at).or_default();
    known.name = KNOWN[at].0.to_owned();
    if !known.because.contains(&because) && known.because.len() < 6 {
        known.because.push(because);
    }
    known
}

fn meant(name: &str) -> Option<usize> {
    let lower = name.to_lowercase();
    // `pre-production` and `non-prod` are not production.
    let lower = lower.replace("pre-prod", "preprod").replace("preproduction", "preprod").replace("non-prod", "nonprod");
    let mut meant = lower
        .split(|c: char| !c.is_alphabetic())
        .filter_map(|word| KNOWN.iter().position(|(_, words)| words.contains(&word)));
    let first = meant.next()?;
    meant.all(|other| other == first).then_some(first)
}

/// Environments that come and go with a branch or a page.
fn is_passing(name: &str) -> bool {
    let lower = name.to_lowercase();
    matches!(lower.as_str(), "github-pages" | "copilot" | "preview")
        || ["review/", "pr-", "preview/", "preview-", "review-"].iter().any(|start| lower.starts_with(start))
}

/// Environments in the names of folders and files: `overlays/production`, `values-prod.yaml`, `production.tfvars`.
fn named_in(survey: &Survey) -> Vec<(String, String)> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for path in &survey.files {
        let parts: Vec<&str> = path.split('/').collect();
        let below = parts.windows(2).find(|two| HOMES.contains(&two[0])).map(|two| two[1]);
        let name = parts.last().copied().unwrap_or_default();
        let file = name.strip_suffix(".tfvars").or_else(|| {
            let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"))?;
            ["values-", "values.", "compose.", "docker-compose."].iter().find_map(|start| stem.strip_prefix(start))
        });
        for name in below.into_iter().chain(file) {
            let name = name.split('.').next().unwrap_or_default();
            found.entry(name.to_owned()).or_insert_with(|| format!("the file {path}"));
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::init::systems::Environment;

    fn context(name: &str) -> KubeContext {
        KubeContext { name: name.to_owned(), namespace: Some("shop".to_owned()), from: "~/.kube/config".to_owned() }
    }

    #[test]
    fn words_mean_environments_and_two_at_once_mean_none() {
        for (name, means) in [
            ("prod-us", Some("production")),
            ("arn:aws:eks:eu-west-1:1:cluster/shop-prd", Some("production")),
            ("pre-prod", Some("staging")),
            ("nonprod", None),
            ("staging-to-prod", None),
            ("product-catalog", None),
            ("live2", Some("production")),
        ] {
            assert_eq!(canonical(name), means, "{name}");
        }
    }

    #[test]
    fn contexts_hosts_and_files_speak_for_the_same_environment() {
        let contexts = ["minikube", "kind-x", "prod-us", "shop"].map(context);
        let told =
            Environment { system: "GitHub", of: "harbor/shop".to_owned(), name: "prod".to_owned(), protected: true };
        let pages = Environment { name: "github-pages".to_owned(), ..told.clone() };
        let odd = Environment { name: "canary".to_owned(), ..told.clone() };
        let told = Told { environments: vec![told, pages, odd], ..Told::default() };
        let survey = Survey { files: vec!["deploy/overlays/staging/x.yaml".to_owned()], ..Survey::default() };
        let guessed = environments(&contexts, &[survey], &told);
        let names: Vec<&str> = guessed.found.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["staging", "production"]);
        assert_eq!((guessed.found[1].contexts[0].as_str(), guessed.found[1].called[0].1.as_str()), ("prod-us", "prod"));
        assert_eq!(guessed.found[1].protected.as_deref(), Some("GitHub"));
        let unclear: Vec<&str> = guessed.unclear.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(unclear, ["shop", "canary"]);
    }

    #[test]
    fn with_nothing_found_there_is_production() {
        let guessed = environments(&[], &[], &Told::default());
        assert_eq!(guessed.found.len(), 1);
        assert!(guessed.found[0].because[0].contains("guess"));
    }
}
