//! What single rules say, by hand.

use std::cmp::Ordering::{self, Equal, Greater, Less};

use crate::{Ecosystem, Error, Version, compare};

fn check(ecosystem: Ecosystem, cases: &[(&str, Ordering, &str)]) {
    for (a, order, b) in cases {
        assert_eq!(compare(ecosystem, a, b), Ok(*order), "{a} {b}");
        assert_eq!(compare(ecosystem, b, a), Ok(order.reverse()), "{b} {a}");
    }
}

fn refused(ecosystem: Ecosystem, texts: &[&str]) {
    for text in texts {
        let read = Version::parse(ecosystem, text);
        assert!(
            matches!(read, Err(Error::Version { .. })),
            "{text}: {read:?}"
        );
    }
}

#[test]
fn trailing_zeros_count_only_where_the_ecosystem_says_so() {
    for (ecosystem, order) in [
        (Ecosystem::CratesIo, Equal),
        (Ecosystem::PyPi, Equal),
        (Ecosystem::Maven, Equal),
        (Ecosystem::NuGet, Equal),
        (Ecosystem::RubyGems, Equal),
        (Ecosystem::Cran, Less),
        (Ecosystem::Hackage, Less),
        (Ecosystem::Packagist, Equal),
        (Ecosystem::Debian, Less),
        (Ecosystem::Alpine, Less),
        (Ecosystem::RockyLinux, Less),
    ] {
        check(ecosystem, &[("1.0", order, "1.0.0")]);
    }
}

#[test]
fn numbers_of_any_length_are_compared_by_value() {
    let long = "9".repeat(100);
    let longer = format!("1{}", "0".repeat(100));
    for ecosystem in [
        Ecosystem::Alpine,
        Ecosystem::Cran,
        Ecosystem::Debian,
        Ecosystem::Hackage,
        Ecosystem::Hex,
        Ecosystem::Maven,
        Ecosystem::NuGet,
        Ecosystem::Packagist,
        Ecosystem::Pub,
        Ecosystem::PyPi,
        Ecosystem::RedHat,
        Ecosystem::RubyGems,
    ] {
        let version = |number: &str| format!("1.{number}.0");
        let order = compare(ecosystem, &version(&long), &version(&longer));
        assert_eq!(order, Ok(Less), "{ecosystem:?}");
    }
}

#[test]
fn debian_versions_follow_policy() {
    check(
        Ecosystem::Debian,
        &[
            ("1.0~~", Less, "1.0~~a"),
            ("1.0~~a", Less, "1.0~"),
            ("1.0~", Less, "1.0"),
            ("1.0", Less, "1.0a"),
            ("1.0a", Less, "1.0+"),
            ("1:0.1", Greater, "9.9"),
            ("1.0-0", Equal, "1.0"),
            ("1.0-1", Less, "1.0-1+b1"),
            ("1.0-1", Greater, "1.0-1~deb12u1"),
            ("1.2-3-4", Less, "1.2-3-5"),
        ],
    );
    refused(
        Ecosystem::Debian,
        &[
            "",
            "1 0",
            "a:1",
            "1-",
            ":1",
            "1.0_1",
            "1.0-1:2",
            "<unfixed>",
            "a1",
            "ü",
        ],
    );
}

#[test]
fn rpm_versions_without_a_release_come_before_those_with_one() {
    check(
        Ecosystem::RedHat,
        &[
            ("1.0", Less, "1.0-1"),
            ("0:1.0-1", Equal, "1.0-1"),
            ("1.0-1.el9_2", Less, "1.0-1.el9_2.1"),
            ("1.0~rc1", Less, "1.0"),
            ("1.0^git1", Greater, "1.0"),
            ("1.0^git1", Less, "1.0.1"),
            ("1.05", Equal, "1.5"),
        ],
    );
    refused(Ecosystem::AlmaLinux, &["", "1 0"]);
}

#[test]
fn alpine_versions_follow_apk_3() {
    check(
        Ecosystem::Alpine,
        &[
            ("1.0", Less, "1.0-r0"),
            ("1.0.1", Less, "1.0.10"),
            ("1.0.01", Less, "1.0.1"),
            ("1.0_rc1", Less, "1.0"),
            ("1.0", Less, "1.0_p1"),
            ("1.0_git20200101", Less, "1.0_git20210101"),
            ("1.0~abc-r1", Greater, "1.0-r1"),
            ("3.0.8-r3", Less, "3.0.8-r10"),
        ],
    );
    refused(
        Ecosystem::Alpine,
        &[
            "",
            "a",
            "1.",
            "1..2",
            "1.0_foo",
            "1.0A",
            "1.0-1",
            "1.0ab",
            "1.0-r",
            "1.0-r1-r2",
            "1.0~g",
        ],
    );
}

