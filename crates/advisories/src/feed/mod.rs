//! The index: advisories of many feeds in little memory, by scope and package.
//!
//! Enumerated versions are left out where the ranges say the same of them; withdrawn advisories are
//! not in it. It knows which feeds it was made of and when they were fetched, because what no feed
//! covers is unknown and not free of vulnerabilities.

mod build;
mod format;
pub(crate) mod intervals;
#[cfg(test)]
mod tests;

pub use build::{Builder, FeedId, Imported};
pub use format::INDEX_BYTES_MAX;

use model::Timestamp;

use crate::{Ecosystem, Rating, Scope};
use intervals::{End, Interval, Order};

/// Advisories of one ecosystem from one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// What people call it.
    pub name: String,
    /// Which ecosystem it covers, with all its releases.
    pub ecosystem: Ecosystem,
    /// When it was fetched from its publisher.
    pub fetched: Timestamp,
}

/// A piece of the index's text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Text {
    start: u32,
    len: u32,
}

/// A piece of one of the index's lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Piece {
    start: u32,
    len: u32,
}

/// Advisories, ready to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    text: String,
    feeds: Vec<FeedEntry>,
    records: Vec<Record>,
    scopes: Vec<ScopeEntry>,
    /// INVARIANT: sorted by scope and name, none twice.
    packages: Vec<PackageEntry>,
    entries: Vec<Entry>,
    intervals: Vec<IntervalEntry>,
    /// Other names of advisories, and versions.
    texts: Vec<Text>,
    /// INVARIANT: sorted by repository.
    repositories: Vec<GitEntry>,
    commits: Vec<(Mark, Text)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FeedEntry {
    feed: Feed,
    imported: Imported,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    id: Text,
    summary: Text,
    /// Empty where it tells of a vulnerability.
    informational: Text,
    aliases: Piece,
    modified: Timestamp,
    score_tenths: Option<u8>,
    rating: Option<Rating>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ScopeEntry {
    scope: Scope,
    /// How many packages of it are named.
    packages: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PackageEntry {
    scope: u32,
    name: Text,
    entries: Piece,
}

/// What one advisory says of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    record: u32,
    intervals: Piece,
    /// Affected too, whatever the intervals say.
    versions: Piece,
    /// What of it could not be used; empty where all could.
    unclear: Text,
    score_tenths: Option<u8>,
    rating: Option<Rating>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct IntervalEntry {
    semver: bool,
    /// Empty is the beginning.
    from: Text,
    end: EndKind,
    to: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndKind {
    Open,
    Fixed,
    Last,
    Limit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct GitEntry {
    repository: Text,
    record: u32,
    commits: Piece,
}

/// What a commit of a range is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Introduced,
    Fixed,
    Last,
    Limit,
}

/// What a feed's state means for a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// No feed is of its ecosystem.
    NoFeed,
    /// The feeds say nothing of any package of it.
    Empty,
    /// They speak of other releases only.
    OtherReleases,
    /// They cover it; the oldest was fetched then.
    Since(Timestamp),
}

/// An advisory, as the index holds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'i> {
    pub(crate) id: &'i str,
    pub(crate) summary: &'i str,
    pub(crate) informational: Option<&'i str>,
    pub(crate) score_tenths: Option<u8>,
    pub(crate) rating: Option<Rating>,
    index: &'i Index,
    aliases: Piece,
}

/// What an advisory says of a package, as the index holds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'i> {
    index: &'i Index,
    ecosystem: Ecosystem,
    entry: &'i Entry,
}

impl Index {
    /// The feeds it was made of, and what became of their advisories.
    pub fn feeds(&self) -> impl Iterator<Item = (&Feed, &Imported)> {
        self.feeds
            .iter()
            .map(|entry| (&entry.feed, &entry.imported))
    }

    /// How many advisories it holds.
    #[must_use]
    pub fn advisories(&self) -> usize {
        self.records.len()
    }

    /// How many packages it names, each once for every scope.
    #[must_use]
    pub fn packages(&self) -> usize {
        self.packages.len()
    }

