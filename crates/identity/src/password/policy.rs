//! What makes a password acceptable: long enough, not common, not about the person or the place.
//! No composition rules, no forced change (NIST SP 800-63B-4 §3.1.1.2).

use unicode_normalization::UnicodeNormalization as _;

/// LIMIT: characters of a password; longer ones are refused, never cut.
const CHARS_MAX: usize = 128;
/// LIMIT: bytes of a password.
const BYTES_MAX: usize = 512;
/// Context words shorter than this are too common within others to forbid.
const WORD_CHARS_MIN: usize = 4;
/// One word a line, lower case.
const COMMON: &str = include_str!("common.txt");

/// Why a password is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Weakness {
    /// Too short.
    #[error("needs at least {min} characters")]
    Short {
        /// The least.
        min: u32,
    },
    /// Too long.
    #[error("may have at most {CHARS_MAX} characters")]
    Long,
    /// On the list of common ones, or one of them with digits around it.
    #[error("is one of those that are tried first")]
    Common,
    /// Contains something anyone who knows the person or the place would try.
    #[error("contains `{0}`, which is easily guessed here")]
    Context(String),
    /// One character, or a short run, over and over.
    #[error("repeats the same few characters")]
    Repeated,
}

/// What applies here.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) chars_min: u32,
    /// Words no password may contain.
    pub(crate) words: Vec<String>,
}

/// The form passwords are compared in: Unicode NFC (RFC 8265 §4.2.2), so that the same letters
/// typed on two keyboards are the same password.
pub(crate) fn normalise(password: &str) -> String {
    password.nfc().collect()
}

impl Policy {
    /// Checks a normalised password.
    pub(crate) fn check(&self, password: &str) -> Result<(), Weakness> {
        let chars = password.chars().count();
        if chars > CHARS_MAX || password.len() > BYTES_MAX {
            return Err(Weakness::Long);
        }
        if chars < usize::try_from(self.chars_min).unwrap_or(usize::MAX) {
            return Err(Weakness::Short {
                min: self.chars_min,
            });
        }
        let lower = password.to_lowercase();
        if is_repeated(&lower) {
            return Err(Weakness::Repeated);
        }
        if is_common(&lower) {
            return Err(Weakness::Common);
        }
        let guessed = self
            .words
            .iter()
            .map(|word| word.to_lowercase())
            .find(|word| {
                // A long passphrase may mention the place; a short one may not consist of it.
                word.chars().count() >= WORD_CHARS_MIN
                    && lower.contains(word.as_str())
                    && chars < word.chars().count() + 8
            });
        guessed.map_or(Ok(()), |word| Err(Weakness::Context(word)))
    }
}

/// Whether the text is a run of at most three characters over and over.
fn is_repeated(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    (1..=3).any(|period| {
        letters
            .iter()
            .zip(letters.iter().skip(period))
            .all(|(a, b)| a == b)
    })
}

/// Whether the text is a common password, as it is, with digits or signs around it, or with the
/// usual letters replaced.
fn is_common(lower: &str) -> bool {
    let letters = |text: &str| text.trim_matches(|c: char| !c.is_alphabetic()).to_owned();
    let plain = |text: &str| text.chars().map(unleet).collect::<String>();
    // Digits and signs at the ends are taken off before the letters behind others are looked for
    // (`p@ssw0rd!`), and after it (`4dmin`).
    let candidates = [
        lower.to_owned(),
        letters(lower),
        plain(lower),
        plain(&letters(lower)),
        letters(&plain(lower)),
    ];
    is_sequence(lower)
        || COMMON.lines().any(|word| {
            candidates.iter().any(|c| c == word) || candidates.iter().any(|c| doubled(c, word))
        })
}

fn unleet(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

fn doubled(candidate: &str, word: &str) -> bool {
    candidate.len() == word.len() * 2 && candidate.starts_with(word) && candidate.ends_with(word)
}

/// Whether the text only walks along the alphabet, the digits or a keyboard row.
fn is_sequence(text: &str) -> bool {
    const ROWS: [&str; 7] = [
        "abcdefghijklmnopqrstuvwxyz",
        "01234567890123456789",
        "qwertyuiopasdfghjklzxcvbnm",
        "qwertzuiopasdfghjklyxcvbnm",
        "azertyuiopqsdfghjklmwxcvbn",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
        "qazwsxedcrfvtgbyhnujmikolp",
    ];
    let backwards: String = text.chars().rev().collect();
    ROWS.iter()
        .any(|row| row.contains(text) || row.contains(&backwards))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<(), Weakness> {
        let words = ["acme", "shop.acme.example", "lovelace"];
        Policy {
            chars_min: 8,
            words: words.map(str::to_owned).to_vec(),
        }
        .check(&normalise(password))
    }

    #[test]
    fn good_passwords_are_accepted_whatever_they_are_made_of() {
        for good in [
            "correct horse battery",
            "žluťoučký kůň",
            "gT4#pq9z",
            "        x       y",
            "we sell acme anvils since 1949",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn common_ones_are_refused_in_every_disguise() {
        for common in [
            "password",
            "Password1",
            "p@ssw0rd!",
            "PASSWORD2024",
            "passwordpassword",
            "qwertyuiop",
            "12345678",
            "87654321",
            "iloveyou2",
            "letmein123",
            "1qaz2wsx3edc",
            "abcdefgh",
        ] {
            assert_eq!(check(common), Err(Weakness::Common), "{common}");
        }
    }

    #[test]
    fn what_the_place_and_the_person_are_called_is_refused() {
        assert_eq!(
            check("Lovelace!9"),
            Err(Weakness::Context("lovelace".to_owned()))
        );
        assert_eq!(
            check("acme-9-xyz"),
            Err(Weakness::Context("acme".to_owned()))
        );
    }

    #[test]
    fn length_counts_characters_and_nothing_is_cut() {
        assert_eq!(check("gT4#pq9"), Err(Weakness::Short { min: 8 }));
        assert_eq!(
            check("příšerný"),
            Ok(()),
            "eight characters in eleven bytes"
        );
        assert_eq!(check(&"ab9 x".repeat(26)), Err(Weakness::Long));
        assert_eq!(check("abcabcabcabc"), Err(Weakness::Repeated));
        assert_eq!(check("aaaaaaaaaaaaaaaa"), Err(Weakness::Repeated));
    }

    #[test]
    fn two_ways_to_type_a_letter_are_one_password() {
        assert_eq!(normalise("e\u{301}tude"), normalise("\u{e9}tude"));
    }
}
