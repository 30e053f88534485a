//! `@le number`: whether the value is at most the number.
//!
//! - Arguments: a whole number, macros expanded; what is none counts as zero.
//! - Returns: true when the value is less or equal.
//! - Example: `SecRule &ARGS "@le 10" "id:1,pass"`.

pub(crate) fn matches(value: i64, number: i64) -> bool {
    value <= number
}
