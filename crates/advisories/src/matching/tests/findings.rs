//! What is told of a vulnerability.

use crate::testing::{NOW, POLICY, advisory, asked, fixed, index, package};
use crate::{
    Advisory, Ecosystem, Finding, Informational, Policy, Rating, Standing, Status, Verdict, scan,
};

fn found(advisories: &[Advisory], version: &str) -> Verdict {
    let index = index(Ecosystem::Npm, advisories);
    asked(&index, &package("npm", "a", version))
        .verdicts
        .remove(0)
}

fn about(id: &str, pairs: &[(&str, &str)], more: &str) -> Advisory {
    advisory(id, "npm", "a", &fixed(pairs), more)
}

fn names(verdict: &Verdict) -> Vec<&str> {
    verdict
        .findings
        .iter()
        .map(|finding| finding.name.as_str())
        .collect()
}

#[test]
fn advisories_of_one_vulnerability_are_one_finding() {
    let verdict = found(
        &[
            about(
                "GHSA-1",
                &[("0", "1.2.0")],
                r#","aliases":["CVE-2024-1"],"database_specific":{"severity":"LOW"}"#,
            ),
            about(
                "RUSTSEC-1",
                &[("0", "1.3.0")],
                r#","aliases":["CVE-2024-1"],"database_specific":{"severity":"HIGH"}"#,
            ),
            about("OTHER-1", &[("0", "9.0.0")], r#","related":["CVE-2024-1"]"#),
            // Through two others.
            about("X-1", &[("0", "2.0.0")], r#","aliases":["X-2"]"#),
            about("Y-1", &[("0", "2.0.0")], r#","aliases":["X-2","GHSA-1"]"#),
        ],
        "1.0.0",
    );
    assert_eq!(names(&verdict), ["CVE-2024-1", "OTHER-1"]);
    let finding = &verdict.findings[0];
    let ids: Vec<&str> = finding
        .causes
        .iter()
        .map(|cause| cause.id.as_str())
        .collect();
    assert_eq!(ids, ["GHSA-1", "RUSTSEC-1", "X-1", "Y-1"]);
    assert_eq!(finding.rating, Some(Rating::High));
    assert_eq!(
        finding.names,
        ["CVE-2024-1", "GHSA-1", "RUSTSEC-1", "X-1", "X-2", "Y-1"]
    );
    assert_eq!(finding.fixed.as_deref(), Some("2.0.0"), "of all of them");
}

#[test]
fn one_vulnerability_upstream_is_another_name_and_several_are_not() {
    let verdict = found(
        &[
            about(
                "UBUNTU-CVE-2024-1",
                &[("0", "1.2.0")],
                r#","upstream":["CVE-2024-1"]"#,
            ),
            about("GHSA-1", &[("0", "1.2.0")], r#","aliases":["CVE-2024-1"]"#),
            about(
                "USN-1",
                &[("0", "1.2.0")],
                r#","upstream":["CVE-2024-1","CVE-2024-2"]"#,
            ),
        ],
        "1.0.0",
    );
    assert_eq!(names(&verdict), ["CVE-2024-1", "USN-1"]);
}

#[test]
fn the_range_that_decided_is_told() {
    let ranges = r#""ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"0.5.0"},{"introduced":"1.0.0"},{"fixed":"1.2.3"},{"introduced":"2.0.0"},{"last_affected":"2.1.0"},{"introduced":"3.0.0"}]}],"versions":["2.5.0"]"#;
    let advisories = [advisory(
        "A-1",
        "npm",
        "a",
        ranges,
        r#","summary":"what it is""#,
    )];
    for (version, text) in [
        ("0.1.0", "in every version from the first, fixed in 0.5.0"),
        ("1.1.0", "introduced in 1.0.0, fixed in 1.2.3"),
        ("2.1.0", "introduced in 2.0.0, up to 2.1.0"),
        ("2.5.0", "2.5.0 is listed"),
        ("3.5.0", "introduced in 3.0.0, no fix is known"),
    ] {
        let verdict = found(&advisories, version);
        let cause = &verdict.findings[0].causes[0];
        assert_eq!(cause.decision.to_string(), text);
        assert_eq!(cause.summary, "what it is");
    }
}

#[test]
fn the_nearest_fix_is_one_that_no_advisory_affects() {
    let advisories = [
        about("A-1", &[("0", "1.2.0"), ("2.0.0", "2.0.5")], ""),
        about("B-1", &[("0", "1.3.0"), ("2.0.0", "2.0.6")], ""),
        about("C-1", &[("1.3.0", "1.4.0")], ""),
    ];
    let verdict = found(&advisories, "1.0.0");
    assert_eq!(names(&verdict), ["A-1", "B-1"]);
    let fixes: Vec<_> = verdict
        .findings
        .iter()
        .map(|one| one.fixed.as_deref())
        .collect();
    assert_eq!(fixes, [Some("1.2.0"), Some("1.3.0")]);
    assert_eq!(
        verdict.upgrade.as_deref(),
        Some("1.4.0"),
        "1.3.0 has another"
    );
    let verdict = found(&advisories, "2.0.0");
    assert_eq!(verdict.upgrade.as_deref(), Some("2.0.6"));
    let open = [
        about("A-1", &[("0", "1.2.0")], ""),
        advisory(
            "D-1",
            "npm",
            "a",
            r#""ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]"#,
            "",
        ),
    ];
    let verdict = found(&open, "1.0.0");
    assert_eq!(verdict.upgrade, None, "nothing is without D-1");
    assert_eq!(verdict.findings[0].fixed.as_deref(), Some("1.2.0"));
}

#[test]
fn the_gravest_comes_first() {
    let cvss =
        |vector: &str| format!(r#","severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/{vector}"}}]"#);
    let verdict = found(
        &[
            about("A-1", &[("0", "2.0.0")], ""),
            about(
                "B-1",
                &[("0", "2.0.0")],
                &cvss("AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"),
            ),
            about(
                "C-1",
                &[("0", "2.0.0")],
                &cvss("AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"),
            ),
            about(
                "D-1",
                &[("0", "2.0.0")],
                r#","database_specific":{"severity":"CRITICAL"}"#,
            ),
        ],
        "1.0.0",
    );
    assert_eq!(names(&verdict), ["C-1", "D-1", "B-1", "A-1"]);
    let scores: Vec<_> = verdict
        .findings
        .iter()
        .map(|one| one.score_tenths)
        .collect();
    assert_eq!(scores, [Some(100), None, Some(18), None]);
    assert_eq!(verdict.findings[2].rating, Some(Rating::Low));
}

fn note(text: &str) -> Advisory {
    let file = format!(
        "```toml\n[advisory]\nid = \"R-1\"\npackage = \"a\"\ndate = \"2024-01-31\"\ninformational = \"{text}\"\n[versions]\npatched = []\n```\n# T\n"
    );
    Advisory::from_rustsec("a", &file, crate::Collection::Crates).unwrap()
}

#[test]
fn what_is_no_vulnerability_counts_only_where_the_policy_says_so() {
    let index = index(Ecosystem::CratesIo, &[note("unmaintained")]);
    let package = package("crates.io", "a", "1.0.0");
    let verdict = asked(&index, &package).verdicts.remove(0);
    assert_eq!(verdict.status(), Status::NotAffected);
    assert_eq!(verdict.findings[0].standing, Standing::Noted);
    assert_eq!(
        verdict.findings[0].informational.as_deref(),
        Some("unmaintained")
    );
    let strict = Policy {
        informational: Informational::Count,
        ..POLICY
    };
    let report = scan(&[package], &index, NOW, &strict);
    assert_eq!(report.verdicts[0].status(), Status::Affected);
    assert!(report.verdicts[0].findings.iter().all(Finding::counts));
}

#[test]
fn an_advisory_of_two_feeds_is_told_once() {
    let twice = [
        about("A-1", &[("0", "2.0.0")], ""),
        about("A-1", &[("0", "2.0.1")], ""),
    ];
    let verdict = found(&twice, "1.0.0");
    assert_eq!(verdict.findings.len(), 1);
    assert_eq!(verdict.findings[0].causes.len(), 1);
    assert_eq!(
        verdict.findings[0].fixed.as_deref(),
        Some("2.0.1"),
        "both are believed"
    );
}

#[test]
fn an_advisory_with_very_many_ranges_and_versions_is_indexed_and_asked_in_time() {
    let pairs: Vec<(String, String)> = (0..9_000)
        .map(|at| (format!("{at}.0.0"), format!("{at}.0.1")))
        .collect();
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let versions: Vec<String> = (0..9_000).map(|at| format!("\"{at}.5.0\"")).collect();
    let affected = format!("{},\"versions\":[{}]", fixed(&pairs), versions.join(","));
    let verdict = found(&[advisory("A-1", "npm", "a", &affected, "")], "17.0.0");
    assert_eq!(verdict.status(), Status::Affected);
    assert_eq!(verdict.upgrade.as_deref(), Some("17.0.1"));
}

#[test]
fn names_that_thousands_share_are_grouped_in_time() {
    let advisories: Vec<Advisory> = (0..3_000)
        .map(|at| {
            about(
                &format!("A-{at}"),
                &[("0", "2.0.0")],
                &format!(r#","aliases":["N-{at}","N-{}"]"#, at + 1),
            )
        })
        .collect();
    let verdict = found(&advisories, "1.0.0");
    assert_eq!(verdict.findings.len(), 1);
    assert_eq!(verdict.findings[0].causes.len(), 3_000);
}
