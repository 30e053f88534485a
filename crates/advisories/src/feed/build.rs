//! Advisories become an index.

use std::collections::{BTreeMap, HashMap};

use super::intervals::{End, Interval, Order, intervals};
use super::{
    EndKind, Entry, Feed, FeedEntry, GitEntry, Index, IntervalEntry, Mark, PackageEntry, Piece,
    Record, ScopeEntry, Text,
};
use crate::names::{self, repository};
use crate::{Advisory, Affected, Error, Event, RangeKind, Scope, Version};

/// LIMIT: feeds of an index.
const FEEDS_MAX: usize = 1_000;
/// LIMIT: items of each of an index's lists, and bytes of its text.
const ITEMS_MAX: usize = 100_000_000;

/// LIMIT: versions times ranges that are compared to leave out a list; more, and it is kept.
const PROOF_MAX: usize = 5_000_000;

/// A feed of a [`Builder`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedId(usize);

/// What became of a feed's advisories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many are in the index.
    pub advisories: u64,
    /// How many were withdrawn by their publisher.
    pub withdrawn: u64,
    /// How many could not be read, as the caller told ([`Builder::refuse`]).
    pub refused: u64,
    /// Packages of ecosystems that are not known here.
    pub foreign: u64,
    /// Versions that were listed.
    pub versions: u64,
    /// How many of these are kept, because the ranges do not say the same.
    pub versions_kept: u64,
    /// Ranges that could not be used: what they are about is unknown, not unaffected.
    pub unclear: u64,
}

/// Makes an index.
#[derive(Debug, Default)]
pub struct Builder {
    index: Index,
    known: HashMap<String, Text>,
    scopes: HashMap<Scope, u32>,
    packages: BTreeMap<(u32, String), Vec<Entry>>,
    repositories: BTreeMap<String, Vec<(u32, Piece)>>,
}

impl Builder {
    /// An index of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a feed. Its ecosystem is covered from then on, as soon as it names a package of it.
    ///
    /// # Errors
    /// [`Error::Full`].
    pub fn feed(&mut self, feed: Feed) -> Result<FeedId, Error> {
        let id = FeedId(self.index.feeds.len());
        room(&self.index.feeds, FEEDS_MAX, "feeds")?;
        self.index.feeds.push(FeedEntry {
            feed,
            imported: Imported::default(),
        });
        Ok(id)
    }

    /// Says that an advisory of a feed could not be read, so that the index knows what it lacks.
    pub fn refuse(&mut self, feed: FeedId) {
        self.count(feed, |imported| &mut imported.refused, 1);
    }

    /// Adds an advisory. A withdrawn one is counted and left out.
    ///
    /// # Errors
    /// [`Error::Full`].
    pub fn add(&mut self, feed: FeedId, advisory: &Advisory) -> Result<(), Error> {
        if advisory.withdrawn.is_some() {
            self.count(feed, |imported| &mut imported.withdrawn, 1);
            return Ok(());
        }
        let record = self.record(advisory)?;
        self.count(feed, |imported| &mut imported.advisories, 1);
        for affected in &advisory.affected {
            self.commits(record, affected)?;
            let Some(package) = &affected.package else {
                continue;
            };
            let Some(named) = &package.scope else {
                self.count(feed, |imported| &mut imported.foreign, 1);
                continue;
            };
            let scope = names::scope(named);
            let name = names::normal(scope.ecosystem, &package.name).into_owned();
            if let Some(entry) = self.entry(feed, record, &scope, affected)? {
                let place = self.scope(&scope)?;
                self.packages.entry((place, name)).or_default().push(entry);
            }
        }
        Ok(())
    }

