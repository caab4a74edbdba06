//! `tidegate check` tells the truth about every kind of source: what it answers, what does not work and why.

use std::process::{Command, Stdio};

use super::database::{postgres_run, postgres_url};
use super::faults::{Fault, server};
use super::{
    ALL, Standing, alertmanager, argocd, circleci, codecov, datadog, github, gitlab, google_calendar, incident_io,
    jenkins, jira, jsm, launchdarkly, linear, microsoft_365, osv, pagerduty, sentry, statuspage, unleash, zendesk,
};
use crate::harness::prometheus::{Running, Told};
use crate::harness::radicale::{Radicale, USER};
use crate::harness::source;
use crate::harness::unleash::Unleash;

const SECRET: &str = "hush-hush-hush";

/// One service for each code host, because a service's code is in one place.
const SETTINGS: &str = "
[team]
zone = 'UTC'
[policy]
source-timeout = '20s'
brief-timeout = '60s'
[service.shop]
repository = 'github'
[service.web]
repository = 'gitlab'
[environment.production]
[environment.staging]
[people.ada]
email = ['ada@harbor.test']
";

/// Kinds that are read from something real.
const REAL: [&str; 3] = ["caldav", "flagd", "prometheus"];

async fn standing() -> Vec<Standing> {
    vec![
        alertmanager::standing().await,
        argocd::standing().await,
        circleci::standing().await,
        codecov::standing().await,
        datadog::standing().await,
        github::standing().await,
        gitlab::standing().await,
        google_calendar::standing().await,
        incident_io::standing().await,
        jenkins::standing().await,
        jira::standing().await,
        jsm::standing().await,
        launchdarkly::standing().await,
        linear::standing().await,
        microsoft_365::standing().await,
        osv::standing().await,
        pagerduty::standing().await,
        sentry::standing().await,
        statuspage::standing().await,
        unleash::standing().await,
        zendesk::standing().await,
    ]
}

/// Each kind's `[[source]]`, named by its kind.
fn settings(stanzas: &[(&str, String)]) -> String {
    let of = |(kind, stanza): &(&str, String)| {
        let stanza = stanza.replace("[on-call]", "[source.on-call]");
        format!("[[source]]\nname = '{kind}'\n{stanza}\n")
    };
    SETTINGS.to_owned() + &stanzas.iter().map(of).collect::<String>()
}

