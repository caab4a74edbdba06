//! Links between accounts and people: made and ended in one transaction with their entry, told to both sides, and joined
//! into the settings that everybody sees.

use crate::app::App;
use crate::approval::overriding::Override;
use crate::command::BadCommand;
use crate::event::From;
use crate::ledger::{Record, Statement};
use crate::message::Message;
use crate::name::{Person, PlanId, new_id};
use crate::people::account::{Account, KnownBy, Link, Method, accounts, known_by, reachable};
use crate::plan::show;
use crate::store::Tx;
use crate::wording;
use crate::work::Send;

/// Reads the links anew, where another replica may have changed them.
pub async fn refresh(app: &App) -> anyhow::Result<()> {
    let newest = app.store.newest_link().await?;
    if app.links_as_of() != newest {
        app.linked(app.store.links().await?, newest);
    }
    Ok(())
}

/// At the start and when the settings were read anew: links of people who are in them no more, and of accounts that they
/// name themselves, are over. Nobody inherits them when a name comes back.
pub async fn reconcile(app: &App) -> anyhow::Result<()> {
    let read = app.settings_as_read();
    let over = |link: &Link| match () {
        () if !read.people.contains_key(&link.person) => Some("person"),
        () if link.account.is_in(&read) => Some("settings"),
        () => None,
    };
    if app.store.links().await?.iter().any(|link| over(link).is_some()) {
        let mut tx = app.store.begin(app.clock.now()).await?;
        for link in tx.links().await? {
            if let Some(because) = over(&link) {
                end(app, &mut tx, &link, Statement::new("identity.ended"), because).await?;
            }
        }
        tx.commit().await?;
        app.wake();
    }
    refresh(app).await
}

/// What a new link rests on.
#[derive(Debug)]
pub struct Ground<'a> {
    pub method: Method,
    /// The account that the code was asked for with.
    pub asked: Option<&'a Account>,
    /// The address that the platform confirmed.
    pub address: Option<&'a str>,
}

/// Makes the account behind `from` somebody's. Whoever commits calls [`refresh`].
pub async fn make(
    app: &App,
    tx: &mut Tx,
    from: &From,
    person: &Person,
    ground: &Ground<'_>,
    event: Option<&str>,
) -> anyhow::Result<Link> {
    let id = new_id(tx.now);
    let account = Account::of(from);
    let mut record = Statement::new("identity.linked").by(from, Some(person), None);
    if let Some(event) = event {
        record = record.evidence(event, None);
    }
    let record = record
        .with("link", id.clone())
        .with("of", person.to_string())
        .with("account", account.to_string())
        .with("known_by", ground.method.as_str())
        .with("asked_with", ground.asked.map(ToString::to_string))
        .text("address", ground.address);
    let entry = tx.record(app, record).await?.seq;
    let link = Link { id, person: person.clone(), account, method: ground.method, since: tx.now, entry };
    tx.insert_link(&link).await?;
    let settings = app.settings();
    let message = wording::identity::was_linked(&link, ground.asked, &settings, tx.now);
    for other in accounts(&settings, person).iter().filter(|other| **other != link.account) {
        tell(app, tx, other, message.clone()).await?;
    }
    // Whoever is known on the console alone is told there.
    let console = Account::new("console", person.as_str());
    if settings.chat.console.enabled || ground.asked == Some(&console) {
        tell(app, tx, &console, message).await?;
    }
    Ok(link)
}

/// Ends a link, with `record` saying who did; what was said with the account on plans that wait counts no more. Whoever
/// commits calls [`refresh`].
pub async fn end(app: &App, tx: &mut Tx, link: &Link, record: Statement, because: &str) -> anyhow::Result<()> {
    let record = record
        .with("link", link.id.clone())
        .with("of", link.person.to_string())
        .with("account", link.account.to_string())
        .with("because", because);
    let entry = tx.record(app, record).await?.seq;
    tx.end_link(&link.id, because, entry).await?;
    // An account that is hers by the settings from now on stays hers, with all that was said with it.
    let settings = app.settings_as_read();
    let stays = super::behind(&settings, &link.account.platform, &link.account.user).as_ref() == Some(&link.person);
    if !stays {
        take_back(app, tx, link).await?;
    }
    let message = wording::identity::was_ended(link, because);
    tell(app, tx, &link.account, message.clone()).await?;
    for other in accounts(&app.settings(), &link.person).iter().filter(|other| **other != link.account) {
        tell(app, tx, other, message.clone()).await?;
    }
    Ok(())
}

