//! The whole way: files of two ecosystems become packages, these are held against the published
//! databases, and statements are put on what is found.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::Timestamp;

use crate::inventory::{self, Format, Inventory, Options};
use crate::osv::tests::{pypa, rustsec};
use crate::sbom::{Head, write_cyclonedx};
use crate::testing::{NOW, POLICY, advisory, feed, fixed, index};
use crate::{
    Advisory, Builder, Collection, Ecosystem, Error, Feed, Index, Miss, Package, Reason, Report,
    Scope, Standing, Statements, Status, Verdict, scan,
};

const CARGO: &[u8] = include_bytes!("../testdata/scan/Cargo.lock");
const UV: &[u8] = include_bytes!("../testdata/scan/uv.lock");
const DPKG: &[u8] = include_bytes!("../testdata/inventory/dpkg/var/lib/dpkg/status");

fn read(path: &str, bytes: &[u8]) -> Inventory {
    inventory::read(
        inventory::recognise(path).unwrap(),
        bytes,
        &Options::default(),
    )
    .unwrap()
}

/// The published databases in one index; a test without them says so.
fn published() -> Option<&'static Index> {
    static INDEX: LazyLock<Option<Index>> = LazyLock::new(|| {
        let mut builder = Builder::new();
        for (ecosystem, all) in [
            (Ecosystem::CratesIo, rustsec()?),
            (Ecosystem::PyPi, pypa()?),
        ] {
            let id = builder.feed(feed(ecosystem)).unwrap();
            for advisory in &all {
                builder.add(id, advisory).unwrap();
            }
        }
        Some(builder.finish().unwrap())
    });
    let index = INDEX.as_ref();
    if index.is_none() {
        println!("skipped: the published databases are not here");
    }
    index
}

/// What is said of each package, in one line: status, then each finding with what decided.
fn told(packages: &[Package], report: &Report) -> Vec<String> {
    assert_eq!(packages.len(), report.verdicts.len());
    let lines = packages.iter().zip(&report.verdicts);
    lines
        .map(|(package, verdict)| {
            let Package { name, version, .. } = package;
            format!("{name} {version}: {}", said(verdict))
        })
        .collect()
}

fn said(verdict: &Verdict) -> String {
    let mut parts = vec![match verdict.status() {
        Status::Affected => "affected".to_owned(),
        Status::NotAffected => "not affected".to_owned(),
        Status::Unknown(reason) => format!("unknown: {reason}"),
    }];
    for finding in &verdict.findings {
        for cause in &finding.causes {
            parts.push(format!("{} {}: {}", finding.name, cause.id, cause.decision));
        }
    }
    if let Some(upgrade) = &verdict.upgrade {
        parts.push(format!("upgrade to {upgrade}"));
    }
    parts.join("; ")
}

const ELSEWHERE: &str =
    "unknown: it comes from elsewhere than the registry whose packages advisories are about";

/// By hand, from the advisories' own words: of `time`, every 0.1 is affected and 0.2.0 to 0.2.6 are
/// not; PYSEC-2019-217 ends before 2.10.1, PYSEC-2021-66 before 2.11.3; none is of Requests 2.31.0.
#[test]
fn lockfiles_of_two_ecosystems_against_the_published_databases() {
    let Some(index) = published() else { return };
    let cargo = read("Cargo.lock", CARGO);
    let report = scan(&cargo.packages, index, NOW, &POLICY);
    assert_eq!(
        told(&cargo.packages, &report),
        [
            &format!("clock 0.1.0: {ELSEWHERE}"),
            "itoa 1.0.11: not affected",
            &format!("patched 2.0.0: {ELSEWHERE}"),
            "time 0.1.42: affected; CVE-2020-26235 RUSTSEC-2020-0071: in every version from the first, fixed in 0.2.0; upgrade to 0.2.0",
            "time 0.3.36: affected; CVE-2026-25727 RUSTSEC-2026-0009: introduced in 0.3.6, fixed in 0.3.47; upgrade to 0.3.47",
        ]
    );
    assert_eq!(report.verdicts[3].findings[0].score_tenths, Some(62));
    let uv = read("uv.lock", UV);
    let report = scan(&uv.packages, index, NOW, &POLICY);
    assert_eq!(
        told(&uv.packages, &report),
        [
            "jinja2 2.10: affected; CVE-2019-10906 PYSEC-2019-217: in every version from the first, fixed in 2.10.1; CVE-2020-28493 PYSEC-2021-66: in every version from the first, fixed in 2.11.3; upgrade to 2.11.3",
            "requests 2.31.0: not affected",
            &format!("shop 0.1.0: {ELSEWHERE}"),
        ]
    );
    // Days later, with the same index: what is affected still is, what was not is no longer known.
    let later = Timestamp::from_millis(NOW.as_millis() + 3 * 24 * 3_600_000);
    let report = scan(&uv.packages, index, later, &POLICY);
    assert_eq!(report.verdicts[0].status(), Status::Affected);
    assert!(matches!(
        report.verdicts[1].status(),
        Status::Unknown(Reason::Stale { .. })
    ));
}

