//! Versions that are numbers and nothing else: of R and of Haskell packages.
//!
//! Sources: R's `package_version` (numbers between `.` or `-`) and Haskell's Package Versioning
//! Policy with Cabal's reading of it (numbers between `.`). Both compare number by number, and of
//! two versions of which one continues the other the longer is the greater: `1.0 < 1.0.0`.

use std::cmp::Ordering;

use super::number::{by_value, is_number};

/// A version, checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    text: &'a str,
}

pub(super) fn parse_cran(text: &str) -> Result<Version<'_>, &'static str> {
    if text.split(['.', '-']).all(is_number) {
        Ok(Version { text })
    } else {
        Err("an R version is numbers between `.` or `-`")
    }
}

pub(super) fn parse_hackage(text: &str) -> Result<Version<'_>, &'static str> {
    if text.split('.').all(is_number) {
        Ok(Version { text })
    } else {
        Err("a Haskell version is numbers between dots")
    }
}

pub(super) fn compare(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    let (mut a, mut b) = (a.text.split(['.', '-']), b.text.split(['.', '-']));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (Some(a), Some(b)) => by_value(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}
