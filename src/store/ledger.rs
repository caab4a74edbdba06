//! The ledger's rows: entries, tree, texts, anchors. What they mean is decided in `ledger/`.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use sqlx::{AnyConnection, Row as _};

use super::{Engine, Store, Tx, listed, said};
use crate::clock::Time;
use crate::ledger::{Frontier, Hash, Head, Node, Origin, Place, PublicKey, Record, StoredText, Witness};
use crate::name::PlanId;

/// An entry as it is stored.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    pub seq: i64,
    pub at: Time,
    pub kind: String,
    pub plan: Option<String>,
    /// The very bytes that are hashed.
    pub bytes: String,
    pub leaf: String,
}

impl Store {
    /// Makes the ledger's head where there is none yet.
    pub async fn found_ledger(&self, origin: &Origin, now: Time) -> anyhow::Result<()> {
        let head = Head::new(origin.clone());
        sqlx::query(
            "insert into ledger_head (id, size, leaf, frontier, epoch, origin, at) values (1, 0, $1, $2, $3, $4, $5)
             on conflict (id) do nothing",
        )
        .bind(head.leaf.to_string())
        .bind(head.frontier.text())
        .bind(i64::try_from(origin.epoch)?)
        .bind(origin.to_string())
        .bind(now.ms())
        .execute(self.writer())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// The ledger as it ends, with the signed checkpoint over the last entry, made in that one's transaction.
    pub async fn ledger_end(&self) -> anyhow::Result<(Head, Option<String>)> {
        end_row(sqlx::query(HEAD).fetch_optional(self.reader()).await.map_err(said)?)
    }

    pub async fn ledger_head(&self) -> anyhow::Result<Option<Head>> {
        let row = sqlx::query(HEAD).fetch_optional(self.reader()).await.map_err(said)?;
        row.as_ref().map(head_row).transpose()
    }

    /// The signed checkpoint over the last entry, made in its transaction.
    pub async fn ledger_seal(&self) -> anyhow::Result<Option<String>> {
        let row: Option<(Option<String>,)> = sqlx::query_as("select seal from ledger_head where id = 1")
            .fetch_optional(self.reader())
            .await
            .map_err(said)?;
        Ok(row.and_then(|(seal,)| seal))
    }

    /// What the ledger says of itself by entries of one kind (`instance.started`, `key.rotated`, `hold.placed`,
    /// `hold.lifted`), in order.
    pub async fn ledger_own(&self, kind: &str) -> anyhow::Result<Vec<Record>> {
        // The list repeats what the index is about, for SQLite to see that it may be used.
        let rows: Vec<(String,)> = sqlx::query_as(
            "select bytes from ledger_entry
             where kind in ('instance.started', 'key.rotated', 'hold.placed', 'hold.lifted') and kind = $1 order by seq",
        )
        .bind(kind)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        Ok(rows.iter().filter_map(|(bytes,)| Record::parse(bytes).ok()).collect())
    }

    /// The key that the ledger itself names as the one in use: the last that was handed over to, or else the first that
    /// Tidegate started with.
    pub async fn ledger_key(&self) -> anyhow::Result<Option<PublicKey>> {
        if let Some(last) = self.ledger_own("key.rotated").await?.last() {
            return Ok(PublicKey::named_by(last));
        }
        let first: Option<(String,)> = sqlx::query_as(
            "select bytes from ledger_entry
             where kind in ('instance.started', 'key.rotated', 'hold.placed', 'hold.lifted') and kind = 'instance.started'
             order by seq limit 1",
        )
        .fetch_optional(self.reader())
        .await
        .map_err(said)?;
        Ok(first.and_then(|(bytes,)| Record::parse(&bytes).ok()).as_ref().and_then(PublicKey::named_by))
    }

    /// The entry with which the newest epoch began, where it began with a restore.
    pub async fn ledger_restored(&self) -> anyhow::Result<Option<Record>> {
        let row: Option<(String,)> =
            sqlx::query_as("select bytes from ledger_entry where kind = 'log.restored' order by seq desc limit 1")
                .fetch_optional(self.reader())
                .await
                .map_err(said)?;
        Ok(row.map(|(bytes,)| Record::parse(&bytes)).transpose()?)
    }

    pub async fn ledger_size(&self) -> anyhow::Result<i64> {
        let row: Option<(i64,)> = sqlx::query_as("select size from ledger_head where id = 1")
            .fetch_optional(self.reader())
            .await
            .map_err(said)?;
        Ok(row.map_or(0, |(size,)| size))
    }

    /// A plan's entries, in order.
    pub async fn ledger_of(&self, plan: &PlanId) -> anyhow::Result<Vec<StoredEntry>> {
        let rows =
            sqlx::query("select seq, at, kind, plan, bytes, leaf from ledger_entry where plan = $1 order by seq")
                .bind(plan.as_str())
                .fetch_all(self.reader())
                .await
                .map_err(said)?;
        rows.iter().map(entry_row).collect::<Result<_, sqlx::Error>>().map_err(said)
    }

    /// Entries about locks and freezes that follow `after`, in order, at most `most`.
    pub async fn ledger_of_holds(&self, after: i64, most: i64) -> anyhow::Result<Vec<StoredEntry>> {
        // The index knows only these kinds, and is used where they are written out as it has them.
        let rows = sqlx::query(
            "select seq, at, kind, plan, bytes, leaf from ledger_entry
             where kind in ('lock', 'unlock', 'freeze') and seq > $1 order by seq limit $2",
        )
        .bind(after)
        .bind(most)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        rows.iter().map(entry_row).collect::<Result<_, sqlx::Error>>().map_err(said)
    }

    /// Plans that entries are about and that the store lacks, each with its last entry, at most `most`.
    pub async fn entries_without_plan(&self, most: i64) -> anyhow::Result<Vec<(String, i64)>> {
        sqlx::query_as(
            "select ledger_entry.plan, max(ledger_entry.seq) from ledger_entry
             where ledger_entry.plan is not null and not exists (select 1 from plan where plan.id = ledger_entry.plan)
             group by ledger_entry.plan order by 2 limit $1",
        )
        .bind(most)
        .fetch_all(self.reader())
        .await
        .map_err(said)
    }

    /// Entries from a number on, in order, at most `most`.
    pub async fn ledger_from(&self, seq: i64, most: i64) -> anyhow::Result<Vec<StoredEntry>> {
        let rows = sqlx::query(
            "select seq, at, kind, plan, bytes, leaf from ledger_entry where seq >= $1 order by seq limit $2",
        )
        .bind(seq)
        .bind(most)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        rows.iter().map(entry_row).collect::<Result<_, sqlx::Error>>().map_err(said)
    }

    /// The texts of entries from `from` to `to`, both included: number, name, text.
    pub async fn ledger_texts(&self, from: i64, to: i64) -> anyhow::Result<Vec<(i64, StoredText)>> {
        let rows: Vec<(i64, String, String, Option<String>)> = sqlx::query_as(
            "select seq, name, salt, body from ledger_text where seq >= $1 and seq <= $2 order by seq, name",
        )
        .bind(from)
        .bind(to)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        Ok(rows
            .into_iter()
            .map(|(seq, name, salt, body)| (seq, StoredText { name, kept: body.map(|body| (salt, body)) }))
            .collect())
    }

    /// Texts that are still there, of entries after `after` up to `to`, and made before a time where one is given: number,
    /// name, the entry's bytes; at most `most` and then the rest of the last entry's.
    pub async fn texts_kept(
        &self,
        after: i64,
        to: i64,
        before: Option<Time>,
        most: i64,
    ) -> anyhow::Result<Vec<(i64, String, String)>> {
        let page = "select t.seq, t.name, e.bytes from ledger_text t join ledger_entry e on e.seq = t.seq
             where t.body is not null and t.seq > $1 and t.seq <= $2 and e.at < $3 and t.seq in (
                 select seq from ledger_text where body is not null and seq > $4 and seq <= $5 group by seq order by seq limit $6)
             order by t.seq, t.name";
        sqlx::query_as(page)
            .bind(after)
            .bind(to)
            .bind(before.map_or(i64::MAX, Time::ms))
            .bind(after)
            .bind(to)
            .bind(most)
            .fetch_all(self.reader())
            .await
            .map_err(said)
    }

    /// Hashes of the tree: inner ones, and leaves. Those that are not there are left out.
    pub async fn ledger_hashes(&self, places: &[Place]) -> anyhow::Result<HashMap<Place, Hash>> {
        hashes(&mut *self.reader().acquire().await.map_err(said)?, places).await
    }

    /// The inner hashes of the tree that entries `from` to `to`, both included, made full.
    pub async fn ledger_nodes(&self, from: u64, to: u64) -> anyhow::Result<Vec<Node>> {
        let mut nodes = Vec::new();
        for level in 1..u64::BITS - to.leading_zeros() {
            // At this level node `pos` is full with entry (pos + 1) << level.
            let (first, end) = (from.div_ceil(1 << level).saturating_sub(1), to >> level);
            if first >= end {
                continue;
            }
            let rows: Vec<(i64, String)> = sqlx::query_as(
                "select pos, hash from ledger_node where level = $1 and pos >= $2 and pos < $3 order by pos",
            )
            .bind(i64::from(level))
            .bind(i64::try_from(first)?)
            .bind(i64::try_from(end)?)
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
            for (pos, hash) in rows {
                nodes.push(Node {
                    at: Place { level, index: u64::try_from(pos)? },
                    hash: hash.parse().unwrap_or(Hash::ZERO),
                });
            }
        }
        Ok(nodes)
    }

    /// How each place that gets checkpoints is doing.
    pub async fn witnesses(&self) -> anyhow::Result<Vec<Witness>> {
        type Row = (String, i64, Option<i64>, Option<i64>, Option<i64>, i64, Option<String>);
        let rows: Vec<Row> = sqlx::query_as(
            "select name, size, ok_at, failed_at, since, failures, error from ledger_witness order by name",
        )
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        let time = |at: Option<i64>| at.map(Time::from_ms);
        Ok(rows
            .into_iter()
            .map(|(name, size, ok_at, failed_at, since, failures, error)| Witness {
                name,
                size,
                ok_at: time(ok_at),
                failed_at: time(failed_at),
                since: time(since),
                failures,
                error,
            })
            .collect())
    }

    /// What the database's own clock shows; None where it is a file on this machine. Never recorded, only compared with.
    pub async fn clock(&self) -> anyhow::Result<Option<Time>> {
        if self.engine() == Engine::Sqlite {
            return Ok(None);
        }
        let (ms,): (i64,) = sqlx::query_as("select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)")
            .fetch_one(self.reader())
            .await
            .map_err(said)?;
        Ok(Some(Time::from_ms(ms)))
    }

    /// The newest checkpoint that was copied outside, by size.
    pub async fn last_anchor(&self) -> anyhow::Result<Option<(i64, String)>> {
        sqlx::query_as("select size, note from ledger_anchor order by size desc limit 1")
            .fetch_optional(self.reader())
            .await
            .map_err(said)
    }

    /// The definitions of the ledger's triggers as the database holds them, by name.
    pub async fn trigger_definitions(&self) -> anyhow::Result<Vec<(String, String)>> {
        let query = match self.engine() {
            Engine::Sqlite => "select name, sql from sqlite_master where type = 'trigger' and name like 'ledger%' order by name",
            Engine::Postgres => {
                "select cast(t.tgname as text), pg_get_triggerdef(t.oid) || ' ' || cast(t.tgenabled as text) || chr(10) || p.prosrc
                 from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
                 where not t.tgisinternal and c.relname in ('ledger_entry', 'ledger_node', 'ledger_head')
                   and c.relnamespace = cast(current_schema() as regnamespace) order by 1"
            }
        };
        sqlx::query_as(query).fetch_all(self.reader()).await.map_err(said)
    }
}

impl Store {
    /// The triggers that must be there, by name.
    pub fn trigger_names(&self) -> &'static [&'static str] {
        match self.engine() {
            Engine::Sqlite => &[
                "ledger_entry_no_delete",
                "ledger_entry_no_gap",
                "ledger_entry_no_update",
                "ledger_head_grows",
                "ledger_head_no_delete",
                "ledger_node_no_delete",
                "ledger_node_no_replace",
                "ledger_node_no_update",
            ],
            Engine::Postgres => &[
                "ledger_entry_no_change",
                "ledger_entry_no_gap",
                "ledger_entry_no_truncate",
                "ledger_head_grows",
                "ledger_head_no_delete",
                "ledger_node_no_change",
                "ledger_node_no_truncate",
            ],
        }
    }
}

