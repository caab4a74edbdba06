//! kubeconfig: `KUBECONFIG` may list several files, of which the first to name something wins.

use std::path::PathBuf;

use super::yaml::{Yaml, parse};
use super::{Around, shown};
use crate::target::axis::Axis;

/// The most files that `KUBECONFIG` may list.
const MOST_FILES: usize = 32;

pub(super) fn look(around: &mut Around) {
    let listed = around.env("KUBECONFIG");
    let paths: Vec<PathBuf> = match &listed {
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
            Err(why) => {
                // kubectl itself stops here, so nothing that the other files say counts.
                around.add(Axis::KubeContext, "kubectl", Err(format!("{} {why}", shown(&path))), shown(&path));
                return;
            }
        }
    }
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

/// The first entry of this name in a list, over all files.
fn named<'a>(files: &'a [(PathBuf, Yaml)], list: &str, name: &str) -> Option<(&'a PathBuf, &'a Yaml)> {
    files
        .iter()
        .find_map(|(path, yaml)| Some((path, yaml.list(list).iter().find(|entry| entry.text("name") == Some(name))?)))
}
