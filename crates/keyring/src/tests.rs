//! What a seal promises.

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
        Keyring::new(root).open(HERE, &new).unwrap_err(),
        Error::Open
    );
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
    let mut slip = text.expose().clone();
    let last = if slip.ends_with('A') { "B" } else { "A" };
    slip.replace_range(25..26, if &slip[25..26] == last { "C" } else { last });
    assert_eq!(
        RootKey::from_text(&slip).unwrap_err(),
        RootKeyError::Checksum
    );
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

/// The value sealed on the first day must open for ever: a changed format needs a new number.
#[test]
fn value_of_format_1_opens_for_ever() {
    let ring = Keyring::new(RootKey::generate(&SeededEntropy::new(77)));
    let fixture = include_str!("../testdata/formats/sealed-v1.hex");
    let sealed: Vec<u8> = fixture
        .trim()
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let opened: Secret<Vec<u8>> = ring.open(HERE, &sealed).unwrap();
    assert_eq!(opened.expose(), b"sealed on the first day");
}

/// C2SP XAES-256-GCM, the two short vectors of the specification.
#[test]
fn xaes_256_gcm_matches_the_published_vectors() {
    let hex = |text: &str| -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap())
            .collect()
    };
    let nonce: [u8; 24] = *b"ABCDEFGHIJKLMNOPQRSTUVWX";
    let first = xaes::seal(&[1; 32], &nonce, b"", b"XAES-256-GCM").unwrap();
    assert_eq!(
        first,
        hex("ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271")
    );
    let second = xaes::seal(&[3; 32], &nonce, b"c2sp.org/XAES-256-GCM", b"XAES-256-GCM");
    assert_eq!(
        second.unwrap(),
        hex("986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d")
    );
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
