//! What stands in the sample repository's files: enough to look like what they are.

use std::fmt::Write as _;

/// The text with which a file begins.
pub fn beginning(path: &str) -> String {
    let name = name(path);
    match extension(path) {
        "rs" => format!("//! {}.\n\nuse crate::prelude::*;\n{}", sentence(name), grown(path, "Begin", 36, 0)),
        "tsx" | "ts" => format!("// {}\n{}", sentence(name), grown(path, "Begin", 24, 0)),
        "lock" => format!("# This file is generated.\nversion = 4\n{}", grown(path, "Begin", 120, 0)),
        "toml" => format!("[package]\nname = \"{}\"\nedition = \"2024\"\n\n[dependencies]\n", folder(path)),
        "json" => "{\n  \"name\": \"harbor\",\n  \"private\": true\n}\n".to_owned(),
        "md" => format!("# {}\n{}", sentence(name), grown(path, "Begin", 12, 0)),
        _ => grown(path, "Begin", 10, 0),
    }
}

/// About `lines` lines in the manner of the file; `n` keeps names apart.
pub fn grown(path: &str, title: &str, lines: u32, n: u32) -> String {
    let mut out = String::new();
    let slug = slug(title);
    let lines = lines.max(1);
    match extension(path) {
        "rs" if path.contains("/tests/") => blocks(&mut out, lines, |out, block| {
            let _ = write!(
                out,
                "\n#[test]\nfn {slug}_{n}_{block}() {{\n    let shop = Shop::new();\n    let order = shop.order({block});\n    \
                 assert_eq!(order.state, State::Open);\n}}\n"
            );
            7
        }),
        "rs" => blocks(&mut out, lines, |out, block| {
            let _ = write!(
                out,
                "\n/// {title}.\nfn {slug}_{n}_{block}(order: &Order) -> Result<Step, Error> {{\n    \
                 let step = Step::of(order, {block})?;\n    step.check()?;\n    Ok(step)\n}}\n"
            );
            7
        }),
        "tsx" | "ts" => blocks(&mut out, lines, |out, block| {
            let _ = write!(
                out,
                "\nexport function {slug}{n}x{block}(props) {{\n  const order = props.order;\n  return view(order, {block});\n}}\n"
            );
            5
        }),
        "lock" => blocks(&mut out, lines, |out, block| {
            let _ = write!(out, "\n[[package]]\nname = \"part-{n}-{block}\"\nversion = \"0.{n}.{block}\"\n");
            4
        }),
        "toml" => blocks(&mut out, lines, |out, block| {
            let _ = writeln!(out, "part-{n}-{block} = \"0.{n}\"");
            1
        }),
        "css" => blocks(&mut out, lines, |out, block| {
            let _ = write!(out, "\n.{}-{n}-{block} {{\n  margin: {block}px;\n}}\n", slug.replace('_', "-"));
            4
        }),
        "ftl" => blocks(&mut out, lines, |out, block| {
            let _ = writeln!(out, "{}-{n}-{block} = {title}", slug.replace('_', "-"));
            1
        }),
        _ => blocks(&mut out, lines, |out, block| {
            let _ = writeln!(out, "{title}: what to know, part {}.", n * 10 + block);
            1
        }),
    }
    out
}

/// A migration of the ordinary kind, or one that holds a lock on `orders` while it works.
pub fn migration(number: u32, heavy: bool) -> String {
    let table = ["carts", "coupons", "order_items", "refunds", "payments", "tax_lines", "order_notes", "addresses"];
    let table = table[number as usize % table.len()];
    if heavy {
        return format!(
            "UPDATE orders SET payment_state = 'settled' WHERE payment_state = 'paid' AND id % 7 = {};\n\
             ALTER TABLE orders ALTER COLUMN payment_state SET NOT NULL;\n",
            number % 7
        );
    }
    match number % 3 {
        0 => format!("ALTER TABLE {table} ADD COLUMN note_{number} text;\n"),
        1 => format!(
            "CREATE TABLE {table}_{number} (\n    id bigint PRIMARY KEY,\n    made_at timestamptz NOT NULL\n);\n"
        ),
        _ => format!("CREATE INDEX {table}_{number}_idx ON {table}_{} (made_at);\n", number - 1),
    }
}

fn blocks(out: &mut String, lines: u32, mut block: impl FnMut(&mut String, u32) -> u32) {
    let (mut written, mut number) = (0, 0);
    while written < lines {
        written += block(out, number);
        number += 1;
    }
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn name(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file)
}

fn folder(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

fn sentence(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn slug(title: &str) -> String {
    let words: Vec<String> =
        title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect();
    words.into_iter().take(4).collect::<Vec<_>>().join("_")
}
