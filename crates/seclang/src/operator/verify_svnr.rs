//! `@verifySVNR pattern`: whether the value holds an Austrian social security number.
//!
//! - Arguments: a pattern that finds candidates.
//! - Returns: true when a candidate has ten digits, does not begin with zero, and its fourth digit
//!   is the weighted sum of the others modulo eleven; `TX.0` is the candidate.
//! - Example: `SecRule ARGS "@verifySVNR \d{4}\s?\d{6}" "id:1,capture,deny"`.

const WEIGHTS: [u32; 10] = [3, 7, 9, 0, 5, 8, 4, 2, 1, 6];

pub(crate) fn holds(candidate: &[u8]) -> bool {
    let digits = super::digits(candidate);
    let weighted = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight);
    digits.len() == 10
        && digits.first() != Some(&0)
        && digits.get(3) == Some(&(weighted.sum::<u32>() % 11))
}
