//! `@verifyCPF pattern`: whether the value holds a Brazilian tax number (Cadastro de Pessoas
//! Físicas).
//!
//! - Arguments: a pattern that finds candidates.
//! - Returns: true when a candidate has eleven digits, not all the same, and its two check digits
//!   are right; `TX.0` is the candidate.
//! - Example: `SecRule ARGS "@verifyCPF \d{3}\.?\d{3}\.?\d{3}-?\d{2}" "id:1,capture,deny"`.

pub(crate) fn holds(candidate: &[u8]) -> bool {
    let digits = super::digits(candidate);
    if digits.len() != 11 || digits.iter().all(|digit| digits.first() == Some(digit)) {
        return false;
    }
    [9, 10].iter().all(|count| {
        let weights = (2..=count + 1).rev();
        let sum: u32 = digits
            .iter()
            .zip(weights)
            .map(|(digit, weight)| digit * weight)
            .sum();
        let check = match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        };
        digits.get(*count as usize) == Some(&check)
    })
}
