//! What an operator needs of a value before it is worth running.

use std::collections::HashMap;

use regex_syntax::hir::Hir;

use super::finder::LITERAL_MAX;
use super::needs::Needs;
use super::{ByteSet, literals};
use crate::operator::{Operator, Test};
use crate::template::Template;

/// What every value has that the operator holds for.
#[derive(Debug, Default)]
pub(super) struct Wants {
    pub(super) needs: Needs,
    /// One of these occurs, ASCII case aside; empty when nothing is known.
    pub(super) literals: Vec<Vec<u8>>,
    /// It is more than a single word or number.
    pub(super) not_a_word: bool,
}

impl Wants {
    /// What every match of a pattern has.
    pub(super) fn of(pattern: &Hir) -> Self {
        Self {
            needs: Needs::of(pattern),
            literals: literals::needed(pattern).unwrap_or_default(),
            not_a_word: false,
        }
    }
}

/// What an operator needs; none when nothing is known about it.
pub(super) fn of(operator: &mut Operator) -> Option<Wants> {
    let name = operator.name;
    Some(match &mut operator.test {
        Test::Rx(rx) | Test::RxGlobal(rx) | Test::Verify(rx, _) => Wants::of(&rx.hir()?),
        Test::Pm(pm) => phrases(pm.take_phrases()),
        Test::DetectSqli => Wants {
            not_a_word: true,
            ..Wants::default()
        },
        // Tags and declarations begin with `<`, and an attribute is only dangerous with a value.
        Test::DetectXss => bytes(ByteSet::of(b"<=")),
        Test::ByteRange(ranges) => bytes(ByteSet::of_those(|byte| !ranges.allows(byte))),
        Test::Plain(_) if name == "validateUrlEncoding" => bytes(ByteSet::of(b"%")),
        Test::Plain(_) if name == "validateUtf8Encoding" => {
            bytes(ByteSet::of_those(|byte| !byte.is_ascii()))
        }
        Test::Text(_, template) if contains(name) => text(template)?,
        _ => return None,
    })
}

fn bytes(set: ByteSet) -> Wants {
    Wants {
        needs: Needs::one_of(set),
        ..Wants::default()
    }
}

/// Operators whose argument occurs in every value they hold for.
fn contains(name: &str) -> bool {
    matches!(
        name,
        "beginsWith" | "contains" | "containsWord" | "endsWith" | "streq" | "strmatch"
    )
}

fn text(template: &Template) -> Option<Wants> {
    let text = template.constant().filter(|text| text.len() > 1)?;
    Some(phrases(vec![text.to_ascii_lowercase()]))
}

fn phrases(phrases: Vec<Vec<u8>>) -> Wants {
    let length = phrases.iter().map(Vec::len).min().unwrap_or_default();
    // Literals of one byte occur everywhere: then the first bytes are all that is asked for.
    if length > 1 {
        return Wants {
            needs: Needs {
                length,
                sets: Vec::new(),
            },
            literals: telling(phrases),
            not_a_word: false,
        };
    }
    let first = phrases.iter().filter_map(|phrase| phrase.first());
    let mut set = ByteSet::default();
    for byte in first {
        set.insert(byte.to_ascii_lowercase());
        set.insert(byte.to_ascii_uppercase());
    }
    bytes(set)
}

/// Of phrases that are longer than what is looked for, the part that the fewest others have: where sixty
/// names begin with `array_`, that says little.
fn telling(mut phrases: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    for phrase in &mut phrases {
        phrase.make_ascii_lowercase();
    }
    let mut counts: HashMap<&[u8], u32> = HashMap::new();
    for part in phrases
        .iter()
        .flat_map(|phrase| phrase.windows(LITERAL_MAX))
    {
        *counts.entry(part).or_default() += 1;
    }
    let parts = phrases.iter().map(|phrase| {
        let parts = phrase.windows(LITERAL_MAX);
        let rarest = parts.min_by_key(|part| counts.get(part).copied());
        rarest.unwrap_or(phrase).to_vec()
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_phrases_are_looked_for_by_what_few_others_have() {
        let all = ["array_map", "Array_Walk", "array_", "map", "array_walks"];
        let told = telling(all.map(|phrase| phrase.as_bytes().to_vec()).to_vec());
        assert_eq!(
            told,
            [&b"rray_m"[..], b"rray_w", b"array_", b"map", b"_walks"]
        );
    }
}