    /// How many bytes of memory its lists and its text take.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        fn list<T>(list: &Vec<T>) -> usize {
            list.capacity().saturating_mul(size_of::<T>())
        }
        [
            self.text.capacity(),
            list(&self.feeds),
            list(&self.records),
            list(&self.scopes),
            list(&self.packages),
            list(&self.entries),
            list(&self.intervals),
            list(&self.texts),
            list(&self.repositories),
            list(&self.commits),
        ]
        .iter()
        .fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }

    pub(crate) fn coverage(&self, scope: &Scope) -> Coverage {
        let feeds = self.feeds.iter().map(|entry| &entry.feed);
        let oldest = feeds
            .filter(|feed| feed.ecosystem == scope.ecosystem)
            .map(|feed| feed.fetched)
            .min();
        let Some(oldest) = oldest else {
            return Coverage::NoFeed;
        };
        let mut of_ecosystem = self
            .scopes
            .iter()
            .filter(|entry| entry.scope.ecosystem == scope.ecosystem && entry.packages > 0);
        if self
            .scopes
            .iter()
            .any(|entry| entry.scope == *scope && entry.packages > 0)
        {
            Coverage::Since(oldest)
        } else if of_ecosystem.next().is_some() {
            Coverage::OtherReleases
        } else {
            Coverage::Empty
        }
    }

    /// What is said of a package. Scope and name are in their normal form.
    pub(crate) fn about(&self, scope: &Scope, name: &str) -> impl Iterator<Item = About<'_>> {
        let place = self.scopes.iter().position(|entry| entry.scope == *scope);
        let place = place.and_then(|place| u32::try_from(place).ok());
        let found = place.and_then(|place| {
            let key = |entry: &PackageEntry| (entry.scope, self.str(entry.name));
            let at = self
                .packages
                .binary_search_by(|entry| key(entry).cmp(&(place, name)))
                .ok()?;
            self.packages.get(at)
        });
        let entries = found.map_or(&[][..], |found| piece(&self.entries, found.entries));
        let ecosystem = scope.ecosystem;
        entries.iter().map(move |entry| About {
            index: self,
            ecosystem,
            entry,
        })
    }

    /// What is said of commits of a repository, whose address is in its normal form.
    pub(crate) fn commits(
        &self,
        repository: &str,
    ) -> impl Iterator<Item = (Told<'_>, impl Iterator<Item = (Mark, &str)>)> {
        let first = self
            .repositories
            .partition_point(|entry| self.str(entry.repository) < repository);
        let found = self.repositories.iter().skip(first);
        found
            .take_while(move |entry| self.str(entry.repository) == repository)
            .filter_map(|entry| {
                let commits = piece(&self.commits, entry.commits).iter();
                let commits = commits.map(|(mark, text)| (*mark, self.str(*text)));
                Some((self.told(entry.record)?, commits))
            })
    }

    fn told(&self, record: u32) -> Option<Told<'_>> {
        let record = self.records.get(usize::try_from(record).ok()?)?;
        let informational = self.str(record.informational);
        Some(Told {
            id: self.str(record.id),
            summary: self.str(record.summary),
            informational: Some(informational).filter(|text| !text.is_empty()),
            score_tenths: record.score_tenths,
            rating: record.rating,
            index: self,
            aliases: record.aliases,
        })
    }

    fn str(&self, text: Text) -> &str {
        let start = usize::try_from(text.start).unwrap_or(usize::MAX);
        let len = usize::try_from(text.len).unwrap_or(0);
        let end = start.saturating_add(len);
        // INVARIANT: pieces lie within the text, on the edges of characters.
        self.text.get(start..end).unwrap_or_default()
    }
}

fn piece<T>(list: &[T], piece: Piece) -> &[T] {
    let start = usize::try_from(piece.start).unwrap_or(usize::MAX);
    let len = usize::try_from(piece.len).unwrap_or(0);
    // INVARIANT: pieces lie within their list.
    list.get(start..start.saturating_add(len))
        .unwrap_or_default()
}

impl<'i> Told<'i> {
    pub(crate) fn aliases(&self) -> impl Iterator<Item = &'i str> + use<'i> {
        let index = self.index;
        piece(&index.texts, self.aliases)
            .iter()
            .map(|text| index.str(*text))
    }
}

impl<'i> About<'i> {
    /// Which advisory says it; its severity is that of this package where one is said.
    pub(crate) fn told(&self) -> Option<Told<'i>> {
        let mut told = self.index.told(self.entry.record)?;
        told.score_tenths = self.entry.score_tenths.or(told.score_tenths);
        told.rating = self.entry.rating.or(told.rating);
        Some(told)
    }

    pub(crate) fn intervals(&self) -> impl Iterator<Item = (Order, Interval<'i>)> + use<'i> {
        let index = self.index;
        let ecosystem = self.ecosystem;
        piece(&index.intervals, self.entry.intervals)
            .iter()
            .map(move |entry| {
                let order = if entry.semver {
                    Order::SemVer
                } else {
                    Order::Ecosystem(ecosystem)
                };
                let to = index.str(entry.to);
                let from = index.str(entry.from);
                let end = match entry.end {
                    EndKind::Open => End::Open,
                    EndKind::Fixed => End::Fixed(to),
                    EndKind::Last => End::Last(to),
                    EndKind::Limit => End::Limit(to),
                };
                let from = Some(from).filter(|from| !from.is_empty());
                (order, Interval { from, end })
            })
    }

    pub(crate) fn versions(&self) -> impl Iterator<Item = &'i str> + use<'i> {
        let index = self.index;
        piece(&index.texts, self.entry.versions)
            .iter()
            .map(|text| index.str(*text))
    }

    /// What of the advisory could not be used.
    pub(crate) fn unclear(&self) -> Option<&'i str> {
        Some(self.index.str(self.entry.unclear)).filter(|text| !text.is_empty())
    }
}
