//! Lengths of time (`90s`, `15m`, `2h`, `3d`) and secrets as people write them in settings.

use std::fmt;

use secrecy::SecretString;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};

/// A length of time, written as whole numbers with units: `1h30m`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Millis);

impl Span {
    pub const fn from_ms(ms: Millis) -> Span {
        Span(ms)
    }

    pub const fn ms(self) -> Millis {
        self.0
    }

    pub fn std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0.unsigned_abs())
    }

    /// Reads `90s`, `15m`, `1h30m`, `3d`, `2w`, `250ms`. At most ten years, never negative.
    pub fn parse(text: &str) -> Option<Span> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return None;
        }
        let mut total: Millis = 0;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: Millis = rest.get(..digits)?.parse().ok()?;
            rest = rest.get(digits..)?.trim_start();
            let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let unit = match rest.get(..letters)? {
                "ms" => 1,
                "s" | "sec" | "secs" => SECOND,
                "m" | "min" | "mins" | "minutes" => MINUTE,
                "h" | "hour" | "hours" => HOUR,
                "d" | "day" | "days" => DAY,
                "w" | "week" | "weeks" => 7 * DAY,
                _ => return None,
            };
            total = total.checked_add(number.checked_mul(unit)?)?;
            rest = rest.get(letters..)?.trim_start();
        }
        (total <= 3_660 * DAY).then_some(Span(total))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, name) in [(DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"), (1, "ms")] {
            if rest / unit > 0 {
                write!(f, "{}{name}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Span, D::Error> {
        let text = String::deserialize(from)?;
        Span::parse(&text).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is not a length of time (write `90s`, `15m`, `2h`, `3d`)"))
        })
    }
}

/// A secret, or where it is: `{ env = "NAME" }`, `{ file = "PATH" }`. A bare string is refused, so that no secret is
/// ever written into the settings by mistake; `{ value = "…" }` says that it is meant (the sample company does).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Secret {
    #[serde(default)]
    pub env: Option<String>,
    #[serde(default)]
    pub file: Option<std::path::PathBuf>,
    #[serde(default)]
    pub value: Option<SecretString>,
}

/// A variable of the environment, where the settings or the command line may look: empty counts as absent.
#[allow(clippy::disallowed_methods)]
pub fn environment_variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// A folder of this process alone, below the system's folder for what need not last.
pub fn scratch_folder() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("tidegate-try-{}", std::process::id()))
}

impl Secret {
    /// The secret itself; the error names where it was looked for, never what was found.
    #[allow(clippy::disallowed_methods)]
    pub fn reveal(&self, base: &std::path::Path) -> Result<SecretString, String> {
        let text = match (&self.value, &self.env, &self.file) {
            (Some(value), None, None) => return Ok(value.clone()),
            (None, Some(name), None) => {
                std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))?
            }
            (None, None, Some(file)) => {
                let file = base.join(file);
                std::fs::read_to_string(&file).map_err(|why| format!("could not read {}: {why}", file.display()))?
            }
            _ => return Err("a secret is exactly one of `env`, `file` and `value`".to_owned()),
        };
        let text = text.trim();
        if text.is_empty() { Err("the secret is empty".to_owned()) } else { Ok(SecretString::from(text.to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_and_written() {
        for (text, ms) in [("90s", 90 * SECOND), ("1h30m", 90 * MINUTE), ("2d", 2 * DAY), ("250ms", 250)] {
            assert_eq!(Span::parse(text).map(Span::ms), Some(ms));
        }
        assert_eq!(Span::parse("1h30m").unwrap().to_string(), "1h30m");
        for bad in ["", "5", "-3h", "1y", "99999999999999999999h", "h"] {
            assert_eq!(Span::parse(bad), None, "{bad}");
        }
    }
}
