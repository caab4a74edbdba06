//! Sets of time: sorted stretches that neither touch nor overlap, asked by binary search.

use crate::clock::Millis;

/// A stretch of UTC milliseconds; the end is not part of it.
pub type Stretch = (Millis, Millis);

/// A set of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spans {
    spans: Vec<Stretch>,
    /// How much time lies in the stretches before each one.
    before: Vec<Millis>,
}

impl Spans {
    /// From stretches in any order; empty and backward ones are left out.
    pub fn new(mut spans: Vec<Stretch>) -> Spans {
        spans.retain(|(start, end)| start < end);
        spans.sort_unstable();
        let mut merged: Vec<Stretch> = Vec::with_capacity(spans.len());
        for (start, end) in spans {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        Spans::sorted(merged)
    }

    fn sorted(spans: Vec<Stretch>) -> Spans {
        let mut total = 0;
        let before = spans
            .iter()
            .map(|(start, end)| {
                let so_far = total;
                total += end - start;
                so_far
            })
            .collect();
        Spans { spans, before }
    }

    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Stretch> + '_ {
        self.spans.iter().copied()
    }

    /// The stretch that holds a moment.
    pub fn holding(&self, at: Millis) -> Option<Stretch> {
        self.spans.get(self.first_after(at)).copied().filter(|(start, _)| *start <= at)
    }

    /// The first stretch that begins at or after a moment.
    pub fn next(&self, at: Millis) -> Option<Stretch> {
        let i = self.spans.partition_point(|(start, _)| *start < at);
        self.spans.get(i).copied()
    }

    /// Whether one stretch holds all of `from..to`.
    pub fn covers(&self, from: Millis, to: Millis) -> bool {
        self.holding(from).is_some_and(|(_, end)| to <= end)
    }

    /// Whether any of `from..to` is in the set; a moment, where they are the same.
    pub fn overlaps(&self, from: Millis, to: Millis) -> bool {
        self.spans.get(self.first_after(from)).is_some_and(|(start, _)| *start < to.max(from + 1))
    }

    /// How much of `from..to` is in the set.
    pub fn measure(&self, from: Millis, to: Millis) -> Millis {
        (self.until(to) - self.until(from)).max(0)
    }

    pub fn union(sets: &[&Spans]) -> Spans {
        Spans::new(sets.iter().flat_map(|set| set.iter()).collect())
    }

    /// What is in this one and not in the other.
    pub fn minus(&self, other: &Spans) -> Spans {
        let mut left = Vec::with_capacity(self.spans.len());
        let mut j = 0;
        for (mut start, end) in self.iter() {
            while other.spans.get(j).is_some_and(|b| b.1 <= start) {
                j += 1;
            }
            let mut k = j;
            while let Some(b) = other.spans.get(k).filter(|b| b.0 < end) {
                if start < b.0 {
                    left.push((start, b.0));
                }
                start = start.max(b.1);
                k += 1;
            }
            if start < end {
                left.push((start, end));
            }
        }
        Spans::sorted(left)
    }

    /// The part that lies in `from..to`.
    pub fn within(&self, from: Millis, to: Millis) -> impl Iterator<Item = Stretch> + '_ {
        let rest = self.spans.get(self.first_after(from)..).unwrap_or_default();
        rest.iter()
            .take_while(move |(start, _)| *start < to)
            .map(move |(start, end)| ((*start).max(from), (*end).min(to)))
    }

    /// The index of the first stretch that ends after a moment.
    fn first_after(&self, at: Millis) -> usize {
        self.spans.partition_point(|(_, end)| *end <= at)
    }

    /// How much time of the set lies before a moment.
    fn until(&self, at: Millis) -> Millis {
        let i = self.first_after(at);
        match (self.spans.get(i), self.before.get(i)) {
            (Some((start, _)), Some(before)) => before + (at - start).max(0),
            _ => self.spans.last().zip(self.before.last()).map_or(0, |((start, end), before)| before + end - start),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(bits: u64) -> Spans {
        Spans::new((0..64).filter(|i| bits >> i & 1 == 1).map(|i| (i, i + 1)).collect())
    }

    fn bits(set: &Spans) -> u64 {
        (0..64).filter(|i| set.holding(*i).is_some()).fold(0, |bits, i| bits | 1 << i)
    }

    proptest! {
        #[test]
        fn sets_of_time_behave_like_sets(a: u64, b: u64, from in 0i64..64, len in 1i64..64) {
            let to = (from + len).min(64);
            prop_assert_eq!(bits(&set(a)), a);
            prop_assert_eq!(bits(&set(a).minus(&set(b))), a & !b);
            prop_assert_eq!(bits(&Spans::union(&[&set(a), &set(b)])), a | b);
            let asked = (from..to).fold(0u64, |bits, i| bits | 1 << i);
            prop_assert_eq!(set(a).overlaps(from, to), a & asked != 0);
            prop_assert_eq!(set(a).covers(from, to), a & asked == asked);
            prop_assert_eq!(set(a).measure(from, to), i64::from((a & asked).count_ones()));
            let part: i64 = set(a).within(from, to).map(|(start, end)| end - start).sum();
            prop_assert_eq!(part, set(a).measure(from, to));
        }
    }
}