impl Store {
    /// Whether a trigger's definition is the one that the migrations set.
    pub fn trigger_is_ours(&self, name: &str, definition: &str) -> bool {
        match self.engine() {
            // SQLite keeps the statement as it was written, without `if not exists`.
            Engine::Sqlite => {
                let plain = |text: &str| {
                    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase().replace("if not exists ", "")
                };
                let ours = plain(include_str!("../../migrations/sqlite/triggers.sql"));
                ours.contains(&plain(definition))
            }
            // PostgreSQL prints its own form: what matters is that it always fires and calls the function that was set.
            Engine::Postgres => {
                let function = match name {
                    "ledger_entry_no_gap" => "ledger_next()",
                    "ledger_head_grows" => "ledger_grow()",
                    _ => "ledger_refuse()",
                };
                let Some((printed, body)) = definition.split_once('\n') else { return false };
                let ours = include_str!("../../migrations/postgres/triggers.sql");
                printed.contains(function)
                    && printed.contains("BEFORE")
                    && printed.ends_with(" A")
                    && ours.contains(body)
            }
        }
    }
}

impl Tx {
    /// The newest entry of a kind about a plan.
    pub async fn newest_entry_of(&mut self, plan: &PlanId, kind: &str) -> anyhow::Result<Option<StoredEntry>> {
        let row = sqlx::query(
            "select seq, at, kind, plan, bytes, leaf from ledger_entry
             where plan = $1 and kind = $2 order by seq desc limit 1",
        )
        .bind(plan.as_str())
        .bind(kind)
        .fetch_optional(self.conn())
        .await
        .map_err(said)?;
        row.as_ref().map(entry_row).transpose().map_err(said)
    }

