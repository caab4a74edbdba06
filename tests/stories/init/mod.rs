//! `tidegate init`: a first settings file from what is found. Whatever it finds, what it writes loads.

mod systems;

use std::path::Path;
use std::process::{Command, Stdio};

use tidegate::cli::sample::repository::{CommitStory, RepositoryStory, make};
use tidegate::clock::{Clock, DAY, Time};
use tidegate::config::Settings;

const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncontexts:\n\
    - name: prod-us\n  context: { cluster: shop-prod, namespace: shop }\n\
    - name: minikube\n  context: { cluster: minikube }\n\
    - name: \"shop\\n[people.evil]\"\n  context: { cluster: x }\n";

/// A folder that nobody's settings reach, and commands in it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Exit code, standard output, standard error. The environment holds nothing but `variables`.
    fn runs(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
        let done = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TZ", "Europe/Berlin")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (out, errors) = (text(done.stdout), text(done.stderr));
        assert!(!errors.contains("panicked"), "{errors}");
        (done.status.code().unwrap_or(-1), out, errors)
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path("tidegate.toml")).unwrap()
    }

    fn settings(&self) -> Settings {
        let text = self.text();
        reads(&text);
        Settings::read(&text, "tidegate.toml", self.folder.path().to_owned())
            .unwrap_or_else(|e| panic!("{e:#}\n{text}"))
    }
}

/// The file reads, and so it does with every proposal uncommented.
fn reads(text: &str) {
    let taken: Vec<&str> = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| is_key(key)) => rest,
            _ => line,
        })
        .collect();
    for text in [text.to_owned(), taken.join("\n")] {
        Settings::read(&text, "tidegate.toml", Path::new(".").to_owned()).unwrap_or_else(|e| panic!("{e:#}\n{text}"));
    }
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// So many days ago.
fn ago(days: i64) -> Time {
    Clock::system().now().plus(-days * DAY)
}

/// A repository of two services, with its remote.
fn repository(path: &Path, remote: &str) {
    let story = RepositoryStory::new(vec![
        CommitStory::new("Ada Byron", "ada@harbor.test", ago(200), "Begin")
            .file("checkout/Dockerfile", "FROM scratch\n")
            .file("checkout/migrations/0001_orders.sql", "create table orders (id bigint);\n")
            .file("search/Dockerfile", "FROM scratch\n")
            .file("tools/report/package.json", "{\"scripts\": {\"start\": \"node .\"}}")
            .file(".github/CODEOWNERS", "* @ada-b\n/checkout/ @harbor/payments grace@harbor.test\n")
            .file(".mailmap", "Ada Byron <ada@harbor.test> <ada@old.test>\n")
            .tag("checkout/v1.0.0"),
        CommitStory::new("Old Hand", "old@harbor.test", ago(150), "Long ago")
            .file("search/a", "1\n")
            .tag("search/v3.1.0"),
        CommitStory::new("a. byron", "ada@old.test", ago(20), "Pay by card").file("checkout/pay", "1\n"),
        CommitStory::new("Grace Hopper", "grace@harbor.test", ago(9), "Refund").file("checkout/refund", "1\n"),
        CommitStory::new("Grace Hopper", "grace@home.test", ago(8), "Refund twice").file("checkout/refund", "2\n"),
        CommitStory::new("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", ago(5), "Bump x")
            .file("checkout/lock", "2\n"),
        CommitStory::new("Ada", "77+ada-b@users.noreply.github.com", ago(2), "Ship")
            .file("checkout/pay", "2\n")
            .tag("checkout/v1.1.0"),
    ]);
    make(path, &story).unwrap();
    let config = path.join("config");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(config, format!("{text}\n[remote \"origin\"]\n\turl = {remote}\n")).unwrap();
}

