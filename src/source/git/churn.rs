//! How often files changed before, and how long ago: a bounded walk back through the history.

use std::collections::{BinaryHeap, HashSet};

use gix::ObjectId;

use super::objects::{Objects, Trouble};
use super::tree::Paths;

/// So many commits are walked within the window.
const MOST: usize = 10_000;
/// So many in all, to find out how old the oldest files are.
const MOST_FOR_AGES: usize = 2_000;
const DAY: i64 = 24 * 60 * 60;
/// The stretch of time in which changes are counted.
const WINDOW: i64 = 180 * DAY;

/// What the past says about one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// Commits that touched it in the 180 days before; None where the walk did not get that far.
    pub churn: Option<u32>,
    /// Days since the last of them, also beyond those 180 days; None where the walk did not find it.
    pub age_days: Option<u32>,
}

/// Walks back from `start`, newest first, and counts for each path. `seconds` is the moment that ages are counted from.
/// Merges are not counted: what they bring was counted where it was made.
pub(super) fn past(
    objects: &Objects<'_>,
    start: ObjectId,
    seconds: i64,
    paths: &[Vec<u8>],
) -> Result<Vec<Past>, Trouble> {
    let mut wanted = Paths::default();
    for (number, path) in paths.iter().enumerate() {
        wanted.add(path, number);
    }
    let mut counts = vec![0u32; paths.len()];
    let mut ages: Vec<Option<u32>> = vec![None; paths.len()];
    let mut without_age = paths.len();
    let mut whole = true;
    let mut seen = HashSet::from([start]);
    let mut queue = BinaryHeap::new();
    let first = objects.node(start)?;
    queue.push((first.seconds, start));
    while let Some((time, id)) = queue.pop() {
        let in_window = time >= seconds.saturating_sub(WINDOW);
        if without_age == 0 && !in_window {
            break;
        }
        let most = if in_window { MOST } else { MOST_FOR_AGES };
        if seen.len() >= most {
            whole = whole && !in_window;
            break;
        }
        let node = objects.node(id)?;
        if node.cut {
            whole = whole && !in_window;
        }
        if node.parents.len() < 2 && !node.cut {
            let parent = match node.parents.first() {
                Some(parent) => Some(objects.node(*parent)?.tree),
                None => None,
            };
            let days = u32::try_from(seconds.saturating_sub(time).max(0) / DAY).unwrap_or(u32::MAX);
            wanted.touched(objects, parent, Some(node.tree), &mut |number| {
                counts[number] += u32::from(in_window);
                if ages[number].is_none() {
                    ages[number] = Some(days);
                    without_age -= 1;
                }
            })?;
        }
        for parent in node.parents {
            if seen.insert(parent) {
                queue.push((objects.node(parent)?.seconds, parent));
            }
        }
    }
    let past = |(count, age_days)| Past { churn: whole.then_some(count), age_days };
    Ok(counts.into_iter().zip(ages).map(past).collect())
}
