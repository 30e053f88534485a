//! `t:base64Decode`: what base64 text says, up to the first byte that is none.
//!
//! - Arguments: none.
//! - Returns: the decoded bytes. Decoding stops at the first byte outside the alphabet (RFC 4648
//!   §4), padding included; bits that make no whole byte are dropped.
//! - Example: `VGVzdA==` becomes `Test`.

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    let mut bits = Bits::default();
    for sextet in input.iter().map_while(|byte| sextet(*byte)) {
        bits.push(sextet, out);
    }
    true
}

/// Six bits at a time in, bytes out.
#[derive(Default)]
pub(super) struct Bits {
    held: u16,
    count: u8,
}

impl Bits {
    pub(super) fn push(&mut self, sextet: u8, out: &mut Vec<u8>) {
        self.held = (self.held << 6 | u16::from(sextet)) & 0x3fff;
        self.count += 6;
        if self.count >= 8 {
            self.count -= 8;
            out.push((self.held >> self.count).to_le_bytes()[0]);
        }
    }
}

pub(super) fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