#[test]
fn a_repository_gives_settings_that_a_plan_can_be_made_with() {
    let place = Place::new();
    repository(&place.path("shop.git"), "https://ada:ghp_hush@github.com/harbor/shop.git");
    std::fs::create_dir(place.path(".kube")).unwrap();
    std::fs::write(place.path(".kube/config"), KUBECONFIG).unwrap();
    let (code, out, said) = place.runs(&["init", "shop.git", "--offline"], &[]);
    assert_eq!((code, out.as_str()), (0, ""), "{said}");
    assert!(
        said.contains("2 services, 1 environment, 3 people, 1 source")
            && said.contains("GitHub (TIDEGATE_GITHUB_TOKEN)"),
        "{said}"
    );
    let (text, settings) = (place.text(), place.settings());
    assert!(!text.contains("hush") && !said.contains("hush"), "{text}");
    let services: Vec<&str> = settings.service.keys().map(|name| name.as_str()).collect();
    assert_eq!(services, ["checkout", "search"], "{text}");
    let checkout = &settings.service["checkout"];
    assert_eq!(checkout.paths, ["checkout/**"]);
    assert_eq!(checkout.tag_prefix.as_deref(), Some("checkout/"));
    assert_eq!(checkout.migrations.as_deref(), Some("checkout/migrations/*.sql"));
    let owners = |name: &str| settings.service[name].owners.iter().map(|p| p.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!((owners("checkout"), owners("search")), (vec!["grace".to_owned()], vec!["ada".to_owned()]));
    assert!(text.contains("also names the team harbor/payments"), "{text}");
    assert!(text.contains("# [service.report]"), "a package is only mentioned: {text}");
    // One address by `.mailmap`, another by its login; the name alone joins nobody.
    assert_eq!(settings.people["ada-byron"].email, ["ada@harbor.test"]);
    assert_eq!(settings.people["ada"].logins, ["ada-b"]);
    assert!(text.contains("grace@home.test: add what is theirs"), "{text}");
    assert!(!text.contains("dependabot") && !text.contains("old@harbor.test"), "{text}");
    assert!(settings.people.values().all(|person| person.roles.is_empty()), "nobody is given a role: {text}");
    assert_eq!(settings.team.zone.name(), "Europe/Berlin");
    assert_eq!(settings.environment.len(), 1);
    assert!(text.contains(r#"kube-contexts = ["prod-us"]"#) && !text.contains("minikube"), "{text}");

    let (code, checked, errors) = place.runs(&["check"], &[]);
    assert_eq!(code, 0, "{checked}{errors}");
    assert!(checked.contains("shop") && checked.contains("v1.1.0"), "{checked}");
    let (code, brief, errors) = place.runs(&["plan", "checkout", "production", "v1.1.0", "--json"], &[]);
    assert_eq!(code, 0, "{errors}");
    assert!(brief.contains("\"commit\""), "{brief}");
}

#[test]
fn what_is_there_already_is_replaced_only_when_that_is_asked_for() {
    let place = Place::new();
    std::fs::write(place.path("tidegate.toml"), "# mine\n").unwrap();
    let (code, out, said) = place.runs(&["init", "--offline"], &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(said.contains("is there already") && said.contains("--force"), "{said}");
    let (code, out, _) = place.runs(&["init", "--offline", "--stdout"], &[]);
    assert_eq!(code, 0);
    reads(&out);
    assert_eq!(place.text(), "# mine\n");
    // A link is not followed to what it leads to.
    std::os::unix::fs::symlink(place.path("elsewhere"), place.path("link.toml")).unwrap();
    assert_eq!(place.runs(&["init", "--offline", "--config", "link.toml"], &[]).0, 1);
    assert!(!place.path("elsewhere").exists());
    assert_eq!(place.runs(&["init", "--offline", "--force"], &[]).0, 0);
    place.settings();
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 2, "nothing is left beside it");
}

#[test]
fn with_nothing_found_the_file_is_small_and_serves() {
    let place = Place::new();
    let (code, _, said) = place.runs(&["init"], &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("there is no git repository") && said.contains("Next:"), "{said}");
    let settings = place.settings();
    assert!(settings.environment.contains_key("production") && settings.service.is_empty());
    let (code, checked, _) = place.runs(&["check"], &[]);
    assert_eq!(code, 0, "{checked}");
    let mut serving = Command::new(env!("CARGO_BIN_EXE_tidegate"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .current_dir(place.folder.path())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut out = std::io::BufReader::new(serving.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut first).unwrap();
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert!(first.contains("listens on http://127.0.0.1:"), "{first}");
}

#[test]
fn hostile_names_are_only_ever_names() {
    let place = Place::new();
    let evil = "x\"]\n[people.evil]\nroles = [\"vp-engineering\"]\n#";
    let commit = |name: &str, email: &str| CommitStory::new(name, email, ago(1), "x");
    let story = RepositoryStory::new(vec![
        commit("\"\"\" = { } \u{202e}drowssap", "a\"b'@harbor.test")
            .file("a\"\n[people.evil]/Dockerfile", "FROM scratch\n")
            .file("b'*[x]{y}/Dockerfile", "FROM scratch\n")
            .file("c\\u0022]/Dockerfile", "FROM scratch\n")
            .file("ünï/Dockerfile", "FROM scratch\n")
            .file("CODEOWNERS", "* @x\"]\n* @\u{202e}evil \"@\"@evil.test\n[ [[ ]\n* \\\n")
            .file(".mailmap", "<<<>>>\nEvil <\n")
            .file("compose.yaml", "services:\n  \"x\\\"]\\n[people.evil]\":\n    build: ./b'*[x]{y}\n")
            .tag("b-v1\"]"),
        commit("[people.evil]", "evil@[x]"),
        commit("'''", "'''@harbor.test"),
        commit("= 1", "=@harbor.test"),
    ]);
    make(&place.path("evil.git"), &story).unwrap();
    let config = place.path("evil.git/config");
    let text = std::fs::read_to_string(&config).unwrap();
    let escaped = evil.replace('"', "\\\"").replace('\n', "\\n");
    let remote = format!("{text}\n[remote \"origin\"]\n\turl = \"https://github.com/{escaped}/x\"\n");
    std::fs::write(config, remote).unwrap();
    std::fs::create_dir(place.path(".kube")).unwrap();
    std::fs::write(place.path(".kube/config"), KUBECONFIG).unwrap();
    let (code, _, said) = place.runs(&["init", "evil.git", "--offline"], &[]);
    if code != 0 {
        // What git itself cannot read is no repository.
        panic!("{said}");
    }
    let settings = place.settings();
    assert!(!settings.people.contains_key("evil") || settings.people["evil"].roles.is_empty(), "{}", place.text());
    assert!(settings.people.values().all(|person| person.roles.is_empty()));
    assert!(!place.text().contains('\u{202e}') && !said.contains('\u{202e}'));
    let service = settings.service.values().find(|service| service.paths.iter().any(|path| path.contains("[*]")));
    assert!(service.is_some(), "a folder's name is no pattern: {}", place.text());
    assert_eq!(place.runs(&["check"], &[]).0, 0);
}
