//! The pages as people see them: in the light and in the dark, on a desk and on a phone, without a script.

use super::{report, started};
use crate::harness::browser::{Browser, Device};

#[test]
fn the_pages_read_on_a_desk_and_on_a_phone() {
    let mut story = started();
    story.reports(&report("ci-1", "succeeded", "v1.1.0"));
    story.reports(&report("ci-2", "succeeded", "v9"));
    for device in [Device::Desktop, Device::Phone] {
        let browser = Browser::open(device);
        browser.opens(&format!("{}/audit?from=2026-11-01&to=2026-12-31", story.address));
        browser.sees("table");
        browser.reads("tbody td", "shop-1");
        browser.reads("li", "Deployed without a plan: 1");
        let fits = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth";
        browser.holds("the list is wider than the screen", fits);
        browser.clicks("tbody a");
        browser.reads("h2", "Why shop-1");
        browser.reads("dt", "Rollback plan");
        browser.holds("the story is wider than the screen", fits);
        browser.holds(
            "the style was refused",
            "return getComputedStyle(document.querySelector('dl > div')).display === 'grid'",
        );
    }
}
