//! `@lt number`: whether the value is less than the number.
//!
//! - Arguments: a whole number, macros expanded; what is none counts as zero.
//! - Returns: true when the value is less.
//! - Example: `SecRule TX:LEVEL "@lt 2" "id:1,pass,skipAfter:END"`.

pub(crate) fn matches(value: i64, number: i64) -> bool {
    value < number
}
