//! Queries with a service's and an environment's name filled in.

use crate::name::{Environment, Service};

/// Puts the names where `{service}` and `{environment}` stand, escaped for the quotes around them (PromQL's are Go's:
/// `"…"` and `'…'` with backslashes, backticks without). The error is a fragment.
pub fn fill(template: &str, service: &Service, environment: &Environment) -> Result<String, String> {
    let names = [("{service}", service.as_str()), ("{environment}", environment.as_str())];
    let mut out = String::with_capacity(template.len() + 64);
    let mut quote: Option<char> = None;
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if let Some((mark, name)) = names.iter().find(|(mark, _)| rest.starts_with(mark)) {
            out.push_str(&escaped(name, quote)?);
            rest = &rest[mark.len()..];
            continue;
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
        match quote {
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            Some('"' | '\'') if c == '\\' => {
                if let Some(escaped) = rest.chars().next() {
                    out.push(escaped);
                    rest = &rest[escaped.len_utf8()..];
                }
            }
            Some(open) if c == open => quote = None,
            _ => {}
        }
    }
    Ok(out)
}

fn escaped(name: &str, quote: Option<char>) -> Result<String, String> {
    match quote {
        Some(quote @ ('"' | '\'')) => {
            let mut out = String::with_capacity(name.len());
            for c in name.chars() {
                match c {
                    '\\' => out.push_str("\\\\"),
                    '\n' => out.push_str("\\n"),
                    c if c == quote => out.extend(['\\', c]),
                    c => out.push(c),
                }
            }
            Ok(out)
        }
        Some(_) if name.contains('`') => Err("a name with a backtick cannot stand in backticks".to_owned()),
        Some(_) => Ok(name.to_owned()),
        None if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => Ok(name.to_owned()),
        None => Err("outside quotes a name may have letters, digits and `_` only".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, service: &str) -> Result<String, String> {
        fill(template, &service.into(), &"production".into())
    }

    #[test]
    fn names_are_filled_in_where_they_stand() {
        let query = r#"sum(rate(http_requests_total{service="{service}",env='{environment}'}[1m]))"#;
        let wanted = r#"sum(rate(http_requests_total{service="checkout",env='production'}[1m]))"#;
        assert_eq!(filled(query, "checkout").unwrap(), wanted);
        assert_eq!(filled("{service}_requests", "check_out").unwrap(), "check_out_requests");
    }

    #[test]
    fn a_name_cannot_break_out_of_its_quotes() {
        assert_eq!(filled(r#"a{s="{service}"}"#, r#"x"} or up{a="\"#).unwrap(), r#"a{s="x\"} or up{a=\"\\"}"#);
        assert_eq!(filled("a{s='{service}'}", "x'y").unwrap(), r"a{s='x\'y'}");
        assert_eq!(filled(r#"a{b="\"",s='{service}'}"#, "it's").unwrap(), r#"a{b="\"",s='it\'s'}"#);
        assert!(filled("a{s=`{service}`}", "x`y").is_err());
        assert!(filled("{service}", "x or up").is_err());
    }
}
