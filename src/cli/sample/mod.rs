//! The sample company that `tidegate try` runs on, as far as it is made at start.

pub mod repository;

/// stub
#[derive(Debug)]
pub struct World;
impl World {
    pub fn act(&self, _: &str) -> bool { false }
    pub fn list(&self) -> serde_json::Value { serde_json::json!([]) }
    pub fn tries(&self) -> Vec<String> { vec![] }
}
pub async fn build(_: &std::path::Path, _: &crate::clock::Clock) -> anyhow::Result<(crate::config::Settings, World)> { anyhow::bail!("stub") }
