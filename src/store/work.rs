//! What must be done once: arrivals, messages to send, things that fall due. Claimed with a lease and a token, worked
//! in order within a lane, finished in the transaction that has the effect.

use super::{Store, Tx, said};
use crate::clock::{Millis, Time};

/// How a piece of work came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Arrival,
    Send,
    Due,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Arrival => "arrival",
            Kind::Send => "send",
            Kind::Due => "due",
        }
    }

    fn parse(text: &str) -> Kind {
        match text {
            "arrival" => Kind::Arrival,
            "send" => Kind::Send,
            _ => Kind::Due,
        }
    }
}

/// A piece of work that somebody holds until `token` changes hands.
#[derive(Clone, Debug)]
pub struct Claim {
    pub id: String,
    pub kind: Kind,
    pub lane: String,
    pub key: String,
    pub body: String,
    pub attempts: i64,
    token: i64,
}

impl Claim {
    /// A claim on nothing, for looking without doing: what asks to finish it is refused.
    pub fn unheld() -> Claim {
        let none = String::new();
        Claim {
            id: none.clone(),
            kind: Kind::Arrival,
            lane: none.clone(),
            key: none.clone(),
            body: none,
            attempts: 0,
            token: -1,
        }
    }
}

/// A new piece of work.
#[derive(Clone, Debug)]
pub struct NewWork {
    pub id: String,
    pub kind: Kind,
    pub lane: String,
    /// The same key twice is the same work.
    pub key: String,
    pub run_at: Time,
    pub body: String,
}

impl Store {
    /// Stores arrivals, all in one statement; those whose key is known already are left alone. Durable on return.
    pub async fn arrive(&self, arrivals: &[NewWork], now: Time) -> anyhow::Result<()> {
        for chunk in arrivals.chunks(64) {
            // Numbered placeholders by hand: what `QueryBuilder` writes through `Any` only SQLite understands.
            let row = |i: usize| {
                let n = i * 7;
                format!("(${}, ${}, ${}, ${}, ${}, ${}, ${})", n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7)
            };
            let rows: Vec<String> = (0..chunk.len()).map(row).collect();
            let statement = format!(
                "insert into work (id, kind, lane, key, run_at, body, made_at) values {} on conflict (key) do nothing",
                rows.join(", ")
            );
            let mut insert = sqlx::query(sqlx::AssertSqlSafe(statement));
            for work in chunk {
                insert = insert
                    .bind(&work.id)
                    .bind(work.kind.as_str())
                    .bind(&work.lane)
                    .bind(&work.key)
                    .bind(work.run_at.ms())
                    .bind(&work.body)
                    .bind(now.ms());
            }
            insert.execute(self.writer()).await.map_err(said)?;
        }
        Ok(())
    }

    /// Claims the next piece of work that may run now, oldest first. Within a lane one at a time and in order: what came
    /// earlier goes first even while it waits to be tried again; only something that is not due yet lets others pass.
    pub async fn claim(&self, now: Time, lease: Millis) -> anyhow::Result<Option<Claim>> {
        let row: Option<(String, String, String, String, String, i64, i64)> = sqlx::query_as(
            "update work set lease_until = $1, token = token + 1, attempts = attempts + 1
             where id = (
                 select w.id from work w
                 where w.done_at is null and w.dead_at is null and w.run_at <= $2
                   and (w.lease_until is null or w.lease_until < $3)
                   and not exists (
                       select 1 from work other
                       where other.lane = w.lane and other.id <> w.id
                         and other.done_at is null and other.dead_at is null
                         and (other.lease_until >= $4
                           or other.id < w.id and (other.kind <> 'due' or other.run_at <= $5)))
                 order by w.run_at, w.id limit 1)
               and (lease_until is null or lease_until < $6)
             returning id, kind, lane, key, body, attempts, token",
        )
        .bind(now.plus(lease).ms())
        .bind(now.ms())
        .bind(now.ms())
        .bind(now.ms())
        .bind(now.ms())
        .bind(now.ms())
        .fetch_optional(self.writer())
        .await
        .map_err(said)?;
        Ok(row.map(|(id, kind, lane, key, body, attempts, token)| Claim {
            id,
            kind: Kind::parse(&kind),
            lane,
            key,
            body,
            attempts,
            token,
        }))
    }

