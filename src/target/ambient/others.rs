//! Terraform, Docker and the platforms that keep their choice in a variable or a small file.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::yaml::parse;
use super::{Around, ini, shown};
use crate::target::axis::Axis;
use crate::target::tools::{expand_address, known};

/// Variables that choose by themselves, those that win first.
const VARIABLES: &[(Axis, &str, &[&str])] = &[
    (Axis::Stack, "pulumi", &["PULUMI_STACK"]),
    (Axis::Stage, "rails", &["RAILS_ENV"]),
    (Axis::Stage, "the application", &["APP_ENV"]),
    (Axis::Stage, "node", &["NODE_ENV"]),
    (Axis::NomadAddress, "nomad", &["NOMAD_ADDR"]),
    (Axis::NomadNamespace, "nomad", &["NOMAD_NAMESPACE"]),
    (Axis::Inventory, "ansible", &["ANSIBLE_INVENTORY"]),
    (Axis::DatabaseHost, "psql", &["PGHOST", "PGSERVICE"]),
    (Axis::Database, "psql", &["PGDATABASE"]),
    (Axis::ArgocdServer, "argocd", &["ARGOCD_SERVER"]),
    (Axis::HerokuApp, "heroku", &["HEROKU_APP"]),
    (Axis::FlyApp, "fly", &["FLY_APP"]),
];

pub(super) fn look(around: &mut Around) {
    terraform(around);
    docker(around);
    for (axis, tool, variables) in VARIABLES {
        around.add_env(*axis, tool, variables);
    }
    if let Some(address) = around.env("DATABASE_URL") {
        for (axis, value) in expand_address(&address) {
            around.add(axis, "migrations", known(&value).map(str::to_owned).ok_or_else(String::new), "DATABASE_URL");
        }
    }
    pulumi(around);
    argocd(around);
    platforms(around);
}

fn terraform(around: &mut Around) {
    around.add(Axis::Directory, "terraform", Ok(shown(around.cwd)), "the current directory");
    if around.add_env(Axis::Workspace, "terraform", &["TF_WORKSPACE"]) {
        return;
    }
    let folder = around.env("TF_DATA_DIR").map_or_else(|| around.cwd.join(".terraform"), |path| around.path(&path));
    let path = folder.join("environment");
    let lock = around.cwd.join(".terraform.lock.hcl");
    match around.text(&path).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) {
        Some(name) => around.add(Axis::Workspace, "terraform", Ok(name), shown(&path)),
        None if around.text(&lock).is_some() => {
            around.add(Axis::Workspace, "terraform", Ok("default".to_owned()), shown(&lock))
        }
        None => {}
    }
}

fn docker(around: &mut Around) {
    let folder = around.folder("DOCKER_CONFIG", ".docker");
    let path = folder.join("config.json");
    let host = around.env("DOCKER_HOST");
    if let Some(name) = around.env("DOCKER_CONTEXT") {
        around.add(Axis::DockerContext, "docker", Ok(name), "DOCKER_CONTEXT");
    } else if let Some(host) = host {
        // A host from a variable is what docker calls its context `default`.
        around.add(Axis::DockerContext, "docker", Ok("default".to_owned()), "DOCKER_HOST");
        around.add(Axis::DockerHost, "docker", Ok(host), "DOCKER_HOST");
        return;
    } else if let Some(text) = around.file(&path) {
        let config: Result<Json, String> =
            text.and_then(|text| serde_json::from_str(&text).map_err(|_| "is no JSON".to_owned()));
        match config {
            Ok(config) => {
                let name = config["currentContext"].as_str().filter(|name| !name.is_empty()).unwrap_or("default");
                around.add(Axis::DockerContext, "docker", Ok(name.to_owned()), shown(&path));
            }
            Err(why) => {
                return around.add(Axis::DockerContext, "docker", Err(format!("{} {why}", shown(&path))), shown(&path));
            }
        }
    }
    let Some(name) =
        around.seen.last().filter(|seen| seen.axis == Axis::DockerContext).and_then(|seen| seen.value.clone().ok())
    else {
        return;
    };
    // Docker files a context's settings under the hash of its name.
    let digest: String = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join("contexts/meta").join(digest).join("meta.json");
    let meta: Option<Json> = around.text(&path).and_then(|text| serde_json::from_str(&text).ok());
    if let Some(host) = meta.as_ref().and_then(|meta| meta["Endpoints"]["docker"]["Host"].as_str()) {
        around.add(Axis::DockerHost, "docker", Ok(host.to_owned()), shown(&path));
    }
}

