//! Named fields of `application/x-www-form-urlencoded` bodies (WHATWG URL §5).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use super::{Cleaner, Splices, Unclean};

/// LIMIT: fields of a form.
const FIELDS_MAX: usize = 1000;

/// What the standard's own serialiser leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b' ');

pub(super) fn clean(cleaner: &Cleaner, body: &[u8]) -> Result<Splices, Unclean> {
    let mut splices = Splices::default();
    let mut start = 0;
    for (count, pair) in body.split(|byte| *byte == b'&').enumerate() {
        if count == FIELDS_MAX {
            return Err(Unclean::TooLong);
        }
        let end = start + pair.len();
        let name_end = pair.iter().position(|byte| *byte == b'=');
        if let Some((name, rest)) = name_end.and_then(|at| pair.split_at_checked(at))
            && let Some(keep) = cleaner.form_rule(&decoded(name)?)
        {
            let value = decoded(rest.get(1..).unwrap_or_default())?;
            if let Some(cleaned) = cleaner.value(keep, &value, &mut splices)? {
                splices.push(start + name.len() + 1..end, encoded(&cleaned));
            }
        }
        start = end + 1;
    }
    Ok(splices)
}

fn decoded(bytes: &[u8]) -> Result<String, Unclean> {
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    let decoded: Vec<u8> = percent_decode(&spaced).collect();
    String::from_utf8(decoded).map_err(|_| Unclean::Malformed)
}

fn encoded(text: &str) -> Vec<u8> {
    let encoded = utf8_percent_encode(text, ENCODED).to_string();
    encoded.replace(' ', "+").into_bytes()
}
