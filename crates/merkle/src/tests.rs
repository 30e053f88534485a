//! The tree, its proofs and its checkpoints.

use proptest::prelude::*;

use crate::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The eight leaves every Certificate Transparency implementation tests with.
fn reference_leaves() -> Vec<Hash> {
    let leaves: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[
            0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
            0x6e, 0x6f,
        ],
    ];
    leaves.into_iter().map(leaf_hash).collect()
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

#[test]
fn roots_match_the_published_ones() {
    let leaves = reference_leaves();
    let expected = [
        (
            0,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            1,
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        ),
        (
            2,
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        ),
        (
            3,
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        ),
        (
            5,
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        ),
        (
            8,
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ),
    ];
    for (count, root) in expected {
        assert_eq!(hex(&root_of(&leaves[..count])), root, "{count} leaves");
    }
}

#[test]
fn frontier_agrees_with_the_whole_tree_at_every_size() {
    let all = leaves(70);
    let mut frontier = Frontier::new();
    for size in 0..=all.len() {
        assert_eq!(frontier.root(), root_of(&all[..size]), "{size} leaves");
        assert_eq!(
            Frontier::from_bytes(&frontier.to_bytes()),
            Ok(frontier.clone())
        );
        if let Some(leaf) = all.get(size) {
            frontier.push(*leaf);
        }
    }
    let bytes = frontier.to_bytes();
    assert!(Frontier::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    assert!(Frontier::from_bytes(&[]).is_err());
}

#[test]
fn parts_of_a_proof_and_the_leaf_are_the_whole_tree() {
    for size in 0..70_u64 {
        for index in 0..size {
            let mut parts = inclusion_parts(index, size).unwrap();
            parts.push(index..index + 1);
            parts.sort_by_key(|part| part.start);
            assert_eq!(parts.first().unwrap().start, 0);
            assert_eq!(parts.last().unwrap().end, size);
            assert!(parts.windows(2).all(|two| two[0].end == two[1].start));
        }
        assert_eq!(inclusion_parts(size, size), None);
    }
    for (size, length) in [(u64::MAX, 63), (1 << 63, 63), ((1 << 63) + 1, 1)] {
        assert_eq!(inclusion_parts(size - 1, size).unwrap().len(), length);
    }
}

#[test]
fn every_inclusion_proof_verifies_and_no_other_leaf_does() {
    for size in 1..=33usize {
        let all = leaves(size);
        let root = root_of(&all);
        for index in 0..size {
            let proof = inclusion_proof(&all, index).unwrap();
            let (i, n) = (index as u64, size as u64);
            assert_eq!(verify_inclusion(&all[index], i, n, &proof, &root), Ok(()));
            assert!(verify_inclusion(&leaf_hash(b"other"), i, n, &proof, &root).is_err());
            assert!(verify_inclusion(&all[index], n, n, &proof, &root).is_err());
            let longer = [proof.as_slice(), &[[0; 32]]].concat();
            assert_eq!(
                verify_inclusion(&all[index], i, n, &longer, &root),
                Err(ProofError::Length)
            );
        }
        assert_eq!(inclusion_proof(&all, size), None);
    }
}

#[test]
fn every_consistency_proof_verifies_and_a_changed_past_does_not() {
    for size in 0..=33usize {
        let all = leaves(size);
        let root = root_of(&all);
        for old in 0..=size {
            let proof = consistency_proof(&all, old).unwrap();
            let (m, n) = (old as u64, size as u64);
            let old_root = root_of(&all[..old]);
            assert_eq!(
                verify_consistency(m, &old_root, n, &root, &proof),
                Ok(()),
                "{m} → {n}"
            );
            if old > 0 {
                let lie = leaf_hash(b"another past");
                assert!(
                    verify_consistency(m, &lie, n, &root, &proof).is_err(),
                    "{m} → {n}"
                );
                assert!(
                    verify_consistency(m, &old_root, n, &lie, &proof).is_err(),
                    "{m} → {n}"
                );
            }
            let longer = [proof.as_slice(), &[[0; 32]]].concat();
            assert!(verify_consistency(m, &old_root, n, &root, &longer).is_err());
        }
    }
    assert_eq!(
        verify_consistency(2, &[0; 32], 1, &[0; 32], &[]),
        Err(ProofError::Range)
    );
}

fn key() -> SigningKey {
    SigningKey::from_seed("shop.example/trail", &[7; 32]).unwrap()
}

fn checkpoint() -> SignedCheckpoint {
    let origin = "shop.example/trail".to_owned();
    Checkpoint {
        origin,
        size: 8,
        root: root_of(&reference_leaves()),
    }
    .sign(&key())
}

#[test]
fn signed_checkpoint_reads_as_the_specification_says() {
    let note = checkpoint().to_string();
    let lines: Vec<_> = note.split('\n').collect();
    assert_eq!(
        lines[..4],
        [
            "shop.example/trail",
            "8",
            "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=",
            ""
        ]
    );
    assert!(lines[4].starts_with("— shop.example/trail "), "{note}");
    assert_eq!(lines[5..], [""]);
    assert_eq!(note.parse(), Ok(checkpoint()));
}

#[test]
fn only_the_key_that_signed_verifies() {
    let signed = checkpoint();
    assert_eq!(signed.verify(key().verifying_key()).unwrap().size, 8);
    let stranger = SigningKey::from_seed("shop.example/trail", &[8; 32]).unwrap();
    assert!(signed.verify(stranger.verifying_key()).is_err());
    let renamed = SigningKey::from_seed("other.example/trail", &[7; 32]).unwrap();
    assert!(signed.verify(renamed.verifying_key()).is_err());
    let larger: SignedCheckpoint = signed
        .to_string()
        .replacen("\n8\n", "\n9\n", 1)
        .parse()
        .unwrap();
    assert!(larger.verify(key().verifying_key()).is_err());
}

#[test]
fn verifier_key_text_round_trips_and_binds_its_name() {
    let text = key().verifying_key().to_string();
    assert_eq!(text.parse().as_ref(), Ok(key().verifying_key()));
    assert!(
        text.replacen("shop", "evil", 1)
            .parse::<VerifyingKey>()
            .is_err()
    );
    for wrong in ["", "a+b", "a+00000000+", "a b+00000000+AQ=="] {
        assert!(wrong.parse::<VerifyingKey>().is_err(), "{wrong}");
    }
    // The key of the specification's own example.
    let published = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(
        published.parse::<VerifyingKey>().unwrap().to_string(),
        published
    );
}

#[test]
fn malformed_checkpoints_are_refused() {
    let good = checkpoint().to_string();
    for (from, to) in [
        ("\n8\n", "\n08\n"),
        ("\n8\n", "\n+8\n"),
        ("\n8\n", "\n18446744073709551616\n"),
        ("\n\n", "\n"),
        ("\u{2014} ", "- "),
        ("shop.example/trail\n8", "\n8"),
        ("=\n", "\n"),
    ] {
        assert!(
            good.replacen(from, to, 1)
                .parse::<SignedCheckpoint>()
                .is_err(),
            "{from} → {to}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in ".{0,200}", bytes: Vec<u8>) {
        drop(text.parse::<SignedCheckpoint>());
        drop(text.parse::<VerifyingKey>());
        drop(Frontier::from_bytes(&bytes));
    }

    #[test]
    fn a_proof_for_one_place_never_verifies_in_another(size in 2usize..40, a in 0usize..40, b in 0usize..40) {
        let (a, b) = (a % size, b % size);
        prop_assume!(a != b);
        let all = leaves(size);
        let proof = inclusion_proof(&all, a).unwrap();
        prop_assert!(verify_inclusion(&all[a], b as u64, size as u64, &proof, &root_of(&all)).is_err());
    }
}

#[test]
fn fuzz_no_damaged_checkpoint_says_something_else_and_verifies() {
    let key = SigningKey::from_seed("rampart.example/trail", &[7; 32]).unwrap();
    let checkpoint = Checkpoint {
        origin: "rampart.example/trail".to_owned(),
        size: 4_711,
        root: leaf_hash(b"a leaf"),
    };
    let note = checkpoint.clone().sign(&key).to_string();
    let words: &[&[u8]] = &[b"\n", b"\n\n", b"\xe2\x80\x94 ", b"0", b"+", b"=", b" "];
    testkit::fuzz(20_000, &[note.into_bytes()], words, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        let Ok(signed) = text.parse::<SignedCheckpoint>() else {
            return;
        };
        if let Ok(verified) = signed.verify(key.verifying_key()) {
            assert_eq!(verified, &checkpoint, "only what was signed");
        }
    });
}
