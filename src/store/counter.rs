//! Numbers that count up: the handles of plans, the order of the console's messages.

use super::{Tx, said};

impl Tx {
    /// The next number of a counter, from 1.
    pub async fn count_up(&mut self, name: &str) -> anyhow::Result<i64> {
        let (value,): (i64,) = sqlx::query_as(
            "insert into counter (name, value) values ($1, 1)
             on conflict (name) do update set value = counter.value + 1 returning value",
        )
        .bind(name)
        .fetch_one(self.conn())
        .await
        .map_err(said)?;
        Ok(value)
    }
}
