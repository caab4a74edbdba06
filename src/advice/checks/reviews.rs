//! Was the change read by somebody else, as it is now, and with care?

use crate::advice::checks::Answer;
use crate::advice::facts::{MergeRequest, Reviews, Verdict};
use crate::advice::says;
use crate::advice::sight::{Topic, gap};
use crate::advice::view::{View, because, newest};
use crate::clock::MINUTE;
use crate::message::tame;

/// Changes of fewer lines are read at a glance.
const SMALL: u32 = 50;

pub fn approved(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 6;
    if !view.plan.kind.has_version() || view.reviews.is_unasked() {
        return None;
    }
    let Some(fact) = newest(view.reviews) else { return Some(Answer::gap(gap(view, Topic::Reviews)?)) };
    let Reviews { requests, direct, .. } = &fact.value;
    let mut wrong = Vec::new();
    for request in requests {
        let id = tame(&request.id, 40);
        let refused = request.reviews.iter().find(|review| review.verdict == Verdict::ChangesRequested);
        let approvals = || request.reviews.iter().filter(|review| review.verdict == Verdict::Approved);
        let by_others = || approvals().filter(|review| review.by != request.author);
        if let Some(refused) = refused {
            wrong.push(format!("{} asked for changes in {id}", tame(refused.by.as_str(), 40)));
        } else if by_others().next().is_none() {
            wrong.push(format!("nobody approved {id}"));
        } else if by_others().all(|review| is_stale(request, review.newest, review.at)) {
            wrong.push(format!("commits came into {id} after its last approval"));
        }
    }
    if *direct > 0 {
        let of = says::count(i64::from(*direct), "commit");
        let by = if requests.is_empty() { "no request that could be reviewed" } else { "no such request" };
        wrong.push(format!("{of} came by {by}"));
    }
    let read: Vec<String> = requests
        .iter()
        .flat_map(|request| request.reviews.iter().map(move |review| (request, review)))
        .filter(|(request, review)| review.verdict == Verdict::Approved && review.by != request.author)
        .map(|(request, review)| format!("{} by {}", tame(&request.id, 40), tame(review.by.as_str(), 40)))
        .collect();
    let evidence = because(fact, says::count(i64::try_from(requests.len()).unwrap_or(0), "request"));
    let answer = if !wrong.is_empty() {
        let points = if wrong.len() > 1 || *direct > 0 { OF } else { 4 };
        Answer::caution(format!("{}.", says::capital(&says::some(&wrong, 3)))).likelihood(points, OF)
    } else if read.is_empty() {
        Answer::unknown(format!("Reviews unknown: {} knows no request that brought this change.", fact.source))
    } else {
        Answer::pass(format!("Approved: {}.", says::some(&read, 4))).likelihood(0, OF)
    };
    Some(answer.because([evidence]).unless(gap(view, Topic::Reviews)))
}

/// Reading more than 500 lines an hour finds fewer faults: Cohen, "Best Kept Secrets of Peer Code Review" (SmartBear,
/// 2006), from 2,500 reviews at Cisco. The limits here are far beyond it: they name what cannot have been read.
pub fn depth(view: &View<'_>) -> Option<Answer> {
    const OF: i32 = 4;
    if !view.plan.kind.has_version() || view.reviews.is_unasked() {
        return None;
    }
    let fact = newest(view.reviews)?;
    let mut hasty = Vec::new();
    let mut read = Vec::new();
    for request in fact.value.requests.iter().filter(|request| request.lines >= SMALL) {
        let Some(minutes) = minutes(request) else { continue };
        let pace = f64::from(request.lines) / minutes.max(1.0);
        let comments = f64::from(request.comments) * 100.0 / f64::from(request.lines);
        let says = format!(
            "{}: {} in {}, {}",
            tame(&request.id, 40),
            says::count(i64::from(request.lines), "line"),
            says::span((minutes * MINUTE as f64) as i64),
            says::count(i64::from(request.comments), "comment")
        );
        let (caution, _) = view.limits("review.depth", 60.0, f64::INFINITY);
        if pace >= caution && comments < 1.0 { hasty.push(says) } else { read.push(says) }
    }
    let evidence = because(fact, "time from request to approval, and comments");
    let answer = match (hasty.as_slice(), read.as_slice()) {
        ([], []) => return None,
        ([], read) => Answer::info(format!("Reviewed before approval: {}.", says::some(read, 3))).likelihood(0, OF),
        (hasty, _) => {
            let says = format!("Approved faster than it can be read: {}.", says::some(hasty, 3));
            Answer::caution(says).likelihood(OF, OF)
        }
    };
    Some(answer.because([evidence]).unless(gap(view, Topic::Reviews)))
}

/// From the moment at which it could be read to the first approval.
fn minutes(request: &MergeRequest) -> Option<f64> {
    let approved = request.reviews.iter().filter(|review| review.verdict == Verdict::Approved);
    let first = approved.map(|review| review.at).min()?;
    Some(first.since(request.opened).max(0) as f64 / MINUTE as f64)
}

/// Whether an approval was of something older than what is there.
fn is_stale(request: &MergeRequest, newest: Option<bool>, at: crate::clock::Time) -> bool {
    match (newest, request.last_push) {
        (Some(newest), _) => !newest,
        (None, Some(pushed)) => pushed > at,
        (None, None) => false,
    }
}
