//! `@eq number`: whether the value is the number.
//!
//! - Arguments: a whole number, macros expanded; what is none counts as zero.
//! - Returns: true when both numbers are equal.
//! - Example: `SecRule &REQUEST_HEADERS:Host "@eq 0" "id:1,deny"`.

pub(crate) fn matches(value: i64, number: i64) -> bool {
    value == number
}
