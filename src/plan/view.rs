//! A plan as programs read it: the shapes of `--json` and of `GET /api/plans/{id}`.

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::advice::{Advice, Slot, Windows, says};
use crate::approval::condition::Watcher;
use crate::approval::overriding::Override;
use crate::approval::second_step::Step;
use crate::approval::{Word, WordKind};
use crate::plan::{Plan, State, When};
use crate::store::plan::{PlanRow, Revision};

/// The plan itself.
pub fn plan(row: &PlanRow) -> Value {
    of(&row.plan)
}

fn of(plan: &Plan) -> Value {
    let when = match plan.when {
        When::Now => Value::Null,
        When::At { at } => json!(at),
        When::Window { start, .. } => json!(start),
    };
    let window = match plan.when {
        When::Window { start, end } => json!({ "start": start, "end": end }),
        _ => Value::Null,
    };
    let values = |value: fn(&crate::plan::Setting) -> Value| {
        if plan.kind.has_version() {
            return Value::Null;
        }
        plan.set.iter().map(|s| (s.name.clone(), value(s))).collect::<serde_json::Map<_, _>>().into()
    };
    json!({
        "id": plan.id,
        "kind": plan.kind,
        "service": plan.service,
        "environment": plan.environment,
        "version": plan.version,
        "commit": plan.commit,
        "before": values(|s| json!(s.before)),
        "after": values(|s| json!(s.after)),
        "change": plan.set_digest(),
        "by": plan.by,
        "why": plan.why,
        "why_now": plan.why_now,
        "when": when,
        "window": window,
        "how": plan.how,
        "validate": plan.validate,
        "rollback": plan.rollback,
        "rollback_if": plan.rollback_if,
        "success": plan.success,
        "tell": plan.tell,
        "watch": plan.watch,
        "respond": plan.respond,
        "risk": plan.risk,
        "category": plan.category,
        "hotfix": plan.hotfix,
        "needed_by": plan.needed_by,
        "made_at": plan.made_at,
    })
}

/// The whole: plan, revision, advice, approvals, state.
pub fn full(
    row: &PlanRow,
    revision: Option<&Revision>,
    words: &[Word],
    overrides: &[Override],
    steps: &[Step],
    watchers: &[Watcher],
) -> Value {
    let approvals = || {
        words.iter().filter(|w| w.kind == WordKind::Approve && w.revision == row.revision && w.stands()).map(|word| {
            let mut value = json!({
                "by": word.person, "role": word.role, "for": word.lender, "at": word.at, "brief": word.brief,
                "confirmed": word.confirmed,
            });
            if let Some(only_if) = &word.only_if {
                value["if"] = only_if.condition.written().into();
                value["met_at"] = json!(only_if.met.as_ref().map(|(at, _)| at));
                value["met_by"] = json!(only_if.met.as_ref().map(|(_, by)| by));
            }
            (word.only_if.as_ref().is_none_or(|only_if| only_if.met.is_some()), value)
        })
    };
    let given: Vec<Value> = approvals().filter(|(met, _)| *met).map(|(_, value)| value).collect();
    let unmet: Vec<Value> = approvals().filter(|(met, _)| !met).map(|(_, value)| value).collect();
    let mut view = shown(
        &row.plan,
        row.revision,
        revision.map(|r| r.brief.as_str()),
        revision.map(|r| &r.advice),
        given,
        row.state,
    );
    // Given, but on a condition that is not met: they do not count.
    view["approvals"]["conditional"] = unmet.into();
    if let Some(object) = view.as_object_mut() {
        let watching: Vec<Value> = watchers.iter().map(|w| json!({ "by": w.person, "since": w.since })).collect();
        object.insert("watching".to_owned(), watching.into());
        object.insert("confirmed".to_owned(), act(&row.confirmed));
        object.insert("started".to_owned(), act(&row.started));
        object.insert("settled_category".to_owned(), act(&row.category));
        object.insert("reviewed".to_owned(), act(&row.reviewed));
        object.insert("stale_at".to_owned(), json!(row.stale_at));
        let standing = overrides.iter().filter(|given| given.stands());
        let standing: Vec<Value> = standing
            .map(|g| json!({ "code": g.code, "by": g.person, "role": g.role, "at": g.at, "bound": g.bound }))
            .collect();
        object.insert("overrides".to_owned(), standing.into());
        let open = crate::plan::second_step::open(steps, &row.plan.id, row.revision).into_iter();
        let open: Vec<Value> =
            open.map(|step| json!({ "by": step.person, "how": step.how, "until": step.ends_at })).collect();
        object.insert("unconfirmed".to_owned(), open.into());
    }
    view
}

/// A brief, recorded or only looked at.
pub fn shown(
    plan: &Plan,
    revision: i64,
    brief: Option<&str>,
    advice: Option<&Advice>,
    given: Vec<Value>,
    state: State,
) -> Value {
    let empty = || Value::Array(Vec::new());
    let needed: Value =
        advice.map_or_else(empty, |a| a.approvals.needs.iter().map(crate::wording::need).collect::<Vec<_>>().into());
    json!({
        "plan": of(plan),
        "revision": revision,
        "brief": brief,
        "flags": advice.map_or_else(empty, |a| json!(a.flags)),
        "blockers": advice.map_or_else(empty, |a| json!(a.blockers)),
        "score": advice.map_or(Value::Null, |a| json!(a.score)),
        "windows": advice.map_or_else(empty, |a| a.windows.windows.iter().map(slot).collect::<Vec<_>>().into()),
        "none_before": advice.map_or(Value::Null, |a| json!(a.windows.none_before)),
        "mitigations": advice.map_or_else(empty, |a| json!(a.mitigations)),
        "category": advice.map_or(Value::Null, |a| json!(a.category)),
        "rollback_draft": advice.map_or(Value::Null, |a| json!(a.rollback_draft)),
        "impact": advice.map_or_else(empty, |a| json!(a.impact)),
        "approvals": { "needed": needed, "given": given, "eligible": advice.map_or_else(empty, |a| json!(a.approvals.eligible)) },
        "asked": advice.map_or(Value::Null, |a| json!(a.asked)),
        "state": state,
    })
}

/// The answer to `windows --json`.
pub fn windows(windows: &Windows, zone: Tz) -> Value {
    let now = windows.now.start;
    // In words too: whoever reads them in a terminal lives in a zone.
    let told = |one: &Slot| {
        let mut value = slot(one);
        value["says"] = says::range(one.start, one.end, zone, now).into();
        value
    };
    json!({
        "zone": zone.name(),
        "horizon_end": windows.horizon_end,
        "now": { "score": windows.now.score, "reasons": windows.now.reasons, "costs": windows.now.costs },
        "windows": windows.windows.iter().map(told).collect::<Vec<_>>(),
        "none_before": windows.none_before,
        "none_before_says": windows.none_before.map(|at| says::time(at, zone, now)),
    })
}

fn slot(slot: &Slot) -> Value {
    json!({ "start": slot.start, "end": slot.end, "score": slot.score, "reasons": slot.reasons, "good": slot.good, "costs": slot.costs })
}

fn act(act: &Option<(crate::clock::Time, crate::name::Person)>) -> Value {
    act.as_ref().map_or(Value::Null, |(at, by)| json!({ "at": at, "by": by }))
}
