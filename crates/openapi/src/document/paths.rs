//! Templates of paths, as a tree of segments: literal before template at every step
//! (OpenAPI 3.1.1 §4.8.8.2), a parameter never empty and never across a slash.

use std::borrow::Cow;

use super::text::{Plus, decode};
use crate::Captures;

/// A path of the document.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) template: String,
    /// The operations of its methods, in the order of the document.
    pub(super) methods: Vec<(String, usize)>,
}

/// One step into a path.
#[derive(Debug, Default)]
struct Level {
    literals: Vec<(Box<str>, usize)>,
    patterns: Vec<(Vec<Piece>, usize)>,
    entry: Option<usize>,
}

/// A part of a segment that is a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(Box<str>),
    Parameter(Box<str>),
}

/// Every template of a document.
#[derive(Debug)]
pub(super) struct Paths {
    levels: Vec<Level>,
    pub(super) entries: Vec<Entry>,
}

/// Why a template is none.
pub(super) type Refusal = (String, &'static str);

/// The segments of a template.
pub(super) fn pieces(template: &str) -> Result<Vec<Vec<Piece>>, Refusal> {
    let Some(rest) = template.strip_prefix('/') else {
        return Err(("a path begins with a slash".to_owned(), ""));
    };
    rest.split('/').map(segment).collect()
}

fn segment(text: &str) -> Result<Vec<Piece>, Refusal> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (literal, after) = match rest.split_once('{') {
            Some((literal, after)) => (literal, Some(after)),
            None => (rest, None),
        };
        if literal.contains('}') || literal.contains(['?', '#']) {
            return Err((
                format!("`{text}` is no segment of a path"),
                "a query is described by parameters",
            ));
        }
        if !literal.is_empty() {
            let decoded = decode(literal, Plus::Plus).map(Cow::into_owned);
            out.push(Piece::Literal(
                decoded.unwrap_or_else(|| literal.to_owned()).into(),
            ));
        }
        let Some(after) = after else {
            break;
        };
        let Some((name, after)) = after.split_once('}') else {
            return Err((
                format!("`{text}` opens a parameter that does not end in its segment"),
                "",
            ));
        };
        if name.is_empty() || name.contains(['{', '*', '+']) {
            return Err((
                format!("`{{{name}}}` is no parameter of a path"),
                "a parameter is one segment or a part of one",
            ));
        }
        if matches!(out.last(), Some(Piece::Parameter(_))) {
            return Err((
                format!("`{text}` has two parameters with nothing between them"),
                "",
            ));
        }
        out.push(Piece::Parameter(name.into()));
        rest = after;
    }
    Ok(out)
}

impl Paths {
    pub(super) fn new() -> Self {
        Self {
            levels: vec![Level::default()],
            entries: Vec::new(),
        }
    }

    /// Adds a template; the one that matches the same paths, where there is one.
    pub(super) fn add(&mut self, template: &str, segments: &[Vec<Piece>]) -> Result<usize, usize> {
        let mut at = 0;
        for pieces in segments {
            at = self.step(at, pieces);
        }
        let fresh = self.entries.len();
        let Some(level) = self.levels.get_mut(at) else {
            return Err(fresh);
        };
        if let Some(taken) = level.entry {
            return Err(taken);
        }
        level.entry = Some(fresh);
        self.entries.push(Entry {
            template: template.to_owned(),
            methods: Vec::new(),
        });
        Ok(fresh)
    }

    fn step(&mut self, at: usize, pieces: &[Piece]) -> usize {
        let fresh = self.levels.len();
        let Some(level) = self.levels.get_mut(at) else {
            return at;
        };
        let text = match pieces {
            [] => Some(""),
            [Piece::Literal(text)] => Some(&**text),
            _ => None,
        };
        let known = match text {
            Some(text) => level
                .literals
                .iter()
                .find(|(known, _)| &**known == text)
                .map(|(_, to)| *to),
            None => level
                .patterns
                .iter()
                .find(|(known, _)| alike(known, pieces))
                .map(|(_, to)| *to),
        };
        if let Some(known) = known {
            return known;
        }
        match text {
            Some(text) => {
                level.literals.push((text.into(), fresh));
                level.literals.sort();
            }
            None => {
                level.patterns.push((pieces.to_vec(), fresh));
                // More literal characters are more specific.
                level
                    .patterns
                    .sort_by_key(|(pieces, _)| std::cmp::Reverse(literals(pieces)));
            }
        }
        self.levels.push(Level::default());
        fresh
    }

