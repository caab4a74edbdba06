//! What words of a command mean: services, environments, people, plans, times. Each failure names what is near.

use super::{BadCommand, Call, arguments::nearest};
use crate::clock::Time;
use crate::command::time::{Lean, parse_time};
use crate::message::tame;
use crate::name::{Environment, Person, PlanId, Service};
use crate::store::plan::PlanRow;

type Found<T> = Result<T, BadCommand>;

impl Call<'_> {
    pub fn service(&self, text: &str) -> Found<Service> {
        let names: Vec<&str> = self.settings.service.keys().map(Service::as_str).collect();
        found("service", text, &names, "You can deploy").map(Service::new)
    }

    pub fn environment(&self, text: &str) -> Found<Environment> {
        let names: Vec<&str> = self.settings.environment.keys().map(Environment::as_str).collect();
        found("environment", text, &names, "There are").map(Environment::new)
    }

    /// What is said where something names neither a service nor an environment.
    pub fn service_or_environment(&self, text: &str) -> BadCommand {
        let services = self.settings.service.keys().map(Service::as_str);
        let names: Vec<&str> = services.chain(self.settings.environment.keys().map(Environment::as_str)).collect();
        found("service or environment", text, &names, "There are").err().unwrap_or(BadCommand(String::new()))
    }

    pub fn category(&self, text: &str) -> Found<String> {
        let names: Vec<&str> = self.settings.policy.category.keys().map(String::as_str).collect();
        found("category", text, &names, "There are").map(str::to_owned)
    }

    pub fn people(&self, option: &str) -> Found<Vec<Person>> {
        let names: Vec<&str> = self.settings.people.keys().map(Person::as_str).collect();
        let read = |name: String| found("person", &name, &names, "There are").map(Person::new);
        self.arguments.names(option).into_iter().map(read).collect()
    }

    /// A time on the clocks of the team, or of the service or environment where they have their own.
    pub fn time(&self, text: &str, lean: Lean) -> Found<Time> {
        parse_time(text, self.now, self.settings.team.zone, lean).map_err(BadCommand)
    }

    /// The plan of a handle; upper and lower case are the same here.
    pub async fn plan(&self) -> anyhow::Result<PlanRow> {
        let typed = self.arguments.get("plan").map(|text| text.trim_matches('`').to_lowercase());
        let Some(typed) = typed else { return Err(self.refuse("Which plan? Give its handle, such as `checkout-87`.")) };
        if let Some(row) = self.app.store.plan(&PlanId::new(typed.clone())).await? {
            return Ok(row);
        }
        let open = self.app.store.open_plans().await?;
        let names: Vec<&str> = open.iter().map(|row| row.plan.id.as_str()).collect();
        Err(found("plan", &typed, &names, "Open plans").map(drop).err().unwrap_or(BadCommand(String::new())).into())
    }
}

/// The name itself, where it is known; otherwise one sentence with what is near and what there is.
fn found<'a>(what: &str, typed: &str, names: &[&'a str], there_are: &str) -> Found<&'a str> {
    if let Some(name) = names.iter().find(|name| **name == typed) {
        return Ok(name);
    }
    let mut says = format!("There is no {what} `{}`.", tame(typed, 60));
    if let Some(near) = nearest(typed, names.iter().copied()) {
        says.push_str(&format!(" Did you mean `{near}`?"));
    }
    if names.is_empty() {
        says.push_str(" There are none yet.");
    } else {
        let shown: Vec<&str> = names.iter().take(12).copied().collect();
        let more = if names.len() > 12 { format!(" and {} more", names.len() - 12) } else { String::new() };
        says.push_str(&format!(" {there_are}: {}{more}.", shown.join(", ")));
    }
    Err(BadCommand(says))
}
