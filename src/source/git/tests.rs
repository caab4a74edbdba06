use std::fs;

use super::super::tests::{ask, opening, settings};
use super::*;
use crate::advice::facts::{AiMark, FileStatus};
use crate::cli::sample::repository::{CommitStory, RepositoryStory, add_commit, make, move_tag};
use crate::clock::Clock;
use crate::clock::{DAY, Time};
use crate::config::SourceSettings;
use crate::name::Service;
use crate::source::SourceKind;

const SERVICE: &str = "[service.checkout]\nrepository = \"code\"\nmigrations = \"migrations/*.sql\"\n\
    [people.ada]\nemail = [\"Ada@sample.test\"]\n";

struct World {
    folder: tempfile::TempDir,
    source: Git,
    settings: Arc<Settings>,
}

impl World {
    fn path(&self) -> PathBuf {
        self.folder.path().join("code.git")
    }
}

fn world(commits: Vec<CommitStory>, about: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    make(&folder.path().join("code.git"), &RepositoryStory::new(commits)).unwrap();
    let settings = settings(&format!(
        "{about}\n[[source]]\nname = \"code\"\nkind = \"git\"\npath = \"code.git\"\n\
         link = \"https://code.sample.test/commit/{{commit}}\"\n"
    ));
    let source = git(&settings.source[0], folder.path());
    World { folder, source, settings }
}

fn git(settings: &SourceSettings, folder: &std::path::Path) -> Git {
    let SourceKind::Git(keys) = &settings.kind else { panic!("another kind") };
    Git::of(keys, &opening(settings, folder, &Clock::system()))
}

fn day(n: i64) -> Time {
    Time::parse_rfc3339("2026-06-01T10:00:00Z").unwrap().plus(n * DAY)
}

fn by_ada(n: i64, message: &str) -> CommitStory {
    CommitStory::new("Ada", "ada@sample.test", day(n), message)
}

fn by_grace(n: i64, message: &str) -> CommitStory {
    CommitStory::new("Grace", "grace@sample.test", day(n), message)
}

async fn try_change(world: &World, running: Option<&str>, version: &str) -> Result<(Change, Vec<String>), String> {
    let mut ask = ask(Question::Change, &world.settings);
    ask.version = Some(version.to_owned());
    ask.running = running.map(str::to_owned);
    match world.source.ask(&ask).await {
        Ok(Answer { learned: Learned::Change(change), incomplete, .. }) => Ok((*change, incomplete)),
        Ok(other) => panic!("{other:?}"),
        Err(CannotSay(why)) => Err(why),
    }
}

async fn change_of(world: &World, running: Option<&str>, version: &str) -> (Change, Vec<String>) {
    try_change(world, running, version).await.unwrap()
}

async fn versions(world: &World, version: &str, names: &[&str]) -> (Versions, Answer) {
    let mut ask = ask(Question::Versions, &world.settings);
    ask.version = Some(version.to_owned());
    ask.names = names.iter().map(|name| (*name).to_owned()).collect();
    let answer = world.source.ask(&ask).await.unwrap();
    let Learned::Versions(versions) = answer.learned.clone() else { panic!("{answer:?}") };
    (versions, answer)
}

fn resolved<'v>(versions: &'v Versions, name: &str) -> Option<&'v str> {
    versions.resolved.iter().find(|(known, _)| known == name).and_then(|(_, commit)| commit.as_deref())
}

fn file<'c>(change: &'c Change, path: &str) -> &'c crate::advice::facts::FileChange {
    change.files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("{path} in {:?}", change.files))
}

fn lines(count: usize) -> String {
    (0..count).map(|n| format!("line {n} of the file\n")).collect()
}

