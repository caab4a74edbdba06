//! How far plain text goes inside a JSON string, eight bytes at a time: most of verifying an entry is going over its strings.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many bytes go by before a quote, a backslash or a control character; all of them if there is none.
pub(super) fn plain(bytes: &[u8]) -> usize {
    let (eights, rest) = bytes.as_chunks::<8>();
    for (at, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let special = below_space(word) | has(word, b'"') | has(word, b'\\');
        // The lowest mark is true; one above it may be a borrow.
        if special != 0 {
            return at * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
    eights.len() * 8 + rest.iter().take_while(is_plain).count()
}

/// Marks the bytes that are this one.
fn has(word: u64, byte: u8) -> u64 {
    let off = word ^ (ONES * u64::from(byte));
    off.wrapping_sub(ONES) & !off & HIGH
}

/// Marks the bytes below 0x20.
fn below_space(word: u64) -> u64 {
    word.wrapping_sub(ONES * 0x20) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slowly(bytes: &[u8]) -> usize {
        bytes.iter().take_while(|byte| **byte >= 0x20 && **byte != b'"' && **byte != b'\\').count()
    }

    proptest! {
        #[test]
        fn eight_at_a_time_stops_where_one_at_a_time_does(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(plain(&bytes), slowly(&bytes));
        }

        #[test]
        fn every_byte_is_seen_at_every_place(before in 0usize..40, byte in any::<u8>(), after in 0usize..20, fill in 0x20u8..=0xff) {
            let mut bytes = vec![fill; before];
            bytes.push(byte);
            bytes.extend(std::iter::repeat_n(fill, after));
            prop_assert_eq!(plain(&bytes), slowly(&bytes));
        }
    }
}
