//! When something is affected, when it is not, and when nobody knows.

use std::time::Duration;

use crate::testing::{NOW, POLICY, advisory, asked, built_from, feed, fixed, index, package};
use crate::{Builder, Ecosystem, Feed, Index, Package, Reason, Report, Status, scan};

fn npm() -> Index {
    let ranges = fixed(&[("1.0.0", "1.2.3")]);
    index(
        Ecosystem::Npm,
        &[advisory("GHSA-1", "npm", "a", &ranges, "")],
    )
}

/// Whether each version of a package is affected.
fn decides(index: &Index, scope: &str, name: &str, versions: &[(&str, bool)]) {
    for (version, affected) in versions {
        let report = asked(index, &package(scope, name, version));
        let expected = if *affected {
            Status::Affected
        } else {
            Status::NotAffected
        };
        assert_eq!(report.verdicts[0].status(), expected, "{version}");
    }
}

fn reason(report: &Report) -> &Reason {
    match report.verdicts[0].status() {
        Status::Unknown(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_version_within_a_range_is_affected_and_one_outside_is_not() {
    let index = npm();
    decides(
        &index,
        "npm",
        "a",
        &[
            ("0.9.9", false),
            ("1.0.0-rc.1", false),
            ("1.0.0", true),
            ("v1.2.2", true),
            ("1.2.3-rc.1", true),
            ("1.2.3", false),
            ("1.2.3+build", false),
        ],
    );
    let other = asked(&index, &package("npm", "b", "1.0.0"));
    assert_eq!(other.verdicts[0].status(), Status::NotAffected);
    assert_eq!(other.counts().not_affected, 1);
}

#[test]
fn nothing_is_clean_against_an_index_of_nothing() {
    let package = package("npm", "a", "9.9.9");
    let nothing = asked(&Index::default(), &package);
    assert_eq!(reason(&nothing), &Reason::NoFeed);
    assert_eq!(nothing.counts().not_affected, 0);
    let empty = asked(&index(Ecosystem::Npm, &[]), &package);
    assert_eq!(reason(&empty), &Reason::EmptyFeed);
    // Withdrawn ones alone leave it empty.
    let gone = advisory(
        "GHSA-1",
        "npm",
        "a",
        &fixed(&[("0", "1.0.0")]),
        r#","withdrawn":"2024-01-02T00:00:00Z""#,
    );
    let withdrawn = asked(&index(Ecosystem::Npm, &[gone]), &package);
    assert_eq!(reason(&withdrawn), &Reason::EmptyFeed);
}

#[test]
fn an_ecosystem_without_a_feed_is_unknown_even_where_another_feed_names_a_package_of_it() {
    let stray = advisory("GHSA-2", "PyPI", "b", &fixed(&[("0", "1.0")]), "");
    let index = index(Ecosystem::Npm, &[stray]);
    assert_eq!(
        reason(&asked(&index, &package("PyPI", "c", "1.0"))),
        &Reason::NoFeed
    );
    // What it does say counts all the same.
    let affected = asked(&index, &package("PyPI", "b", "0.1"));
    assert_eq!(affected.verdicts[0].status(), Status::Affected);
    assert_eq!(affected.verdicts[0].doubts, [Reason::NoFeed]);
}

fn aged(fetched: &[model::Timestamp]) -> Index {
    let mut builder = Builder::new();
    for fetched in fetched {
        let feed = Feed {
            fetched: *fetched,
            ..feed(Ecosystem::Npm)
        };
        let id = builder.feed(feed).unwrap();
        let ranges = fixed(&[("0", "1.0.0")]);
        builder
            .add(id, &advisory("GHSA-1", "npm", "a", &ranges, ""))
            .unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn an_old_feed_still_says_what_is_affected_and_no_longer_what_is_not() {
    let edge = NOW.before(POLICY.age_max);
    let clean = package("npm", "a", "1.0.0");
    assert_eq!(
        asked(&aged(&[edge]), &clean).verdicts[0].status(),
        Status::NotAffected
    );
    let old = aged(&[edge.before(Duration::from_millis(1)), NOW]);
    assert!(
        matches!(reason(&asked(&old, &clean)), Reason::Stale { .. }),
        "the oldest counts"
    );
    let affected = asked(&old, &package("npm", "a", "0.1.0"));
    assert_eq!(affected.verdicts[0].status(), Status::Affected);
    let later = aged(&[NOW.after(Duration::from_secs(3600))]);
    assert_eq!(reason(&asked(&later, &clean)), &Reason::FeedFromLater);
}

#[test]
fn a_version_without_a_place_is_unknown() {
    for version in ["latest", "", "1.x", "^1.0.0", "1.0.0 "] {
        let report = asked(&npm(), &package("npm", "b", version));
        assert!(matches!(reason(&report), Reason::Version(_)), "{version}");
    }
    let python = advisory("PYSEC-1", "PyPI", "a", &fixed(&[("1.0", "2.0")]), "");
    let index = index(Ecosystem::PyPi, &[python]);
    let legacy = asked(&index, &package("PyPI", "a", "1.5-final-build"));
    assert_eq!(reason(&legacy), &Reason::UncertainVersion);
}

#[test]
fn a_version_that_is_listed_needs_no_place() {
    let listed = advisory(
        "PYSEC-1",
        "PyPI",
        "a",
        r#""versions":["1.5-final-build","1.0"]"#,
        "",
    );
    let index = index(Ecosystem::PyPi, &[listed]);
    for version in ["1.5-final-build", "1.0", "1.0.0"] {
        let report = asked(&index, &package("PyPI", "a", version));
        assert_eq!(report.verdicts[0].status(), Status::Affected, "{version}");
    }
    let other = asked(&index, &package("PyPI", "a", "1.1"));
    assert_eq!(other.verdicts[0].status(), Status::NotAffected);
}

#[test]
fn an_advisory_that_cannot_be_used_leaves_its_package_unknown() {
    let bad = advisory("GHSA-9", "npm", "a", &fixed(&[("0", "next")]), "");
    let commits =
        r#""ranges":[{"type":"GIT","repo":"https://example.com/b","events":[{"introduced":"0"}]}]"#;
    let only_commits = advisory("GHSA-8", "npm", "b", commits, "");
    let semver = r#""ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]"#;
    let python = advisory("PYSEC-1", "PyPI", "c", semver, "");
    let index = index(Ecosystem::Npm, &[bad, only_commits, python]);
    for name in ["a", "b"] {
        let report = asked(&index, &package("npm", name, "5.0.0"));
        assert!(matches!(reason(&report), Reason::Advisory { .. }), "{name}");
    }
    // A version that SemVer, in which the range is written, does not take.
    let report = asked(&index, &package("PyPI", "c", "1.0.post1"));
    assert!(
        matches!(report.verdicts[0].doubts[1], Reason::Advisory { .. }),
        "{report:?}"
    );
    assert_eq!(
        asked(&index, &package("npm", "c", "5.0.0")).verdicts[0].status(),
        Status::NotAffected
    );
}

fn debian() -> Index {
    let of = |release: &str, fix: &str| {
        advisory(
            &format!("DSA-{release}"),
            &format!("Debian:{release}"),
            "openssl",
            &fixed(&[("0", fix)]),
            "",
        )
    };
    index(
        Ecosystem::Debian,
        &[of("11", "1.1.1w-0+deb11u1"), of("12", "3.0.14-1~deb12u1")],
    )
}

fn libssl(release: &str, version: &str) -> Package {
    built_from(package(release, "libssl3", version), "openssl", version)
}

#[test]
fn debian_is_asked_by_source_package_and_release() {
    let index = debian();
    for (release, version, affected) in [
        ("Debian:12", "3.0.13-1~deb12u1", true),
        ("Debian:12.13", "3.0.13-1~deb12u1", true),
        ("Debian:12", "3.0.14-1~deb12u1", false),
        ("Debian:11", "1.1.1n-0+deb11u5", true),
        ("Debian:11", "3.0.13-1", false),
    ] {
        let report = asked(&index, &libssl(release, version));
        let expected = if affected {
            Status::Affected
        } else {
            Status::NotAffected
        };
        assert_eq!(report.verdicts[0].status(), expected, "{release} {version}");
    }
    // The source's version counts, not the binary's.
    let rebuilt = built_from(
        package("Debian:12", "libssl3", "9:1.0"),
        "openssl",
        "3.0.13-1",
    );
    assert_eq!(
        asked(&index, &rebuilt).verdicts[0].status(),
        Status::Affected
    );
    // A binary package that is called as the source of another.
    let other = built_from(package("Debian:12", "openssl", "1.0"), "other", "1.0");
    assert_eq!(
        asked(&index, &other).verdicts[0].status(),
        Status::NotAffected
    );
}

#[test]
fn without_a_release_or_with_another_a_distributions_package_is_unknown() {
    let index = debian();
    assert_eq!(
        reason(&asked(&index, &libssl("Debian", "0.1"))),
        &Reason::NoRelease
    );
    assert_eq!(
        reason(&asked(&index, &libssl("Debian:13", "9.9"))),
        &Reason::OtherReleases
    );
    assert_eq!(
        reason(&asked(&index, &libssl("Ubuntu:22.04", "9.9"))),
        &Reason::NoFeed
    );
    assert_eq!(
        reason(&asked(&index, &package("Alpine", "a", "1.0"))),
        &Reason::NoRelease
    );
}

#[test]
fn a_build_of_a_python_version_is_that_version_where_it_is_the_last_or_listed() {
    let last = r#""ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1.0"},{"last_affected":"2.0.0"}]}],"versions":["3.0"]"#;
    let fix = fixed(&[("4.0", "5.0"), ("6.0", "6.1+patched")]);
    let all = [
        advisory("PYSEC-1", "PyPI", "torch", last, ""),
        advisory("PYSEC-2", "PyPI", "torch", &fix, ""),
    ];
    let index = index(Ecosystem::PyPi, &all);
    decides(
        &index,
        "PyPI",
        "torch",
        &[
            ("2.0.0+cu118", true),
            ("2.0.1+cu118", false),
            ("3.0.0+cpu", true),
            ("5.0+cu118", false),
            ("4.9+cu118", true),
            ("6.1+patched", false),
            ("6.1", true),
        ],
    );
}

#[test]
fn build_numbers_of_dart_packages_count_in_ranges_of_semantic_versions() {
    let semver =
        r#""ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.0.0+2"}]}]"#;
    let index = index(
        Ecosystem::Pub,
        &[advisory("GHSA-1", "Pub", "a", semver, "")],
    );
    let versions = [("1.0.0+1", true), ("1.0.0+2", false), ("1.0.0", true)];
    decides(&index, "Pub", "a", &versions);
}

#[test]
fn advisories_that_could_not_be_read_are_told_in_every_report() {
    let mut builder = Builder::new();
    let id = builder.feed(feed(Ecosystem::Npm)).unwrap();
    builder.refuse(id);
    builder.refuse(id);
    let report = scan(&[], &builder.finish().unwrap(), NOW, &POLICY);
    assert_eq!(report.refused, 2);
}

#[test]
fn every_reason_has_words() {
    let all = [
        Reason::NoFeed,
        Reason::EmptyFeed,
        Reason::NoRelease,
        Reason::OtherReleases,
        Reason::Stale {
            age: Duration::from_secs(7200),
            age_max: Duration::from_secs(3600),
        },
        Reason::FeedFromLater,
        Reason::Version("no version".to_owned()),
        Reason::UncertainVersion,
        Reason::Origin,
        Reason::Advisory {
            id: "A".to_owned(),
            problem: "none".to_owned(),
        },
    ];
    let mut texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    assert!(texts.contains(&"the feed is 2 h old, and may be 1 h old".to_owned()));
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), all.len());
}
