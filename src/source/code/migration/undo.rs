//! Whether a migration says how it is taken back. What cannot be read as a way back counts as none.

/// Whether SQL holds anything but comments.
pub(in crate::source) fn has_statement(sql: &str) -> bool {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else {
            return !rest.is_empty();
        }
    }
}

/// The part that goes up, where one file holds both ways (goose: `-- +goose Up`); otherwise the whole.
pub(in crate::source) fn up_section(sql: &str) -> &str {
    let end = marker(sql, "down").map_or(sql.len(), |(start, _)| start);
    let start = marker(sql, "up").map_or(0, |(_, after)| after);
    if start <= end { &sql[start..end] } else { &sql[start..] }
}

/// The part that goes down, where there is one.
pub(in crate::source) fn down_section(sql: &str) -> Option<&str> {
    let (_, after) = marker(sql, "down")?;
    let end = marker(sql, "up").map_or(sql.len(), |(start, _)| if start > after { start } else { sql.len() });
    sql.get(after..end)
}

/// Where a goose annotation's line begins and where the text after it does.
fn marker(sql: &str, way: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    for line in sql.split_inclusive('\n') {
        let words: Vec<&str> = line.split_whitespace().take(3).collect();
        if let ["--", "+goose", said] = words.as_slice()
            && said.eq_ignore_ascii_case(way)
        {
            return Some((at, at + line.len()));
        }
        at += line.len();
    }
    None
}

/// Rails: `def down` that does something, or `def change` whose steps Rails knows how to turn round.
pub(in crate::source) fn rails(text: &str) -> bool {
    if text.contains("IrreversibleMigration") {
        return false;
    }
    if let Some(body) = ruby_method(text, "down") {
        return body.lines().any(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
    }
    let Some(body) = ruby_method(text, "change") else { return false };
    let two_ways = text.contains("reversible do") || text.contains("up_only");
    two_ways || !body.lines().any(is_one_way)
}

/// Steps that Rails cannot turn round by itself (Active Record Migrations guide, "Using the change Method").
fn is_one_way(line: &str) -> bool {
    let line = line.trim();
    let word = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default();
    match word {
        "execute" | "change_column" => true,
        // Reversible only when the old column's type, the table's block or the old default is given.
        "remove_column" => line.matches(',').count() < 2,
        "drop_table" => !line.contains(" do"),
        "change_column_default" | "change_table_comment" | "change_column_comment" => !line.contains("from:"),
        _ => false,
    }
}

fn ruby_method<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let start = format!("def {name}");
    let (at, line) = numbered(text).find(|(_, line)| {
        let rest = line.trim().strip_prefix(&start);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ';', '(']))
    })?;
    let body = text.get(at + line.len()..)?;
    let end = numbered(body).find(|(_, inner)| inner.trim() == "end" && indent(inner) <= indent(line));
    body.get(..end.map_or(body.len(), |(at, _)| at))
}

/// Each line with the place where it begins.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let here = *at;
        *at += line.len();
        Some((here, line))
    })
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Alembic: `downgrade` does something and does not refuse.
pub(in crate::source) fn alembic(text: &str) -> bool {
    let Some(body) = python_body(text, "def downgrade") else { return false };
    does_something(&body)
}

/// Django: every step knows its way back.
pub(in crate::source) fn django(text: &str) -> bool {
    let python = every_call(text, "RunPython(", |arguments| arguments >= 2);
    let sql = every_call(text, "RunSQL(", |arguments| arguments >= 2);
    text.contains("operations") && python && sql && !text.contains("IrreversibleError")
}

/// Whether each call of a name has arguments enough: counted by the commas at its own level.
fn every_call(text: &str, name: &str, enough: impl Fn(usize) -> bool) -> bool {
    text.match_indices(name).all(|(at, _)| enough(arguments(&text[at + name.len()..])))
}

fn arguments(after: &str) -> usize {
    let (mut depth, mut count, mut filled) = (0usize, 0usize, false);
    let mut quote: Option<char> = None;
    for c in after.chars() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => {
                quote = Some(c);
                filled = true;
            }
            (None, '(' | '[' | '{') => {
                depth += 1;
                filled = true;
            }
            (None, ')' | ']' | '}') if depth > 0 => depth -= 1,
            (None, ')') => return count + usize::from(filled),
            (None, ',') if depth == 0 => {
                count += usize::from(filled);
                filled = false;
            }
            (None, c) if !c.is_whitespace() => filled = true,
            _ => {}
        }
    }
    0
}

