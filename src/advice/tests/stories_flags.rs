//! Feature flags that a change reads or a plan turns.

use super::world::*;
use crate::advice::FlagLevel::{Caution, Critical, Info, Pass, Unknown};
use crate::advice::facts::*;
use crate::clock::{DAY, HOUR};
use crate::plan::{Kind, Setting};

fn flag(name: &str, on: bool) -> FlagState {
    FlagState {
        name: name.to_owned(),
        defined: true,
        on: Some(on),
        default: Some("false".to_owned()),
        percent: None,
        archived: false,
        changed: Some(now().plus(-30 * DAY)),
        link: Some(format!("https://flags.example.com/{name}")),
    }
}

/// A change that reads these flags, and what the provider says.
fn reading(names: &[&str], told: Vec<FlagState>) -> World {
    let mut world = World::calm();
    world.change().flags = names.iter().map(|name| (*name).to_owned()).collect();
    world.facts.flags = known("launchdarkly", told);
    world
}

/// A plan that turns `new-cart` on.
fn turning(before: Option<&str>, told: Vec<FlagState>) -> World {
    let mut world = reading(&[], told);
    world.plan.kind = Kind::Flag;
    (world.plan.version, world.plan.commit) = (None, None);
    (world.facts.change, world.facts.versions) = (Asked::default(), Asked::default());
    let before = before.map(str::to_owned);
    world.plan.set = vec![Setting { name: "new-cart".to_owned(), before, after: "on".to_owned() }];
    world
}

#[test]
fn a_change_that_reads_no_flag_is_not_asked() {
    World::calm().is_silent("flag.state");
}

#[test]
fn flags_are_told_on_or_off_with_where_that_is_written() {
    let world = reading(&["new-cart"], vec![flag("new-cart", false)]);
    let said = world.says("flag.state", Pass, &["The change reads `new-cart`, which in production is off."]);
    assert_eq!(said.because[0].link.as_deref(), Some("https://flags.example.com/new-cart"));
    assert_eq!(said.points, 0);

    let world = reading(&["new-cart"], vec![flag("new-cart", true)]);
    world.says("flag.state", Info, &["which in production is on."]);
    let part = FlagState { percent: Some(25.0), changed: Some(now().plus(-2 * HOUR)), ..flag("new-cart", true) };
    let world = reading(&["new-cart"], vec![part]);
    world.says("flag.state", Info, &["is on for 25 % of users (changed 2 h ago)"]);

    let world = reading(&["new-cart", "b"], vec![flag("new-cart", true), flag("b", false)]);
    world.says("flag.state", Info, &["The change reads 2 flags; in production `new-cart` is on and `b` is off."]);
}

#[test]
fn a_flag_that_no_provider_knows_is_a_caution_and_critical_only_by_settings() {
    let mut world = reading(&["new-cart", "b"], vec![FlagState::nowhere("new-cart"), flag("b", false)]);
    let said = world.says("flag.state", Caution, &["in production `new-cart` is known to no provider and `b` is off"]);
    assert_eq!((said.points, said.of), (3, 3));
    let limit = toml::from_str("critical = 1").unwrap();
    world.settings.policy.threshold.insert("flag.state".to_owned(), limit);
    world.says("flag.state", Critical, &["known to no provider"]);
    // Two providers: it is enough that one has it.
    world.facts.flags.known.push(fact("unleash", vec![flag("new-cart", false), FlagState::nowhere("b")]));
    world.says("flag.state", Pass, &["`b` is off and `new-cart` is off"]);
}

#[test]
fn an_archived_flag_is_a_caution() {
    let world = reading(&["new-cart"], vec![FlagState { archived: true, ..flag("new-cart", false) }]);
    world.says("flag.state", Caution, &["which in production is archived"]);
}

#[test]
fn a_provider_that_does_not_tell_is_never_an_all_clear_and_never_a_missing_flag() {
    let mut world = reading(&["new-cart"], Vec::new());
    world.facts.flags = broken("launchdarkly", "did not answer in 2 s");
    world.says("flag.state", Unknown, &["launchdarkly did not answer in 2 s"]);
    // One provider has none, the other is silent: it may well be there.
    world.facts.flags.known.push(fact("unleash", vec![FlagState::nowhere("new-cart")]));
    world.says("flag.state", Unknown, &["launchdarkly did not answer in 2 s"]);
    // Off at one does not clear the gap at the other.
    world.facts.flags.known = vec![fact("unleash", vec![flag("new-cart", false)])];
    world.says("flag.state", Unknown, &[]);
    // What was found stays found.
    world.facts.flags.known = vec![fact("unleash", vec![FlagState { archived: true, ..flag("new-cart", true) }])];
    world.says("flag.state", Caution, &["archived"]);

    let mut world = reading(&["new-cart"], vec![FlagState::nowhere("new-cart")]);
    world.facts.flags.known[0].incomplete = vec!["only the first 2,000 flags were read".to_owned()];
    world.says("flag.state", Unknown, &["answered with gaps"]);
    // It said nothing of this one.
    let world = reading(&["new-cart"], vec![flag("other", true)]);
    world.says("flag.state", Unknown, &["`new-cart`", "not told of"]);
    // Nobody is set up.
    let mut world = reading(&["new-cart"], Vec::new());
    world.facts.flags = Asked::default();
    world.says("flag.state", Unknown, &["`new-cart`; whether that is off in production is unknown", "no source"]);
}

