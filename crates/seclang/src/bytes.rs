//! Small questions about bytes that many files ask. Nothing here knows what the bytes mean.

use crate::place::Bad;

/// The byte at `at`, if there is one.
pub(crate) fn at(input: &[u8], at: usize) -> Option<u8> {
    input.get(at).copied()
}

/// `input` from `from` on; empty when there is nothing.
pub(crate) fn tail(input: &[u8], from: usize) -> &[u8] {
    input.get(from..).unwrap_or_default()
}

/// `input` up to `to`, or all of it.
pub(crate) fn head(input: &[u8], to: usize) -> &[u8] {
    input.get(..to).unwrap_or(input)
}

/// White space as C's `isspace` has it in the "C" locale.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// Without the white space around it.
pub(crate) fn trim(input: &[u8]) -> &[u8] {
    trim_right(trim_left(input))
}

/// Without the white space before it.
pub(crate) fn trim_left(input: &[u8]) -> &[u8] {
    let from = input.iter().position(|byte| !is_space(*byte));
    from.map_or(&[], |from| tail(input, from))
}

/// Without the white space after it.
pub(crate) fn trim_right(input: &[u8]) -> &[u8] {
    let to = input.iter().rposition(|byte| !is_space(*byte));
    to.map_or(&[], |to| head(input, to + 1))
}

/// What is before and after the first `byte`.
pub(crate) fn split_once(input: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(byte, input)?;
    Some((head(input, at), tail(input, at + 1)))
}

/// Whether `needle` occurs in `input`.
pub(crate) fn contains(input: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(input, needle).is_some()
}

/// Whether `input` begins with `prefix`, ASCII case aside.
pub(crate) fn begins_ignore_case(input: &[u8], prefix: &[u8]) -> bool {
    input
        .get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

/// The value of a hexadecimal digit.
pub(crate) fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The byte that the two hexadecimal digits at `from` spell.
pub(crate) fn hex_pair(input: &[u8], from: usize) -> Option<u8> {
    let high = hex(at(input, from)?)?;
    let low = hex(at(input, from + 1)?)?;
    Some(high << 4 | low)
}

/// The last eight bits.
pub(crate) fn low_byte(number: i64) -> u8 {
    number.to_le_bytes().first().copied().unwrap_or_default()
}

/// A whole number as C's `strtol` reads it with base ten: white space, a sign, digits, and then
/// anything; zero when there are no digits. What does not fit saturates.
pub(crate) fn number(input: &[u8]) -> i64 {
    let text = trim_left(input);
    let (negative, digits) = match text.first() {
        Some(b'-') => (true, tail(text, 1)),
        Some(b'+') => (false, tail(text, 1)),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    for byte in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
        let digit = i64::from(byte - b'0');
        let next = value.saturating_mul(10);
        value = if negative {
            next.saturating_sub(digit)
        } else {
            next.saturating_add(digit)
        };
    }
    value
}

/// A whole number of digits alone.
pub(crate) fn count(text: &[u8]) -> Result<usize, Bad> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let count = usize::try_from(number(text)).ok().filter(|_| digits);
    count.ok_or_else(|| Bad::new(format!("`{}` is no whole number", shown(text))))
}

/// A number in decimal digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digits {
    /// The sign and nineteen digits are all that 64 bits can have.
    text: [u8; 20],
    begin: usize,
}

impl Digits {
    pub(crate) fn of(number: i64) -> Self {
        let mut digits = Self {
            text: [b'-'; 20],
            begin: 20,
        };
        let mut rest = number.unsigned_abs();
        for place in digits.text.iter_mut().rev() {
            *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            digits.begin -= 1;
            if rest == 0 {
                break;
            }
        }
        // What stands before them is a sign already.
        digits.begin -= usize::from(number < 0);
        digits
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.get(self.begin..).unwrap_or_default()
    }
}

/// Writes a number in decimal digits.
pub(crate) fn write_number(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(Digits::of(number).as_bytes());
}

/// For people: printable ASCII as it is, all else escaped. Never used to decide anything.
pub(crate) fn shown(input: &[u8]) -> String {
    input.escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_what_a_number_is_written_as() {
        for number in [0, 7, -7, 10, -10, 99_999, i64::MAX, i64::MIN] {
            assert_eq!(Digits::of(number).as_bytes(), number.to_string().as_bytes());
        }
    }
}
