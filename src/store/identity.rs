//! Accounts that are people's by a link, the one-time codes that make links, and the codes that were refused.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, said};
use crate::clock::Time;
use crate::name::Person;
use crate::people::account::{Account, Link, Method};
use crate::people::code::Kept;

/// A one-time code as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRow {
    pub id: String,
    pub kept: Kept,
    pub person: Person,
    /// Where it was asked for.
    pub asked: Account,
    pub until: Time,
    /// The entry that says that it was asked for.
    pub entry: i64,
    /// Wrong codes that began as it does.
    pub failed: i64,
    /// `used`, `replaced` or `failed`, once it is good no more.
    pub spent: Option<String>,
}

const LINK: &str = "select id, person, platform, platform_user, method, since, entry, ended from identity_link";

fn select_links(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{LINK} {rest}"))
}

const STANDING: &str = "where ended_at is null order by since, id";

impl Store {
    /// Every link that stands.
    pub async fn links(&self) -> anyhow::Result<Vec<Link>> {
        let rows = sqlx::query(select_links(STANDING)).fetch_all(self.reader()).await.map_err(said)?;
        rows.iter().map(link_row).collect()
    }

    /// The newest entry about a link: it rises with every one that is made or ended.
    pub async fn newest_link(&self) -> anyhow::Result<i64> {
        let newest: (i64, i64) = sqlx::query_as(
            "select cast(coalesce(max(entry), 0) as bigint), cast(coalesce(max(ended_entry), 0) as bigint)
             from identity_link",
        )
        .fetch_one(self.reader())
        .await
        .map_err(said)?;
        Ok(newest.0.max(newest.1))
    }

    /// Links whose names follow `after`, with how each ended, at most `most`: for the comparison with the ledger.
    pub async fn all_links(&self, after: &str, most: i64) -> anyhow::Result<Vec<(Link, Option<String>)>> {
        let rows = sqlx::query(select_links("where id > $1 order by id limit $2"))
            .bind(after)
            .bind(most)
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        rows.iter().map(|row| Ok((link_row(row)?, row.try_get("ended")?))).collect()
    }

    /// The code that begins so, as it stands before anything is decided.
    pub async fn code(&self, selector: &str) -> anyhow::Result<Option<CodeRow>> {
        let row = sqlx::query(CODE).bind(selector).fetch_optional(self.reader()).await.map_err(said)?;
        row.as_ref().map(code_row).transpose()
    }
}

const CODE: &str = "select selector, id, person, platform, platform_user, salt, hash, until, entry, failed, spent
    from identity_code where selector = $1";

impl Tx {
    /// Every link that stands.
    pub async fn links(&mut self) -> anyhow::Result<Vec<Link>> {
        let rows = sqlx::query(select_links(STANDING)).fetch_all(self.conn()).await.map_err(said)?;
        rows.iter().map(link_row).collect()
    }

    /// Whose an account is by a link that stands.
    pub async fn link_of(&mut self, account: &Account) -> anyhow::Result<Option<Link>> {
        let row = sqlx::query(select_links("where platform = $1 and platform_user = $2 and ended_at is null"))
            .bind(&account.platform)
            .bind(&account.user)
            .fetch_optional(self.conn())
            .await
            .map_err(said)?;
        row.as_ref().map(link_row).transpose()
    }

    /// Whether a person, or an operator for them, ended a link of this account: what is found by itself comes back no more.
    pub async fn was_unlinked(&mut self, account: &Account) -> anyhow::Result<bool> {
        let (count,): (i64,) = sqlx::query_as(
            "select count(*) from identity_link
             where platform = $1 and platform_user = $2 and ended in ('unlinked', 'operator')",
        )
        .bind(&account.platform)
        .bind(&account.user)
        .fetch_one(self.conn())
        .await
        .map_err(said)?;
        Ok(count > 0)
    }