    /// The ledger as it ends in this transaction, with the signed checkpoint over the last entry.
    pub async fn ledger_end(&mut self) -> anyhow::Result<(Head, Option<String>)> {
        end_row(sqlx::query(HEAD).fetch_optional(self.conn()).await.map_err(said)?)
    }

    /// The newest entry about each of some plans, where there is one.
    pub async fn newest_entries(&mut self, plans: &[PlanId]) -> anyhow::Result<Vec<StoredEntry>> {
        if plans.is_empty() {
            return Ok(Vec::new());
        }
        let (places, ids) = listed(plans);
        let query = format!(
            "select seq, at, kind, plan, bytes, leaf from ledger_entry
             where seq in (select max(seq) from ledger_entry where plan in ({places}) group by plan)"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(query));
        for id in ids {
            query = query.bind(id.as_str());
        }
        let rows = query.fetch_all(self.conn()).await.map_err(said)?;
        rows.iter().map(entry_row).collect::<Result<_, sqlx::Error>>().map_err(said)
    }

    /// Hashes of the tree: inner ones, and leaves. Those that are not there are left out.
    pub async fn ledger_hashes(&mut self, places: &[Place]) -> anyhow::Result<HashMap<Place, Hash>> {
        let kept = self.kept.clone();
        let mut known: HashMap<Place, Hash> =
            places.iter().filter_map(|place| Some((*place, kept.hash(*place)?))).collect();
        let others: Vec<Place> = places.iter().filter(|place| !known.contains_key(place)).copied().collect();
        let found = hashes(self.conn(), &others).await?;
        if self.looks {
            kept.keep_hashes(&found);
        }
        known.extend(found);
        Ok(known)
    }

    /// Hashes that are kept in memory are read again: the stored tree is another one.
    pub fn forget_hashes(&self) {
        self.kept.forget_hashes();
    }

    /// Takes a text and its salt away; the entry that says so belongs to the same transaction.
    pub async fn erase_text(&mut self, seq: i64, name: &str) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("update ledger_text set body = null, salt = '', erased_at = $1 where seq = $2 and name = $3")
            .bind(now.ms())
            .bind(seq)
            .bind(name)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// Keeps how a place is doing.
    pub async fn keep_witness(&mut self, witness: &Witness) -> anyhow::Result<()> {
        let time = |at: Option<Time>| at.map(Time::ms);
        sqlx::query(
            "insert into ledger_witness (name, size, ok_at, failed_at, since, failures, error)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (name) do update set size = excluded.size, ok_at = excluded.ok_at, failed_at = excluded.failed_at,
                 since = excluded.since, failures = excluded.failures, error = excluded.error",
        )
        .bind(&witness.name)
        .bind(witness.size)
        .bind(time(witness.ok_at))
        .bind(time(witness.failed_at))
        .bind(time(witness.since))
        .bind(witness.failures)
        .bind(&witness.error)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    pub async fn insert_anchor(&mut self, size: i64, place: &str, note: &str) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("insert into ledger_anchor (size, place, note, at) values ($1, $2, $3, $4) on conflict do nothing")
            .bind(size)
            .bind(place)
            .bind(note)
            .bind(now.ms())
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }
}

const HEAD: &str = "select size, leaf, frontier, epoch, origin, at, seal from ledger_head where id = 1";

fn end_row(row: Option<sqlx::any::AnyRow>) -> anyhow::Result<(Head, Option<String>)> {
    let row = row.context("the ledger has no head: the store was not founded")?;
    Ok((head_row(&row)?, row.try_get("seal").map_err(said)?))
}

/// Hashes of the tree, one row for each level: a row for each hash costs more than to find it. The numbers stand in the
/// statement itself, which is therefore not kept.
async fn hashes(conn: &mut AnyConnection, places: &[Place]) -> anyhow::Result<HashMap<Place, Hash>> {
    let mut levels: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for place in places {
        levels.entry(place.level).or_default().push(place.index);
    }
    let select = |(level, indices): (&u32, &Vec<u64>)| {
        let first = if *level == 0 { 1 } else { 0 };
        let numbers: Vec<String> = indices.iter().map(|index| (index + first).to_string()).collect();
        let numbers = numbers.join(", ");
        match level {
            0 => format!(
                "select 0 as level, string_agg(cast(seq - 1 as text) || ' ' || leaf, ' ') as hashes
                 from ledger_entry where seq in ({numbers})"
            ),
            _ => format!(
                "select {level} as level, string_agg(cast(pos as text) || ' ' || hash, ' ') as hashes
                 from ledger_node where level = {level} and pos in ({numbers})"
            ),
        }
    };
    let mut known = HashMap::with_capacity(places.len());
    if levels.is_empty() {
        return Ok(known);
    }
    let query = levels.iter().map(select).collect::<Vec<_>>().join(" union all ");
    let query = sqlx::query_as::<_, (i64, Option<String>)>(sqlx::AssertSqlSafe(query)).persistent(false);
    for (level, hashes) in query.fetch_all(conn).await.map_err(said)? {
        let mut words = hashes.as_deref().unwrap_or_default().split_whitespace();
        while let (Some(index), Some(hash)) = (words.next(), words.next()) {
            let at = Place { level: u32::try_from(level)?, index: index.parse()? };
            known.insert(at, hash.parse().context("a stored hash does not read")?);
        }
    }
    Ok(known)
}

fn head_row(row: &sqlx::any::AnyRow) -> anyhow::Result<Head> {
    let (size, leaf, frontier, origin): (i64, String, String, String) =
        (row.try_get("size")?, row.try_get("leaf")?, row.try_get("frontier")?, row.try_get("origin")?);
    let at: i64 = row.try_get("at")?;
    let size = u64::try_from(size)?;
    let mut head = Head::new(Origin::parse(&origin)?);
    head.leaf = leaf.parse()?;
    head.frontier = Frontier::parse(size, &frontier)?;
    head.at = Time::from_ms(at);
    Ok(head)
}

pub(super) fn entry_row(row: &sqlx::any::AnyRow) -> Result<StoredEntry, sqlx::Error> {
    Ok(StoredEntry {
        seq: row.try_get("seq")?,
        at: Time::from_ms(row.try_get("at")?),
        kind: row.try_get("kind")?,
        plan: row.try_get("plan")?,
        bytes: row.try_get("bytes")?,
        leaf: row.try_get("leaf")?,
    })
}
