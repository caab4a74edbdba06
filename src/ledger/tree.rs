//! The Merkle tree of RFC 6962 over the entries' leaves: grown by one in O(log n), every old leaf and old size provable.
//!
//! Nodes have a level and an index: level 0 are the leaves (entry `seq` is leaf `seq - 1`), node (l, i) covers the leaves
//! from i·2^l to (i+1)·2^l. Only full nodes are kept; what is ragged at the right edge is folded when asked for.

use super::hash::Hash;

/// A full node of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    pub at: Place,
    pub hash: Hash,
}

/// Where a full node sits. Level 0 are the leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, std::hash::Hash)]
pub struct Place {
    pub level: u32,
    pub index: u64,
}

impl Place {
    /// The size of the tree at which this node became full.
    pub fn full_at(self) -> u64 {
        (self.index + 1) << self.level
    }
}

/// The roots of the full subtrees that make up a tree, the largest first: all that growing needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

/// Says why stored text is not the frontier of a tree of that size.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the stored frontier does not fit a tree of {0} entries")]
pub struct NotAFrontier(pub u64);

impl Frontier {
    /// From the text that [`Frontier::text`] wrote, and the size stored beside it.
    pub fn parse(size: u64, text: &str) -> Result<Frontier, NotAFrontier> {
        let hashes = text.split_terminator(' ').map(str::parse).collect::<Result<Vec<Hash>, _>>();
        let hashes = hashes.map_err(|_| NotAFrontier(size))?;
        if hashes.len() != size.count_ones() as usize || size > i64::MAX as u64 {
            return Err(NotAFrontier(size));
        }
        Ok(Frontier { size, hashes })
    }

    /// The hashes in hexadecimal, separated by spaces; empty for the empty tree.
    pub fn text(&self) -> String {
        self.hashes.iter().map(Hash::to_string).collect::<Vec<_>>().join(" ")
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf, hands over each inner node (level 1 and up, lowest first) that it makes full.
    pub fn grow(&mut self, leaf: Hash, mut full: impl FnMut(Node)) {
        let mut hash = leaf;
        for level in 1..=self.size.trailing_ones() {
            // One hash is kept for each bit set in the size, so there is one for each of the trailing ones.
            let left = self.hashes.pop().expect("the frontier holds a hash for each bit of the size");
            hash = Hash::node(left, hash);
            full(Node { at: Place { level, index: self.size >> level }, hash });
        }
        self.hashes.push(hash);
        self.size += 1;
    }

    /// The root; SHA-256 of nothing for the empty tree.
    pub fn root(&self) -> Hash {
        self.hashes.iter().rev().copied().reduce(|right, left| Hash::node(left, right)).unwrap_or_else(|| Hash::of(b""))
    }
}

/// The full nodes that [`root_at`] will ask for.
pub fn root_needs(size: u64) -> Vec<Place> {
    full_nodes(0, size)
}

/// The root that the tree had at an earlier size.
pub fn root_at<E>(size: u64, mut node: impl FnMut(Place) -> Result<Hash, E>) -> Result<Hash, E> {
    if size == 0 { Ok(Hash::of(b"")) } else { range_hash((0, size), &mut node) }
}

/// The full nodes that [`inclusion`] will ask for, so that a store can read them in one go.
pub fn inclusion_needs(index: u64, size: u64) -> Vec<Place> {
    inclusion_ranges(index, size).into_iter().flat_map(|(from, to)| full_nodes(from, to)).collect()
}

/// The audit path of leaf `index` in the tree of `size` leaves (RFC 6962, 2.1.1), lowest first; empty if there is no such
/// leaf. Asks `node` for O(log n) full nodes.
pub fn inclusion<E>(index: u64, size: u64, mut node: impl FnMut(Place) -> Result<Hash, E>) -> Result<Vec<Hash>, E> {
    inclusion_ranges(index, size).into_iter().map(|range| range_hash(range, &mut node)).collect()
}

/// The root that a leaf and its audit path lead to in a tree of `size` leaves; `None` if the path has the wrong length.
pub fn root_from_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut root) = (index, size - 1, leaf);
    for &sibling in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            root = Hash::node(sibling, root);
            // At the right edge the levels without a sibling are skipped.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            root = Hash::node(root, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

/// The full nodes that [`consistency`] will ask for.
pub fn consistency_needs(old: u64, new: u64) -> Vec<Place> {
    consistency_ranges(old, new).into_iter().flat_map(|(from, to)| full_nodes(from, to)).collect()
}