#[test]
fn what_is_no_version_is_an_error_and_neither_less_nor_equal() {
    refused(
        Ecosystem::Npm,
        &[
            "",
            "latest",
            "1.x",
            "^1.0.0",
            "1.0.0-",
            "1.0.0-a..b",
            "01.0.0",
            "1.0.0-01",
            "1.2.3.4",
        ],
    );
    refused(Ecosystem::Go, &["master", "v", "v1.0.0+", "(devel)"]);
    refused(
        Ecosystem::NuGet,
        &["", "v1.0", "1.0.0.0.0", "1.*", "1.0-", "[1.0,2.0)"],
    );
    refused(
        Ecosystem::Packagist,
        &["dev-main", "1.x-dev", "", "2.0-foo", "1.0 beta"],
    );
    refused(
        Ecosystem::RubyGems,
        &["", "a", "1..2", "1.0_1", "1.0 0", "-1"],
    );
    refused(Ecosystem::Cran, &["", "1.", "1.a", "1--2"]);
    refused(Ecosystem::Hackage, &["", "1.0-1", ".1"]);
    refused(Ecosystem::PyPi, &["", "1 0", "1.0\u{e9}"]);
    refused(Ecosystem::Maven, &["", "1 0", "[1.0]\n"]);
}

#[test]
fn pre_releases_come_before_their_release() {
    check(
        Ecosystem::CratesIo,
        &[
            ("1.0.0-0", Less, "1.0.0-a"),
            ("1.0.0-rc.9", Less, "1.0.0-rc.10"),
        ],
    );
    check(
        Ecosystem::Go,
        &[(
            "v0.0.0-20200101000000-abcdef",
            Less,
            "v0.0.0-20210101000000-0abcde",
        )],
    );
    check(
        Ecosystem::PyPi,
        &[
            ("1.0.dev1", Less, "1.0a1"),
            ("1.0a1.dev1", Less, "1.0a1"),
            ("1.0a1", Less, "1.0a1.post1"),
            ("1.0rc1", Less, "1.0"),
            ("1.0", Less, "1.0+local"),
            ("1.0+local", Less, "1.0.post1.dev1"),
            ("1.0.post1.dev1", Less, "1.0.post1"),
            ("1!0.1", Greater, "2020.1"),
            ("V1.0-Alpha_1", Equal, "1a1"),
            ("1.0+ubuntu-1", Equal, "1.0+UBUNTU.1"),
            ("2099-not-a-version", Less, "0"),
        ],
    );
    check(
        Ecosystem::RubyGems,
        &[("1.0.0.rc1", Less, "1.0"), ("1.0-1", Less, "1.0")],
    );
    check(
        Ecosystem::Packagist,
        &[
            ("1.0.0-BETA1", Less, "1.0.0-rc1"),
            ("1.0.0-p1", Greater, "1.0.0"),
            ("2.0.0-RC1", Less, "2.0"),
            ("2.0.0+build.7", Equal, "2.0"),
            ("2.0", Less, "2.0.0.1"),
        ],
    );
    check(
        Ecosystem::Maven,
        &[
            ("1.0.RC2", Less, "1.0-RC3"),
            ("2.0.0.Final", Equal, "2.0"),
            ("1.0.alpha", Less, "1"),
            ("1", Less, "1-1"),
            ("31.1-android", Less, "31.1-jre"),
            ("1-1", Less, "1.1"),
        ],
    );
}

#[test]
fn versions_of_two_families_have_no_order() {
    let deb = Version::parse(Ecosystem::Debian, "1.0").unwrap();
    let npm = Version::parse(Ecosystem::Npm, "1.0.0").unwrap();
    assert!(matches!(deb.compare(&npm), Err(Error::Families { .. })));
}

#[test]
fn only_pep_440_is_certain_among_python_versions() {
    let certain = |text| Version::parse(Ecosystem::PyPi, text).unwrap().is_certain();
    assert!(certain("1.0.post1"));
    assert!(!certain("0.9-doduo"));
}
