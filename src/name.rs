//! Newtypes for names and ids, so that a service is never passed where an environment is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(text: impl Into<String>) -> $name {
                $name(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> $name {
                $name(text.to_owned())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name! {
    /// What is deployed, as the settings call it: `checkout`.
    Service
}
name! {
    /// Where to: `production`.
    Environment
}
name! {
    /// A person as the settings call them: `ada`. The same person on every platform.
    Person
}
name! {
    /// A role that a person may hold: `payments-lead`.
    Role
}
name! {
    /// A plan's short handle that people can say aloud: `checkout-87`.
    PlanId
}
name! {
    /// A source as the settings name it: `company-calendar`.
    SourceName
}
name! {
    /// A channel on some platform: `deploys`.
    Channel
}
name! {
    /// A message in our own store, whatever platform shows it; sorts by time.
    MessageId
}

/// An id of ours that sorts by time: a ULID made from `now` and 80 random bits.
pub fn new_id(now: crate::clock::Time) -> String {
    let mut random = [0u8; 16];
    // Randomness is the operating system's; without it no process should go on making ids that could collide.
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let random = u128::from_be_bytes(random) & ((1 << 80) - 1);
    ulid::Ulid::from_parts(now.ms().unsigned_abs(), random).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;

    #[test]
    fn ids_sort_by_time() {
        let early = new_id(Time::from_ms(1_000));
        let late = new_id(Time::from_ms(2_000));
        assert!(early < late);
    }
}
