//! Whether a plan contains what the templates for its kind ask for.

use crate::advice::checks::Answer;
use crate::advice::says;
use crate::advice::template::{applying, because, missing, says as part};
use crate::advice::view::View;

pub fn template(view: &View<'_>) -> Option<Answer> {
    let mut lacks = Vec::new();
    let mut names = Vec::new();
    let mut stops = false;
    for (name, template) in applying(view).filter(|(_, template)| !template.requires.is_empty()) {
        let why = because(name, template);
        let missing = missing(view.plan, template);
        if !missing.is_empty() {
            stops |= template.stops;
            let parts: Vec<&str> = missing.into_iter().map(part).collect();
            lacks.push(format!("{} ({why})", says::list(&parts)));
        }
        names.push(why);
    }
    if lacks.is_empty() {
        let asked = (!names.is_empty()).then(|| says::list(&names))?;
        return Some(Answer::pass(format!("The plan contains all that is asked for: {asked}.")));
    }
    let says = format!("The plan lacks {}.", lacks.join("; "));
    Some(if stops { Answer::critical(says) } else { Answer::caution(says) })
}
