//! Requirements on versions of crates (`>= 1.2.3, < 2.0.0`), turned into what they leave out.
//!
//! Source: the Cargo Book, "Version requirement syntax". RustSec lists requirements that versions
//! without the vulnerability fulfil; what none of them takes in is affected. SemVer's order is
//! discrete (`1.0.0-a.0` follows `1.0.0-a`, `1.0.1-0` follows `1.0.0`), so every requirement is one
//! half-open interval.
//!
//! Where Cargo's bound is not written out (`^1.2`, `~1.2`, `1.*`), pre-releases of the bound are
//! outside, as for Cargo: `^1.2` says nothing of `2.0.0-rc.1`. A bound that is written out is taken
//! by the order of versions.

use std::cmp::Ordering;

use super::Event;
use crate::Version;
use crate::text::said;
use crate::version::semver::{core, successor};

/// LIMIT: comparators of one requirement.
const COMPARATORS_MAX: usize = 32;

/// The versions that a requirement takes: from the first to before the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interval {
    from: Option<Point>,
    to: Option<Point>,
}

/// A place in the order of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Point {
    version: String,
    /// The version it follows directly, where that is how it was said.
    after: Option<String>,
}

/// Reads a requirement. What no version fulfils is no interval.
pub(super) fn parse(text: &str) -> Result<Option<Interval>, String> {
    let mut whole = Interval {
        from: None,
        to: None,
    };
    for (at, comparator) in text.split(',').enumerate() {
        if at >= COMPARATORS_MAX {
            return Err(format!("more than {COMPARATORS_MAX} comparators"));
        }
        let one = comparison(comparator.trim())
            .ok_or_else(|| format!("`{}` is no requirement on a version", said(comparator)))?;
        whole = Interval {
            from: later(whole.from, one.from),
            to: earlier(whole.to, one.to),
        };
    }
    let empty = match (&whole.from, &whole.to) {
        (Some(from), Some(to)) => order(from, to) != Ordering::Less,
        _ => false,
    };
    Ok((!empty).then_some(whole))
}

/// What none of the intervals takes in, as events from the lowest version to the highest.
pub(super) fn left_out(mut taken: Vec<Interval>) -> Vec<Event> {
    taken.sort_by(|a, b| match (&a.from, &b.from) {
        (Some(a), Some(b)) => order(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    });
    let mut events = Vec::new();
    // Where versions begin that nothing so far took in; `None` is the beginning of all.
    let mut cursor: Option<Point> = None;
    for interval in taken {
        if let Some(from) = interval.from
            && cursor
                .as_ref()
                .is_none_or(|at| order(at, &from) == Ordering::Less)
        {
            events.push(introduced(cursor.as_ref()));
            events.push(match from.after {
                Some(last) => Event::LastAffected(last),
                None => Event::Fixed(from.version),
            });
        }
        match (interval.to, &cursor) {
            (None, _) => return events,
            (Some(to), Some(at)) if order(at, &to) != Ordering::Less => {}
            (Some(to), _) => cursor = Some(to),
        }
    }
    events.push(introduced(cursor.as_ref()));
    events
}

fn introduced(at: Option<&Point>) -> Event {
    Event::Introduced(at.map_or_else(|| "0".to_owned(), |point| point.version.clone()))
}

fn order(a: &Point, b: &Point) -> Ordering {
    let (a, b) = (
        Version::parse_semver(&a.version),
        Version::parse_semver(&b.version),
    );
    match (a, b) {
        (Ok(a), Ok(b)) => a.compare(&b).unwrap_or(Ordering::Equal),
        // INVARIANT: points are made of versions that were read.
        _ => Ordering::Equal,
    }
}

fn later(a: Option<Point>, b: Option<Point>) -> Option<Point> {
    match (a, b) {
        (Some(a), Some(b)) if order(&a, &b) == Ordering::Less => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    }
}

fn earlier(a: Option<Point>, b: Option<Point>) -> Option<Point> {
    match (a, b) {
        (Some(a), Some(b)) if order(&a, &b) == Ordering::Greater => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    }
}

/// A version of a requirement, whose last numbers may be missing.
struct Partial<'a> {
    major: &'a str,
    minor: Option<&'a str>,
    patch: Option<&'a str>,
    /// All of it, where no number is missing.
    full: Option<String>,
}

