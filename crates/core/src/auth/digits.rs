//! Decimal and lower-case hexadecimal digits, without `core::fmt` and without allocation.

/// The decimal digits of a number, on the stack.
#[derive(Clone, Copy)]
pub(super) struct Decimal {
    digits: [u8; 20],
    start: u8,
}

impl Decimal {
    pub(super) fn new(mut number: u64) -> Self {
        let mut digits = [b'0'; 20];
        let mut start = 20;
        for out in digits.iter_mut().rev() {
            *out = digit(number);
            start -= 1;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        Self { digits, start }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.digits.get(usize::from(self.start)..).unwrap_or_default()
    }
}

/// Formats a number below 10^13 as 13 digits.
pub(super) fn format_13_digits(number: u64) -> [u8; 13] {
    // Two words that overlap by three digits.
    let mut digits = [0; 13];
    digits[..8].copy_from_slice(&format_8_digits(number / 100_000));
    digits[5..].copy_from_slice(&format_8_digits(number % 100_000_000));
    digits
}

/// Parses 13 digits; `None` if a byte is not a digit.
pub(super) fn parse_13_digits(digits: &[u8; 13]) -> Option<u64> {
    let front = parse_8_digits(*digits.first_chunk()?)?;
    let back = parse_8_digits(*digits.last_chunk()?)?;
    Some(front / 1_000 * 100_000_000 + back)
}

/// Formats a number below 10^8 as eight digits. It splits the number into two, four and then eight
/// parts within one word.
fn format_8_digits(number: u64) -> [u8; 8] {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    // A hundredth of each half: 10486 / 2^20 is exact enough below 10^4.
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - hundreds * 100) << 16);
    // A tenth of each quarter: 103 / 2^10 is exact enough below 100.
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | ((twos - tens * 10) << 8);
    (ones | 0x3030_3030_3030_3030).to_le_bytes()
}

/// The inverse of [`format_8_digits`]; `None` if a byte is not a digit.
fn parse_8_digits(digits: [u8; 8]) -> Option<u64> {
    let word = u64::from_le_bytes(digits);
    // A digit's upper half is 3, and still is when six are added to its lower half.
    let high = 0xf0f0_f0f0_f0f0_f0f0;
    let threes = 0x3030_3030_3030_3030;
    let is_digits =
        (word & high) == threes && (word.wrapping_add(0x0606_0606_0606_0606) & high) == threes;
    let twos = (((word & !high).wrapping_mul(1 | (10 << 8))) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(1 | (100 << 16)) >> 16) & 0x0000_ffff_0000_ffff;
    is_digits.then_some(fours.wrapping_mul(1 | (10_000 << 32)) >> 32)
}

/// Encodes 32 bytes as 64 lower-case hexadecimal digits.
pub(super) fn encode_hex(bytes: &[u8; 32]) -> [u8; 64] {
    let mut text = [0; 64];
    // Two loops that the compiler vectorizes.
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = (u16::from(byte & 15) << 8 | u16::from(byte >> 4)).to_le_bytes();
    }
    text.map(hex_digit)
}

/// Whether all characters are lower-case hexadecimal digits.
pub(super) fn is_hex(text: &[u8; 64]) -> bool {
    #[cfg(feature = "kernels")]
    if let Some(answer) = cortexkey_kernels::are_hex_digits(text) {
        return answer;
    }
    // Without an early exit, the compiler vectorizes it.
    text.iter().fold(true, |all, byte| all & matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

/// Arithmetic instead of a table, so that the compiler vectorizes it.
fn hex_digit(value: u8) -> u8 {
    b'0' + value + if value > 9 { b'a' - b'0' - 10 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    proptest! {
        #[test]
        fn decimal_matches_the_standard_library(number: u64) {
            let decimal = Decimal::new(number);
            let text = number.to_string();
            prop_assert_eq!(decimal.as_bytes(), text.as_bytes());
        }

        #[test]
        fn thirteen_digits_match_the_standard_library(number in 0..10_u64.pow(13)) {
            let digits = format_13_digits(number);
            let text = std::format!("{number:013}");
            prop_assert_eq!(&digits[..], text.as_bytes());
            prop_assert_eq!(parse_13_digits(&digits), Some(number));
        }

        #[test]
        fn hex_matches_the_hex_crate(bytes: [u8; 32]) {
            let text = encode_hex(&bytes);
            let mut expected = [0; 64];
            hex::encode_to_slice(bytes, &mut expected).unwrap();
            prop_assert_eq!(text, expected);
            prop_assert!(is_hex(&text));
        }
    }

    #[test]
    fn every_part_of_a_number_has_its_digits() {
        for part in 0..10_000 {
            for number in [part, part * 10_000, 99_990_000 + part, part * 10_000 + 9_999] {
                let digits = format_8_digits(number);
                assert_eq!(&digits[..], std::format!("{number:08}").as_bytes());
                assert_eq!(parse_8_digits(digits), Some(number));
            }
        }
    }

    #[test]
    fn only_digits_are_parsed() {
        for position in 0..13 {
            for byte in 0..=255_u8 {
                let mut digits = *b"1790611727783";
                digits[position] = byte;
                let expected = core::str::from_utf8(&digits).ok().filter(|_| byte.is_ascii_digit());
                let expected = expected.and_then(|text| text.parse().ok());
                assert_eq!(parse_13_digits(&digits), expected, "{byte:#x} at {position}");
            }
        }
    }

    #[test]
    fn only_lower_case_digits_are_hex() {
        for byte in 0..=255_u8 {
            let mut text = [b'0'; 64];
            text[41] = byte;
            let expected = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            assert_eq!(is_hex(&text), expected, "{byte:#x}");
        }
    }
}
