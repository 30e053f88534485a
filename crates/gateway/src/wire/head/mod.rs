//! The head of an HTTP/1 request, checked line by line before anything is made of it.
//!
//! Two readers that frame a message differently are how requests are smuggled, so everything two
//! readers could read differently is refused here (RFC 9112 §11.2). Nothing is corrected.

mod fields;
mod line;

use std::ops::Range;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri, Version};
use memchr::memchr;
use smallvec::SmallVec;

pub(crate) use fields::{Field, FieldKind, content_length, field, is_host};

use super::framing::Framing;
use super::refusal::Refusal;
use fields::Facts;
use line::RequestLine;
pub(crate) use line::check_path;

/// How large a head may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    /// Bytes, the last CR LF included.
    pub(crate) bytes_max: usize,
    /// Fields.
    pub(crate) fields_max: usize,
}

/// A head on its way in. Fed the same bytes from the head's start, with more behind them, until
/// it is whole.
#[derive(Debug)]
pub(crate) struct Head {
    limits: HeadLimits,
    line: Option<RequestLine>,
    facts: Facts,
    spots: SmallVec<[Spot; 16]>,
    /// Where the line that is not whole yet begins.
    line_start: usize,
    /// Up to where the next LF was looked for.
    searched: usize,
}

/// Whether a method, a target in origin form and a host are what a request could have had.
pub(crate) fn is_request(method: &[u8], target: &[u8], host: &[u8]) -> bool {
    let line = [method, b" ", target, b" HTTP/1.1"].concat();
    target.first() == Some(&b'/')
        && RequestLine::parse(&line).is_ok()
        && !host.is_empty()
        && is_host(host)
}

/// Where a field lies in the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    name: Range<usize>,
    value: Range<usize>,
}

/// A head that broke no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Its bytes.
    pub(crate) length: usize,
    /// How its body ends.
    pub(crate) framing: Framing,
}

impl Head {
    pub(crate) fn new(limits: HeadLimits) -> Self {
        Self {
            limits,
            line: None,
            facts: Facts::default(),
            spots: SmallVec::new(),
            line_start: 0,
            searched: 0,
        }
    }

    /// Ready for the next head.
    pub(crate) fn clear(&mut self) {
        self.line = None;
        self.facts = Facts::default();
        self.spots.clear();
        self.line_start = 0;
        self.searched = 0;
    }

    /// Looks at what is here; `None` while the head is not whole. The verdict does not depend on
    /// how the bytes were split: it is always that of the first line that breaks a rule.
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> Result<Option<Accepted>, Refusal> {
        loop {
            let rest = bytes.get(self.searched..).unwrap_or_default();
            let Some(offset) = memchr(b'\n', rest) else {
                self.searched = bytes.len();
                return if bytes.len() >= self.limits.bytes_max {
                    Err(self.too_long())
                } else {
                    Ok(None)
                };
            };
            let end = self.searched.saturating_add(offset).saturating_add(1);
            if end > self.limits.bytes_max {
                return Err(self.too_long());
            }
            let line = bytes
                .get(self.line_start..end.saturating_sub(1))
                .unwrap_or_default();
            let Some((b'\r', line)) = line.split_last() else {
                return Err(Refusal::BareLineFeed);
            };
            let start = std::mem::replace(&mut self.line_start, end);
            self.searched = end;
            let whole = self.line(bytes, line, start)?;
            if let Some(framing) = whole {
                return Ok(Some(Accepted {
                    length: end,
                    framing,
                }));
            }
        }
    }

    /// One line of `head` without its CR LF, which begins at `start`. The framing, when it was the
    /// empty line at the end.
    fn line(&mut self, head: &[u8], line: &[u8], start: usize) -> Result<Option<Framing>, Refusal> {
        let Some(request) = &self.line else {
            if line.is_empty() {
                return Err(Refusal::LeadingLine);
            }
            self.line = Some(RequestLine::parse(line)?);
            return Ok(None);
        };
        if line.is_empty() {
            return self.facts.conclude(request, head).map(Some);
        }
        let spot = self.facts.field((line, start), self.limits.fields_max)?;
        self.spots.push(spot);
        Ok(None)
    }

