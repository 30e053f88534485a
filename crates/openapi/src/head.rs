//! A request's head as the caller has it: nothing is copied to be looked at.

use smallvec::SmallVec;

/// Header fields, by name.
pub trait Fields {
    /// Calls `each` with every value of the field, in the order they came. The name is in lower
    /// case.
    fn each(&self, name: &str, each: &mut dyn FnMut(&[u8]));
}

/// Pairs of name and value; names in any case. For tests and small heads.
impl Fields for &[(&str, &str)] {
    fn each(&self, name: &str, each: &mut dyn FnMut(&[u8])) {
        for (_, value) in self.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)) {
            each(value.as_bytes());
        }
    }
}

/// Where the path's parameters stand: byte ranges of the path that was looked up, in the order of
/// the template.
pub type Captures = SmallVec<[(u32, u32); 4]>;

/// What of a head is checked.
#[derive(Clone, Copy)]
pub struct HeadView<'a> {
    /// The path that was given to [`crate::Document::find`].
    pub path: &'a str,
    /// What it found in it.
    pub captures: &'a Captures,
    /// The query without its question mark, as it was sent.
    pub query: Option<&'a str>,
    /// The header fields, `cookie` among them.
    pub fields: &'a dyn Fields,
}

impl std::fmt::Debug for HeadView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Queries and fields carry what people would not want in a log.
        f.debug_struct("HeadView").finish_non_exhaustive()
    }
}
