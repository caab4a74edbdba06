//! Locks, freezes, wishes to hear that something is free, and places in queues.

use anyhow::Context;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, said};
use crate::advice::facts::{CalendarEvent, Means};
use crate::clock::Time;
use crate::hold::{End, Except, Freeze, Lock, Scope};
use crate::name::{Channel, Environment, Person, PlanId, Service};

/// A lock, where it was made, and what became of it.
#[derive(Clone, Debug)]
pub struct LockRow {
    pub lock: Lock,
    pub platform: String,
    pub channel: Channel,
    /// The entry that gave the reason.
    pub entry: i64,
    /// When its owner was asked whether it is still needed.
    pub asked: Option<Time>,
    pub ended: Option<(Time, String)>,
}

/// A freeze that lives here.
#[derive(Clone, Debug)]
pub struct FreezeRow {
    pub freeze: Freeze,
    pub owner: Person,
    pub platform: String,
    pub channel: Channel,
    pub at: Time,
    pub entry: i64,
    /// When it was said that it begins.
    pub begun: Option<Time>,
    /// When it was lifted, before its time.
    pub lifted: Option<Time>,
}

/// Somebody who wants to be told.
#[derive(Clone, Debug)]
pub struct Wish {
    pub id: String,
    pub scope: Scope,
    pub person: Person,
    pub platform: String,
    pub user: String,
    pub channel: Channel,
}

/// A plan's place in the queue of its environment.
#[derive(Clone, Debug)]
pub struct Place {
    pub plan: PlanId,
    pub environment: Environment,
    /// Since when it stands there.
    pub at: Time,
    /// Since when it is its turn.
    pub turn: Option<Time>,
}

const LOCK: &str = "select l.id, l.service, l.environment, l.person, l.platform, l.channel, l.at, l.ends_at, l.entry,
    l.asked_at, l.ended_at, l.ended, t.body as why
    from target_lock l left join ledger_text t on t.seq = l.entry and t.name = 'reason' ";
const FREEZE: &str =
    "select f.id, f.service, f.environment, f.person, f.platform, f.channel, f.at, f.begins_at, f.ends_at,
    f.entry, f.exceptions, f.begun_at, f.lifted_at, t.body as why
    from target_freeze f left join ledger_text t on t.seq = f.entry and t.name = 'reason' ";
const STANDING: &str = "where l.ended_at is null order by l.at, l.id";
const OPEN: &str = "where f.ended_at is null order by f.begins_at, f.id";
const PLACE: &str = "select plan, environment, at, turn_at from queue_place ";

fn select(columns: &str, rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{columns}{rest}"))
}

impl Store {
    /// Locks that nobody ended; some may have run out without anybody saying so yet.
    pub async fn locks(&self) -> anyhow::Result<Vec<LockRow>> {
        let rows = sqlx::query(select(LOCK, STANDING)).fetch_all(self.reader()).await.map_err(said)?;
        rows.iter().map(lock_row).collect()
    }

    /// Freezes that were neither lifted nor said to be over, by their beginning.
    pub async fn freezes(&self) -> anyhow::Result<Vec<FreezeRow>> {
        let rows = sqlx::query(select(FREEZE, OPEN)).fetch_all(self.reader()).await.map_err(said)?;
        rows.iter().map(freeze_row).collect()
    }

    /// Every lock that ever was, whose ids follow `after`, at most `most`.
    pub async fn all_locks(&self, after: &str, most: i64) -> anyhow::Result<Vec<LockRow>> {
        let rows = sqlx::query(select(LOCK, "where l.id > $1 order by l.id limit $2"))
            .bind(after)
            .bind(most)
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        rows.iter().map(lock_row).collect()
    }

    /// Every freeze that ever was, whose ids follow `after`, at most `most`.
    pub async fn all_freezes(&self, after: &str, most: i64) -> anyhow::Result<Vec<FreezeRow>> {
        let rows = sqlx::query(select(FREEZE, "where f.id > $1 order by f.id limit $2"))
            .bind(after)
            .bind(most)
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        rows.iter().map(freeze_row).collect()
    }

    /// Every queue's places, in no order that counts.
    pub async fn places(&self) -> anyhow::Result<Vec<Place>> {
        let rows = sqlx::query(select(PLACE, "order by environment, at, plan"))
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        rows.iter().map(place_row).collect()
    }
}

impl Tx {
    /// Locks that nobody ended; some may have run out without anybody saying so yet.
    pub async fn locks(&mut self) -> anyhow::Result<Vec<LockRow>> {
        let rows = sqlx::query(select(LOCK, STANDING)).fetch_all(self.conn()).await.map_err(said)?;
        rows.iter().map(lock_row).collect()
    }

