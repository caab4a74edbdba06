use super::world::*;
use crate::advice::FlagLevel::{Caution, Critical, Info, Pass, Unknown};
use crate::advice::facts::*;
use crate::advice::policy::{may_override, policy_digest};
use crate::config::{ApprovalRule, CheckMode, Need};
use crate::plan::Risk;

#[test]
fn no_rollback_plan_is_said_and_a_draft_is_offered() {
    let mut world = World::calm();
    world.plan.rollback = None;
    let flag = world.says("plan.rollback", Caution, &["No rollback plan."]);
    let help = flag.would_help.unwrap();
    assert_eq!((help.says.as_str(), help.delta), ("Adopt the drafted rollback plan", -6));
    let draft = world.advise().rollback_draft.unwrap();
    assert_eq!(draft, "Redeploy v2.13.2, which has run here since Thu 12 Nov and ended clean.");
}

#[test]
fn a_drafts_promise_holds_when_it_is_adopted() {
    let mut world = World::calm();
    world.plan.rollback = None;
    let before = world.advise();
    let delta = before.mitigations.iter().find(|m| m.says.starts_with("Adopt")).unwrap().delta;
    world.plan.rollback = before.rollback_draft;
    let after = world.advise();
    assert_eq!(i64::from(after.score.value) - i64::from(before.score.value), i64::from(delta));
}

#[test]
fn a_draft_differs_with_the_facts() {
    let mut world = World::calm();
    let mut drafts = vec![world.advise().rollback_draft.unwrap()];
    world.history().running.as_mut().unwrap().outcome = Some(Outcome::Hotfix);
    world.history().last_good = Some(deployment("good", "v2.13.1", 20, Some(Outcome::Clean)));
    drafts.push(world.advise().rollback_draft.unwrap());
    assert!(drafts[1].contains("Redeploy v2.13.1, the last one that ended clean"), "{}", drafts[1]);
    assert!(drafts[1].contains("v2.13.2, which runs now, needed a hotfix"), "{}", drafts[1]);
    world.migrate(migration("0047", "create table x (id bigint);"));
    drafts.push(world.advise().rollback_draft.unwrap());
    assert!(drafts[2].contains("migration 0047, which only adds"), "{}", drafts[2]);
    world.change().migrations[0].reversible = false;
    drafts.push(world.advise().rollback_draft.unwrap());
    assert!(drafts[3].contains("no way down"), "{}", drafts[3]);
    world.change().flags = vec!["new-cart".to_owned()];
    drafts.push(world.advise().rollback_draft.unwrap());
    assert!(drafts[4].starts_with("If the fault lies behind `new-cart`, turn that off first."), "{}", drafts[4]);
    world.facts.change = Asked::default();
    assert_eq!(world.advise().rollback_draft, None);
    drafts.dedup();
    assert_eq!(drafts.len(), 5);
}

#[test]
fn a_rollback_to_a_version_that_never_existed_is_critical() {
    let mut world = World::calm();
    world.plan.rollback = Some("redeploy v2.13.9".to_owned());
    world.facts.versions.known[0].value.resolved.push(("v2.13.9".to_owned(), None));
    world.says("plan.rollback", Critical, &["v2.13.9, which never existed", "the nearest is v2.13."]);
    // Nobody looked it up: that is no proof either way.
    world.facts.versions.known[0].value.resolved.pop();
    world.says("plan.rollback", Unknown, &["v2.13.9"]);
    world.facts.versions = broken("repo", "did not answer in 2 s");
    world.says("plan.rollback", Unknown, &["repo did not answer in 2 s"]);
}

#[test]
fn a_rollback_to_the_very_version_deployed_is_no_way_back() {
    let mut world = World::calm();
    world.plan.rollback = Some("redeploy v2.14.0".to_owned());
    world.says("plan.rollback", Critical, &["the very version"]);
}

#[test]
fn a_rollback_that_leaves_the_version_open_says_which_one_runs() {
    let mut world = World::calm();
    world.plan.rollback = Some("redeploy the previous version".to_owned());
    world.says("plan.rollback", Caution, &["does not name the version", "v2.13.2 runs now"]);
    world.migrate(migration("0047", "drop table carts;"));
    world.says("plan.rollback", Critical, &["the old version cannot run on the new schema"]);
}