fn comparison(text: &str) -> Option<Interval> {
    const OPERATORS: &[&str] = &[">=", "<=", ">", "<", "=", "^", "~"];
    let operator = OPERATORS.iter().find(|known| text.starts_with(**known));
    let operator = operator.copied().unwrap_or_default();
    let version = text.strip_prefix(operator)?.trim();
    if version == "*" {
        return operator.is_empty().then_some(Interval {
            from: None,
            to: None,
        });
    }
    let wild = version
        .split('.')
        .any(|number| matches!(number, "*" | "x" | "X"));
    let partial = partial(version)?;
    let at = |point: Point| Some(point);
    let (from, to) = match operator {
        ">=" => (at(partial.lowest()), None),
        ">" => (at(partial.following(Edge::Release)), None),
        "<" => (None, at(partial.lowest())),
        "<=" => (None, at(partial.following(Edge::Everything))),
        "=" => (
            at(partial.lowest()),
            at(partial.following(Edge::Everything)),
        ),
        "~" => (at(partial.lowest()), at(partial.tilde())),
        "" if wild => (
            at(partial.lowest()),
            at(partial.following(Edge::Everything)),
        ),
        _ => (at(partial.lowest()), at(partial.caret())),
    };
    Some(Interval { from, to })
}

fn partial(text: &str) -> Option<Partial<'_>> {
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, tail) = text.split_at_checked(end)?;
    let mut given = numbers.split('.');
    let mut next = || {
        given
            .next()
            .filter(|number| !matches!(*number, "*" | "x" | "X"))
    };
    let (major, minor, patch) = (next()?, next(), next());
    if given.next().is_some() || (patch.is_none() && !tail.is_empty()) {
        return None;
    }
    let tail = tail.split('+').next().unwrap_or_default();
    let filled = format!(
        "{major}.{}.{}{tail}",
        minor.unwrap_or("0"),
        patch.unwrap_or("0")
    );
    core(&filled)?;
    Some(Partial {
        major,
        minor,
        patch,
        full: patch.map(|_| filled),
    })
}

/// Where the versions that a partial one stands for end.
#[derive(Debug, Clone, Copy)]
enum Edge {
    /// With the pre-releases of the next: `<= 1.2` says nothing of `1.3.0-rc.1`.
    Everything,
    /// With the release of the next: `> 1.2` begins at `1.3.0`.
    Release,
}

impl Partial<'_> {
    fn lowest(&self) -> Point {
        let version = self
            .full
            .clone()
            .unwrap_or_else(|| format!("{}.{}.0", self.major, self.minor.unwrap_or("0")));
        Point {
            version,
            after: None,
        }
    }

    /// What follows the version, or all that it stands for.
    fn following(&self, edge: Edge) -> Point {
        if let Some(full) = &self.full {
            return Point {
                version: next_of(full),
                after: Some(full.clone()),
            };
        }
        let release = match self.minor {
            Some(minor) => format!("{}.{}.0", self.major, successor(minor)),
            None => format!("{}.0.0", successor(self.major)),
        };
        let version = match edge {
            Edge::Everything => format!("{release}-0"),
            Edge::Release => release,
        };
        Point {
            version,
            after: None,
        }
    }

    fn tilde(&self) -> Point {
        bound(&match self.minor {
            Some(minor) => [self.major.to_owned(), successor(minor), "0".to_owned()],
            None => [successor(self.major), "0".to_owned(), "0".to_owned()],
        })
    }

    fn caret(&self) -> Point {
        let zero = || "0".to_owned();
        bound(&match (self.major, self.minor, self.patch) {
            ("0", Some("0"), Some(patch)) => [zero(), zero(), successor(patch)],
            ("0", Some(minor), _) => [zero(), successor(minor), zero()],
            (major, _, _) => [successor(major), zero(), zero()],
        })
    }
}

/// Before every version of these numbers, pre-releases too.
fn bound(numbers: &[String; 3]) -> Point {
    Point {
        version: format!("{}-0", numbers.join(".")),
        after: None,
    }
}

/// The version that follows directly.
fn next_of(full: &str) -> String {
    match (full.split_once('-'), core(full)) {
        (None, Some([major, minor, patch])) => format!("{major}.{minor}.{}-0", successor(patch)),
        _ => format!("{full}.0"),
    }
}