    /// The request, made of the bytes of the whole head, of which it keeps parts. Its target is in
    /// origin form, or `*`.
    pub(crate) fn request(&self, bytes: &Bytes) -> Result<Request<()>, Refusal> {
        let line = self.line.as_ref().ok_or(Refusal::RequestLine)?;
        let method = bytes.get(..line.method).unwrap_or_default();
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(method).map_err(|_| Refusal::Method)?;
        *request.uri_mut() = match bytes.get(line.path.clone()).unwrap_or_default() {
            b"" => Uri::from_static("/"),
            b"*" => Uri::from_static("*"),
            _ => Uri::from_maybe_shared(bytes.slice(line.path.clone()))
                .map_err(|_| Refusal::Target)?,
        };
        if line.is_http10 {
            *request.version_mut() = Version::HTTP_10;
        }
        *request.headers_mut() = fields(bytes, &self.spots)?;
        Ok(request)
    }

    fn too_long(&self) -> Refusal {
        match self.line {
            None => Refusal::LineTooLong,
            Some(_) => Refusal::HeadTooLarge,
        }
    }
}

/// The fields that lie at `spots`, as a map that keeps parts of `bytes`.
fn fields(bytes: &Bytes, spots: &[Spot]) -> Result<HeaderMap, Refusal> {
    let mut map = HeaderMap::with_capacity(spots.len());
    for spot in spots {
        let name = bytes.get(spot.name.clone()).unwrap_or_default();
        let name = HeaderName::from_bytes(name).map_err(|_| Refusal::FieldName)?;
        let value = bytes.slice(spot.value.clone());
        let value = HeaderValue::from_maybe_shared(value).map_err(|_| Refusal::Control)?;
        map.try_append(name, value)
            .map_err(|_| Refusal::TooManyFields)?;
    }
    Ok(map)
}

/// Whether `byte` may stand in a token (RFC 9110 §5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    is(byte, TOKEN)
}

/// Whether `byte` may stand in a field's value (RFC 9110 §5.5).
fn is_value(byte: u8) -> bool {
    is(byte, VALUE)
}

/// Whether every byte of `value` may stand in a field's value, eight at a time.
pub(crate) fn is_all_value(value: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // Whether one of eight bytes is below 0x20 or is 0x7F; a tab, which may stand, is below it too.
    let is_odd = |eight: &[u8; 8]| {
        let eight = u64::from_ne_bytes(*eight);
        let below = eight.wrapping_sub(ONES.wrapping_mul(0x20)) & !eight;
        let delete = eight ^ ONES.wrapping_mul(0x7F);
        let delete = delete.wrapping_sub(ONES) & !delete;
        (below | delete) & HIGH != 0
    };
    let (eights, rest) = value.as_chunks::<8>();
    let rest_is_odd = match value.last_chunk::<8>() {
        Some(last) => !rest.is_empty() && is_odd(last),
        None => true,
    };
    if !rest_is_odd && !eights.iter().any(is_odd) {
        return true;
    }
    value.iter().all(|byte| is_value(*byte))
}

/// Every byte of every head is asked about: one look into a table.
fn is(byte: u8, class: u8) -> bool {
    CLASSES
        .get(usize::from(byte))
        .is_some_and(|classes| classes & class != 0)
}

const TOKEN: u8 = 1;
const VALUE: u8 = 2;
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut all = [0; 256];
    let mut byte = 0_u8;
    loop {
        let is_token = matches!(byte,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'
            | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_'
            | b'`' | b'|' | b'~');
        let is_value = (byte >= 0x20 && byte != 0x7F) || byte == b'\t';
        #[expect(
            clippy::indexing_slicing,
            reason = "a byte is below 256; and this runs in rustc"
        )]
        {
            all[byte as usize] = (is_token as u8 * TOKEN) | (is_value as u8 * VALUE);
        }
        if byte == u8::MAX {
            return all;
        }
        byte += 1;
    }
}

#[cfg(test)]
mod tests;
