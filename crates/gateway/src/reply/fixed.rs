//! Fields that are the same in every answer that has them. An answer says which it has by bits, and
//! they are written as text that is there already.

use super::known::{Known, KnownSet};

/// One of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fixed {
    pub(super) known: Known,
    /// In lower case.
    pub(super) name: &'static str,
    pub(super) value: &'static str,
    /// Both as HTTP/1 writes them, with their CR LF.
    pub(super) line: &'static str,
}

macro_rules! fixed {
    ($($known:ident, $name:literal, $value:literal;)+) => {
        /// Every one of them, in the order in which they are sent.
        pub(super) const FIXED: &[Fixed] = &[$(Fixed {
            known: Known::$known,
            name: $name,
            value: $value,
            line: concat!($name, ": ", $value, "\r\n"),
        }),+];
    };
}

// What a page may do unless its service says otherwise; nothing here breaks a page that only uses
// what it brings along. The last is for those who came over TLS: for a year they come over TLS only
// (RFC 6797).
fixed! {
    ContentSecurityPolicy, "content-security-policy",
        "frame-ancestors 'self'; base-uri 'self'; object-src 'none'";
    ContentTypeOptions, "x-content-type-options", "nosniff";
    FrameOptions, "x-frame-options", "SAMEORIGIN";
    ReferrerPolicy, "referrer-policy", "strict-origin-when-cross-origin";
    TransportSecurity, "strict-transport-security", "max-age=31536000";
}

/// What every page gets.
pub(super) const ALWAYS: KnownSet = KnownSet::NONE
    .with(Known::ContentSecurityPolicy)
    .with(Known::ContentTypeOptions)
    .with(Known::FrameOptions)
    .with(Known::ReferrerPolicy);
/// What it gets over TLS.
pub(super) const SECURE: KnownSet = ALWAYS.with(Known::TransportSecurity);

/// The fields of [`FIXED`] that are in `set`.
pub(super) fn each(set: KnownSet) -> impl Iterator<Item = &'static Fixed> {
    FIXED.iter().filter(move |fixed| set.has(fixed.known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_they_are_known_by_and_lines_hold_one_field() {
        for fixed in FIXED {
            assert_eq!(Known::of(fixed.name.as_bytes()), fixed.known);
            assert_eq!(fixed.line, format!("{}: {}\r\n", fixed.name, fixed.value));
            assert_eq!(fixed.name, fixed.name.to_lowercase());
            assert!(http::HeaderValue::from_str(fixed.value).is_ok());
        }
    }
}
