//! `@ge number`: whether the value is at least the number.
//!
//! - Arguments: a whole number, macros expanded; what is none counts as zero.
//! - Returns: true when the value is greater or equal.
//! - Example: `SecRule TX:SCORE "@ge 5" "id:1,deny"`.

pub(crate) fn matches(value: i64, number: i64) -> bool {
    value >= number
}