/// The proof that the tree of `new` leaves begins with the tree of `old` leaves (RFC 6962, 2.1.2); empty if the sizes are
/// equal or `old` is 0.
pub fn consistency<E>(old: u64, new: u64, mut node: impl FnMut(Place) -> Result<Hash, E>) -> Result<Vec<Hash>, E> {
    consistency_ranges(old, new).into_iter().map(|range| range_hash(range, &mut node)).collect()
}

/// Whether `path` proves that the tree with `new_root` begins with the tree with `old_root`.
pub fn is_consistent((old, old_root): (u64, Hash), (new, new_root): (u64, Hash), path: &[Hash]) -> bool {
    if old == 0 || old == new {
        let roots = if old == 0 { old_root == Hash::of(b"") } else { old_root == new_root };
        return path.is_empty() && roots && old <= new;
    }
    if old > new {
        return false;
    }
    // A power of two is itself a node of the new tree, and left out of the path.
    let (first, rest) = match path {
        _ if old.is_power_of_two() => (old_root, path),
        [first, rest @ ..] => (*first, rest),
        [] => return false,
    };
    let shift = (old - 1).trailing_ones();
    let (mut at, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut was, mut is) = (first, first);
    for &hash in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            was = Hash::node(hash, was);
            is = Hash::node(hash, is);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            is = Hash::node(is, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && was == old_root && is == new_root
}

/// Leaves from..to, `from` being a multiple of the power of two that holds them.
type Range = (u64, u64);

fn inclusion_ranges(index: u64, size: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    let (mut from, mut to) = (0, size);
    while index < size && to - from > 1 {
        let middle = from + half(to - from);
        if index < middle {
            ranges.push((middle, to));
            to = middle;
        } else {
            ranges.push((from, middle));
            from = middle;
        }
    }
    ranges.reverse();
    ranges
}

fn consistency_ranges(old: u64, new: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    if old == 0 || old >= new {
        return ranges;
    }
    let (mut from, mut to) = (0, new);
    while old < to {
        let middle = from + half(to - from);
        if old <= middle {
            ranges.push((middle, to));
            to = middle;
        } else {
            ranges.push((from, middle));
            from = middle;
        }
    }
    if from != 0 {
        ranges.push((from, to));
    }
    ranges.reverse();
    ranges
}

/// The largest power of two below `n` (n > 1).
fn half(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The full nodes that a range is made of, the largest first.
fn full_nodes(mut from: u64, to: u64) -> Vec<Place> {
    let mut places = Vec::new();
    while from < to {
        let level = (to - from).ilog2();
        places.push(Place { level, index: from >> level });
        from += 1 << level;
    }
    places
}

fn range_hash<E>((from, to): Range, node: &mut impl FnMut(Place) -> Result<Hash, E>) -> Result<Hash, E> {
    let hashes = full_nodes(from, to).into_iter().map(node).collect::<Result<Vec<_>, E>>()?;
    Ok(hashes.into_iter().rev().reduce(|right, left| Hash::node(left, right)).unwrap_or_else(|| Hash::of(b"")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// RFC 6962, 2.1, word for word.
    fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of(b""),
            [leaf] => *leaf,
            _ => {
                let k = leaves.len().next_power_of_two() / 2;
                Hash::node(root(&leaves[..k]), root(&leaves[k..]))
            }
        }
    }

    /// RFC 6962, 2.1.1, word for word.
    fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() < 2 {
            return Vec::new();
        }
        let k = leaves.len().next_power_of_two() / 2;
        let (mut path, other) =
            if m < k { (path(m, &leaves[..k]), &leaves[k..]) } else { (path(m - k, &leaves[k..]), &leaves[..k]) };
        path.push(root(other));
        path
    }

    /// RFC 6962, 2.1.2, word for word.
    fn subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if m == leaves.len() {
            return if whole { Vec::new() } else { vec![root(leaves)] };
        }
        let k = leaves.len().next_power_of_two() / 2;
        let (mut proof, other) = if m <= k {
            (subproof(m, &leaves[..k], whole), &leaves[k..])
        } else {
            (subproof(m - k, &leaves[k..], false), &leaves[..k])
        };
        proof.push(root(other));
        proof
    }

    fn leaves(n: usize) -> Vec<Hash> {
        (0..n).map(|i| Hash::leaf(format!("entry {i}").as_bytes())).collect()
    }

    fn grown(leaves: &[Hash]) -> (Frontier, HashMap<Place, Hash>) {
        let mut nodes = HashMap::new();
        let mut frontier = Frontier::default();
        for (index, &leaf) in (0..).zip(leaves) {
            nodes.insert(Place { level: 0, index }, leaf);
            frontier.grow(leaf, |node| {
                assert_eq!(node.at.full_at(), index + 1);
                assert_eq!(nodes.insert(node.at, node.hash), None);
            });
        }
        (frontier, nodes)
    }

    fn lookup(nodes: &HashMap<Place, Hash>) -> impl FnMut(Place) -> Result<Hash, String> {
        |at| nodes.get(&at).copied().ok_or_else(|| format!("{at:?} was never full"))
    }

    #[test]
    fn the_published_roots_of_certificate_transparency_hold() {
        let inputs =
            ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root().to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for (input, root) in inputs.into_iter().zip(roots) {
            frontier.grow(Hash::leaf(&super::super::hash::unhex(input).unwrap()), |_| ());
            assert_eq!(frontier.root().to_string(), root);
        }
    }

    #[test]
    fn every_leaf_and_every_older_size_is_proved_for_all_small_trees() {
        let all = leaves(70);
        for n in 0..=all.len() {
            let (frontier, nodes) = grown(&all[..n]);
            let size = n as u64;
            assert_eq!(frontier.root(), root(&all[..n]));
            assert_eq!(Frontier::parse(size, &frontier.text()).as_ref(), Ok(&frontier));
            for m in 0..n {
                let proof = inclusion(m as u64, size, lookup(&nodes)).unwrap();
                assert_eq!(proof, path(m, &all[..n]));
                assert_eq!(root_from_inclusion(all[m], m as u64, size, &proof), Some(frontier.root()));
            }
            for m in 0..=n {
                let old = (m as u64, root(&all[..m]));
                assert_eq!(root_at(old.0, lookup(&nodes)), Ok(old.1));
                let proof = consistency(old.0, size, lookup(&nodes)).unwrap();
                assert_eq!(proof, if m == 0 { Vec::new() } else { subproof(m, &all[..n], true) });
                assert!(is_consistent(old, (size, frontier.root()), &proof), "{m} of {n}");
            }
        }
    }

    proptest! {
        #[test]
        fn needs_name_exactly_what_a_proof_asks_for(n in 1u64..5_000, m in 0u64..5_000) {
            let m = m % n;
            for (needs, ask) in [
                (inclusion_needs(m, n), true),
                (consistency_needs(m, n), false),
            ] {
                let mut asked = Vec::new();
                let note = |at| { asked.push(at); Ok::<_, ()>(Hash::ZERO) };
                if ask { inclusion(m, n, note).unwrap() } else { consistency(m, n, note).unwrap() };
                prop_assert!(asked.len() <= 2 * 13, "{} lookups", asked.len());
                prop_assert!(asked.iter().all(|at| at.full_at() <= n));
                prop_assert_eq!(asked, needs);
            }
        }

        #[test]
        fn a_forged_proof_is_refused(n in 2usize..130, m in 0usize..130, at in 0usize..16, bit in 0usize..256, cut in any::<bool>()) {
            let m = m % n;
            let all = leaves(n);
            let (frontier, nodes) = grown(&all);
            let new = (n as u64, frontier.root());
            let forge = |mut proof: Vec<Hash>| {
                if proof.is_empty() || cut { proof.push(Hash::ZERO); } else {
                    let at = at % proof.len();
                    proof[at].0[bit / 8] ^= 1 << (bit % 8);
                }
                proof
            };
            let inclusion = forge(inclusion(m as u64, new.0, lookup(&nodes)).unwrap());
            prop_assert_ne!(root_from_inclusion(all[m], m as u64, new.0, &inclusion), Some(new.1));
            let old = (m as u64, root(&all[..m]));
            let proof = consistency(old.0, new.0, lookup(&nodes)).unwrap();
            prop_assert!(!is_consistent(old, new, &forge(proof.clone())));
            let mut other = old;
            other.1.0[bit / 8] ^= 1;
            prop_assert!(!is_consistent(other, new, &proof));
        }
    }

    #[test]
    fn a_frontier_of_another_size_is_refused() {
        let (frontier, _) = grown(&leaves(5));
        assert_eq!(Frontier::parse(6, &frontier.text()).unwrap().size(), 6, "as many bits: only the root can tell");
        assert_eq!(Frontier::parse(7, &frontier.text()), Err(NotAFrontier(7)));
        assert_eq!(Frontier::parse(1, "zz"), Err(NotAFrontier(1)));
    }
}
