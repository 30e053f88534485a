//! What an advisory says, and what it may not.

use super::super::*;
use crate::{Ecosystem, Error, Scope};

const GOOD: &str = r#"{
  "schema_version": "1.7.3", "id": "GHSA-aaaa-bbbb-cccc", "modified": "2024-05-01T10:00:00.123456Z",
  "published": "2024-04-01T00:00:00Z", "withdrawn": null, "aliases": ["CVE-2024-0001"], "related": ["CVE-2024-0002"],
  "upstream": ["CVE-2024-0003"], "summary": "a summary\nof two lines", "details": {"any": ["thing", 1.5e3, true]},
  "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},
               {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}],
  "affected": [{
    "package": {"ecosystem": "Debian:12", "name": "openssl", "purl": "pkg:deb/debian/openssl"},
    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.14-1~deb12u1"}]},
               {"type": "GIT", "repo": "https://example.com/a.git", "events": [{"introduced": "0"}, {"limit": "abc"}]}],
    "versions": ["3.0.11-1"], "database_specific": {"severity": "Important"}}],
  "references": [{"type": "WEB", "url": "https://example.com"}],
  "database_specific": {"severity": "CRITICAL"}, "something_new": [[[]]]
}"#;

#[test]
fn an_advisory_is_read_and_unknown_fields_are_passed_over() {
    let read = Advisory::from_json("a.json", GOOD.as_bytes()).unwrap();
    assert_eq!(read.id, "GHSA-aaaa-bbbb-cccc");
    assert_eq!(read.summary, "a summary");
    assert_eq!(read.withdrawn, None);
    assert_eq!(read.modified.to_string(), "2024-05-01T10:00:00.123Z");
    assert_eq!(read.severity[0].score_tenths, Some(98));
    assert_eq!(read.score_tenths(), Some(93));
    assert_eq!(read.rating, Some(Rating::Critical));
    let affected = &read.affected[0];
    assert_eq!(affected.rating, Some(Rating::High));
    let scope = affected.package.as_ref().unwrap().scope.clone().unwrap();
    assert_eq!(scope.ecosystem, Ecosystem::Debian);
    assert_eq!(scope.release.as_deref(), Some("12"));
    assert_eq!(
        affected.ranges[0].events[1],
        Event::Fixed("3.0.14-1~deb12u1".into())
    );
    assert_eq!(affected.ranges[1].kind, RangeKind::Git);
}

#[test]
fn an_ecosystem_that_is_not_known_is_kept_as_it_is_written() {
    let text = GOOD.replace("Debian:12", "SwiftURL");
    let read = Advisory::from_json("a.json", text.as_bytes()).unwrap();
    let package = read.affected[0].package.clone().unwrap();
    assert_eq!(
        (package.ecosystem.as_str(), package.scope),
        ("SwiftURL", None)
    );
}

/// A text, what stands in its place, the field that is then wrong, and what is said of it.
const WRONG: &[(&str, &str, &str, &str)] = &[
    (
        "\"GHSA-aaaa-bbbb-cccc\"",
        "7",
        "id",
        "a text is expected, not a number",
    ),
    ("GHSA-aaaa-bbbb-cccc", "a b", "id", "no name of an advisory"),
    (
        "2024-05-01T10:00:00.123456Z",
        "yesterday",
        "modified",
        "is not a time",
    ),
    ("1.7.3", "2.0.0", "schema_version", "not known here"),
    (
        "\"fixed\": \"3",
        "\"mended\": \"3",
        "affected[0].ranges[0].events[1]",
        "none of introduced",
    ),
    (
        "{\"introduced\": \"0\"}, {\"fixed\"",
        "{\"fixed\"",
        "affected[0].ranges[0].events",
        "introduced",
    ),
    (
        "\"fixed\": \"3.0.14-1~deb12u1\"",
        "\"fixed\": 3",
        "affected[0].ranges[0].events[1].fixed",
        "a text is expected",
    ),
    (
        "ECOSYSTEM",
        "MAGIC",
        "affected[0].ranges[0].type",
        "none of SEMVER",
    ),
    (
        "\"repo\": \"https://example.com/a.git\", ",
        "",
        "affected[0].ranges[1]",
        "`repo` is missing",
    ),
    (
        "\"name\": \"openssl\"",
        "\"name\": \"\"",
        "affected[0].package.name",
        "not a text of 1",
    ),
    (
        "[\"3.0.11-1\"]",
        "\"3.0.11-1\"",
        "affected[0].versions",
        "a list is expected",
    ),
    (
        "[\"3.0.11-1\"]",
        "[null]",
        "affected[0].versions[0]",
        "a text is expected, not nothing",
    ),
    ("\"aliases\"", "\"id\"", "the document", "stands here again"),
];

