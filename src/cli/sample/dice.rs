//! Numbers that look like chance and are the same every time.

/// A seeded sequence (SplitMix64, public domain, by Sebastiano Vigna).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + u32::try_from(self.below(high.saturating_sub(low) as usize + 1)).unwrap_or(0)
    }

    /// True in `per_mille` of 1,000 cases.
    pub fn hits(&mut self, per_mille: usize) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of several; None of none.
    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        among.get(self.below(among.len()))
    }
}

/// A share from 0 to 1 that belongs to these numbers: noise that can be asked in any order.
pub fn noise(seed: u64, at: i64) -> f64 {
    (mix(seed ^ mix(at.cast_unsigned())) >> 11) as f64 / (1u64 << 53) as f64
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
