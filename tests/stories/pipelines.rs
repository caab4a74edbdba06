//! What stands in `pipelines/`, run as a pipeline runs it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Story, settings};

const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";
const TARGET: [&str; 3] = ["shop", "production", "v1.1.0"];

fn pipelines() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pipelines")
}

fn read(file: &str) -> String {
    std::fs::read_to_string(pipelines().join(file)).unwrap()
}

/// A shell in the story's folder, with what a pipeline knows of Tidegate.
fn shell(story: &Story, script: &str, variables: &[(&str, &str)]) -> Child {
    Command::new("sh")
        .args(["-c", script])
        .current_dir(story.folder.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("PIPELINES", pipelines())
        .env("TIDEGATE_URL", &story.address)
        .env("TIDEGATE_TOKEN", "story-token")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// How it ended, and what it said.
fn ended(child: Child) -> (i32, String) {
    let done = child.wait_with_output().unwrap();
    let text = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(!text.contains("story-token"), "a pipeline's log never shows the token: {text}");
    (done.status.code().unwrap_or(-1), text)
}

fn gate(story: &Story, arguments: &str, variables: &[(&str, &str)]) -> (i32, String) {
    ended(shell(story, &format!("sh \"$PIPELINES/gate.sh\" {arguments}"), variables))
}

fn runs(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_none()
}

#[test]
fn a_job_waits_at_the_gate_until_a_reaction_and_a_start_let_it_through_and_tells_what_it_did() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let job = "set -e\n\
        sh \"$PIPELINES/gate.sh\" shop production v1.1.0\n\
        sh \"$PIPELINES/tell.sh\" started shop production v1.1.0\n\
        echo deployed > deployed.txt\n\
        sh \"$PIPELINES/tell.sh\" succeeded shop production v1.1.0\n";
    let variables = [
        ("TIDEGATE_WAIT", "300"),
        ("TIDEGATE_RUN", "ci-7"),
        ("TIDEGATE_ANSWER", "tidegate.json"),
        ("GITHUB_ACTOR", "ada"),
    ];
    let mut running = shell(&story, job, &variables);
    let card = story.card();
    story.reacts("noor", &card, "no_entry");
    story.unreacts("noor", &card, "no_entry");
    // An objection would have ended it; it may have met one, and then the job is asked for again.
    if !runs(&mut running) {
        assert_eq!(ended(running).0, 1);
        running = shell(&story, job, &variables);
    }
    story.reacts("lin", &card, "white_check_mark");
    assert!(runs(&mut running), "approved is not started");
    assert!(!story.folder.path().join("deployed.txt").exists());
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));

    let until = Instant::now() + Duration::from_secs(60);
    while runs(&mut running) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    let (code, says) = ended(running);
    assert_eq!(code, 0, "{says}");
    assert!(says.contains("ada began it"), "{says}");
    assert_eq!(std::fs::read_to_string(story.folder.path().join("deployed.txt")).unwrap(), "deployed\n");
    story.settle();
    assert_eq!(story.plan("shop-1")["state"], "watching");

    // What the job kept proves, with nothing but the public key, that the gate said yes to this plan.
    let answer = story.folder.path().join("tidegate.json");
    let kept: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&answer).unwrap()).unwrap();
    let proven: serde_json::Value = serde_json::from_str(kept["proof"]["bytes"].as_str().unwrap()).unwrap();
    assert_eq!((&proven["kind"], &proven["verdict"]), (&json!("gate.answered"), &json!("approved")));
    let (code, out, _) = story.runs_with(&["audit", "verify", answer.to_str().unwrap()], &[], "");
    assert_eq!(code, 0, "{out}");
}

#[test]
fn every_other_word_is_no_and_says_why() {
    let mut story = Story::begin(&settings());
    let target = TARGET.join(" ");
    let (code, says) = gate(&story, &target, &[]);
    assert_eq!((code, says.contains("There is no plan for this")), (2, true), "{says}");
    story.says("ada", PLAN);
    let (code, says) = gate(&story, &target, &[]);
    assert_eq!((code, says.contains("waiting: Missing")), (1, true), "{says}");
    let (code, says) = gate(&story, &format!("{target} 0123456789abcdef"), &[]);
    assert_eq!((code, says.contains("stale: The plan is for commit")), (1, true), "{says}");
    let card = story.card();
    story.reacts("noor", &card, "no_entry");
    let (code, says) = gate(&story, &target, &[("TIDEGATE_WAIT", "300")]);
    assert_eq!((code, says.contains("noor objected")), (1, true), "no wait after an objection: {says}");
    let (code, says) = gate(&story, &target, &[("TIDEGATE_TOKEN", "wrong")]);
    assert_eq!((code, says.contains("refused (401)")), (2, true), "{says}");
    let (code, says) = gate(&story, "shop production", &[]);
    assert_eq!((code, says.contains("takes a service")), (2, true), "{says}");
}

#[test]
fn without_an_answer_it_stays_shut_unless_somebody_chose_otherwise() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    story.kill();
    let target = TARGET.join(" ");
    let (code, says) = gate(&story, &target, &[]);
    assert_eq!((code, says.contains("no answer is no yes")), (2, true), "{says}");
    let (code, says) = gate(&story, &target, &[("TIDEGATE_UNREACHABLE", "open")]);
    assert_eq!((code, says.contains("NOT APPROVED")), (0, true), "{says}");

    // It is told afterwards, and seen as what it was.
    story.start(crate::harness::MONDAY_11);
    let told = "sh \"$PIPELINES/tell.sh\" succeeded shop production v1.1.0";
    assert_eq!(ended(shell(&story, told, &[("TIDEGATE_RUN", "ci-8")])).0, 0);
    story.settle();
    let entry = story.ledger("shop-1").into_iter().find(|entry| entry["kind"] == "deployment.succeeded").unwrap();
    assert_eq!(entry["data"]["approved"], false);
    assert!(story.texts().contains("without"), "{}", story.texts());
}

