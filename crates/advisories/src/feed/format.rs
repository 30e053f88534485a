//! The index as bytes.
//!
//! `RPAI`, a version byte, the lists one after the other, and a CRC-32C of all before it (against
//! damage, not against forgery: who carries an index elsewhere signs it). Numbers are LEB128, of at
//! most ten bytes. Everything that is read is checked before it is believed: a list is never longer
//! than its bytes, a piece lies within its list, texts end where characters do, keys stand in order.

use model::Timestamp;

use super::{
    EndKind, Entry, Feed, FeedEntry, GitEntry, Imported, Index, IntervalEntry, Mark, PackageEntry,
    Piece, Record, ScopeEntry, Text,
};
use crate::{Error, Rating, Scope};

/// LIMIT: bytes of an index. All ecosystems together need a tenth of it.
pub const INDEX_BYTES_MAX: usize = 1 << 30;

const MAGIC: &[u8; 4] = b"RPAI";
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;

impl Index {
    /// The index as bytes, for [`Index::decode`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.text.len().saturating_mul(2));
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        bytes(&mut out, self.text.as_bytes());
        list(&mut out, &self.texts, |out, one| text(out, *one));
        list(&mut out, &self.feeds, feed);
        list(&mut out, &self.scopes, |out, one| {
            bytes(out, one.scope.to_string().as_bytes());
            number(out, u64::from(one.packages));
        });
        list(&mut out, &self.records, record);
        list(&mut out, &self.intervals, |out, one| {
            out.push(u8::from(one.semver) << 2 | end(one.end));
            text(out, one.from);
            text(out, one.to);
        });
        list(&mut out, &self.entries, |out, one| {
            number(out, u64::from(one.record));
            piece(out, one.intervals);
            piece(out, one.versions);
            text(out, one.unclear);
            out.push(one.score_tenths.unwrap_or(NONE));
            out.push(rating(one.rating));
        });
        list(&mut out, &self.packages, |out, one| {
            number(out, u64::from(one.scope));
            text(out, one.name);
            piece(out, one.entries);
        });
        list(&mut out, &self.commits, |out, (mark, one)| {
            out.push(mark_code(*mark));
            text(out, *one);
        });
        list(&mut out, &self.repositories, |out, one| {
            text(out, one.repository);
            number(out, u64::from(one.record));
            piece(out, one.commits);
        });
        let sum = crc32c::crc32c(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// The index that was encoded.
    ///
    /// # Errors
    /// [`Error::Index`] where the bytes are none, of another version, damaged, or do not fit
    /// together.
    pub fn decode(input: &[u8]) -> Result<Self, Error> {
        decode(input).map_err(|problem| Error::Index { problem })
    }
}

const NONE: u8 = 255;

fn number(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7f);
            return;
        }
        out.push(low | 0x80);
    }
}

fn length(out: &mut Vec<u8>, len: usize) {
    number(out, u64::try_from(len).unwrap_or(u64::MAX));
}

fn bytes(out: &mut Vec<u8>, what: &[u8]) {
    length(out, what.len());
    out.extend_from_slice(what);
}

fn list<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    length(out, items.len());
    for item in items {
        write(out, item);
    }
}

fn text(out: &mut Vec<u8>, text: Text) {
    number(out, u64::from(text.start));
    number(out, u64::from(text.len));
}

fn piece(out: &mut Vec<u8>, piece: Piece) {
    number(out, u64::from(piece.start));
    number(out, u64::from(piece.len));
}

fn time(out: &mut Vec<u8>, time: Timestamp) {
    out.extend_from_slice(&time.as_millis().to_le_bytes());
}

fn feed(out: &mut Vec<u8>, entry: &FeedEntry) {
    bytes(out, entry.feed.name.as_bytes());
    bytes(out, entry.feed.ecosystem.name().as_bytes());
    time(out, entry.feed.fetched);
    let imported = &entry.imported;
    for count in [
        imported.advisories,
        imported.withdrawn,
        imported.refused,
        imported.foreign,
        imported.versions,
        imported.versions_kept,
        imported.unclear,
    ] {
        number(out, count);
    }
}

fn record(out: &mut Vec<u8>, one: &Record) {
    text(out, one.id);
    text(out, one.summary);
    text(out, one.informational);
    piece(out, one.aliases);
    time(out, one.modified);
    out.push(one.score_tenths.unwrap_or(NONE));
    out.push(rating(one.rating));
}

fn rating(rating: Option<Rating>) -> u8 {
    match rating {
        None => 0,
        Some(Rating::Low) => 1,
        Some(Rating::Medium) => 2,
        Some(Rating::High) => 3,
        Some(Rating::Critical) => 4,
    }
}

