//! How often each source told something new of a service by itself. A count, not a time: replicas' clocks differ.

use std::collections::BTreeMap;

use super::{Store, Tx, said};
use crate::name::{Service, SourceName};

/// The count of each source that ever told anything of a service.
pub type Heard = BTreeMap<SourceName, i64>;

const OF_SERVICE: &str = "select source, times from heard where service = $1";

impl Store {
    /// What was heard of a service.
    pub async fn heard(&self, service: &Service) -> anyhow::Result<Heard> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as(OF_SERVICE).bind(service.as_str()).fetch_all(self.reader()).await.map_err(said)?;
        Ok(counts(rows))
    }
}

impl Tx {
    /// The same, in a transaction: nothing is heard before it ends.
    pub async fn heard(&mut self, service: &Service) -> anyhow::Result<Heard> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as(OF_SERVICE).bind(service.as_str()).fetch_all(self.conn()).await.map_err(said)?;
        Ok(counts(rows))
    }

    /// Counts something new of these services.
    pub async fn hear(&mut self, source: &SourceName, services: &[Service]) -> anyhow::Result<()> {
        for service in services {
            sqlx::query(
                "insert into heard (source, service, times) values ($1, $2, 1)
                 on conflict (service, source) do update set times = heard.times + 1",
            )
            .bind(source.as_str())
            .bind(service.as_str())
            .execute(self.conn())
            .await
            .map_err(said)?;
        }
        Ok(())
    }
}

fn counts(rows: Vec<(String, i64)>) -> Heard {
    rows.into_iter().map(|(source, times)| (SourceName::new(source), times)).collect()
}
