//! Leases: what only one replica may do at a time, until it lets go or falls silent.

use super::{Store, said};
use crate::clock::{Millis, Time};

impl Store {
    /// Takes the lease for `length`, or renews it. False: another holder has it.
    pub async fn take_lease(&self, name: &str, holder: &str, now: Time, length: Millis) -> anyhow::Result<bool> {
        let taken = sqlx::query(
            "insert into lease (name, holder, until) values ($1, $2, $3)
             on conflict (name) do update set holder = excluded.holder, until = excluded.until
             where lease.holder = excluded.holder or lease.until < $4",
        )
        .bind(name)
        .bind(holder)
        .bind(now.plus(length).ms())
        .bind(now.ms())
        .execute(self.writer())
        .await
        .map_err(said)?;
        Ok(taken.rows_affected() == 1)
    }

    /// Lets go of a lease, so that another need not wait for its end.
    pub async fn release_lease(&self, name: &str, holder: &str) -> anyhow::Result<()> {
        sqlx::query("delete from lease where name = $1 and holder = $2")
            .bind(name)
            .bind(holder)
            .execute(self.writer())
            .await
            .map_err(said)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::{SECOND, Time};
    use crate::store::Store;

    #[tokio::test]
    async fn a_lease_has_one_holder_until_it_ends_or_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open("sqlite://t.db", folder.path()).await.unwrap();
        let at = Time::from_ms(1_000_000);
        assert!(store.take_lease("chat:x", "one", at, 15 * SECOND).await.unwrap());
        assert!(!store.take_lease("chat:x", "two", at.plus(SECOND), 15 * SECOND).await.unwrap());
        assert!(store.take_lease("chat:x", "one", at.plus(10 * SECOND), 15 * SECOND).await.unwrap());
        assert!(!store.take_lease("chat:x", "two", at.plus(20 * SECOND), 15 * SECOND).await.unwrap());
        assert!(store.take_lease("chat:x", "two", at.plus(26 * SECOND), 15 * SECOND).await.unwrap());
        assert!(!store.take_lease("chat:x", "one", at.plus(27 * SECOND), 15 * SECOND).await.unwrap());
        store.release_lease("chat:x", "two").await.unwrap();
        assert!(store.take_lease("chat:x", "one", at.plus(28 * SECOND), 15 * SECOND).await.unwrap());
    }
}
