//! What stands in a plan's way, which overrides hold against it, and the end of those that no longer do.

use crate::advice::{Context, FlagLevel};
use crate::app::App;
use crate::approval::overriding::{Block, HELD, OBJECTED, Override};
use crate::approval::{Word, WordKind};
use crate::config::Settings;
use crate::ledger::Statement;
use crate::plan::show;
use crate::store::Tx;
use crate::store::plan::{PlanRow, Revision};
use crate::wording;

/// Everything that stops the gate for this plan at the moment of this transaction, or would when its time comes, and that
/// a rule may let somebody override.
pub async fn blocks(
    tx: &mut Tx,
    row: &PlanRow,
    revision: &Revision,
    settings: &Settings,
) -> anyhow::Result<Vec<Block>> {
    let plan = show::as_of(&row.plan, tx.now);
    let advice = crate::advice::advise(Context { plan: &plan, facts: &revision.facts, settings, now: tx.now });
    let mut blocks: Vec<Block> = advice
        .flags
        .iter()
        .filter(|flag| flag.level == FlagLevel::Critical && advice.blockers.contains(&flag.code))
        .map(Block::of)
        .collect();
    let words = tx.words(&row.plan.id).await?;
    blocks.extend(of_words(&words, row.revision));
    Ok(blocks)
}

/// Objections and holds on a revision, as what stands in the way.
pub fn of_words(words: &[Word], revision: i64) -> Vec<Block> {
    let block = |kind: WordKind, code: &str, verb: &str| {
        let standing = words.iter().filter(|word| word.kind == kind && word.revision == revision && word.stands());
        let people: std::collections::BTreeSet<String> = standing.map(|word| word.person.to_string()).collect();
        let names: Vec<&str> = people.iter().map(String::as_str).collect();
        let says = format!("{} {verb}.", names.join(" and "));
        (!people.is_empty()).then(|| Block { code: code.to_owned(), says, facts: people })
    };
    [block(WordKind::Object, OBJECTED, "objected"), block(WordKind::Hold, HELD, "asked to hold")]
        .into_iter()
        .flatten()
        .collect()
}

/// The override that holds against a blocker now, if one does.
pub fn against<'a>(
    overrides: &'a [Override],
    block: &Block,
    row: &PlanRow,
    settings: &Settings,
    now: crate::clock::Time,
) -> Option<&'a Override> {
    let mut of_it = overrides.iter().filter(|given| given.code == block.code);
    of_it.find(|given| given.holds(&row.plan, Some(block), settings, now).is_ok())
}

/// Ends overrides for `reason`: those for which `ends` says so. The record and the thread hear of it.
pub async fn end(
    app: &App,
    tx: &mut Tx,
    row: &PlanRow,
    mut ends: impl FnMut(&Override) -> Option<String>,
) -> anyhow::Result<()> {
    let given = tx.overrides(&row.plan.id).await?;
    for given in given.into_iter().filter(Override::stands) {
        let Some(reason) = ends(&given) else { continue };
        tx.end_override(&given.id, &reason).await?;
        let record = Statement::new("override").of(row, None).verdict("void");
        let record = record.with("code", given.code.clone()).with("of", given.person.to_string());
        tx.record(app, record.text("reason", Some(&reason))).await?;
        show::in_thread(tx, row, wording::overriding::ended(row, &given, &reason)).await?;
    }
    Ok(())
}
