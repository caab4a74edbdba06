//! Ranges of line numbers.

/// So many ranges of one file are told.
const MOST: usize = 200;

/// Line numbers that come in rising order, joined to ranges.
#[derive(Clone, Debug, Default)]
pub(in crate::source) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// Adds a line, counted from 1. What comes after too many ranges joins the last one: rather too wide than left out.
    pub fn add(&mut self, line: u32) {
        let full = self.0.len() >= MOST;
        match self.0.last_mut() {
            Some((_, last)) if full || last.saturating_add(1) >= line => *last = line.max(*last),
            _ => self.0.push((line, line)),
        }
    }

    /// First and last line of each.
    pub fn told(self) -> Vec<(u32, u32)> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_joined_and_many_ranges_end_in_one() {
        let mut ranges = Ranges::default();
        [3, 4, 5, 9].into_iter().for_each(|line| ranges.add(line));
        assert_eq!(ranges.told(), [(3, 5), (9, 9)]);
        let mut many = Ranges::default();
        (1..1_000).for_each(|line| many.add(line * 2));
        let told = many.told();
        assert_eq!((told.len(), told.last()), (200, Some(&(400, 1_998))));
    }
}