    /// The index of what was added.
    ///
    /// # Errors
    /// [`Error::Full`].
    pub fn finish(mut self) -> Result<Index, Error> {
        for ((place, name), entries) in std::mem::take(&mut self.packages) {
            let start = self.index.entries.len();
            self.index.entries.extend(entries);
            let entries = since(start, &self.index.entries)?;
            let name = self.text(&name)?;
            self.index.packages.push(PackageEntry {
                scope: place,
                name,
                entries,
            });
            let at = usize::try_from(place).unwrap_or(usize::MAX);
            if let Some(entry) = self.index.scopes.get_mut(at) {
                entry.packages = entry.packages.saturating_add(1);
            }
        }
        for (address, found) in std::mem::take(&mut self.repositories) {
            let repository = self.text(&address)?;
            for (record, commits) in found {
                self.index.repositories.push(GitEntry {
                    repository,
                    record,
                    commits,
                });
            }
        }
        self.index.text.shrink_to_fit();
        Ok(self.index)
    }

    fn count(&mut self, feed: FeedId, which: impl Fn(&mut Imported) -> &mut u64, by: u64) {
        if let Some(entry) = self.index.feeds.get_mut(feed.0) {
            let counter = which(&mut entry.imported);
            *counter = counter.saturating_add(by);
        }
    }

    fn text(&mut self, text: &str) -> Result<Text, Error> {
        if text.is_empty() {
            return Ok(Text::default());
        }
        if let Some(known) = self.known.get(text) {
            return Ok(*known);
        }
        let end = self.index.text.len().saturating_add(text.len());
        if end > ITEMS_MAX {
            return Err(full("bytes of text", ITEMS_MAX));
        }
        let made = Text {
            start: small(self.index.text.len())?,
            len: small(text.len())?,
        };
        self.index.text.push_str(text);
        self.known.insert(text.to_owned(), made);
        Ok(made)
    }

    fn texts<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> Result<Piece, Error> {
        let start = self.index.texts.len();
        for text in texts {
            room(&self.index.texts, ITEMS_MAX, "versions and names")?;
            let text = self.text(text)?;
            self.index.texts.push(text);
        }
        since(start, &self.index.texts)
    }

    fn record(&mut self, advisory: &Advisory) -> Result<u32, Error> {
        room(&self.index.records, ITEMS_MAX, "advisories")?;
        // Distributions tell of one vulnerability upstream under a name of their own: these are two
        // names of it. An advisory of several at once is none of them.
        let upstream = match advisory.upstream.as_slice() {
            [one] => Some(one),
            _ => None,
        };
        let names = advisory.aliases.iter().chain(upstream);
        let record = Record {
            id: self.text(&advisory.id)?,
            summary: self.text(&advisory.summary)?,
            informational: self.text(advisory.informational.as_deref().unwrap_or_default())?,
            aliases: self.texts(names.map(String::as_str))?,
            modified: advisory.modified,
            score_tenths: advisory.score_tenths(),
            rating: advisory.rating,
        };
        let at = small(self.index.records.len())?;
        self.index.records.push(record);
        Ok(at)
    }

    fn scope(&mut self, scope: &Scope) -> Result<u32, Error> {
        if let Some(known) = self.scopes.get(scope) {
            return Ok(*known);
        }
        let at = small(self.index.scopes.len())?;
        self.index.scopes.push(ScopeEntry {
            scope: scope.clone(),
            packages: 0,
        });
        self.scopes.insert(scope.clone(), at);
        Ok(at)
    }

