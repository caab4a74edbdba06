//! How much is said in an environment, and settings that change while it runs.

use crate::harness::{Story, eventually, settings};

#[test]
fn in_observe_mode_the_planner_alone_sees_brief_and_thread() {
    let mut story = Story::begin(&settings().replace("mode = \"gate\"", "mode = \"observe\""));
    story.says("ada", "/deploy plan shop production v1.1.0 --why PAY-1 --risk low");
    let all = story.messages();
    assert!(all.len() >= 3, "{all:#?}");
    assert!(all.iter().all(|m| m["for"] == "ada"), "{all:#?}");
    assert_eq!(story.gate("plan=shop-1")["enforced"], false);
}

#[test]
fn a_hangup_reads_the_settings_anew_and_a_broken_file_changes_nothing() {
    let mut story = Story::begin(&settings());
    story.says("ada", "/deploy status");
    let file = story.folder.path().join("tidegate.toml");
    let added = format!("{}\n[environment.preview]\n", story.settings());
    std::fs::write(&file, &added).unwrap();
    story.hang_up();
    eventually("the new environment", || {
        story.get("/console/api/about")["environments"].to_string().contains("preview")
    });
    std::fs::write(&file, "[team\n").unwrap();
    story.hang_up();
    eventually("the complaint", || story.log().contains("the old ones stay"));
    assert!(story.get("/console/api/about")["environments"].to_string().contains("preview"));
}
