//! `application/x-www-form-urlencoded`, in bodies and in queries (WHATWG URL §5.1).

use super::Pairs;
use crate::bytes::split_once;
use crate::transform::url_decode::decode;

/// What was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) pairs: Pairs,
    /// How many `%` began no escape.
    pub(crate) invalid: usize,
    /// Whether there were more pairs than may be.
    pub(crate) too_many: bool,
}

/// The pairs as they were sent, at most `most`.
pub(crate) fn raw(text: &[u8], separator: u8, most: usize) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = text.split(move |byte| *byte == separator);
    let pairs = pairs.filter(|pair| !pair.is_empty()).take(most);
    pairs.map(|pair| split_once(pair, b'=').unwrap_or((pair, &[])))
}

/// Reads at most `most` pairs between `separator`s. A pair without `=` is a name.
pub(crate) fn read(text: &[u8], separator: u8, most: usize) -> Form {
    // Decoding makes nothing longer.
    let mut form = Form {
        pairs: Pairs::with_room(text.len()),
        ..Form::default()
    };
    for pair in text.split(|byte| *byte == separator) {
        if pair.is_empty() {
            continue;
        }
        if form.pairs.len() >= most {
            form.too_many = true;
            break;
        }
        let (name, value) = split_once(pair, b'=').unwrap_or((pair, &[]));
        let (mut of_name, mut of_value) = (0, 0);
        form.pairs.write(
            |out| of_name = decode(name, out),
            |out| of_value = decode(value, out),
        );
        form.invalid += of_name + of_value;
    }
    form
}
