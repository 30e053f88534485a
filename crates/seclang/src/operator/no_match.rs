//! `@noMatch`: never true.
//!
//! - Arguments: none.
//! - Returns: false.
//! - Example: `SecRule ARGS "@noMatch" "id:1,pass"`.

pub(crate) fn matches() -> bool {
    false
}
