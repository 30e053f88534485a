//! The index as bytes.

use super::super::*;
use crate::testing::{advisory, asked, feed, fixed, package};
use crate::{Builder, Error, Status};

/// An index with something of everything.
fn sample() -> Index {
    let mut builder = Builder::new();
    let npm = builder.feed(feed(Ecosystem::Npm)).unwrap();
    let debian = builder.feed(feed(Ecosystem::Debian)).unwrap();
    let more = r#","aliases":["CVE-2024-0001"],"summary":"Größe","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]"#;
    let ranges = r#""ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.3"},{"introduced":"2.0.0"},{"last_affected":"2.0.5"}]},{"type":"GIT","repo":"https://example.com/a","events":[{"introduced":"0"},{"fixed":"abc"},{"limit":"def"}]}],"versions":["1.0.0","9.9.9"]"#;
    builder
        .add(npm, &advisory("GHSA-1", "npm", "a", ranges, more))
        .unwrap();
    builder
        .add(
            npm,
            &advisory("GHSA-2", "npm", "@b/c", &fixed(&[("0", "one")]), ""),
        )
        .unwrap();
    builder
        .add(
            debian,
            &advisory(
                "DSA-1",
                "Debian:12",
                "b",
                &fixed(&[("0", "1:2.0-1~deb12u1")]),
                r#","upstream":["CVE-2024-0002"]"#,
            ),
        )
        .unwrap();
    let semver = r#""ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"}]}]"#;
    builder
        .add(npm, &advisory("PYSEC-1", "PyPI", "c", semver, ""))
        .unwrap();
    builder.refuse(debian);
    builder.finish().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<Vec<_>>().join("")
}

fn unhex(text: &str) -> Vec<u8> {
    let text = text.trim().as_bytes();
    let pairs = text
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

#[test]
fn an_index_of_version_1_opens_for_ever_and_is_still_written_so() {
    let stored = unhex(include_str!("../../../testdata/formats/index-v1.hex"));
    let opened = Index::decode(&stored).unwrap();
    let report = asked(&opened, &package("npm", "a", "1.0.0"));
    assert_eq!(report.verdicts[0].status(), Status::Affected);
    let now = sample();
    assert!(opened == now, "now it would be {}", hex(&now.encode()));
    assert_eq!(opened.encode(), stored);
}

#[test]
fn what_is_encoded_is_decoded() {
    for index in [sample(), Index::default()] {
        assert_eq!(Index::decode(&index.encode()).unwrap(), index);
    }
}

#[test]
fn damage_is_told_and_never_opened() {
    let good = sample().encode();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            assert!(
                matches!(Index::decode(&bad), Err(Error::Index { .. })),
                "byte {at} bit {bit}"
            );
        }
        assert!(Index::decode(&good[..at]).is_err(), "cut at {at}");
    }
    let mut longer = good.clone();
    longer.push(0);
    assert!(Index::decode(&longer).is_err());
    let mut newer = good;
    newer[4] = 2;
    let said = Index::decode(&newer).unwrap_err().to_string();
    assert!(said.contains("newer program"), "{said}");
}

#[test]
fn counts_beyond_all_measure_do_not_overflow() {
    let mut index = sample();
    for entry in &mut index.feeds {
        entry.imported.refused = u64::MAX;
    }
    let opened = Index::decode(&index.encode()).unwrap();
    assert_eq!(
        asked(&opened, &package("npm", "a", "1.0.0")).refused,
        u64::MAX
    );
}

/// With a checksum that is right, as one has who means harm.
#[test]
fn fuzz_forged_indexes_are_opened_whole_or_refused() {
    let good = sample().encode();
    let body = good[..good.len() - 4].to_vec();
    let words: &[&[u8]] = &[
        b"\xff\xff\xff\xff\x0f",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x80\x00",
        b"\x00",
        b"npm",
        b"Debian:12",
    ];
    let packages = [
        package("npm", "a", "1.0.0"),
        package("npm", "@b/c", "1.0.0"),
        package("Debian:12", "b", "1:2.0-0"),
    ];
    let opened = std::cell::Cell::new(0);
    testkit::fuzz(20_000, &[body], words, |bytes| {
        let mut bytes = bytes.to_vec();
        let sum = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        let Ok(index) = Index::decode(&bytes) else {
            return;
        };
        opened.set(opened.get() + 1);
        assert_eq!(Index::decode(&index.encode()).unwrap(), index);
        for package in &packages {
            let report = asked(&index, package);
            assert_eq!(report.verdicts.len(), 1);
        }
    });
    assert!(opened.get() > 0, "not one was opened");
}
