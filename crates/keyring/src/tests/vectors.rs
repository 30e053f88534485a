//! Published vectors: C2SP XAES-256-GCM, and Wycheproof for the AES-256-GCM inside it.

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, Nonce, UnboundKey};
use serde_json::Value;

use crate::xaes;

/// Where Wycheproof's data lies: `RAMPART_WYCHEPROOF_DIR`, else beside a checkout.
fn wycheproof() -> std::path::PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "how a test run is told where the data is"
    )]
    let told = std::env::var("RAMPART_WYCHEPROOF_DIR").ok();
    let beside = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/wycheproof"
    );
    std::path::PathBuf::from(told.as_deref().unwrap_or(beside)).join("aes_gcm_test.json")
}

pub(super) fn hex(text: &str) -> Vec<u8> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "{text}");
    pairs
        .iter()
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn xaes_256_gcm_matches_the_published_vectors() {
    let nonce = *b"ABCDEFGHIJKLMNOPQRSTUVWX";
    let vectors: [(u8, &[u8], &str); 2] = [
        (
            1,
            b"",
            "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271",
        ),
        (
            3,
            b"c2sp.org/XAES-256-GCM",
            "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
        ),
    ];
    for (key, associated, expected) in vectors {
        let sealed = xaes::seal(&[key; 32], &nonce, associated, b"XAES-256-GCM").unwrap();
        assert_eq!(sealed, hex(expected), "key {key}");
        let opened = xaes::open(&[key; 32], &nonce, associated, &sealed).unwrap();
        assert_eq!(opened.as_slice(), b"XAES-256-GCM");
    }
}

/// The accumulated vector of the specification: 10,000 seals whose inputs come from one SHAKE128
/// and whose outputs go into another.
#[test]
fn xaes_256_gcm_matches_the_accumulated_vector() {
    let mut source = Shake128::new();
    source.finish();
    let mut sum = Shake128::new();
    for _ in 0..10_000 {
        let key: [u8; 32] = source.read(32).try_into().unwrap();
        let nonce: [u8; 24] = source.read(24).try_into().unwrap();
        let length = usize::from(source.read(1)[0]);
        let plaintext = source.read(length);
        let length = usize::from(source.read(1)[0]);
        let associated = source.read(length);
        let sealed = xaes::seal(&key, &nonce, &associated, &plaintext).unwrap();
        let opened = xaes::open(&key, &nonce, &associated, &sealed).unwrap();
        assert_eq!(opened.as_slice(), plaintext);
        sum.write(&sealed);
    }
    sum.finish();
    assert_eq!(
        sum.read(32),
        hex("e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939")
    );
}

#[test]
fn the_inner_cipher_agrees_with_wycheproof() {
    let path = wycheproof();
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: there is no `{}`", path.display());
        return;
    };
    let data: Value = serde_json::from_str(&text).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in data["testGroups"].as_array().unwrap() {
        // XAES uses exactly these sizes.
        if group["keySize"] != 256 || group["ivSize"] != 96 || group["tagSize"] != 128 {
            continue;
        }
        for test in group["tests"].as_array().unwrap() {
            let field = |name: &str| hex(test[name].as_str().unwrap());
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &field("key")).unwrap());
            let nonce = || Nonce::try_assume_unique_for_key(&field("iv")).unwrap();
            let sealed = [field("ct"), field("tag")].concat();
            let opened = xaes::gcm_open(&key, nonce(), &field("aad"), &sealed);
            let case = &test["tcId"];
            if test["result"] == "valid" {
                assert_eq!(opened.unwrap().as_slice(), field("msg"), "case {case}");
                let again = xaes::gcm_seal(&key, nonce(), &field("aad"), &field("msg"));
                assert_eq!(again.unwrap(), sealed, "case {case}");
                valid += 1;
            } else {
                assert!(opened.is_none(), "case {case}");
                invalid += 1;
            }
        }
    }
    assert!(
        valid >= 30 && invalid >= 20,
        "{valid} and {invalid} cases were run"
    );
}

/// SHAKE128 (FIPS 202), for the accumulated vector only.
struct Shake128 {
    state: [u64; 25],
    at: usize,
}

impl Shake128 {
    const RATE: usize = 168;

    fn new() -> Self {
        Self {
            state: [0; 25],
            at: 0,
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.mix(self.at, *byte);
            self.at += 1;
            if self.at == Self::RATE {
                keccak(&mut self.state);
                self.at = 0;
            }
        }
    }

    /// Ends the input; from here on it is read.
    fn finish(&mut self) {
        self.mix(self.at, 0x1F);
        self.mix(Self::RATE - 1, 0x80);
        keccak(&mut self.state);
        self.at = 0;
    }

    fn read(&mut self, length: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(length);
        for _ in 0..length {
            if self.at == Self::RATE {
                keccak(&mut self.state);
                self.at = 0;
            }
            out.push(self.state[self.at / 8].to_le_bytes()[self.at % 8]);
            self.at += 1;
        }
        out
    }

    fn mix(&mut self, at: usize, byte: u8) {
        self.state[at / 8] ^= u64::from(byte) << (8 * (at % 8));
    }
}

/// Keccak-f[1600]; the round constants and rotations come from their definitions (FIPS 202 §3.2).
fn keccak(state: &mut [u64; 25]) {
    let mut register = 1u8;
    for _ in 0..24 {
        let column = |state: &[u64; 25], x: usize| (0..5).fold(0, |sum, y| sum ^ state[x + 5 * y]);
        let columns: [u64; 5] = std::array::from_fn(|x| column(state, x));
        for x in 0..5 {
            let theta = columns[(x + 4) % 5] ^ columns[(x + 1) % 5].rotate_left(1);
            for y in 0..5 {
                state[x + 5 * y] ^= theta;
            }
        }
        let (mut x, mut y) = (1, 0);
        let mut moved = state[1];
        for step in 0..24u32 {
            (x, y) = (y, (2 * x + 3 * y) % 5);
            let rotation = (step + 1) * (step + 2) / 2 % 64;
            moved = std::mem::replace(&mut state[x + 5 * y], moved.rotate_left(rotation));
        }
        for row in state.chunks_exact_mut(5) {
            let old: [u64; 5] = std::array::from_fn(|x| row[x]);
            for (x, lane) in row.iter_mut().enumerate() {
                *lane = old[x] ^ (!old[(x + 1) % 5] & old[(x + 2) % 5]);
            }
        }
        for power in 0..7 {
            if register & 1 == 1 {
                state[0] ^= 1 << ((1u32 << power) - 1);
            }
            let carry = register >> 7;
            register = (register << 1) ^ (carry * 0x71);
        }
    }
}

#[test]
fn shake128_is_shake128() {
    let mut empty = Shake128::new();
    empty.finish();
    assert_eq!(empty.read(16), hex("7f9c2ba4e88f827d616045507605853e"));
}
