//! When it is enough: distinct people matched to what is needed.

use super::condition::Condition;
use super::{Word, WordKind};
use crate::advice::NeedView;
use crate::config::Need;
use crate::name::Person;

/// How the words on the current revision stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub approved_by: Vec<Person>,
    pub objected_by: Vec<Person>,
    pub held_by: Vec<Person>,
    /// Approvals that do not count because their condition is not met.
    pub unmet: Vec<(Person, Condition)>,
    /// What is asked for in all.
    pub needs: Vec<NeedView>,
    /// What is still missing, with how many.
    pub missing: Vec<NeedView>,
}

impl Tally {
    /// Whether every need is met and nobody stands in the way.
    pub fn is_enough(&self) -> bool {
        self.missing.is_empty() && self.objected_by.is_empty() && self.held_by.is_empty()
    }

    /// How many approvals are asked for in all, and how many of them are given.
    pub fn counts(&self) -> (u32, u32) {
        let asked: u32 = self.needs.iter().map(|need| need.need.count).sum();
        let missing: u32 = self.missing.iter().map(|need| need.need.count).sum();
        (asked.saturating_sub(missing), asked)
    }
}

/// Counts the standing words on `revision`. One person fills one place: a lead who is also a VP counts once, in the way
/// that fills the most places. What owners of the code are asked is asked beside that: each group of files must have been
/// seen by one of its owners, whatever else they are. `meets` tells whether somebody meets a need now.
pub fn tally(needs: &[NeedView], words: &[Word], revision: i64, meets: impl Fn(&Person, &NeedView) -> bool) -> Tally {
    let standing = |kind| {
        let mut people: Vec<Person> = Vec::new();
        for word in words.iter().filter(|w| w.kind == kind && w.revision == revision && w.stands()) {
            if !people.contains(&word.person) {
                people.push(word.person.clone());
            }
        }
        people
    };
    let approved_by = standing(WordKind::Approve);
    // Every need is split into places for one person; a matching of people to places says what is filled.
    let places: Vec<usize> = needs
        .iter()
        .enumerate()
        .filter(|(_, need)| need.owned.is_none())
        .flat_map(|(i, need)| std::iter::repeat_n(i, need.need.count as usize))
        .take(64)
        .collect();
    let fits: Vec<Vec<usize>> = approved_by
        .iter()
        .map(|person| {
            let fitting: Vec<bool> = needs.iter().map(|need| meets(person, need)).collect();
            places.iter().enumerate().filter(|(_, need)| fitting[**need]).map(|(place, _)| place).collect()
        })
        .collect();
    let mut taken: Vec<Option<usize>> = vec![None; places.len()];
    for person in 0..fits.len() {
        let mut seen = vec![false; places.len()];
        seat(person, &fits, &mut taken, &mut seen);
    }
    let missing = needs
        .iter()
        .enumerate()
        .filter_map(|(i, view)| {
            let count = match &view.owned {
                None => places.iter().zip(&taken).filter(|(need, by)| **need == i && by.is_none()).count(),
                Some(_) => {
                    let seen = approved_by.iter().filter(|person| meets(person, view)).count();
                    (view.need.count as usize).saturating_sub(seen)
                }
            };
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            (count > 0).then(|| NeedView { need: Need { count, ..view.need.clone() }, ..view.clone() })
        })
        .collect();
    Tally {
        approved_by,
        objected_by: standing(WordKind::Object),
        held_by: standing(WordKind::Hold),
        unmet: Vec::new(),
        needs: needs.to_vec(),
        missing,
    }
}

