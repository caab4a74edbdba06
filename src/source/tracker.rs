//! What trackers of incidents have in common.

use serde::Deserialize;

use crate::advice::facts::Incident;
use crate::message::is_web;
use crate::source::Ask;

/// The incidents that were open in the time looked at, the newest first, each once. One that ended between two questions is
/// told both as open and as over; it is over.
pub fn settled(mut found: Vec<Incident>, ask: &Ask) -> Vec<Incident> {
    found.sort_by(|a, b| (&a.id, a.opened).cmp(&(&b.id, b.opened)).then_with(|| b.resolved.cmp(&a.resolved)));
    found.dedup_by(|next, kept| (&next.id, next.opened) == (&kept.id, kept.opened));
    found.retain(|incident| incident.opened <= ask.to && incident.resolved.is_none_or(|at| at >= ask.from));
    found.sort_by(|a, b| b.opened.cmp(&a.opened).then_with(|| a.id.cmp(&b.id)));
    found
}

/// A value in a custom field.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The field, by its name or id.
    field: String,
    value: String,
}

impl Mark {
    pub fn new(field: &str, value: &str) -> Mark {
        Mark { field: field.to_owned(), value: value.to_owned() }
    }

    /// As the settings call the field.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Whether one of these is what the field is called, whatever its case.
    pub fn is_field<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> bool {
        names.into_iter().any(|name| name.trim().eq_ignore_ascii_case(self.field.trim()))
    }

    /// Whether this is the value, whatever its case.
    pub fn is_value(&self, value: &str) -> bool {
        value.trim().eq_ignore_ascii_case(self.value.trim())
    }
}

/// Whether a text holds the mark that says that deployments are blocked, whatever the case of either. An empty mark marks
/// nothing.
pub fn is_marked(text: &str, mark: &str) -> bool {
    let mark = mark.trim().to_lowercase();
    !mark.is_empty() && text.to_lowercase().contains(&mark)
}

/// A link that people may be shown.
pub fn link(text: Option<String>) -> Option<String> {
    text.filter(|link| link.len() <= 2_000 && is_web(link))
}

/// What is said of entries that could not be read, where there are any.
pub fn unread(odd: usize, one: &str) -> Option<String> {
    let what = if odd == 1 { one.to_owned() } else { format!("{one}s") };
    (odd > 0).then(|| format!("has {odd} {what} that could not be read"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Question;
    use crate::source::tests::{ask, settings};

    #[test]
    fn an_incident_told_as_open_and_as_over_is_over_and_told_once() {
        let asked = ask(Question::Incidents, &settings(""));
        let incident = |id: &str, opened: i64, resolved: Option<i64>| Incident {
            id: id.to_owned(),
            title: String::new(),
            services: Vec::new(),
            severity: None,
            opened: asked.now.plus(opened),
            resolved: resolved.map(|at| asked.now.plus(at)),
            blocks: false,
            follow_ups: 0,
            link: None,
        };
        let (day, hour) = (crate::clock::DAY, crate::clock::HOUR);
        let found = vec![
            incident("a", -hour, None),
            incident("a", -hour, Some(0)),
            incident("old", -9 * day, Some(-8 * day)),
            incident("old", -9 * day, None),
            incident("b", -2 * hour, None),
            incident("later", 9 * day, None),
        ];
        let told: Vec<(String, bool)> =
            settled(found, &asked).into_iter().map(|incident| (incident.id, incident.resolved.is_some())).collect();
        assert_eq!(told, [("a".to_owned(), true), ("b".to_owned(), false)]);
    }

    #[test]
    fn an_empty_mark_marks_nothing() {
        assert!(is_marked("Down [Blocks Deployments] now", " [blocks deployments] "));
        assert!(!is_marked("Down", " "));
    }
}