/// An operator ends the link of an account from the command line; one sentence says what was done.
pub async fn end_by_operator(app: &App, by: &Person, why: &str, account: &str) -> anyhow::Result<(i64, String)> {
    let known = Account::parse(account).ok_or_else(|| BadCommand(wording::identity::no_account(account)))?;
    let mut tx = app.store.begin(app.clock.now()).await?;
    let Some(link) = tx.link_of(&known).await? else {
        return Err(BadCommand(wording::identity::not_linked(&known)).into());
    };
    let record = Statement::new("identity.ended").by_operator(by).text("why", Some(why));
    end(app, &mut tx, &link, record, "operator").await?;
    tx.commit().await?;
    refresh(app).await?;
    app.wake();
    Ok((link.entry, wording::identity::ended_by_operator(&link)))
}

/// Whether the account behind `from` is still this person's at the moment of this transaction. A snapshot may be a moment
/// older than an end that another replica, or another worker, just recorded.
pub async fn still(app: &App, tx: &mut Tx, from: &From, person: &Person) -> anyhow::Result<bool> {
    match known_by(app, &from.platform, &from.user) {
        Some(KnownBy::Link(link)) => {
            Ok(link.person == *person && tx.link_of(&link.account).await?.is_some_and(|now| now.id == link.id))
        }
        Some(KnownBy::Settings) => Ok(true),
        None => Ok(false),
    }
}

/// Takes back what was said with an account that is nobody's any more, on every plan that waits: words and overrides.
async fn take_back(app: &App, tx: &mut Tx, link: &Link) -> anyhow::Result<()> {
    let settings = app.settings();
    for id in tx.plans_spoken_on(&link.person, &link.account.platform).await? {
        let id = PlanId::new(id);
        let Some(mut row) = tx.plan(&id).await? else { continue };
        let Some(revision) = tx.revision(&id, row.revision).await? else { continue };
        let entries = app.store.ledger_of(&id).await?;
        let records: Vec<Record> = entries.iter().filter_map(|entry| Record::parse(&entry.bytes).ok()).collect();
        let with_it = |record: &Record| {
            record.actor.person.as_deref() == Some(link.person.as_str())
                && record.actor.provider.as_deref() == Some(link.account.platform.as_str())
                && record.actor.user.as_deref() == Some(link.account.user.as_str())
        };
        let mut taken = false;
        for word in tx.words(&id).await?.iter().filter(|word| word.revision == row.revision && word.stands()) {
            let gave = |record: &&Record| {
                record.kind.as_str() == "word.given"
                    && record.actor.person.as_deref() == Some(word.person.as_str())
                    && record.plan.as_ref().and_then(|plan| plan.revision) == u64::try_from(word.revision).ok()
                    && record.data.get("word").and_then(|word| word.as_str()) == Some(word.kind.as_str())
            };
            if word.person != link.person || !records.iter().rev().find(gave).is_some_and(with_it) {
                continue;
            }
            tx.withdraw_word(&word.id).await?;
            let record = Statement::new("word.withdrawn")
                .of(&row, Some(&revision.brief))
                .with("word", word.kind.as_str())
                .with("of", word.person.to_string())
                .with("because", "identity.ended");
            tx.record(app, record).await?;
            taken = true;
        }
        let overrode = |given: &Override| {
            let by = records.iter().find(|record| i64::try_from(record.seq).ok() == Some(given.entry));
            by.is_some_and(with_it).then(|| wording::identity::not_theirs(link))
        };
        crate::plan::overriding::end(app, tx, &row, overrode).await?;
        if taken {
            crate::plan::word::settle(app, tx, &mut row, &revision, &settings).await?;
            let tally = show::tally_of(tx, &row, &revision, &settings).await?;
            let progress = wording::card::progress(&row, &tally);
            show::in_thread(tx, &row, wording::identity::no_longer_counts(link, &progress)).await?;
        }
    }
    Ok(())
}

