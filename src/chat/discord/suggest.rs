//! What is offered while an option is typed, as Discord's choices.

use serde_json::{Value, json};

use super::render::length;
use super::render::text::clean;
use crate::command::Offer;

/// Discord shows so many.
const MOST: usize = 25;

/// What Discord would refuse is left out.
pub fn choices(offers: Vec<Offer>) -> Vec<Value> {
    let fits = |offer: &Offer| (1..=100).contains(&length(&offer.value)) && !offer.says.trim().is_empty();
    let choices = offers.into_iter().filter(fits).take(MOST);
    choices.map(|offer| json!({ "name": clean(offer.says.trim(), 100), "value": offer.value })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_and_no_longer_than_discord_takes() {
        let offer = |name: String| Offer { value: name.clone(), says: name };
        assert_eq!(choices((0..200).map(|i| offer(format!("v{i}"))).collect()).len(), 25);
        assert_eq!(choices(vec![offer("x".repeat(500)), offer(" ".to_owned())]).len(), 0);
    }
}
