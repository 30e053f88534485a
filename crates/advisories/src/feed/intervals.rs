//! Events as intervals: from which version to which something is affected.
//!
//! Source: the OSV schema's evaluation of `affected[].ranges[].events`. Events are sorted by their
//! versions. Where an end and a beginning stand at one version, what was affected before goes on;
//! where nothing was, a fix at the version of the beginning leaves nothing, and a last version there
//! leaves that one.

use std::cmp::Ordering;

use crate::{Ecosystem, Error, Event, RangeKind, Version};

/// How the versions of an interval are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    SemVer,
    Ecosystem(Ecosystem),
}

impl Order {
    pub(crate) fn of(kind: RangeKind, ecosystem: Ecosystem) -> Self {
        use Ecosystem as E;
        // Their own rule is Semantic Versioning, or goes on where it ends: for Pub `1.0.0+1` comes
        // before `1.0.0+2`.
        let by_itself = matches!(ecosystem, E::CratesIo | E::Go | E::Hex | E::Npm | E::Pub);
        match kind {
            RangeKind::SemVer if !by_itself => Self::SemVer,
            _ => Self::Ecosystem(ecosystem),
        }
    }

    pub(crate) fn read(self, text: &str) -> Result<Version<'_>, Error> {
        match self {
            Self::SemVer => Version::parse_semver(text),
            Self::Ecosystem(ecosystem) => Version::parse(ecosystem, text),
        }
    }

    /// Reads a version that a verdict may stand on.
    ///
    /// SECURITY: a fix that only an older convention places comes before every version of today,
    /// and nothing would be affected.
    pub(crate) fn bound(self, text: &str) -> Result<Version<'_>, Error> {
        let version = self.read(text)?;
        match self {
            Self::Ecosystem(ecosystem) if !version.is_certain() => Err(Error::version(
                ecosystem.name(),
                text,
                "it has a place by an older convention only",
            )),
            _ => Ok(version),
        }
    }
}

/// Where an interval ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End<'a> {
    /// Nowhere: no version without it is known.
    Open,
    /// Before this version, which is without it.
    Fixed(&'a str),
    /// After this version.
    Last(&'a str),
    /// Before this version, of which nothing is said.
    Limit(&'a str),
}

/// Versions that are affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval<'a> {
    /// `None` is the beginning of all versions.
    pub(crate) from: Option<&'a str>,
    pub(crate) end: End<'a>,
}

impl Interval<'_> {
    /// Whether a version, read in the same order, lies in it.
    ///
    /// # Errors
    /// [`Error::Version`] where a bound is no version.
    pub(crate) fn holds(&self, order: Order, version: &Version<'_>) -> Result<bool, Error> {
        let place = |bound: &str| version.compare(&order.bound(bound)?);
        if let Some(from) = self.from
            && place(from)? == Ordering::Less
        {
            return Ok(false);
        }
        Ok(match self.end {
            End::Open => true,
            End::Fixed(to) | End::Limit(to) => place(to)? == Ordering::Less,
            End::Last(last) => place(last)? != Ordering::Greater,
        })
    }
}

/// What happens at one version.
struct Step<'a> {
    at: Option<Version<'a>>,
    event: &'a Event,
}

/// The intervals of a range, from the lowest version to the highest, none touching another.
///
/// # Errors
/// [`Error::Version`] where an event's version is none.
pub(crate) fn intervals(order: Order, events: &[Event]) -> Result<Vec<Interval<'_>>, Error> {
    let mut steps = Vec::with_capacity(events.len());
    let mut limits = Vec::new();
    let mut unlimited = false;
    for event in events {
        match event {
            Event::Limit(text) if text == "*" => unlimited = true,
            Event::Limit(text) => limits.push(order.bound(text)?),
            // The schema's word for before everything; as a fix it says that nothing is affected.
            Event::Introduced(text) | Event::Fixed(text) if text == "0" => {
                steps.push(Step { at: None, event });
            }
            Event::Introduced(text) | Event::Fixed(text) | Event::LastAffected(text) => {
                let at = Some(order.bound(text)?);
                steps.push(Step { at, event });
            }
        }
    }
    steps.sort_by(|a, b| place(a.at.as_ref(), b.at.as_ref()));
    let mut found = Vec::new();
    let mut open: Option<Option<&str>> = None;
    let groups = steps.chunk_by(|a, b| place(a.at.as_ref(), b.at.as_ref()) == Ordering::Equal);
    for group in groups {
        let begins = group.iter().find_map(|step| match step.event {
            Event::Introduced(text) => Some(Some(text.as_str()).filter(|text| *text != "0")),
            _ => None,
        });
        let end = end_of(group);
        match (open, begins, end) {
            (Some(from), None, Some(end)) => {
                found.push(Interval { from, end });
                open = None;
            }
            // A beginning at the end of another, or within it: it goes on.
            (Some(_), _, _) | (None, None, _) => {}
            (None, Some(from), None) => open = Some(from),
            (None, Some(from), Some(end @ End::Last(_))) => found.push(Interval { from, end }),
            (None, Some(_), Some(_)) => {}
        }
    }
    if let Some(from) = open {
        found.push(Interval {
            from,
            end: End::Open,
        });
    }
    // Of several limits, a version need only be before one.
    limits.sort_by(|a, b| place(Some(a), Some(b)));
    match limits.last().filter(|_| !unlimited) {
        Some(limit) => cut(order, found, limit),
        None => Ok(found),
    }
}

fn end_of<'a>(group: &[Step<'a>]) -> Option<End<'a>> {
    let fixed = group.iter().find_map(|step| match step.event {
        Event::Fixed(text) => Some(End::Fixed(text)),
        _ => None,
    });
    fixed.or_else(|| {
        group.iter().find_map(|step| match step.event {
            Event::LastAffected(text) => Some(End::Last(text)),
            _ => None,
        })
    })
}

fn place(a: Option<&Version<'_>>, b: Option<&Version<'_>>) -> Ordering {
    match (a, b) {
        // INVARIANT: both were read in one order.
        (Some(a), Some(b)) => a.compare(b).unwrap_or(Ordering::Equal),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Takes off what lies at or after the limit.
fn cut<'a>(
    order: Order,
    found: Vec<Interval<'a>>,
    limit: &Version<'a>,
) -> Result<Vec<Interval<'a>>, Error> {
    let mut kept = Vec::with_capacity(found.len());
    for mut interval in found {
        if let Some(from) = interval.from
            && order.read(from)?.compare(limit)? != Ordering::Less
        {
            continue;
        }
        let beyond = match interval.end {
            End::Open => true,
            End::Fixed(to) | End::Limit(to) => order.read(to)?.compare(limit)? == Ordering::Greater,
            End::Last(last) => order.read(last)?.compare(limit)? != Ordering::Less,
        };
        if beyond {
            interval.end = End::Limit(limit.text());
        }
        kept.push(interval);
    }
    Ok(kept)
}