/// Seats a person, moving others where that makes room (Kuhn's augmenting path).
fn seat(person: usize, fits: &[Vec<usize>], taken: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for &place in &fits[person] {
        if std::mem::replace(&mut seen[place], true) {
            continue;
        }
        let free = match taken[place] {
            None => true,
            Some(other) => seat(other, fits, taken, seen),
        };
        if free {
            taken[place] = Some(person);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::name::Role;

    fn need(role: Option<&str>, count: u32) -> NeedView {
        let need = Need { role: role.map(Role::from), person: None, count };
        NeedView { need, because: String::new(), owned: None }
    }

    fn word(kind: WordKind, person: &str, revision: i64) -> Word {
        Word {
            id: person.to_owned(),
            revision,
            brief: String::new(),
            kind,
            person: person.into(),
            role: None,
            lender: None,
            only_if: None,
            platform: "console".to_owned(),
            on_call_at: None,
            confirmed: None,
            at: Time::from_ms(0),
            withdrawn_at: None,
            voided_at: None,
            void_reason: None,
        }
    }

    fn roles(person: &Person, need: &NeedView) -> bool {
        let roles: &[Role] = match person.as_str() {
            "grace" => &["vp".into(), "payments-lead".into()],
            "lin" => &["payments-lead".into()],
            _ => &[],
        };
        let text = "[people.lin]\nlogins = [\"lin\"]\n[people.rae]\nlogins = [\"rae\"]\n";
        let settings = crate::config::Settings::read(text, "test", ".".into()).unwrap();
        crate::approval::role::meets(need, person, roles, &settings)
    }

    fn owners(place: &str, owners: &[&str], count: u32) -> NeedView {
        let owners = owners.iter().map(|owner| format!("@{owner}")).collect();
        let owned = Some(crate::advice::facts::Owned { owners, least: 1, files: 1, place: place.to_owned() });
        NeedView { owned, ..need(Some(crate::approval::role::CODE_OWNER), count) }
    }

    #[test]
    fn one_owner_of_each_file_suffices_beside_the_other_places() {
        let needs = [need(None, 1), owners("pay/", &["lin", "rae"], 1), owners("docs/", &["lin"], 1)];
        assert!(
            tally(&needs, &[word(WordKind::Approve, "lin", 1)], 1, roles).is_enough(),
            "one pair of eyes, both groups"
        );
        let rae = tally(&needs, &[word(WordKind::Approve, "rae", 1)], 1, roles);
        assert_eq!(rae.missing, [owners("docs/", &["lin"], 1)]);
        let stranger = tally(&needs, &[word(WordKind::Approve, "noor", 1)], 1, roles);
        assert_eq!(stranger.missing.len(), 2, "an approval by another fills the other place alone");
        let two = [owners("pay/", &["lin", "rae"], 2)];
        let one = tally(&two, &[word(WordKind::Approve, "lin", 1)], 1, roles);
        assert_eq!(one.missing, [owners("pay/", &["lin", "rae"], 1)]);
    }

    #[test]
    fn a_need_by_name_is_met_by_that_person_alone() {
        let lin = NeedView { need: Need { person: Some("lin".into()), ..need(None, 1).need }, ..need(None, 1) };
        let needs = [lin, need(Some("payments-lead"), 1)];
        let one = tally(&needs, &[word(WordKind::Approve, "grace", 1)], 1, roles);
        assert_eq!(one.missing, [needs[0].clone()]);
        let words = [word(WordKind::Approve, "lin", 1), word(WordKind::Approve, "grace", 1)];
        assert!(tally(&needs, &words, 1, roles).is_enough());
        assert_eq!(tally(&needs, &words[..1], 1, roles).missing.len(), 1, "one person fills one place");
    }

    #[test]
    fn one_person_with_two_roles_fills_one_place() {
        let needs = [need(Some("vp"), 1), need(Some("payments-lead"), 1)];
        let alone = tally(&needs, &[word(WordKind::Approve, "grace", 1)], 1, roles);
        assert_eq!(alone.missing.len(), 1);
        let both = [word(WordKind::Approve, "grace", 1), word(WordKind::Approve, "lin", 1)];
        assert!(tally(&needs, &both, 1, roles).is_enough());
        let reversed = [both[1].clone(), both[0].clone()];
        assert!(tally(&needs, &reversed, 1, roles).is_enough());
    }

    #[test]
    fn words_on_an_older_revision_do_not_count() {
        let needs = [need(None, 1)];
        assert!(!tally(&needs, &[word(WordKind::Approve, "lin", 1)], 2, roles).is_enough());
    }

    #[test]
    fn an_objection_stops_what_is_approved() {
        let needs = [need(None, 1)];
        let words = [word(WordKind::Approve, "lin", 1), word(WordKind::Object, "ada", 1)];
        let tally = tally(&needs, &words, 1, roles);
        assert!(tally.missing.is_empty());
        assert!(!tally.is_enough());
    }
}
