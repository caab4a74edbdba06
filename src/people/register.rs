//! Who is who, as it stands: every person of the settings with their accounts, and by what each is known.

use serde::Serialize;

use crate::app::App;
use crate::clock::Time;
use crate::config::PersonKind;
use crate::name::{Person, Role};
use crate::people::account::{Account, accounts};

/// One person, and what is known of them.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    pub person: Person,
    pub kind: PersonKind,
    pub roles: Vec<Role>,
    pub accounts: Vec<ListedAccount>,
}

/// One account of theirs: `slack/T1/U7`, by `settings`, `code` or `email`.
#[derive(Clone, Debug, Serialize)]
pub struct ListedAccount {
    pub account: String,
    pub known_by: &'static str,
    /// Of a link: since when, and by which entry.
    pub since: Option<Time>,
    pub entry: Option<i64>,
}

/// Everybody, in the order of their names; links are read anew.
pub async fn register(app: &App) -> anyhow::Result<Vec<Listed>> {
    super::link::refresh(app).await?;
    let (read, settings, links) = (app.settings_as_read(), app.settings(), app.links());
    let listed = settings.people.iter().map(|(person, known)| {
        let said = |account: Account| ListedAccount {
            account: account.to_string(),
            known_by: "settings",
            since: None,
            entry: None,
        };
        let linked =
            links.iter().filter(|link| link.person == *person && link.holds(&read)).map(|link| ListedAccount {
                account: link.account.to_string(),
                known_by: link.method.as_str(),
                since: Some(link.since),
                entry: Some(link.entry),
            });
        Listed {
            person: person.clone(),
            kind: known.kind,
            roles: known.roles.clone(),
            accounts: accounts(&read, person).into_iter().map(said).chain(linked).collect(),
        }
    });
    Ok(listed.collect())
}
