//! Stories of single checks, and the laws of the whole.

mod conditions;
mod laws;
mod permission;
mod stories_alerts;
mod stories_change;
mod stories_code_host;
mod stories_coverage;
mod stories_findings;
mod stories_flags;
mod stories_holds;
mod stories_material;
mod stories_plan;
mod stories_server;
mod stories_support;
mod stories_world;
mod world;
