//! What one command names of its place: its options and operands, its variables, and what was selected before it.

use super::aim::{Aim, By, Effect, Named, Value};
use super::axis::Axis;
use super::expand::{Command, host_alone, join};
use super::state::{Moved, Shell};
use super::tools::{Look, Move, Tool, expand_address, known};

/// What belongs together: choosing one of these makes earlier choices of the others void.
const FAMILIES: &[&[Axis]] = &[
    &[Axis::KubeContext, Axis::KubeCluster, Axis::KubeServer, Axis::KubeNamespace],
    &[Axis::GcloudConfig, Axis::GcloudProject, Axis::GcloudAccount, Axis::GcloudRegion],
    &[Axis::CfApi, Axis::CfOrg, Axis::CfSpace],
];

/// The aim of a command of this tool; None where it stays on this machine.
pub(super) fn name_place(tool: &'static Tool, command: Command, shell: &mut Shell) -> Option<Aim> {
    let Command { line, text, arguments, prefix, input, remote } = command;
    let words = arguments.into_iter().skip(1).map(|argument| argument.value).collect();
    let args = tool.sort(words, input);
    let (effect, step, after) = tool.effect(&args);
    let mut look = Look::default();
    if let Some(function) = tool.look {
        function(&args, &mut look);
    }
    let effect = look.effect.unwrap_or(effect);
    if effect == Effect::Local {
        return None;
    }
    let step = step.or_else(|| tool.moves.first().filter(|_| effect == Effect::Moves));

    let mut named: Vec<Named> = Vec::new();
    let directory = shell.directory.as_ref().map(|(value, _)| value);
    let mut add = |axis: Axis, value: Value, by: &By| {
        for (axis, value) in plain(axis, value, directory) {
            if !named.iter().any(|named| named.axis == axis && named.value == value) && named.len() < 64 {
                named.push(Named { axis, value, by: by.clone() });
            }
        }
    };
    let mut chosen: Vec<Axis> = Vec::new();
    for (option, value) in &args.options {
        let own = step.and_then(|step| step.flags.iter().find(|(flag, _)| flag == option)).map(|(_, axis)| *axis);
        if let (Some(axis), Some(value)) = (own.or_else(|| tool.axis_of(option)), value) {
            chosen.extend(own);
            add(axis, value.clone(), &By::Argument);
        }
    }
    for (axis, value) in tool.named_operands(&args).into_iter().chain(look.named) {
        add(axis, value, &By::Argument);
    }
    if let Some(axis) = step.and_then(|step| step.operand) {
        let value = after.first().cloned().filter(|value| known(value) != Some("-"));
        add(axis, value.unwrap_or_else(|| Value::Unknowable(format!("`{text}`"))), &By::Argument);
        chosen.push(axis);
    }
    for (variable, axis) in tool.vars {
        let own = prefix.iter().rev().find(|(name, _)| name == variable).map(|(_, value)| value.clone());
        let set = own.or_else(|| {
            let set = shell.variables.get(*variable)?;
            let unseen = || Value::Unknowable(format!("`{variable}`, which is set without `export`"));
            Some(if set.exported { set.value.clone() } else { unseen() })
        });
        let Some(value) = set.filter(|value| known(value) != Some("")) else { continue };
        add(*axis, value, &By::Variable((*variable).to_owned()));
    }
    // An option goes before a variable, and the first variable before the next: what is overruled names nothing.
    let mut kept: Vec<Named> = Vec::new();
    for one in named {
        let overruled = kept.iter().any(|other| other.axis == one.axis && other.by != one.by);
        if !overruled {
            kept.push(one);
        }
    }
    let mut named = kept;

    let names = |named: &[Named], axes: &[Axis]| named.iter().any(|one| axes.contains(&one.axis));
    if effect == Effect::Moves {
        if let Some(step) = step {
            remember(tool, step, &chosen, &named, shell, line, &text);
        }
    } else if !names(&named, tool.place) {
        for (axis, moved) in &shell.moved {
            let here = moved.directory.is_none() || moved.directory.as_ref() == place_of(&named, shell).as_ref();
            if (tool.place.contains(axis) || tool.within.contains(axis)) && here && !names(&named, &[*axis]) {
                let by = By::Earlier { line: moved.line, text: moved.text.clone() };
                named.push(Named { axis: *axis, value: moved.value.clone(), by });
            }
        }
    } else if let Some(moved) = shell
        .moved
        .get(&Axis::Workspace)
        .filter(|_| tool.place.contains(&Axis::Workspace) && !names(&named, &[Axis::Workspace]))
        && moved.directory == place_of(&named, shell)
    {
        let by = By::Earlier { line: moved.line, text: moved.text.clone() };
        named.push(Named { axis: Axis::Workspace, value: moved.value.clone(), by });
    }
    if let Some((value, line)) = &shell.directory
        && tool.place.contains(&Axis::Directory)
        && !names(&named, &[Axis::Directory])
    {
        let by = By::Earlier { line: *line, text: "cd".to_owned() };
        named.push(Named { axis: Axis::Directory, value: value.clone(), by });
    }
    if let Some(remote) = remote
        && !names(&named, &[Axis::Host])
    {
        let by = By::Earlier { line: remote.line, text: remote.text.clone() };
        named.push(Named { axis: Axis::Host, value: remote.host.clone(), by });
    }
    let placed = names(&named, tool.place);
    let left = |axis: &&Axis| !names(&named, &[**axis]);
    let leaves = if placed {
        tool.within.iter().filter(left).copied().collect()
    } else {
        tool.place.iter().chain(tool.within.iter().filter(left)).copied().collect()
    };
    let clouded = shell.clouded.clone().filter(|_| !placed);
    Some(Aim { line, text, tool: tool.names[0].to_owned(), effect, named, leaves, clouded, trouble: None })
}