fn three_releases() -> Vec<CommitStory> {
    vec![
        by_ada(0, "Begin\n").file("src/cart.rs", lines(20)).file("src/old.rs", lines(30)).tag("v1.9.0"),
        by_grace(10, "Speed up the cart\n").file("src/cart.rs", lines(22)),
        by_ada(20, "Release\n").file("README.md", "hello\n").tag("+v1.10.0"),
        by_grace(30, "Fix double capture (#12)\n\nCo-authored-by: Ada <ada@sample.test>\n")
            .file("src/cart.rs", lines(25))
            .without("src/old.rs")
            .file("src/new.rs", lines(31)),
        by_ada(40, "Ask the flag\n\nCo-authored-by: Claude <noreply@anthropic.com>\n")
            .file("src/flag.rs", "if flag_enabled(\"new-cart\") {}\n// flag_enabled(\"other\")\n")
            .tag("v2.0.0"),
    ]
}

#[tokio::test]
async fn versions_are_told_newest_first_and_names_resolve_exactly() {
    let world = world(three_releases(), SERVICE);
    let (found, answer) = versions(&world, "v2.0.0", &["v1.10.0", "V1.10.0", "1.10.0", "v9", "main"]).await;
    let known: Vec<&str> = found.known.iter().map(|version| version.name.as_str()).collect();
    assert_eq!(known, ["v2.0.0", "v1.10.0", "v1.9.0"]);
    assert_eq!(resolved(&found, "v2.0.0"), Some(found.known[0].commit.as_str()));
    assert_eq!(resolved(&found, "main"), resolved(&found, "v2.0.0"));
    assert_eq!(resolved(&found, "v1.10.0"), Some(found.known[1].commit.as_str()), "an annotated tag means its commit");
    for unknown in ["V1.10.0", "1.10.0", "v9"] {
        assert_eq!(resolved(&found, unknown), None, "{unknown}");
    }
    assert_eq!(near_names(&found, "V1.10.0"), ["v1.10.0"]);
    assert_eq!(answer.link, Some(format!("https://code.sample.test/commit/{}", found.known[0].commit)));
    assert_eq!(answer.incomplete, Vec::<String>::new());
}

#[tokio::test]
async fn hashes_resolve_whole_and_from_seven_digits_on() {
    let world = world(three_releases(), SERVICE);
    let (found, _) = versions(&world, "v2.0.0", &[]).await;
    let commit = found.known[0].commit.clone();
    let upper = commit.to_uppercase();
    let none = "0".repeat(40);
    let names =
        [commit.as_str(), &commit[..7], &upper[..12], &commit[..6], &none, "deadbeef", "HEAD", "v2.0.0~1", "../HEAD"];
    let (found, _) = versions(&world, "v2.0.0", &names).await;
    for known in &names[..3] {
        assert_eq!(resolved(&found, known), Some(commit.as_str()), "{known}");
    }
    for unknown in &names[3..] {
        assert_eq!(resolved(&found, unknown), None, "{unknown}");
    }
}

#[tokio::test]
async fn a_services_versions_bear_its_prefix() {
    let commits = vec![
        by_ada(0, "Begin\n").file("a", "a").tag("checkout/v1").tag("search/v1"),
        by_ada(1, "More\n").file("a", "b").tag("checkout/v2").tag("v2"),
        by_ada(2, "Yet more\n").file("a", "c").tag("search/v2").tag("v1"),
    ];
    let about =
        "[service.checkout]\ntag-prefix = \"checkout/\"\n[service.search]\ntag-prefix = \"search/\"\n[service.web]\n";
    let world = world(commits, about);
    let (found, answer) = versions(&world, "v2", &["checkout/v1", "v1"]).await;
    let known: Vec<&str> = found.known.iter().map(|version| version.name.as_str()).collect();
    assert_eq!(known, ["v2", "v1"]);
    assert_eq!(resolved(&found, "checkout/v1"), Some(found.known[1].commit.as_str()));
    assert_eq!(resolved(&found, "v1"), resolved(&found, "checkout/v1"), "the service's own tag comes first");
    assert_eq!(answer.incomplete, ["`v1` is a tag and also a tag on another commit: the tag was taken"]);

    let mut ask = ask(Question::Versions, &world.settings);
    ask.service = Service::new("web");
    let answer = world.source.ask(&ask).await.unwrap();
    let Learned::Versions(found) = answer.learned else { panic!() };
    let known: Vec<&str> = found.known.iter().map(|version| version.name.as_str()).collect();
    assert_eq!(known, ["v1", "v2"], "tags of other services are not this one's");
}