/// Exit code and what is said on standard output.
async fn checked(settings: String) -> (i32, String) {
    let run = move || {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tidegate.toml"), settings).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        let done = command.arg("check").current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
        let errors = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!errors.contains("panicked") && !errors.contains(SECRET), "{errors}");
        (done.status.code().unwrap(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// The pretend code hosts hold repositories that nothing scans.
fn unscanned(stanza: &str) -> String {
    stanza.replace("\nscanning = ['code', 'secrets']", "").replace("\nscanning = true", "")
}

/// What a source of this stanza can be asked.
fn questions(stanza: &str) -> Vec<&'static str> {
    let opened = source::opened(stanza).unwrap();
    opened.answers().iter().map(|question| question.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_at_once_is_named_with_an_answer_to_everything_that_it_answers() {
    let servers = standing().await;
    let stanzas: Vec<(&str, String)> = servers.iter().map(|one| (one.kind, unscanned(&one.stanza))).collect();
    for case in ALL.iter().filter(|case| !REAL.contains(&case.kind)) {
        assert!(stanzas.iter().any(|(kind, _)| *kind == case.kind), "`{}` is not asked here", case.kind);
    }
    let (code, said) = checked(settings(&stanzas)).await;
    let mut missing = Vec::new();
    for (kind, stanza) in &stanzas {
        for question in questions(stanza) {
            if !said.lines().any(|line| line.contains(&format!(" {kind} answers {question}: "))) {
                missing.push(format!("{kind} {question}"));
            }
        }
    }
    assert!(missing.is_empty() && code == 0, "{missing:?}\n{said}");
    for part in [
        "on     github answers versions: 2 versions, the newest `v1.1.0` of 10 Nov 2026 (shop in production)",
        "github answers change: `0000000` to `0000000`: 1 commit, 0 files",
        "github answers builds: ",
        "jira answers ticket: there is no ticket `TIDE-1`",
        "linear answers ticket: there is no ticket `PAY-1`",
        "unleash answers flags: there is no flag `tidegate-check`",
        "off    migrations: no source answers it",
        "(web in production)",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let complaints: Vec<String> = servers.iter().flat_map(|one| one.server.complaints()).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_that_does_not_work_is_wrong_with_the_reason() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (address, says, needs) in [
        (format!("http://{gone}"), "refused the connection", None),
        (
            server(Fault::Status(401)).await,
            "(401)",
            Some("github (versions): refused the token (401); it needs Metadata"),
        ),
        (
            server(Fault::Status(403)).await,
            "(403)",
            Some("it needs the scope `read:ops-alert:jira-service-management`"),
        ),
        (server(Fault::OtherJson).await, "format", None),
    ] {
        let stanzas: Vec<(&str, String)> = ALL.iter().map(|case| (case.kind, case.filled(&address, SECRET))).collect();
        let (code, said) = checked(settings(&stanzas)).await;
        assert_eq!(code, 1, "{said}");
        for (kind, stanza) in &stanzas {
            for question in questions(stanza) {
                let line = said.lines().find(|line| line.starts_with(&format!("wrong  {kind} ({question}): ")));
                let line = line.unwrap_or_else(|| panic!("{kind} {question} {says}\n{said}"));
                assert!(line.contains(says), "{line}");
            }
        }
        assert!(
            !said.contains(SECRET) && !said.lines().any(|line| line.starts_with("on ") && line.contains(" answers ")),
            "{said}"
        );
        assert!(needs.is_none_or(|needs| said.contains(needs)), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_be_opened_or_is_never_asked_hides_nothing_of_the_others() {
    let pager = pagerduty::standing().await;
    let text = settings(&[(pager.kind, pager.stanza.clone())])
        + "[[source]]\nname = 'odd'\nkind = 'jira'\nurl = 'https://x.test'\nincidents = 'a ORDER BY b'\n\
           [[source]]\nname = 'code'\nkind = 'git'\npath = 'nowhere'\nservices = ['shop']\n\
           [[source]]\nname = 'github'\nkind = 'github'\nrepository = 'a/b'\nservices = ['web']\n\
           [[source]]\nname = 'gitlab'\nkind = 'git'\npath = 'nowhere'\n";
    let (code, said) = checked(text).await;
    assert_eq!(code, 1, "{said}");
    for part in [
        "wrong  odd: ",
        "on     pagerduty answers incidents: 0 lately, 0 open (shop in production)",
        "off    code: it concerns no service in any environment",
        "wrong  gitlab (versions): found no folder",
        "off    load: no source answers it: whether it is a busy hour is unknown",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

/// Those of the real servers that are installed here, as they are started by the stories of their kinds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_servers_answer_too() {
    let (mut stanzas, mut wanted) = (Vec::new(), Vec::new());
    let radicale = Radicale::start().await;
    if let Some(radicale) = &radicale {
        radicale.make("team").await;
        let (user, password, url) = (USER.0, USER.1, radicale.calendar("team"));
        stanzas.push((
            "caldav",
            format!("kind = 'caldav'\nurl = '{url}'\nuser = '{user}'\npassword = {{ value = '{password}' }}"),
        ));
        wanted.push("on     caldav answers calendar: 0 entries (shop in production)");
    }
    let servers = tokio::task::spawn_blocking(|| {
        let now = tidegate::clock::Clock::system().now().ms() / 1000;
        let samples = |value: f64| (0..30).map(|minute| (now - 60 * minute, value)).rev().collect();
        let labels = "service=\"shop\",environment=\"production\"";
        let prometheus = Running::remembering(&[
            Told { name: "errors", labels, samples: samples(0.5) },
            Told { name: "requests", labels, samples: samples(50.0) },
        ]);
        let manager = Running::alertmanager("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n");
        (prometheus, manager, Unleash::start())
    });
    let (prometheus, manager, unleash) = servers.await.unwrap();
    let queries = "requests = 'sum(requests)'\nerrors = 'sum(errors)'";
    stanzas.push(("prometheus", format!("kind = 'prometheus'\nurl = '{}'\n{queries}", prometheus.url)));
    wanted.extend([
        "prometheus answers load: 50.0 ",
        "prometheus answers health: 1.00 % errors",
        "prometheus answers series: ",
    ]);
    if let Some(manager) = &manager {
        stanzas.push(("alertmanager", format!("kind = 'alertmanager'\nurl = '{}'", manager.url)));
        wanted.push("alertmanager answers alerts: 0 alerts, 0 firing");
    }
    if let Some(unleash) = &unleash {
        let (url, token) = (&unleash.address, &unleash.token);
        stanzas.push(("unleash", format!("kind = 'unleash'\nurl = '{url}'\ntoken = {{ value = '{token}' }}")));
        wanted.push("unleash answers flags: there is no flag `tidegate-check`");
    }
    let url = postgres_url().await;
    postgres_run(&url, "create table schema_migrations (version varchar primary key); insert into schema_migrations values ('20261101120000')").await;
    stanzas.push(("database", format!("kind = 'database'\nurl = {{ value = '{url}' }}")));
    wanted.push("database answers migrations: 1 migration ran by ");
    let flags = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(flags.path(), "{\"flags\": {}}").unwrap();
    stanzas.push(("flagd", format!("kind = 'flagd'\nfrom = '{}'", flags.path().display())));
    wanted.push("on     flagd answers flags: there is no flag `tidegate-check`");
    let settings = settings(&stanzas).replace("repository = 'github'", "").replace("repository = 'gitlab'", "");
    let (code, said) = checked(settings).await;
    for part in wanted {
        assert!(said.contains(part) && code == 0, "{part}\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn teams_that_give_roles_are_told_with_whom_they_give_them_to() {
    let mut world = github::world::World::default();
    let member = |login: &str| serde_json::json!({ "login": login });
    world.teams.insert("harbor/payments-leads".to_owned(), vec![member("ada-h"), member("octocat")]);
    let server = github::world::open(world).await;
    let stanza = format!(
        "[[source]]\nkind = 'github'\nname = 'hub'\nrepository = 'harbor/shop'\nurl = '{}'\ntoken = {{ value = '{}' }}\n\
         answers = []\nroles = {{ payments-lead = ['payments-leads'], vp-engineering = ['harbor/vps'] }}\n",
        server.address,
        github::world::TOKEN
    );
    let known = SETTINGS.replace("repository = 'github'", "").replace("repository = 'gitlab'", "");
    let (code, said) = checked(known + "logins = ['ada-h']\n" + &stanza).await;
    let gives =
        "on     hub gives payments-lead by payments-leads: ada; one member more is not known by any of `logins`";
    assert!(said.contains(gives), "{said}");
    assert!(said.contains("wrong  hub (team harbor/vps): ") && said.contains("Members, read-only"), "{said}");
    assert_eq!(code, 1, "{said}");
    server.is_content();
}
