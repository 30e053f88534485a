//! Other files that a file names, through whoever asked: this crate opens none.

use std::fmt;

use crate::Error;
use crate::notes::Place;

/// LIMIT: bytes of one file.
pub(crate) const FILE_BYTES_MAX: usize = 1 << 20;
/// LIMIT: files that are read in all.
const FILES_MAX: usize = 256;
/// LIMIT: bytes of all files together.
const ALL_BYTES_MAX: usize = 8 << 20;
/// LIMIT: a file that names a file that names a file.
const DEPTH_MAX: usize = 8;

/// Why a file could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread(pub String);

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads the files that a file names.
pub trait Files {
    /// The files that `pattern` names, in the order of their names, each with its path as it is to
    /// be shown and its bytes. `pattern` is a path, absolute or relative to the folder of the
    /// first file, whose parts may hold `*`, `?` and `[…]`; one that matches nothing gives nothing.
    ///
    /// # Errors
    /// Why a file without such characters could not be read, or is not to be read.
    fn open(&self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, Unread>;
}

/// Counts what is read, over one adoption.
pub(crate) struct Opened<'f> {
    files: &'f dyn Files,
    count: usize,
    bytes: usize,
}

impl fmt::Debug for Opened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

impl<'f> Opened<'f> {
    pub(crate) fn new(files: &'f dyn Files) -> Self {
        Self {
            files,
            count: 0,
            bytes: 0,
        }
    }

    /// The texts that `pattern` names; `depth` files named each other before.
    pub(crate) fn open(
        &mut self,
        pattern: &str,
        depth: usize,
    ) -> Result<Result<Vec<(String, String)>, Unread>, Error> {
        let limit = |what: &str, max| {
            Err(Error::Limit {
                what: what.to_owned(),
                max,
            })
        };
        if depth >= DEPTH_MAX {
            return limit("files that include each other", DEPTH_MAX);
        }
        let found = match self.files.open(pattern) {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let mut texts = Vec::new();
        for (name, bytes) in found {
            self.count = self.count.saturating_add(1);
            self.bytes = self.bytes.saturating_add(bytes.len());
            if self.count > FILES_MAX {
                return limit("files", FILES_MAX);
            }
            if self.bytes > ALL_BYTES_MAX {
                return limit("bytes of all files", ALL_BYTES_MAX);
            }
            let text = text(&name, &bytes)?.to_owned();
            texts.push((name, text));
        }
        Ok(Ok(texts))
    }
}

/// Bytes as text.
pub(crate) fn text<'b>(name: &str, bytes: &'b [u8]) -> Result<&'b str, Error> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Error::Limit {
            what: format!("bytes of `{name}`"),
            max: FILE_BYTES_MAX,
        });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            let place = Place::new(name, line);
            Err(Error::syntax(
                &place,
                "this is no UTF-8",
                "save it as UTF-8",
            ))
        }
    }
}

/// `path` as seen from `folder`, without asking what exists: absolute ones stay.
pub(crate) fn within(folder: &str, path: &str) -> String {
    let folder = folder.trim_end_matches('/');
    let path = path.strip_prefix("./").unwrap_or(path);
    if path.starts_with('/') || folder.is_empty() {
        path.to_owned()
    } else {
        format!("{folder}/{path}")
    }
}

/// The folder of a file, empty where it has none.
pub(crate) fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// LIMIT: steps of one comparison with a pattern.
const STEPS_MAX: usize = 100_000;

/// Whether `name`, one part of a path, is what `pattern` stands for: `*`, `?` and `[a-z]`, as a
/// shell has them. A name that begins with a dot is only matched by a dot.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let mut steps = 0;
    let (mut p, mut n) = (0_usize, 0_usize);
    // Where to go on when what follows the last `*` does not match.
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        steps += 1;
        if steps > STEPS_MAX {
            return false;
        }
        let one = pattern.get(p).copied();
        if one == Some('*') {
            p += 1;
            back = Some((p, n));
        } else if let Some(next) = single(&pattern, p, name.get(n).copied().unwrap_or_default()) {
            p = next;
            n += 1;
        } else if let Some((star, from)) = back {
            p = star;
            n = from + 1;
            back = Some((star, n));
        } else {
            return false;
        }
    }
    pattern
        .get(p..)
        .unwrap_or_default()
        .iter()
        .all(|c| *c == '*')
}

/// The place after what matches `c` at `p`.
fn single(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match pattern.get(p)? {
        '?' => Some(p + 1),
        '[' => {
            let end = pattern.iter().skip(p + 2).position(|c| *c == ']')? + p + 2;
            let set = pattern.get(p + 1..end)?;
            let (negated, set) = match set.split_first() {
                Some(('!' | '^', rest)) => (true, rest),
                _ => (false, set),
            };
            let mut found = false;
            let mut at = 0;
            while let Some(low) = set.get(at) {
                match (set.get(at + 1), set.get(at + 2)) {
                    (Some('-'), Some(high)) => {
                        found |= (*low..=*high).contains(&c);
                        at += 3;
                    }
                    _ => {
                        found |= *low == c;
                        at += 1;
                    }
                }
            }
            (found != negated).then_some(end + 1)
        }
        one => (*one == c).then_some(p + 1),
    }
}
