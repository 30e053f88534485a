//! Damaged, deep and swollen advisories.

use super::super::*;

const OSV: &str = r#"{"id":"A-1","modified":"2024-05-01T10:00:00Z","aliases":["CVE-1"],"severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}],"affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.0.0"}]}],"versions":["0.1.0"]}]}"#;
const YAML: &str = "id: A-1\nmodified: 2024-05-01T10:00:00Z\naffected:\n- package: {ecosystem: PyPI, name: a}\n  ranges:\n  - type: ECOSYSTEM\n    events:\n    - introduced: \"0\"\n    - last_affected: '1.0'\n";
const RUSTSEC: &str = "```toml\n[advisory]\nid = \"R-1\"\npackage = \"a\"\ndate = \"2024-01-31\"\ncvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H\"\n[versions]\npatched = [\"^1.2.3\", \">= 2.0.0-rc.1, < 3\"]\nunaffected = [\"< 0.1\"]\n```\n# T\n";

#[test]
fn what_is_deep_or_swollen_is_refused() {
    for depth in [65, 127, 1_000, 100_000] {
        let json = format!("{{\"id\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(Advisory::from_json("a", json.as_bytes()).is_err());
        let yaml = format!("id: {}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Advisory::from_yaml("a", &yaml).is_err());
        let toml = format!(
            "```toml\na = {}{}\n```\n",
            "[".repeat(depth),
            "]".repeat(depth)
        );
        assert!(Advisory::from_rustsec("a", &toml, Collection::Crates).is_err());
    }
    let swollen = format!("[{}1]", "1,".repeat(Limits::ADVISORIES.values));
    let error = Advisory::from_json("a", swollen.as_bytes()).unwrap_err();
    assert!(
        error.to_string().contains("more than 1000000 values"),
        "{error}"
    );
    let long = " ".repeat(Limits::ADVISORIES.bytes + 1);
    assert!(Advisory::from_json("a", long.as_bytes()).is_err());
    assert!(Advisory::from_yaml("a", &long).is_err());
    assert!(Advisory::from_rustsec("a", &long, Collection::Crates).is_err());
}

#[test]
fn texts_that_nest_or_repeat_in_every_way_are_read_or_refused_in_time() {
    let many = 60_000;
    for piece in [
        "- ", "? ", "[", "{", "{a: ", "a: ", "- - ", "\"", "'", "|\n ", ">\n\n", "#", "&a ", "*a ",
        "!!x ", "%", "--- ", "...\n", "\t", "a:\n ", ": ", ",", "<<: ", "\\", "\u{feff}",
    ] {
        let text = piece.repeat(many);
        drop(Advisory::from_yaml("a", &text));
        drop(Advisory::from_json("a", text.as_bytes()));
    }
    let mut steps = String::new();
    for depth in 0..2_000 {
        steps.push_str(&" ".repeat(depth));
        steps.push_str("a:\n");
    }
    assert!(Advisory::from_yaml("a", &steps).is_err());
    for piece in [
        "a.", "[a.", "[[a.", "a = {", "a = [", "[a]\n", "[[a]]\n", "a = 1\n", "'''", "\"\"\"", "#",
    ] {
        let toml = format!("```toml\n{}x = 1\n```\n", piece.repeat(20_000));
        assert!(
            Advisory::from_rustsec("a", &toml, Collection::Crates).is_err(),
            "{piece}"
        );
    }
    let dotted = format!("```toml\n[{}b]\nx = 1\n```\n", "a.".repeat(20_000));
    assert!(Advisory::from_rustsec("a", &dotted, Collection::Crates).is_err());
}

#[test]
fn many_members_are_read_in_time_that_grows_with_their_number() {
    let members: Vec<String> = (0..200_000).map(|at| format!("\"k{at}\":1")).collect();
    let json = OSV.replacen('{', &format!("{{{},", members.join(",")), 1);
    assert!(Advisory::from_json("a", json.as_bytes()).is_ok());
}

#[test]
fn fuzz_advisories_are_read_or_refused() {
    let words: &[&[u8]] = &[
        b"\"introduced\":",
        b"\"fixed\":",
        b"\"0\"",
        b"null",
        b"{}",
        b"[]",
        b"&a ",
        b"*a",
        b"- ",
        b": ",
        b"```\n",
        b"[versions]\n",
        b">= ",
        b"^",
        b"~",
        b"*",
        b"99999999999999999999",
        b"CVSS:4.0/",
        b"CVSS:2.0/",
        b"/E:U",
        b"AV:L/",
        b"AV:N/AC:L/Au:N/C:P/I:P/A:P",
        b"T00:00:00Z",
        b"-0001-01-01",
        b"+999999-01-01",
    ];
    let corpus: Vec<Vec<u8>> = [OSV, YAML, RUSTSEC]
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    testkit::fuzz(8_000, &corpus, words, |bytes| {
        let mut read = vec![Advisory::from_json("a", bytes)];
        if let Ok(text) = std::str::from_utf8(bytes) {
            read.push(Advisory::from_yaml("a", text));
            read.push(Advisory::from_rustsec("a", text, Collection::Crates));
        }
        for one in read {
            match one {
                Ok(advisory) => {
                    assert!(!advisory.id.is_empty());
                    assert!(advisory.score_tenths().is_none_or(|score| score <= 100));
                }
                Err(error) => assert!(error.to_string().len() < 2_000, "{error}"),
            }
        }
    });
}
