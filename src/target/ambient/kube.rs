//! kubeconfig: `KUBECONFIG` may list several files, of which the first to name something wins.

use std::path::PathBuf;

use super::yaml::{Yaml, parse};
use super::{Around, shown};
use crate::target::axis::Axis;

/// The most files that `KUBECONFIG` may list.
const MOST_FILES: usize = 32;
/// The most contexts of one file that are told.
const MOST_CONTEXTS: usize = 200;

/// A context of a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeContext {
    pub name: String,
    pub namespace: Option<String>,
    /// The file that it stands in.
    pub from: String,
}

pub(super) fn look(around: &mut Around) {
    let listed = around.env("KUBECONFIG");
    let files = match files(around) {
        Ok(files) => files,
        Err((path, why)) => {
            // kubectl itself stops here, so nothing that the other files say counts.
            around.add(Axis::KubeContext, "kubectl", Err(format!("{} {why}", shown(&path))), shown(&path));
            return;
        }
    };
    let Some((path, context)) = files.iter().find_map(|(path, yaml)| Some((path, yaml.text("current-context")?)))
    else {
        return;
    };
    around.add(Axis::KubeContext, "kubectl", Ok(context.to_owned()), shown(path));
    around.add(
        Axis::Kubeconfig,
        "kubectl",
        Ok(shown(path)),
        if listed.is_some() { "KUBECONFIG".to_owned() } else { shown(path) },
    );
    let Some((path, entry)) = named(&files, "contexts", context) else {
        let why = format!("context `{context}` is not defined in the kubeconfig");
        around.add(Axis::KubeCluster, "kubectl", Err(why), shown(path));
        return;
    };
    let Some(entry) = entry.get("context") else { return };
    let namespace = entry.text("namespace").unwrap_or("default").to_owned();
    around.add(Axis::KubeNamespace, "kubectl", Ok(namespace), shown(path));
    let Some(cluster) = entry.text("cluster") else { return };
    around.add(Axis::KubeCluster, "kubectl", Ok(cluster.to_owned()), shown(path));
    if let Some((path, entry)) = named(&files, "clusters", cluster)
        && let Some(server) = entry.get("cluster").and_then(|cluster| cluster.text("server"))
    {
        around.add(Axis::KubeServer, "kubectl", Ok(server.to_owned()), shown(path));
    }
}

/// Every context, the first of a name.
pub(super) fn contexts(around: &Around<'_>) -> Result<Vec<KubeContext>, String> {
    let files = files(around).map_err(|(path, why)| format!("{} {why}", shown(&path)))?;
    let mut contexts: Vec<KubeContext> = Vec::new();
    for (path, yaml) in &files {
        for entry in yaml.list("contexts").iter().take(MOST_CONTEXTS) {
            let Some(name) = entry.text("name") else { continue };
            if contexts.iter().all(|known| known.name != name) {
                let namespace = entry.get("context").and_then(|about| about.text("namespace")).map(str::to_owned);
                contexts.push(KubeContext { name: name.to_owned(), namespace, from: shown(path) });
            }
        }
    }
    Ok(contexts)
}

type Files = Vec<(PathBuf, Yaml)>;

/// The kubeconfigs that there are; Err: the one that cannot be read, and why.
fn files(around: &Around<'_>) -> Result<Files, (PathBuf, String)> {
    let paths: Vec<PathBuf> = match around.env("KUBECONFIG") {
        Some(list) => {
            list.split(':').filter(|path| !path.is_empty()).take(MOST_FILES).map(|path| around.path(path)).collect()
        }
        None => vec![around.home.join(".kube/config")],
    };
    let mut files = Vec::new();
    for path in paths {
        let Some(text) = around.file(&path) else { continue };
        match text.and_then(|text| parse(&text)) {
            Ok(yaml) => files.push((path, yaml)),
            Err(why) => return Err((path, why)),
        }
    }
    Ok(files)
}

/// The first entry of this name in a list, over all files.
fn named<'a>(files: &'a [(PathBuf, Yaml)], list: &str, name: &str) -> Option<(&'a PathBuf, &'a Yaml)> {
    files
        .iter()
        .find_map(|(path, yaml)| Some((path, yaml.list(list).iter().find(|entry| entry.text("name") == Some(name))?)))
}
