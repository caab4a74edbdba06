//! How alike two changes are, and in what. Never by who made them.

use std::collections::BTreeSet;

use crate::advice::facts::{Deployment, Shape, Similar};
use crate::name::Service;

/// Below this two changes have too little in common to be named together.
const LEAST: f64 = 0.25;

/// The most alike of `past`, most alike first, at most `most`; the newer first where two are equally alike.
pub fn most_alike(service: &Service, shape: &Shape, past: Vec<Deployment>, most: usize) -> Vec<Similar> {
    let mut similar: Vec<Similar> = past
        .into_iter()
        .filter_map(|deployment| {
            let (likeness, shares) = likeness(shape, &deployment.shape, *service == deployment.service);
            (likeness >= LEAST).then_some(Similar { deployment, likeness, shares })
        })
        .collect();
    similar.sort_by(|a, b| {
        b.likeness
            .total_cmp(&a.likeness)
            .then_with(|| b.deployment.at.cmp(&a.deployment.at))
            .then_with(|| a.deployment.id.cmp(&b.deployment.id))
    });
    similar.truncate(most);
    similar
}

/// Likeness of two changes, 0 to 1, and what they share as fragments. The weights are set by hand: what is touched says
/// most, then the kind of step, then size and circumstances; the service alone says little.
pub fn likeness(a: &Shape, b: &Shape, same_service: bool) -> (f64, Vec<String>) {
    let mut score = 0.0;
    let mut shares = Vec::new();
    let (files_a, files_b) = (set(&a.files), set(&b.files));
    let common: Vec<&str> = files_a.intersection(&files_b).copied().collect();
    if let Some(first) = common.first() {
        score += 0.35 * overlap(common.len(), files_a.len(), files_b.len());
        shares.push(match common.len() {
            1 => format!("both touch `{first}`"),
            n => format!("both touch `{first}` and {} more", n - 1),
        });
    }
    let (folders_a, folders_b) = (folders(&a.files), folders(&b.files));
    let common = folders_a.intersection(&folders_b).count();
    score += 0.15 * overlap(common, folders_a.len(), folders_b.len());
    if let (true, Some(first)) = (shares.is_empty(), folders_a.intersection(&folders_b).find(|f| !f.is_empty())) {
        shares.push(format!("both touch `{first}/`"));
    }
    if a.migration && b.migration {
        score += 0.15;
        shares.push("both carry a migration".to_owned());
    }
    if let (Some(x), Some(y)) = (&a.category, &b.category)
        && x == y
    {
        score += 0.1;
        shares.push(format!("both are {x}"));
    }
    if a.dependencies && b.dependencies {
        score += 0.05;
        shares.push("both change dependencies".to_owned());
    }
    if a.config && b.config {
        score += 0.05;
        shares.push("both change configuration".to_owned());
    }
    let (words_a, words_b) = (set(&a.words), set(&b.words));
    let common: Vec<&str> = words_a.intersection(&words_b).copied().collect();
    if !common.is_empty() {
        score += 0.1 * overlap(common.len(), words_a.len(), words_b.len());
        shares.push(format!("both speak of {}", common.iter().take(3).copied().collect::<Vec<_>>().join(", ")));
    }
    if a.lines > 0 && b.lines > 0 {
        let ratio = f64::from(a.lines.min(b.lines)) / f64::from(a.lines.max(b.lines));
        score += 0.05 * ratio;
    }
    if let (Some(x), Some(y)) = (a.load_pct, b.load_pct)
        && x >= 70
        && y >= 70
    {
        score += 0.05;
        shares.push("both at high traffic".to_owned());
    }
    if same_service {
        score += 0.05;
    }
    (f64::min(score, 1.0), shares)
}

/// The share that two sets have in common of the smaller one, softened: one file of one is weaker than ten of ten.
fn overlap(common: usize, a: usize, b: usize) -> f64 {
    if common == 0 {
        return 0.0;
    }
    let (common, smaller, larger) = (common as f64, a.min(b) as f64, a.max(b) as f64);
    0.6 * (common / smaller) + 0.4 * (common / larger)
}

fn set(words: &[String]) -> BTreeSet<&str> {
    words.iter().map(String::as_str).collect()
}

fn folders(files: &[String]) -> BTreeSet<&str> {
    files.iter().map(|file| file.rsplit_once('/').map_or("", |(folder, _)| folder)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(files: &[&str], migration: bool) -> Shape {
        Shape { files: files.iter().map(|&f| f.to_owned()).collect(), migration, lines: 100, ..Shape::default() }
    }

    #[test]
    fn the_same_service_alone_is_not_alike() {
        let (score, shares) = likeness(&shape(&["a/x.rs"], false), &shape(&["b/y.rs"], false), true);
        assert!(score < LEAST, "{score}");
        assert!(shares.is_empty());
    }

    #[test]
    fn touching_the_same_files_is_alike_in_another_service_too() {
        let (score, shares) =
            likeness(&shape(&["pay/capture.rs", "pay/x.rs"], true), &shape(&["pay/capture.rs"], true), false);
        assert!(score > 0.5, "{score}");
        assert_eq!(shares[0], "both touch `pay/capture.rs`");
    }
}