    /// Holds a piece of work for longer; the holder is still at it.
    pub async fn renew(&self, claim: &Claim, now: Time, lease: Millis) -> anyhow::Result<()> {
        sqlx::query("update work set lease_until = $1 where id = $2 and token = $3 and done_at is null and lease_until is not null")
            .bind(now.plus(lease).ms())
            .bind(&claim.id)
            .bind(claim.token)
            .execute(self.writer())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// Gives a piece of work back, to be tried again at `run_at`, or never (`dead`).
    pub async fn retry(&self, claim: &Claim, error: &str, run_at: Option<Time>, now: Time) -> anyhow::Result<()> {
        let error: String = error.chars().take(500).collect();
        sqlx::query(
            "update work set lease_until = null, last_error = $1, run_at = $2, dead_at = $3
             where id = $4 and token = $5 and done_at is null",
        )
        .bind(error)
        .bind(run_at.unwrap_or(now).ms())
        .bind(if run_at.is_some() { None } else { Some(now.ms()) })
        .bind(&claim.id)
        .bind(claim.token)
        .execute(self.writer())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// When the next piece of work may run, held or not; None: nothing is left to do.
    pub async fn next_work(&self) -> anyhow::Result<Option<Time>> {
        let row: Option<(i64,)> =
            sqlx::query_as("select run_at from work where done_at is null and dead_at is null order by run_at limit 1")
                .fetch_optional(self.reader())
                .await
                .map_err(said)?;
        Ok(row.map(|(at,)| Time::from_ms(at)))
    }

    /// How many pieces of work could be done now, are being done, or failed and will be tried again.
    pub async fn pending(&self, now: Time) -> anyhow::Result<i64> {
        let (count,): (i64,) = sqlx::query_as(
            "select count(*) from work where done_at is null and dead_at is null and (run_at <= $1 or attempts > 0)",
        )
        .bind(now.ms())
        .fetch_one(self.reader())
        .await
        .map_err(said)?;
        Ok(count)
    }

    /// Whether a piece of work is over, one way or the other.
    pub async fn is_done(&self, id: &str) -> anyhow::Result<bool> {
        let (open,): (i64,) =
            sqlx::query_as("select count(*) from work where id = $1 and done_at is null and dead_at is null")
                .bind(id)
                .fetch_one(self.reader())
                .await
                .map_err(said)?;
        Ok(open == 0)
    }

    /// How many pieces of work failed too often.
    pub async fn put_aside(&self) -> anyhow::Result<i64> {
        let (count,): (i64,) = sqlx::query_as("select count(*) from work where dead_at is not null")
            .fetch_one(self.reader())
            .await
            .map_err(said)?;
        Ok(count)
    }

    /// Forgets work that was done before `before`; long enough ago that nobody delivers it again.
    pub async fn forget_done(&self, before: Time) -> anyhow::Result<()> {
        sqlx::query("delete from work where done_at is not null and done_at < $1")
            .bind(before.ms())
            .execute(self.writer())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// Gives back at once what this process held when it died or was told to stop. Only where it is the only process.
    pub async fn release_all(&self) -> anyhow::Result<()> {
        sqlx::query(
            "update work set lease_until = null, token = token + 1 where done_at is null and lease_until is not null",
        )
        .execute(self.writer())
        .await
        .map_err(said)?;
        sqlx::query("delete from lease").execute(self.writer()).await.map_err(said)?;
        Ok(())
    }
}

impl Tx {
    /// Adds work; the same key again is left alone.
    pub async fn add_work(&mut self, work: &NewWork) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query(
            "insert into work (id, kind, lane, key, run_at, body, made_at) values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (key) do nothing",
        )
        .bind(&work.id)
        .bind(work.kind.as_str())
        .bind(&work.lane)
        .bind(&work.key)
        .bind(work.run_at.ms())
        .bind(&work.body)
        .bind(now.ms())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// Sets something due: the same key again moves it, also when it was done before.
    pub async fn set_due(&mut self, work: &NewWork) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query(
            "insert into work (id, kind, lane, key, run_at, body, made_at) values ($1, 'due', $2, $3, $4, $5, $6)
             on conflict (key) do update set id = excluded.id, run_at = excluded.run_at, body = excluded.body,
                 done_at = null, dead_at = null, lease_until = null, attempts = 0, token = work.token + 1",
        )
        .bind(&work.id)
        .bind(&work.lane)
        .bind(&work.key)
        .bind(work.run_at.ms())
        .bind(&work.body)
        .bind(now.ms())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// Takes something that was due off the list.
    pub async fn unset_due(&mut self, key: &str) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("update work set done_at = $1, token = token + 1 where key = $2 and done_at is null")
            .bind(now.ms())
            .bind(key)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// Marks the work done. False: somebody else holds it now, so nothing of this transaction may be committed.
    async fn finish(&mut self, claim: &Claim) -> anyhow::Result<bool> {
        let now = self.now;
        let done = sqlx::query(
            "update work set done_at = $1, lease_until = null where id = $2 and token = $3 and done_at is null",
        )
        .bind(now.ms())
        .bind(&claim.id)
        .bind(claim.token)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(done.rows_affected() == 1)
    }
}

/// Somebody else took the work over; what this holder did must not count.
#[derive(Debug, thiserror::Error)]
#[error("the lease on this work was taken over")]
pub struct TakenOver;

impl Store {
    /// Begins the transaction that finishes a piece of work: the work is marked done first, so that its own effect may
    /// set it due again. Fails with [`TakenOver`] where somebody else holds it now.
    pub async fn begin_finishing(&self, claim: &Claim, now: Time) -> anyhow::Result<Tx> {
        let mut tx = self.begin(now).await?;
        if !tx.finish(claim).await? {
            return Err(TakenOver.into());
        }
        Ok(tx)
    }
}
