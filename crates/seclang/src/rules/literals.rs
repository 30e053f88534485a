//! Literals that a pattern needs: in every value it matches, one of them occurs.

use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind};

use super::finder::LITERAL_MAX;

/// Literals shorter than this occur too often to tell anything.
const LITERAL_MIN: usize = 2;
/// Longer ones are not better.
const LONG: usize = 4;
/// So many long ones are few.
const ENOUGH: usize = 24;
/// LIMIT: literals of one pattern.
const LITERALS_MAX: usize = 1_500;

/// The literals, in lower case; none when there are no useful ones.
///
/// The pattern is folded to lower case first: what it matches in a value, the folded pattern
/// matches in the folded value.
pub(super) fn needed(pattern: &Hir) -> Option<Vec<Vec<u8>>> {
    best(&folded(pattern))
}

/// The best set for a pattern: of the whole, or of a part that every match has.
fn best(pattern: &Hir) -> Option<Vec<Vec<u8>>> {
    let mut found = match pattern.kind() {
        HirKind::Alternation(parts) => {
            let all: Option<Vec<_>> = parts.iter().map(best).collect();
            let all = all.map(|all| unique(all.into_iter().flatten().collect()));
            // What is found of each is no worse than what is found of all together.
            match few(all) {
                Some(all) => return Some(all),
                None => None,
            }
        }
        HirKind::Capture(capture) => return best(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => best(&repetition.sub),
        HirKind::Repetition(_) | HirKind::Empty | HirKind::Look(_) => return None,
        HirKind::Literal(_) | HirKind::Class(_) | HirKind::Concat(_) => None,
    };
    for kind in [ExtractKind::Prefix, ExtractKind::Suffix] {
        if found.as_ref().is_some_and(|found| is_enough(found)) {
            return found;
        }
        found = better(found, few(ends(pattern, kind)));
    }
    if let HirKind::Concat(parts) = pattern.kind() {
        for part in parts {
            if found.as_ref().is_some_and(|found| is_enough(found)) {
                return found;
            }
            found = better(found, few(best(part)));
        }
    }
    found
}

fn few(literals: Option<Vec<Vec<u8>>>) -> Option<Vec<Vec<u8>>> {
    literals.filter(|literals| literals.len() <= LITERALS_MAX)
}

fn better(a: Option<Vec<Vec<u8>>>, b: Option<Vec<Vec<u8>>>) -> Option<Vec<Vec<u8>>> {
    let useful = a.into_iter().chain(b);
    useful.max_by_key(|literals| score(literals))
}

/// Whether looking for better ones is not worth the time it takes while rules are loaded.
fn is_enough(literals: &[Vec<u8>]) -> bool {
    literals.len() <= ENOUGH && score(literals).0 >= LONG
}

/// Longer is better; then fewer.
fn score(literals: &[Vec<u8>]) -> (usize, std::cmp::Reverse<usize>) {
    let shortest = literals.iter().map(Vec::len).min().unwrap_or_default();
    (shortest.min(LONG), std::cmp::Reverse(literals.len()))
}

fn ends(pattern: &Hir, kind: ExtractKind) -> Option<Vec<Vec<u8>>> {
    let is_prefix = matches!(kind, ExtractKind::Prefix);
    let mut extractor = Extractor::new();
    extractor
        .kind(kind)
        .limit_class(12)
        .limit_repeat(6)
        .limit_literal_len(LITERAL_MAX)
        .limit_total(1_000);
    let mut found: Seq = extractor.extract(pattern);
    if is_prefix {
        found.optimize_for_prefix_by_preference();
    } else {
        found.optimize_for_suffix_by_preference();
    }
    let literals = found
        .literals()?
        .iter()
        .map(|literal| literal.as_bytes().to_vec());
    let literals = unique(literals.collect());
    let useful =
        !literals.is_empty() && literals.iter().all(|literal| literal.len() >= LITERAL_MIN);
    useful.then_some(literals)
}

fn unique(mut literals: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    literals.sort_unstable();
    literals.dedup();
    literals
}

/// The pattern with every upper-case letter as its lower-case twin.
fn folded(pattern: &Hir) -> Hir {
    match pattern.kind() {
        HirKind::Literal(literal) => Hir::literal(literal.0.to_ascii_lowercase()),
        HirKind::Class(Class::Bytes(class)) => Hir::class(Class::Bytes(folded_class(class))),
        HirKind::Repetition(repetition) => {
            let mut repetition = repetition.clone();
            repetition.sub = Box::new(folded(&repetition.sub));
            Hir::repetition(repetition)
        }
        // Groups are of no interest here.
        HirKind::Capture(capture) => folded(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(folded).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(folded).collect()),
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(Class::Unicode(_)) => pattern.clone(),
    }
}

fn folded_class(class: &ClassBytes) -> ClassBytes {
    let members = class.iter().flat_map(|range| range.start()..=range.end());
    let folded = members.map(|byte| byte.to_ascii_lowercase());
    ClassBytes::new(folded.map(|byte| ClassBytesRange::new(byte, byte)))
}