#[test]
fn a_rollback_past_what_runs_is_said() {
    let mut world = World::calm();
    world.plan.rollback = Some("redeploy v2.12.0".to_owned());
    world.facts.history.known[0].value.recent.clear();
    world.says("plan.rollback", Caution, &["past v2.13.2"]);
}

#[test]
fn a_rollback_to_what_was_itself_rolled_back_is_said() {
    let mut world = World::calm();
    world.history().recent[0] = deployment("d", "v2.13.2", 12, Some(Outcome::RolledBack));
    world.says("plan.rollback", Caution, &["itself was rolled back on Thu 12 Nov"]);
}

#[test]
fn turning_a_flag_off_is_a_way_back_even_with_a_destructive_migration() {
    let mut world = World::calm();
    world.plan.rollback = Some("turn off new-cart".to_owned());
    world.migrate(migration("0047", "drop table carts;"));
    world.says("plan.rollback", Pass, &["turn it off"]);
}

#[test]
fn a_destructive_migration_that_already_ran_does_not_close_the_way_back() {
    let mut world = World::calm();
    world.migrate(migration("0047", "drop table carts;"));
    world.facts.migrations.known[0].value.applied.push(applied("47"));
    world.says("plan.rollback", Pass, &["v2.13.2 exists"]);
}

#[test]
fn a_reason_without_a_ticket_is_said() {
    let mut world = World::calm();
    world.says("plan.reason", Info, &["SHOP-12", "no tracker is set up"]);
    world.plan.why = Some("because".to_owned());
    world.says("plan.reason", Caution, &["\"because\"", "no ticket"]);
    world.plan.why = Some("  ".to_owned());
    world.says("plan.reason", Caution, &["gives no reason"]);
}

#[test]
fn the_ticket_behind_the_reason_is_looked_up() {
    let ticket = |exists, closed, status: &str| Ticket {
        key: "SHOP-12".to_owned(),
        exists,
        title: if exists { "Faster cart".to_owned() } else { String::new() },
        status: status.to_owned(),
        closed,
        kind: exists.then(|| "Story".to_owned()),
        link: None,
    };
    let mut world = World::calm();
    world.facts.ticket = known("tracker", ticket(true, false, "In review"));
    let flag = world.says("plan.reason", Pass, &["SHOP-12 \"Faster cart\" (Story, In review)"]);
    assert_eq!(flag.because[0].source, "tracker".into());
    world.facts.ticket = known("tracker", ticket(true, true, "Done"));
    world.says("plan.reason", Caution, &["\"Faster cart\" (Story, Done)", "closed already"]);
    world.facts.ticket = known("tracker", ticket(false, false, ""));
    world.says("plan.reason", Caution, &["SHOP-12", "tracker knows no such ticket, or may not see it"]);
    // Somebody else may know it: that it is not there would be said too early.
    world.facts.ticket.unknown = broken::<Ticket>("other", "did not answer in 2 s").unknown;
    world.says(
        "plan.reason",
        Unknown,
        &["Whether SHOP-12 exists and is open is unknown", "other did not answer in 2 s"],
    );
    world.facts.ticket.known.push(fact("third", ticket(true, false, "To do")));
    world.says("plan.reason", Pass, &["To do"]);
    world.facts.ticket = broken("tracker", "refused the token (401)");
    world.says("plan.reason", Unknown, &["tracker refused the token (401)"]);
}

#[test]
fn conditions_that_only_a_person_can_judge_are_told_from_measurable_ones() {
    let mut world = World::calm();
    world.says("plan.rollback-conditions", Pass, &["errors > 2 % for 5m"]);
    world.plan.rollback_if = Some("customers complain".to_owned());
    world.says("plan.rollback-conditions", Info, &["a person has to judge"]);
    world.plan.rollback_if = None;
    world.says("plan.rollback-conditions", Caution, &[]);
    world.says("plan.success", Pass, &["p95 below 400 ms"]);
    world.plan.success = None;
    world.says("plan.success", Caution, &[]);
}