    /// What an advisory says of a package; nothing where it says nothing of any version.
    fn entry(
        &mut self,
        feed: FeedId,
        record: u32,
        scope: &Scope,
        affected: &Affected,
    ) -> Result<Option<Entry>, Error> {
        let mut unclear = None;
        let mut found: Vec<(Order, Interval<'_>)> = Vec::new();
        for range in &affected.ranges {
            if range.kind == RangeKind::Git {
                continue;
            }
            let order = Order::of(range.kind, scope.ecosystem);
            match intervals(order, &range.events) {
                Ok(some) => found.extend(some.into_iter().map(|interval| (order, interval))),
                Err(error) => {
                    self.count(feed, |imported| &mut imported.unclear, 1);
                    unclear = unclear.or(Some(error.to_string()));
                }
            }
        }
        let kept = kept(scope, &found, &affected.versions);
        let listed = u64::try_from(affected.versions.len()).unwrap_or(u64::MAX);
        let remain = u64::try_from(kept.len()).unwrap_or(u64::MAX);
        self.count(feed, |imported| &mut imported.versions, listed);
        self.count(feed, |imported| &mut imported.versions_kept, remain);
        let only_commits = affected.versions.is_empty()
            && !affected.ranges.is_empty()
            && affected
                .ranges
                .iter()
                .all(|range| range.kind == RangeKind::Git);
        if only_commits {
            unclear = unclear.or(Some("it names commits, and no versions".to_owned()));
        }
        if found.is_empty() && kept.is_empty() && unclear.is_none() {
            return Ok(None);
        }
        Ok(Some(Entry {
            record,
            intervals: self.intervals(&found)?,
            versions: self.texts(kept.into_iter())?,
            unclear: self.text(unclear.as_deref().unwrap_or_default())?,
            score_tenths: affected.score_tenths(),
            rating: affected.rating,
        }))
    }

    fn intervals(&mut self, found: &[(Order, Interval<'_>)]) -> Result<Piece, Error> {
        let start = self.index.intervals.len();
        for (order, interval) in found {
            room(&self.index.intervals, ITEMS_MAX, "ranges")?;
            let (end, to) = match interval.end {
                End::Open => (EndKind::Open, ""),
                End::Fixed(to) => (EndKind::Fixed, to),
                End::Last(to) => (EndKind::Last, to),
                End::Limit(to) => (EndKind::Limit, to),
            };
            let entry = IntervalEntry {
                semver: *order == Order::SemVer,
                from: self.text(interval.from.unwrap_or_default())?,
                end,
                to: self.text(to)?,
            };
            self.index.intervals.push(entry);
        }
        since(start, &self.index.intervals)
    }

    fn commits(&mut self, record: u32, affected: &Affected) -> Result<(), Error> {
        for range in affected
            .ranges
            .iter()
            .filter(|range| range.kind == RangeKind::Git)
        {
            let Some(address) = range.repository.as_deref() else {
                continue;
            };
            let start = self.index.commits.len();
            for event in &range.events {
                room(&self.index.commits, ITEMS_MAX, "commits")?;
                let (mark, commit) = match event {
                    Event::Introduced(commit) => (Mark::Introduced, commit),
                    Event::Fixed(commit) => (Mark::Fixed, commit),
                    Event::LastAffected(commit) => (Mark::Last, commit),
                    Event::Limit(commit) => (Mark::Limit, commit),
                };
                let text = self.text(commit)?;
                self.index.commits.push((mark, text));
            }
            let piece = since(start, &self.index.commits)?;
            let found = self.repositories.entry(repository(address)).or_default();
            found.push((record, piece));
        }
        Ok(())
    }
}

/// The listed versions of which the ranges do not say that they are affected. Every version is
/// asked; one that its ecosystem's rule does not place is kept, for no range decides about it.
fn kept<'a>(
    scope: &Scope,
    found: &[(Order, Interval<'_>)],
    versions: &'a [String],
) -> Vec<&'a str> {
    let said = |text: &str| {
        Version::parse(scope.ecosystem, text).is_ok_and(|version| version.is_certain())
            && found.iter().any(|(order, interval)| {
                let read = order.read(text);
                read.is_ok_and(|version| interval.holds(*order, &version) == Ok(true))
            })
    };
    let texts = versions.iter().map(String::as_str);
    if versions.len().saturating_mul(found.len()) > PROOF_MAX {
        return texts.collect();
    }
    texts.filter(|text| !said(text)).collect()
}

fn small(number: usize) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| full("bytes or items", ITEMS_MAX))
}

fn since<T>(start: usize, list: &[T]) -> Result<Piece, Error> {
    Ok(Piece {
        start: small(start)?,
        len: small(list.len().saturating_sub(start))?,
    })
}

fn room<T>(list: &[T], max: usize, what: &'static str) -> Result<(), Error> {
    if list.len() >= max {
        return Err(full(what, max));
    }
    Ok(())
}

fn full(what: &'static str, max: usize) -> Error {
    Error::Full { what, max }
}
