//! The axes along which commands and shells aim, and the settings that say which values mean an environment.
//!
//! One entry in the list below makes an axis: its key under `[environment.NAME.target]`, the word that people use for
//! one value of it, and what the list holds.

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

/// The most values that one list may hold.
const MOST_VALUES: usize = 500;

macro_rules! axes {
    ($($axis:ident $field:ident $key:literal $noun:literal $doc:literal,)*) => {
        /// One coordinate of where a command goes: a cluster context, a workspace, an account.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Axis {
            $(#[doc = $doc] $axis,)*
        }

        impl Axis {
            pub const ALL: &[Axis] = &[$(Axis::$axis,)*];

            /// The key of its list in the settings: `kube-contexts`.
            pub fn key(self) -> &'static str {
                match self { $(Axis::$axis => $key,)* }
            }

            /// What people call one value of it: `context`.
            pub fn noun(self) -> &'static str {
                match self { $(Axis::$axis => $noun,)* }
            }
        }

        /// `[environment.NAME.target]`: what commands and shells aim at when they mean this environment. Each list
        /// holds names or globs (`prod-*`). A list that is left out is not judged.
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
        pub struct Target {
            $(#[doc = $doc] #[serde(rename = $key)] pub $field: Values,)*
        }

        impl Target {
            /// The values of one axis that mean this environment.
            pub fn list(&self, axis: Axis) -> &Values {
                match axis { $(Axis::$axis => &self.$field,)* }
            }
        }
    };
}

axes! {
    KubeContext        kube_contexts         "kube-contexts"         "context"         "Contexts of kubectl, helm, flux.",
    KubeCluster        kube_clusters         "kube-clusters"         "cluster"         "Clusters as kubeconfig, eksctl, gcloud and az name them.",
    KubeServer         kube_servers          "kube-servers"          "API server"      "Addresses of Kubernetes API servers.",
    Kubeconfig         kubeconfigs           "kubeconfigs"           "kubeconfig"      "Kubeconfig files.",
    KubeNamespace      namespaces            "namespaces"            "namespace"       "Kubernetes namespaces.",
    Workspace          workspaces            "workspaces"            "workspace"       "Terraform and OpenTofu workspaces.",
    Directory          directories           "directories"           "directory"       "Directories that Terraform and its kin run in: `infra/prod` means every path that ends so.",
    VarFile            var_files             "var-files"             "variables file"  "Files of variables: `prod.tfvars`.",
    AwsProfile         aws_profiles          "aws-profiles"          "profile"         "AWS profiles.",
    AwsAccount         aws_accounts          "aws-accounts"          "account"         "AWS account ids, as text.",
    AwsRegion          aws_regions           "aws-regions"           "region"          "AWS regions.",
    EcsCluster         ecs_clusters          "ecs-clusters"          "ECS cluster"     "ECS clusters.",
    GcloudConfig       gcloud_configurations "gcloud-configurations" "configuration"   "gcloud configurations.",
    GcloudProject      gcloud_projects       "gcloud-projects"       "project"         "Google Cloud projects.",
    GcloudAccount      gcloud_accounts       "gcloud-accounts"       "Google account"  "Google Cloud accounts.",
    GcloudRegion       gcloud_regions        "gcloud-regions"        "region"          "Google Cloud regions; a zone counts as its region.",
    AzureSubscription  azure_subscriptions   "azure-subscriptions"   "subscription"    "Azure subscriptions, by name or id.",
    AzureGroup         azure_groups          "azure-groups"          "resource group"  "Azure resource groups.",
    DockerContext      docker_contexts       "docker-contexts"       "Docker context"  "Docker contexts.",
    DockerHost         docker_hosts          "docker-hosts"          "Docker host"     "Docker hosts: `ssh://deploy@prod-1`.",
    ComposeFile        compose_files         "compose-files"         "compose file"    "Compose files: `compose.prod.yaml`.",
    Host               hosts                 "hosts"                 "host"            "Machines reached by ssh, scp, rsync.",
    Inventory          inventories           "inventories"           "inventory"       "Ansible inventories.",
    InventoryLimit     inventory_limits      "inventory-limits"      "limit"           "Ansible groups and limits.",
    DatabaseHost       database_hosts        "database-hosts"        "database host"   "Hosts of databases, or names of their services and login paths.",
    Database           databases             "databases"             "database"        "Names of databases.",
    HerokuApp          heroku_apps           "heroku-apps"           "app"             "Heroku apps.",
    FlyApp             fly_apps              "fly-apps"              "app"             "Fly.io apps.",
    ArgocdServer       argocd_servers        "argocd-servers"        "Argo CD server"  "Argo CD servers or contexts.",
    ArgocdApp          argocd_apps           "argocd-apps"           "application"     "Argo CD applications.",
    NomadAddress       nomad_addresses       "nomad-addresses"       "Nomad address"   "Addresses of Nomad servers.",
    NomadNamespace     nomad_namespaces      "nomad-namespaces"      "Nomad namespace" "Nomad namespaces.",
    CfApi              cf_apis               "cf-apis"               "API endpoint"    "Cloud Foundry API endpoints.",
    CfOrg              cf_orgs               "cf-orgs"               "org"             "Cloud Foundry organisations.",
    CfSpace            cf_spaces             "cf-spaces"             "space"           "Cloud Foundry spaces.",
    Stack              stacks                "stacks"                "stack"           "Stacks of Pulumi, CDK and CloudFormation.",
    Stage              stages                "stages"                "stage"           "Stages: `--stage`, `RAILS_ENV`, an environment that a tool takes by name.",
    GitRemote          git_remotes           "git-remotes"           "remote"          "Git remotes that deploy when pushed to.",
    GitBranch          git_branches          "git-branches"          "branch"          "Git branches that deploy when pushed to.",
    Url                urls                  "urls"                  "address"         "Hosts of HTTP addresses that curl and its kin call.",
}

