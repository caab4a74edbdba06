//! Pictures that messages show, as SVG in both themes; PNGs are rendered when a chat asks for one.

use super::{Store, Tx, said};

impl Store {
    /// A picture's SVG, light and dark.
    pub async fn picture(&self, id: &str) -> anyhow::Result<Option<(String, String)>> {
        sqlx::query_as("select light, dark from picture where id = $1")
            .bind(id)
            .fetch_optional(self.reader())
            .await
            .map_err(said)
    }
}

impl Tx {
    pub async fn insert_picture(&mut self, id: &str, light: &str, dark: &str) -> anyhow::Result<()> {
        let now = self.now;
        sqlx::query(
            "insert into picture (id, at, light, dark) values ($1, $2, $3, $4)
             on conflict (id) do update set light = excluded.light, dark = excluded.dark, at = excluded.at",
        )
        .bind(id)
        .bind(now.ms())
        .bind(light)
        .bind(dark)
        .execute(self.conn())
        .await
        .map_err(said)?;
        Ok(())
    }
}
