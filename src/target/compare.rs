//! Holds what a shell aims at against what the settings say an environment is: the question of `tidegate confirm`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::aim::{Aim, Trouble};
use super::ambient::{Ambient, Seen};
use super::axis::{Axis, Target};
use super::judge::{listed, shown, values};
use super::tools;
use crate::name::Environment;

/// One coordinate of the shell beside the settings' own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The key of its list in the settings: `kube-contexts`.
    pub key: String,
    pub kind: DifferenceKind,
    /// Whether it alone says where a command goes; a namespace or a region does not.
    pub decides: bool,
    /// One sentence that names both sides.
    pub says: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// The shell points where the environment is.
    Agrees,
    /// It points there, and the same value means another environment too: it proves nothing by itself.
    Shared,
    /// It points elsewhere.
    Differs,
    /// Nothing is set.
    Unset,
    /// Something is set, and what it is cannot be told.
    CannotTell,
    /// The settings do not say what it should be, or a shell has no such thing.
    NotJudged,
}

/// Every coordinate that the settings list for `environment`, and those that the shell sets and the settings do not
/// list. `only`, where given, leaves out all axes but these: those that the plan's commands obey ([`concerns`]).
/// Pure; the order is that of the settings' keys.
pub fn compare(
    ambient: &Ambient,
    environment: &Environment,
    targets: &BTreeMap<Environment, Target>,
    only: Option<&BTreeSet<Axis>>,
) -> Vec<Difference> {
    let nothing = Target::default();
    let own = targets.get(environment).unwrap_or(&nothing);
    let mut differences = Vec::new();
    for &axis in Axis::ALL.iter().filter(|axis| only.is_none_or(|only| only.contains(axis))) {
        let seen: Vec<&Seen> = ambient.on(axis).collect();
        let mut add = |kind, says| {
            differences.push(Difference { key: axis.key().to_owned(), kind, decides: decides(axis), says })
        };
        if own.list(axis).is_empty() {
            let known = seen.iter().find_map(|seen| Some((seen, seen.value.as_ref().ok()?)));
            // Where one stands, and in which file a context is written, says nothing by itself.
            if let Some((seen, value)) = known.filter(|_| axis != Axis::Directory && axis != Axis::Kubeconfig) {
                let elsewhere = holders(targets, environment, axis, seen);
                match elsewhere.as_slice() {
                    [] => add(
                        DifferenceKind::NotJudged,
                        format!(
                            "{} {} `{}`; the settings do not say which is {environment}'s.",
                            points(seen),
                            axis.noun(),
                            shown(value)
                        ),
                    ),
                    others => add(
                        DifferenceKind::Differs,
                        format!(
                            "{} {} `{}`, which is {}'s; {environment} has none in the settings.",
                            points(seen),
                            axis.noun(),
                            shown(value),
                            listed(others)
                        ),
                    ),
                }
            }
            continue;
        }
        let ours = values(own, axis);
        if seen.is_empty() {
            if has_ambient(axis) {
                add(DifferenceKind::Unset, format!("No {} is set here; {environment} is {ours}.", axis.noun()));
            } else {
                add(
                    DifferenceKind::NotJudged,
                    format!("A shell has no {} of its own; commands name it: {environment} is {ours}.", axis.noun()),
                );
            }
        }
        for seen in seen {
            let value = match &seen.value {
                Ok(value) => shown(value),
                Err(why) => {
                    add(
                        DifferenceKind::CannotTell,
                        format!(
                            "It cannot be told which {} {} obeys: {}; {environment} is {ours}.",
                            axis.noun(),
                            seen.tool,
                            why
                        ),
                    );
                    continue;
                }
            };
            let says = format!("{} {} `{value}`", points(seen), axis.noun());
            let others = holders(targets, environment, axis, seen);
            let agrees = names(seen).any(|name| own.list(axis).has(axis, name));
            match (agrees, others.as_slice()) {
                (true, []) => add(DifferenceKind::Agrees, format!("{says}, which is {environment}'s.")),
                (true, others) => {
                    add(DifferenceKind::Shared, format!("{says}, which {environment} shares with {}.", listed(others)))
                }
                (false, []) => add(DifferenceKind::Differs, format!("{says}; {environment} is {ours}.")),
                (false, others) => add(
                    DifferenceKind::Differs,
                    format!("{says}, which is {}'s; {environment} is {ours}.", listed(others)),
                ),
            }
        }
    }
    differences
}

/// Whether the shell may be said to point at the environment: nothing differs, nothing is hidden, at least one
/// coordinate is this environment's alone, and where the settings list any that decides, one of those agrees.
pub fn agrees(differences: &[Difference]) -> bool {
    use DifferenceKind::*;
    let has = |kind| differences.iter().any(|difference| difference.kind == kind);
    let mut deciding =
        differences.iter().filter(|one| one.decides && matches!(one.kind, Agrees | Shared | Unset)).peekable();
    let decided = deciding.peek().is_none() || deciding.any(|one| one.kind != Unset);
    has(Agrees) && !has(Differs) && !has(CannotTell) && decided
}

/// Whether an axis alone says where a command goes.
fn decides(axis: Axis) -> bool {
    !matches!(
        axis,
        Axis::KubeNamespace
            | Axis::Directory
            | Axis::Stage
            | Axis::Database
            | Axis::AwsRegion
            | Axis::GcloudRegion
            | Axis::GcloudAccount
            | Axis::NomadNamespace
            | Axis::CfOrg
    )
}

/// The axes that these commands obey, for `compare`; None, which means all, where a command cannot be read or there is
/// none.
pub fn concerns(aims: &[Aim]) -> Option<BTreeSet<Axis>> {
    let mut axes = BTreeSet::new();
    for aim in aims {
        match &aim.trouble {
            Some(Trouble::Characters(_)) => continue,
            Some(_) => return None,
            None => {}
        }
        let tool = tools::find(&aim.tool)?;
        axes.extend(tool.place.iter().chain(tool.within));
        axes.extend(tool.vars.iter().map(|(_, axis)| *axis));
    }
    (!axes.is_empty()).then_some(axes)
}

/// Other environments whose list holds what was seen.
fn holders<'a>(
    targets: &'a BTreeMap<Environment, Target>,
    environment: &Environment,
    axis: Axis,
    seen: &Seen,
) -> Vec<&'a Environment> {
    let others = targets
        .iter()
        .filter(|(name, target)| *name != environment && names(seen).any(|value| target.list(axis).has(axis, value)));
    others.map(|(name, _)| name).collect()
}

fn names(seen: &Seen) -> impl Iterator<Item = &str> {
    seen.value.iter().chain(seen.also.iter()).map(String::as_str)
}

/// "kubectl points at".
fn points(seen: &Seen) -> String {
    let mut tool = seen.tool.chars();
    let first: String =
        tool.next().map(|c| if seen.tool.contains(' ') { c.to_ascii_uppercase() } else { c }).into_iter().collect();
    format!("{first}{} points at", tool.as_str())
}

/// Whether a shell can set it at all, as far as we look.
fn has_ambient(axis: Axis) -> bool {
    !matches!(
        axis,
        Axis::VarFile
            | Axis::EcsCluster
            | Axis::AzureGroup
            | Axis::ComposeFile
            | Axis::Host
            | Axis::InventoryLimit
            | Axis::ArgocdApp
            | Axis::GitRemote
            | Axis::GitBranch
            | Axis::Url
    )
}
