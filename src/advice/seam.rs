//! A placeholder for `hazard`, which is being built beside this room.

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
