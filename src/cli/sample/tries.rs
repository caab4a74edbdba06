//! What to type first: a plan with everything missing, the same well prepared, and the questions that follow.

use chrono::{Datelike, NaiveDate};

use super::day::{at_hour, date_of, thanksgiving, working_day_after};
use crate::clock::Time;

/// Commands in an order that tells a story.
pub fn tries(now: Time) -> Vec<String> {
    let morning = at_hour(good_day(date_of(now)), 10, 20).format("%Y-%m-%d %H:%M");
    vec![
        "/deploy plan checkout production v2.14.0".to_owned(),
        format!(
            "/deploy plan checkout production v2.14.0 --why PAY-481 --why-now \"rupiah carts fail since Monday\" \
             --risk high --category payments --when \"{morning}\" \
             --how \"kubectl --context harbor-prod -n checkout set image deploy/checkout checkout=v2.14.0\" \
             --validate \"one rupiah order, end to end\" --success \"errors < 0.5 %\" \
             --rollback \"restore the snapshot of orders taken just before, then redeploy v2.13.2\" \
             --rollback-if \"errors > 2 % for 5m\" --tell \"support, ledger team\" --watch lin --respond rae"
        ),
        "/deploy windows checkout production".to_owned(),
        "/deploy plan ledger production v1.8.0 --why OPS-207 --risk standard --how \"kubectl apply -f ledger.yaml\" \
         --rollback \"redeploy v1.7.4\""
            .to_owned(),
        "/deploy plan storefront production --kind flag --set express-pay=on --why SHOP-77 --risk standard \
         --rollback \"turn off express-pay\" --watch max"
            .to_owned(),
        "/deploy status".to_owned(),
        "/deploy changed checkout --since 2d".to_owned(),
        "/deploy why checkout-1".to_owned(),
    ]
}

/// The next working day from Monday to Thursday on which nothing is frozen in the morning.
fn good_day(today: NaiveDate) -> NaiveDate {
    let mut day = working_day_after(today, 1);
    while day.weekday().num_days_from_monday() > 3 || is_frozen(day) {
        day = working_day_after(day, 1);
    }
    day
}

/// Black Friday's days and those around the new year, as the calendar of freezes has them.
fn is_frozen(day: NaiveDate) -> bool {
    let since = (day - thanksgiving(day.year())).num_days();
    (-1..4).contains(&since) || (day.month() == 12 && day.day() >= 21) || (day.month() == 1 && day.day() <= 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::DAY;
    use crate::command::arguments::parse;

    #[test]
    fn every_command_can_be_read_on_every_day() {
        for day in 0..366 {
            let now = Time::parse_rfc3339("2026-01-01T20:30:00Z").unwrap().plus(day * DAY);
            let tries = tries(now);
            assert!((6..=8).contains(&tries.len()));
            for text in tries {
                parse(&text, "/deploy").unwrap_or_else(|error| panic!("{text}: {error}"));
            }
        }
    }

    #[test]
    fn the_prepared_plan_is_for_an_allowed_morning() {
        let day = |text: &str| good_day(text.parse().unwrap()).to_string();
        assert_eq!(day("2026-11-20"), "2026-11-23");
        assert_eq!(day("2026-11-24"), "2026-11-30");
        assert_eq!(day("2026-12-18"), "2027-01-04");
        assert_eq!(day("2026-06-10"), "2026-06-11");
    }
}
