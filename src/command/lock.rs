//! `lock`: asks others to wait, for a reason and until a time; and takes over, aloud, what somebody else locked.

use super::{BadCommand, Call};
use crate::config::Span;
use crate::hold::{NoScope, Scope, Taking};
use crate::message::tame;

pub async fn run(call: &Call<'_>) -> anyhow::Result<()> {
    let Some(of) = call.arguments.get("of") else { return call.answer(super::form::for_command(call)).await };
    let scope = call.lockable(of)?;
    let asked = match call.arguments.get("for") {
        Some(text) => Some(Span::parse(text).map(Span::ms).ok_or_else(|| {
            BadCommand(format!("`{}` is not a length of time. Write `2h`, `30m` or `1h30m`.", tame(text, 40)))
        })?),
        None => None,
    };
    let length = crate::hold::length(asked, &call.settings.hold).map_err(BadCommand)?;
    let steal = call.arguments.get("steal").is_some_and(|text| !matches!(text, "no" | "false"));
    let why = call.arguments.get("why").map(str::to_owned);
    crate::hold::lock(call, &Taking { scope, why, length, steal }).await
}

impl Call<'_> {
    /// What a lock may be about: anything but everything.
    pub fn lockable(&self, text: &str) -> Result<Scope, BadCommand> {
        let scope = self.scope(text)?;
        if scope == Scope::default() {
            return Err(BadCommand("A lock is about a service or an environment, not about everything.".to_owned()));
        }
        Ok(scope)
    }

    /// A service, an environment, one in the other, or everything.
    pub fn scope(&self, text: &str) -> Result<Scope, BadCommand> {
        let text = text.trim_matches('`');
        Scope::read(text, &self.settings).map_err(|no| match no {
            NoScope::Both => {
                let name = tame(text, 60);
                BadCommand(format!(
                    "`{name}` is a service and an environment. Write `{name}/*` for the service, `*/{name}` for the environment."
                ))
            }
            NoScope::Service(name) => self.service(&name).err().unwrap_or(BadCommand(String::new())),
            NoScope::Environment(name) => self.environment(&name).err().unwrap_or(BadCommand(String::new())),
            NoScope::Neither => self.service_or_environment(text),
        })
    }
}
