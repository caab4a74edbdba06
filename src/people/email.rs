//! Accounts that are known by an address that their platform confirmed: where the settings allow it, and only where
//! exactly one person has that address.

use crate::app::App;
use crate::config::{PersonKind, Settings};
use crate::event::From;
use crate::ledger::Statement;
use crate::name::Person;
use crate::people::account::{Account, KnownBy, Method, accounts, known_by};
use crate::people::link::{self, Ground};
use crate::people::with_email;

/// Makes an account that nobody knows somebody's, if its platform confirmed an address that is theirs.
pub async fn recognise(app: &App, from: &From) -> anyhow::Result<()> {
    let settings = app.settings();
    let account = Account::of(from);
    if domains(&settings, &account).is_empty() || account.is_in(&settings) {
        return Ok(());
    }
    let chat = app.chat(&from.platform)?;
    if chat.kind(&from.user).await? != PersonKind::Member {
        return Ok(());
    }
    let Some(address) = chat.email(&from.user).await? else { return Ok(()) };
    let Some(person) = whose(&settings, &account, &address) else { return Ok(()) };
    // Whose account there the settings name has no second one by an address: two with one address is one too many.
    if accounts(&settings, &person).iter().any(|other| other.place() == account.place()) {
        return Ok(());
    }
    let mut tx = app.store.begin(app.clock.now()).await?;
    if tx.link_of(&account).await?.is_none() && !tx.was_unlinked(&account).await? {
        let ground = Ground { method: Method::Email, asked: None, address: Some(&address) };
        link::make(app, &mut tx, from, &person, &ground, None).await?;
        tx.commit().await?;
    }
    link::refresh(app).await
}

/// Whether an account that was known by an address is so no more: the address changed, is confirmed no more, or means
/// another person now. Then the link is over.
pub async fn is_lost(app: &App, from: &From, person: &Person) -> anyhow::Result<bool> {
    let Some(KnownBy::Link(known)) = known_by(app, &from.platform, &from.user) else { return Ok(false) };
    if known.method != Method::Email {
        return Ok(false);
    }
    let address = app.chat(&from.platform)?.email(&from.user).await?;
    let is = address.and_then(|address| whose(&app.settings(), &known.account, &address));
    if is.as_ref() == Some(person) {
        return Ok(false);
    }
    let mut tx = app.store.begin(app.clock.now()).await?;
    if let Some(known) = tx.link_of(&known.account).await? {
        link::end(app, &mut tx, &known, Statement::new("identity.ended"), "email").await?;
        tx.commit().await?;
    }
    link::refresh(app).await?;
    Ok(true)
}

/// The member whose address it is, if the settings let it speak for them here.
fn whose(settings: &Settings, account: &Account, address: &str) -> Option<Person> {
    let (_, domain) = address.rsplit_once('@')?;
    if !domains(settings, account).iter().any(|allowed| allowed.eq_ignore_ascii_case(domain)) {
        return None;
    }
    let person = with_email(settings, address)?;
    let known = settings.people.get(&person)?;
    (known.kind == PersonKind::Member).then_some(person)
}

/// The domains whose addresses count on this account's workspace. Discord tells bots no address.
fn domains<'s>(settings: &'s Settings, account: &Account) -> &'s [String] {
    let ("slack", team) = account.place() else { return &[] };
    let workspaces = settings.chat.slack.iter().flat_map(|slack| &slack.workspace);
    workspaces.into_iter().find(|workspace| workspace.team == team).map_or(&[], |of| of.email_domains.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_of_an_allowed_domain_that_one_member_has_is_somebodys() {
        let text = "[people.ada]\nemail = [\"ada@example.org\", \"ada@home.example\", \"both@example.org\"]\n\
                    [people.lin]\nemail = [\"lin@example.org\", \"both@example.org\"]\n\
                    [people.gil]\nkind = \"guest\"\nemail = [\"gil@example.org\"]\n\
                    [chat.slack]\n[[chat.slack.workspace]]\nteam = \"T1\"\nchannel = \"C1\"\n\
                    email-domains = [\"example.org\"]\nbot-token = { value = \"x\" }\napp-token = { value = \"x\" }\n";
        let settings = Settings::read(text, "the test", std::path::PathBuf::new()).unwrap();
        let of = |user: &str, address: &str| whose(&settings, &Account::new("slack", user), address);
        assert_eq!(of("T1/U1", "Ada@Example.org"), Some("ada".into()));
        for nobodys in [
            "ada@home.example",
            "both@example.org",
            "gil@example.org",
            "eve@example.org",
            "аda@example.org",
            "ada@example.org.evil.example",
            "ada@evil.example@example.org",
            "ada",
            "",
        ] {
            assert_eq!(of("T1/U1", nobodys), None, "{nobodys}");
        }
        assert_eq!(of("T2/U1", "ada@example.org"), None, "another workspace");
        assert_eq!(whose(&settings, &Account::new("discord", "42"), "ada@example.org"), None);
    }
}