/// Where a command runs that keeps its choice by directory.
fn place_of(named: &[Named], shell: &Shell) -> Option<Value> {
    let chdir = named.iter().find(|one| one.axis == Axis::Directory).map(|one| one.value.clone());
    chdir.or_else(|| shell.directory.as_ref().map(|(value, _)| value.clone()))
}

/// Keeps in mind what a command chose for later ones.
fn remember(tool: &Tool, step: &Move, chosen: &[Axis], named: &[Named], shell: &mut Shell, line: usize, text: &str) {
    // `aws eks update-kubeconfig --profile x` chooses a cluster, not a profile.
    let foreign = step
        .operand
        .iter()
        .chain(step.flags.iter().map(|(_, axis)| axis))
        .any(|axis| !tool.place.contains(axis) && !tool.within.contains(axis));
    let mut sets: Vec<(Axis, Value)> = named
        .iter()
        .filter(|one| one.by == By::Argument && (chosen.contains(&one.axis) || !foreign))
        .map(|one| (one.axis, one.value.clone()))
        .collect();
    sets.extend(context_made(tool, named));
    if step.operand.is_none() && sets.is_empty() {
        let axis = step.flags.first().map(|(_, axis)| *axis).or(tool.place.first().copied());
        sets.extend(axis.map(|axis| (axis, Value::Unknowable(format!("`{text}`")))));
    }
    let chooses_place =
        |axis: &Axis| *axis != Axis::KubeNamespace && *axis != Axis::GcloudRegion && *axis != Axis::CfSpace;
    for family in FAMILIES {
        if sets.iter().any(|(axis, _)| family.contains(axis) && chooses_place(axis)) {
            let kept_project =
                sets.iter().all(|(axis, _)| *axis == Axis::GcloudProject || *axis == Axis::GcloudAccount);
            if !kept_project {
                family.iter().for_each(|axis| drop(shell.moved.remove(axis)));
            }
        }
    }
    for (axis, value) in sets {
        let directory = (axis == Axis::Workspace || (axis == Axis::Stack && tool.names[0] == "pulumi"))
            .then(|| place_of(named, shell))
            .flatten();
        shell.moved.insert(axis, Moved { value, line, text: text.to_owned(), directory });
    }
}

/// The name that gcloud and az give to the context that they make.
fn context_made(tool: &Tool, named: &[Named]) -> Option<(Axis, Value)> {
    let get = |axis: Axis| named.iter().find(|one| one.axis == axis).and_then(|one| known(&one.value));
    if get(Axis::KubeContext).is_some() {
        return None;
    }
    let cluster = get(Axis::KubeCluster)?;
    let name = match tool.names[0] {
        "az" => cluster.to_owned(),
        "gcloud" => format!("gke_{}_{}_{cluster}", get(Axis::GcloudProject)?, get(Axis::GcloudRegion)?),
        _ => return None,
    };
    Some((Axis::KubeContext, Value::Known(name)))
}

/// One or several values as the settings list them.
fn plain(axis: Axis, value: Value, directory: Option<&Value>) -> Vec<(Axis, Value)> {
    let text = match value {
        Value::Known(ref text) if text.len() <= 1024 => text.clone(),
        Value::Known(_) => return vec![(axis, Value::Unknowable("a value of more than 1,024 characters".to_owned()))],
        unknowable => return vec![(axis, unknowable)],
    };
    match axis {
        Axis::DatabaseHost => expand_address(&text),
        Axis::Host => vec![(axis, host_alone(Value::Known(text)))],
        Axis::Directory => vec![(axis, join(directory, &Value::Known(text)))],
        Axis::EcsCluster if text.starts_with("arn:") => {
            vec![(axis, Value::Known(text.rsplit('/').next().unwrap_or("").to_owned()))]
        }
        Axis::InventoryLimit => {
            let parts = text.split([',', ':']).filter(|part| !part.is_empty()).take(16);
            parts.map(|part| (axis, Value::Known(part.trim_start_matches(['&', '!']).to_owned()))).collect()
        }
        Axis::Database if text.contains("://") || text.contains('=') => expand_address(&text),
        _ => vec![(axis, Value::Known(text))],
    }
}
