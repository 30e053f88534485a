//! What a seal promises.

mod vectors;

use model::Secret;
use proptest::prelude::*;
use testkit::SeededEntropy;

use crate::format::HEADER_BYTES;
use crate::*;

const HERE: Place<'static> = Place {
    table: "credential",
    column: "secret",
    row: "crd_1",
};

fn keyring(seed: u64) -> Keyring {
    Keyring::new(RootKey::generate(&SeededEntropy::new(seed)))
}

#[test]
fn sealed_value_opens_in_its_place_only() {
    let ring = keyring(1);
    let sealed = ring.seal(&SeededEntropy::new(2), HERE, b"seed").unwrap();
    assert_eq!(ring.open(HERE, &sealed).unwrap().expose(), b"seed");
    for elsewhere in [
        Place {
            table: "other",
            ..HERE
        },
        Place {
            column: "other",
            ..HERE
        },
        Place {
            row: "crd_2",
            ..HERE
        },
        Place {
            table: "credentialsecret",
            column: "",
            row: "crd_1",
        },
    ] {
        assert_eq!(ring.open(elsewhere, &sealed).unwrap_err(), Error::Open);
    }
}

#[test]
fn every_flipped_bit_and_every_cut_fails_alike() {
    let ring = keyring(1);
    let sealed = ring
        .seal(&SeededEntropy::new(2), HERE, b"the plaintext")
        .unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            ring.open(HERE, &changed).unwrap_err(),
            Error::Open,
            "bit {bit}"
        );
    }
    for length in 0..sealed.len() {
        assert_eq!(
            ring.open(HERE, &sealed[..length]).unwrap_err(),
            Error::Open,
            "{length} bytes"
        );
    }
    let longer = [sealed.as_slice(), b"x"].concat();
    assert_eq!(ring.open(HERE, &longer).unwrap_err(), Error::Open);
}

#[test]
fn value_of_an_old_term_still_opens_and_new_ones_use_the_new_term() {
    let root = RootKey::generate(&SeededEntropy::new(1));
    let old = Keyring::new(root.clone())
        .seal(&SeededEntropy::new(2), HERE, b"v")
        .unwrap();
    let newer = Keyring::with_terms(root.clone(), 3);
    assert_eq!(newer.open(HERE, &old).unwrap().expose(), b"v");
    let new = newer.seal(&SeededEntropy::new(3), HERE, b"v").unwrap();
    assert_eq!(new[2..6], 3u32.to_be_bytes());
    assert_eq!(
        Keyring::new(root.clone()).open(HERE, &new).unwrap_err(),
        Error::Open
    );
    // However many terms there are, starting costs the same.
    let last = Keyring::with_terms(root, u32::MAX);
    assert_eq!(last.open(HERE, &old).unwrap().expose(), b"v");
}

#[test]
fn value_that_names_another_term_does_not_open() {
    let ring = Keyring::with_terms(RootKey::generate(&SeededEntropy::new(1)), 5);
    let sealed = ring.seal(&SeededEntropy::new(2), HERE, b"v").unwrap();
    for term in [0u32, 1, 4, 6, u32::MAX] {
        let mut changed = sealed.clone();
        changed[2..6].copy_from_slice(&term.to_be_bytes());
        assert_eq!(
            ring.open(HERE, &changed).unwrap_err(),
            Error::Open,
            "{term}"
        );
    }
}

#[test]
fn another_root_key_opens_nothing() {
    let sealed = keyring(1).seal(&SeededEntropy::new(2), HERE, b"v").unwrap();
    assert_eq!(keyring(9).open(HERE, &sealed).unwrap_err(), Error::Open);
}

#[test]
fn purposes_have_keys_of_their_own() {
    let ring = keyring(1);
    assert_ne!(ring.derive("a").expose(), ring.derive("b").expose());
    assert_eq!(ring.derive("a").expose(), ring.derive("a").expose());
}

#[test]
fn root_key_text_round_trips_and_catches_slips() {
    let text = RootKey::generate(&SeededEntropy::new(5)).to_text();
    let again = RootKey::from_text(&format!("  {}\n", text.expose())).unwrap();
    assert_eq!(again.to_text().expose(), text.expose());
    // One wrong character anywhere after the prefix.
    for at in 20..text.expose().len() - 1 {
        let mut slip = text.expose().clone().into_bytes();
        slip[at] = if slip[at] == b'A' { b'B' } else { b'A' };
        let slip = String::from_utf8(slip).unwrap();
        assert_eq!(
            RootKey::from_text(&slip).unwrap_err(),
            RootKeyError::Checksum,
            "{at}"
        );
    }
    for wrong in [
        "",
        "rampart-root-key-v1:",
        "rampart-root-key-v2:AAAA",
        "secret",
    ] {
        assert_eq!(
            RootKey::from_text(wrong).unwrap_err(),
            RootKeyError::Malformed,
            "{wrong}"
        );
    }
    assert!(!format!("{again:?}").contains(text.expose().as_str()));
}

/// What the first day wrote must open for ever: a changed format needs a new number.
#[test]
fn value_and_root_key_of_format_1_open_for_ever() {
    let root = RootKey::from_text(include_str!("../testdata/formats/root-key-v1.txt")).unwrap();
    let made = RootKey::generate(&SeededEntropy::new(77));
    assert_eq!(root.to_text().expose(), made.to_text().expose());
    let sealed = vectors::hex(include_str!("../testdata/formats/sealed-v1.hex").trim());
    let opened: Secret<Vec<u8>> = Keyring::new(root).open(HERE, &sealed).unwrap();
    assert_eq!(opened.expose(), b"sealed on the first day");
}

proptest! {
    #[test]
    fn whatever_was_sealed_opens(plaintext: Vec<u8>, table in ".{0,9}", row in ".{0,9}", seed: u64) {
        let ring = keyring(1);
        let place = Place { table: &table, column: "c", row: &row };
        let sealed = ring.seal(&SeededEntropy::new(seed), place, &plaintext).unwrap();
        prop_assert_eq!(sealed.len(), HEADER_BYTES + plaintext.len() + 16);
        let opened = ring.open(place, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), &plaintext);
    }

    #[test]
    fn no_bytes_make_open_panic(bytes: Vec<u8>) {
        prop_assert!(keyring(1).open(HERE, &bytes).is_err());
    }
}

#[test]
fn fuzz_no_damaged_value_opens() {
    let ring = keyring(1);
    let sealed = ring.seal(&SeededEntropy::new(2), HERE, b"seed").unwrap();
    let root = RootKey::generate(&SeededEntropy::new(3)).to_text();
    let corpus = [sealed.clone(), root.expose().as_bytes().to_vec()];
    let words: &[&[u8]] = &[b"\0\0\0\x01", b"\xff", b"-"];
    testkit::fuzz(20_000, &corpus, words, |bytes| {
        let opened = ring.open(HERE, bytes);
        assert_eq!(opened.is_ok(), bytes == sealed, "{opened:?}");
        if let Ok(text) = std::str::from_utf8(bytes) {
            // Never a panic; a text that is damaged is no key, or the same one.
            drop(RootKey::from_text(text));
        }
    });
}