fn python_body<'t>(text: &'t str, start: &str) -> Option<Vec<&'t str>> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(start));
    lines.next()?;
    Some(lines.take_while(|line| line.is_empty() || line.starts_with([' ', '\t', '#', ')'])).collect())
}

fn does_something(body: &[&str]) -> bool {
    let mut in_text = false;
    let mut acts = false;
    for line in body {
        let line = line.trim();
        let quotes = line.matches("\"\"\"").count();
        if in_text || quotes > 0 {
            in_text ^= quotes % 2 == 1;
            continue;
        }
        if line.starts_with("raise") {
            return false;
        }
        acts |= !line.is_empty() && !line.starts_with('#') && line != "pass" && line != "...";
    }
    acts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_with_both_ways_is_split() {
        let sql = "-- +goose Up\ncreate table a (id int);\n\n-- +goose Down\ndrop table a;\n";
        assert_eq!(up_section(sql).trim(), "create table a (id int);");
        assert!(down_section(sql).is_some_and(has_statement));
        assert!(!down_section("-- +goose Up\nx;\n-- +goose Down\n-- nothing\n").is_some_and(has_statement));
        assert_eq!(up_section("select 1;"), "select 1;");
    }

    #[test]
    fn comments_are_no_statements() {
        assert!(!has_statement("-- a\n/* b\n c */ ;\n"));
        assert!(!has_statement("/* never closed"));
        assert!(has_statement("-- a\ndrop table a;"));
    }

    #[test]
    fn rails_knows_its_way_back_or_does_not() {
        let change =
            |steps: &str| format!("class A < ActiveRecord::Migration[8.0]\n  def change\n{steps}\n  end\nend\n");
        assert!(rails(&change("    add_column :orders, :note, :string")));
        assert!(rails(&change("    remove_column :orders, :note, :string")));
        assert!(!rails(&change("    remove_column :orders, :note")));
        assert!(!rails(&change("    execute 'update orders set a = 1'")));
        assert!(!rails("def up\nend\ndef down\n  raise ActiveRecord::IrreversibleMigration\nend\n"));
        assert!(rails("  def up\n    execute 'x'\n  end\n  def down\n    execute 'y'\n  end\n"));
        assert!(!rails("  def up\n    execute 'x'\n  end\n  def down\n    # no way\n  end\n"));
    }

    #[test]
    fn line_ends_of_another_system_change_nothing() {
        assert!(rails("  def up\r\n    execute 'x'\r\n  end\r\n  def down\r\n    execute 'y'\r\n  end\r\n"));
        assert!(down_section("-- +goose Up\r\nx;\r\n-- +goose Down\r\ny;\r\n").is_some_and(has_statement));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(def (down|change|downgrade)|end|\\PC|\n|\r|RunSQL\\(|-- \\+goose (Up|Down)|[(),'\"]){0,60}") {
            let _ = (has_statement(&text), up_section(&text), down_section(&text));
            let _ = (rails(&text), alembic(&text), django(&text));
        }
    }

    #[test]
    fn alembic_and_django_likewise() {
        let down = |body: &str| format!("def upgrade():\n    op.x()\n\n\ndef downgrade() -> None:\n{body}\n");
        assert!(alembic(&down("    op.drop_column('a', 'b')")));
        assert!(!alembic(&down("    pass")));
        assert!(!alembic(&down("    \"\"\"Nothing.\"\"\"\n    raise NotImplementedError()")));
        assert!(!alembic("def upgrade():\n    op.x()\n"));
        assert!(django("operations = [migrations.AddField('a', 'b', models.IntegerField())]"));
        assert!(!django("operations = [migrations.RunPython(forwards)]"));
        assert!(django("operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]"));
        assert!(!django("operations = [migrations.RunSQL('drop table a, b')]"));
        assert!(django("operations = [migrations.RunSQL(sql='x', reverse_sql='y')]"));
    }
}
