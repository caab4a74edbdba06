//! Who said that they watch a plan's deployment.

use super::{Store, Tx, said};
use crate::approval::condition::Watcher;
use crate::clock::Time;
use crate::name::{Person, PlanId};

const OF_PLAN: &str = "select person, at from watcher where plan = $1 order by at, person";

impl Store {
    /// Who watches a plan, in the order in which they said so.
    pub async fn watchers(&self, plan: &PlanId) -> anyhow::Result<Vec<Watcher>> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as(OF_PLAN).bind(plan.as_str()).fetch_all(self.reader()).await.map_err(said)?;
        Ok(rows.into_iter().map(watcher).collect())
    }
}

impl Tx {
    /// Who watches a plan, in the order in which they said so.
    pub async fn watchers(&mut self, plan: &PlanId) -> anyhow::Result<Vec<Watcher>> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as(OF_PLAN).bind(plan.as_str()).fetch_all(self.conn()).await.map_err(said)?;
        Ok(rows.into_iter().map(watcher).collect())
    }

    pub async fn insert_watcher(&mut self, plan: &PlanId, watcher: &Watcher) -> anyhow::Result<()> {
        sqlx::query("insert into watcher (plan, person, at) values ($1, $2, $3) on conflict (plan, person) do nothing")
            .bind(plan.as_str())
            .bind(watcher.person.as_str())
            .bind(watcher.since.ms())
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }

    pub async fn remove_watcher(&mut self, plan: &PlanId, person: &Person) -> anyhow::Result<()> {
        sqlx::query("delete from watcher where plan = $1 and person = $2")
            .bind(plan.as_str())
            .bind(person.as_str())
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// A plan that was amended is another: whoever watched says so again. Tells who they were.
    pub async fn forget_watchers(&mut self, plan: &PlanId) -> anyhow::Result<Vec<Person>> {
        let people = self.watchers(plan).await?.into_iter().map(|watcher| watcher.person).collect();
        sqlx::query("delete from watcher where plan = $1")
            .bind(plan.as_str())
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(people)
    }
}

fn watcher((person, at): (String, i64)) -> Watcher {
    Watcher { person: Person::new(person), since: Time::from_ms(at) }
}
