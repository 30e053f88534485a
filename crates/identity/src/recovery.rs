//! Recovery codes: ten at a time, 80 bits each, each used once.

use ::model::{Entropy, Secret};

use crate::secret_text;
use crate::totp::base32;

/// How many are given out at once.
pub(crate) const COUNT: usize = 10;
/// Bytes of one code.
const CODE_BYTES: usize = 10;

/// Fresh codes, written in four groups of four: `ABCD-EFGH-IJKL-MNOP`.
pub(crate) fn fresh(entropy: &dyn Entropy) -> Vec<Secret<String>> {
    (0..COUNT)
        .map(|_| {
            let text = base32(&entropy.bytes::<CODE_BYTES>());
            let groups: Vec<String> = text
                .as_bytes()
                .chunks(4)
                .map(|group| String::from_utf8_lossy(group).into_owned())
                .collect();
            Secret::new(groups.join("-"))
        })
        .collect()
}

/// What is kept of a code. Case and separators do not matter: people copy these by hand.
pub(crate) fn digest(code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .collect::<String>()
        .to_uppercase();
    secret_text::digest_of(&plain)
}

#[cfg(test)]
mod tests {
    use testkit::SeededEntropy;

    use super::*;

    #[test]
    fn codes_are_ten_different_ones_in_four_groups() {
        let codes = fresh(&SeededEntropy::new(1));
        assert_eq!(codes.len(), 10);
        let distinct: std::collections::HashSet<_> = codes.iter().map(|c| c.expose()).collect();
        assert_eq!(distinct.len(), 10);
        assert!(
            codes
                .iter()
                .all(|c| c.expose().len() == 19 && c.expose().split('-').count() == 4)
        );
    }

    #[test]
    fn case_and_separators_do_not_matter() {
        assert_eq!(
            digest("ABCD-EFGH-IJKL-MNOP"),
            digest(" abcd efgh ijkl mnop ")
        );
        assert_ne!(digest("ABCD-EFGH-IJKL-MNOP"), digest("ABCD-EFGH-IJKL-MNOQ"));
    }
}