fn pulumi(around: &mut Around) {
    let project = around.cwd.join("Pulumi.yaml");
    if around.env("PULUMI_STACK").is_none() && around.text(&project).is_some() {
        let why = "`pulumi stack select` keeps its choice where it is not looked up; set PULUMI_STACK".to_owned();
        around.add(Axis::Stack, "pulumi", Err(why), shown(&project));
    }
}

fn argocd(around: &mut Around) {
    if around.env("ARGOCD_SERVER").is_some() {
        return;
    }
    let path = around.home.join(".config/argocd/config");
    let Some(text) = around.file(&path) else { return };
    match text.and_then(|text| parse(&text)) {
        Ok(config) => {
            let Some(context) = config.text("current-context") else { return };
            let entry = config.list("contexts").iter().find(|entry| entry.text("name") == Some(context));
            let server = entry.and_then(|entry| entry.text("server")).unwrap_or(context);
            around.add(Axis::ArgocdServer, "argocd", Ok(server.to_owned()), shown(&path));
            if let Some(seen) = around.seen.last_mut() {
                seen.also = Some(context.to_owned());
            }
        }
        Err(why) => around.add(Axis::ArgocdServer, "argocd", Err(format!("{} {why}", shown(&path))), shown(&path)),
    }
}

/// Heroku by the git remote, Fly.io by `fly.toml`, Cloud Foundry by its own file.
fn platforms(around: &mut Around) {
    let git = around.cwd.join(".git/config");
    if around.env("HEROKU_APP").is_none()
        && let Some(text) = around.text(&git)
    {
        let apps: Vec<String> = ini::entries(&text)
            .filter(|(section, key, _)| section.starts_with("remote ") && key == "url")
            .filter_map(|(_, _, url)| {
                url.strip_prefix("https://git.heroku.com/").or_else(|| url.strip_prefix("git@heroku.com:"))
            })
            .map(|app| app.trim_end_matches(".git").to_owned())
            .collect();
        match apps.as_slice() {
            [] => {}
            [app] => around.add(Axis::HerokuApp, "heroku", Ok(app.clone()), shown(&git)),
            several => {
                let why = format!("the repository has {} Heroku remotes", several.len());
                around.add(Axis::HerokuApp, "heroku", Err(why), shown(&git));
            }
        }
    }
    let fly = around.cwd.join("fly.toml");
    if around.env("FLY_APP").is_none()
        && let Some(text) = around.text(&fly)
    {
        match text.parse::<toml::Table>() {
            Ok(table) => {
                if let Some(app) = table.get("app").and_then(toml::Value::as_str) {
                    around.add(Axis::FlyApp, "fly", Ok(app.to_owned()), shown(&fly));
                }
            }
            Err(_) => around.add(Axis::FlyApp, "fly", Err(format!("{} is no TOML", shown(&fly))), shown(&fly)),
        }
    }
    let cf =
        around.env("CF_HOME").map_or_else(|| around.home.to_owned(), |path| around.path(&path)).join(".cf/config.json");
    if let Some(config) = around.text(&cf).and_then(|text| serde_json::from_str::<Json>(&text).ok()) {
        for (axis, value) in [
            (Axis::CfApi, &config["Target"]),
            (Axis::CfOrg, &config["OrganizationFields"]["Name"]),
            (Axis::CfSpace, &config["SpaceFields"]["Name"]),
        ] {
            if let Some(value) = value.as_str().filter(|value| !value.is_empty()) {
                around.add(axis, "cf", Ok(value.to_owned()), shown(&cf));
            }
        }
    }
    let ansible = around.cwd.join("ansible.cfg");
    if around.env("ANSIBLE_INVENTORY").is_none()
        && let Some(inventory) =
            around.text(&ansible).as_deref().and_then(|text| ini::value(text, "defaults", "inventory"))
    {
        around.add(Axis::Inventory, "ansible", Ok(inventory.to_owned()), shown(&ansible));
    }
}