#[tokio::test]
async fn a_change_forward_tells_commits_files_and_their_past() {
    let world = world(three_releases(), SERVICE);
    let (change, incomplete) = change_of(&world, Some("v1.10.0"), "v2.0.0").await;
    assert_eq!(incomplete, Vec::<String>::new());
    assert_eq!(change.direction, Direction::Forward);
    assert_eq!(change.base.as_ref().map(|base| base.name.as_str()), Some("v1.10.0"));
    assert_eq!((change.head.name.as_str(), change.head.at), ("v2.0.0", day(40)));
    let titles: Vec<&str> = change.commits.iter().map(|commit| commit.title.as_str()).collect();
    assert_eq!(titles, ["Ask the flag", "Fix double capture (#12)"]);
    let [flag, fix] = change.commits.as_slice() else { panic!() };
    assert_eq!(flag.author, Some(Person::new("ada")));
    assert_eq!(flag.ai, AiMark::Declared { tool: "Claude".to_owned() });
    assert_eq!(flag.co_authors, Vec::<String>::new());
    assert_eq!((fix.fix, fix.author.clone(), fix.ai.clone()), (true, None, AiMark::Undeclared));
    assert_eq!(
        (fix.email.as_str(), fix.co_authors.as_slice()),
        ("grace@sample.test", &["ada@sample.test".to_owned()][..])
    );
    assert_eq!((change.commit_count, change.file_count), (2, 3));

    let cart = file(&change, "src/cart.rs");
    assert_eq!((cart.status, cart.added, cart.deleted), (FileStatus::Changed, Some(3), Some(0)));
    assert_eq!((cart.churn, cart.age_days), (Some(2), Some(30)));
    let new = file(&change, "src/new.rs");
    assert_eq!((new.status, new.was.as_deref()), (FileStatus::Renamed, Some("src/old.rs")));
    assert_eq!((new.added, new.deleted, new.churn, new.age_days), (Some(1), Some(0), Some(1), Some(40)));
    assert_eq!((file(&change, "src/flag.rs").status, file(&change, "src/flag.rs").churn), (FileStatus::Added, Some(0)));
    assert_eq!(change.flags, ["new-cart", "other"]);
}

#[tokio::test]
async fn directions_are_told_by_ancestry() {
    let mut commits = three_releases();
    commits.push(by_grace(50, "On a branch\n").file("src/branch.rs", "branch\n").on("topic"));
    commits.push(by_ada(51, "On main\n").file("src/main.rs", "x\n"));
    let world = world(commits, SERVICE);
    let (back, _) = change_of(&world, Some("v2.0.0"), "v1.9.0").await;
    assert_eq!((back.direction, back.commit_count), (Direction::Back, 4));
    assert_eq!(file(&back, "src/flag.rs").status, FileStatus::Removed);
    let (same, _) = change_of(&world, Some("v2.0.0"), "v2.0.0").await;
    assert_eq!((same.direction, same.commit_count, same.file_count), (Direction::Same, 0, 0));
    let (sideways, _) = change_of(&world, Some("main"), "topic").await;
    assert_eq!((sideways.direction, sideways.commit_count), (Direction::Sideways, 1));
    assert_eq!(file(&sideways, "src/main.rs").status, FileStatus::Removed, "what runs now would be lost");
    let (alone, _) = change_of(&world, None, "v2.0.0").await;
    assert_eq!((alone.direction, alone.base.clone(), alone.commit_count), (Direction::Unknown, None, 1));
    assert_eq!(alone.files.len(), 1);
    let (elsewhere, incomplete) = change_of(&world, Some("v0.0.1"), "v2.0.0").await;
    assert_eq!((elsewhere.direction, elsewhere.commit_count), (Direction::Unknown, 1));
    assert_eq!(incomplete, ["what runs now, `v0.0.1`, is not in this repository"]);
    assert_eq!(try_change(&world, None, "v3\n").await.unwrap_err(), "knows no version `v3`");
}