#[test]
fn names_from_outside_stay_names() {
    let world = reading(&["<!channel> **x**\n@here"], vec![FlagState::nowhere("<!channel> **x**\n@here")]);
    let says = world.flag("flag.state").says;
    assert!(!says.contains('\n'), "{says}");
}

#[test]
fn what_people_see_is_said_to_be_off_only_where_the_provider_says_so() {
    let mut world = reading(&["new-pay"], vec![flag("new-pay", false)]);
    world.change().files.push(file("web/pay/form.ts", 4, 0));
    world.says("users.visible", Info, &["What lies behind `new-pay` is off in production, so nobody meets that yet."]);
    world.facts.flags.known[0].value[0].on = Some(true);
    world.says("users.visible", Info, &["in production `new-pay` is on"]);
    world.facts.flags.known[0].value[0] = FlagState { default: Some("true".to_owned()), ..flag("new-pay", false) };
    world.says("users.visible", Info, &["`new-pay` is off and serves `true`"]);
    world.facts.flags = broken("launchdarkly", "did not answer in 2 s");
    world.says("users.visible", Info, &["whether `new-pay` is off is not known"]);
}

#[test]
fn declared_to_be_behind_a_flag_that_is_off_is_doubted_unless_it_is() {
    let mut world = reading(&["new-cart", "b"], vec![flag("new-cart", false), flag("b", false)]);
    let settings = toml::from_str("says = 'behind a flag that is off'\nflags-off = true").unwrap();
    world.settings.policy.category.insert("behind-flag".to_owned(), settings);
    world.plan.category = Some("behind-flag".to_owned());
    world.settings.service.get_mut("checkout").unwrap().category = None;
    assert_eq!(world.advise().category.doubt, None);
    assert!(!world.advise().category.contested);

    world.facts.flags.known[0].value[0].on = Some(true);
    world.says("change.category", Caution, &["lies behind flags that are off, but in production `new-cart` is on."]);
    assert!(world.advise().category.contested);
    world.facts.flags = broken("launchdarkly", "did not answer in 2 s");
    world.says("change.category", Caution, &["but in production whether `b` is off is not known"]);
    world.change().flags.clear();
    world.says("change.category", Caution, &["but no flag is seen in the change"]);
}

#[test]
fn turning_a_flag_off_is_a_way_back_only_where_it_is_there() {
    let mut world = reading(&["new-cart"], vec![flag("new-cart", true)]);
    world.plan.rollback = Some("turn off new-cart".to_owned());
    world.says("plan.rollback", Pass, &[]);
    assert!(world.advise().rollback_draft.unwrap().starts_with("If the fault lies behind `new-cart`"));
    world.facts.flags = known("launchdarkly", vec![FlagState::nowhere("new-cart")]);
    world.says("plan.rollback", Critical, &["no provider has `new-cart` in use here"]);
    assert!(world.advise().rollback_draft.unwrap().starts_with("Redeploy v2.13.2"));
}

#[test]
fn a_flag_plan_is_told_what_the_flag_does_now() {
    let world = turning(Some("off"), vec![flag("new-cart", false)]);
    world.says("flag.state", Info, &["In production `new-cart` is off; the plan sets it to `on`."]);
    let world = turning(Some("on"), vec![flag("new-cart", true)]);
    world.says("flag.state", Info, &["`new-cart` is on: that is what the plan would set (`on`)"]);
    let part = FlagState { percent: Some(25.0), ..flag("new-cart", true) };
    let world = turning(Some("off"), vec![part]);
    world.says("flag.state", Caution, &["is on for 25 % of users, but was `off` when this was planned"]);
    let world = turning(None, vec![FlagState::nowhere("new-cart")]);
    world.says("flag.state", Caution, &["In production `new-cart` is known to no provider."]);
    let mut world = turning(None, Vec::new());
    world.facts.flags = broken("launchdarkly", "did not answer in 2 s");
    world.says("flag.state", Unknown, &["launchdarkly did not answer in 2 s"]);
    world.facts.flags = Asked::default();
    world.says("flag.state", Unknown, &["What `new-cart` does in production now is unknown"]);
}
