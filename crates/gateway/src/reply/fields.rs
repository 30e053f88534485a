//! The fields of an answer: a list, most of it places in the head that came. Each is looked at once
//! when it is read and copied once when it is sent on; its name keeps the case it came in.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::fixed;
use super::known::{Known, KnownSet};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReplyFields {
    /// A head as it came.
    head: Bytes,
    /// Which of its fields are left, in their order.
    came: Vec<Spot>,
    /// Fields of our own, or of an answer that had no such head.
    own: Vec<Own>,
    /// Those of [`fixed::FIXED`] that it has.
    fixed: KnownSet,
    known: KnownSet,
}

/// Where a field lies in a head, which is shorter than 64 KiB.
#[derive(Clone, Copy, Debug)]
struct Spot {
    name: u16,
    name_end: u16,
    value: u16,
    value_end: u16,
    known: Known,
    /// It is written as this side writes one: `name: value` and CR LF.
    is_plain: bool,
}

/// A field that came on no line.
#[derive(Clone, Debug)]
struct Own {
    name: HeaderName,
    value: HeaderValue,
    known: Known,
}

/// A field as it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Each<'a> {
    pub(crate) known: Known,
    /// In the case it came in.
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    /// Nothing on the way may keep it.
    pub(crate) is_secret: bool,
}

/// A field line that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Where in the head it begins, and how long it is without its CR LF.
    pub(crate) at: usize,
    pub(crate) length: usize,
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    /// Where in the line the value begins.
    pub(crate) value_at: usize,
    pub(crate) known: Known,
}

impl ReplyFields {
    /// No fields yet of `head`, which has at most `count`.
    pub(crate) fn of(head: Bytes, count: usize) -> Self {
        Self {
            head,
            came: Vec::with_capacity(count),
            own: Vec::new(),
            fixed: KnownSet::NONE,
            known: KnownSet::NONE,
        }
    }

    /// Takes the next field of the head in; `None` where it lies beyond 64 KiB. It is checked
    /// already: name and value are what RFC 9110 §5 lets them be.
    pub(crate) fn take(&mut self, line: &Line<'_>) -> Option<()> {
        let place = |offset: usize| u16::try_from(line.at.checked_add(offset)?).ok();
        let value_end = line.value_at.checked_add(line.value.len())?;
        let name_end = line.name.len();
        let gap = line.value_at == name_end.saturating_add(2) && value_end == line.length;
        let blank = self
            .head
            .get(line.at.checked_add(name_end)?.checked_add(1)?);
        self.came.push(Spot {
            name: place(0)?,
            name_end: place(name_end)?,
            value: place(line.value_at)?,
            value_end: place(value_end)?,
            known: line.known,
            is_plain: gap && blank == Some(&b' '),
        });
        self.known = self.known.with(line.known);
        Some(())
    }

    /// Gives it the headers that tell a browser what a page may do, each where it has none of that
    /// name; over TLS one more.
    pub(crate) fn fill(&mut self, is_secure: bool) {
        let wanted = if is_secure {
            fixed::SECURE
        } else {
            fixed::ALWAYS
        };
        let missing = wanted.but(self.known);
        self.fixed = self.fixed.and(missing);
        self.known = self.known.and(missing);
    }

    /// Whether there is a field of this kind.
    pub(crate) const fn has(&self, known: Known) -> bool {
        self.known.has(known)
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.each().count()
    }