#[test]
fn what_no_feed_covers_is_unknown_and_what_names_no_version_is_a_gap() {
    let Some(index) = published() else { return };
    let npm = br#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0"}}}"#;
    let npm = read("package-lock.json", npm);
    let report = scan(&npm.packages, index, NOW, &POLICY);
    assert_eq!(
        told(&npm.packages, &report),
        ["a 1.0.0: unknown: no feed covers its ecosystem"]
    );
    let requirements = read("requirements.txt", b"Jinja2==2.10\nrequests>=2\n");
    let report = scan(&requirements.packages, index, NOW, &POLICY);
    let told = told(&requirements.packages, &report);
    assert!(told[0].starts_with("jinja2 2.10: affected"), "{told:?}");
    assert_eq!(told.len(), 1);
    assert_eq!(requirements.gaps[0].subject, "requests");
    assert_eq!(requirements.gaps[0].line, 2);
}

#[test]
fn a_bill_of_materials_read_back_has_the_same_verdicts() {
    let Some(index) = published() else { return };
    let inventories = [read("Cargo.lock", CARGO), read("uv.lock", UV)];
    let head = Head {
        serial: "3e671687-395b-41f5-a30f-a58921a69b79".to_owned(),
        created: "2026-11-26T17:00:00Z".to_owned(),
        subject: "shop".to_owned(),
        subject_version: None,
    };
    let bill = write_cyclonedx(&inventories.each_ref(), &head).unwrap();
    let again = read("bom.json", bill.as_bytes());
    assert_eq!(again.gaps, []);
    let verdicts = |packages: &[Package]| -> BTreeMap<(String, String), Verdict> {
        let report = scan(packages, index, NOW, &POLICY);
        let names = packages.iter().map(|package| {
            let Package { name, version, .. } = package;
            (name.clone(), version.clone())
        });
        names.zip(report.verdicts).collect()
    };
    let before: Vec<Package> = inventories
        .iter()
        .flat_map(|one| one.packages.clone())
        .collect();
    assert_eq!(before.len(), 8);
    assert_eq!(verdicts(&again.packages), verdicts(&before));
}

fn vex(vulnerability: &str, product: &str) -> String {
    format!(
        r#"{{"vulnerability":{{"name":"{vulnerability}"}},"products":[{{"@id":"{product}"}}],"status":"not_affected","justification":"vulnerable_code_not_in_execute_path"}}"#
    )
}

fn statements(all: &[String]) -> Statements {
    let text = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"us","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{}]}}"#,
        all.join(",")
    );
    Statements::from_openvex("vex.json", text.as_bytes()).unwrap()
}

#[test]
fn statements_speak_of_packages_that_a_lockfile_names() {
    let aliases = r#","aliases":["CVE-2020-26235"]"#;
    let all = [advisory(
        "R-1",
        "crates.io",
        "time",
        &fixed(&[("0", "0.2.23")]),
        aliases,
    )];
    let index = index(Ecosystem::CratesIo, &all);
    let cargo = read("Cargo.lock", CARGO);
    let mut report = scan(&cargo.packages, &index, NOW, &POLICY);
    assert_eq!(report.verdicts[3].status(), Status::Affected);
    let outcomes = statements(&[
        vex("CVE-2020-26235", "pkg:cargo/time@0.1.42"),
        vex("CVE-2020-26235", "pkg:cargo/time@0.1.43"),
        vex("CVE-2020-26236", "pkg:cargo/time"),
        vex("CVE-2020-26235", "pkg:cargo/chrono"),
        vex("CVE-2020-26235", "time 0.1.42"),
    ])
    .apply(&mut report, &cargo, None);
    assert_eq!(report.verdicts[3].status(), Status::NotAffected);
    let Standing::Suppressed(stated) = &report.verdicts[3].findings[0].standing else {
        panic!("{report:?}");
    };
    assert_eq!(
        stated.why.as_deref(),
        Some("vulnerable_code_not_in_execute_path")
    );
    let idle: Vec<bool> = outcomes.iter().map(|outcome| outcome.is_idle()).collect();
    assert_eq!(idle, [false, true, true, true, true]);
    let misses: Vec<&Miss> = outcomes.iter().flat_map(|one| &one.misses).collect();
    assert_eq!(
        misses,
        [
            &Miss::Version("0.3.36".into()),
            &Miss::NoFinding,
            &Miss::NoPackage,
            &Miss::Unreadable("time 0.1.42".into()),
        ]
    );
}

