//! How senders prove who they are: Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature` over the raw
//! body), a plain HMAC in hexadecimal, or the secret itself. All of it compared in constant time.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::Delivery;
use crate::clock::{Millis, SECOND, Time};

/// How far the sender's clock may be from ours, either way.
const TOLERANCE: Millis = 300 * SECOND;

/// Whether a delivery is signed by Standard Webhooks; `prefix` is `webhook`, or Svix's older `svix`.
pub fn is_standard(delivery: &Delivery<'_>, prefix: &str, secret: &str) -> bool {
    let one = |name: &str| delivery.one(&format!("{prefix}-{name}"));
    let (Some(id), Some(timestamp), Some(signatures)) = (one("id"), one("timestamp"), one("signature")) else {
        return false;
    };
    is_signed(secret, id, timestamp, signatures, delivery.body, delivery.now)
}

/// Whether `hex` is the HMAC-SHA256 of all parts, one after the other, by the secret.
pub fn is_hmac(secret: &str, parts: &[&[u8]], hex: &str) -> bool {
    let Some(given) = bytes(hex) else { return false };
    // HMAC takes keys of any length; an empty one is nobody's secret.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    parts.iter().for_each(|part| mac.update(part));
    !secret.is_empty() && mac.verify_slice(&given).is_ok()
}

/// Whether two secrets are the same.
pub fn same(given: &str, secret: &str) -> bool {
    !secret.is_empty() && given.len() == secret.len() && bool::from(given.as_bytes().ct_eq(secret.as_bytes()))
}

/// The 32 bytes that 64 hexadecimal digits stand for.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(hex.as_bytes().chunks(2)) {
        let digit = |c: u8| (c as char).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(out)
}

/// Whether any of the `v1,` signatures is the secret's over `id.timestamp.body`. Compared in constant time.
pub fn is_signed(secret: &str, id: &str, timestamp: &str, signatures: &str, body: &[u8], now: Time) -> bool {
    let Ok(seconds) = timestamp.parse::<i64>() else { return false };
    let Some(sent) = seconds.checked_mul(SECOND) else { return false };
    if sent < 0 || (now.ms() - sent).abs() > TOLERANCE {
        return false;
    }
    let given = signatures.split(' ').filter_map(|s| s.strip_prefix("v1,")).filter_map(|s| STANDARD.decode(s).ok());
    let mac = code(secret, id, timestamp, body);
    given.into_iter().any(|given| mac.clone().verify_slice(&given).is_ok())
}

/// The `webhook-signature` of what we send ourselves.
pub fn sign(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    format!("v1,{}", STANDARD.encode(code(secret, id, timestamp, body).finalize().into_bytes()))
}

fn code(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    // A secret is `whsec_` and base64; any other text is taken as it is.
    let key = secret
        .strip_prefix("whsec_")
        .and_then(|s| STANDARD.decode(s).ok())
        .unwrap_or_else(|| secret.as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the Standard Webhooks specification's reference libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    // The example of GitHub's documentation.
    #[test]
    fn githubs_example_is_accepted_and_every_change_refused() {
        let (secret, body) = ("It's a Secret to Everybody", b"Hello, World!".as_slice());
        let hex = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(is_hmac(secret, &[body], hex));
        assert!(is_hmac(secret, &[b"Hello, ", b"World!"], hex));
        assert!(!is_hmac(secret, &[b"Hello, World"], hex) && !is_hmac("another", &[body], hex));
        for odd in ["", &hex[1..], &format!("{hex}0"), &hex.replace('7', "g"), &"é".repeat(32)] {
            assert!(!is_hmac(secret, &[body], odd), "{odd}");
        }
        assert!(same("a", "a") && !same("a", "b") && !same("", "") && !same("a", "aa"));
    }

    #[test]
    fn the_published_example_is_accepted_and_every_change_refused() {
        let now = Time::from_ms(1_614_265_330_000);
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        assert!(is_signed(SECRET, id, "1614265330", SIGNED, BODY, now));
        assert_eq!(sign(SECRET, id, "1614265330", BODY), SIGNED);
        assert!(is_signed(SECRET, id, "1614265330", &format!("v1,AAAA {SIGNED}"), BODY, now));
        assert!(!is_signed(SECRET, id, "1614265330", SIGNED, b"{}", now));
        assert!(!is_signed(SECRET, "msg_other", "1614265330", SIGNED, BODY, now));
        assert!(!is_signed(SECRET, id, "1614265330", SIGNED, BODY, now.plus(301 * SECOND)));
        assert!(!is_signed(SECRET, id, "1614265330", SIGNED, BODY, now.plus(-301 * SECOND)));
        assert!(!is_signed("whsec_AAAA", id, "1614265330", SIGNED, BODY, now));
    }
}
