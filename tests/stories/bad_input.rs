//! Bad input: one clear sentence, no panic, nothing lost.

use std::process::Command;

use serde_json::{Value, json};

use tidegate::cli::sample::repository::{CommitStory, RepositoryStory, make};
use tidegate::clock::Time;

use crate::harness::{MONDAY_11, Story, engine, settings};

/// One sentence or two: what a person can read at a glance.
fn is_brief(says: &str) {
    assert!(!says.is_empty() && says.len() < 600 && says.lines().count() <= 3, "{says}");
    assert!(!says.contains("panicked") && !says.contains("Error(") && !says.contains("sqlx"), "{says}");
}

/// What a person is told who types this.
fn told(story: &mut Story, text: &str) -> String {
    story.says("ada", text);
    let says = story.whispered_to("ada");
    is_brief(&says);
    says
}

#[test]
fn an_unknown_word_is_named_with_what_is_near() {
    let mut story = Story::begin(&settings());
    let cases = [
        ("/deploy plan shp staging v1.1.0", "`shp`", "`shop`"),
        ("/deploy plan shop stagng v1.1.0", "`stagng`", "`staging`"),
        ("/deploy plan shop staging v1.1.1", "`v1.1.1`", "`v1.1.0`"),
        ("/deploy plan shop staging v1.1.0 --rolback x", "rolback", "rollback"),
        ("/deploy plam shop staging v1.1.0", "`plam`", "`plan`"),
        ("/deploy cancel shop-9", "`shop-9`", ""),
        ("/deploy plan shop staging v1.1.0 --risk lo", "lo", "low"),
        ("/deploy plan shop staging v1.1.0 --when yesterdayish", "yesterdayish", ""),
        ("/deploy plan shop staging v1.1.0 --when \"2026-02-30 10:00\"", "2026-02-30", ""),
        ("/deploy plan shop staging v1.1.0 --when 25:00", "25:00", ""),
        ("/deploy plan shop staging v1.1.0 --watch lim", "`lim`", "`lin`"),
        ("/deploy plan shop staging v1.1.0 --why \"unfinished", "quot", ""),
    ];
    for (typed, wrong, near) in cases {
        let says = told(&mut story, typed);
        assert!(says.contains(wrong) && says.contains(near), "{typed}: {says}");
    }
    assert_eq!(story.number("select count(*) from plan"), 0, "none of them made a plan");
}

#[test]
fn versions_that_differ_by_case_are_two() {
    let folder = tempfile::tempdir().unwrap();
    let at = |day: &str| Time::parse_rfc3339(&format!("{day}T12:00:00Z")).unwrap();
    let code = RepositoryStory::new(vec![
        CommitStory::new("Ada", "ada@example.org", at("2026-10-01"), "Open the shop")
            .file("src/main.rs", "fn main() {}\n")
            .tag("v1.0.0-RC1"),
        CommitStory::new("Ada", "ada@example.org", at("2026-11-10"), "Greet")
            .file("src/main.rs", "fn main() { greet() }\n")
            .tag("v1.0.0-rc1")
            .tag("v2.0.0"),
    ]);
    make(&folder.path().join("code.git"), &code).unwrap();
    let mut story = Story::begin_in(folder, &settings(), MONDAY_11);
    story.says("ada", "/deploy plan shop staging v1.0.0-RC1 --why one");
    story.says("ada", "/deploy plan shop staging v1.0.0-rc1 --why two");
    let (one, two) = (story.plan("shop-1"), story.plan("shop-2"));
    assert_ne!(one["plan"]["commit"], two["plan"]["commit"], "{one} {two}");
    let says = told(&mut story, "/deploy plan shop staging V2.0.0");
    assert!(says.contains("`v2.0.0`") && says.to_lowercase().contains("case"), "{says}");
}

