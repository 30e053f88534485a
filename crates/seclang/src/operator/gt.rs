//! `@gt number`: whether the value is more than the number.
//!
//! - Arguments: a whole number, macros expanded; what is none counts as zero.
//! - Returns: true when the value is greater.
//! - Example: `SecRule &ARGS "@gt 255" "id:1,deny"`.

pub(crate) fn matches(value: i64, number: i64) -> bool {
    value > number
}
