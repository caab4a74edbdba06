//! Which tool a migration's file belongs to, and what the tool calls it in its table.

use crate::source::code::paths::file_name;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Tool {
    Sqlx,
    Flyway,
    Rails,
    Alembic,
    Django,
    Diesel,
    Goose,
}

impl Tool {
    pub fn speaks_sql(self) -> bool {
        matches!(self, Tool::Sqlx | Tool::Flyway | Tool::Diesel | Tool::Goose)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) enum Way {
    Up,
    Down,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct Identity {
    pub tool: Tool,
    /// Its identity in the tool's table, written as in the file's name where the table holds a number (`0047` for 47).
    pub version: String,
    pub way: Way,
}

/// What a file is, by its path and, where that does not tell, its text. None: no migration.
pub(in crate::source) fn of(path: &str, text: Option<&str>) -> Option<Identity> {
    let name = file_name(path);
    let folder = path.strip_suffix(name).unwrap_or_default().trim_end_matches('/');
    let (stem, extension) = name.rsplit_once('.')?;
    match extension {
        "sql" => of_sql(folder, stem, text),
        "rb" => {
            let (version, rest) = number(stem)?;
            (rest.starts_with('_')).then(|| up(Tool::Rails, version))
        }
        "py" if !stem.starts_with("__") => of_python(folder, stem, text),
        _ => None,
    }
}

/// Whether the path alone does not tell.
pub(in crate::source) fn needs_text(path: &str) -> bool {
    path.ends_with(".py") && !in_django(path.rsplit_once('/').map_or("", |(folder, _)| folder))
}

fn of_sql(folder: &str, stem: &str, text: Option<&str>) -> Option<Identity> {
    if matches!(stem, "up" | "down") {
        // Diesel: `2026-11-01-120000_name/up.sql`, in its table without the dashes.
        let digits = file_name(folder).split('_').next().unwrap_or_default().replace('-', "");
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        return is_number.then_some(Identity { tool: Tool::Diesel, version: digits, way: way(stem == "down") });
    }
    if let Some(flyway) = of_flyway(stem) {
        return Some(flyway);
    }
    let (version, rest) = number(stem)?;
    if !(rest.is_empty() || rest.starts_with(['_', '-', '.'])) {
        return None;
    }
    let goose = text.is_some_and(|text| text.contains("-- +goose"));
    let tool = if goose { Tool::Goose } else { Tool::Sqlx };
    Some(Identity { tool, version: version.to_owned(), way: way(rest.ends_with(".down")) })
}

/// `V1_2__name`, `U1_2__name` (undo), `B1_2__name` (baseline), `R__name` (repeatable, which has no version).
fn of_flyway(stem: &str) -> Option<Identity> {
    let (head, name) = stem.split_once("__")?;
    let kind = head.chars().next()?;
    let version = head.get(1..)?;
    if kind == 'R' && version.is_empty() {
        return Some(up(Tool::Flyway, &format!("R__{name}")));
    }
    let is_version = version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'.'));
    if !matches!(kind, 'V' | 'U' | 'B') || !is_version {
        return None;
    }
    Some(Identity { tool: Tool::Flyway, version: version.replace('_', "."), way: way(kind == 'U') })
}

fn of_python(folder: &str, stem: &str, text: Option<&str>) -> Option<Identity> {
    if in_django(folder) {
        let app = file_name(folder.strip_suffix("migrations").unwrap_or_default().trim_end_matches('/'));
        let version = if app.is_empty() { stem.to_owned() } else { format!("{app}.{stem}") };
        return number(stem).map(|_| up(Tool::Django, &version));
    }
    let text = text?;
    if !text.lines().any(|line| line.starts_with("down_revision")) {
        return None;
    }
    text.lines().filter(|line| line.starts_with("revision")).find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let key = key.split(':').next().unwrap_or(key).trim();
        let value = value.trim().trim_matches(['"', '\'']);
        let is_id = !value.is_empty()
            && value.len() <= 100
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        (key == "revision" && is_id).then(|| up(Tool::Alembic, value))
    })
}

fn in_django(folder: &str) -> bool {
    file_name(folder) == "migrations"
}

/// The leading digits and what follows them.
fn number(stem: &str) -> Option<(&str, &str)> {
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    (1..=20).contains(&digits).then(|| stem.split_at(digits))
}

fn up(tool: Tool, version: &str) -> Identity {
    Identity { tool, version: version.to_owned(), way: Way::Up }
}

fn way(down: bool) -> Way {
    if down { Way::Down } else { Way::Up }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_is_told_by_its_file_names() {
        let alembic = "\"\"\"x\"\"\"\nrevision: str = 'ae1027a6acf'\ndown_revision = None\n";
        for (path, text, tool, version, way) in [
            ("migrations/0047_add_index.sql", "", Tool::Sqlx, "0047", Way::Up),
            ("migrations/20261101120000_x.up.sql", "", Tool::Sqlx, "20261101120000", Way::Up),
            ("migrations/20261101120000_x.down.sql", "", Tool::Sqlx, "20261101120000", Way::Down),
            ("db/V47__add.sql", "", Tool::Flyway, "47", Way::Up),
            ("db/V1_2__add.sql", "", Tool::Flyway, "1.2", Way::Up),
            ("db/U1_2__add.sql", "", Tool::Flyway, "1.2", Way::Down),
            ("db/R__views.sql", "", Tool::Flyway, "R__views", Way::Up),
            ("db/migrate/20261101120000_add.rb", "", Tool::Rails, "20261101120000", Way::Up),
            ("alembic/versions/ae1027a6acf_x.py", alembic, Tool::Alembic, "ae1027a6acf", Way::Up),
            ("shop/orders/migrations/0047_add.py", "", Tool::Django, "orders.0047_add", Way::Up),
            ("migrations/2026-11-01-120000_add/up.sql", "", Tool::Diesel, "20261101120000", Way::Up),
            ("migrations/2026-11-01-120000_add/down.sql", "", Tool::Diesel, "20261101120000", Way::Down),
            ("migrations/00047_add.sql", "-- +goose Up\n", Tool::Goose, "00047", Way::Up),
        ] {
            let expected = Identity { tool, version: version.to_owned(), way };
            assert_eq!(of(path, Some(text)), Some(expected), "{path}");
        }
    }

    #[test]
    fn what_is_no_migration_is_left_alone() {
        for path in
            ["migrations/README.md", "migrations/seed.sql", "app/migrations/__init__.py", "env.py", "V__x.sql", "x"]
        {
            assert_eq!(of(path, Some("print(1)")), None, "{path}");
        }
    }
}
