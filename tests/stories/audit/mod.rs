//! What auditors ask for, and what is owed to them.

mod flat;
mod owed;
mod pages;
mod read;
mod rules;
mod walk;

use serde_json::json;

use crate::harness::{Story, settings};

pub const PLAN: &str = "/deploy plan shop production v1.1.0 --why PAY-1 --risk low --rollback \"redeploy v1.0.0\"";

/// Planned by ada, approved by lin, begun by ada.
pub fn started() -> Story {
    let mut story = Story::begin(&settings());
    story.says("ada", PLAN);
    let card = story.card();
    story.reacts("lin", &card, "white_check_mark");
    story.says("ada", "/deploy start shop-1");
    story.submits("ada", "confirm:shop-1", &json!({ "environment": "production" }));
    story
}

/// A pipeline's report on the shop in production.
pub fn report(id: &str, status: &str, version: &str) -> serde_json::Value {
    json!({ "id": id, "status": status, "service": "shop", "environment": "production", "version": version, "actor": "ci" })
}
