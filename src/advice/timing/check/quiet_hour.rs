//! `users.quiet-hour`: the hour with the fewest users in the horizon.

use super::Look;
use crate::advice::timing::gap::because;
use crate::advice::{Flag, FlagLevel, says};
use crate::clock::HOUR;

pub fn flag(look: &Look<'_, '_>) -> Flag {
    let line = look.line;
    let load = &line.load;
    let now = line.ctx.now.ms();
    let horizon = line.horizon_end();
    let found = load.fact.and_then(|fact| Some((fact, load.quietest((now, horizon))?)));
    let Some((fact, (hour, share))) = found else {
        return match &load.gap {
            Some(gap) => look.unknown("The quiet hour", gap),
            None => look.unknown_because("The quiet hour is unknown: no usual traffic ahead.".to_owned(), Vec::new()),
        };
    };
    let share = says::share(f64::from(share) / 1000.0);
    let grounds = vec![because(fact, format!("median of {}", says::count(fact.value.weeks, "week")))];
    if (hour..hour + HOUR).contains(&look.at) {
        let says = format!(
            "This is the hour with the fewest users in the next {} ({share} of the weekly peak).",
            says::span(horizon - now)
        );
        return look.flag(FlagLevel::Pass, says, grounds);
    }
    let when = look.time(hour.max(now));
    let says =
        format!("The fewest users in the next {}: {when}, {share} of the weekly peak.", says::span(horizon - now));
    look.flag(FlagLevel::Info, says, grounds)
}
