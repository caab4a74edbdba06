//! The changes of a period as a table for spreadsheets, one row each: what auditors take their sample from. RFC 4180;
//! a cell that a spreadsheet would take for a formula is preceded by an apostrophe. Last row: the signed checkpoint.

use csv::{Terminator, WriterBuilder};

use crate::audit::{Act, Case};
use crate::clock::Time;
use crate::ledger::table::harmless;

/// The columns, in order.
pub const COLUMNS: [&str; 37] = [
    "change",
    "findings",
    "service",
    "environment",
    "version",
    "commit_approved",
    "commit_deployed",
    "same_commit",
    "kind",
    "risk_declared",
    "category_declared",
    "score",
    "flags",
    "blockers",
    "planned_by",
    "planned_at",
    "revision",
    "brief",
    "policy",
    "needed",
    "approved_by",
    "objected_by",
    "refused_words",
    "overrides",
    "emergencies",
    "confirmed_by",
    "started_by",
    "started_at",
    "deployed_by",
    "deployed_at",
    "status",
    "alerts",
    "outcome",
    "outcome_by",
    "owed",
    "given",
    "entries",
];

/// The first row.
pub fn head() -> anyhow::Result<Vec<u8>> {
    line(COLUMNS.map(str::to_owned))
}

/// One change.
pub fn row(case: &Case) -> anyhow::Result<Vec<u8>> {
    let by = |act: &Option<Act>| act.as_ref().and_then(|act| act.by.clone()).unwrap_or_default();
    let at = |act: &Option<Act>| act.as_ref().map(|act| act.at.rfc3339()).unwrap_or_default();
    let what = |act: &Act| match (&act.what, &act.by) {
        (Some(what), Some(by)) => format!("{what} by {by} at {}", act.at.rfc3339()),
        (_, by) => format!("{} at {}", by.as_deref().unwrap_or("?"), act.at.rfc3339()),
    };
    let words = |word: &str| -> String {
        let given = case.words.iter().filter(|given| given.word == word && given.stands);
        let one = |given: &crate::audit::Given| {
            let role = given.role.as_ref().map(|role| format!(" as {role}")).unwrap_or_default();
            let unmet = if given.met { "" } else { ", not met" };
            let condition = given.condition.as_ref().map(|c| format!(" if {c}{unmet}")).unwrap_or_default();
            format!("{}{role} at {}{condition}", given.by, given.at.rfc3339())
        };
        given.map(one).collect::<Vec<_>>().join("; ")
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let deployed = case.deployments.last();
    let acts = |acts: &[Act]| acts.iter().map(what).collect::<Vec<_>>().join("; ");
    line([
        case.name().to_owned(),
        case.findings().iter().map(|finding| finding.as_str()).collect::<Vec<_>>().join(" "),
        case.service.clone(),
        case.environment.clone(),
        text(&case.version),
        case.plan.as_ref().and(case.commit.clone().or_else(|| case.change.clone())).unwrap_or_default(),
        deployed.and_then(|one| one.commit.clone()).unwrap_or_default(),
        deployed
            .and_then(|one| one.same_commit)
            .map(|same| if same { "yes" } else { "no" }.to_owned())
            .unwrap_or_default(),
        text(&case.kind),
        text(&case.risk_declared),
        text(&case.category_declared),
        case.score.map(|score| score.to_string()).unwrap_or_default(),
        case.flags.join(" "),
        case.blockers.join(" "),
        by(&case.planned_by),
        at(&case.planned_by),
        case.revision.to_string(),
        text(&case.brief),
        text(&case.policy),
        case.needs.join("; "),
        words("approve"),
        words("object"),
        case.refused_words.to_string(),
        acts(&case.overrides),
        acts(&case.emergencies),
        by(&case.confirmed),
        by(&case.started),
        at(&case.started),
        deployed.and_then(|one| one.actor.clone()).unwrap_or_default(),
        deployed.map(|one| one.began.rfc3339()).unwrap_or_default(),
        deployed
            .map(|one| one.status.clone())
            .or_else(|| case.over.as_ref().and_then(|o| o.what.clone()))
            .unwrap_or_default(),
        case.alerts.to_string(),
        case.outcome.as_ref().and_then(|outcome| outcome.what.clone()).unwrap_or_default(),
        by(&case.outcome),
        case.owed.to_string(),
        case.given.to_string(),
        format!("{}-{}", case.first_entry, case.last_entry),
    ])
}

/// The last row: the checkpoint that the table was made under.
pub fn foot(size: u64, checkpoint: &str, at: Time) -> anyhow::Result<Vec<u8>> {
    let mut cells = [const { String::new() }; COLUMNS.len()];
    cells[0] = "checkpoint".to_owned();
    cells[15] = at.rfc3339();
    cells[17] = checkpoint.to_owned();
    cells[36] = size.to_string();
    line(cells)
}

fn line(cells: [String; COLUMNS.len()]) -> anyhow::Result<Vec<u8>> {
    let mut row = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    row.write_record(cells.map(harmless))?;
    Ok(row.into_inner()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_cell_for_each_column_and_no_formula() {
        let case = Case { plan: Some("shop-1".to_owned()), version: Some("=cmd()".to_owned()), ..Case::default() };
        let mut text = head().unwrap();
        text.extend(row(&case).unwrap());
        text.extend(foot(3, "a\n3\nroot\n", Time::from_ms(0)).unwrap());
        let mut rows = csv::Reader::from_reader(text.as_slice());
        assert_eq!(rows.headers().unwrap(), COLUMNS.as_slice());
        let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
        assert_eq!((&rows[0][0], &rows[0][4], rows[0].len()), ("shop-1", "'=cmd()", COLUMNS.len()));
        assert_eq!(&rows[1][17], "a\n3\nroot\n");
    }
}
