//! Detects plain scalars that other YAML readers retype; this reader reads strings as written.

/// The type that a reader of YAML 1.1 or 1.2 gives a plain scalar, if that is not a string.
#[must_use]
pub fn retyped(text: &str) -> Option<&'static str> {
    const WORDS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];
    let first = *text.as_bytes().first()?;
    if !(first.is_ascii_alphanumeric() || matches!(first, b'.' | b'+' | b'-' | b'~' | b'=' | b'<'))
    {
        return None;
    }
    if text == "=" {
        return Some("a default value");
    }
    if text == "<<" {
        return Some("a merge key");
    }
    if WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Some("a boolean");
    }
    if text == "~" || text.eq_ignore_ascii_case("null") {
        return Some("nothing");
    }
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest.eq_ignore_ascii_case(".inf") || text.eq_ignore_ascii_case(".nan") {
        return Some("a number");
    }
    let start = rest.as_bytes().first()?;
    if !(start.is_ascii_digit() || *start == b'.') {
        return None;
    }
    let all = |text: &str, belongs: fn(&u8) -> bool| {
        !text.is_empty() && text.bytes().all(|byte| belongs(&byte) || byte == b'_')
    };
    let based = [
        ("0x", u8::is_ascii_hexdigit as fn(&u8) -> bool),
        ("0o", |byte| matches!(byte, b'0'..=b'7')),
        ("0b", |byte| matches!(byte, b'0' | b'1')),
    ];
    if based.iter().any(|(sign, belongs)| rest.strip_prefix(sign).is_some_and(|t| all(t, *belongs)))
    {
        return Some("a number");
    }
    if is_date(text) {
        return Some("a date");
    }
    if is_sexagesimal(rest) {
        return Some("a number to the base of 60");
    }
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let number = digits(whole)
        && digits(fraction)
        && (whole.len() + fraction.len() > 0)
        && all(exponent, u8::is_ascii_digit);
    number.then_some("a number")
}

/// `12:30:45`, with a fraction or without one.
fn is_sexagesimal(text: &str) -> bool {
    let digits = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let Some((whole, last)) = text.rsplit_once(':') else { return false };
    let (last, fraction) = last.split_once('.').unwrap_or((last, "0"));
    whole.split(':').all(digits) && digits(last) && (fraction.is_empty() || digits(fraction))
}

/// `2026-01-31`, alone or followed by a time.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let year = parts.next();
    let month = parts.next();
    let rest = parts.next();
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let Some(rest) = rest else { return false };
    let day = rest.get(..rest.find(['T', 't', ' ']).unwrap_or(rest.len())).unwrap_or_default();
    year.is_some_and(|year| year.len() == 4 && digits(year, 4))
        && month.is_some_and(|month| digits(month, 2))
        && digits(day, 2)
}
