//! What fails if this fails.

use crate::advice::checks::Answer;
use crate::advice::model;
use crate::advice::rollback::Verdict;
use crate::advice::says;
use crate::advice::schema::{self, WayBack};
use crate::advice::view::View;
use crate::message::tame;

/// Points of reach: customers from few to all are two units of harm, and each doubling of what depends on it adds some.
const OF: i32 = 10;

pub fn radius(view: &View<'_>) -> Option<Answer> {
    let reach = Reach::of(view);
    let points = reach.points();
    let says = format!("If it goes wrong, {}.", reach.says(view));
    let Some(_) = view.service() else {
        let says = format!("What depends on {} is unknown: the settings do not describe it.", view.plan.service);
        return Some(Answer::unknown(says).consequence(points, OF));
    };
    if reach.customers.is_none() && reach.revenue.is_none() {
        let says = format!("{says} Which share of customers meets it is unknown: set `customers-pct`.");
        return Some(Answer::unknown(says).consequence(points, OF));
    }
    // How far it reaches is a property of the service: without a limit in the settings it would warn every time.
    let (caution, critical) = view.limits("change.blast-radius", f64::INFINITY, f64::INFINITY);
    let level = super::size::level(f64::from(points), caution, critical, crate::advice::FlagLevel::Info);
    Some(Answer::at(level, says).consequence(points, OF))
}

/// The worst plausible effect, in a few sentences for the impact preview.
pub fn impact(view: &View<'_>) -> Vec<String> {
    let mut lines = vec![format!("Worst plausible effect: {}.", Reach::of(view).says(view))];
    if let Some(midway) = view.service().and_then(|service| service.midway.as_deref()) {
        lines.push(format!("People may be in the middle of it: {}.", schema::fragment(midway)));
    }
    if view.plan.kind.has_version() {
        lines.push(match (schema::way_back(view), view.rollback.verdict) {
            (WayBack::Closed { name, says }, _) => {
                format!("There is no way back once migration {name} has run ({says}).")
            }
            (WayBack::Undo { name, says, .. }, _) => {
                format!("The way back begins with undoing migration {name} ({says}).")
            }
            (WayBack::Unsure { name, .. }, _) => {
                format!("Whether there is a way back is unknown: migration {name} could not be read.")
            }
            (_, Verdict::Works) => "The stated way back can work.".to_owned(),
            _ => "How it would be taken back is not settled.".to_owned(),
        });
    }
    lines
}

/// How far a failure would carry.
struct Reach {
    customers: Option<u32>,
    revenue: Option<u32>,
    needed_by: Vec<String>,
    sharing: Vec<String>,
}

impl Reach {
    fn of(view: &View<'_>) -> Reach {
        let service = view.service();
        let needed_by: Vec<String> = view.needed_by().iter().map(|service| service.to_string()).collect();
        let mut sharing: Vec<String> = view
            .shares()
            .into_iter()
            .map(|(service, what)| format!("{service} (through {})", tame(what, 40)))
            .collect();
        sharing.sort();
        Reach {
            customers: service.and_then(|service| service.customers_pct).map(|pct| pct.min(100)),
            revenue: service.and_then(|service| service.revenue_pct).map(|pct| pct.min(100)),
            needed_by,
            sharing,
        }
    }

    /// Harm grows with the logarithm of how many meet it; where nobody said how many, a middling service is assumed.
    fn points(&self) -> i32 {
        let share = match (self.customers, self.revenue) {
            (None, None) => 30,
            (customers, revenue) => customers.unwrap_or(0).max(revenue.unwrap_or(0)),
        };
        let met = f64::from(share).ln_1p() / 101f64.ln();
        let dependants = (self.needed_by.len() as f64).ln_1p() * 0.25 + (self.sharing.len() as f64).ln_1p() * 0.15;
        model::points(met + dependants, 0, OF)
    }

    fn says(&self, view: &View<'_>) -> String {
        let name = &view.plan.service;
        let mut shares = Vec::new();
        if let Some(customers) = self.customers {
            shares.push(format!("{customers} % of customers"));
        }
        if let Some(revenue) = self.revenue {
            shares.push(format!("{revenue} % of revenue"));
        }
        let own = match shares.as_slice() {
            [] => format!("{name} fails"),
            shares => format!("{name} fails for {}", says::list(shares)),
        };
        let mut rest = String::new();
        if !self.needed_by.is_empty() {
            let verb = if self.needed_by.len() == 1 { "needs" } else { "need" };
            rest.push_str(&format!("; {} {verb} it", says::some(&self.needed_by, 4)));
        }
        if !self.sharing.is_empty() {
            rest.push_str(&format!("; {} may feel it", says::some(&self.sharing, 3)));
        }
        if self.needed_by.is_empty() && self.sharing.is_empty() {
            rest.push_str("; nothing else in the settings depends on it");
        }
        format!("{own}{rest}")
    }
}