#[test]
fn an_enormous_or_unprintable_argument_is_refused_in_a_sentence() {
    let mut story = Story::begin(&settings());
    let long = "x".repeat(100_000);
    for text in [
        format!("/deploy plan shop staging v1.1.0 --why {long}"),
        format!("/deploy plan {long} staging v1.1.0"),
        format!("/deploy {long}"),
    ] {
        let (status, answer) = story.call(
            "POST",
            "/console/api/command",
            Some(&json!({ "user": "ada", "channel": "deploys", "text": text })),
        );
        story.settle();
        let says = if status == 200 {
            story.whispered_to("ada")
        } else {
            answer["error"]["message"].as_str().unwrap_or_default().to_owned()
        };
        is_brief(&says);
    }
    let (status, answer) = story.call(
        "POST",
        "/console/api/command",
        Some(&json!({ "user": "ada", "channel": "deploys", "text": "/deploy plan shop staging v1\u{0}" })),
    );
    assert_eq!(status, 400, "{answer}");
    is_brief(answer["error"]["message"].as_str().unwrap());
    let (status, answer) = story.call(
        "POST",
        "/console/api/reply",
        Some(&json!({ "user": "ada", "thread": "nowhere", "text": "a\u{0}" })),
    );
    assert_eq!(status, 400, "{answer}");
    let report = json!({ "id": "ci\u{0}1", "status": "started", "service": "shop", "environment": "staging" });
    assert_eq!(story.call("POST", "/hooks/deployments", Some(&report)).0, 400);
    let submitted = json!({ "user": "ada", "form": "plan", "values": { "service": "shop", "environment": "staging", "version": "v1.1.0", "why": "a\u{0}b" } });
    let (status, answer) = story.call("POST", "/console/api/submit", Some(&submitted));
    assert_eq!(status, 400, "{answer}");
    let pressed = json!({ "user": "ada", "message": "a\u{0}", "button": "x" });
    assert_eq!(story.call("POST", "/console/api/press", Some(&pressed)).0, 400);
    for path in [
        "/api/plans/a%00b",
        "/api/gate?plan=a%00b",
        "/console/api/messages?channel=a%00b",
        "/api/history?service=a%00b",
        "/api/services/a%00b/windows?environment=staging",
    ] {
        let (status, answer) = story.call("GET", path, None);
        assert!(status < 500, "{path}: {status} {answer}");
    }
    story.says("ada", "/deploy plan shop staging v1.1.0 --why \"a\u{1b}[31mred\u{7}\u{202e}b\"");
    assert!(!story.texts().chars().any(|c| c.is_control() && c != '\n'), "{:?}", story.texts());
    assert!(!story.texts().contains('\u{202e}'));
}

/// Every span, wherever it stands in a message.
fn spans(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::Array(list)) = fields.get("spans") {
                found.extend(list.iter().cloned());
            }
            fields.values().for_each(|inner| spans(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| spans(inner, found)),
        _ => {}
    }
}

