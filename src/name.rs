//! Newtypes for names and ids, so that a service is never passed where an environment is meant.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

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

/// An id of ours that sorts by time, and in one process by the order of making: a ULID of `now`, a counter of 24 bits and
/// 56 random bits.
pub fn new_id(now: crate::clock::Time) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let mut random = [0u8; 8];
    // Randomness is the operating system's; without it no process should go on making ids that could collide.
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let count = u128::from(MADE.fetch_add(1, Ordering::Relaxed) & 0x00ff_ffff) << 56;
    let random = count | (u128::from(u64::from_be_bytes(random)) >> 8);
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
        let same = Time::from_ms(3_000);
        assert!(new_id(same) < new_id(same));
    }
}
