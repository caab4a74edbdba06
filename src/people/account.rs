//! Accounts on platforms, and by what each is known to be somebody's: the settings, or a link.

use crate::app::App;
use crate::clock::Time;
use crate::config::Settings;
use crate::event::From;
use crate::name::{Channel, Person};

/// An account on a platform, in the platform's own ids: on Slack `TEAM/USER`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Account {
    pub platform: String,
    pub user: String,
}

/// How a link was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A one-time code, asked for where the person was known.
    Code,
    /// An address that the platform confirmed.
    Email,
}

/// An account that is somebody's from a moment on, until it is ended. What the settings say comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub id: String,
    pub person: Person,
    pub account: Account,
    pub method: Method,
    pub since: Time,
    /// The entry that made it.
    pub entry: i64,
}

/// By what an account is known to be somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownBy {
    Settings,
    Link(Link),
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Code => "code",
            Method::Email => "email",
        }
    }

    pub fn parse(text: &str) -> Option<Method> {
        [Method::Code, Method::Email].into_iter().find(|method| method.as_str() == text)
    }
}

impl KnownBy {
    pub fn as_str(&self) -> &'static str {
        match self {
            KnownBy::Settings => "settings",
            KnownBy::Link(link) => link.method.as_str(),
        }
    }
}

impl Account {
    pub fn new(platform: &str, user: &str) -> Account {
        Account { platform: platform.to_owned(), user: user.to_owned() }
    }

    pub fn of(from: &From) -> Account {
        Account::new(&from.platform, &from.user)
    }

    /// As people type and read it: `slack/T1/U7`, `discord/42`.
    pub fn parse(text: &str) -> Option<Account> {
        let (platform, user) = text.trim().trim_matches('`').split_once(['/', ' '])?;
        let platform = platform.to_lowercase();
        let user = user.trim();
        (!user.is_empty() && ["slack", "discord"].contains(&platform.as_str())).then(|| Account::new(&platform, user))
    }

    /// The platform, and the workspace where there are several: two accounts of one place could as well be one.
    pub fn place(&self) -> (&str, &str) {
        (&self.platform, self.user.split_once('/').map_or("", |(workspace, _)| workspace))
    }

    /// Whether the settings name this account for anybody at all.
    pub fn is_in(&self, settings: &Settings) -> bool {
        settings.people.iter().any(|(_, known)| {
            let ids = match self.platform.as_str() {
                "slack" => &known.slack,
                "discord" => &known.discord,
                _ => return false,
            };
            ids.iter().any(|id| Account::new(&self.platform, &whole(settings, &self.platform, id)) == *self)
        })
    }

    /// The channel under which a direct message to this account goes out; None where the platform is not set up.
    fn channel(&self, app: &App, settings: &Settings) -> Option<Channel> {
        let chat = app.chat(&self.platform).ok()?;
        if self.platform != "slack" {
            return chat.home(settings);
        }
        let (_, team) = self.place();
        let of = settings.chat.slack.as_ref()?.workspace.iter().find(|workspace| workspace.team == team)?;
        Some(Channel::new(format!("{}/{}", of.team, of.channel)))
    }
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.platform, self.user)
    }
}

/// A bare Slack user is meant in the one workspace that there is.
fn whole(settings: &Settings, platform: &str, id: &str) -> String {
    match (&settings.chat.slack, platform) {
        (Some(slack), "slack") if !id.contains('/') && slack.workspace.len() == 1 => {
            format!("{}/{id}", slack.workspace[0].team)
        }
        _ => id.to_owned(),
    }
}

/// Every account of a person on a platform that has several: those of the settings, and those that were linked.
pub fn accounts(settings: &Settings, person: &Person) -> Vec<Account> {
    let Some(known) = settings.people.get(person) else { return Vec::new() };
    let slack = known.slack.iter().map(|id| Account::new("slack", &whole(settings, "slack", id)));
    slack.chain(known.discord.iter().map(|id| Account::new("discord", id))).collect()
}

/// Where a private message reaches an account: its channel, for [`crate::work::Send`].
pub fn reachable(app: &App, settings: &Settings, account: &Account) -> Option<Channel> {
    account.channel(app, settings)
}

/// By what the account behind `from` is known; None: nobody's.
pub fn known_by(app: &App, platform: &str, user: &str) -> Option<KnownBy> {
    let account = Account::new(platform, user);
    if let Some(link) = app.links().iter().find(|link| link.account == account && link.holds(&app.settings_as_read())) {
        return Some(KnownBy::Link(link.clone()));
    }
    super::behind(&app.settings(), platform, user).map(|_| KnownBy::Settings)
}

impl Link {
    /// Whether it says something that the settings leave open: its person is one of them, and its account nobody's there.
    pub fn holds(&self, read: &Settings) -> bool {
        read.people.contains_key(&self.person) && !self.account.is_in(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let text = "[people.ada]\nslack = [\"U1\"]\n[people.lin]\nslack = [\"T1/U2\"]\ndiscord = [\"42\"]\n\
                    [chat.slack]\n[[chat.slack.workspace]]\nteam = \"T1\"\nchannel = \"C1\"\n\
                    bot-token = { value = \"x\" }\napp-token = { value = \"x\" }\n";
        Settings::read(text, "the test", std::path::PathBuf::new()).unwrap()
    }

    #[test]
    fn an_account_of_the_settings_is_one_however_it_is_written_there() {
        let settings = settings();
        for (platform, user, is) in [
            ("slack", "T1/U1", true),
            ("slack", "T1/U2", true),
            ("slack", "T2/U1", false),
            ("discord", "42", true),
            ("discord", "U1", false),
            ("console", "ada", false),
        ] {
            assert_eq!(Account::new(platform, user).is_in(&settings), is, "{platform} {user}");
        }
        assert_eq!(accounts(&settings, &"ada".into()), [Account::new("slack", "T1/U1")]);
    }

    #[test]
    fn the_settings_come_before_a_link() {
        let settings = settings();
        let link = |person: &str, user: &str| Link {
            id: "1".to_owned(),
            person: person.into(),
            account: Account::new("discord", user),
            method: Method::Code,
            since: Time::from_ms(0),
            entry: 1,
        };
        assert!(link("ada", "7").holds(&settings));
        assert!(!link("ada", "42").holds(&settings), "it is lin's there");
        assert!(!link("lin", "42").holds(&settings), "it is hers by the settings");
        assert!(!link("nobody", "7").holds(&settings));
    }

    #[test]
    fn an_account_reads_as_it_is_shown() {
        let account = Account::new("slack", "T1/U7");
        assert_eq!(Account::parse(&account.to_string()), Some(account.clone()));
        assert_eq!(Account::parse("Slack T1/U7"), Some(account));
        assert_eq!(Account::parse("console/ada"), None);
        assert_eq!(Account::parse("discord/"), None);
    }
}
