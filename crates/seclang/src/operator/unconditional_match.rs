//! `@unconditionalMatch`: always true, so that actions run for every value.
//!
//! - Arguments: none.
//! - Returns: true.
//! - Example: `SecRule REMOTE_ADDR "@unconditionalMatch" "id:1,pass,t:sha1"`.

pub(crate) fn matches() -> bool {
    true
}
