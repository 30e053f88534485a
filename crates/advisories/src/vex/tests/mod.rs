//! Statements on reports, and those that find nothing to speak of.

use super::*;
use crate::inventory::Inventory;
use crate::testing::{advisory, asked, built_from, fixed, index, package};
use crate::{Ecosystem, Error, Report, Standing, Status};

fn document(statements: &str) -> String {
    format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"us","timestamp":"2024-01-01T00:00:00Z","version":1,"statements":[{statements}]}}"#
    )
}

fn says(status: &str, product: &str) -> String {
    format!(
        r#"{{"vulnerability":{{"name":"CVE-2024-1"}},"products":[{{"@id":"{product}"}}],"status":"{status}","justification":"vulnerable_code_not_present"}}"#
    )
}

fn read(statements: &str) -> Statements {
    Statements::from_openvex("a.json", document(statements).as_bytes()).unwrap()
}

fn debian(version: &str) -> (Inventory, Report) {
    let aliases = r#","aliases":["CVE-2024-1"]"#;
    let found = advisory(
        "DSA-1",
        "Debian:12",
        "openssl",
        &fixed(&[("0", "3.0.14-1")]),
        aliases,
    );
    let package = built_from(
        package("Debian:12.13", "libssl3", version),
        "openssl",
        version,
    );
    let report = asked(&index(Ecosystem::Debian, &[found]), &package);
    let packages = vec![package];
    (
        Inventory {
            packages,
            ..Inventory::default()
        },
        report,
    )
}

fn applied(statements: &str) -> (Report, Vec<Outcome>) {
    let (inventory, mut report) = debian("3.0.13-1");
    assert_eq!(report.verdicts[0].status(), Status::Affected);
    let outcomes = read(statements).apply(&mut report, &inventory, None);
    (report, outcomes)
}

#[test]
fn a_finding_that_does_not_affect_no_longer_counts_and_says_why() {
    let (report, outcomes) = applied(&says("not_affected", "pkg:deb/debian/openssl"));
    assert_eq!(report.verdicts[0].status(), Status::NotAffected);
    let Standing::Suppressed(stated) = &report.verdicts[0].findings[0].standing else {
        panic!("{report:?}");
    };
    assert_eq!(stated.why.as_deref(), Some("vulnerable_code_not_present"));
    assert_eq!(
        (stated.author.as_str(), stated.claim),
        ("us", Claim::NotAffected)
    );
    assert_eq!((outcomes[0].findings, outcomes[0].is_idle()), (1, false));
}

#[test]
fn a_point_release_is_of_its_release() {
    for distro in [
        "debian-12",
        "debian-12.13",
        "debian-12.5",
        "bookworm",
        "debian:12",
    ] {
        let product = format!("pkg:deb/debian/openssl@3.0.13-1?distro={distro}");
        let (report, outcomes) = applied(&says("fixed", &product));
        assert_eq!(
            report.verdicts[0].status(),
            Status::NotAffected,
            "{distro}: {outcomes:?}"
        );
    }
}

