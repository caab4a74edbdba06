//! The ledger as auditors ask it: by kind, by period, by plan. Times never step back in it, so a period is a stretch of
//! numbers.

use super::ledger::{StoredEntry, entry_row};
use super::{Store, Tx, said};
use crate::clock::Time;

/// A stretch of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Stretch {
    /// The first and last entry; 0 where there is none.
    pub first: i64,
    pub last: i64,
    /// How many there are; fewer than the numbers between them is a gap.
    pub entries: i64,
}

const COLUMNS: &str = "select seq, at, kind, plan, bytes, leaf from ledger_entry ";

impl Store {
    /// The entries of a period, up to the entry `size`.
    pub async fn stretch(&self, from: Time, to: Time, size: i64) -> anyhow::Result<Stretch> {
        let (first, last, entries): (Option<i64>, Option<i64>, i64) = sqlx::query_as(
            "select min(seq), max(seq), count(*) from ledger_entry where at >= $1 and at < $2 and seq <= $3",
        )
        .bind(from.ms())
        .bind(to.ms())
        .bind(size)
        .fetch_one(self.reader())
        .await
        .map_err(said)?;
        Ok(Stretch { first: first.unwrap_or(0), last: last.unwrap_or(0), entries })
    }

    /// Entries of one kind behind a number, in order, at most `most`.
    pub async fn ledger_of_kind(&self, kind: &str, after: i64, most: i64) -> anyhow::Result<Vec<StoredEntry>> {
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} where kind = $1 and seq > $2 order by seq limit $3")))
                .bind(kind)
                .bind(after)
                .bind(most)
                .fetch_all(self.reader())
                .await
                .map_err(said)?;
        rows.iter().map(entry_row).collect::<Result<_, sqlx::Error>>().map_err(said)
    }

    /// The newest entries of one kind up to a number, newest first.
    pub async fn newest_of_kind(&self, kind: &str, upto: i64, most: i64) -> anyhow::Result<Vec<StoredEntry>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where kind = $1 and seq <= $2 order by seq desc limit $3"
        )))
        .bind(kind)
        .bind(upto)
        .bind(most)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        rows.iter().map(entry_row).collect::<Result<_, sqlx::Error>>().map_err(said)
    }

    /// The plans that a stretch of the ledger is about, in the order in which they first appear in it: each with the number
    /// of that entry, behind `after`.
    pub async fn plans_in(&self, stretch: Stretch, after: i64, most: i64) -> anyhow::Result<Vec<(i64, String)>> {
        sqlx::query_as(
            "select e.seq, e.plan from ledger_entry e
             where e.seq > $1 and e.seq >= $2 and e.seq <= $3 and e.plan is not null and not exists
                (select 1 from ledger_entry b where b.plan = e.plan and b.seq >= $2 and b.seq < e.seq)
             order by e.seq limit $4",
        )
        .bind(after)
        .bind(stretch.first)
        .bind(stretch.last)
        .bind(most)
        .fetch_all(self.reader())
        .await
        .map_err(said)
    }

    /// Entries of a stretch about deployments that have no plan, behind `after`.
    pub async fn unplanned_in(&self, stretch: Stretch, after: i64, most: i64) -> anyhow::Result<Vec<StoredEntry>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "{COLUMNS} where kind in ('deployment.started', 'deployment.succeeded', 'deployment.failed',
                'deployment.rolled_back') and plan is null and seq > $1 and seq >= $2 and seq <= $3 order by seq limit $4"
        )))
        .bind(after)
        .bind(stretch.first)
        .bind(stretch.last)
        .bind(most)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        rows.iter().map(entry_row).collect::<Result<_, sqlx::Error>>().map_err(said)
    }

    /// The first number at or behind `from` that no entry has, up to `to`.
    pub async fn first_gap(&self, from: i64, to: i64) -> anyhow::Result<Option<i64>> {
        let mut next = from;
        while next <= to {
            let rows: Vec<(i64,)> =
                sqlx::query_as("select seq from ledger_entry where seq >= $1 and seq <= $2 order by seq limit 1000")
                    .bind(next)
                    .bind(to)
                    .fetch_all(self.reader())
                    .await
                    .map_err(said)?;
            if rows.is_empty() {
                return Ok(Some(next));
            }
            for (seq,) in rows {
                if seq != next {
                    return Ok(Some(next));
                }
                next += 1;
            }
        }
        Ok(None)
    }

    /// Plans by what an auditor knows of them, newest first: a handle or service, a person, a period.
    pub async fn plans_found(
        &self,
        period: (Time, Time),
        plan: Option<&str>,
        service: Option<&str>,
        person: Option<&str>,
        before: Option<i64>,
        most: i64,
    ) -> anyhow::Result<Vec<(String, i64)>> {
        // A person is found by what they planned and by every word that they gave.
        sqlx::query_as(
            "select id, made_at from plan where made_at >= $1 and made_at < $2 and ($3 is null or id = $3)
                and ($4 is null or service = $4)
                and ($5 is null or person = $5 or started_by = $5
                    or exists (select 1 from word where word.plan = plan.id and word.person = $5))
                and made_at < $6
             order by made_at desc, id limit $7",
        )
        .bind(period.0.ms())
        .bind(period.1.ms())
        .bind(plan)
        .bind(service)
        .bind(person)
        .bind(before.unwrap_or(i64::MAX))
        .bind(most)
        .fetch_all(self.reader())
        .await
        .map_err(said)
    }
}

impl Tx {
    pub async fn ledger_entry(&mut self, seq: i64) -> anyhow::Result<Option<StoredEntry>> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} where seq = $1")))
            .bind(seq)
            .fetch_optional(self.conn())
            .await
            .map_err(said)?;
        row.as_ref().map(entry_row).transpose().map_err(said)
    }

    /// The newest entries of one kind, newest first.
    pub async fn newest_of_kind(&mut self, kind: &str, most: i64) -> anyhow::Result<Vec<StoredEntry>> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} where kind = $1 order by seq desc limit $2")))
            .bind(kind)
            .bind(most)
            .fetch_all(self.conn())
            .await
            .map_err(said)?;
        rows.iter().map(entry_row).collect::<Result<_, sqlx::Error>>().map_err(said)
    }
}
