//! `@detectSQLi`: whether the value is an SQL injection, by its tokens.
//!
//! - Arguments: none.
//! - Returns: true when the tokens, folded, are a known attack; `TX.0` is their fingerprint. The
//!   verdicts are those of libinjection.
//! - Example: `SecRule ARGS "@detectSQLi" "id:1,capture,deny"`.

use std::panic::catch_unwind;

/// The fingerprint of an injection.
pub(crate) fn matches(value: &[u8]) -> Option<Vec<u8>> {
    // SECURITY: a defect in the library must not let a value pass, nor end the process: a panic is
    // an injection without a fingerprint.
    let verdict = catch_unwind(|| {
        let found = libinjectionrs::detect_sqli(value);
        let print = found
            .fingerprint
            .as_ref()
            .map(|print| print.to_string().into_bytes());
        found.is_injection().then(|| print.unwrap_or_default())
    });
    verdict.unwrap_or_else(|_| Some(Vec::new()))
}