    /// The path that a request's path is, and where its parameters stand.
    pub(super) fn find(&self, path: &str, offset: usize) -> Option<(&Entry, Captures)> {
        let mut captures = Captures::new();
        let rest = path.get(offset..)?.strip_prefix('/')?;
        // Each level is met at most once: there is one way to it.
        let entry = self.walk(0, path, path.len() - rest.len(), &mut captures)?;
        Some((self.entries.get(entry)?, captures))
    }

    fn walk(&self, at: usize, path: &str, start: usize, captures: &mut Captures) -> Option<usize> {
        let level = self.levels.get(at)?;
        let rest = path.get(start..)?;
        let (segment, next) = match rest.split_once('/') {
            Some((segment, _)) => (segment, Some(start + segment.len() + 1)),
            None => (rest, None),
        };
        let decoded = decode(segment, Plus::Plus)?;
        if decoded.contains('/') {
            return None;
        }
        let go = |to: usize, captures: &mut Captures| match next {
            Some(next) => self.walk(to, path, next, captures),
            None => self.levels.get(to)?.entry,
        };
        if let Ok(found) = level
            .literals
            .binary_search_by(|(known, _)| (**known).cmp(&*decoded))
            && let Some(entry) = level
                .literals
                .get(found)
                .and_then(|(_, to)| go(*to, captures))
        {
            return Some(entry);
        }
        for (pieces, to) in &level.patterns {
            let before = captures.len();
            if matches(pieces, segment, start, captures)
                && let Some(entry) = go(*to, captures)
            {
                return Some(entry);
            }
            captures.truncate(before);
        }
        None
    }
}

fn literals(pieces: &[Piece]) -> usize {
    let literal = |piece: &Piece| match piece {
        Piece::Literal(text) => text.len(),
        Piece::Parameter(_) => 0,
    };
    pieces.iter().map(literal).sum()
}

/// Whether two segments match the same, whatever their parameters are called.
fn alike(a: &[Piece], b: &[Piece]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|pair| match pair {
            (Piece::Literal(a), Piece::Literal(b)) => a == b,
            (Piece::Parameter(_), Piece::Parameter(_)) => true,
            _ => false,
        })
}

/// Matches a segment, each parameter as short as what follows it allows; the last takes the rest.
fn matches(pieces: &[Piece], segment: &str, start: usize, captures: &mut Captures) -> bool {
    let mut at = 0;
    let mut rest = pieces.iter().peekable();
    while let Some(piece) = rest.next() {
        let Some(ahead) = segment.get(at..) else {
            return false;
        };
        match piece {
            Piece::Literal(text) if ahead.starts_with(&**text) => at += text.len(),
            Piece::Literal(_) => return false,
            Piece::Parameter(_) => {
                let ahead_of = rest.len();
                let end = match rest.peek() {
                    None => Some(ahead.len()),
                    // The last literal stands at the end.
                    Some(Piece::Literal(text)) if ahead_of == 1 => {
                        ahead.strip_suffix(&**text).map(str::len)
                    }
                    Some(Piece::Literal(text)) => {
                        let from = ahead.chars().next().map_or(0, char::len_utf8);
                        ahead
                            .get(from..)
                            .and_then(|later| later.find(&**text))
                            .map(|found| found + from)
                    }
                    Some(Piece::Parameter(_)) => None,
                };
                let Some(end) = end.filter(|end| *end > 0) else {
                    return false;
                };
                let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                captures.push((small(start + at), small(start + at + end)));
                at += end;
            }
        }
    }
    at == segment.len()
}
