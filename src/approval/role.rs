//! Who meets a need: in a role of their own, by name, by being on call now, or by owning what changes.
//!
//! Two roles are nobody's in the settings: who is on call is told by rotas, at the moment at which somebody speaks; who owns
//! what changes is told by the repository, for the commit that is approved.

use std::collections::BTreeSet;

use crate::advice::NeedView;
use crate::advice::facts::{Asked, Change, Owned, Shift};
use crate::clock::Time;
use crate::config::Settings;
use crate::name::{Person, Role, Service};

/// Whoever is called first for the service at that moment.
pub const ON_CALL: &str = "on-call";
/// Whoever owns files of the change.
pub const CODE_OWNER: &str = "code-owner";

/// Whether a role is told by the world, so that no setting gives it to anybody.
pub fn is_told(role: &str) -> bool {
    role == ON_CALL || role == CODE_OWNER
}

/// Whether somebody with these roles (those of the settings, what is lent to them, and `on-call`) meets a need.
pub fn meets(view: &NeedView, person: &Person, roles: &[Role], settings: &Settings) -> bool {
    match (&view.need.person, &view.owned, &view.need.role) {
        (Some(named), ..) => named == person,
        (None, Some(owned), _) => owns(owned, person, settings),
        // Whose files they are could not be told: then nobody is known to own them.
        (None, None, Some(role)) => role.as_str() != CODE_OWNER && roles.contains(role),
        (None, None, None) => true,
    }
}

/// Whether somebody is among the owners, by a login or an address of theirs or as a member of a team.
pub fn owns(owned: &Owned, person: &Person, settings: &Settings) -> bool {
    owned.owners.iter().any(|owner| {
        let name = bare(owner);
        match settings.person_known_as(name) {
            Some(known) => known == person,
            None => settings.teams.get(&name.to_lowercase()).is_some_and(|members| members.contains(person)),
        }
    })
}

/// Whether somebody owns any file of the change.
pub fn owns_any(change: &Change, person: &Person, settings: &Settings) -> bool {
    change.owned.iter().flatten().any(|owned| owns(owned, person, settings))
}

/// An owner without the sign in front: a login, an address, or a team.
pub fn bare(owner: &str) -> &str {
    owner.strip_prefix('@').unwrap_or(owner)
}

/// Who is called first for a service at a moment, as far as its rotas are known: those of the lowest level.
pub fn on_call(rotas: &Asked<Vec<Shift>>, service: &Service, at: Time) -> BTreeSet<Person> {
    first_called(rotas.known.iter().flat_map(|fact| &fact.value), service, at)
}

/// The same of shifts.
pub fn first_called<'s>(shifts: impl Iterator<Item = &'s Shift>, service: &Service, at: Time) -> BTreeSet<Person> {
    let runs = |shift: &&Shift| {
        shift.start <= at
            && shift.end.is_none_or(|end| at < end)
            && shift.service.as_ref().is_none_or(|only| only == service)
    };
    let running: Vec<&Shift> = shifts.filter(runs).collect();
    let first = running.iter().map(|shift| shift.level).min();
    running.into_iter().filter(|shift| Some(shift.level) == first).map(|shift| shift.person.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Need;

    fn settings() -> Settings {
        let text = "[people.lin]\nlogins = [\"lin-h\"]\nemail = [\"lin@example.org\"]\n[people.rae]\n[people.pay]\n";
        let mut settings = Settings::read(text, "test", ".".into()).unwrap();
        settings.teams.insert("harbor/pay".to_owned(), BTreeSet::from(["rae".into()]));
        settings
    }

    #[test]
    fn owners_are_known_by_login_address_and_team_and_not_by_what_they_are_called_here() {
        let owners = |names: &[&str]| Owned {
            owners: names.iter().map(|name| (*name).to_owned()).collect(),
            least: 1,
            files: 1,
            place: "a".to_owned(),
        };
        let own = |names: &[&str], person: &str| owns(&owners(names), &person.into(), &settings());
        assert!(own(&["@LIN-H"], "lin") && own(&["lin@example.org"], "lin") && !own(&["@lin"], "lin"));
        assert!(own(&["@nobody", "@Harbor/Pay"], "rae") && !own(&["@harbor/pay"], "lin"));
        assert!(!own(&["@harbor/unknown"], "pay") && !own(&["@pay"], "pay"));
    }

    #[test]
    fn a_need_for_owners_that_nobody_could_tell_is_met_by_nobody() {
        let view = |role: Option<&str>, person: Option<&str>| NeedView {
            need: Need { role: role.map(Role::from), person: person.map(Person::from), count: 1 },
            because: String::new(),
            owned: None,
        };
        let settings = settings();
        let has = |view: &NeedView, roles: &[&str]| {
            let roles: Vec<Role> = roles.iter().map(|role| Role::from(*role)).collect();
            meets(view, &"lin".into(), &roles, &settings)
        };
        assert!(!has(&view(Some(CODE_OWNER), None), &[CODE_OWNER]));
        assert!(has(&view(Some(ON_CALL), None), &[ON_CALL]) && !has(&view(Some(ON_CALL), None), &["lead"]));
        assert!(has(&view(None, Some("lin")), &[]) && !has(&view(None, Some("rae")), &["lead"]));
        assert!(has(&view(None, None), &[]));
    }

    #[test]
    fn whoever_is_called_first_is_on_call() {
        let at = Time::from_ms(1_000);
        let shift = |person: &str, level: u8, service: Option<&str>, end: Option<i64>| Shift {
            person: person.into(),
            service: service.map(Service::from),
            start: Time::from_ms(500),
            end: end.map(Time::from_ms),
            level,
        };
        let told = |shifts: &[Shift]| {
            let found = first_called(shifts.iter(), &"shop".into(), at);
            found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told(&[shift("lin", 1, None, None), shift("rae", 2, None, None)]), "lin");
        assert_eq!(told(&[shift("lin", 1, None, Some(1_000)), shift("rae", 2, None, None)]), "rae");
        assert_eq!(told(&[shift("lin", 1, Some("ledger"), None), shift("max", 1, Some("shop"), None)]), "max");
        assert_eq!(told(&[]), "");
    }
}
