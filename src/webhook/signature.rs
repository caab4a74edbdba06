//! Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature` over the raw body.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock::{Millis, SECOND, Time};

/// How far the sender's clock may be from ours, either way.
const TOLERANCE: Millis = 300 * SECOND;

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
