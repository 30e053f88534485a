//! `@verifyCC pattern`: whether the value holds the number of a payment card.
//!
//! - Arguments: a pattern that finds candidates.
//! - Returns: true when the digits of a candidate pass the check of ISO/IEC 7812-1, annex B;
//!   `TX.0` is the candidate.
//! - Example: `SecRule RESPONSE_BODY "@verifyCC \d{13,16}" "id:1,phase:4,capture,deny"`.

pub(crate) fn holds(candidate: &[u8]) -> bool {
    let digits: Vec<u32> = super::digits(candidate);
    if digits.is_empty() {
        return false;
    }
    let doubled = |(at, digit): (usize, &u32)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}
