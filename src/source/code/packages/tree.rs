//! Lock files in TOML and JSON.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::python_name;

type Pairs = Vec<(String, String)>;

#[derive(Deserialize)]
struct Toml {
    #[serde(default)]
    package: Vec<TomlPackage>,
}

#[derive(Deserialize)]
struct TomlPackage {
    name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    source: Option<toml::Value>,
}

pub fn cargo(text: &str) -> Option<Pairs> {
    let lock: Toml = toml::from_str(text).ok()?;
    let released = lock.package.into_iter().filter(|package| {
        package
            .source
            .as_ref()
            .and_then(|source| source.as_str())
            .is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"))
    });
    Some(released.filter_map(|package| Some((package.name, package.version?))).collect())
}

/// Poetry says where a package is from by `source.type`, uv by a key such as `registry` or `virtual`.
pub fn python(text: &str) -> Option<Pairs> {
    let lock: Toml = toml::from_str(text).ok()?;
    let released =
        lock.package.into_iter().filter(|package| match package.source.as_ref().and_then(|s| s.as_table()) {
            None => true,
            Some(table) => match table.get("type").and_then(|kind| kind.as_str()) {
                Some(kind) => kind == "legacy",
                None => table.contains_key("registry"),
            },
        });
    Some(released.filter_map(|package| Some((python_name(&package.name), package.version?))).collect())
}

#[derive(Deserialize)]
struct Npm {
    #[serde(default)]
    packages: Option<BTreeMap<String, NpmPackage>>,
    #[serde(default)]
    dependencies: BTreeMap<String, NpmPackage>,
}

#[derive(Deserialize)]
struct NpmPackage {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    dependencies: Option<Value>,
}

pub fn npm(text: &str) -> Option<Pairs> {
    let lock: Npm = serde_json::from_str(text).ok()?;
    let mut pairs = Pairs::new();
    if let Some(packages) = lock.packages {
        for (path, package) in packages {
            let Some((_, installed)) = path.rsplit_once("node_modules/") else { continue };
            if !package.link {
                let name = package.name.unwrap_or_else(|| installed.to_owned());
                pairs.extend(package.version.filter(|version| is_release(version)).map(|version| (name, version)));
            }
        }
        return Some(pairs);
    }
    // The first format nests what another package brings.
    let mut open: Vec<(String, Option<String>, Option<Value>)> =
        lock.dependencies.into_iter().map(|(name, package)| (name, package.version, package.dependencies)).collect();
    while let Some((name, version, inner)) = open.pop() {
        pairs.extend(version.filter(|version| is_release(version)).map(|version| (name, version)));
        let Some(Value::Object(inner)) = inner else { continue };
        for (name, mut package) in inner {
            let version = package.get("version").and_then(Value::as_str).map(str::to_owned);
            open.push((name, version, package.get_mut("dependencies").map(Value::take)));
        }
    }
    Some(pairs)
}

pub fn pipfile(text: &str) -> Option<Pairs> {
    let lock: BTreeMap<String, Value> = serde_json::from_str(text).ok()?;
    let groups = lock.into_iter().filter(|(group, _)| group != "_meta");
    let mut pairs = Pairs::new();
    for (_, group) in groups {
        let Value::Object(group) = group else { return None };
        for (name, package) in group {
            let version = package.get("version").and_then(Value::as_str).and_then(|v| v.strip_prefix("=="));
            pairs.extend(version.map(|version| (python_name(&name), version.to_owned())));
        }
    }
    Some(pairs)
}

#[derive(Deserialize)]
struct Composer {
    #[serde(default)]
    packages: Vec<ComposerPackage>,
    #[serde(default, rename = "packages-dev")]
    dev: Vec<ComposerPackage>,
}

#[derive(Deserialize)]
struct ComposerPackage {
    name: String,
    version: String,
}

pub fn composer(text: &str) -> Option<Pairs> {
    let lock: Composer = serde_json::from_str(text).ok()?;
    let all = lock.packages.into_iter().chain(lock.dev);
    let released = all.filter(|package| is_release(package.version.trim_start_matches('v')));
    Some(released.map(|package| (package.name, package.version.trim_start_matches('v').to_owned())).collect())
}

/// Whether a version is one, and not an address or the name of a branch.
fn is_release(version: &str) -> bool {
    version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains(['/', ':'])
}
