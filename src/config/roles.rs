//! Roles in the settings: two of them are told by the world and given to nobody here, and a need names a role or a person.

use super::{Need, Settings};
use crate::approval::role::{CODE_OWNER, ON_CALL, is_told};
use crate::name::Role;

/// Where a role stands that cannot stand there, and why.
pub fn wrong(settings: &Settings) -> Option<(String, String)> {
    given(settings).or_else(|| asked(settings)).or_else(|| needed(settings))
}

/// Nobody is given a role that the world tells.
fn given(settings: &Settings) -> Option<(String, String)> {
    let of_people = settings
        .people
        .iter()
        .flat_map(|(name, person)| person.roles.iter().map(move |role| (format!("people.{name}.roles"), role)));
    let slack = settings
        .chat
        .slack
        .iter()
        .flat_map(|slack| slack.workspace.iter().enumerate())
        .flat_map(|(i, w)| w.roles.keys().map(move |role| (format!("chat.slack.workspace[{i}].roles"), role)));
    let discord =
        settings.chat.discord.iter().flat_map(|d| d.guild.iter().enumerate()).flat_map(|(i, guild)| {
            guild.roles.keys().map(move |role| (format!("chat.discord.guild[{i}].roles"), role))
        });
    let sources = settings.source.iter().enumerate().flat_map(|(i, source)| {
        source.kind.roles().into_iter().flatten().map(move |(role, _)| (format!("source[{i}].roles"), role))
    });
    let all = of_people.chain(slack).chain(discord).chain(sources);
    all.into_iter().find(|(_, role)| is_told(role.as_str())).map(|(path, role)| {
        let who = match role.as_str() {
            ON_CALL => "whoever the rotas call first at the moment",
            _ => "whoever the repository's `CODEOWNERS` names for what changes",
        };
        (path, format!("`{role}` is {who}: the settings give it to nobody"))
    })
}

/// What is about no plan knows neither shift nor files; and owners of code override nothing.
fn asked(settings: &Settings) -> Option<(String, String)> {
    let policy = &settings.policy;
    let no_plan = |path: &str, roles: &[Role]| {
        let role = roles.iter().find(|role| is_told(role.as_str()))?;
        Some((path.to_owned(), format!("`{role}` belongs to a plan; here a role is named that people hold")))
    };
    let obligations = policy.obligations.iter().enumerate();
    let overrides = policy.overrides.iter().enumerate();
    no_plan("policy.approved-by", &policy.approved_by)
        .or_else(|| no_plan("hold.freeze", &settings.hold.freeze))
        .or_else(|| no_plan("hold.unlock", &settings.hold.unlock))
        .or_else(|| no_plan("watch.escalate-to", &settings.watch.escalate_to))
        .or_else(|| {
            obligations.into_iter().find_map(|(i, rule)| {
                no_plan(&format!("policy.obligation[{i}].owner"), &[Role::new(rule.owner.clone())])
            })
        })
        .or_else(|| {
            let (i, _) =
                overrides.into_iter().find(|(_, rule)| rule.roles.iter().any(|role| role.as_str() == CODE_OWNER))?;
            let says = "owners of code approve it; overriding a blocker is for a role that people hold, or `on-call`";
            Some((format!("policy.override[{i}].roles"), says.to_owned()))
        })
}

fn needed(settings: &Settings) -> Option<(String, String)> {
    let rules = settings.policy.approval.iter().enumerate();
    let mut needs = rules.flat_map(|(i, rule)| rule.needs.iter().enumerate().map(move |(j, need)| (i, j, need)));
    needs.find_map(|(i, j, need)| {
        let says = by_name(settings, need)?;
        Some((format!("policy.approval[{i}].needs[{j}]"), says))
    })
}

fn by_name(settings: &Settings, need: &Need) -> Option<String> {
    let person = need.person.as_ref()?;
    if need.role.is_some() {
        return Some("a need names a role or a person, not both".to_owned());
    }
    if need.count > 1 {
        return Some(format!("there is one `{}`: name the others beside", crate::message::tame(person.as_str(), 60)));
    }
    let people: Vec<&str> = settings.people.keys().map(|name| name.as_str()).collect();
    if people.contains(&person.as_str()) {
        return None;
    }
    let near = crate::command::arguments::nearest(person.as_str(), people.iter().copied());
    let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Some(format!("there is no person `{}`{hint}", crate::message::tame(person.as_str(), 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        format!("{:#}", Settings::read(text, "t", ".".into()).unwrap_err())
    }

    #[test]
    fn roles_that_the_world_tells_are_given_to_nobody() {
        let says = wrong("[people.lin]\nname = \"Lin\"\nroles = [\"lead\", \"on-call\"]\n");
        assert!(says.contains("line 3") && says.contains("the settings give it to nobody"), "{says}");
        let source = "[[source]]\nkind = \"github\"\nname = \"code\"\nrepository = \"a/b\"\n";
        let says = wrong(&format!("{source}roles = {{ code-owner = [\"a/t\"] }}\n"));
        assert!(says.contains("line 5") && says.contains("CODEOWNERS"), "{says}");
        for (text, part) in [
            ("[policy]\napproved-by = [\"on-call\"]\n", "belongs to a plan"),
            ("[watch]\nescalate-to = [\"code-owner\"]\n", "belongs to a plan"),
            ("[hold]\nfreeze = [\"on-call\"]\n", "belongs to a plan"),
            (
                "[[policy.obligation]]\nafter = \"override\"\nwhat = \"review\"\nwithin = \"24h\"\nowner = \"on-call\"\n",
                "belongs to a plan",
            ),
            ("[[policy.override]]\ncodes = [\"timing.freeze\"]\nroles = [\"code-owner\"]\n", "owners of code"),
        ] {
            assert!(wrong(text).contains(part), "{text}: {}", wrong(text));
        }
        let fine = "[[policy.override]]\ncodes = [\"timing.freeze\"]\nroles = [\"on-call\"]\n[policy.template.pay]\nreviewers = [\"code-owner\"]\n";
        Settings::read(fine, "t", ".".into()).unwrap();
    }

    #[test]
    fn a_need_names_one_person_who_is_known_and_no_role_beside() {
        let rule = |need: &str| format!("[people.lin]\n[[policy.approval]]\nneeds = [{need}]\n");
        Settings::read(&rule("{ person = \"lin\" }"), "t", ".".into()).unwrap();
        assert!(wrong(&rule("{ person = \"lim\" }")).contains("did you mean `lin`?"));
        assert!(wrong(&rule("{ person = \"lin\", role = \"lead\" }")).contains("not both"));
        assert!(wrong(&rule("{ person = \"lin\", count = 2 }")).contains("there is one `lin`"));
    }
}