#[test]
fn the_three_human_answers_are_asked_for_and_the_people_must_be_there() {
    let mut world = World::calm();
    world.says("plan.care", Pass, &["ada watches", "lin responds"]);
    (world.plan.why_now, world.plan.respond) = (None, Vec::new());
    world.says("plan.care", Caution, &["Nobody has answered why now and who responds"]);
    let mut world = World::calm();
    let mut away = event("Skiing", Means::OutOfOffice, -5, 30);
    away.person = Some("lin".into());
    world.facts.calendar.known[0].value.push(away);
    world.says("plan.care", Caution, &["lin is out of office until Wed 25 Nov 16:30 PST"]);
    world.plan.respond = vec!["mallory".into()];
    world.says("plan.care", Caution, &["mallory is not among the people"]);
}

#[test]
fn owners_of_what_changes_are_named_beside_who_could_approve() {
    let mut world = World::calm();
    let before = world.flag("approval.needed");
    world.change().owners = Some(Vec::new());
    assert_eq!(world.flag("approval.needed"), before, "a file that names nobody adds nothing");
    let owner = |owner: &str, files| CodeOwner { owner: owner.to_owned(), files };
    world.settings.people.get_mut(&crate::name::Person::from("grace")).unwrap().logins.push("Grace-H".to_owned());
    world.change().owners =
        Some(vec![owner("@grace-h", 2), owner("@harbor/pay`ments", 1), owner("grace@example.com", 1)]);
    let flag = world.flag("approval.needed");
    let says = "Code owners of what changes: grace and `@harbor/pay'ments`.";
    assert!(flag.says.ends_with(says) && flag.says.starts_with(&before.says), "{}", flag.says);
    assert_eq!(flag.because[0].says, "CODEOWNERS: grace (2 files), `@harbor/pay'ments` (1 file), grace (1 file)");
}

#[test]
fn needed_approvals_show_their_calculation_and_who_could() {
    let mut world = World::calm();
    world.says("approval.needed", Info, &["1 approval needed: 1 person (production)", "grace and lin", "at work now"]);
    world.plan.risk = None;
    world.change().files.push(file("src/payments/capture.rs", 5, 0));
    let flag = world.flag("approval.needed");
    assert!(
        flag.says.contains(
            "1 approval needed: 1 of vp (high-risk categories ask for a VP: payments; no risk declared, which counts as high)"
        ),
        "{}",
        flag.says
    );
    let approvals = world.advise().approvals;
    // The VP is a second pair of eyes, too: nobody else is asked for beside her.
    assert_eq!(approvals.needs.len(), 1);
    assert_eq!(approvals.needs[0].need, Need { role: Some("vp".into()), person: None, count: 1 });
    assert_eq!(approvals.eligible, ["grace".into()]);
}

#[test]
fn neither_planner_nor_author_nor_guest_nor_bot_could_approve() {
    let mut world = World::calm();
    world.plan.risk = Some(Risk::High);
    world.change().commits[0].co_authors = vec!["Grace@Example.com".to_owned()];
    world.says("approval.needed", Critical, &["Too few people could give 1 of vp"]);
    let approvals = world.advise().approvals;
    assert!(approvals.eligible.is_empty(), "{:?}", approvals.eligible);
    world.plan.risk = Some(Risk::Low);
    assert_eq!(world.advise().approvals.eligible, ["lin".into()]);
    world.says("approval.separation", Pass, &["ada and grace planned or wrote it"]);
    world.change().commits[0].email = "nobody@example.net".to_owned();
    world.change().commits[0].author = None;
    world.says("approval.separation", Unknown, &["nobody@example.net"]);
}

