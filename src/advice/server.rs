//! What the target database's server tells that decides how dangerous a migration is there and now: how large its tables
//! are, who holds them, who waits, and whether its replicas keep up.

use serde::{Deserialize, Serialize};

use crate::clock::Time;

/// The server at the moment of asking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// The largest tables first; a table that is not listed is no larger than the last.
    #[serde(default)]
    pub tables: Vec<Table>,
    /// Transactions that have been open for a while, the oldest first.
    #[serde(default)]
    pub transactions: Vec<Transaction>,
    /// Sessions that wait for a lock.
    #[serde(default)]
    pub waits: Vec<Wait>,
    #[serde(default)]
    pub replicas: Vec<Replica>,
    /// What could not be seen of all this, each a fragment that follows the source's name: "may not see …".
    #[serde(default)]
    pub unseen: Vec<String>,
}

/// A table and its size. Partitions count as part of their table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub schema: String,
    pub name: String,
    /// The server's own estimate; None where it never counted.
    #[serde(default)]
    pub rows: Option<u64>,
    /// With indexes and what is stored apart.
    #[serde(default)]
    pub bytes: Option<u64>,
}

/// A transaction that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    pub since: Time,
    /// What the program calls itself: `psql`, `nightly report`.
    #[serde(default)]
    pub program: Option<String>,
    pub doing: TransactionIs,
    /// Tables on which it holds a lock of any strength, without their schemas; None where that is not known.
    #[serde(default)]
    pub tables: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionIs {
    /// A statement runs in it.
    Running,
    /// Nobody works in it.
    Idle,
    /// Prepared for a commit in two phases, and neither committed nor undone.
    Prepared,
}

/// A session that waits for a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The table, where it waits for one.
    #[serde(default)]
    pub table: Option<String>,
    /// When the waiting statement began; None where that may not be seen.
    #[serde(default)]
    pub since: Option<Time>,
}

/// A server that follows this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    pub name: String,
    /// How far its data lies behind in time; None where it did not say.
    #[serde(default)]
    pub behind_ms: Option<i64>,
    /// How much it has yet to replay.
    #[serde(default)]
    pub behind_bytes: Option<u64>,
}

impl Server {
    /// The table of a name, with or without its schema; of several the largest.
    pub fn table(&self, name: &str) -> Option<&Table> {
        let (schema, name) = name.rsplit_once('.').map_or((None, name), |(schema, name)| (Some(schema), name));
        let named = self.tables.iter().filter(|table| {
            table.name.eq_ignore_ascii_case(name)
                && schema.is_none_or(|schema| table.schema.eq_ignore_ascii_case(schema))
        });
        named.max_by_key(|table| (table.bytes, table.rows))
    }
}
