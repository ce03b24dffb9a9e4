//! Decimal and lower-case hexadecimal without formatting machinery or allocation.
//!
//! It refuses anything but the digits that headers hold.

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
        for place in digits.iter_mut().rev() {
            *place = digit(number);
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

/// The 13 digits of a timestamp.
pub(super) fn thirteen(mut number: u64) -> [u8; 13] {
    let mut digits = [0; 13];
    for place in digits.iter_mut().rev() {
        *place = digit(number);
        number /= 10;
    }
    digits
}

/// 32 bytes as 64 lower-case hexadecimal digits.
pub(super) fn encode_hex(bytes: &[u8; 32]) -> [u8; 64] {
    let mut text = [0; 64];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [nibble(byte >> 4), nibble(byte & 15)];
    }
    text
}

/// 64 lower-case hexadecimal digits as 32 bytes; `None` for anything else.
pub(super) fn decode_hex(text: &[u8]) -> Option<[u8; 32]> {
    let text: &[u8; 64] = text.try_into().ok()?;
    let mut bytes = [0; 32];
    let mut fits = true;
    // Without a way out in between, the compiler turns it into vector code.
    for (byte, pair) in bytes.iter_mut().zip(text.as_chunks::<2>().0) {
        let [(high, high_fits), (low, low_fits)] = pair.map(value);
        *byte = high << 4 | low;
        fits &= high_fits & low_fits;
    }
    fits.then_some(bytes)
}

fn digit(number: u64) -> u8 {
    b'0' + (number % 10) as u8
}

/// Arithmetic rather than a table: the compiler turns it into vector code.
fn nibble(value: u8) -> u8 {
    b'0' + value + if value > 9 { b'a' - b'0' - 10 } else { 0 }
}

/// The value of a digit, and whether it is one.
fn value(digit: u8) -> (u8, bool) {
    let decimal = digit.wrapping_sub(b'0');
    let letter = digit.wrapping_sub(b'a');
    let is_decimal = decimal < 10;
    let value = if is_decimal { decimal } else { letter.wrapping_add(10) };
    (value & 15, is_decimal || letter < 6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    proptest! {
        #[test]
        fn decimal_is_the_standard_librarys(number: u64) {
            let (decimal, text) = (Decimal::new(number), number.to_string());
            prop_assert_eq!(decimal.as_bytes(), text.as_bytes());
        }

        #[test]
        fn hex_is_the_hex_crates(bytes: [u8; 32]) {
            let text = encode_hex(&bytes);
            let mut expected = [0; 64];
            hex::encode_to_slice(bytes, &mut expected).unwrap();
            prop_assert_eq!(text, expected);
            prop_assert_eq!(decode_hex(&text), Some(bytes));
        }
    }

    #[test]
    fn only_lower_case_digits_decode() {
        for byte in 0..=255_u8 {
            let mut text = [b'0'; 64];
            text[41] = byte;
            let fits = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            assert_eq!(decode_hex(&text).is_some(), fits, "{byte:#x}");
        }
        assert_eq!(decode_hex(&[b'0'; 63]), None);
        assert_eq!(decode_hex(&[b'0'; 65]), None);
    }
}
