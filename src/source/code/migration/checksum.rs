//! Checksums as the tools store them.

use std::fmt::Write as _;

use sha2::{Digest, Sha384};

/// sqlx: SHA-384 of the file, in hexadecimal digits.
pub(in crate::source) fn sqlx(content: &[u8]) -> String {
    Sha384::digest(content).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Flyway: CRC-32 of the lines without their ends and without a byte-order mark, as a signed number.
pub(in crate::source) fn flyway(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut crc = u32::MAX;
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
        crc = step(crc, byte);
    }
    (!crc).cast_signed().to_string()
}

/// CRC-32 (ISO 3309, polynomial 0xEDB88320 in reflected form).
fn step(crc: u32, byte: u8) -> u32 {
    (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_agree_with_published_values() {
        // FIPS 180-4's example, and the check value of CRC-32 (0xCBF43926).
        let abc = "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7";
        assert_eq!(sqlx(b"abc"), abc);
        assert_eq!(flyway("123456789"), 0xcbf4_3926_u32.cast_signed().to_string());
    }

    #[test]
    fn line_ends_do_not_change_what_flyway_stores() {
        assert_eq!(flyway("1234\r\n56789\r\n"), flyway("123456789"));
        assert_eq!(flyway("\u{feff}123456789"), flyway("123456789"));
        assert_ne!(flyway("12345678"), flyway("123456789"));
    }
}
