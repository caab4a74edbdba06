//! What reports of coverage add.

use super::world::*;
use crate::advice::FlagLevel::{Caution, Pass, Unknown};
use crate::advice::facts::{Coverage, Covered};

fn covered(lines: u32, of: u32, delta: f64) -> Coverage {
    Coverage { touched: Some(Covered { lines, of }), project: Some(80.0 + delta), delta: Some(delta) }
}

#[test]
fn new_lines_that_no_test_runs_make_a_change_harder() {
    let mut world = World::calm();
    let before = world.flag("change.complexity");
    world.facts.coverage = known("codecov", covered(18, 20, 0.0));
    let flag = world.says("change.complexity", Pass, &["Tests run 18 of 20 new lines (90 %)."]);
    assert_eq!(flag.points, before.points);
    assert!(flag.because.iter().any(|because| because.source.as_str() == "codecov"));
    world.facts.coverage = known("codecov", covered(9, 20, 0.0));
    world.says("change.complexity", Caution, &["Tests run 9 of 20 new lines (45 %)."]);
    world.facts.coverage = known("codecov", covered(0, 19, 0.0));
    world.says("change.complexity", Pass, &["Tests run 0 of 19 new lines"]);
    world.facts.coverage = known("codecov", covered(0, 0, 0.0));
    assert_eq!(world.flag("change.complexity").says, before.says, "without a line that can be run nothing is said");
}

#[test]
fn less_that_is_covered_is_said_with_how_much_less() {
    let mut world = World::calm();
    world.facts.coverage = known("codecov", covered(1, 2, 0.04));
    world.says("tests.missing", Pass, &["1 test file with them. Coverage stays at 80.0 %."]);
    world.facts.coverage = known("codecov", covered(1, 2, 0.6));
    world.says("tests.missing", Pass, &["Coverage rises by 0.6 points to 80.6 %."]);
    world.facts.coverage = known("codecov", covered(1, 2, -0.6));
    world.says("tests.missing", Pass, &["Coverage falls by 0.6 points to 79.4 %."]);
    world.facts.coverage = known("codecov", covered(1, 2, -1.0));
    assert!(world.says("tests.missing", Caution, &["falls by 1.0 points to 79.0 %"]).points > 0);
    world.change().files = vec![file("src/cart.rs", 40, 10)];
    world.says("tests.missing", Caution, &["no test file", "Coverage falls by 1.0 points"]);
}

#[test]
fn coverage_that_is_not_told_is_no_all_clear_where_somebody_should_tell_it() {
    let mut world = World::calm();
    world.facts.coverage = broken("codecov", "did not answer in 2 s");
    world.says("tests.missing", Unknown, &["codecov did not answer in 2 s"]);
    world.facts.coverage = known("lcov", covered(20, 20, 0.0));
    world.facts.coverage.known[0].incomplete = vec!["no coverage is told of `src/a.rs`".to_owned()];
    world.says("tests.missing", Unknown, &["no coverage is told of `src/a.rs`"]);
}
