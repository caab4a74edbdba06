//! Placeholders for rooms that are being built beside this one: `timing`, `hazard` and `target`. When they are in, this
//! file goes, and the three `use` lines that name it point at `crate::advice::timing`, `crate::advice::hazard` and
//! `crate::target`.

pub mod timing {
    use crate::advice::facts::Load;
    use crate::advice::view::newest;
    use crate::advice::{Context, Flag, Part, Points, Slot, Windows};
    use crate::clock::Time;

    #[derive(Debug)]
    pub struct Timeline<'a> {
        load: Option<&'a Load>,
    }

    #[derive(Clone, Debug, Default)]
    pub struct Moment {
        pub points: Vec<Points>,
        pub flags: Vec<Flag>,
    }

    impl<'a> Timeline<'a> {
        pub fn build(ctx: &Context<'a>) -> Timeline<'a> {
            Timeline { load: newest(&ctx.facts.load).map(|fact| &fact.value) }
        }

        pub fn moment(&self, at: Time) -> Moment {
            let Some(share) = self.load.and_then(|load| load.usual(at)) else { return Moment::default() };
            let points = (share.min(1.0) * 15.0).round() as i32;
            let says = "Traffic".to_owned();
            let code = "timing.peak-traffic".to_owned();
            Moment { points: vec![Points { code, part: Part::Consequence, says, points, of: 15 }], flags: Vec::new() }
        }
    }

    pub fn windows(ctx: &Context<'_>, timeline: &Timeline<'_>, base_points: i32) -> Windows {
        let at = ctx.plan.when.start(ctx.now);
        let points: i32 = timeline.moment(at).points.iter().map(|p| p.points).sum();
        let score = (base_points + points).clamp(0, 100).unsigned_abs();
        let end = at.plus(ctx.settings.policy.deployment_length.ms());
        let now = Slot { start: at, end, score, reasons: Vec::new(), good: false, costs: Vec::new() };
        let horizon_end = ctx.now.plus(ctx.settings.policy.horizon.ms());
        Windows { horizon_end, now, windows: Vec::new(), none_before: None }
    }
}

pub mod hazard {
    use std::collections::BTreeMap;

    use crate::advice::FlagLevel;

    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Hazards {
        pub found: Vec<Hazard>,
        pub unreadable: Option<String>,
    }

    #[derive(Clone, Debug, PartialEq)]
    pub struct Hazard {
        pub rule: String,
        pub says: String,
        pub level: FlagLevel,
        pub irreversible: bool,
        pub statement: String,
    }

    pub fn hazards(sql: &str, _engine: &str, _tables: &BTreeMap<String, u64>) -> Hazards {
        let lower = sql.to_lowercase();
        let mut found = Vec::new();
        for word in ["drop column", "drop table"] {
            if lower.contains(word) {
                found.push(Hazard {
                    rule: word.replace(' ', "-"),
                    says: format!("`{word}` loses what is in it."),
                    level: FlagLevel::Critical,
                    irreversible: true,
                    statement: sql.to_owned(),
                });
            }
        }
        Hazards { found, unreadable: None }
    }
}

pub mod target {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use crate::advice::FlagLevel;
    use crate::name::Environment;

    #[derive(Clone, Debug, Default, Deserialize)]
    pub struct Target {}

    #[derive(Clone, Debug)]
    pub struct Aim {}

    #[derive(Clone, Debug)]
    pub struct Finding {
        pub level: FlagLevel,
        pub says: String,
    }

    pub fn read(_text: &str) -> Vec<Aim> {
        Vec::new()
    }

    pub fn judge(_aims: &[Aim], _environment: &Environment, _targets: &BTreeMap<Environment, Target>) -> Vec<Finding> {
        Vec::new()
    }
}
