//! One-time codes that make another platform's account somebody's: twelve letters, of which the first four find the code
//! and the other eight (40 bits) prove it. Only a slow hash of those is kept.

use std::num::NonZeroU32;

use ring::pbkdf2::PBKDF2_HMAC_SHA256;

use crate::clock::{MINUTE, Millis};
use crate::ledger::hex;
use crate::webhook::signature::same;

/// How long a code is good for.
pub const VALID: Millis = 10 * MINUTE;

/// So many wrong codes that begin as this one does, and it is good no more.
pub const MOST_FAILURES: i64 = 5;

/// So many refused codes from one account within [`WHILE`], and no more are looked at.
pub const MOST_FROM_ONE: i64 = 5;

/// How long an account that gave too many wrong codes waits.
pub const WHILE: Millis = 15 * MINUTE;

/// No 0, 1, I or O: nobody takes one for another.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

const SELECTOR: usize = 4;
const LENGTH: usize = 12;

/// A guess costs so many hashes, so that even somebody who reads the database has not guessed within [`VALID`].
const ROUNDS: NonZeroU32 = NonZeroU32::new(20_000).expect("it is not zero");

/// A code as its owner reads it; never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

/// What is kept of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub selector: String,
    /// 32 random characters of hexadecimal.
    pub salt: String,
    pub hash: String,
}

impl Code {
    /// A new one, from the operating system's randomness.
    pub fn make() -> anyhow::Result<Code> {
        let mut random = [0u8; LENGTH];
        fill(&mut random)?;
        // 32 letters divide the 256 values of a byte evenly: each is as likely as any other.
        Ok(Code(random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()))
    }

    /// As somebody types it: any case, with or without hyphens and blanks. None: it has not the form of a code.
    pub fn parse(typed: &str) -> Option<Code> {
        let plain = typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '`' | '‑' | '–'));
        let code: String = plain.take(LENGTH + 1).map(|c| c.to_ascii_uppercase()).collect();
        let fits = code.len() == LENGTH && code.bytes().all(|byte| LETTERS.contains(&byte));
        fits.then_some(Code(code))
    }

    /// What is found by.
    pub fn selector(&self) -> &str {
        &self.0[..SELECTOR]
    }

    /// `K7QP-M3XR-9TWD`.
    pub fn shown(&self) -> String {
        format!("{}-{}-{}", &self.0[..4], &self.0[4..8], &self.0[8..])
    }

    /// What may be kept of it.
    pub fn keep(&self) -> anyhow::Result<Kept> {
        let mut salt = [0u8; 16];
        fill(&mut salt)?;
        let salt = hex(&salt);
        Ok(Kept { selector: self.selector().to_owned(), hash: slow_hash(&self.0, &salt), salt })
    }

    /// Whether it is the one that was kept; takes as long whatever is wrong.
    pub fn is(&self, salt: &str, hash: &str) -> bool {
        same(&slow_hash(&self.0, salt), hash)
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(…)")
    }
}

/// PBKDF2 with HMAC-SHA-256 (RFC 8018, 5.2).
fn slow_hash(code: &str, salt: &str) -> String {
    let mut hash = [0u8; 32];
    ring::pbkdf2::derive(PBKDF2_HMAC_SHA256, ROUNDS, salt.as_bytes(), code.as_bytes(), &mut hash);
    hex(&hash)
}

fn fill(random: &mut [u8]) -> anyhow::Result<()> {
    getrandom::fill(random).map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_reads_however_it_is_typed() {
        let code = Code::make().unwrap();
        let shown = code.shown();
        assert_eq!(shown.len(), 14);
        for typed in
            [shown.clone(), shown.to_lowercase(), shown.replace('-', ""), format!("`{}`", shown.replace('-', " "))]
        {
            assert_eq!(Code::parse(&typed), Some(code.clone()), "{typed}");
        }
        for bad in ["", "K7QP", "K7QP-M3XR-9TW0", "K7QP-M3XR-9TWDX", "unlink discord", "Ⅻ7QP-M3XR-9TWD"] {
            assert_eq!(Code::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_the_same_code_fits_what_was_kept_and_what_was_kept_does_not_hold_it() {
        let (code, other) = (Code::make().unwrap(), Code::make().unwrap());
        assert_ne!(code, other);
        let kept = code.keep().unwrap();
        assert!(code.is(&kept.salt, &kept.hash));
        assert!(!other.is(&kept.salt, &kept.hash));
        assert_ne!(code.keep().unwrap().hash, kept.hash, "each with a salt of its own");
        let secret = &code.0[SELECTOR..];
        assert!(![&kept.hash, &kept.salt, &kept.selector].iter().any(|kept| kept.to_uppercase().contains(secret)));
        assert!(!format!("{code:?}").contains(secret));
    }

    #[test]
    fn the_secret_part_has_forty_bits_of_letters_that_nobody_confuses() {
        assert_eq!((LENGTH - SELECTOR) * 5, 40);
        let letters: std::collections::BTreeSet<u8> = LETTERS.iter().copied().collect();
        assert_eq!(letters.len(), 32);
        assert!(!b"01IOlo".iter().any(|c| letters.contains(c)));
        let seen: std::collections::BTreeSet<String> = (0..500).map(|_| Code::make().unwrap().0).collect();
        assert_eq!(seen.len(), 500);
        let used: std::collections::BTreeSet<char> = seen.iter().flat_map(|code| code.chars()).collect();
        assert_eq!(used.len(), 32, "every letter turns up in 6000");
    }

    /// What Python's `hashlib.pbkdf2_hmac("sha256", b"K7QPM3XR9TWD", b"salt", 20000)` gives.
    #[test]
    fn the_slow_hash_is_the_standard_one() {
        let known = "f34582c0c2c80c600bd75c4dffedc94df57294cde493459e82234582c3f096ef";
        assert_eq!(slow_hash("K7QPM3XR9TWD", "salt"), known);
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_makes_it_panic(typed in ".{0,40}") {
            let _ = Code::parse(&typed);
        }
    }
}
