//! The repositories on this machine, and where they come from.

use std::path::{Path, PathBuf};

use super::owners::{Owners, PLACES};
use super::services::{name_of, wants};
use super::systems::Reached;
use crate::clock::Time;
use crate::source::CannotSay;
use crate::source::git::{Survey, survey};

/// So many repositories are looked at.
const MOST: usize = 30;

/// A repository on disk.
#[derive(Clone, Debug)]
pub struct Place {
    /// What the settings call it.
    pub name: String,
    /// As the settings write it, seen from their folder.
    pub path: String,
    /// The kind of code host that it comes from, and `owner/name` there.
    pub host: Option<(&'static str, String)>,
    /// Where it comes from, for people: without what an address may hide.
    pub origin: Option<String>,
    pub survey: Survey,
    pub owners: Owners,
}

/// The repository around a folder, or those directly below it.
pub fn repositories(folder: &Path) -> Vec<PathBuf> {
    let Ok(folder) = folder.canonicalize() else { return Vec::new() };
    if let Some(around) = folder.ancestors().find(|above| is_repository(above)) {
        return vec![around.to_owned()];
    }
    let entries = std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
    let mut below: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_repository(path)).collect();
    below.sort();
    below.truncate(MOST);
    below
}

/// Reads one; `home` is the folder of the settings.
pub fn read(path: &Path, home: &Path, since: Time, reached: &[Reached]) -> Result<Place, CannotSay> {
    let survey = survey(path, since, |file| PLACES.contains(&file) || wants(file))?;
    let origin = survey.remotes.first().and_then(|(_, address)| host_and_path(address));
    let host = origin.as_ref().and_then(|(host, path)| hosted(host, path, reached));
    let own = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let last = origin.as_ref().map(|(_, path)| path.rsplit('/').next().unwrap_or_default().to_owned());
    let name = last.into_iter().chain([own.trim_end_matches(".git").to_owned(), "code".to_owned()]);
    let name = name.map(|name| name_of(&name)).find(|name| !name.is_empty()).unwrap_or_default();
    let owned = PLACES.iter().find_map(|file| Some(Owners::read(survey.texts.get(*file)?, file)));
    Ok(Place {
        name,
        path: seen_from(home, path),
        host,
        origin: origin.map(|(host, path)| format!("{host}/{path}")),
        owners: owned.unwrap_or_default(),
        survey,
    })
}

fn is_repository(path: &Path) -> bool {
    path.join(".git").exists()
        || (path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir())
}

/// Host and path of a remote: `git@HOST:owner/name.git`, `ssh://…`, `https://…`. User and password are left out.
fn host_and_path(address: &str) -> Option<(String, String)> {
    let (host, path) = match address.split_once("://") {
        Some(("http" | "https" | "ssh" | "git", _)) => {
            // What a code host gives to clone from has neither.
            let url = url::Url::parse(address).ok().filter(|url| url.query().is_none() && url.fragment().is_none())?;
            (url.host_str()?.to_owned(), url.path().to_owned())
        }
        Some(_) => return None,
        None => {
            let (host, path) = address.split_once(':').filter(|(host, _)| !host.contains('/'))?;
            (host.rsplit('@').next().unwrap_or(host).to_owned(), path.to_owned())
        }
    };
    let path = path.trim_matches('/').trim_end_matches(".git").to_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let fit = !host.is_empty() && !path.is_empty() && path.len() <= 250 && path.chars().all(plain);
    fit.then(|| (host.to_lowercase(), path))
}

/// Which kind of code host a remote is on: the public ones, and those whose address a person named.
fn hosted(host: &str, path: &str, reached: &[Reached]) -> Option<(&'static str, String)> {
    let kind = match host {
        "github.com" | "ssh.github.com" => "github",
        "gitlab.com" | "altssh.gitlab.com" => "gitlab",
        _ => {
            let own = |one: &&Reached| {
                matches!(one.system.kind, "github" | "gitlab") && one.url.host_str().is_some_and(|known| known == host)
            };
            reached.iter().find(own)?.system.kind
        }
    };
    let parts = path.split('/').count();
    let whole = path.split('/').all(|part| !part.is_empty() && part.len() <= 100 && !part.starts_with('.'));
    (whole && if kind == "github" { parts == 2 } else { parts >= 2 }).then(|| (kind, path.to_owned()))
}

/// A path as it is written in settings that lie in `home`.
fn seen_from(home: &Path, path: &Path) -> String {
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    let shared = home.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = home.components().count() - shared;
    // Far away, the whole path is easier to read.
    if up > 2 {
        return path.to_string_lossy().into_owned();
    }
    let steps = std::iter::repeat_n("..".to_owned(), up);
    let down = path.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let all: Vec<String> = steps.chain(down).collect();
    if all.is_empty() { ".".to_owned() } else { all.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_is_read_without_what_it_hides() {
        for address in [
            "git@github.com:harbor/shop.git",
            "https://ada:ghp_secret@github.com/harbor/shop.git",
            "ssh://git@github.com:22/harbor/shop",
        ] {
            let (host, path) = host_and_path(address).unwrap();
            assert_eq!((host.as_str(), path.as_str()), ("github.com", "harbor/shop"), "{address}");
            assert_eq!(hosted(&host, &path, &[]), Some(("github", "harbor/shop".to_owned())));
        }
        for address in
            ["/srv/git/shop.git", "file:///srv/shop", "../shop", "https://github.com/a/b?x=<\u{202e}>", "host:"]
        {
            assert_eq!(host_and_path(address).and_then(|(host, path)| hosted(&host, &path, &[])), None, "{address}");
        }
        assert_eq!(hosted("github.evil.test", "harbor/shop", &[]), None);
    }

    #[test]
    fn a_path_is_written_as_seen_from_the_settings() {
        for (home, path, seen) in
            [("/a/b", "/a/b", "."), ("/a/b/c", "/a/b", ".."), ("/a/b", "/a/shop", "../shop"), ("/a/b/c/d", "/x", "/x")]
        {
            assert_eq!(seen_from(Path::new(home), Path::new(path)), seen);
        }
    }
}