/// Names or globs that mean an environment, of one axis.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Values(Vec<Pattern>);

/// One name or glob.
#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    /// Where it is a glob: as written, and ignoring case for hosts and addresses.
    globs: Option<[GlobMatcher; 2]>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text
    }
}

impl TryFrom<Vec<String>> for Values {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Values, String> {
        if texts.len() > MOST_VALUES {
            return Err(format!("a list of targets holds at most {MOST_VALUES} values, this one has {}", texts.len()));
        }
        texts.into_iter().map(Pattern::new).collect::<Result<_, _>>().map(Values)
    }
}

impl Values {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `value` is one of these, as this axis compares: hosts and addresses ignore case, paths match from any
    /// directory above, a zone counts as its region.
    pub fn has(&self, axis: Axis, value: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is(axis, value))
    }

    /// The values that can be typed as they are: those that are no globs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|pattern| pattern.globs.is_none()).map(|pattern| pattern.text.as_str())
    }

    /// All of them, as written.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|pattern| pattern.text.as_str())
    }
}

impl Pattern {
    fn new(text: String) -> Result<Pattern, String> {
        if text.is_empty() || text.len() > 512 || text.chars().any(char::is_control) {
            return Err("a target is a name or a glob of 1 to 512 characters".to_owned());
        }
        let glob = |loose| match GlobBuilder::new(&text).case_insensitive(loose).build() {
            Ok(glob) => Ok(glob.compile_matcher()),
            Err(error) => Err(format!("`{text}` is not a glob that can be read: {}", error.kind())),
        };
        let globs = if text.contains(['*', '?', '[', '{']) { Some([glob(false)?, glob(true)?]) } else { None };
        Ok(Pattern { globs, text })
    }

    fn is(&self, axis: Axis, value: &str) -> bool {
        let exact = |value: &str| match &self.globs {
            Some([strict, _]) => strict.is_match(value),
            None => self.text == value,
        };
        match axis {
            Axis::Directory | Axis::Kubeconfig | Axis::VarFile | Axis::ComposeFile | Axis::Inventory => {
                let value = value.trim_end_matches('/').trim_start_matches("./");
                let tails = value.match_indices('/').map(|(at, _)| &value[at + 1..]);
                exact(value) || tails.take(64).any(exact)
            }
            Axis::GcloudRegion => exact(value) || region_of_zone(value).is_some_and(exact),
            Axis::Host
            | Axis::DatabaseHost
            | Axis::Url
            | Axis::KubeServer
            | Axis::ArgocdServer
            | Axis::NomadAddress
            | Axis::CfApi
            | Axis::AzureSubscription => {
                let value = bare(value);
                match &self.globs {
                    Some([_, loose]) => loose.is_match(&value),
                    None => value == bare(&self.text),
                }
            }
            _ => exact(value),
        }
    }
}

/// `us-central1` for `us-central1-a`.
fn region_of_zone(zone: &str) -> Option<&str> {
    let (region, letter) = zone.rsplit_once('-')?;
    (letter.len() == 1 && region.contains('-')).then_some(region)
}

/// An address for comparison: lower case, without a slash or dot at its end.
fn bare(address: &str) -> String {
    address.trim_end_matches(['/', '.']).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(texts: &[&str]) -> Values {
        Values::try_from(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).expect("values")
    }

    #[test]
    fn every_axis_has_a_key_of_its_own() {
        let mut keys: Vec<_> = Axis::ALL.iter().map(|axis| axis.key()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), Axis::ALL.len());
    }

    #[test]
    fn settings_are_read_and_a_misspelt_key_is_refused() {
        let target: Target =
            toml::from_str("kube-contexts = ['prod-us', 'prod-eu-*']\naws-accounts = ['123456789012']")
                .expect("a target");
        assert!(target.list(Axis::KubeContext).has(Axis::KubeContext, "prod-eu-2"));
        assert!(!target.list(Axis::KubeContext).has(Axis::KubeContext, "staging-us"));
        let error = toml::from_str::<Target>("kube-context = ['prod']").expect_err("refused").to_string();
        assert!(error.contains("kube-contexts"), "{error}");
        assert!(toml::from_str::<Target>("hosts = ['prod[']").is_err());
        assert!(toml::from_str::<Target>("hosts = ['']").is_err());
    }

    #[test]
    fn paths_match_by_their_end_at_a_slash() {
        let directories = values(&["infra/prod"]);
        assert!(directories.has(Axis::Directory, "infra/prod"));
        assert!(directories.has(Axis::Directory, "/home/ada/shop/infra/prod/"));
        assert!(!directories.has(Axis::Directory, "/home/ada/other-infra/prod"));
        assert!(!directories.has(Axis::Directory, "infra/prod/network"));
    }

    #[test]
    fn hosts_ignore_case_and_zones_are_in_their_region() {
        assert!(values(&["DB.prod.example.com"]).has(Axis::DatabaseHost, "db.PROD.example.com."));
        assert!(values(&["*.prod.example.com"]).has(Axis::Host, "Web1.PROD.example.com"));
        assert!(values(&["us-central1"]).has(Axis::GcloudRegion, "us-central1-a"));
        assert!(!values(&["us-central1"]).has(Axis::GcloudRegion, "us-east1-b"));
        assert!(!values(&["prod"]).has(Axis::KubeContext, "PROD"));
    }
}