#[test]
fn what_is_wrong_is_told_with_its_field() {
    for (from, to, field, problem) in WRONG {
        assert!(GOOD.contains(*from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let error = Advisory::from_json("a.json", text.as_bytes()).unwrap_err();
        let Error::Advisory {
            file,
            place,
            problem: said,
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(file, "a.json");
        let at = if place.field.is_empty() {
            "the document"
        } else {
            &place.field
        };
        assert_eq!(at, *field, "{error}");
        assert!(said.contains(problem), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn versions_in_yaml_are_texts_and_places_have_lines() {
    let good = "id: PYSEC-1\nmodified: 2024-01-01T00:00:00Z\naffected:\n- package:\n    ecosystem: PyPI\n    name: a\n  versions:\n  - 1.10\n  - 2\n";
    let read = Advisory::from_yaml("a.yaml", good).unwrap();
    assert_eq!(read.affected[0].versions, ["1.10", "2"]);
    let error = Advisory::from_yaml("a.yaml", &good.replace("- 2", "- [2]")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the advisory `a.yaml` was not read: affected[0].versions[1], line 9: a text is expected, not a list"
    );
    for bomb in [
        "id: &a x\n",
        "id: *a\n",
        "id: !!str x\n",
        "a: 1\n---\nb: 2\n",
        "? [a]\n: b\n",
        "",
    ] {
        assert!(Advisory::from_yaml("a.yaml", bomb).is_err(), "{bomb}");
    }
}

const RUSTSEC: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2024-0001\"\npackage = \"a\"\ndate = \"2024-01-31\"\ncvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H\"\ninformational = \"unsound\"\naliases = [\"CVE-2024-1\"]\n\n[versions]\npatched = [\">= 1.2.3\"]\n```\n\n# Title of it\n\nText\n";

#[test]
fn rustsecs_own_format_becomes_the_same_record() {
    let read = Advisory::from_rustsec("a.md", RUSTSEC, Collection::Crates).unwrap();
    assert_eq!(read.summary, "Title of it");
    assert_eq!(read.score_tenths(), Some(75));
    assert_eq!(read.informational.as_deref(), Some("unsound"));
    assert_eq!(read.published, Some(read.modified));
    let package = read.affected[0].package.clone().unwrap();
    assert_eq!(package.scope, Some(Scope::of(Ecosystem::CratesIo)));
    let events = &read.affected[0].ranges[0].events;
    assert_eq!(
        events[..],
        [Event::Introduced("0".into()), Event::Fixed("1.2.3".into())]
    );
    let std = Advisory::from_rustsec("a.md", RUSTSEC, Collection::Toolchain).unwrap();
    assert_eq!(
        std.affected[0].package.as_ref().unwrap().scope,
        None,
        "`std` is no crate"
    );
}

#[test]
fn what_is_wrong_in_rustsecs_format_is_told_with_its_line() {
    for (from, to, place, problem) in [
        (
            ">= 1.2.3",
            ">= one",
            "versions.patched[0], line 11",
            "no requirement",
        ),
        ("2024-01-31", "January", "advisory.date, line 5", "no day"),
        ("patched = [", "patched = [[", "the document, line 1", ""),
        (
            "patched",
            "mended",
            "versions, line 10",
            "`patched` is missing",
        ),
        ("```toml", "toml", "the document, line 1", "begins with"),
        ("```\n\n#", "\n\n#", "the document, line 1", "does not end"),
    ] {
        let text = RUSTSEC.replacen(from, to, 1);
        let error = Advisory::from_rustsec("a.md", &text, Collection::Crates).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(place) && said.contains(problem), "{said}");
    }
}
