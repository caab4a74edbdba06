//! What a command is called, takes, and says about itself: read from `commands/*.toml`, which are part of the program.

use std::sync::LazyLock;

use serde::Deserialize;

/// Every command, in the order of help.
pub static ALL: LazyLock<Vec<Spec>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../commands/plan.toml"),
        include_str!("../../commands/amend.toml"),
        include_str!("../../commands/take.toml"),
        include_str!("../../commands/review.toml"),
        include_str!("../../commands/risk.toml"),
        include_str!("../../commands/approve-if.toml"),
        include_str!("../../commands/watch.toml"),
        include_str!("../../commands/changed.toml"),
        include_str!("../../commands/windows.toml"),
        include_str!("../../commands/status.toml"),
        include_str!("../../commands/start.toml"),
        include_str!("../../commands/finished.toml"),
        include_str!("../../commands/rolledback.toml"),
        include_str!("../../commands/outcome.toml"),
        include_str!("../../commands/override.toml"),
        include_str!("../../commands/delegate.toml"),
        include_str!("../../commands/followup.toml"),
        include_str!("../../commands/link.toml"),
        include_str!("../../commands/cancel.toml"),
        include_str!("../../commands/lock.toml"),
        include_str!("../../commands/unlock.toml"),
        include_str!("../../commands/freeze.toml"),
        include_str!("../../commands/why.toml"),
        include_str!("../../commands/policy.toml"),
        include_str!("../../commands/verify.toml"),
        include_str!("../../commands/help.toml"),
    ];
    // The files are compiled in and a test reads each of them.
    let mut specs: Vec<Spec> =
        texts.iter().map(|text| toml::from_str(text).expect("the command's spec reads")).collect();
    for i in 0..specs.len() {
        if let Some(other) = specs[i].options_of.clone()
            && let Some(options) = specs.iter().find(|spec| spec.name == other).map(|spec| spec.options.clone())
        {
            specs[i].options.extend(options);
        }
    }
    specs.sort_by_key(|spec| spec.order);
    specs
});

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    pub name: String,
    pub order: u32,
    pub says: String,
    /// Whether it changes anything: guests and bots may only look.
    #[serde(default)]
    pub changes: bool,
    /// A button stands where it is wanted: on a platform that takes only so many commands it is left to that.
    #[serde(default)]
    pub by_button: bool,
    /// Another command whose options it also takes.
    #[serde(default)]
    pub options_of: Option<String>,
    #[serde(default, rename = "argument")]
    pub arguments: Vec<Argument>,
    #[serde(default, rename = "option")]
    pub options: Vec<Argument>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Argument {
    pub name: String,
    pub kind: ArgumentKind,
    pub label: String,
    pub says: String,
    #[serde(default)]
    pub choices: Vec<String>,
    /// An argument that may be left out; options always may.
    #[serde(default)]
    pub optional: bool,
    /// May be given several times.
    #[serde(default)]
    pub many: bool,
}

/// What an argument is, so that it can be completed, checked and drawn as a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArgumentKind {
    Service,
    Environment,
    ServiceOrEnvironment,
    Version,
    Plan,
    Command,
    Category,
    Choice,
    Number,
    Span,
    Time,
    /// One line.
    Text,
    /// Several lines.
    Long,
    /// `name=value`.
    Set,
    /// People of the settings, by commas or blanks.
    People,
    /// Words by commas.
    List,
    /// Given or not: `--steal`.
    Flag,
    /// Everything that is left.
    Rest,
}

impl Spec {
    /// The command of this name.
    pub fn named(name: &str) -> Option<&'static Spec> {
        ALL.iter().find(|spec| spec.name == name)
    }

    /// `plan SERVICE ENVIRONMENT [VERSION]`, options apart.
    pub fn usage(&self) -> String {
        let mut usage = self.name.clone();
        for argument in &self.arguments {
            let name = argument.name.to_uppercase();
            usage.push_str(&if argument.optional { format!(" [{name}]") } else { format!(" {name}") });
        }
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spec_reads_and_says_something() {
        for spec in ALL.iter() {
            assert!(!spec.says.is_empty() && !spec.says.ends_with('.'), "{}", spec.name);
            for argument in spec.arguments.iter().chain(&spec.options) {
                assert!(!argument.says.is_empty(), "{} {}", spec.name, argument.name);
                assert_eq!(argument.kind == ArgumentKind::Choice, !argument.choices.is_empty(), "{}", argument.name);
            }
        }
    }

    #[test]
    fn every_spec_in_the_folder_is_in_the_list() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("commands");
        let files = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(files, ALL.len());
    }

    #[test]
    fn amend_takes_what_plan_takes() {
        assert!(Spec::named("amend").unwrap().options.iter().any(|option| option.name == "rollback"));
    }
}
