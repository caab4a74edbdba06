//! What lies between two commits: which of them contains the other, and the commits that only one of them has.

use std::collections::{BinaryHeap, HashMap};

use gix::ObjectId;

use super::objects::{Node, Objects, Trouble};
use crate::advice::facts::Direction;

/// So many commits are looked at; a fork that is older than that is not found.
const MOST: usize = 50_000;

const BASE: u8 = 1;
const HEAD: u8 = 2;
const BOTH: u8 = BASE | HEAD;

/// The commits between, newest first.
#[derive(Debug, Default)]
pub(super) struct Range {
    /// Only the head has them.
    pub ahead: Vec<ObjectId>,
    /// Only the base has them.
    pub behind: Vec<ObjectId>,
    /// Why it is not known whether these are all, as a fragment.
    pub doubt: Option<String>,
}

impl Range {
    pub fn direction(&self) -> Direction {
        match (self.ahead.is_empty(), self.behind.is_empty()) {
            _ if self.doubt.is_some() => Direction::Unknown,
            (true, true) => Direction::Same,
            (false, true) => Direction::Forward,
            (true, false) => Direction::Back,
            (false, false) => Direction::Sideways,
        }
    }
}

struct Seen {
    sides: u8,
    node: Node,
    waits: bool,
    order: usize,
}

/// Walks both histories, newest commit first, until what is left is common to both.
pub(super) fn range(objects: &Objects<'_>, base: ObjectId, head: ObjectId) -> Result<Range, Trouble> {
    if base == head {
        return Ok(Range::default());
    }
    let mut seen: HashMap<ObjectId, Seen> = HashMap::new();
    let mut queue = BinaryHeap::new();
    let mut one_sided = 0usize;
    let mut oldest_one_sided = i64::MAX;
    let mut order = 0;
    let mut doubt = None;
    for (id, side) in [(base, BASE), (head, HEAD)] {
        let node = objects.node(id)?;
        queue.push((node.seconds, id));
        seen.insert(id, Seen { sides: side, node, waits: true, order: usize::MAX });
        one_sided += 1;
    }
    while let Some((seconds, id)) = queue.pop() {
        // Clocks go wrong: common commits are followed until they are older than everything that one side alone has.
        if one_sided == 0 && seconds < oldest_one_sided {
            break;
        }
        let Some(commit) = seen.get_mut(&id) else { continue };
        commit.waits = false;
        if commit.order == usize::MAX {
            commit.order = order;
            order += 1;
        }
        let sides = commit.sides;
        if sides != BOTH {
            one_sided -= 1;
            oldest_one_sided = oldest_one_sided.min(seconds);
            if commit.node.cut {
                doubt = Some("the clone is shallow: its history ends before the two versions meet".to_owned());
            }
        }
        for parent in commit.node.parents.clone() {
            let full = seen.len() >= MOST;
            match seen.get_mut(&parent) {
                Some(known) if known.sides | sides == known.sides => {}
                Some(known) => {
                    if known.waits {
                        one_sided -= usize::from(known.sides != BOTH);
                    } else {
                        queue.push((known.node.seconds, parent));
                        known.waits = true;
                    }
                    known.sides |= sides;
                    one_sided += usize::from(known.sides != BOTH);
                }
                None if full => {
                    doubt = Some(format!("the two versions do not meet within {MOST} commits"));
                }
                None => {
                    let node = objects.node(parent)?;
                    queue.push((node.seconds, parent));
                    seen.insert(parent, Seen { sides, node, waits: true, order: usize::MAX });
                    one_sided += usize::from(sides != BOTH);
                }
            }
        }
        if seen.len() >= MOST && one_sided > 0 {
            doubt.get_or_insert_with(|| format!("the two versions do not meet within {MOST} commits"));
            break;
        }
    }
    let side = |wanted: u8| {
        let mut commits: Vec<_> = seen.iter().filter(|(_, commit)| commit.sides == wanted).collect();
        commits.sort_by_key(|(id, commit)| (std::cmp::Reverse(commit.node.seconds), commit.order, **id));
        commits.into_iter().map(|(id, _)| *id).collect()
    };
    Ok(Range { ahead: side(HEAD), behind: side(BASE), doubt })
}
