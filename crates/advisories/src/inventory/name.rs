//! Names as their ecosystems compare them.

use std::borrow::Cow;

use crate::Ecosystem;

/// A package's name as its ecosystem writes it for comparison.
///
/// PyPI by PEP 503: lower case, runs of `-`, `_` and `.` are one `-`. NuGet and Packagist in lower
/// case. Everywhere else names are what they are: npm keeps capitals of old names, Go's modules
/// differ by case, and crates by `-` and `_` in what lockfiles write.
#[must_use]
pub fn normalise(ecosystem: Ecosystem, name: &str) -> Cow<'_, str> {
    match ecosystem {
        Ecosystem::PyPi => pep503(name),
        Ecosystem::NuGet | Ecosystem::Packagist => {
            if name.chars().any(char::is_uppercase) {
                Cow::Owned(name.to_lowercase())
            } else {
                Cow::Borrowed(name)
            }
        }
        _ => Cow::Borrowed(name),
    }
}

fn pep503(name: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if name.bytes().all(plain) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        if matches!(letter, '-' | '_' | '.') {
            if !out.ends_with('-') {
                out.push('-');
            }
        } else {
            out.extend(letter.to_lowercase());
        }
    }
    Cow::Owned(out)
}