#[test]
fn rules_by_score_flag_and_hotfix_apply_when_they_are_met() {
    let mut world = World::calm();
    let need = |role: &str| vec![Need { role: Some(role.into()), person: None, count: 1 }];
    world.settings.policy.approval = vec![
        ApprovalRule { score: Some(1), needs: need("vp"), ..ApprovalRule::default() },
        ApprovalRule { score: Some(100), needs: need("a"), ..ApprovalRule::default() },
        ApprovalRule { flags: vec!["plan.rollback".to_owned()], needs: need("b"), ..ApprovalRule::default() },
        ApprovalRule { hotfix: Some(true), needs: need("c"), ..ApprovalRule::default() },
    ];
    let roles = |world: &World| -> Vec<String> {
        world.advise().approvals.needs.iter().map(|n| n.need.role.as_ref().unwrap().to_string()).collect()
    };
    assert_eq!(roles(&world), ["vp"]);
    world.plan.rollback = None;
    assert_eq!(roles(&world), ["vp", "b"]);
    world.plan.hotfix = Some("#482".to_owned());
    assert_eq!(roles(&world), ["vp", "b", "c"]);
}

fn needed(world: &World) -> Vec<(Option<String>, u32)> {
    let needs = world.advise().approvals.needs;
    needs.into_iter().map(|n| (n.need.role.map(|r| r.to_string()), n.need.count)).collect()
}

#[test]
fn rules_by_size_and_blockers_say_what_they_measured() {
    let mut world = World::calm();
    let need = |role: &str| vec![Need { role: Some(role.into()), person: None, count: 1 }];
    world.settings.policy.approval = vec![
        ApprovalRule { because: "large".to_owned(), size: Some(400), needs: need("a"), ..ApprovalRule::default() },
        ApprovalRule { blockers: vec!["*".to_owned()], needs: need("b"), ..ApprovalRule::default() },
        ApprovalRule { blockers: vec!["migration.state".to_owned()], needs: need("c"), ..ApprovalRule::default() },
    ];
    assert_eq!(needed(&world), []);
    world.change().files.push(file("src/cart/big.rs", 500, 0));
    assert_eq!(needed(&world), [(Some("a".to_owned()), 1)]);
    let because = world.advise().approvals.needs[0].because.clone();
    assert!(because.starts_with("large: ") && because.ends_with(" lines"), "{because}");
    // What nobody could read is not small.
    world.facts.change = broken("code", "did not answer in 2 s");
    assert!(world.advise().approvals.needs[0].because.contains("counts as large"));
    world.facts.incidents.known[0].value.push(incident("#490", "checkout"));
    world.facts.incidents.known[0].value.last_mut().unwrap().blocks = true;
    assert_eq!(needed(&world), [(Some("a".to_owned()), 1), (Some("b".to_owned()), 1)]);
    assert_eq!(world.advise().approvals.needs[1].because, "blocked by incident.open");
}

#[test]
fn outside_the_window_a_named_role_is_asked_for_also_when_the_hour_comes_later() {
    let mut world = World::calm();
    world.settings.policy.approval.push(ApprovalRule {
        because: "nobody is around then".to_owned(),
        outside_window: Some(true),
        needs: vec![Need { role: Some("vp".into()), person: None, count: 1 }],
        ..ApprovalRule::default()
    });
    let window = crate::config::WeekHours::parse("Mon-Fri 10:00-16:00").unwrap();
    world.settings.environment.get_mut(&world.plan.environment).unwrap().window = vec![window];
    world.plan.when = crate::plan::When::Now;
    assert_eq!(needed(&world), [(None, 1)]);
    let approvals = world.advise().approvals;
    assert_eq!(approvals.outside.len(), 1, "{approvals:?}");
    let at = |world: &World, now| {
        let ctx = crate::advice::Context { plan: &world.plan, facts: &world.facts, settings: &world.settings, now };
        crate::advice::rules::at_this_hour(ctx, &approvals).len()
    };
    assert_eq!(at(&world, world.now), 1);
    let evening = world.now.plus(8 * crate::clock::HOUR);
    let ctx =
        crate::advice::Context { plan: &world.plan, facts: &world.facts, settings: &world.settings, now: evening };
    let then = crate::advice::rules::at_this_hour(ctx, &approvals);
    assert_eq!((then.len(), then[0].need.role.as_ref().unwrap().as_str()), (1, "vp"), "the VP is the pair of eyes");
    world.now = evening;
    assert_eq!(needed(&world), [(Some("vp".to_owned()), 1)]);
}

