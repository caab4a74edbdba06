//! What only Discord needs said: the instant answer to an interaction, and where the rest of a long list is.

/// The button under a message that asks for something to be filled in.
pub const OPEN_FORM: &str = "Fill in the form";

/// The private answer to an interaction that had nothing else to say in private.
pub const NOTED: &str = "Noted.";

/// The private answer where a command could not be stored.
pub const NOT_STORED: &str = "That could not be stored just now. Please try again.";

/// The private answer in a server that the settings do not name.
pub const OTHER_SERVER: &str = "Tidegate is not set up for this server.";

/// A button under a message that is no longer what it was.
pub const BUTTON_GONE: &str = "That button is no longer in use. The newest message has the right ones.";

/// A form that was opened before a restart.
pub const FORM_GONE: &str = "That form is no longer open. Please type the command again.";

pub const OPEN_AGAIN: &str = "Open the form again";

pub fn more_in_thread(more: usize) -> String {
    format!("… and {more} more; all of it in the thread.")
}

pub fn more_attached(more: usize) -> String {
    format!("… and {more} more; all of it in the attached text.")
}

/// In the thread, where somebody cannot be written to in private: what it is about stays unsaid.
pub fn cannot_whisper(user: &str) -> String {
    format!(
        "<@{user}>, there is a private answer for you. Allow direct messages from members of this server to get such answers."
    )
}

/// Why a form was not taken, line by line.
pub fn form_errors<'a>(errors: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let lines: Vec<String> = errors.map(|(field, says)| format!("{field}: {says}")).collect();
    format!("Not yet:\n{}", lines.join("\n"))
}

/// What a form could not ask for, because Discord's forms have five fields.
pub fn also(command: &str, names: &[&str]) -> String {
    format!("Also as options of {command}: {}.", names.join(", "))
}
