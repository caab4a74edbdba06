//! What a check says, before its code is put to it.

use crate::advice::sight::Gap;
use crate::advice::{Because, Flag, FlagLevel, Part};

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub level: FlagLevel,
    pub says: String,
    pub because: Vec<Because>,
    part: Part,
    points: i32,
    of: i32,
}

impl Answer {
    fn new(level: FlagLevel, says: impl Into<String>) -> Answer {
        Answer { level, says: says.into(), because: Vec::new(), part: Part::Likelihood, points: 0, of: 0 }
    }

    pub fn pass(says: impl Into<String>) -> Answer {
        Answer::new(FlagLevel::Pass, says)
    }

    pub fn info(says: impl Into<String>) -> Answer {
        Answer::new(FlagLevel::Info, says)
    }

    pub fn caution(says: impl Into<String>) -> Answer {
        Answer::new(FlagLevel::Caution, says)
    }

    pub fn critical(says: impl Into<String>) -> Answer {
        Answer::new(FlagLevel::Critical, says)
    }

    pub fn unknown(says: impl Into<String>) -> Answer {
        Answer::new(FlagLevel::Unknown, says)
    }

    /// The answer where nothing could be seen.
    pub fn gap(gap: Gap) -> Answer {
        Answer::unknown(gap.says()).because(gap.because)
    }

    /// At a level that a measured value reached.
    pub fn at(level: FlagLevel, says: impl Into<String>) -> Answer {
        Answer::new(level, says)
    }

    /// Rests on these.
    pub fn because(mut self, because: impl IntoIterator<Item = Because>) -> Answer {
        self.because.extend(because);
        self
    }

    /// An all-clear stands only where everything was seen: with a gap it is unknown, and keeps its points unless they
    /// would reassure. What was found stays found.
    pub fn unless(self, gap: Option<Gap>) -> Answer {
        match gap {
            Some(gap) if self.level < FlagLevel::Unknown => {
                let mut because = self.because;
                because.extend(gap.because.iter().cloned());
                Answer { level: FlagLevel::Unknown, says: gap.says(), because, points: self.points.max(0), ..self }
            }
            Some(gap) => self.because(gap.because),
            None => self,
        }
    }

    /// Adds to how likely a fault is.
    pub fn likelihood(self, points: i32, of: i32) -> Answer {
        Answer { part: Part::Likelihood, points: points.min(of), of, ..self }
    }

    /// Adds to how much a fault would hurt.
    pub fn consequence(self, points: i32, of: i32) -> Answer {
        Answer { part: Part::Consequence, points: points.min(of), of, ..self }
    }

    pub(super) fn into_flag(mut self, code: &str) -> (Flag, Part) {
        // The order in which sources answered is nobody's reason.
        self.because.sort_by(|a, b| (&a.source, &a.says, a.at, &a.link).cmp(&(&b.source, &b.says, b.at, &b.link)));
        self.because.dedup();
        self.because.truncate(12);
        let Answer { level, says, because, part, points, of } = self;
        let flag = Flag { code: code.to_owned(), level, says, because, points, of, would_help: None };
        (flag, part)
    }
}