fn end(end: EndKind) -> u8 {
    match end {
        EndKind::Open => 0,
        EndKind::Fixed => 1,
        EndKind::Last => 2,
        EndKind::Limit => 3,
    }
}

fn mark_code(mark: Mark) -> u8 {
    match mark {
        Mark::Introduced => 0,
        Mark::Fixed => 1,
        Mark::Last => 2,
        Mark::Limit => 3,
    }
}

type Read<T> = Result<T, &'static str>;

const SHORT: &str = "it ends too early";
const APART: &str = "its parts do not fit together";

fn decode(input: &[u8]) -> Read<Index> {
    if input.len() > INDEX_BYTES_MAX {
        return Err("it is longer than an index may be");
    }
    let rest = input.strip_prefix(MAGIC).ok_or("it is no index")?;
    let version = rest.first().ok_or(SHORT)?;
    if *version != VERSION {
        return Err("its version is not known here: a newer program wrote it");
    }
    let (body, sum) = input.split_last_chunk::<CHECKSUM_BYTES>().ok_or(SHORT)?;
    if crc32c::crc32c(body) != u32::from_le_bytes(*sum) {
        return Err("its checksum is wrong: it was damaged");
    }
    let body = body.get(MAGIC.len().saturating_add(1)..).ok_or(SHORT)?;
    let index = lists(&mut Input { rest: body })?;
    check(&index)?;
    Ok(index)
}

fn lists(input: &mut Input<'_>) -> Read<Index> {
    let whole = input.string()?;
    let ends = Ends { text: &whole };
    let texts = input.list(2, |input| input.text(&ends))?;
    let feeds = input.list(17, Input::feed)?;
    let scopes = input.list(2, Input::scope)?;
    let records = input.list(18, |input| input.record(&ends, texts.len()))?;
    let intervals = input.list(5, |input| input.interval(&ends))?;
    let entries = input.list(9, |input| {
        Ok(Entry {
            record: input.place(records.len())?,
            intervals: input.piece(intervals.len())?,
            versions: input.piece(texts.len())?,
            unclear: input.text(&ends)?,
            score_tenths: input.score()?,
            rating: input.rating()?,
        })
    })?;
    let packages = input.list(5, |input| {
        Ok(PackageEntry {
            scope: input.place(scopes.len())?,
            name: input.text(&ends)?,
            entries: input.piece(entries.len())?,
        })
    })?;
    let commits = input.list(3, |input| {
        let mark = match input.byte()? {
            0 => Mark::Introduced,
            1 => Mark::Fixed,
            2 => Mark::Last,
            3 => Mark::Limit,
            _ => return Err(APART),
        };
        Ok((mark, input.text(&ends)?))
    })?;
    let repositories = input.list(5, |input| {
        Ok(GitEntry {
            repository: input.text(&ends)?,
            record: input.place(records.len())?,
            commits: input.piece(commits.len())?,
        })
    })?;
    if !input.rest.is_empty() {
        return Err("something follows its end");
    }
    Ok(Index {
        text: whole,
        feeds,
        records,
        scopes,
        packages,
        entries,
        intervals,
        texts,
        repositories,
        commits,
    })
}

/// That what is searched stands in order, and that scopes count what there is.
fn check(index: &Index) -> Read<()> {
    let key = |entry: &PackageEntry| (entry.scope, index.str(entry.name));
    let sorted = index.packages.is_sorted_by(|a, b| key(a) < key(b));
    let by_name = |a: &GitEntry, b: &GitEntry| index.str(a.repository) <= index.str(b.repository);
    if !sorted || !index.repositories.is_sorted_by(by_name) {
        return Err("its lists are out of order");
    }
    let mut counts = vec![0_u32; index.scopes.len()];
    for package in &index.packages {
        let at = usize::try_from(package.scope).unwrap_or(usize::MAX);
        let count = counts.get_mut(at).ok_or(APART)?;
        *count = count.saturating_add(1);
    }
    let said = index.scopes.iter().map(|entry| entry.packages);
    if !said.eq(counts.iter().copied()) {
        return Err(APART);
    }
    let mut scopes: Vec<&Scope> = index.scopes.iter().map(|entry| &entry.scope).collect();
    scopes.sort_unstable();
    if !scopes.is_sorted_by(|a, b| a < b) {
        return Err("a scope stands twice");
    }
    Ok(())
}

/// Where pieces of the text may begin and end.
struct Ends<'a> {
    text: &'a str,
}

