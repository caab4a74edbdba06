//! Whether somebody is on call for a plan's service at the moment at which they speak, asked of the rotas then: a brief may
//! be hours old, and shifts are swapped.

use crate::app::App;
use crate::approval::Duty;
use crate::approval::role::{ON_CALL, first_called};
use crate::clock::MINUTE;
use crate::name::Person;
use crate::plan::Plan;
use crate::source::{Ask, Learned, Question};

/// Asks every rota that knows of the service; nobody is asked where no rule wants to know.
pub async fn of(app: &App, person: &Person, plan: &Plan) -> Duty {
    let settings = app.settings();
    if !settings.policy.names(ON_CALL) {
        return Duty::Off;
    }
    let now = app.clock.now();
    let ask = Ask {
        to: now.plus(MINUTE),
        fresh: true,
        ..Ask::of(Question::OnCall, &settings, &plan.service, &plan.environment, now)
    };
    let (mut shifts, mut silent) = (Vec::new(), Vec::new());
    let said = crate::plan::brief::ask(app, &ask).await;
    if said.is_empty() {
        return Duty::Unknown("no source tells who is on call".to_owned());
    }
    for (source, answer) in said {
        match answer {
            Ok(answer) => {
                silent.extend(answer.incomplete.into_iter().map(|gap| format!("{source}: {gap}")));
                if let Learned::OnCall(told) = answer.learned {
                    shifts.extend(told);
                }
            }
            Err(why) => silent.push(format!("{source} {}", why.0)),
        }
    }
    // Where one rota is silent, whoever is second in another may not be who is called first.
    let certain = shifts.iter().filter(|shift| silent.is_empty() || shift.level <= 1);
    if first_called(certain, &plan.service, now).contains(person) {
        return Duty::On;
    }
    if silent.is_empty() { Duty::Off } else { Duty::Unknown(silent.join("; ")) }
}