#[tokio::test]
async fn merged_work_is_counted_once() {
    let commits = vec![
        by_ada(0, "Begin\n").file("a", lines(3)).tag("v1"),
        by_grace(1, "Work apart\n").file("b", lines(3)).on("topic"),
        by_ada(2, "Work on main\n").file("a", lines(4)),
        by_ada(3, "Merge topic\n").merging("topic").tag("v2"),
    ];
    let world = world(commits, SERVICE);
    let (change, _) = change_of(&world, Some("v1"), "v2").await;
    assert_eq!((change.direction, change.commit_count, change.file_count), (Direction::Forward, 3, 2));
    let (change, _) = change_of(&world, Some("topic"), "v2").await;
    assert_eq!(change.direction, Direction::Forward, "a merged branch is contained");
    assert_eq!(change.commit_count, 2);
}

#[tokio::test]
async fn a_moved_tag_and_a_new_commit_are_seen_at_once() {
    let world = world(three_releases(), SERVICE);
    let (before, _) = versions(&world, "v2.0.0", &["main"]).await;
    let (first, _) = change_of(&world, Some("v1.10.0"), "main").await;
    let more = by_ada(45, "One more\n").file("src/cart.rs", lines(40));
    let commit = add_commit(&world.path(), "main", &more).unwrap();
    move_tag(&world.path(), "v2.0.0", &commit).unwrap();
    let (after, _) = versions(&world, "v2.0.0", &["main"]).await;
    assert_eq!(resolved(&after, "v2.0.0"), Some(commit.as_str()));
    assert_eq!(resolved(&after, "main"), Some(commit.as_str()));
    assert_ne!(resolved(&before, "v2.0.0"), resolved(&after, "v2.0.0"));
    let (second, _) = change_of(&world, Some("v1.10.0"), "main").await;
    assert_eq!((first.commit_count, second.commit_count), (2, 3));
}

#[tokio::test]
async fn only_the_services_paths_count_and_what_nobody_claims_is_said() {
    let about =
        "[service.checkout]\npaths = [\"services/checkout\"]\n[service.search]\npaths = [\"services/search/**\"]\n";
    let commits = vec![
        by_ada(0, "Begin\n").file("services/checkout/a.rs", "a\n").tag("v1"),
        by_grace(1, "Search\n").file("services/search/b.rs", "b\n"),
        by_grace(2, "Lock\n").file("Cargo.lock", LOCK),
        by_ada(3, "Checkout\n").file("services/checkout/a.rs", "b\n").tag("v2"),
    ];
    let world = world(commits, about);
    let (change, incomplete) = change_of(&world, Some("v1"), "v2").await;
    let paths: Vec<&str> = change.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["services/checkout/a.rs"]);
    assert_eq!((change.commit_count, change.commits[0].title.as_str()), (1, "Checkout"));
    assert_eq!(incomplete, ["1 changed file belongs to no service's paths: `Cargo.lock`"]);
    let added = &change.packages[0];
    assert_eq!((added.name.as_str(), &added.from, added.to.as_deref()), ("time", &None, Some("0.1.44")));
    assert_eq!(change.files[0].new_lines, Some(vec![(1, 1)]));
    // Of another service's lock file nothing is told; one that cannot be read is said.
    let commits = vec![
        by_ada(0, "Begin\n").file("services/checkout/a.rs", "a\n").tag("v1"),
        by_ada(1, "Lock\n")
            .file("services/search/Cargo.lock", LOCK)
            .file("services/checkout/Cargo.lock", "[[package\n")
            .file("services/checkout/a.rs", "b\n")
            .tag("v2"),
    ];
    let (change, incomplete) = change_of(&self::world(commits, about), Some("v1"), "v2").await;
    assert_eq!(change.packages, []);
    assert_eq!(
        incomplete,
        ["the packages of `services/checkout/Cargo.lock` are not known: it is not what its name promises"]
    );
}

