//! `help`: generated from the specs.

use super::{Call, Spec, arguments::nearest, spec::ALL};
use crate::message::tame;
use crate::wording;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let command = &call.settings.chat.command;
    let Some(typed) = call.arguments.get("command") else {
        return call.answer(wording::help::all(command, &ALL)).await;
    };
    match Spec::named(typed) {
        Some(spec) => call.answer(wording::help::one(command, spec)).await,
        None => {
            let hint = nearest(typed, ALL.iter().map(|spec| spec.name.as_str()));
            let hint = hint.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            Err(call.refuse(format!("There is no command `{}`.{hint}", tame(typed, 40))))
        }
    }
}
