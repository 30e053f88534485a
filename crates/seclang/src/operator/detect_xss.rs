//! `@detectXSS`: whether the value would run a script in a page, in any of five contexts of HTML.
//!
//! - Arguments: none.
//! - Returns: true for a dangerous tag, attribute, address or declaration. The verdicts are those
//!   of libinjection.
//! - Example: `SecRule ARGS "@detectXSS" "id:1,deny"`.

use std::panic::catch_unwind;

pub(crate) fn matches(value: &[u8]) -> bool {
    // Tags and declarations begin with `<`, and an attribute is only dangerous with a value.
    memchr::memchr2(b'<', b'=', value).is_some() && asked(value)
}

/// What the library says.
pub(crate) fn asked(value: &[u8]) -> bool {
    // SECURITY: as with `@detectSQLi`, a panic of the library is a match.
    catch_unwind(|| libinjectionrs::detect_xss(value).is_injection()).unwrap_or(true)
}
