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
            let _first = self.first().await;
            insert.execute(self.writer()).await.map_err(said)?;
        }
        Ok(())
    }

    /// Claims the next piece of work that may run now, oldest first. Within a lane one at a time and in order: what came
    /// earlier goes first even while it waits to be tried again; only something that is not due yet lets others pass.
    pub async fn claim(&self, now: Time, lease: Millis) -> anyhow::Result<Option<Claim>> {
        let _turn = self.turn().await;
        let row: Option<(String, String, String, String, String, i64, i64)> = sqlx::query_as(
            // One step of the index per lane, however long a lane is: a queue of thousands behind one person must not make
            // everybody else's next piece of work slow to find.
            "with recursive lane (name) as (
                 select min(lane) from work where done_at is null and dead_at is null
                 union all
                 select (select min(w.lane) from work w
                         where w.lane > lane.name and w.done_at is null and w.dead_at is null)
                 from lane where lane.name is not null),
             head (id) as (
                 select (select w.id from work w
                         where w.lane = lane.name and w.done_at is null and w.dead_at is null
                           and (w.kind <> 'due' or w.run_at <= $1)
                         order by w.id limit 1)
                 from lane
                 where lane.name is not null and not exists (
                     select 1 from work held
                     where held.lane = lane.name and held.lease_until >= $2
                       and held.done_at is null and held.dead_at is null))
             update work set lease_until = $3, token = token + 1, attempts = attempts + 1
             where id = (
                 select w.id from head join work w on w.id = head.id
                 where w.run_at <= $4 order by w.run_at, w.id limit 1)
               and (lease_until is null or lease_until < $5)
             returning id, kind, lane, key, body, attempts, token",
        )
        .bind(now.ms())
        .bind(now.ms())
        .bind(now.plus(lease).ms())
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

    /// Brings something that is due later forward to `at`. What nobody set, or somebody works on, is left alone.
    pub async fn bring_forward(&mut self, key: &str, at: Time) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query(
            "update work set run_at = $1 where key = $2 and kind = 'due' and done_at is null and dead_at is null
               and run_at > $3 and (lease_until is null or lease_until < $4)",
        )
        .bind(at.ms())
        .bind(key)
        .bind(at.ms())
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

    /// Keeps `body` in place of what a finished piece of work was about.
    pub async fn blank(&mut self, claim: &Claim, body: &str) -> anyhow::Result<()> {
        sqlx::query("update work set body = $1 where id = $2")
            .bind(body)
            .bind(&claim.id)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    const NOW: Time = Time::from_ms(1_000_000);

    fn work(id: &str, kind: Kind, lane: &str, run_at: Time) -> NewWork {
        NewWork { id: id.to_owned(), kind, lane: lane.to_owned(), key: id.to_owned(), run_at, body: String::new() }
    }

    async fn store_with(work: &[NewWork]) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite://t.db", folder.path()).await.unwrap();
        let mut tx = store.begin(NOW).await.unwrap();
        for one in work {
            match one.kind {
                Kind::Due => tx.set_due(one).await.unwrap(),
                _ => tx.add_work(one).await.unwrap(),
            }
        }
        tx.commit().await.unwrap();
        (folder, store)
    }

    async fn next(store: &Store, now: Time) -> Option<Claim> {
        store.claim(now, 20 * SECOND).await.unwrap()
    }

    async fn done(store: &Store, claim: &Claim, now: Time) {
        store.begin_finishing(claim, now).await.unwrap().commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_lane_is_worked_in_order_and_lanes_beside_each_other() {
        let arrivals = [("a1", "ada"), ("a2", "ada"), ("b1", "bo"), ("a3", "ada")];
        let (_folder, store) = store_with(&arrivals.map(|(id, lane)| work(id, Kind::Arrival, lane, NOW))).await;
        let first = next(&store, NOW).await.unwrap();
        let beside = next(&store, NOW).await.unwrap();
        assert_eq!((first.id.as_str(), beside.id.as_str()), ("a1", "b1"));
        assert!(next(&store, NOW).await.is_none(), "the rest waits behind its lane");
        done(&store, &first, NOW).await;
        assert_eq!(next(&store, NOW).await.unwrap().id, "a2");
    }

    #[tokio::test]
    async fn what_failed_holds_its_lane_until_it_was_tried_again() {
        let arrivals = [work("a1", Kind::Arrival, "ada", NOW), work("a2", Kind::Arrival, "ada", NOW)];
        let (_folder, store) = store_with(&arrivals).await;
        let first = next(&store, NOW).await.unwrap();
        store.retry(&first, "not now", Some(NOW.plus(5 * SECOND)), NOW).await.unwrap();
        assert!(next(&store, NOW.plus(SECOND)).await.is_none());
        let again = next(&store, NOW.plus(6 * SECOND)).await.unwrap();
        assert_eq!((again.id.as_str(), again.attempts), ("a1", 2));
        store.retry(&again, "never", None, NOW.plus(6 * SECOND)).await.unwrap();
        assert_eq!(next(&store, NOW.plus(6 * SECOND)).await.unwrap().id, "a2");
    }

    #[tokio::test]
    async fn only_what_waits_for_a_later_time_is_brought_forward() {
        let later = NOW.plus(60 * SECOND);
        let (_folder, store) =
            store_with(&[work("d1", Kind::Due, "one", later), work("d2", Kind::Due, "two", NOW)]).await;
        let bring = async |key: &str, at: Time| {
            let mut tx = store.begin(NOW).await.unwrap();
            tx.bring_forward(key, at).await.unwrap();
            tx.commit().await.unwrap();
        };
        let held = next(&store, NOW).await.unwrap();
        bring("d2", NOW).await;
        bring("nobody set this", NOW).await;
        assert!(next(&store, NOW).await.is_none(), "what somebody works on stays his");
        bring("d1", later.plus(SECOND)).await;
        bring("d1", NOW.plus(5 * SECOND)).await;
        bring("d1", NOW.plus(30 * SECOND)).await;
        assert!(next(&store, NOW.plus(4 * SECOND)).await.is_none());
        assert_eq!(next(&store, NOW.plus(5 * SECOND)).await.unwrap().id, "d1");
        done(&store, &held, NOW).await;
        bring("d2", NOW).await;
        assert!(next(&store, NOW).await.is_none(), "what is done stays done");
    }

    #[tokio::test]
    async fn what_is_not_due_yet_lets_others_pass_and_a_silent_holder_is_replaced() {
        let later = NOW.plus(60 * SECOND);
        let (_folder, store) =
            store_with(&[work("d1", Kind::Due, "plan", later), work("d2", Kind::Due, "plan", NOW)]).await;
        let passed = next(&store, NOW).await.unwrap();
        assert_eq!(passed.id, "d2");
        // The earlier one falls due while the other is worked on: one at a time.
        store.renew(&passed, later, 20 * SECOND).await.unwrap();
        assert!(next(&store, later).await.is_none());
        // Its holder falls silent: the lane's first is next, and the silent one may no longer finish what is taken over.
        let after = later.plus(21 * SECOND);
        assert_eq!(next(&store, after).await.unwrap().id, "d1");
    }
}