    pub async fn insert_lock(&mut self, row: &LockRow) -> anyhow::Result<()> {
        let lock = &row.lock;
        sqlx::query(
            "insert into target_lock (id, scope, service, environment, person, platform, channel, at, ends_at, entry)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(&lock.id)
        .bind(lock.scope.key())
        .bind(lock.scope.service.as_ref().map(Service::as_str))
        .bind(lock.scope.environment.as_ref().map(Environment::as_str))
        .bind(lock.owner.as_str())
        .bind(&row.platform)
        .bind(row.channel.as_str())
        .bind(lock.since.ms())
        .bind(lock.until.ms())
        .bind(row.entry)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// Writes a lock's end, reason and question back.
    pub async fn update_lock(&mut self, row: &LockRow) -> anyhow::Result<()> {
        sqlx::query(
            "update target_lock set ends_at = $1, entry = $2, asked_at = $3, ended_at = $4, ended = $5 where id = $6",
        )
        .bind(row.lock.until.ms())
        .bind(row.entry)
        .bind(row.asked.map(Time::ms))
        .bind(row.ended.as_ref().map(|ended| ended.0.ms()))
        .bind(row.ended.as_ref().map(|ended| ended.1.clone()))
        .bind(&row.lock.id)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// Freezes that were neither lifted nor said to be over, by their beginning.
    pub async fn freezes(&mut self) -> anyhow::Result<Vec<FreezeRow>> {
        let rows = sqlx::query(select(FREEZE, OPEN)).fetch_all(self.conn()).await.map_err(said)?;
        rows.iter().map(freeze_row).collect()
    }

    pub async fn insert_freeze(&mut self, row: &FreezeRow) -> anyhow::Result<()> {
        let scope = row.freeze.scope();
        sqlx::query(
            "insert into target_freeze (id, service, environment, person, platform, channel, at, begins_at, ends_at,
                entry, exceptions, begun_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(&row.freeze.entry.uid)
        .bind(scope.service.as_ref().map(Service::as_str))
        .bind(scope.environment.as_ref().map(Environment::as_str))
        .bind(row.owner.as_str())
        .bind(&row.platform)
        .bind(row.channel.as_str())
        .bind(row.at.ms())
        .bind(row.freeze.entry.start.ms())
        .bind(row.freeze.entry.end.ms())
        .bind(row.entry)
        .bind(serde_json::to_string(&row.freeze.except)?)
        .bind(row.begun.map(Time::ms))
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// It was said that a freeze began.
    pub async fn freeze_begun(&mut self, id: &str) -> anyhow::Result<()> {
        self.freeze_noted("update target_freeze set begun_at = $1 where id = $2", id).await
    }

    /// It was said that a freeze is over.
    pub async fn freeze_ended(&mut self, id: &str) -> anyhow::Result<()> {
        self.freeze_noted("update target_freeze set ended_at = $1 where id = $2", id).await
    }

    /// Somebody lifted a freeze before its time.
    pub async fn freeze_lifted(&mut self, id: &str) -> anyhow::Result<()> {
        self.freeze_noted("update target_freeze set lifted_at = $1 where id = $2", id).await?;
        self.freeze_ended(id).await
    }

    async fn freeze_noted(&mut self, statement: &'static str, id: &str) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query(statement).bind(now.ms()).bind(id).execute(self.conn()).await.map_err(said)?;
        Ok(())
    }

    /// Notes a wish; the same one again is left alone.
    pub async fn add_wish(&mut self, wish: &Wish) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query(
            "insert into free_wish (id, scope, service, environment, person, platform, platform_user, channel, at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
        )
        .bind(&wish.id)
        .bind(wish.scope.key())
        .bind(wish.scope.service.as_ref().map(Service::as_str))
        .bind(wish.scope.environment.as_ref().map(Environment::as_str))
        .bind(wish.person.as_str())
        .bind(&wish.platform)
        .bind(&wish.user)
        .bind(wish.channel.as_str())
        .bind(now.ms())
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    /// Who was not told yet, in the order in which they asked.
    pub async fn wishes(&mut self) -> anyhow::Result<Vec<Wish>> {
        let rows = sqlx::query(
            "select id, service, environment, person, platform, platform_user, channel from free_wish
             where told_at is null order by at, id",
        )
        .fetch_all(self.conn())
        .await
        .map_err(said)?;
        rows.iter().map(wish_row).collect()
    }

    /// They were told; once is enough.
    pub async fn wish_told(&mut self, id: &str) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query("update free_wish set told_at = $1 where id = $2")
            .bind(now.ms())
            .bind(id)
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }

    /// The places in an environment's queue, longest waiting first.
    pub async fn places(&mut self, environment: &Environment) -> anyhow::Result<Vec<Place>> {
        let rows = sqlx::query(select(PLACE, "where environment = $1 order by at, plan"))
            .bind(environment.as_str())
            .fetch_all(self.conn())
            .await
            .map_err(said)?;
        rows.iter().map(place_row).collect()
    }

    pub async fn put_place(&mut self, place: &Place) -> anyhow::Result<()> {
        sqlx::query(
            "insert into queue_place (plan, environment, at, turn_at) values ($1, $2, $3, $4)
             on conflict (plan) do update set environment = excluded.environment, at = excluded.at,
                 turn_at = excluded.turn_at",
        )
        .bind(place.plan.as_str())
        .bind(place.environment.as_str())
        .bind(place.at.ms())
        .bind(place.turn.map(Time::ms))
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }

    pub async fn leave_queue(&mut self, plan: &PlanId) -> anyhow::Result<()> {
        sqlx::query("delete from queue_place where plan = $1")
            .bind(plan.as_str())
            .execute(self.conn())
            .await
            .map_err(said)?;
        Ok(())
    }
}

/// What stands for a reason that was erased from the record.
const ERASED: &str = "the reason was erased";

fn scope(row: &AnyRow) -> anyhow::Result<Scope> {
    let service: Option<String> = row.try_get("service")?;
    let environment: Option<String> = row.try_get("environment")?;
    Ok(Scope { service: service.map(Service::new), environment: environment.map(Environment::new) })
}

fn lock_row(row: &AnyRow) -> anyhow::Result<LockRow> {
    let (person, channel): (String, String) = (row.try_get("person")?, row.try_get("channel")?);
    let why: Option<String> = row.try_get("why")?;
    let ended: Option<String> = row.try_get("ended")?;
    let ended_at: Option<i64> = row.try_get("ended_at")?;
    Ok(LockRow {
        lock: Lock {
            id: row.try_get("id")?,
            scope: scope(row)?,
            owner: Person::new(person),
            why: why.unwrap_or_else(|| ERASED.to_owned()),
            since: Time::from_ms(row.try_get("at")?),
            until: Time::from_ms(row.try_get("ends_at")?),
            left: false,
        },
        platform: row.try_get("platform")?,
        channel: Channel::new(channel),
        entry: row.try_get("entry")?,
        asked: row.try_get::<Option<i64>, _>("asked_at")?.map(Time::from_ms),
        ended: ended_at.map(Time::from_ms).zip(ended),
    })
}

fn freeze_row(row: &AnyRow) -> anyhow::Result<FreezeRow> {
    let (person, channel): (String, String) = (row.try_get("person")?, row.try_get("channel")?);
    let why: Option<String> = row.try_get("why")?;
    let exceptions: String = row.try_get("exceptions")?;
    let except: Except = serde_json::from_str(&exceptions).context("a stored freeze's exceptions do not read")?;
    let scope = scope(row)?;
    Ok(FreezeRow {
        freeze: Freeze {
            entry: CalendarEvent {
                uid: row.try_get("id")?,
                start: Time::from_ms(row.try_get("begins_at")?),
                end: Time::from_ms(row.try_get("ends_at")?),
                all_day: false,
                summary: why.unwrap_or_else(|| ERASED.to_owned()),
                means: Means::Freeze,
                services: scope.service.into_iter().collect(),
                environments: scope.environment.into_iter().collect(),
                owner: Some(person.clone()),
                person: None,
            },
            except,
        },
        owner: Person::new(person),
        platform: row.try_get("platform")?,
        channel: Channel::new(channel),
        at: Time::from_ms(row.try_get("at")?),
        entry: row.try_get("entry")?,
        begun: row.try_get::<Option<i64>, _>("begun_at")?.map(Time::from_ms),
        lifted: row.try_get::<Option<i64>, _>("lifted_at")?.map(Time::from_ms),
    })
}

fn wish_row(row: &AnyRow) -> anyhow::Result<Wish> {
    let (person, channel): (String, String) = (row.try_get("person")?, row.try_get("channel")?);
    Ok(Wish {
        id: row.try_get("id")?,
        scope: scope(row)?,
        person: Person::new(person),
        platform: row.try_get("platform")?,
        user: row.try_get("platform_user")?,
        channel: Channel::new(channel),
    })
}

fn place_row(row: &AnyRow) -> anyhow::Result<Place> {
    let (plan, environment): (String, String) = (row.try_get("plan")?, row.try_get("environment")?);
    Ok(Place {
        plan: PlanId::new(plan),
        environment: Environment::new(environment),
        at: Time::from_ms(row.try_get("at")?),
        turn: row.try_get::<Option<i64>, _>("turn_at")?.map(Time::from_ms),
    })
}

impl LockRow {
    /// Ends it in memory; [`Tx::update_lock`] writes it.
    pub fn end(&mut self, at: Time, how: End) {
        self.ended = Some((at, how.as_str().to_owned()));
    }
}