#[test]
fn statements_speak_of_packages_of_a_debian_system() {
    let aliases = r#","aliases":["CVE-2024-1"]"#;
    let all = [advisory(
        "DSA-1",
        "Debian:12",
        "openssl",
        &fixed(&[("0", "3.0.14-1")]),
        aliases,
    )];
    let index = index(Ecosystem::Debian, &all);
    // The release as os-release has it, without its updates or with them.
    for release in ["12", "12.13"] {
        let options = Options {
            scope: Some(Scope {
                ecosystem: Ecosystem::Debian,
                release: Some(release.to_owned()),
            }),
            ..Options::default()
        };
        let dpkg = inventory::read(Format::DpkgStatus, DPKG, &options).unwrap();
        let at = dpkg
            .packages
            .iter()
            .position(|package| package.name == "libssl3");
        let at = at.unwrap();
        for (product, holds) in [
            ("pkg:deb/debian/openssl?distro=debian-12", true),
            ("pkg:deb/debian/openssl?distro=debian-12.13", true),
            (
                "pkg:deb/debian/openssl@3.0.11-1~deb12u2?distro=bookworm",
                true,
            ),
            (
                "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?distro=debian-12",
                true,
            ),
            (
                "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?upstream=openssl",
                true,
            ),
            ("pkg:deb/debian/openssl?distro=debian-11", false),
            ("pkg:deb/debian/openssl?distro=ubuntu-12", false),
            ("pkg:deb/debian/openssl@3.0.11-1~deb12u1", false),
            ("pkg:deb/ubuntu/openssl", false),
            ("pkg:deb/debian/openssl?arch=riscv64", false),
            (
                "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12.13",
                true,
            ),
        ] {
            let mut report = scan(&dpkg.packages, &index, NOW, &POLICY);
            assert_eq!(report.verdicts[at].status(), Status::Affected);
            let statements = statements(&[vex("CVE-2024-1", product)]);
            let outcomes = statements.apply(&mut report, &dpkg, None);
            let expected = if holds {
                Status::NotAffected
            } else {
                Status::Affected
            };
            assert_eq!(
                report.verdicts[at].status(),
                expected,
                "{release} {product}"
            );
            assert_eq!(outcomes[0].is_idle(), !holds, "{product}: {outcomes:?}");
            assert_eq!(outcomes[0].misses.is_empty(), holds, "{product}");
        }
    }
}

/// The lines that the README shows.
fn in_short(
    bytes: &[u8],
    advisories: &[(String, String)],
    vex: &[u8],
    (fetched, now): (Timestamp, Timestamp),
) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    let inventory = inventory::read(Format::CargoLock, bytes, &Options::default())?;
    let mut builder = Builder::new();
    let name = "RustSec".to_owned();
    let ecosystem = Ecosystem::CratesIo;
    let feed = builder.feed(Feed {
        name,
        ecosystem,
        fetched,
    })?;
    for (file, text) in advisories {
        let advisory = Advisory::from_rustsec(file, text, Collection::Crates)?;
        builder.add(feed, &advisory)?;
    }
    let index = builder.finish()?;
    let mut report = scan(&inventory.packages, &index, now, &POLICY);
    let statements = Statements::from_openvex("vex.json", vex)?;
    let outcomes = statements.apply(&mut report, &inventory, None);
    for (package, verdict) in inventory.packages.iter().zip(&report.verdicts) {
        let (name, version) = (&package.name, &package.version);
        lines.push(format!("{name} {version}: {:?}", verdict.status()));
    }
    assert!(outcomes.iter().all(|outcome| !outcome.is_idle()));
    Ok(lines)
}

#[test]
fn the_lines_of_the_readme_are_these() {
    let readme = include_str!("../README.md");
    let shown = readme.split("```rust\n").nth(1).unwrap();
    let shown = shown.split("```").next().unwrap();
    let own = include_str!("tests.rs");
    let is_own = |line: &str| own.lines().any(|own| own.trim() == line.trim());
    assert!(shown.lines().count() > 10);
    for line in shown.lines() {
        assert!(is_own(line), "{line}");
    }
    let advisory = "```toml\n[advisory]\nid = \"RUSTSEC-2020-0071\"\npackage = \"time\"\ndate = \"2020-11-18\"\n[versions]\npatched = [\">= 0.2.23\"]\n```\n# T\n";
    let advisories = [("a.md".to_owned(), advisory.to_owned())];
    let document = |product: &str| {
        format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","author":"us","timestamp":"2026-01-01T00:00:00Z","statements":[{}]}}"#,
            vex("RUSTSEC-2020-0071", product)
        )
    };
    let times = (NOW, NOW);
    let told = in_short(
        CARGO,
        &advisories,
        document("pkg:cargo/time").as_bytes(),
        times,
    );
    assert_eq!(told.unwrap()[3], "time 0.1.42: NotAffected");
    // Each part's own error is one of the crate, with what to do.
    let error = in_short(b"version = 9\n", &[], b"", times).unwrap_err();
    assert!(matches!(error, Error::Inventory(_)), "{error:?}");
    assert!(error.hint().is_some());
    let error = in_short(CARGO, &[], b"{}", times).unwrap_err();
    assert!(matches!(error, Error::Statements { .. }), "{error:?}");
}