const LOCK: &str = "[[package]]\nname = \"time\"\nversion = \"0.1.44\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";

#[tokio::test]
async fn migrations_are_read_with_what_their_tool_would_store() {
    let commits = vec![
        by_ada(0, "Begin\n").file("migrations/0046_a.sql", "create table a (id bigint);\n").tag("v1"),
        by_ada(1, "Migrate\n")
            .file("migrations/0047_b.sql", "alter table a add b text;\n")
            .file("migrations/0048_c.up.sql", "create index c on a (b);\n")
            .file("migrations/0048_c.down.sql", "drop index c;\n")
            .file("migrations/V49__d.sql", "123456789\n")
            .file("migrations/00050_e.sql", "-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;\n")
            .file("migrations/notes.sql", "-- no migration\n")
            .tag("v2"),
    ];
    let world = world(commits, SERVICE);
    let (change, incomplete) = change_of(&world, Some("v1"), "v2").await;
    assert_eq!(incomplete, Vec::<String>::new());
    let told: Vec<_> = change.migrations.iter().map(|m| (m.version.as_str(), m.reversible)).collect();
    assert_eq!(told, [("0047", false), ("0048", true), ("49", false), ("00050", true)]);
    assert_eq!(change.migrations_at_head, ["0046", "0047", "0048", "49", "00050"]);
    assert_eq!(change.migrations[0].sql.as_deref(), Some("alter table a add b text;\n"));
    assert_eq!(change.migrations[0].checksum.as_ref().map(String::len), Some(96));
    assert_eq!(change.migrations[2].checksum.as_deref(), Some("-873187034"));
    assert_eq!(change.migrations[3].sql.as_deref(), Some("select 1;\n"));
    let (back, _) = change_of(&world, Some("v2"), "v1").await;
    assert!(back.migrations.iter().all(|m| m.status == FileStatus::Removed && m.sql.is_none() && !m.reversible));
    assert_eq!(back.migrations_at_head, ["0046"]);
}

#[tokio::test]
async fn hostile_bytes_are_tamed_and_nothing_panics() {
    let commits = vec![
        by_ada(0, "Begin\n").file("a", "a\n").tag("v1"),
        CommitStory::new(
            "A\u{202e}",
            "a b@x",
            day(1),
            b"\xff\xfe <@everyone>\x07 \xe2\x80\xae title\n\nbody\xff".to_vec(),
        )
        .file(b"dir\xff/na\nme.rs".to_vec(), b"\xff\xfe\n".to_vec())
        .file("binary", b"\0\x01".to_vec())
        .file("empty", Vec::new())
        .file("long", "x".repeat(300_000))
        .tag("v2"),
        CommitStory::new("", "", Time::from_ms(0), Vec::new()).file("b", "b").tag("v3"),
    ];
    let world = world(commits, SERVICE);
    let (change, _) = change_of(&world, Some("v1"), "v2").await;
    assert_eq!(change.commits[0].title, "\u{fffd}\u{fffd} <@everyone> title");
    let paths: Vec<&str> = change.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["binary", "dir\\xff/na\\u{a}me.rs", "empty", "long"]);
    assert_eq!(file(&change, "binary").added, None);
    assert_eq!(file(&change, "empty").added, Some(0));
    assert_eq!(file(&change, "long").added, Some(1));
    let (change, _) = change_of(&world, Some("v2"), "v3").await;
    assert_eq!(change.direction, Direction::Forward, "a clock that stood at 1970 confuses nothing");
}

