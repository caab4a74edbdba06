//! Whom account ids mean: by the settings, or by the addresses and names that Jira tells.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::Jsm;
use crate::message::tame;
use crate::name::Person;
use crate::source::called::person;
use crate::source::rest::{Failed, readable};
use crate::source::{Ask, CannotSay};

/// So many people are asked for at once.
const AT_ONCE: usize = 50;

#[derive(Debug, Deserialize)]
struct Page {
    values: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    account_id: String,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    email_address: Option<String>,
}

impl Jsm {
    /// Everybody behind the account ids; who has no name there keeps the id. That names are not told stops nothing, for it is
    /// worth knowing that somebody is on call.
    pub(super) async fn people<'a>(
        &self,
        accounts: &BTreeSet<&'a str>,
        ask: &Ask,
    ) -> (BTreeMap<&'a str, Person>, Option<String>) {
        let set = |account: &str| {
            let mut people = self.keys.people.iter();
            people.find(|(_, ids)| ids.list().iter().any(|id| id == account)).map(|(person, _)| person.clone())
        };
        let mut found: BTreeMap<&str, Person> =
            accounts.iter().filter_map(|account| Some((*account, set(account)?))).collect();
        let unknown: Vec<&'a str> = accounts.iter().filter(|account| !found.contains_key(**account)).copied().collect();
        let mut trouble = None;
        for some in unknown.chunks(AT_ONCE) {
            match self.users(some).await {
                Ok(users) => found.extend(users.into_iter().filter_map(|user| {
                    let account = some.iter().find(|account| **account == user.account_id)?;
                    let person = person(&ask.settings, user.email_address.as_deref(), user.display_name.as_deref())?;
                    Some((*account, person))
                })),
                Err(failed) => trouble = Some(format!("told no names of people: {}", CannotSay::from(failed))),
            }
        }
        for account in accounts {
            found.entry(account).or_insert_with(|| Person::new(tame(account, 80)));
        }
        (found, trouble)
    }

    async fn users(&self, accounts: &[&str]) -> Result<Vec<User>, Failed> {
        let most = accounts.len().to_string();
        // Without `maxResults` only ten are answered.
        let mut query = vec![("maxResults", most.as_str())];
        query.extend(accounts.iter().map(|account| ("accountId", *account)));
        let path = ["ex", "jira", self.keys.cloud.as_str(), "rest", "api", "3", "user", "bulk"];
        let page: Page = self.rest.get_object(&path, &query).await?;
        Ok(readable(page.values).0)
    }
}
