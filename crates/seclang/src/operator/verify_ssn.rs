//! `@verifySSN pattern`: whether the value holds a social security number of the United States.
//!
//! - Arguments: a pattern that finds candidates.
//! - Returns: true when a candidate has nine digits, its area is between 1 and 739 and not 666,
//!   group and serial are not zero, and the digits are neither all the same nor a run; `TX.0` is
//!   the candidate.
//! - Example: `SecRule ARGS "@verifySSN \d{3}-?\d{2}-?\d{4}" "id:1,capture,deny"`.

pub(crate) fn holds(candidate: &[u8]) -> bool {
    let digits = super::digits(candidate);
    let number = |from: usize, to: usize| {
        let part = digits.get(from..to).unwrap_or_default();
        part.iter().fold(0, |number, digit| number * 10 + digit)
    };
    let steps = |step: u32| {
        let mut pairs = digits.iter().zip(digits.iter().skip(1));
        pairs.all(|(a, b)| *b == a + step)
    };
    let area = number(0, 3);
    digits.len() == 9
        && (1..740).contains(&area)
        && area != 666
        && number(3, 5) != 0
        && number(5, 9) != 0
        && !steps(0)
        && !steps(1)
}
