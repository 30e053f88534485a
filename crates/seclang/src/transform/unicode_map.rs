//! The best-fit table of a code page, which `t:urlDecodeUni` asks (`SecUnicodeMapFile`).

use crate::bytes::{split_once, trim};
use crate::place::Bad;

/// Bytes of a code page for characters it has no exact place for.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnicodeMap {
    /// Sorted by character.
    pairs: Vec<(u16, u8)>,
}

impl UnicodeMap {
    /// The byte for a character of the basic plane, if the code page has one.
    pub(crate) fn byte(&self, code: u16) -> Option<u8> {
        let at = self.pairs.binary_search_by_key(&code, |pair| pair.0).ok()?;
        self.pairs.get(at).map(|pair| pair.1)
    }

    /// Reads the table of `page` from a file of many: a line that begins with the page's number,
    /// then a line of `hhhh:hh` pairs.
    pub(crate) fn read(text: &[u8], page: &str) -> Result<Self, Bad> {
        let mut lines = text.split(|byte| *byte == b'\n').map(trim);
        let named = |line: &&[u8]| {
            let end = line
                .iter()
                .position(|b| !b.is_ascii_digit())
                .unwrap_or(line.len());
            line.get(..end) == Some(page.as_bytes())
        };
        if lines.by_ref().find(|line| named(line)).is_none() {
            return Err(Bad::new(format!("the file knows no code page `{page}`")));
        }
        let pairs = lines.next().unwrap_or_default();
        let mut map = Self::default();
        for pair in pairs
            .split(|byte| *byte == b' ')
            .filter(|pair| !pair.is_empty())
        {
            let parsed = split_once(pair, b':').and_then(|(code, byte)| {
                let code = u16::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?;
                let byte = u8::from_str_radix(std::str::from_utf8(byte).ok()?, 16).ok()?;
                Some((code, byte))
            });
            let wrong = || Bad::new(format!("`{}` is no pair", crate::bytes::shown(pair)));
            map.pairs.push(parsed.ok_or_else(wrong)?);
        }
        map.pairs.sort_unstable();
        Ok(map)
    }
}
