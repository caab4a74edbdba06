//! Growing the ledger: entries, tree, texts and the seal over the new end, in the transaction of what they tell of.

use anyhow::Context;

use super::{Tx, said};
use crate::app::App;
use crate::event::Due;
use crate::ledger::{
    Appended, Checkpoint, Entry, Hash, Head, Node, Receipt, Record, SecretKey, Signer, Statement, Unfit,
};

/// How many rows are inserted by one statement at most.
const ROWS: usize = 32;

/// Numbered placeholders for rows of `width` values each.
fn rows<T>(of: &[T], width: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=width).map(|n| format!("${}", row * width + n)).collect();
        format!("({})", places.join(", "))
    };
    (0..of.len()).map(row).collect::<Vec<_>>().join(", ")
}

impl Tx {
    /// Writes one entry for the record: number, chain, tree, texts and seal in this transaction. Returns its number and the
    /// signed checkpoint after it.
    pub async fn record(&mut self, app: &App, statement: Statement) -> anyhow::Result<Receipt> {
        self.record_all(app, vec![statement]).await?.pop().context("the record took no entry")
    }

    /// The same for several, in order; all of them have the checkpoint after the last.
    pub async fn record_all(&mut self, app: &App, statements: Vec<Statement>) -> anyhow::Result<Vec<Receipt>> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let entries = statements.into_iter().map(|statement| statement.known(app).entry(self.now));
        let entries = entries.collect::<anyhow::Result<Vec<Entry>>>()?;
        let put = |head: &mut Head| entries.into_iter().map(|entry| head.append(entry)).collect();
        let (appended, checkpoint) = self.write(&app.signer, put, None).await?;
        let mut receipts = Vec::with_capacity(appended.len());
        for entry in appended {
            let seq = i64::try_from(entry.seq)?;
            self.owe(app, seq, &entry.kind.to_string(), &entry.bytes).await?;
            receipts.push(Receipt { seq, checkpoint: checkpoint.clone() });
        }
        Ok(receipts)
    }

    /// Writes one entry behind an end that this key sealed, and seals the new one: with `next` where a new key takes over.
    /// An end that it did not seal is not gone on with: that would vouch for what somebody else wrote there.
    pub async fn append(&mut self, signer: &Signer, entry: Entry, next: Option<&SecretKey>) -> anyhow::Result<Receipt> {
        self.write_one(signer, |head| head.append(entry), next).await
    }

    /// Opens the next epoch behind an end that was put back ([`Head::restore`]).
    pub async fn restore(
        &mut self,
        signer: &Signer,
        known: Option<(u64, Hash)>,
        statement: Statement,
    ) -> anyhow::Result<Receipt> {
        let entry = statement.entry(self.now)?;
        self.write_one(signer, |head| head.restore(known, entry), None).await
    }

    async fn write_one(
        &mut self,
        signer: &Signer,
        put: impl FnOnce(&mut Head) -> Result<Appended, Unfit>,
        next: Option<&SecretKey>,
    ) -> anyhow::Result<Receipt> {
        let (appended, checkpoint) = self.write(signer, |head| Ok(vec![put(head)?]), next).await?;
        let entry = appended.first().context("the record took no entry")?;
        Ok(Receipt { seq: i64::try_from(entry.seq)?, checkpoint })
    }

    /// Puts entries behind the end, and seals the new one: one question of each kind, however many they are. Returns the
    /// signed checkpoint, too.
    async fn write(
        &mut self,
        signer: &Signer,
        put: impl FnOnce(&mut Head) -> Result<Vec<Appended>, Unfit>,
        next: Option<&SecretKey>,
    ) -> anyhow::Result<(Vec<Appended>, String)> {
        let (mut head, seal) = self.ledger_end().await?;
        anyhow::ensure!(
            signer.sealed(&head, seal.as_deref()),
            "nothing is recorded: the record's last entry, {}, is not sealed by this instance's key. Somebody wrote into the database, or another instance rotated the key and this one lacks the new ledger.key; `tidegate audit verify` says which",
            head.size()
        );
        let appended = put(&mut head).context("the record refused an entry")?;
        for entries in appended.chunks(ROWS) {
            let insert =
                format!("insert into ledger_entry (seq, at, kind, plan, bytes, leaf) values {}", rows(entries, 6));
            let mut insert = sqlx::query(sqlx::AssertSqlSafe(insert));
            for entry in entries {
                insert = insert
                    .bind(i64::try_from(entry.seq)?)
                    .bind(entry.at.ms())
                    .bind(entry.kind.to_string())
                    .bind(&entry.plan)
                    .bind(&entry.bytes)
                    .bind(entry.leaf.to_string());
            }
            insert.execute(self.conn()).await.map_err(said)?;
        }
        let nodes: Vec<&Node> = appended.iter().flat_map(|entry| &entry.nodes).collect();
        for nodes in nodes.chunks(ROWS) {
            let insert = format!("insert into ledger_node (level, pos, hash) values {}", rows(nodes, 3));
            let mut insert = sqlx::query(sqlx::AssertSqlSafe(insert));
            for Node { at, hash } in nodes {
                insert = insert.bind(i64::from(at.level)).bind(i64::try_from(at.index)?).bind(hash.to_string());
            }
            insert.execute(self.conn()).await.map_err(said)?;
        }
        for entry in &appended {
            for text in &entry.texts {
                sqlx::query("insert into ledger_text (seq, name, salt, body) values ($1, $2, $3, $4)")
                    .bind(i64::try_from(entry.seq)?)
                    .bind(&text.name)
                    .bind(text.salt.hex())
                    .bind(&text.body)
                    .execute(self.conn())
                    .await
                    .map_err(said)?;
            }
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
        .bind(head.at.ms())
        .bind(&checkpoint)
        .bind(i64::try_from(head.origin.epoch)?)
        .bind(head.origin.to_string())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok((appended, checkpoint))
    }

    /// Seals the end as it is: for a ledger from before there were seals.
    pub async fn seal(&mut self, signer: &Signer) -> anyhow::Result<()> {
        let note = signer.sign(&Checkpoint::of(&self.ledger_end().await?.0));
        let seal = sqlx::query("update ledger_head set seal = $1 where id = 1 and seal is null").bind(note);
        seal.execute(self.conn()).await.map_err(said)?;
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
}
