//! What kind of change it is: what paths, words and settings say, beside what the planner declared. The declared word is
//! never lowered or overruled; a doubt goes upwards only, and waits for a human to settle it.

use std::collections::{BTreeMap, BTreeSet};

use crate::advice::CategoryView;
use crate::advice::paths::Meaning;
use crate::advice::says;
use crate::advice::toggle;
use crate::advice::view::View;
use crate::message::tame;
use crate::plan::Risk;

/// What was seen, with its evidence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Category {
    pub view: CategoryView,
    /// The weightiest first.
    pub seen: Vec<Seen>,
    declared_high: bool,
}

/// One category that something speaks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub name: String,
    pub high: bool,
    pub light: bool,
    weight: u32,
    /// Paths, the service's settings or the plan itself say so; words in commit titles alone do not make it firm.
    pub firm: bool,
    /// A fragment: "`payments/capture.rs` is touched".
    pub why: String,
}

impl Category {
    /// Whether the change belongs to a high-risk category, as declared or as firmly seen.
    pub fn is_high(&self) -> bool {
        self.declared_high || self.firm().any(|seen| seen.high)
    }

    /// Whether it is of this category, as declared or as firmly seen.
    pub fn is(&self, name: &str) -> bool {
        self.view.declared.as_deref() == Some(name) || self.firm().any(|seen| seen.name == name)
    }

    /// The high-risk category that weighs most.
    pub fn highest(&self) -> Option<&Seen> {
        self.firm().find(|seen| seen.high)
    }

    fn firm(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(|seen| seen.firm)
    }
}

/// Reads the category out of a plan and its change.
pub fn read(view: &View<'_>) -> Category {
    let settings = &view.settings.policy.category;
    let mut paths: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let files = view.the_change().map(|change| change.files.as_slice()).unwrap_or_default();
    for file in files {
        for path in std::iter::once(&file.path).chain(&file.was) {
            for meaning in view.paths.meanings(path) {
                if let Meaning::Category(name) = meaning {
                    let touched = paths.entry(name).or_default();
                    if !touched.contains(&path.as_str()) && touched.len() < 50 {
                        touched.push(path);
                    }
                }
            }
        }
    }
    let own = view.service().and_then(|service| service.category.as_deref());
    // Without a diff the plan's own words are all there is, and have to count.
    let words_are_firm = files.is_empty();
    let words = Words::of(view);
    let mut seen = Vec::new();
    let names: BTreeSet<&str> = settings.keys().map(String::as_str).chain(own).collect();
    for name in names {
        let category = settings.get(name);
        let said = category.and_then(|category| category.words.iter().find(|word| words.contain(word)));
        let (firm, why) = if let Some(touched) = paths.get(name) {
            let mut touched: Vec<&str> = touched.clone();
            touched.sort_unstable();
            let touched: Vec<String> = touched.iter().map(|path| format!("`{}`", tame(path, 80))).collect();
            (true, format!("{} {} touched", says::some(&touched, 2), if touched.len() == 1 { "is" } else { "are" }))
        } else if own == Some(name) {
            (true, format!("{} is {name} by the settings", view.plan.service))
        } else if let Some(word) = said {
            (words_are_firm, format!("its words speak of \"{}\"", tame(word, 40)))
        } else {
            continue;
        };
        let (high, light, weight) = category.map_or((false, false, 0), |c| (c.high, c.light, c.weight));
        seen.push(Seen { name: name.to_owned(), high, light, weight, firm, why });
    }
    seen.sort_by(|a, b| (b.firm, b.high, b.weight).cmp(&(a.firm, a.high, a.weight)).then_with(|| a.name.cmp(&b.name)));
    let declared = view.plan.category.clone();
    let declared_high = declared.as_ref().is_some_and(|name| settings.get(name).is_some_and(|c| c.high));
    let mut category = Category { view: CategoryView::default(), seen, declared_high };
    category.view = judge(view, &category, declared);
    category
}

fn judge(view: &View<'_>, category: &Category, declared: Option<String>) -> CategoryView {
    let mut says = CategoryView {
        declared,
        seen: category.seen.iter().map(|seen| seen.name.clone()).collect(),
        contested: false,
        doubt: None,
    };
    if let Some(doubt) = not_off(view, says.declared.as_deref()) {
        says.contested = true;
        says.doubt = Some(doubt);
        return says;
    }
    let Some(highest) = category.highest() else { return says };
    let low = view.plan.risk == Some(Risk::Low);
    let lower = says.declared.is_some() && !category.declared_high;
    let spoken = match (low, &says.declared) {
        (true, Some(name)) if lower => format!("low risk and {}", tame(name, 40)),
        (true, _) => "low risk".to_owned(),
        (false, Some(name)) if lower => tame(name, 40),
        _ => return says,
    };
    says.contested = true;
    says.doubt =
        Some(format!("Declared {spoken}, but looks higher: {}, and {} is high-risk.", highest.why, highest.name));
    says
}

/// Why a category that is said to lie behind flags that are off does not look so.
fn not_off(view: &View<'_>, declared: Option<&str>) -> Option<String> {
    let name = declared.filter(|name| view.settings.policy.category.get(*name).is_some_and(|c| c.flags_off))?;
    let why = match toggle::all_off(view) {
        Some(Ok(())) => return None,
        Some(Err(doubt)) => format!("in {} {doubt}", view.plan.environment),
        None => "no flag is seen in the change".to_owned(),
    };
    Some(format!("Declared {}, which lies behind flags that are off, but {why}.", tame(name, 40)))
}

/// The words of commit titles and of the plan, lower case.
struct Words {
    text: String,
    set: BTreeSet<String>,
}

impl Words {
    fn of(view: &View<'_>) -> Words {
        let plan = view.plan;
        let titles = view.the_change().map(|change| change.commits.as_slice()).unwrap_or_default();
        let texts = [&plan.why, &plan.why_now, &plan.how].into_iter().flatten().map(String::as_str);
        let set = plan.set.iter().map(|set| set.name.as_str());
        let mut text = String::new();
        for part in titles.iter().map(|commit| commit.title.as_str()).chain(texts).chain(set) {
            text.extend(part.chars().take(2_000).flat_map(char::to_lowercase));
            text.push('\n');
        }
        let set = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect();
        Words { text, set }
    }

    fn contain(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let plain = word.chars().all(char::is_alphanumeric);
        if plain { self.set.contains(&word) } else { !word.trim().is_empty() && self.text.contains(&word) }
    }
}