/// A private message to an account, where its platform is set up.
async fn tell(app: &App, tx: &mut Tx, account: &Account, message: Message) -> anyhow::Result<()> {
    let Some(channel) = reachable(app, &app.settings(), account) else { return Ok(()) };
    tx.send(&Send::to(account.platform.as_str(), &channel, message).direct(account.user.clone())).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Time};
    use crate::config::Settings;
    use crate::ledger::Signer;
    use crate::name::Channel;
    use crate::people::behind;

    const SETTINGS: &str = "[people.ada]\nslack = [\"T1/U1\"]\n[people.lin]\n";

    fn settings(text: &str) -> Settings {
        Settings::read(text, "the test", std::path::PathBuf::new()).unwrap()
    }

    /// One replica; others share its store and key.
    async fn replica(folder: &std::path::Path) -> App {
        let clock = Clock::beginning_at(Time::from_ms(1_700_000_000_000));
        crate::cli::serve::build(settings(SETTINGS), clock, folder.to_owned()).await.unwrap()
    }

    async fn another(first: &App) -> App {
        let head = first.store.ledger_head().await.unwrap().unwrap();
        let signer = Signer::open(&first.data, &head.origin, head.size(), None).unwrap();
        App::new(first.store.clone(), first.clock.clone(), settings(SETTINGS), Vec::new(), signer, first.data.clone())
    }

    fn hopper() -> From {
        From::new("discord", "42", Channel::new("1/2"))
    }

    async fn link(app: &App, from: &From, person: &str) -> Link {
        let mut tx = app.store.begin(app.clock.now()).await.unwrap();
        let ground = Ground { method: Method::Code, asked: Some(&Account::new("slack", "T1/U1")), address: None };
        let link = make(app, &mut tx, from, &person.into(), &ground, None).await.unwrap();
        tx.commit().await.unwrap();
        link
    }

    #[tokio::test]
    async fn replicas_see_each_others_links_and_their_ends() {
        let folder = tempfile::tempdir().unwrap();
        let here = replica(folder.path()).await;
        let there = another(&here).await;
        let who = |app: &App| behind(&app.settings(), "discord", "42");
        let made = link(&here, &hopper(), "ada").await;
        refresh(&here).await.unwrap();
        assert_eq!((who(&here), who(&there)), (Some("ada".into()), None));
        refresh(&there).await.unwrap();
        assert_eq!(who(&there), Some("ada".into()));
        // What groups give and what a reload brings leave it as it is.
        there.told_roles("slack", [("ada".into(), ["lead".into()].into())].into());
        there.reload(settings(SETTINGS), Vec::new());
        assert_eq!(who(&there), Some("ada".into()));
        assert_eq!(there.settings().people[&Person::new("ada")].roles, ["lead".into()]);

        let mut tx = here.store.begin(here.clock.now()).await.unwrap();
        end(&here, &mut tx, &made, Statement::new("identity.ended"), "unlinked").await.unwrap();
        tx.commit().await.unwrap();
        // The other replica's snapshot is older than that; what it decides is not.
        assert_eq!(who(&there), Some("ada".into()));
        let mut tx = there.store.begin(there.clock.now()).await.unwrap();
        assert!(!still(&there, &mut tx, &hopper(), &"ada".into()).await.unwrap());
        drop(tx);
        refresh(&there).await.unwrap();
        assert_eq!(who(&there), None);
        let verdict = crate::ledger::verify_store(&here.store, &here.signer, &[]).await.unwrap();
        assert!(verdict.ok, "{verdict:?}");
    }

    #[tokio::test]
    async fn an_account_stands_linked_to_one_person_alone() {
        let folder = tempfile::tempdir().unwrap();
        let app = replica(folder.path()).await;
        link(&app, &hopper(), "ada").await;
        let mut tx = app.store.begin(app.clock.now()).await.unwrap();
        let ground = Ground { method: Method::Code, asked: None, address: None };
        assert!(make(&app, &mut tx, &hopper(), &"lin".into(), &ground, None).await.is_err());
        drop(tx);
        refresh(&app).await.unwrap();
        assert_eq!(behind(&app.settings(), "discord", "42"), Some("ada".into()));
    }
}
