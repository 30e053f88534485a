//! Texts of requests: percent-encoding undone once, queries and cookies taken apart.

use std::borrow::Cow;

use smallvec::SmallVec;

/// What a plus sign is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plus {
    /// Itself, as in a path (RFC 3986).
    Plus,
    /// A space, as forms write it.
    Space,
}

/// Undoes percent-encoding; `None` where an escape is none, or the bytes are no UTF-8.
pub(crate) fn decode(text: &str, plus: Plus) -> Option<Cow<'_, str>> {
    let bytes = text.as_bytes();
    let found = match plus {
        Plus::Plus => memchr::memchr(b'%', bytes),
        Plus::Space => memchr::memchr2(b'%', b'+', bytes),
    };
    let Some(first) = found else {
        return Some(Cow::Borrowed(text));
    };
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(bytes.get(..first)?);
    let mut rest = bytes.get(first..)?.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let high = char::from(*rest.next()?).to_digit(16)?;
                let low = char::from(*rest.next()?).to_digit(16)?;
                out.push(u8::try_from(high * 16 + low).ok()?);
            }
            b'+' if plus == Plus::Space => out.push(b' '),
            byte => out.push(*byte),
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// One `name=value`.
#[derive(Debug)]
pub(crate) struct Pair<'a> {
    /// Decoded.
    pub(crate) name: Cow<'a, str>,
    /// As it was sent.
    pub(crate) raw: &'a str,
    /// Whether something declares it.
    pub(crate) used: bool,
}

/// Pairs of a query or a form.
pub(crate) type Pairs<'a> = SmallVec<[Pair<'a>; 8]>;

/// Why pairs are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadPairs {
    Encoding,
    Many,
}

// LIMIT: pairs of one query or form: each is compared with what is declared.
const PAIRS: usize = 1_000;

/// Takes a query or an urlencoded form apart.
pub(crate) fn pairs(text: &str) -> Result<Pairs<'_>, BadPairs> {
    let mut out = Pairs::new();
    for part in text.split('&').filter(|part| !part.is_empty()) {
        if out.len() >= PAIRS {
            return Err(BadPairs::Many);
        }
        let (name, raw) = part.split_once('=').unwrap_or((part, ""));
        out.push(Pair {
            name: decode(name, Plus::Space).ok_or(BadPairs::Encoding)?,
            raw,
            used: false,
        });
    }
    Ok(out)
}

/// Takes a `Cookie` field apart (RFC 6265 §4.2.1).
pub(crate) fn cookies(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let parts = text.split(';').map(|part| part.trim_matches([' ', '\t']));
    parts
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| {
            let bare = value
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            (name, bare.unwrap_or(value))
        })
}