    pub async fn insert_link(&mut self, link: &Link) -> anyhow::Result<()> {
        sqlx::query(
            "insert into identity_link (id, person, platform, platform_user, method, since, entry)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&link.id)
        .bind(link.person.as_str())
        .bind(&link.account.platform)
        .bind(&link.account.user)
        .bind(link.method.as_str())
        .bind(link.since.ms())
        .bind(link.entry)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// Ends a link, by the entry `entry`.
    pub async fn end_link(&mut self, id: &str, because: &str, entry: i64) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("update identity_link set ended_at = $1, ended = $2, ended_entry = $3 where id = $4")
            .bind(now.ms())
            .bind(because)
            .bind(entry)
            .bind(id)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// Plans that wait and on which a person's words stand that were given on this platform, or overrides of theirs.
    pub async fn plans_spoken_on(&mut self, person: &Person, platform: &str) -> anyhow::Result<Vec<String>> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "select plan.id from plan
             where plan.state in ('draft', 'advised', 'approved', 'held', 'objected') and (
                 exists (select 1 from word where word.plan = plan.id and word.revision = plan.revision
                     and word.person = $1 and word.platform = $2
                     and word.withdrawn_at is null and word.voided_at is null)
                 or exists (select 1 from overriding where overriding.plan = plan.id and overriding.person = $1
                     and overriding.over_at is null))
             order by plan.id",
        )
        .bind(person.as_str())
        .bind(platform)
        .fetch_all(self.conn())
        .await
        .map_err(said)?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Keeps a new code; the same person's older ones are good no more, and old rows are forgotten.
    pub async fn insert_code(&mut self, code: &CodeRow, forget_before: Time) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("delete from identity_code where until < $1")
            .bind(forget_before.ms())
            .execute(self.conn())
            .await
            .map_err(said)?;
        sqlx::query("update identity_code set spent = 'replaced' where person = $1 and spent is null")
            .bind(code.person.as_str())
            .execute(self.conn())
            .await
            .map_err(said)?;
        sqlx::query(
            "insert into identity_code
                 (selector, id, person, platform, platform_user, salt, hash, made_at, until, entry)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(&code.kept.selector)
        .bind(&code.id)
        .bind(code.person.as_str())
        .bind(&code.asked.platform)
        .bind(&code.asked.user)
        .bind(&code.kept.salt)
        .bind(&code.kept.hash)
        .bind(now.ms())
        .bind(code.until.ms())
        .bind(code.entry)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    pub async fn code(&mut self, selector: &str) -> anyhow::Result<Option<CodeRow>> {
        let row = sqlx::query(CODE).bind(selector).fetch_optional(self.conn()).await.map_err(said)?;
        row.as_ref().map(code_row).transpose()
    }

    /// Spends a code. False: somebody else did.
    pub async fn spend_code(&mut self, id: &str, how: &str) -> anyhow::Result<bool> {
        let done = sqlx::query("update identity_code set spent = $1 where id = $2 and spent is null")
            .bind(how)
            .bind(id)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(done.rows_affected() == 1)
    }

    /// Counts a wrong code that began as this one does.
    pub async fn code_failed(&mut self, id: &str) -> anyhow::Result<()> {
        sqlx::query("update identity_code set failed = failed + 1 where id = $1")
            .bind(id)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// Notes that a code of this account was refused, and forgets what is older than `forget_before`.
    pub async fn insert_failure(
        &mut self,
        id: &str,
        account: &Account,
        because: &str,
        forget_before: Time,
    ) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("delete from identity_failure where at < $1")
            .bind(forget_before.ms())
            .execute(self.conn())
            .await
            .map_err(said)?;
        sqlx::query(
            "insert into identity_failure (id, platform, platform_user, because, at) values ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(&account.platform)
        .bind(&account.user)
        .bind(because)
        .bind(now.ms())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// Why and when codes of this account were refused since then, oldest first.
    pub async fn failures(&mut self, account: &Account, since: Time) -> anyhow::Result<Vec<(String, Time)>> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "select because, at from identity_failure
             where platform = $1 and platform_user = $2 and at >= $3 order by at, id limit 100",
        )
        .bind(&account.platform)
        .bind(&account.user)
        .bind(since.ms())
        .fetch_all(self.conn())
        .await
        .map_err(said)?;
        Ok(rows.into_iter().map(|(because, at)| (because, Time::from_ms(at))).collect())
    }
}

fn link_row(row: &AnyRow) -> anyhow::Result<Link> {
    let (person, method): (String, String) = (row.try_get("person")?, row.try_get("method")?);
    Ok(Link {
        id: row.try_get("id")?,
        person: Person::new(person),
        account: Account { platform: row.try_get("platform")?, user: row.try_get("platform_user")? },
        method: Method::parse(&method).ok_or_else(|| anyhow::anyhow!("a stored link has an unknown method"))?,
        since: Time::from_ms(row.try_get("since")?),
        entry: row.try_get("entry")?,
    })
}

fn code_row(row: &AnyRow) -> anyhow::Result<CodeRow> {
    let person: String = row.try_get("person")?;
    Ok(CodeRow {
        id: row.try_get("id")?,
        kept: Kept { selector: row.try_get("selector")?, salt: row.try_get("salt")?, hash: row.try_get("hash")? },
        person: Person::new(person),
        asked: Account { platform: row.try_get("platform")?, user: row.try_get("platform_user")? },
        until: Time::from_ms(row.try_get("until")?),
        entry: row.try_get("entry")?,
        failed: row.try_get("failed")?,
        spent: row.try_get("spent")?,
    })
}
