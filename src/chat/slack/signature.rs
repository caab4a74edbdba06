//! Slack's signature: `v0=` and the HMAC-SHA256 of `v0:timestamp:body` in hexadecimal.
//! <https://docs.slack.dev/authentication/verifying-requests-from-slack>

use crate::clock::{Millis, SECOND, Time};
use crate::webhook::signature::is_hmac;

/// How far the sender's clock may be from ours, either way.
const TOLERANCE: Millis = 300 * SECOND;

/// Whether the signature is the secret's over the body as it came. Compared in constant time.
pub fn is_signed(secret: &str, timestamp: &str, signature: &str, body: &[u8], now: Time) -> bool {
    let Some(sent) = timestamp.parse::<i64>().ok().and_then(|s| s.checked_mul(SECOND)) else { return false };
    if sent < 0 || (now.ms() - sent).abs() > TOLERANCE {
        return false;
    }
    let Some(given) = signature.strip_prefix("v0=") else { return false };
    is_hmac(secret, &[b"v0:", timestamp.as_bytes(), b":", body], given)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of Slack's documentation.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNED: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    #[test]
    fn the_published_example_is_accepted_and_every_change_refused() {
        let now = Time::from_ms(1_531_420_618_000);
        assert!(is_signed(SECRET, "1531420618", SIGNED, BODY, now));
        assert!(!is_signed(SECRET, "1531420618", SIGNED, b"token=", now));
        assert!(!is_signed("other", "1531420618", SIGNED, BODY, now));
        assert!(!is_signed(SECRET, "1531420618", "v0=", BODY, now));
        assert!(!is_signed(SECRET, "1531420618", &SIGNED.replace("v0=", "v1="), BODY, now));
        assert!(!is_signed(SECRET, "1531420618", SIGNED, BODY, now.plus(301 * SECOND)));
        assert!(!is_signed(SECRET, "1531420618", SIGNED, BODY, now.plus(-301 * SECOND)));
        assert!(!is_signed(SECRET, "99999999999999999999", SIGNED, BODY, now));
    }
}