    /// Each of them, in the order in which they are sent.
    pub(crate) fn each(&self) -> impl Iterator<Item = Each<'_>> {
        let came = self.came.iter().map(|spot| Each {
            known: spot.known,
            name: spot.name(&self.head),
            value: spot.value(&self.head),
            is_secret: spot.known == Known::SetCookie,
        });
        let own = self.own.iter().map(|own| Each {
            known: own.known,
            name: own.name.as_str().as_bytes(),
            value: own.value.as_bytes(),
            is_secret: own.known == Known::SetCookie || own.value.is_sensitive(),
        });
        let fixed = fixed::each(self.fixed).map(|fixed| Each {
            known: fixed.known,
            name: fixed.name.as_bytes(),
            value: fixed.value.as_bytes(),
            is_secret: false,
        });
        came.chain(own).chain(fixed)
    }

    /// Name and value of each.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.each().map(|each| (each.name, each.value))
    }

    /// Every value of a field.
    pub(crate) fn all(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        let name = name.as_str().as_bytes();
        self.iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The first value of a field.
    pub(crate) fn get(&self, name: &HeaderName) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// One more field.
    pub(crate) fn push(&mut self, name: HeaderName, value: HeaderValue) {
        let known = Known::of(name.as_str().as_bytes());
        self.known = self.known.with(known);
        self.own.push(Own { name, value, known });
    }

    /// The field alone, with this value.
    pub(crate) fn set(&mut self, name: HeaderName, value: HeaderValue) {
        self.remove(&name);
        self.push(name, value);
    }

    /// Takes a field off, every line of it.
    pub(crate) fn remove(&mut self, name: &HeaderName) {
        let bytes = name.as_str().as_bytes();
        self.remove_where(Known::of(bytes), |name, _| name.eq_ignore_ascii_case(bytes));
    }

    /// Takes every field of a kind off.
    pub(crate) fn remove_known(&mut self, known: Known) {
        self.remove_where(known, |_, _| true);
    }

    /// Takes those fields of a kind off that are `gone` by name and value.
    pub(crate) fn remove_where(&mut self, known: Known, gone: impl Fn(&[u8], &[u8]) -> bool) {
        if !self.known.has(known) {
            return;
        }
        let head = &self.head;
        let mut stays = false;
        let mut is_kept = |kind: Known, name: &[u8], value: &[u8]| {
            let is_kept = kind != known || !gone(name, value);
            stays |= kind == known && is_kept;
            is_kept
        };
        self.came
            .retain(|spot| is_kept(spot.known, spot.name(head), spot.value(head)));
        self.own.retain(|own| {
            let name = own.name.as_str().as_bytes();
            is_kept(own.known, name, own.value.as_bytes())
        });
        for fixed in fixed::each(self.fixed) {
            if !is_kept(fixed.known, fixed.name.as_bytes(), fixed.value.as_bytes()) {
                self.fixed = self.fixed.without(fixed.known);
            }
        }
        if !stays {
            self.known = self.known.without(known);
        }
    }

    /// As HTTP/1 writes them, each with its CR LF, without those of the kinds in `without`.
    ///
    /// SECURITY: nothing in a name or value is a line end: `wire` and `http` let none through.
    pub(crate) fn write(&self, out: &mut Vec<u8>, without: KnownSet) {
        // Lines that stand one behind the other are copied as one.
        let mut run = 0..0;
        for spot in &self.came {
            if without.has(spot.known) {
                continue;
            }
            if !spot.is_plain {
                out.extend_from_slice(self.head.get(run).unwrap_or_default());
                run = 0..0;
                line(out, spot.name(&self.head), spot.value(&self.head));
                continue;
            }
            let from = usize::from(spot.name);
            let to = usize::from(spot.value_end).saturating_add(2);
            if run.end == from {
                run.end = to;
            } else {
                out.extend_from_slice(self.head.get(run).unwrap_or_default());
                run = from..to;
            }
        }
        out.extend_from_slice(self.head.get(run).unwrap_or_default());
        for own in self.own.iter().filter(|own| !without.has(own.known)) {
            line(out, own.name.as_str().as_bytes(), own.value.as_bytes());
        }
        for fixed in fixed::each(self.fixed.but(without)) {
            out.extend_from_slice(fixed.line.as_bytes());
        }
    }

    /// As a map, which takes every name and value of a head that was read.
    #[cfg(test)]
    pub(crate) fn to_map(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(self.len());
        for spot in &self.came {
            let name = HeaderName::from_bytes(spot.name(&self.head));
            let place = usize::from(spot.value)..usize::from(spot.value_end);
            let value = self.head.slice(place);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_maybe_shared(value)) {
                map.append(name, value);
            }
        }
        for own in &self.own {
            map.append(own.name.clone(), own.value.clone());
        }
        for fixed in fixed::each(self.fixed) {
            map.append(fixed.name, HeaderValue::from_static(fixed.value));
        }
        map
    }
}

/// One line as this side writes it.
fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

impl Spot {
    fn name<'a>(&self, head: &'a Bytes) -> &'a [u8] {
        head.get(self.name.into()..self.name_end.into())
            .unwrap_or_default()
    }

    fn value<'a>(&self, head: &'a Bytes) -> &'a [u8] {
        head.get(self.value.into()..self.value_end.into())
            .unwrap_or_default()
    }
}

impl From<HeaderMap> for ReplyFields {
    fn from(map: HeaderMap) -> Self {
        let mut fields = Self::default();
        fields.own.reserve(map.len());
        // Of several values of one name only the first comes with it.
        let mut last = None;
        for (name, value) in map {
            if let Some(name) = name.or_else(|| last.clone()) {
                last = Some(name.clone());
                fields.push(name, value);
            }
        }
        fields
    }
}

#[cfg(test)]
mod tests;
