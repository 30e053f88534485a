//! Integers of HPACK (RFC 7541 §5.1).

use super::Broken;

/// LIMIT: bytes behind the prefix. Four are enough for 2^28, more than any length or size here.
const MORE_MAX: u32 = 4;

/// Reads an integer whose prefix is the last `bits` bits of `first`; the rest is taken off `rest`.
pub(super) fn read(first: u8, bits: u32, rest: &mut &[u8]) -> Result<usize, Broken> {
    let most = most(bits);
    let prefix = usize::from(first) & most;
    if prefix < most {
        return Ok(prefix);
    }
    let mut value = prefix;
    for at in 0..MORE_MAX {
        let (byte, behind) = rest.split_first().ok_or(Broken)?;
        *rest = behind;
        // At most 2^28 and a prefix: nothing that could overflow.
        let part = usize::from(byte & 0x7F) << at.wrapping_mul(7);
        value = value.wrapping_add(part);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Broken)
}

/// Writes an integer into the last `bits` bits of a byte that begins with `first`.
pub(super) fn write(out: &mut Vec<u8>, first: u8, bits: u32, value: usize) {
    let most = most(bits);
    let Some(mut rest) = value.checked_sub(most) else {
        out.push(first | value.to_le_bytes()[0]);
        return;
    };
    out.push(first | most.to_le_bytes()[0]);
    while rest >= 0x80 {
        out.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    out.push(rest.to_le_bytes()[0]);
}

const fn most(bits: u32) -> usize {
    (1 << bits) - 1
}