#[tokio::test]
async fn a_missing_a_wrong_and_a_damaged_repository_say_what_is_wrong() {
    let mut world = world(three_releases(), SERVICE);
    let (found, _) = versions(&world, "v2.0.0", &[]).await;
    let head = found.known[0].commit.clone();
    let object = world.path().join("objects").join(&head[..2]).join(&head[2..]);
    let whole = fs::read(&object).unwrap();
    fs::remove_file(&object).unwrap();
    assert_eq!(
        try_change(&world, Some("v1.9.0"), "v2.0.0").await.unwrap_err(),
        format!("lacks the object {head}: the clone is partial or damaged")
    );
    fs::write(&object, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(
        try_change(&world, Some("v1.9.0"), "v2.0.0").await.unwrap_err(),
        format!("has a damaged object {head}: run `git fsck` there")
    );
    world.source = git(&world.settings.source[0], world.folder.path());
    let (found, answer) = versions(&world, "v1.9.0", &[]).await;
    assert_eq!(found.known.len(), 2, "what can be read is told");
    assert_eq!(answer.incomplete, ["1 tags cannot be read"]);

    let mut say_at = async |name: &str| {
        let path = world.folder.path().join(name);
        world.source = git(&world.settings.source[0], &path);
        world.source.ask(&ask(Question::Versions, &world.settings)).await.unwrap_err().0
    };
    assert!(say_at("nowhere").await.starts_with("found no folder at `"));
    let plain = tempfile::tempdir().unwrap();
    fs::create_dir(plain.path().join("code.git")).unwrap();
    assert!(say_at(plain.path().to_str().unwrap()).await.starts_with("found no git repository that can be read at `"));
}

#[tokio::test]
async fn a_shallow_clone_says_that_its_history_ends() {
    let world = world(three_releases(), SERVICE);
    let (found, _) = versions(&world, "v2.0.0", &["v1.9.0"]).await;
    // As a clone of depth 1 at each of both versions would be.
    let cut = format!("{}\n{}\n", found.known[0].commit, found.known[2].commit);
    fs::write(world.path().join("shallow"), cut).unwrap();
    let (change, incomplete) = change_of(&world, Some("v1.9.0"), "v2.0.0").await;
    assert_eq!(change.direction, Direction::Unknown);
    assert_eq!(incomplete, ["the clone is shallow: its history ends before the two versions meet"]);
    let (alone, incomplete) = change_of(&world, None, "v2.0.0").await;
    assert_eq!(alone.file_count, 0);
    assert_eq!(incomplete, ["the clone is shallow: what the version was before is not in it"]);
}

#[tokio::test]
async fn the_same_change_is_walked_once_and_people_are_looked_up_each_time() {
    let mut world = world(three_releases(), SERVICE);
    let (first, _) = change_of(&world, Some("v1.9.0"), "v2.0.0").await;
    assert_eq!(world.source.repository.changes.lock().unwrap().len(), 1);
    world.settings = settings(&format!("{SERVICE}[people.grace]\nemail = [\"grace@sample.test\"]\n"));
    let (second, _) = change_of(&world, Some("v1.9.0"), "v2.0.0").await;
    assert_eq!(world.source.repository.changes.lock().unwrap().len(), 1);
    assert_eq!(first.commits[1].author, None);
    assert_eq!(second.commits[1].author, Some(Person::new("grace")));
}

#[tokio::test]
async fn a_repository_of_another_service_is_not_read_for_this_one() {
    let world = world(three_releases(), "[service.checkout]\nrepository = \"elsewhere\"\n");
    let why = world.source.ask(&ask(Question::Versions, &world.settings)).await.unwrap_err().0;
    assert_eq!(why, "does not hold `checkout`: `elsewhere` does");
}

#[tokio::test]
async fn this_projects_own_repository_is_read_where_there_is_one() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join(".git").exists() {
        return;
    }
    let settings = settings("[[source]]\nname = \"own\"\nkind = \"git\"\npath = \".\"\n");
    let source = git(&settings.source[0], root);
    let opened = gix::open(root).unwrap();
    let head = opened.head_id().unwrap().to_string();
    let mut ask = ask(Question::Change, &settings);
    ask.version = Some(head.clone());
    let answer = source.ask(&ask).await.unwrap();
    let Learned::Change(change) = answer.learned else { panic!() };
    assert_eq!(change.head.commit, head);
    assert_eq!(change.commits.len(), 1);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_loaded() {
    let huge = vec![b'a'; 17 << 20];
    let commits = vec![
        by_ada(0, "Begin\n").file("a", "a\n").tag("v1"),
        by_ada(1, "Add much\n").file("migrations/0001_much.sql", huge).tag("v2"),
    ];
    let world = world(commits, SERVICE);
    let (change, incomplete) = change_of(&world, Some("v1"), "v2").await;
    assert_eq!((change.file_count, file(&change, "migrations/0001_much.sql").added), (1, None));
    assert_eq!((change.migrations.len(), change.migrations[0].sql.clone()), (1, None));
    assert_eq!(incomplete, ["the migration `migrations/0001_much.sql` is too large to read"]);
}

#[tokio::test]
async fn a_closed_source_stops_reading() {
    let world = world(three_releases(), SERVICE);
    let closed = Arc::clone(&world.source.closed);
    let mut ask = ask(Question::Change, &world.settings);
    ask.version = Some("v2.0.0".to_owned());
    let repository = Arc::clone(&world.source.repository);
    drop(world.source);
    let why = repository.answer(&ask, &closed).unwrap_err();
    assert_eq!(why, Trouble::Closed);
}

#[tokio::test]
async fn a_large_change_is_told_in_part_and_counted_whole() {
    let mut commits = vec![by_ada(0, "Begin\n").file("a", "a\n").tag("v1")];
    commits.extend((1..=300).map(|n| by_grace(n, &format!("Step {n}\n")).file(format!("f/{n}"), format!("{n}\n"))));
    let mut last = by_ada(301, "Many files\n").tag("v2");
    for n in 0..1_200 {
        last = last.file(format!("many/{n:04}"), format!("{n} is a number\n"));
    }
    commits.push(last);
    let world = world(commits, SERVICE);
    let (change, incomplete) = change_of(&world, Some("v1"), "v2").await;
    assert_eq!((change.commits.len(), change.commit_count), (250, 301));
    assert_eq!((change.files.len(), change.file_count), (1_000, 1_500));
    assert_eq!(incomplete, Vec::<String>::new());
}

#[tokio::test]
async fn owners_are_those_of_the_file_at_the_head() {
    let world = world(
        vec![
            by_ada(0, "First\n").file("src/cart.rs", lines(3)).file("CODEOWNERS", "* @old\n").tag("v1"),
            by_ada(1, "Owned\n")
                .file("src/cart.rs", lines(4))
                .file("src/pay.rs", lines(4))
                .file(".github/CODEOWNERS", "* @ada\n/src/pay.rs @harbor/payments grace@sample.test\n/.github/\n")
                .tag("v2"),
        ],
        SERVICE,
    );
    let (change, incomplete) = change_of(&world, Some("v1"), "v2").await;
    let owners = change.owners.unwrap();
    let told: Vec<(&str, u32)> = owners.iter().map(|owner| (owner.owner.as_str(), owner.files)).collect();
    assert_eq!(told, [("@ada", 1), ("@harbor/payments", 1), ("grace@sample.test", 1)]);
    assert_eq!(incomplete, Vec::<String>::new());
    let (none, _) = change_of(&world, None, "v1").await;
    assert_eq!(none.owners.map(|owners| owners.len()), Some(1), "what the version itself holds counts");
}
