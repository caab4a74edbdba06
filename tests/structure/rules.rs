//! The rules that every file of `src/` keeps: each says why it exists, and each is shown an offence that it must find
//! and a neighbour that it must let pass.

use crate::code::File;

#[derive(Debug)]
pub struct Rule {
    /// What holds, and why: the message of a failure.
    pub says: &'static str,
    /// Where a file breaks it: lines and what stands there.
    pub broken: fn(&File) -> Vec<(usize, String)>,
    /// A file and a text that break it.
    pub offence: (&'static str, &'static str),
    /// A file and a text close by that do not.
    pub fine: (&'static str, &'static str),
}

pub const ALL: &[Rule] = &[
    Rule {
        says: "advice/, message.rs, wording/ and picture/ are pure (no clock, I/O, randomness, tasks): the same brief \
               must always give the same advice, so that it can be replayed, compared and proved",
        broken: impure,
        offence: ("src/advice/score.rs", "use std::{fmt, fs};\n"),
        fine: ("src/advice/score.rs", "use crate::clock::{HOUR, Time};\nuse std::fmt::Write;\n"),
    },
    Rule {
        says: "advice/ and wording/ have no hash maps: they iterate in another order each time, and the same brief must \
               always give the same advice (use BTreeMap, BTreeSet)",
        broken: |file| {
            only_if(within(file, &["src/advice/", "src/wording/", "src/wording.rs"]), || {
                file.lines_with(r"\bHash(Map|Set)\b")
            })
        },
        offence: ("src/advice/view.rs", "use std::collections::HashMap;\n"),
        fine: ("src/picture/font.rs", "use std::collections::HashMap;\n"),
    },
    Rule {
        says: "SQL lives in store/ (our own database) and source/database/ (other people's): whoever reads one folder \
               knows every statement that can touch the record; the sample company's own pretend database is neither",
        broken: |file| {
            only_if(!within(file, &["src/store/", "src/source/database/", "src/cli/sample/database.rs"]), || {
                file.beginning_with("sqlx")
            })
        },
        offence: ("src/approval/mod.rs", "let row = sqlx::query(\"select 1\");\n"),
        fine: ("src/store/plan.rs", "let row = sqlx::query(\"select 1\");\n"),
    },
    Rule {
        says: "slack_morphism stays in chat/slack/, so that the platform's client can be replaced in one folder",
        broken: |file| only_if(!within(file, &["src/chat/slack/"]), || file.beginning_with("slack_morphism")),
        offence: ("src/chat/mod.rs", "use slack_morphism::prelude::*;\n"),
        fine: ("src/chat/slack/mod.rs", "use slack_morphism::prelude::*;\n"),
    },
    Rule {
        says: "serenity stays in chat/discord/, so that the platform's client can be replaced in one folder",
        broken: |file| only_if(!within(file, &["src/chat/discord/"]), || file.beginning_with("serenity")),
        offence: ("src/chat/slack/mod.rs", "use serenity::all::Http;\n"),
        fine: ("src/chat/discord/mod.rs", "use serenity::all::Http;\n"),
    },
    Rule {
        says: "HTTP clients are made in http.rs alone: there they get timeouts, limits and the judgement which addresses \
               may be reached",
        broken: |file| {
            // The gateway's client speaks WebSocket, and is serenity's to make.
            only_if(!within(file, &["src/http.rs", "src/chat/discord/gateway.rs"]), || {
                let mut found =
                    file.lines_with(r"\bClientBuilder\b|\breqwest\s*::\s*get\b|\breqwest\s*::\s*blocking\b");
                found.extend(file.naming("Client::new"));
                found.extend(file.naming("Client::builder"));
                found.extend(file.naming("Client::default"));
                found
            })
        },
        offence: ("src/source/prometheus.rs", "let client = reqwest::Client::builder().build();\n"),
        fine: ("src/source/prometheus.rs", "fn ask(client: &reqwest::Client) {}\n"),
    },
    Rule {
        says: "time comes from clock.rs alone: tests and `try --at` move it, and everything recorded must agree with it \
               (a monotonic `Instant` for a deadline is no reading of the clock)",
        broken: |file| {
            only_if(file.path != "src/clock.rs", || {
                let readings = [
                    "Utc::now",
                    "Local::now",
                    "SystemTime::now",
                    "Timestamp::now",
                    "Zoned::now",
                    "OffsetDateTime::now_utc",
                    "Ulid::new",
                ];
                readings.iter().flat_map(|reading| file.naming(reading)).collect()
            })
        },
        offence: ("src/deploy/watch.rs", "let now = chrono::Utc::now();\n"),
        fine: ("src/deploy/watch.rs", "let now = clock.now();\nlet until = tokio::time::Instant::now();\n"),
    },
    Rule {
        says: "only main.rs, config/, cli/confirm.rs and cli/init.rs see the environment: everything else takes what it \
               needs from the settings, so that a process can be understood from one file",
        broken: |file| {
            let may = within(file, &["src/main.rs", "src/config/", "src/cli/confirm.rs", "src/cli/init.rs"]);
            only_if(!may, || file.beginning_with("std::env").into_iter().chain(file.beginning_with("env")).collect())
        },
        offence: ("src/web/mod.rs", "use std::env;\n"),
        fine: ("src/config/span.rs", "let value = std::env::var(name);\n"),
    },
    Rule {
        says: "no subprocess is ever started: words from outside must never reach a shell, so repositories are read \
               through a library",
        broken: |file| {
            file.naming("process::Command").into_iter().chain(file.lines_with(r"\bCommand\s*::\s*new\b")).collect()
        },
        offence: ("src/source/git/mod.rs", "use std::process::Command;\n"),
        fine: ("src/main.rs", "fn main() -> std::process::ExitCode {}\n"),
    },
    Rule {
        says: "cfg(test) stands only on `mod tests` (and `mod corpus`): a program that behaves otherwise under test is \
               not the program that was tested",
        broken: |file| {
            let of_tests = |item: &str| matches!(item.trim_end_matches(';'), "mod tests" | "mod corpus");
            let strange = file.test_items.iter().filter(|(_, item)| !of_tests(item)).cloned();
            strange
                .chain(file.lines_with(r"\bcfg!\s*\(\s*test\b|\bcfg_attr\s*\(\s*test\b|\bcfg\s*\(.*[(,]\s*test\s*[,)]"))
                .collect()
        },
        offence: ("src/work/inbox.rs", "#[cfg(not(test))]\nfn wait() {}\n"),
        fine: ("src/work/inbox.rs", "#[cfg(test)]\nmod tests {}\n"),
    },
    Rule {
        says: "the only traits are Source, its Kind, and Chat: a trait is for several implementations in production; tests reach \
               the rest through base URLs",
        broken: |file| {
            let traits = file.lines_with(r"^\s*(pub\s*(\([^)]*\))?\s*)?(unsafe\s+)?trait\s+\w+");
            let known = |line: &str| {
                (file.path == "src/source/mod.rs" && line.contains("trait Source"))
                    || (file.path == "src/source/kind.rs" && line.contains("trait Kind"))
                    || (file.path == "src/chat/mod.rs" && line.contains("trait Chat"))
            };
            traits.into_iter().filter(|(_, line)| !known(line)).collect()
        },
        offence: ("src/store/mod.rs", "pub(crate) trait Repository {}\n"),
        fine: ("src/source/mod.rs", "pub trait Source: Send {}\n"),
    },
    Rule {
        says: "nothing is left for later in the code: `todo!`, `unimplemented!`, `dbg!` do not land",
        broken: |file| file.lines_with(r"\b(todo|unimplemented|dbg)\s*!"),
        offence: ("src/gate/mod.rs", "fn verdict() { todo!() }\n"),
        fine: ("src/gate/mod.rs", "// a todo! in words\nfn verdict() {}\n"),
    },
    Rule {
        says: "a lint that keeps an invariant is silenced only where the invariant makes the exception (time in \
               clock.rs, clients in http.rs, the environment where settings are read), and unwrap nowhere",
        broken: |file| {
            let may = within(
                file,
                &["src/clock.rs", "src/http.rs", "src/main.rs", "src/config/", "src/cli/confirm.rs", "src/cli/init.rs"],
            );
            let pattern = if may {
                r"(allow|expect)\s*\(.*clippy::(unwrap_used|todo|dbg_macro)"
            } else {
                r"(allow|expect)\s*\(.*clippy::(unwrap_used|todo|dbg_macro|disallowed_methods)"
            };
            file.lines_with(pattern)
        },
        offence: ("src/gate/mod.rs", "#[allow(clippy::disallowed_methods)]\nfn now() {}\n"),
        fine: ("src/clock.rs", "#[allow(clippy::disallowed_methods)]\nfn now() {}\n"),
    },
    Rule {
        says: "a file has fewer than 600 lines: one idea per file; a larger one is split by noun",
        broken: too_long,
        offence: ("src/gate/mod.rs", LONG),
        fine: ("src/gate/mod.rs", "\n"),
    },
];

