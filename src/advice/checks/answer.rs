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
    /// Something could not be seen: points below zero would reassure on the strength of it.
    gapped: bool,
}

impl Answer {
    fn new(level: FlagLevel, says: impl Into<String>) -> Answer {
        Answer {
            level,
            says: says.into(),
            because: Vec::new(),
            part: Part::Likelihood,
            points: 0,
            of: 0,
            gapped: level == FlagLevel::Unknown,
        }
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

    /// An all-clear stands only where everything was seen: with a gap it is unknown, and what it gives is never less than
    /// nothing. What was found stays found.
    pub fn unless(self, gap: Option<Gap>) -> Answer {
        let Some(gap) = gap else { return self };
        let says = gap.says();
        let answer = Answer { gapped: true, points: self.points.max(0), ..self }.because(gap.because);
        if answer.level < FlagLevel::Unknown { Answer { level: FlagLevel::Unknown, says, ..answer } } else { answer }
    }

    /// Adds to how likely a fault is.
    pub fn likelihood(self, points: i32, of: i32) -> Answer {
        self.gives(Part::Likelihood, points, of)
    }

    /// Adds to how much a fault would hurt.
    pub fn consequence(self, points: i32, of: i32) -> Answer {
        self.gives(Part::Consequence, points, of)
    }

    fn gives(self, part: Part, points: i32, of: i32) -> Answer {
        let least = if self.gapped { 0 } else { i32::MIN };
        Answer { part, points: points.min(of).max(least), of, ..self }
    }

    pub(super) fn into_flag(mut self, code: &str) -> (Flag, Part) {
        // The order in which sources answered is nobody's reason.
        self.because.sort_by(|a, b| (&a.source, &a.says, a.at, &a.link).cmp(&(&b.source, &b.says, b.at, &b.link)));
        self.because.dedup();
        self.because.truncate(12);
        let Answer { level, says, because, part, points, of, .. } = self;
        let flag = Flag { code: code.to_owned(), level, says, because, points, of, would_help: None };
        (flag, part)
    }
}
