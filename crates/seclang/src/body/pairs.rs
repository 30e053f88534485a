//! Names and values in the order of the body, all in one place: bodies have many, and most are short.

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs {
    /// Each name, and its value after it.
    bytes: Vec<u8>,
    /// For each pair where its name and its value end.
    ends: Vec<(usize, usize)>,
}

impl Pairs {
    /// With room for so many bytes of names and values.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ends: Vec::new(),
        }
    }

    /// Adds a pair.
    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) {
        self.write(
            |out| out.extend_from_slice(name),
            |out| out.extend_from_slice(value),
        );
    }

    /// Adds a pair that is written in place: each of the two only adds to what is there.
    pub(super) fn write(
        &mut self,
        name: impl FnOnce(&mut Vec<u8>),
        value: impl FnOnce(&mut Vec<u8>),
    ) {
        name(&mut self.bytes);
        let of_name = self.bytes.len();
        value(&mut self.bytes);
        self.ends.push((of_name, self.bytes.len()));
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Each name with its value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        begins.zip(&self.ends).map(|(begin, (of_name, end))| {
            let name = self.bytes.get(begin..*of_name);
            let value = self.bytes.get(*of_name..*end);
            (name.unwrap_or_default(), value.unwrap_or_default())
        })
    }
}