#[test]
fn mentions_and_markup_from_outside_neither_ring_nor_render() {
    let folder = tempfile::tempdir().unwrap();
    let at = |day: &str| Time::parse_rfc3339(&format!("{day}T12:00:00Z")).unwrap();
    let nasty = "@grace <!channel> <@U123> @everyone <script>alert(1)</script> [x](javascript:alert(1)) ```fence";
    let code = RepositoryStory::new(vec![
        CommitStory::new("Ada", "ada@example.org", at("2026-10-01"), "Open the shop")
            .file("src/main.rs", "fn main() {}\n")
            .tag("v1.0.0"),
        CommitStory::new("@grace", "eve@example.org", at("2026-11-10"), nasty)
            .file("src/main.rs", "fn main() { greet() }\n")
            .tag("v1.1.0"),
    ]);
    make(&folder.path().join("code.git"), &code).unwrap();
    let calendar = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261123T190000Z\r\nDTEND:20261123T230000Z\r\nSUMMARY:Freeze {nasty}\r\nURL:javascript:alert(1)\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    std::fs::write(folder.path().join("company.ics"), calendar).unwrap();
    let settings = format!("{}\n[[source]]\nkind = \"ics\"\nname = \"company\"\nfrom = \"company.ics\"\n", settings());
    let mut story = Story::begin_in(folder, &settings, MONDAY_11);
    story.reports(&json!({ "id": "ci-0", "status": "succeeded", "service": "shop", "environment": "production", "version": "v1.0.0", "actor": nasty, "url": "https://ci.example.org/0" }));
    story.says(
        "ada",
        &format!("/deploy plan shop production v1.1.0 --risk low --why '{nasty}' --rollback '{nasty}' --tell '@grace'"),
    );
    story.says("ada", "/deploy why shop-1");
    let all = story.messages();
    let mut found = Vec::new();
    all.iter().for_each(|message| spans(&message["message"], &mut found));
    assert!(!found.is_empty());
    let people = ["ada", "grace", "lin", "noor", "gil", "robo", "dee"];
    for span in &found {
        if let Some(link) = span["link"].as_str() {
            assert!(link.starts_with("https://") || link.starts_with("http://"), "{span}");
        }
        let text = span["text"].as_str().unwrap();
        if let Some(person) = span["person"].as_str() {
            assert!(people.contains(&person) && text == format!("@{person}"), "{span}");
        }
        assert!(!(span["person"].is_string() && text.contains('<')), "{span}");
    }
    assert!(
        found.iter().any(|span| span["text"].as_str().unwrap().contains("everyone") && span["person"].is_null()),
        "what was said is shown as text"
    );
}

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn what_is_not_the_contract_is_refused_in_the_contracts_form() {
    let story = Story::begin(&settings());
    let command = br#"{"user":"ada","channel":"deploys","text":"/deploy status"}"#;
    let unknown_field = br#"{"user":"ada","channel":"deploys","text":"/deploy status","as":"grace"}"#;
    let trailing = br#"{"user":"ada","channel":"deploys","text":"/deploy status"} {"#;
    let gigantic = vec![b' '; 3 * 1024 * 1024];
    // Method, path, headers, body, and the status that answers it.
    #[allow(clippy::type_complexity)]
    let cases: [(&str, &str, &[(&str, &str)], &[u8], u16); 17] = [
        ("POST", "/console/api/command", &[JSON], b"{\"user\":", 400),
        ("POST", "/console/api/command", &[JSON], b"\xff\xfe", 400),
        ("POST", "/console/api/command", &[JSON], b"[]", 400),
        ("POST", "/console/api/command", &[JSON], unknown_field, 400),
        ("POST", "/console/api/command", &[JSON], trailing, 400),
        ("POST", "/console/api/command", &[("Content-Type", "text/plain")], command, 415),
        ("POST", "/console/api/command", &[], command, 415),
        ("POST", "/console/api/command", &[JSON], &gigantic, 413),
        ("POST", "/hooks/deployments", &[JSON], &gigantic, 413),
        (
            "POST",
            "/hooks/deployments",
            &[JSON],
            br#"{"id":"1","status":"exploded","service":"shop","environment":"staging"}"#,
            400,
        ),
        ("GET", "/console/api/command", &[], b"", 405),
        ("GET", "/nowhere", &[], b"", 404),
        ("POST", "/console/api/react", &[JSON], br#"{"user":"ada","message":"nowhere","reaction":"eyes"}"#, 404),
        ("POST", "/console/api/command", &[JSON], br#"{"user":"ada","channel":"nowhere","text":"hi"}"#, 404),
        ("GET", "/console/api/messages?after=abc", &[], b"", 400),
        ("POST", "/console/api/command", &[JSON, ("Host", "evil.example")], command, 403),
        ("POST", "/console/api/command", &[JSON, ("Origin", "https://evil.example")], command, 403),
    ];
    for (method, path, headers, body, expected) in cases {
        let (status, answer) = story.asks(method, path, headers, body);
        assert_eq!(status, expected, "{method} {path} {headers:?}: {answer}");
        let answer: Value =
            serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{method} {path} {expected}: {e}: {answer}"));
        assert!(answer["error"]["code"].is_string(), "{answer}");
        is_brief(answer["error"]["message"].as_str().unwrap());
    }
    for path in
        ["/console/api/about", "/console/api/messages", "/api/plans", "/api/gate?plan=x", "/console/api/settled"]
    {
        assert_eq!(story.asks("GET", path, &[("Host", "evil.example")], b"").0, 403, "{path}");
    }
    assert_eq!(story.asks("POST", "/console/api/advance", &[JSON, ("Origin", "null")], b"{\"seconds\":1}").0, 403);
    let own = story.address.clone();
    assert_eq!(story.asks("POST", "/console/api/command", &[JSON, ("Origin", &own)], command).0, 200);
    story.settle();
    assert_eq!(
        story.number("select count(*) from ledger_entry where kind not in ('policy.changed', 'instance.started')"),
        0
    );
}

#[test]
fn an_unknown_button_form_person_or_move_is_refused() {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low");
    let card = story.card();
    let (_, answer) = story.call(
        "POST",
        "/console/api/press",
        Some(&json!({ "user": "ada", "message": card, "button": "start shop-1; rm" })),
    );
    assert!(answer["errors"].is_object() || answer["error"].is_object(), "{answer}");
    let (_, answer) =
        story.call("POST", "/console/api/press", Some(&json!({ "user": "ada", "message": "nowhere", "button": "x" })));
    assert!(answer["error"].is_object(), "{answer}");
    for form in ["nonsense", "amend nowhere-1", ""] {
        let (status, answer) =
            story.call("POST", "/console/api/submit", Some(&json!({ "user": "ada", "form": form, "values": {} })));
        assert!(status < 500 && (answer["errors"].is_object() || answer["error"].is_object()), "{form}: {answer}");
    }
    let (_, answer) = story.call("POST", "/console/api/submit", Some(&json!({ "user": "ada", "form": "plan", "values": { "service": "shp", "environment": "staging", "version": "v1.1.0" } })));
    assert!(answer["errors"]["service"].as_str().is_some_and(|says| says.contains("shop")), "{answer}");
    // Someone whom the settings do not know.
    story.reacts("mallory", &card, "white_check_mark");
    assert_eq!(story.plan("shop-1")["approvals"]["given"].as_array().map(Vec::len), Some(0));
    story.says("mallory", "/deploy plan shop staging v1.1.0");
    assert_eq!(story.number("select count(*) from plan"), 1);
    for seconds in [json!(-1), json!(i64::MAX), json!("soon"), json!(1.5)] {
        assert_eq!(
            story.call("POST", "/console/api/advance", Some(&json!({ "seconds": seconds }))).0,
            400,
            "{seconds}"
        );
    }
    story.settle();
}

#[test]
fn a_broken_endless_or_foreign_calendar_is_unknown_and_never_clear() {
    let endless = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20200101T000000Z\r\nDURATION:PT1S\r\nRRULE:FREQ=SECONDLY\r\nSUMMARY:Tick\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let cut = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Fre";
    let nested = "BEGIN:VCALENDAR\r\n".repeat(5_000);
    let html = "<!doctype html><html><body>Please sign in</body></html>";
    let gigantic = format!("BEGIN:VCALENDAR\r\nX-PAD:{}\r\nEND:VCALENDAR\r\n", "x".repeat(40_000_000));
    let calendars = [
        ("endless", endless),
        ("cut", cut),
        ("nested", nested.as_str()),
        ("html", html),
        ("empty", ""),
        ("gigantic", gigantic.as_str()),
    ];
    for (name, text) in calendars {
        let folder = tempfile::tempdir().unwrap();
        crate::harness::repository(&folder.path().join("code.git"));
        std::fs::write(folder.path().join("company.ics"), text).unwrap();
        let settings =
            format!("{}\n[[source]]\nkind = \"ics\"\nname = \"company\"\nfrom = \"company.ics\"\n", settings());
        let mut story = Story::begin_in(folder, &settings, MONDAY_11);
        story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"");
        let view = story.plan("shop-1");
        let flags = view["flags"].as_array().unwrap();
        let doubt = flags.iter().find(|flag| {
            let level = flag["level"].as_str().unwrap();
            let says = flag.to_string();
            says.contains("company") && (level == "unknown" || says.contains("incomplete") || says.contains("gaps"))
        });
        assert!(
            doubt.is_some(),
            "{name}: {:#?}",
            flags.iter().map(|f| (&f["code"], &f["level"], &f["says"])).collect::<Vec<_>>()
        );
        let (code, out, errors) =
            story.runs(&["calendar", "company.ics", "--from", "2026-11-23", "--to", "2026-11-24", "--json"]);
        assert!(!errors.contains("panicked"), "{name}: {errors}");
        assert!(
            code != 0 || !serde_json::from_str::<Value>(&out).unwrap()["incomplete"].as_array().unwrap().is_empty(),
            "{name}: {out}"
        );
    }
}

#[test]
fn a_typing_error_in_the_settings_is_named_with_line_and_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tidegate.toml");
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_tidegate"))
            .args(["check", "--config", "tidegate.toml"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert!(!said.contains("panicked"), "{said}");
        (done.status.code(), said)
    };
    let (code, said) = check("[team]\nzone = \"UTC\"\n\n[environment.production]\nprotectd = true\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("protectd") && said.contains("`protected`") && said.contains('5'), "{said}");
    let (code, said) = check("[team]\nzone = \"America/Los_Angels\"\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("America/Los_Angels") && said.contains("America/Los_Angeles"), "{said}");
    let (code, said) = check("[team]\nzone = \"UTC\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("line 2") || said.contains(":2"), "{said}");
    let (code, said) = check("[service.shop]\nowners = [\"adda\"]\n[people.ada]\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("adda") && said.contains("ada"), "{said}");
    let (code, said) = check("[[source]]\nkind = \"prometeus\"\nname = \"p\"\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("prometeus") && said.contains("prometheus"), "{said}");
    assert_eq!(check("\u{0}\u{1}").0, Some(1));
}

const TRY: [&str; 5] = ["try", "--config", "tidegate.toml", "--data", "data"];

#[test]
fn a_port_in_use_and_a_store_in_use_are_one_sentence_and_harm_nobody() {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop staging v1.1.0 --why PAY-1");
    let address = story.address.strip_prefix("http://").unwrap().to_owned();
    let (code, says) =
        story.refuses_to_start(&["try", "--config", "tidegate.toml", "--data", "elsewhere", "--listen", &address]);
    if engine() == "sqlite" {
        assert_eq!(code, 2, "{says}");
        assert!(says.contains(&address) && says.contains("--listen"), "{says}");
        is_brief(&says);
        let (code, says) = story.refuses_to_start(&[&TRY[..], &["--listen", "127.0.0.1:0"]].concat());
        assert_eq!(code, 2, "{says}");
        assert!(says.contains("another Tidegate"), "{says}");
        is_brief(&says);
    } else {
        // Another folder has no key for a record that somebody else began.
        assert_eq!(code, 2, "{says}");
        is_brief(&says);
        let (code, says) = story.refuses_to_start(&[&TRY[..], &["--listen", &address]].concat());
        assert_eq!(code, 2, "{says}");
        assert!(says.contains(&address), "{says}");
    }
    // The first goes on, and the command line still finds it.
    story.says("ada", "/deploy plan shop staging v1.1.0 --why PAY-2");
    assert_eq!(story.plan("shop-2")["state"], "advised");
    let (code, out, errors) = story.runs(&["gate", "shop-2", "--json", "--config", "tidegate.toml", "--data", "data"]);
    assert_ne!(code, 101, "{errors}");
    assert!(out.contains("verdict"), "{out} {errors}");
}

#[test]
fn a_key_that_does_not_read_or_is_gone_is_said_before_anything_is_signed() {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy plan shop staging v1.1.0 --why PAY-1");
    assert!(story.stop());
    let key = story.data().join("ledger.key");
    let text = std::fs::read_to_string(&key).unwrap();
    let start = [&TRY[..], &["--listen", "127.0.0.1:0"]].concat();
    for broken in ["", "nonsense\n", &text[..text.len() / 2], "\u{fffd}"] {
        std::fs::write(&key, broken).unwrap();
        let (code, says) = story.refuses_to_start(&start);
        assert_eq!(code, 2, "{says}");
        assert!(says.contains("ledger.key"), "{says}");
        assert!(!says.contains(text.trim()), "the key itself is not shown");
        is_brief(&says);
    }
    std::fs::remove_file(&key).unwrap();
    let (code, says) = story.refuses_to_start(&start);
    assert_eq!(code, 2, "{says}");
    assert!(says.contains("ledger.key"), "{says}");
    std::fs::write(&key, text).unwrap();
    story.start(MONDAY_11);
    story.settle();
}

/// Says past the capture of output that a story was left out, so that nobody takes its silence for a proof.
fn not_proved(why: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "NOT PROVED HERE: {why}. Run the tests as root to see it.");
}

/// A small file system of its own at `path`, where this user may make one.
struct Mount(std::path::PathBuf);

impl Mount {
    fn new(path: &std::path::Path, size: &str) -> Option<Mount> {
        std::fs::create_dir_all(path).unwrap();
        let done =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(path).output();
        done.is_ok_and(|done| done.status.success()).then(|| Mount(path.to_owned()))
    }

    fn again(&self, options: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.0).status().unwrap();
        assert!(done.success(), "{options}");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_said_and_nothing_acknowledged_is_lost() {
    if engine() != "sqlite" {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    crate::harness::repository(&folder.path().join("code.git"));
    let Some(disk) = Mount::new(&folder.path().join("data"), "3m") else {
        not_proved("a disk of its own needs root");
        return;
    };
    let mut story = Story::begin_in(folder, &settings(), MONDAY_11);
    for error in ["disk", "could not look for work", "request could not be answered", "give work back"] {
        story.expects_error(error);
    }
    let why = "y".repeat(1_500);
    let mut acknowledged = 0;
    let mut refused = 0;
    for i in 0..2_000 {
        let body = json!({ "user": "ada", "channel": "deploys", "text": format!("/deploy plan shop staging v1.1.0 --why \"{i} {why}\"") });
        let (status, answer) = story.call("POST", "/console/api/command", Some(&body));
        if status == 200 {
            acknowledged += 1;
        } else {
            assert_eq!(status, 503, "{answer}");
            is_brief(answer["error"]["message"].as_str().unwrap());
            refused += 1;
            if refused > 3 {
                break;
            }
        }
    }
    assert!(refused > 0, "the disk never filled");
    assert!(story.log().contains("disk that holds the store is full"), "{}", story.log());
    assert_eq!(story.asks("GET", "/healthz", &[], b"").0, 200, "it lives");
    // Room is made, and it goes on by itself.
    disk.again("size=200m");
    for _ in 0..10 {
        if story.call("GET", "/console/api/settled", None).1["ok"] == true {
            break;
        }
    }
    story.settle();
    assert_eq!(story.number("select count(*) from plan"), acknowledged);
    assert_eq!(story.number("select count(*) from work where dead_at is not null"), 0);
    assert!(story.stop());
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 0, "{verdict}");
    drop(story);
    drop(disk);
}

#[test]
fn a_database_that_is_read_only_is_said_in_a_sentence() {
    if engine() != "sqlite" {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    crate::harness::repository(&folder.path().join("code.git"));
    let Some(disk) = Mount::new(&folder.path().join("data"), "50m") else {
        not_proved("a disk of its own needs root");
        return;
    };
    let mut story = Story::begin_in(folder, &settings(), MONDAY_11);
    story.says("ada", "/deploy plan shop staging v1.1.0 --why PAY-1");
    assert!(story.stop());
    disk.again("ro");
    let (code, says) = story.refuses_to_start(&[&TRY[..], &["--listen", "127.0.0.1:0"]].concat());
    assert_eq!(code, 2, "{says}");
    assert!(says.to_lowercase().contains("read-only"), "{says}");
    is_brief(&says);
    // What is there can still be verified.
    let (code, verdict) = story.verifies(&[]);
    assert_eq!(code, 0, "{verdict}");
    disk.again("rw");
    story.start(MONDAY_11);
    assert_eq!(story.plan("shop-1")["state"], "advised");
    story.settle();
    assert!(story.stop());
    drop(story);
    drop(disk);
}

#[test]
fn a_secret_is_in_no_log_message_record_or_error() {
    let canary = "canary-7f3e9a";
    let settings = settings().replace("story-token", canary);
    let mut story = Story::begin(&settings);
    let bearer = format!("Bearer {canary}");
    let report = br#"{"id":"ci-1","status":"succeeded","service":"shop","environment":"staging","version":"v1.1.0"}"#;
    assert_eq!(story.asks("POST", "/hooks/deployments", &[JSON, ("Authorization", &bearer)], report).0, 200);
    let (status, refused) =
        story.asks("POST", "/hooks/deployments", &[JSON, ("Authorization", "Bearer wrong")], report);
    assert_eq!(status, 401);
    assert!(!refused.contains(canary));
    story.says("ada", "/deploy plan shop staging v1.1.0 --why PAY-1");
    story.says("ada", "/deploy why shop-1");
    let mut everywhere = story.log();
    for path in [
        "/console/api/messages",
        "/console/api/about",
        "/api/plans",
        "/api/plans/shop-1",
        "/api/ledger",
        "/metrics",
        "/openapi.json",
    ] {
        everywhere += &story.asks("GET", path, &[], b"").1;
    }
    let local: Value =
        serde_json::from_str(&std::fs::read_to_string(story.data().join("server.json")).unwrap()).unwrap();
    let local = local["token"].as_str().unwrap().to_owned();
    assert!(story.stop());
    everywhere += &story.log();
    let (_, out, errors) = story.runs(&["check", "--config", "tidegate.toml"]);
    everywhere += &(out + &errors);
    let (_, out, errors) = story.runs(&["audit", "export", "--config", "tidegate.toml", "--data", "data"]);
    everywhere += &(out + &errors);
    for entry in std::fs::read_dir(story.data()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "ledger.key" {
            everywhere += &String::from_utf8_lossy(&std::fs::read(path).unwrap());
        }
    }
    for secret in [canary, local.as_str()] {
        assert!(!everywhere.contains(secret), "a secret shows");
    }
    // A broken line of settings beside a secret is named without it.
    let broken = story
        .settings()
        .replace(&format!("token = {{ value = \"{canary}\" }}"), &format!("token = {{ vale = \"{canary}\" }}"));
    std::fs::write(story.folder.path().join("tidegate.toml"), broken).unwrap();
    let (code, out, errors) = story.runs(&["check", "--config", "tidegate.toml"]);
    assert_eq!(code, 1, "{out}{errors}");
    assert!(!(out + &errors).contains(canary), "the error shows the secret");
}
