//! Long and damaged versions: read or refused in time that grows with their length alone.

use crate::{Ecosystem, Error, VERSION_BYTES_MAX, Version};

const ALL: &[Ecosystem] = &[
    Ecosystem::Alpine,
    Ecosystem::AlmaLinux,
    Ecosystem::Cran,
    Ecosystem::CratesIo,
    Ecosystem::Debian,
    Ecosystem::Go,
    Ecosystem::Hackage,
    Ecosystem::Hex,
    Ecosystem::Maven,
    Ecosystem::Npm,
    Ecosystem::NuGet,
    Ecosystem::Packagist,
    Ecosystem::Pub,
    Ecosystem::PyPi,
    Ecosystem::RedHat,
    Ecosystem::RockyLinux,
    Ecosystem::RubyGems,
    Ecosystem::Ubuntu,
];

#[test]
fn a_version_of_a_megabyte_is_refused_before_it_is_read() {
    for text in [
        "1".repeat(1 << 20),
        "1.".repeat(1 << 19),
        "-".repeat(1 << 20),
    ] {
        for ecosystem in ALL {
            let read = Version::parse(*ecosystem, &text);
            let Err(Error::Version { version, .. }) = read else {
                panic!("{ecosystem:?} took a megabyte");
            };
            assert!(version.len() < 200, "the message repeats it");
        }
    }
}

#[test]
fn the_longest_versions_are_compared() {
    for piece in [
        "1", "1.", "0", "0.", "1-", "1a", "1~", "1^", "1_p", ".-", "1-0.",
    ] {
        let mut text = "1".to_owned();
        while text.len() + piece.len() < VERSION_BYTES_MAX {
            text.push_str(piece);
        }
        for ecosystem in ALL {
            for text in [text.as_str(), text.trim_end_matches(['.', '-', '~', '^'])] {
                if let Ok(version) = Version::parse(*ecosystem, text) {
                    assert_eq!(version.compare(&version), Ok(std::cmp::Ordering::Equal));
                }
            }
        }
    }
}

#[test]
fn fuzz_versions_are_compared_or_refused() {
    let corpus: Vec<Vec<u8>> = [
        "1.2.3-rc.1+build 1.2.3",
        "1:2.0~rc1-1+deb12u1 1:2.0-1",
        "1.2.3a_rc1_p2~abc-r3 1.2.3",
        "1!2.0a1.post2.dev3+local.1 2.0-doduo",
        "1.0-alpha-1.foo-bar1baz 1.0.ga",
        "0:1.0^git1-2.el9 1.0~rc1-2.el9",
        "1.0.0.1-BETA.1+x 1.0",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    let words: &[&[u8]] = &[
        b"~", b"^", b"_rc", b"-r", b".post", b"!", b"+", b"00", b" ", b"dev", b"final-",
    ];
    testkit::fuzz(20_000, &corpus, words, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        let (a, b) = text.split_once(' ').unwrap_or((text, text));
        for ecosystem in ALL {
            let (Ok(a), Ok(b)) = (Version::parse(*ecosystem, a), Version::parse(*ecosystem, b))
            else {
                continue;
            };
            let order = a.compare(&b).unwrap();
            assert_eq!(b.compare(&a).unwrap(), order.reverse());
            assert_eq!(a.compare(&a).unwrap(), std::cmp::Ordering::Equal);
        }
    });
}
