//! The ledger's rows: entries, tree, texts, anchors. What they mean is decided in `ledger/`.

use anyhow::Context;
use sqlx::Row as _;

use super::{Engine, Store, Tx, said};
use crate::app::App;
use crate::clock::Time;
use crate::event::Due;
use crate::ledger::{
    Appended, Checkpoint, Entry, Frontier, Hash, Head, Node, Origin, Place, PublicKey, Receipt, Record, SecretKey,
    Signer, Statement, StoredText, Unfit, Witness,
};
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

    /// The seal over the last entry, and the last entry about a plan under it, as of one moment.
    pub async fn ledger_end_of(&self, plan: &PlanId) -> anyhow::Result<(Option<String>, Option<StoredEntry>)> {
        let row = sqlx::query(
            "select h.seal, e.seq, e.at, e.kind, e.plan, e.bytes, e.leaf from ledger_head h
             left join ledger_entry e on e.seq = (select max(seq) from ledger_entry where plan = $1) where h.id = 1",
        )
        .bind(plan.as_str())
        .fetch_optional(self.reader())
        .await
        .map_err(said)?;
        let Some(row) = row else { return Ok((None, None)) };
        let there: Option<i64> = row.try_get("seq").map_err(said)?;
        let entry = there.map(|_| entry_row(&row)).transpose().map_err(said)?;
        Ok((row.try_get("seal").map_err(said)?, entry))
    }

    /// Hashes of the tree: inner ones, and leaves. Those that are not there are left out.
    pub async fn ledger_hashes(&self, places: &[Place]) -> anyhow::Result<Vec<Node>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: Vec<String> = (0..places.len()).map(|n| format!("(${}, ${})", 2 * n + 1, 2 * n + 2)).collect();
        let query = format!(
            "with wanted (level, pos) as (values {})
             select n.level, n.pos, n.hash from wanted w join ledger_node n on n.level = w.level and n.pos = w.pos
             union all select w.level, w.pos, e.leaf from wanted w join ledger_entry e on e.seq = w.pos + 1 where w.level = 0",
            wanted.join(", ")
        );
        let mut query = sqlx::query_as::<_, (i64, i64, String)>(sqlx::AssertSqlSafe(query));
        for place in places {
            query = query.bind(i64::from(place.level)).bind(i64::try_from(place.index)?);
        }
        let rows = query.fetch_all(self.reader()).await.map_err(said)?;
        rows.into_iter()
            .map(|(level, pos, hash)| {
                let at = Place { level: u32::try_from(level)?, index: u64::try_from(pos)? };
                Ok(Node { at, hash: hash.parse().context("a stored hash does not read")? })
            })
            .collect()
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

    /// Writes one entry for the record: number, chain, tree, texts and seal in this transaction. Returns its number and the
    /// signed checkpoint after it.
    pub async fn record(&mut self, app: &App, statement: Statement) -> anyhow::Result<Receipt> {
        let entry = statement.known(app).entry(self.now)?;
        let (receipt, appended) = self.write(&app.signer, |head| head.append(entry), None).await?;
        self.owe(app, receipt.seq, &appended.kind.to_string(), &appended.bytes).await?;
        Ok(receipt)
    }

    /// Writes one entry behind an end that this key sealed, and seals the new one: with `next` where a new key takes over.
    /// An end that it did not seal is not gone on with: that would vouch for what somebody else wrote there.
    pub async fn append(&mut self, signer: &Signer, entry: Entry, next: Option<&SecretKey>) -> anyhow::Result<Receipt> {
        Ok(self.write(signer, |head| head.append(entry), next).await?.0)
    }

    /// Opens the next epoch behind an end that was put back ([`Head::restore`]).
    pub async fn restore(
        &mut self,
        signer: &Signer,
        known: Option<(u64, Hash)>,
        statement: Statement,
    ) -> anyhow::Result<Receipt> {
        let entry = statement.entry(self.now)?;
        Ok(self.write(signer, |head| head.restore(known, entry), None).await?.0)
    }

    /// The ledger as it ends in this transaction.
    pub async fn ledger_head(&mut self) -> anyhow::Result<Head> {
        let row = sqlx::query(HEAD).fetch_optional(self.conn()).await.map_err(said)?;
        head_row(&row.context("the ledger has no head: the store was not founded")?)
    }

    async fn write(
        &mut self,
        signer: &Signer,
        put: impl FnOnce(&mut Head) -> Result<Appended, Unfit>,
        next: Option<&SecretKey>,
    ) -> anyhow::Result<(Receipt, Appended)> {
        let row = sqlx::query(HEAD).fetch_optional(self.conn()).await.map_err(said)?;
        let row = row.context("the ledger has no head: the store was not founded")?;
        let mut head = head_row(&row)?;
        let seal: Option<String> = row.try_get("seal").map_err(said)?;
        anyhow::ensure!(
            signer.sealed(&head, seal.as_deref()),
            "nothing is recorded: the record's last entry, {}, is not sealed by this instance's key. Somebody wrote into the database, or another instance rotated the key and this one lacks the new ledger.key; `tidegate audit verify` says which",
            head.size()
        );
        let appended = put(&mut head).context("the record refused an entry")?;
        let seq = i64::try_from(appended.seq)?;
        sqlx::query("insert into ledger_entry (seq, at, kind, plan, bytes, leaf) values ($1, $2, $3, $4, $5, $6)")
            .bind(seq)
            .bind(appended.at.ms())
            .bind(appended.kind.to_string())
            .bind(&appended.plan)
            .bind(&appended.bytes)
            .bind(appended.leaf.to_string())
            .execute(self.conn())
            .await
            .map_err(said)?;
        for node in &appended.nodes {
            sqlx::query("insert into ledger_node (level, pos, hash) values ($1, $2, $3)")
                .bind(i64::from(node.at.level))
                .bind(i64::try_from(node.at.index)?)
                .bind(node.hash.to_string())
                .execute(self.conn())
                .await
                .map_err(said)?;
        }
        for text in &appended.texts {
            sqlx::query("insert into ledger_text (seq, name, salt, body) values ($1, $2, $3, $4)")
                .bind(seq)
                .bind(&text.name)
                .bind(text.salt.hex())
                .bind(&text.body)
                .execute(self.conn())
                .await
                .map_err(said)?;
        }
        let checkpoint = match next {
            Some(next) => Checkpoint::of(&head).sign(&[next]),
            None => signer.sign(&Checkpoint::of(&head)),
        };
        sqlx::query(
            "update ledger_head set size = $1, leaf = $2, frontier = $3, at = $4, seal = $5, epoch = $6, origin = $7
             where id = 1",
        )
        .bind(i64::try_from(head.size())?)
        .bind(head.leaf.to_string())
        .bind(head.frontier.text())
        .bind(appended.at.ms())
        .bind(&checkpoint)
        .bind(i64::try_from(head.origin.epoch)?)
        .bind(head.origin.to_string())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok((Receipt { seq, checkpoint }, appended))
    }

    /// Seals the end as it is: for a ledger from before there were seals.
    pub async fn seal(&mut self, signer: &Signer) -> anyhow::Result<()> {
        let row = sqlx::query(HEAD).fetch_one(self.conn()).await.map_err(said)?;
        let note = signer.sign(&Checkpoint::of(&head_row(&row)?));
        let seal = sqlx::query("update ledger_head set seal = $1 where id = 1 and seal is null").bind(note);
        seal.execute(self.conn()).await.map_err(said)?;
        Ok(())
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

    /// Sets down that an entry may oblige somebody, where the policy has a rule for it: made in a transaction of its own.
    async fn owe(&mut self, app: &App, seq: i64, kind: &str, bytes: &str) -> anyhow::Result<()> {
        if !crate::audit::may_oblige(kind) {
            return Ok(());
        }
        let Some(cause) = Record::parse(bytes).ok().as_ref().and_then(crate::audit::cause_of) else { return Ok(()) };
        if app.settings().policy.obligations.iter().any(|rule| rule.after == cause.after) {
            self.due(&Due::Owe { entry: seq }, self.now).await?;
        }
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