/// 600 empty lines.
const LONG: &str = {
    const LINES: [u8; 600] = [b'\n'; 600];
    match std::str::from_utf8(&LINES) {
        Ok(text) => text,
        Err(_) => panic!("line feeds are UTF-8"),
    }
};

/// Used for `tests/` and `benches/` too.
pub fn too_long(file: &File) -> Vec<(usize, String)> {
    let lines = file.text.lines().count();
    only_if(lines >= 600, || vec![(lines, "the last line".to_owned())])
}

/// What no pure room may name: crates and modules that act, and our own rooms that do.
fn impure(file: &File) -> Vec<(usize, String)> {
    const ACTS: &[&str] = &[
        "std::fs",
        "std::env",
        "std::process",
        "std::net",
        "std::thread",
        "std::io",
        "std::time::Instant",
        "std::time::SystemTime",
        "tokio",
        "futures",
        "sqlx",
        "reqwest",
        "axum",
        "tower_http",
        "gix",
        "getrandom",
        "rand",
        "ulid",
        "tracing",
        "chrono::Local",
        "crate::app",
        "crate::chat",
        "crate::cli",
        "crate::http",
        "crate::web",
        "crate::webhook",
        "crate::work",
    ];
    const NAMES: &[&str] = &[
        "clock::Clock",
        "store::Store",
        "store::Tx",
        "source::Source",
        "Utc::now",
        "Instant::now",
        "RandomState::new",
    ];
    // A thread that is joined at once changes no answer: the reader of SQL recurses, and gets a stack of a known size.
    let deep = |path: &str| file.path == "src/advice/hazard/postgres.rs" && path.starts_with("std::thread::Builder");
    let pure = within(file, &["src/advice/", "src/wording/", "src/picture/", "src/message.rs", "src/wording.rs"]);
    only_if(pure, || {
        let mut found: Vec<_> = ACTS.iter().flat_map(|path| file.beginning_with(path)).collect();
        found.retain(|(_, path)| !deep(path));
        found.extend(NAMES.iter().flat_map(|name| file.naming(name)));
        found.extend(
            file.lines_with(r"\basync\s+(fn|move)\b|\.await\b|\be?print(ln)?!|\bthread_local!|\bstatic\s+mut\b"),
        );
        found
    })
}

fn within(file: &File, places: &[&str]) -> bool {
    places.iter().any(|place| if place.ends_with('/') { file.path.starts_with(place) } else { file.path == *place })
}

fn only_if(holds: bool, found: impl FnOnce() -> Vec<(usize, String)>) -> Vec<(usize, String)> {
    if holds { found() } else { Vec::new() }
}
