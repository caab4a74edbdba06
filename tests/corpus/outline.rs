//! A payload as an outline: everything that is sent, in a form that people can read line by line.

use serde_json::Value;

/// `key: value`, a dash before each of several, and text of several lines below its key, each after a bar.
pub fn outline(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                out.push_str(&format!("{indent}{name}:"));
                below(field, depth, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                out.push_str(&format!("{indent}-"));
                below(item, depth, out);
            }
        }
        _ => out.push_str(&format!("{indent}{}\n", short(value))),
    }
}

fn below(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push('\n');
            write(value, depth + 1, out);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            write(value, depth + 1, out);
        }
        Value::String(text) if text.contains('\n') => {
            out.push('\n');
            for line in text.split('\n') {
                out.push_str(format!("{}| {line}", "  ".repeat(depth + 1)).trim_end());
                out.push('\n');
            }
        }
        _ => out.push_str(&format!(" {}\n", short(value))),
    }
}

/// What cannot be seen is written as its number.
fn short(value: &Value) -> String {
    let Value::String(text) = value else { return value.to_string() };
    if text.is_empty() || text.trim() != text { format!("{text:?}") } else { text.clone() }
}