#[test]
fn a_statement_that_matches_nothing_is_told_with_what_came_nearest() {
    for (product, miss) in [
        (
            "pkg:deb/debian/openssl?distro=debian-11",
            Miss::Qualifier("distro=debian-11".into()),
        ),
        (
            "pkg:deb/debian/openssl?distro=ubuntu-12",
            Miss::Qualifier("distro=ubuntu-12".into()),
        ),
        (
            "pkg:deb/debian/openssl?arch=arm64",
            Miss::Qualifier("arch=arm64".into()),
        ),
        (
            "pkg:deb/debian/openssl?anything=new",
            Miss::Qualifier("anything=new".into()),
        ),
        ("pkg:deb/debian/openssl#lib", Miss::Qualifier("#lib".into())),
        (
            "pkg:deb/debian/openssl@3.0.12-1",
            Miss::Version("3.0.13-1".into()),
        ),
        ("pkg:deb/debian/curl", Miss::NoPackage),
        ("pkg:deb/ubuntu/openssl", Miss::NoPackage),
        ("pkg:deb/openssl", Miss::NoPackage),
        ("pkg:oci/openssl", Miss::NoPackage),
        ("pkg:rpm/debian/openssl", Miss::NoPackage),
        (
            "cpe:2.3:a:openssl:openssl",
            Miss::Unreadable("cpe:2.3:a:openssl:openssl".into()),
        ),
    ] {
        let (report, outcomes) = applied(&says("not_affected", product));
        assert_eq!(report.verdicts[0].status(), Status::Affected, "{product}");
        assert!(outcomes[0].is_idle());
        assert_eq!(outcomes[0].misses, [miss]);
        assert!(!outcomes[0].misses[0].to_string().is_empty());
    }
    let other = says("not_affected", "pkg:deb/debian/openssl").replace("CVE-2024-1", "CVE-2024-2");
    let (_, outcomes) = applied(&other);
    assert_eq!(outcomes[0].misses, [Miss::NoFinding]);
    let none = says("fixed", "x").replace(r#"[{"@id":"x"}]"#, "[]");
    assert_eq!(applied(&none).1[0].misses, [Miss::NoPackage]);
}

#[test]
fn the_newest_statement_counts_wherever_it_stands() {
    let product = "pkg:deb/debian/libssl3@3.0.13-1?arch=source";
    let later = says("under_investigation", product).replacen(
        '{',
        r#"{"timestamp":"2024-06-01T00:00:00Z","#,
        1,
    );
    let (report, outcomes) = applied(&format!("{later},{}", says("not_affected", product)));
    let finding = &report.verdicts[0].findings[0];
    assert_eq!(finding.standing, Standing::Counts);
    assert_eq!(
        finding.remark.as_ref().unwrap().claim,
        Claim::UnderInvestigation
    );
    let order: Vec<usize> = outcomes.iter().map(|outcome| outcome.statement).collect();
    assert_eq!(order, [0, 1], "in the order of the document");
}

#[test]
fn a_statement_about_a_part_holds_only_within_its_product() {
    let part = r#"{"vulnerability":"CVE-2024-1","products":[{"@id":"pkg:oci/shop","subcomponents":[{"@id":"pkg:deb/debian/openssl"}]}],"status":"fixed"}"#;
    let (inventory, mut report) = debian("3.0.13-1");
    let statements = read(part);
    let outcomes = statements.apply(&mut report, &inventory, Some("pkg:oci/other"));
    assert_eq!(
        outcomes[0].misses,
        [Miss::OtherProduct("pkg:oci/shop".into())]
    );
    assert_eq!(report.verdicts[0].status(), Status::Affected);
    let outcomes = statements.apply(&mut report, &inventory, Some("pkg:oci/shop"));
    assert_eq!(outcomes[0].findings, 1);
    assert_eq!(report.verdicts[0].status(), Status::NotAffected);
}

#[test]
fn names_are_compared_as_each_ecosystem_writes_them() {
    for (scope, name, version, product) in [
        ("npm", "@a/b", "1.0.0", "pkg:npm/@a/b@1.0.0"),
        ("Maven", "org.a:b", "1.0", "pkg:maven/org.a/b@1.0.0"),
        (
            "PyPI",
            "Zope_Interface",
            "1.0",
            "pkg:pypi/zope.interface@1.0.0",
        ),
        ("npm", "JSONStream", "1.0.0", "pkg:npm/JSONStream@1.0.0"),
        (
            "NuGet",
            "newtonsoft.json",
            "13.0.1",
            "pkg:nuget/Newtonsoft.Json@13.0.1",
        ),
        (
            "Go",
            "github.com/a/b",
            "v1.0.0",
            "pkg:golang/github.com/a/b@v1.0.0",
        ),
        ("crates.io", "a", "1.0.0", "pkg:cargo/a"),
        ("Packagist", "a/b", "v1.0.0", "pkg:composer/a/b@1.0.0"),
        (
            "Rocky Linux:9",
            "a",
            "1:1.0-1.el9",
            "pkg:rpm/rocky/a@1.0-1.el9?epoch=1&distro=rocky-9.4",
        ),
        (
            "Alpine:v3.20",
            "a",
            "1.0-r0",
            "pkg:apk/alpine/a@1.0-r0?distro=alpine-3.20.3",
        ),
    ] {
        let package = package(scope, name, version);
        let inventory = Inventory {
            packages: vec![package],
            ..Inventory::default()
        };
        let named = named::Packages::of(&inventory);
        let product: Purl = product.parse().unwrap();
        let found: Vec<_> = named.named(&product).collect();
        assert_eq!(found, [(0, Ok(()))], "{product}");
    }
}

#[test]
fn what_is_no_statement_is_an_error_with_its_place() {
    let good = says("not_affected", "pkg:deb/debian/a");
    for (text, place) in [
        (
            document(&good).replace("openvex.dev/ns", "example.com"),
            "@context",
        ),
        (document(&good).replace("\"us\"", "1"), "author"),
        (
            document(&good.replace("not_affected", "fine")),
            "statements[0].status",
        ),
        (
            document(&good.replace("vulnerable_code_not_present", "")),
            "statements[0]",
        ),
        (
            document(&good.replace("\"name\"", "\"id\"")),
            "statements[0].vulnerability",
        ),
        (
            document(&good.replace("\"@id\"", "\"id\"")),
            "statements[0].products[0]",
        ),
        (document("3"), "statements[0]"),
        ("{".to_owned(), "the document"),
    ] {
        let error = Statements::from_openvex("a.json", text.as_bytes()).unwrap_err();
        let Error::Statements { place: found, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(found.to_string(), format!("{place}, line 1"), "{error}");
    }
}

#[test]
fn fuzz_statements_are_applied_or_refused() {
    let good = document(&format!(
        "{},{}",
        says(
            "not_affected",
            "pkg:deb/debian/openssl@3.0.13-1?distro=debian-12"
        ),
        r#"{"vulnerability":"CVE-2024-1","products":[{"@id":"p","identifiers":{"purl":"pkg:npm/a"},"subcomponents":["pkg:deb/debian/openssl"]}],"status":"fixed"}"#
    ));
    let words: &[&[u8]] = &[
        b"fixed",
        b"affected",
        b"null",
        b"[]",
        b"{}",
        b"pkg:",
        b"@",
        b"?",
        b"\"timestamp\":\"2024-01-01T00:00:00Z\",",
        b"products",
    ];
    testkit::fuzz(8_000, &[good.into_bytes()], words, |bytes| {
        let Ok(statements) = Statements::from_openvex("a", bytes) else {
            return;
        };
        let (inventory, mut report) = debian("3.0.13-1");
        let outcomes = statements.apply(&mut report, &inventory, Some("p"));
        assert_eq!(outcomes.len(), statements.statements.len());
        assert!(
            outcomes
                .iter()
                .all(|one| one.findings > 0 || !one.misses.is_empty())
        );
    });
}
