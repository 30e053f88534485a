//! `@validateByteRange ranges`: whether the value has bytes outside the ranges.
//!
//! - Arguments: numbers from 0 to 255 and ranges of them, between commas.
//! - Returns: true when one byte is in no range.
//! - Example: `SecRule ARGS "@validateByteRange 10,13,32-126" "id:1,deny"`.

use crate::bytes::trim;
use crate::place::Bad;

/// A bit for each byte that may occur.
#[derive(Clone, Debug)]
pub(crate) struct Ranges {
    allowed: [bool; 256],
}

impl Ranges {
    pub(crate) fn parse(argument: &[u8]) -> Result<Self, Bad> {
        let mut allowed = [false; 256];
        for item in argument.split(|byte| *byte == b',').map(trim) {
            let wrong = || {
                Bad::new(format!(
                    "`{}` is no range of bytes",
                    crate::bytes::shown(item)
                ))
                .hint("write numbers from 0 to 255: `9,10,32-126`")
            };
            let text = std::str::from_utf8(item).map_err(|_| wrong())?;
            let (from, to) = text.split_once('-').unwrap_or((text, text));
            let from: u8 = from.trim().parse().map_err(|_| wrong())?;
            let to: u8 = to.trim().parse().map_err(|_| wrong())?;
            let range = allowed.get_mut(usize::from(from)..=usize::from(to));
            range.ok_or_else(wrong)?.fill(true);
        }
        Ok(Self { allowed })
    }

    /// Whether the byte is in a range.
    pub(crate) fn allows(&self, byte: u8) -> bool {
        self.allowed
            .get(usize::from(byte))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn matches(&self, value: &[u8]) -> bool {
        !value.iter().all(|byte| self.allows(*byte))
    }
}
