//! GitLab: whether it knows the projects, and their environments. <https://docs.gitlab.com/api/>, scope `read_api`.

use serde::Deserialize;

use super::{About, Environment, Told, failure, list};
use crate::source::rest::Rest;

const NAME: &str = "GitLab";
/// So many projects are asked about.
const MOST: usize = 10;
const MOST_LISTED: usize = 100;

#[derive(Debug, Deserialize)]
struct Project {
    path_with_namespace: String,
}

#[derive(Debug, Deserialize)]
struct OneEnvironment {
    name: String,
}

pub async fn told(rest: Rest, about: &About) -> Told {
    let mut told = Told::default();
    let own: Vec<&str> =
        about.repositories.iter().filter(|(kind, _)| *kind == "gitlab").map(|(_, name)| name.as_str()).collect();
    for project in own.iter().take(MOST) {
        let path = ["api", "v4", "projects", project];
        match rest.get_object::<Project>(&path, &[]).await {
            Ok(_) => told.known.push(("gitlab", (*project).to_owned())),
            Err(failed) => {
                told.notes.push(failure(NAME, project, failed));
                continue;
            }
        }
        let path = ["api", "v4", "projects", project, "environments"];
        let what = format!("environments of {project}");
        let asked = (path.as_slice(), [("states", "available")].as_slice(), 200);
        let found: Vec<OneEnvironment> = list(&rest, asked, (NAME, &what), &mut told.notes).await;
        told.environments.extend(found.into_iter().map(|one| Environment {
            system: NAME,
            of: (*project).to_owned(),
            name: one.name,
            protected: false,
        }));
    }
    if own.is_empty() {
        let query =
            [("membership", "true"), ("archived", "false"), ("simple", "true"), ("order_by", "last_activity_at")];
        let asked = (["api", "v4", "projects"].as_slice(), query.as_slice(), MOST_LISTED);
        let all: Vec<Project> = list(&rest, asked, (NAME, "projects"), &mut told.notes).await;
        told.repositories = all.into_iter().map(|project| ("gitlab", project.path_with_namespace)).collect();
    }
    told
}