/// What is left to read.
struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn byte(&mut self) -> Read<u8> {
        let (first, rest) = self.rest.split_first().ok_or(SHORT)?;
        self.rest = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Read<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits.checked_shl(shift).and_then(|v| v.checked_shr(shift)) != Some(bits) {
                return Err("a number is too large");
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number is too long")
    }

    fn small(&mut self) -> Read<u32> {
        u32::try_from(self.number()?).map_err(|_| "a number is too large")
    }

    /// A place in a list of that length.
    fn place(&mut self, len: usize) -> Read<u32> {
        let place = self.small()?;
        let fits = usize::try_from(place).is_ok_and(|place| place < len);
        fits.then_some(place).ok_or(APART)
    }

    fn bytes(&mut self) -> Read<&'a [u8]> {
        let len = usize::try_from(self.number()?).map_err(|_| SHORT)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(SHORT)?;
        self.rest = rest;
        Ok(taken)
    }

    fn string(&mut self) -> Read<String> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(bytes).map_err(|_| "a text is no UTF-8")?;
        Ok(text.to_owned())
    }

    /// A list of items of at least `least` bytes each.
    fn list<T>(&mut self, least: usize, read: impl Fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let len = usize::try_from(self.number()?).map_err(|_| SHORT)?;
        // LIMIT: memory is given for what the bytes can hold, whatever the number says.
        if len > self.rest.len() / least.max(1) {
            return Err(SHORT);
        }
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            items.push(read(self)?);
        }
        Ok(items)
    }

    fn text(&mut self, ends: &Ends<'_>) -> Read<Text> {
        let (start, len) = (self.small()?, self.small()?);
        let from = usize::try_from(start).map_err(|_| APART)?;
        let to = from.saturating_add(usize::try_from(len).map_err(|_| APART)?);
        ends.text.get(from..to).ok_or(APART)?;
        Ok(Text { start, len })
    }

    fn piece(&mut self, of: usize) -> Read<Piece> {
        let (start, len) = (self.small()?, self.small()?);
        let end = u64::from(start).saturating_add(u64::from(len));
        let fits = usize::try_from(end).is_ok_and(|end| end <= of);
        fits.then_some(Piece { start, len }).ok_or(APART)
    }

    fn time(&mut self) -> Read<Timestamp> {
        let (bytes, rest) = self.rest.split_first_chunk::<8>().ok_or(SHORT)?;
        self.rest = rest;
        Ok(Timestamp::from_millis(i64::from_le_bytes(*bytes)))
    }

    fn score(&mut self) -> Read<Option<u8>> {
        match self.byte()? {
            NONE => Ok(None),
            score @ 0..=100 => Ok(Some(score)),
            _ => Err(APART),
        }
    }

    fn rating(&mut self) -> Read<Option<Rating>> {
        Ok(match self.byte()? {
            0 => None,
            1 => Some(Rating::Low),
            2 => Some(Rating::Medium),
            3 => Some(Rating::High),
            4 => Some(Rating::Critical),
            _ => return Err(APART),
        })
    }

    fn feed(&mut self) -> Read<FeedEntry> {
        let name = self.string()?;
        let scope: Scope = self
            .string()?
            .parse()
            .map_err(|_| "an ecosystem is not known here")?;
        let feed = Feed {
            name,
            ecosystem: scope.ecosystem,
            fetched: self.time()?,
        };
        let imported = Imported {
            advisories: self.number()?,
            withdrawn: self.number()?,
            refused: self.number()?,
            foreign: self.number()?,
            versions: self.number()?,
            versions_kept: self.number()?,
            unclear: self.number()?,
        };
        Ok(FeedEntry { feed, imported })
    }

    fn scope(&mut self) -> Read<ScopeEntry> {
        let scope = self
            .string()?
            .parse()
            .map_err(|_| "an ecosystem is not known here")?;
        Ok(ScopeEntry {
            scope,
            packages: self.small()?,
        })
    }

    fn record(&mut self, ends: &Ends<'_>, texts: usize) -> Read<Record> {
        Ok(Record {
            id: self.text(ends)?,
            summary: self.text(ends)?,
            informational: self.text(ends)?,
            aliases: self.piece(texts)?,
            modified: self.time()?,
            score_tenths: self.score()?,
            rating: self.rating()?,
        })
    }

    fn interval(&mut self, ends: &Ends<'_>) -> Read<IntervalEntry> {
        let kind = self.byte()?;
        let end = match kind & 3 {
            0 => EndKind::Open,
            1 => EndKind::Fixed,
            2 => EndKind::Last,
            _ => EndKind::Limit,
        };
        if kind > 7 {
            return Err(APART);
        }
        Ok(IntervalEntry {
            semver: kind & 4 != 0,
            from: self.text(ends)?,
            end,
            to: self.text(ends)?,
        })
    }
}
