//! Names that a schema knows, found by comparing: no hash that a client could collide.

/// A sorted list of names.
#[derive(Debug, Default)]
pub(crate) struct Names(Box<[(Box<str>, u32)]>);

impl Names {
    /// Of names and what each stands for.
    pub(crate) fn new(mut list: Vec<(Box<str>, u32)>) -> Self {
        list.sort_by(|(a, _), (b, _)| order(a, b));
        Self(list.into())
    }

    /// What a name stands for.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        let at = self
            .0
            .binary_search_by(|(known, _)| order(known, name))
            .ok()?;
        self.0.get(at).map(|(_, value)| *value)
    }
}

/// By length first: most names that differ do so there.
fn order(a: &str, b: &str) -> std::cmp::Ordering {
    a.len()
        .cmp(&b.len())
        .then_with(|| a.as_bytes().cmp(b.as_bytes()))
}
