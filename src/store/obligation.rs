//! What is owed: reviews, root causes, remediations, reports, each with owner and deadline.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, Tx, said};
use crate::audit::Obligation;
use crate::clock::Time;
use crate::config::{After, Owed};
use crate::name::{Environment, Person, PlanId, Role, Service};

const COLUMNS: &str = "select id, plan, deployment, service, environment, what, after, cause, person, role, not_by, made_at, \
    due_at, reminded_at, overdue_at, given_at, given_by, link, entry, given_entry from obligation ";

fn select(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{COLUMNS}{rest}"))
}

impl Store {
    /// What is owed and was not given, the earliest deadline first.
    pub async fn open_obligations(&self, most: i64) -> anyhow::Result<Vec<Obligation>> {
        let rows = sqlx::query(select("where given_at is null order by due_at, id limit $1"))
            .bind(most)
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        rows.iter().map(row).collect()
    }

    /// Everything that is or was owed after a plan, in the order of its deadlines.
    pub async fn obligations_of(&self, plan: &PlanId) -> anyhow::Result<Vec<Obligation>> {
        let rows = sqlx::query(select("where plan = $1 order by due_at, id"))
            .bind(plan.as_str())
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        rows.iter().map(row).collect()
    }

    /// What was made or is due between two moments, open or given: open ones first, by deadline.
    pub async fn obligations_between(&self, from: Time, to: Time, most: i64) -> anyhow::Result<Vec<Obligation>> {
        let rows = sqlx::query(select(
            "where due_at >= $1 and made_at < $2 order by case when given_at is null then 0 else 1 end, due_at, id limit $3",
        ))
        .bind(from.ms())
        .bind(to.ms())
        .bind(most)
        .fetch_all(self.reader())
        .await
        .map_err(said)?;
        rows.iter().map(row).collect()
    }

    /// The obligations whose names follow `after`, in the order of their names.
    pub async fn obligations_from(&self, after: &str, most: i64) -> anyhow::Result<Vec<Obligation>> {
        let rows = sqlx::query(select("where id > $1 order by id limit $2"))
            .bind(after)
            .bind(most)
            .fetch_all(self.reader())
            .await
            .map_err(said)?;
        rows.iter().map(row).collect()
    }

    pub async fn obligation(&self, id: &str) -> anyhow::Result<Option<Obligation>> {
        let found = sqlx::query(select("where id = $1")).bind(id).fetch_optional(self.reader()).await.map_err(said)?;
        found.as_ref().map(row).transpose()
    }
}

impl Tx {
    pub async fn obligation(&mut self, id: &str) -> anyhow::Result<Option<Obligation>> {
        let found = sqlx::query(select("where id = $1")).bind(id).fetch_optional(self.conn()).await.map_err(said)?;
        found.as_ref().map(row).transpose()
    }

    /// Everything owed after a plan, or after a deployment that has none.
    pub async fn obligations(&mut self, subject: &str) -> anyhow::Result<Vec<Obligation>> {
        let rows = sqlx::query(select("where plan = $1 or (plan is null and deployment = $1) order by due_at, id"))
            .bind(subject)
            .fetch_all(self.conn())
            .await
            .map_err(said)?;
        rows.iter().map(row).collect()
    }

    /// Writes an obligation, or what became of it.
    pub async fn put_obligation(&mut self, owed: &Obligation) -> anyhow::Result<()> {
        sqlx::query(
            "insert into obligation (id, plan, deployment, service, environment, what, after, cause, person, role, not_by,
                made_at, due_at, reminded_at, overdue_at, given_at, given_by, link, entry, given_entry)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
             on conflict (id) do update set reminded_at = excluded.reminded_at, overdue_at = excluded.overdue_at,
                given_at = excluded.given_at, given_by = excluded.given_by, link = excluded.link,
                given_entry = excluded.given_entry",
        )
        .bind(&owed.id)
        .bind(owed.plan.as_ref().map(PlanId::as_str))
        .bind(&owed.deployment)
        .bind(owed.service.as_str())
        .bind(owed.environment.as_str())
        .bind(owed.what.as_str())
        .bind(owed.after.as_str())
        .bind(owed.cause)
        .bind(owed.person.as_ref().map(Person::as_str))
        .bind(owed.role.as_ref().map(Role::as_str))
        .bind(owed.not_by.as_ref().map(Person::as_str))
        .bind(owed.made_at.ms())
        .bind(owed.due_at.ms())
        .bind(owed.reminded_at.map(Time::ms))
        .bind(owed.overdue_at.map(Time::ms))
        .bind(owed.given.as_ref().map(|given| given.0.ms()))
        .bind(owed.given.as_ref().map(|given| given.1.as_str()))
        .bind(&owed.link)
        .bind(owed.entry)
        .bind(owed.given_entry)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }
}

fn row(row: &AnyRow) -> anyhow::Result<Obligation> {
    let text = |name: &str| row.try_get::<Option<String>, _>(name);
    let time = |name: &str| row.try_get::<Option<i64>, _>(name).map(|at| at.map(Time::from_ms));
    let (what, after): (String, String) = (row.try_get("what")?, row.try_get("after")?);
    let unread = || anyhow::anyhow!("a stored obligation does not read");
    Ok(Obligation {
        id: row.try_get("id")?,
        plan: text("plan")?.map(PlanId::new),
        deployment: text("deployment")?,
        service: Service::new(row.try_get::<String, _>("service")?),
        environment: Environment::new(row.try_get::<String, _>("environment")?),
        what: Owed::parse(&what).ok_or_else(unread)?,
        after: After::parse(&after).ok_or_else(unread)?,
        cause: row.try_get("cause")?,
        person: text("person")?.map(Person::new),
        role: text("role")?.map(Role::new),
        not_by: text("not_by")?.map(Person::new),
        made_at: Time::from_ms(row.try_get("made_at")?),
        due_at: Time::from_ms(row.try_get("due_at")?),
        reminded_at: time("reminded_at")?,
        overdue_at: time("overdue_at")?,
        given: time("given_at")?.zip(text("given_by")?.map(Person::new)),
        link: text("link")?,
        entry: row.try_get("entry")?,
        given_entry: row.try_get("given_entry")?,
    })
}
