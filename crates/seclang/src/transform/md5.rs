//! `t:md5`: the MD5 digest (RFC 1321). It guards nothing: rules compare with digests they name.
//!
//! - Arguments: none.
//! - Returns: 16 bytes; `t:hexEncode` makes text of them.
//! - Example: the empty value becomes `d41d8cd98f00b204e9800998ecf8427e`, as hexadecimal.

const SHIFTS: [[u32; 4]; 4] = [
    [7, 12, 17, 22],
    [5, 9, 14, 20],
    [4, 11, 16, 23],
    [6, 10, 15, 21],
];

pub(crate) fn apply(input: &[u8], out: &mut Vec<u8>) -> bool {
    let mut state: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let padded = padded(input, u64::to_le_bytes);
    let sines = sines();
    for block in padded.chunks_exact(64) {
        state = compress(state, block, &sines);
    }
    for word in state {
        out.extend_from_slice(&word.to_le_bytes());
    }
    true
}

/// RFC 1321 §3.1 and §3.2: a one bit, zeros, and the length in bits.
pub(super) fn padded(input: &[u8], length: fn(u64) -> [u8; 8]) -> Vec<u8> {
    let mut padded = input.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    let bits = u64::try_from(input.len())
        .unwrap_or_default()
        .wrapping_mul(8);
    padded.extend_from_slice(&length(bits));
    padded
}

/// RFC 1321 §3.4: the whole part of 2³² times the sine of one to sixty-four.
fn sines() -> [u32; 64] {
    let mut table = [0; 64];
    for (at, word) in (1_u32..).zip(table.iter_mut()) {
        let scaled = (f64::from(at).sin().abs() * 4_294_967_296.0).floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a sine's amount is below one"
        )]
        let whole = scaled as u32;
        *word = whole;
    }
    table
}

fn compress(state: [u32; 4], block: &[u8], sines: &[u32; 64]) -> [u32; 4] {
    let words: Vec<u32> = block
        .chunks_exact(4)
        .map(|four| four.try_into().map_or(0, u32::from_le_bytes))
        .collect();
    let [mut a, mut b, mut c, mut d] = state;
    for (step, sine) in sines.iter().enumerate() {
        let (mixed, at) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), 5 * step + 1),
            2 => (b ^ c ^ d, 3 * step + 5),
            _ => (c ^ (b | !d), 7 * step),
        };
        let word = words.get(at % 16).copied().unwrap_or_default();
        let shift = SHIFTS.get(step / 16).and_then(|row| row.get(step % 4));
        let sum = a.wrapping_add(mixed).wrapping_add(*sine).wrapping_add(word);
        a = d;
        d = c;
        c = b;
        b = b.wrapping_add(sum.rotate_left(shift.copied().unwrap_or_default()));
    }
    let [a0, b0, c0, d0] = state;
    [
        a0.wrapping_add(a),
        b0.wrapping_add(b),
        c0.wrapping_add(c),
        d0.wrapping_add(d),
    ]
}
