//! Which tables that were there before a file locks against others: whoever holds them is waited for.

use super::cursor::Cursor;
use super::token::Statement;
use super::{File, last, statement};

/// Notes what one statement locks.
pub fn note(file: &mut File<'_>, statement: &Statement<'_>) {
    let mut names = statement::targets(statement);
    let mut at = Cursor::new(statement);
    if at.eat("lock") {
        at.skip(&["table", "tables", "only"]);
        names.extend(at.names());
    } else if at.eat("vacuum") || at.eat("cluster") || at.eat("reindex") {
        let parts = at.rest().iter().any(|token| token.is("full") || token.is("table"));
        if parts || statement.tokens.first().is_some_and(|token| token.is("cluster")) {
            if at.eat("(") {
                while at.take().is_some_and(|token| !token.is(")")) {}
            }
            at.skip(&["full", "freeze", "verbose", "analyze", "table"]);
            names.extend(at.names());
        }
    } else if at.eat("rename table") {
        names.extend(at.parts().into_iter().take(20).filter_map(|mut part| part.name()));
    } else if at.eat("create") {
        at.skip(&["or replace", "constraint"]);
        if at.eat("trigger") {
            names.extend(at.after("on").and_then(|mut on| on.name()));
        }
    }
    names.extend(referred(statement));
    let touched: Vec<String> = names.iter().map(|name| last(name)).filter(|name| !file.made_here(name)).collect();
    file.touched.extend(touched.into_iter().take(50));
    let words = &statement.tokens;
    let builds = words.first().is_some_and(|token| token.is("create") || token.is("reindex") || token.is("drop"));
    file.waits_for_all |= builds && words.iter().take(4).any(|token| token.is("concurrently"));
}

/// The tables that new foreign keys point to.
fn referred(statement: &Statement<'_>) -> Vec<String> {
    let first = statement.tokens.first();
    if !first.is_some_and(|token| token.is("create") || token.is("alter")) {
        return Vec::new();
    }
    let points = statement.tokens.iter().enumerate().filter(|(_, token)| token.is("references"));
    points
        .take(20)
        .filter_map(|(at, _)| {
            let rest = Statement { tokens: statement.tokens.iter().skip(at + 1).take(6).copied().collect() };
            Cursor::new(&rest).name()
        })
        .collect()
}
