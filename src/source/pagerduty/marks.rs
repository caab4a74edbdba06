//! What of an incident says that it blocks deployments, beside its title: a custom field, whose values are asked for incident
//! by incident.

use futures::stream::{self, StreamExt};
use serde::Deserialize;

use super::PagerDuty;
use crate::advice::facts::Incident;
use crate::source::CannotSay;
use crate::source::rest::Failed;
use crate::source::tracker::Mark;

/// Of so many open incidents the fields are asked for.
const MOST: usize = 20;
/// So many questions are asked at once.
const AT_ONCE: usize = 6;

#[derive(Debug, Deserialize)]
struct Values {
    custom_fields: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Field {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    value: serde_json::Value,
}

impl PagerDuty {
    /// Marks the open incidents that block by a custom field, each incident with its id at PagerDuty. Gives what could not be
    /// learned.
    pub(super) async fn mark_by_field(&self, found: &mut [(String, Incident)]) -> Vec<String> {
        let Some(mark) = &self.keys.blocks_field else { return Vec::new() };
        let mut open: Vec<&mut (String, Incident)> =
            found.iter_mut().filter(|(_, incident)| incident.resolved.is_none() && !incident.blocks).collect();
        open.sort_by(|a, b| b.1.opened.cmp(&a.1.opened).then_with(|| a.0.cmp(&b.0)));
        let mut incomplete = Vec::new();
        if open.len() > MOST {
            let all = open.len();
            incomplete
                .push(format!("only of the newest {MOST} of {all} open incidents it was asked whether they block"));
            open.truncate(MOST);
        }
        let ids: Vec<String> = open.iter().map(|(id, _)| id.clone()).collect();
        let asked = ids.into_iter().map(|id| self.has(id, mark));
        let answers: Vec<Result<bool, Failed>> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        let mut why = None;
        for ((_, incident), answer) in open.into_iter().zip(answers) {
            match answer {
                Ok(blocks) => incident.blocks = blocks,
                // It was merged into another, or deleted meanwhile.
                Err(Failed::Missing) => {}
                Err(Failed::Says(failed)) => why = why.or(Some(failed)),
            }
        }
        incomplete.extend(why.map(|why: CannotSay| format!("did not tell which incidents block: it {why}")));
        incomplete
    }

    async fn has(&self, incident: String, mark: &Mark) -> Result<bool, Failed> {
        let values: Values = self.rest.get_object(&["incidents", &incident, "custom_fields", "values"], &[]).await?;
        let marked = |field: serde_json::Value| {
            let Ok(field) = serde_json::from_value::<Field>(field) else { return false };
            let names = [&field.id, &field.name, &field.display_name];
            mark.is_field(names.into_iter().filter_map(|name| name.as_deref())) && says(&field.value, mark)
        };
        Ok(values.custom_fields.into_iter().any(marked))
    }
}

/// Whether a value, or one of several, is that of the mark.
fn says(value: &serde_json::Value, mark: &Mark) -> bool {
    match value {
        serde_json::Value::Array(values) => values.iter().any(|value| says(value, mark)),
        serde_json::Value::String(text) => mark.is_value(text),
        serde_json::Value::Bool(_) | serde_json::Value::Number(_) => mark.is_value(&value.to_string()),
        _ => false,
    }
}