#[test]
fn the_faster_path_is_for_hotfixes_whose_incident_is_open_and_for_nothing_else() {
    let mut world = World::calm();
    world.plan.risk = Some(Risk::High);
    world.settings.policy.approval.push(ApprovalRule {
        because: "a hotfix for what burns".to_owned(),
        hotfix: Some(true),
        open_incident: Some(true),
        instead: true,
        needs: vec![Need { role: Some("incident-commander".into()), person: None, count: 1 }],
        ..ApprovalRule::default()
    });
    let usual = vec![(Some("vp".to_owned()), 1)];
    let notes = |world: &World| world.advise().approvals.notes.join(" ");
    assert_eq!((needed(&world), notes(&world)), (usual.clone(), String::new()));
    world.plan.hotfix = Some("490".to_owned());
    assert_eq!(needed(&world), usual);
    assert!(notes(&world).contains("no source knows an open incident 490"), "{}", notes(&world));
    world.says("approval.needed", Info, &["The faster path for hotfixes does not apply"]);
    world.facts.incidents.known[0].value.push(incident("#490", "checkout"));
    assert_eq!(needed(&world), [(Some("incident-commander".to_owned()), 1)]);
    assert_eq!(world.advise().approvals.needs[0].because, "a hotfix for what burns: 490 is open");
    let last = world.facts.incidents.known[0].value.len() - 1;
    world.facts.incidents.known[0].value[last].resolved = Some(world.now.plus(-1));
    assert_eq!(needed(&world), usual);
    assert!(notes(&world).contains("is not open"));
    // A source that is silent opens no shorter way.
    world.facts.incidents = broken("pagerduty", "did not answer in 2 s");
    assert_eq!(needed(&world), usual);
    assert!(notes(&world).contains("is unknown"));
}

#[test]
fn an_undeclared_risk_counts_as_high() {
    let mut world = World::calm();
    world.plan.risk = None;
    world.says("risk.declared", Caution, &["counts as high"]);
    assert!(world.advise().approvals.needs.iter().any(|need| need.need.role == Some("vp".into())));
}

#[test]
fn a_check_that_is_off_is_silent_and_one_in_shadow_adds_nothing() {
    let mut world = World::calm();
    world.plan.rollback = None;
    let shown = world.advise().score.value;
    world.settings.policy.checks.insert("plan.rollback".to_owned(), CheckMode::Shadow);
    let advice = world.advise();
    assert_eq!(advice.score.value, shown - 6);
    assert_eq!(advice.shadow.len(), 1);
    world.is_silent("plan.rollback");
    world.settings.policy.checks.insert("plan.rollback".to_owned(), CheckMode::Off);
    assert!(world.advise().shadow.is_empty());
}

#[test]
fn who_may_override_is_told_by_code_and_environment() {
    let world = World::calm();
    assert_eq!(may_override(&world.settings, "timing.window", &"production".into()), [&"vp".into()]);
    assert!(may_override(&world.settings, "plan.rollback", &"production".into()).is_empty());
}

#[test]
fn the_policys_digest_changes_with_the_policy_alone() {
    let mut world = World::calm();
    let before = policy_digest(&world.settings);
    assert!(before.starts_with("sha256:") && before.len() == 71);
    world.settings.team.name = "Other".to_owned();
    assert_eq!(policy_digest(&world.settings), before);
    world.settings.policy.score_step = 11;
    assert_ne!(policy_digest(&world.settings), before);
}

#[test]
fn fixing_forward_is_a_plan_and_no_way_back() {
    let mut world = World::calm();
    world.migrate(migration("0047", "drop table carts;"));
    world.plan.rollback = Some("fix forward".to_owned());
    world.says("plan.rollback", Caution, &["fix forward", "no way back once migration 0047 has run"]);
    world.plan.rollback = Some("restore the backup of 10:00".to_owned());
    world.says("plan.rollback", Caution, &["restore the data"]);
}

#[test]
fn commands_that_nobody_could_read_are_unknown() {
    let mut world = World::calm();
    world.is_silent("plan.commands");
    world.plan.how = Some("   ".to_owned());
    world.is_silent("plan.commands");
    world.plan.how = Some("…".to_owned());
    assert_ne!(world.flag("plan.commands").level, Pass);
}
