//! Buttons: at most 25, in rows of five; ids that are too long are replaced by their digest.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::text::{clean, length};
use crate::ledger::hex;
use crate::message::{Button, ButtonStyle, Message};

/// The id of the button that opens the form that a message carries.
pub const OPEN_FORM: &str = "form";
/// Before the id of a form that a submission answers.
pub const FORM: &str = "form|";

const LONGEST_ID: usize = 100;
const LONGEST_LABEL: usize = 80;

/// The rows of a message's buttons.
pub fn rows(message: &Message) -> Vec<Value> {
    let mut buttons: Vec<Value> = Vec::new();
    if message.form.is_some() {
        buttons.push(button(OPEN_FORM, crate::wording::discord::OPEN_FORM, ButtonStyle::Primary));
    }
    let mut seen = vec![OPEN_FORM.to_owned()];
    for one in &message.buttons {
        let id = custom_id(&one.id);
        // Discord refuses a message that has the same id twice.
        if !seen.contains(&id) {
            buttons.push(button(&id, &one.says, one.style));
            seen.push(id);
        }
    }
    buttons.truncate(25);
    buttons.chunks(5).map(|row| json!({ "type": 1, "components": row })).collect()
}

/// Our id of the button that was pressed under `message`, from the id that Discord gives back. None: the message has no
/// such button any more.
pub fn button_of<'a>(message: &'a Message, pressed: &str) -> Option<&'a Button> {
    message.buttons.iter().find(|button| custom_id(&button.id) == pressed)
}

fn custom_id(id: &str) -> String {
    let plain = !id.is_empty() && !id.chars().any(char::is_control) && !id.starts_with(['#', '|']) && id != OPEN_FORM;
    if plain && !id.starts_with(FORM) && length(id) <= LONGEST_ID {
        return id.to_owned();
    }
    format!("#{}", hex(&Sha256::digest(id.as_bytes())[..24]))
}

fn button(id: &str, says: &str, style: ButtonStyle) -> Value {
    let label = clean(says.trim(), LONGEST_LABEL);
    let label = if label.trim().is_empty() { "…".to_owned() } else { label };
    let style = match style {
        ButtonStyle::Primary => 1,
        ButtonStyle::Plain => 2,
        ButtonStyle::Danger => 4,
    };
    json!({ "type": 2, "style": style, "label": label, "custom_id": id })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(ids: &[&str]) -> Message {
        let buttons =
            ids.iter().map(|id| Button { id: (*id).to_owned(), says: "x".repeat(200), style: ButtonStyle::Plain });
        Message { buttons: buttons.collect(), ..Message::default() }
    }

    #[test]
    fn an_id_that_is_too_long_is_found_again() {
        let long = "x".repeat(300);
        let message = with(&["start checkout-87", &long]);
        let rows = rows(&message);
        let id = rows[0]["components"][1]["custom_id"].as_str().unwrap();
        assert!(id.len() <= LONGEST_ID);
        assert_eq!(button_of(&message, id).map(|b| b.id.as_str()), Some(long.as_str()));
        assert_eq!(button_of(&message, "start checkout-87").map(|b| b.id.as_str()), Some("start checkout-87"));
        assert_eq!(button_of(&message, "start other-1"), None);
    }

    #[test]
    fn no_button_of_ours_poses_as_the_one_that_opens_a_form() {
        let rows = rows(&with(&["form", "form|plan"]));
        assert!(
            rows[0]["components"].as_array().unwrap().iter().all(|b| b["custom_id"].as_str().unwrap().starts_with('#'))
        );
    }
}
