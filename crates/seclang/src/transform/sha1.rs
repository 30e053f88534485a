//! `t:sha1`: the SHA-1 digest (RFC 3174). It guards nothing: rules compare with digests they name.
//!
//! - Arguments: none.
//! - Returns: 20 bytes; `t:hexEncode` makes text of them.
//! - Example: the empty value becomes `da39a3ee5e6b4b0d3255bfef95601890afd80709`, as hexadecimal.

use super::md5::padded;

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    let mut state = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    for block in padded(input, u64::to_be_bytes).chunks_exact(64) {
        state = compress(state, block);
    }
    for word in state {
        out.extend_from_slice(&word.to_be_bytes());
    }
    true
}

fn compress(state: [u32; 5], block: &[u8]) -> [u32; 5] {
    let mut words: Vec<u32> = block
        .chunks_exact(4)
        .map(|four| four.try_into().map_or(0, u32::from_be_bytes))
        .collect();
    for at in 16..80 {
        let back = |n: usize| words.get(at - n).copied().unwrap_or_default();
        words.push((back(3) ^ back(8) ^ back(14) ^ back(16)).rotate_left(1));
    }
    let [mut a, mut b, mut c, mut d, mut e] = state;
    for (step, word) in words.iter().enumerate() {
        let (mixed, constant) = match step / 20 {
            0 => ((b & c) | (!b & d), 0x5a82_7999_u32),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6),
        };
        let sum = a
            .rotate_left(5)
            .wrapping_add(mixed)
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(*word);
        e = d;
        d = c;
        c = b.rotate_left(30);
        b = a;
        a = sum;
    }
    let [a0, b0, c0, d0, e0] = state;
    [
        a0.wrapping_add(a),
        b0.wrapping_add(b),
        c0.wrapping_add(c),
        d0.wrapping_add(d),
        e0.wrapping_add(e),
    ]
}