#[test]
fn an_environment_that_does_not_enforce_lets_a_job_go_on() {
    let mut story = Story::begin(&settings().replace("mode = \"gate\"", "mode = \"advise\""));
    story.says("ada", PLAN);
    let (code, says) = gate(&story, &TARGET.join(" "), &[("TIDEGATE_WAIT", "300")]);
    assert_eq!((code, says.contains("does not enforce")), (0, true), "{says}");
}

#[test]
fn what_cannot_be_told_is_said() {
    let story = Story::begin(&settings());
    let tell = |arguments: &str, variables: &[(&str, &str)]| {
        ended(shell(&story, &format!("sh \"$PIPELINES/tell.sh\" {arguments}"), variables))
    };
    let (code, says) = tell("succeeded shop production v1.1.0", &[]);
    assert_eq!((code, says.contains("TIDEGATE_RUN")), (2, true), "{says}");
    let (code, says) = tell("succeeded shop production 'v\"1'", &[("BUILD_TAG", "b")]);
    assert_eq!((code, says.contains("quotation mark")), (2, true), "{says}");
    let (code, says) = tell("succeeded shop nowhere v1.1.0", &[("BUILD_TAG", "b")]);
    assert_eq!((code, says.contains("could not be told")), (1, true), "{says}");
}

/// The composite action, as GitHub's runner carries it out: inputs by their defaults, the step's variables, its script.
#[test]
fn the_action_for_github_asks_for_the_version_and_commit_of_its_run() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let commit = story.plan("shop-1")["plan"]["commit"].as_str().unwrap().to_owned();
    let text = read("github/action.yml");
    let given = [("url", story.address.clone()), ("token", "story-token".into()), ("service", "shop".into())];
    let given = [&given[..], &[("environment", "production".to_owned()), ("wait", "0".to_owned())]].concat();
    let default = |input: &str| {
        let from = text.find(&format!("\n  {input}:\n")).unwrap_or_else(|| panic!("no input {input}"));
        let own = text[from + 1..].lines().skip(1).take_while(|line| line.starts_with("    "));
        let value = own.filter_map(|line| line.trim().strip_prefix("default: ")).next().unwrap_or_default();
        value.trim_matches('"').replace("${{ github.ref_name }}", "v1.1.0").replace("${{ github.sha }}", &commit)
    };
    let input = |name: &str| {
        given.iter().find(|(known, _)| *known == name).map_or_else(|| default(name), |(_, value)| value.clone())
    };
    let variables: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("        ")?.split_once(": ${{ inputs."))
        .map(|(name, rest)| (name.to_owned(), input(rest.trim_end_matches(" }}"))))
        .collect();
    assert_eq!(variables.len(), 9, "{variables:?}");
    let script: Vec<&str> = text.split("      run: |\n").nth(1).unwrap().lines().map(str::trim_start).collect();
    let folder = story.folder.path();
    let done = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script.join("\n")])
        .envs(variables)
        .env("RUNNER_TEMP", folder)
        .env("GITHUB_OUTPUT", folder.join("output"))
        .env("GITHUB_ACTION_PATH", pipelines().join("github"))
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1), "{}", String::from_utf8_lossy(&done.stderr));
    let output = std::fs::read_to_string(folder.join("output")).unwrap();
    assert_eq!(output, format!("verdict=waiting\nanswer={}/tidegate.json\n", folder.display()));
}

/// The one line of each of the other pipelines that asks.
#[test]
fn the_other_pipelines_ask_as_the_script_takes_it() {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let commit = story.plan("shop-1")["plan"]["commit"].as_str().unwrap().to_owned();
    let repository = pipelines().parent().unwrap().display().to_string();
    let line = |file: &str, part: &str| {
        let text = read(file);
        let line =
            text.lines().filter(|line| !line.trim_start().starts_with(['#', '/'])).find(|line| line.contains(part));
        line.unwrap_or_else(|| panic!("{file} has no {part}")).trim().to_owned()
    };
    let asks = |script: String, variables: &[(&str, &str)]| {
        let script = format!("cd '{repository}' && {}", script.replace("checkout production", "shop production"));
        let (code, says) = ended(shell(&story, &script, variables));
        assert_eq!((code, says.contains("waiting: Missing")), (1, true), "{script}: {says}");
    };
    let gitlab = line("gitlab.yml", "gate.sh").trim_start_matches("- ").to_owned();
    let target = [("TIDEGATE_SERVICE", "shop"), ("TIDEGATE_ENVIRONMENT", "production"), ("CI_COMMIT_SHA", &commit)];
    asks(gitlab.clone(), &[&target[..], &[("CI_COMMIT_TAG", "v1.1.0")]].concat());
    asks(gitlab, &[&target[..], &[("CI_COMMIT_REF_NAME", "v1.1.0")]].concat());
    let jenkins = line("Jenkinsfile", "gate.sh").trim_start_matches("sh '").trim_end_matches('\'').to_owned();
    asks(jenkins, &[("TAG_NAME", "v1.1.0"), ("GIT_COMMIT", &commit)]);
    let argo = line("argocd.yaml", "/tidegate/gate.sh");
    let words =
        argo.trim_start_matches("command: [").trim_end_matches(']').replace(',', "").replace("v2.14.0", "v1.1.0");
    asks(words.replace("/tidegate/gate.sh", "pipelines/gate.sh"), &[]);
}
