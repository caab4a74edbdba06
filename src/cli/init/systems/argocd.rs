//! Argo CD: applications and where they go. <https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/>

use serde::Deserialize;

use super::{Application, Told, failure};
use crate::source::rest::{Rest, readable};

const NAME: &str = "Argo CD";
/// So many applications are read.
const MOST: usize = 1_000;
/// Everything that is read of an application: without this the answer holds all manifests.
const FIELDS: &str = "items.metadata.name,items.spec.destination";

#[derive(Debug, Deserialize)]
struct Applications {
    // Null where there is none.
    items: Option<Vec<serde_json::Value>>,
}

#[derive(Debug, Deserialize)]
struct One {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    destination: Destination,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Destination {
    server: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
}

pub async fn told(rest: Rest) -> Told {
    let mut told = Told::default();
    match rest.get_object::<Applications>(&["api", "v1", "applications"], &[("fields", FIELDS)]).await {
        Ok(found) => {
            let (read, odd) = readable::<One>(found.items.unwrap_or_default());
            if odd > 0 {
                told.notes.push(format!("{NAME}: {odd} applications could not be read."));
            }
            if read.len() > MOST {
                told.notes.push(format!("{NAME} has more applications than the {MOST} that were read."));
            }
            told.applications = read.into_iter().take(MOST).map(of).collect();
        }
        Err(failed) => told.notes.push(failure(NAME, "applications", failed)),
    }
    told
}

fn of(one: One) -> Application {
    let Destination { server, name, namespace } = one.spec.destination;
    Application {
        name: one.metadata.name,
        destination: name.or(server).unwrap_or_default(),
        namespace: namespace.filter(|namespace| !namespace.is_empty()),
    }
}
