use super::*;
use crate::files::NoFiles;

/// Files by name.
struct Named(&'static [(&'static str, &'static [u8])]);

impl Files for Named {
    fn read(&self, _from: &str, path: &str) -> Result<Vec<u8>, String> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        found
            .map(|(_, text)| text.to_vec())
            .ok_or_else(|| format!("no `{path}`"))
    }

    fn list(&self, _from: &str, pattern: &str) -> Result<Vec<String>, String> {
        Ok(vec![pattern.to_owned()])
    }
}

fn read(text: &str, files: &dyn Files) -> Result<Operator, Bad> {
    let mut names = TxNames::default();
    let mut reading = Reading {
        files,
        from: "",
        names: &mut names,
    };
    parse(text.as_bytes(), &mut reading)
}

fn holds(text: &str, value: &[u8]) -> bool {
    let operator = read(text, &NoFiles).unwrap_or_else(|bad| panic!("{text}: {}", bad.message));
    let argument = operator
        .template()
        .and_then(Template::constant)
        .unwrap_or_default()
        .to_vec();
    operator.holds(value, &argument) != operator.negated
}

/// Operator, value, and whether it matches.
const VECTORS: &[(&str, &[u8], bool)] = &[
    ("@beginsWith GET", b"GET /", true),
    ("@beginsWith GET", b" GET", false),
    ("!@beginsWith GET", b"POST", true),
    ("@contains .php", b"/a.php?x", true),
    ("@contains .php", b"/a.PHP", false),
    ("@containsWord sel", b"a sel b", true),
    ("@containsWord sel", b"select sel", true),
    ("@containsWord sel", b"select", false),
    ("@containsWord sel", b"sel_", false),
    ("@detectSQLi", b"1' OR '1'='1", true),
    ("@detectSQLi", b"hello", false),
    ("@detectXSS", b"<script>alert(1)</script>", true),
    ("@detectXSS", b"hello", false),
    ("@endsWith .php", b"/a.php", true),
    ("@endsWith .php", b".php ", false),
    ("@eq 5", b"5", true),
    ("@eq 5", b" 5x", true),
    ("@eq 0", b"none", true),
    ("!@eq 0", b"", false),
    ("@ge 5", b"5", true),
    ("@ge 5", b"4", false),
    ("@gt 5", b"6", true),
    ("@gt 5", b"5", false),
    ("@le -1", b"-2", true),
    ("@le 5", b"99999999999999999999", false),
    ("@lt 5", b"4", true),
    ("@lt 5", b"5", false),
    ("@ipMatch 127.0.0.1,::1", b"127.0.0.1", true),
    ("@ipMatch 10.0.0.0/8, 2001:db8::/32", b"10.9.8.7", true),
    ("@ipMatch 10.0.0.0/8,2001:db8::/32", b"2001:db8::9", true),
    ("@ipMatch 10.0.0.0/8", b"11.0.0.1", false),
    ("@ipMatch 10.0.0.0/8", b"::ffff:10.1.2.3", true),
    ("@ipMatch 0.0.0.0/0", b"203.0.113.9", true),
    ("@ipMatch 0.0.0.0/0", b"no address", false),
    ("@noMatch", b"", false),
    ("@unconditionalMatch", b"", true),
    ("@pm sqlmap nikto", b"a SQLMap/1", true),
    ("@pm sqlmap nikto", b"curl", false),
    ("@pm A|42 43|D", b"xabcdx", true),
    ("@pm a|zz|", b"a|zz|", true),
    ("@pm ( )", b"f(", true),
    ("@rx ^a.c$", b"x\na\nc", true),
    ("@rx ^a.c$", b"xa\nc\ny", false),
    ("@rx ^abc$", b"x\nabc\ny", true),
    ("@rx a.c", b"a\nc", true),
    ("(?i)SELECT", b"select", true),
    ("!@rx ^[0-9]+$", b"12", false),
    ("@rxGlobal a", b"aaa", true),
    ("@strmatch WebZIP", b"x WebZIP", true),
    ("@streq bar", b"bar", true),
    ("@streq bar", b"Bar", false),
    ("@validateByteRange 10,13,32-126", b"text\r\n", false),
    ("@validateByteRange 32-126", b"\x00", true),
    ("@validateByteRange 0-255", b"\xff", false),
    ("@validateUrlEncoding", b"%41%", true),
    ("@validateUrlEncoding", b"%4g", true),
    ("@validateUrlEncoding", b"%41 a", false),
    ("@validateUtf8Encoding", b"\xc3\xa4", false),
    ("@validateUtf8Encoding", b"\xc0\xaf", true),
    ("@validateUtf8Encoding", b"\xed\xa0\x80", true),
    ("@verifyCC \\d{13,16}", b"card 4012888888881881.", true),
    ("@verifyCC \\d{13,16}", b"card 4012888888881882.", false),
    ("@verifyCPF \\d{11}", b"52998224725", true),
    ("@verifyCPF \\d{11}", b"52998224726", false),
    ("@verifyCPF \\d{11}", b"11111111111", false),
    ("@verifySSN \\d{3}-\\d{2}-\\d{4}", b"078-05-1120", true),
    ("@verifySSN \\d{3}-\\d{2}-\\d{4}", b"666-05-1120", false),
    ("@verifySSN \\d{3}-\\d{2}-\\d{4}", b"078-00-1120", false),
    ("@verifySVNR \\d{10}", b"1237010180", true),
    ("@verifySVNR \\d{10}", b"1238010180", false),
    ("@within GET POST", b"POST", true),
    ("@within GET POST", b"PUT", false),
    ("@within GET POST", b"", true),
    ("!@within GET POST", b"PUT", true),
];

#[test]
fn vectors_hold() {
    for (text, value, expected) in VECTORS {
        assert_eq!(
            holds(text, value),
            *expected,
            "{text} of {}",
            value.escape_ascii()
        );
    }
}

#[test]
fn every_operator_has_a_vector_or_a_test_of_its_own() {
    let elsewhere = ["ipMatchF", "ipMatchFromFile", "pmf", "pmFromFile", "rx"];
    for name in NAMES {
        let used = VECTORS.iter().any(|(text, ..)| {
            let word = text.trim_start_matches('!').split(' ').next();
            word.is_some_and(|word| word.trim_start_matches('@') == *name)
        });
        assert!(used || elsewhere.contains(name), "{name}");
    }
}

#[test]
fn files_are_asked_for_by_name() {
    const FILES: Named = Named(&[
        ("agents.data", b"# scanners\nnikto\n\nsql map\r\n"),
        ("nets.data", b"# ours\n10.0.0.0/8\n"),
    ]);
    let pm = read("@pmFromFile agents.data", &FILES).unwrap();
    assert!(pm.holds(b"SQL MAP", b""));
    assert!(!pm.holds(b"# scanners", b""));
    assert!(read("@pmf none.data", &FILES).is_err());
    assert!(
        read("@ipMatchFromFile nets.data", &FILES)
            .unwrap()
            .holds(b"10.1.1.1", b"")
    );
    assert!(read("@ipMatchF agents.data", &FILES).is_err());
}

#[test]
fn groups_are_of_the_match() {
    let groups = |text: &str, value: &[u8]| read(text, &NoFiles).unwrap().groups(value).to_vec();
    let two = vec![(0, b"a=1".to_vec()), (1, b"a".to_vec()), (2, b"1".to_vec())];
    assert_eq!(groups("@rx (\\w)=(\\d)", b"x a=1 b=2"), two);
    assert_eq!(
        groups("@rxGlobal (\\w)=\\d", b"a=1 b=2"),
        [(0, b"b=2".to_vec()), (1, b"b".to_vec())]
    );
    assert_eq!(
        groups("@rx (a)|(b)", b"b"),
        [(0, b"b".to_vec()), (2, b"b".to_vec())]
    );
    assert_eq!(groups("@pm nikto", b"xNikTox"), [(0, b"NikTo".to_vec())]);
    assert_eq!(
        groups("@detectSQLi", b"1' OR '1'='1"),
        [(0, b"s&sos".to_vec())]
    );
}

#[test]
fn what_cannot_be_kept_is_refused_with_a_reason() {
    let refused = |text: &str| read(text, &NoFiles).expect_err(text);
    for text in [
        "@rx (?=a)",
        "@rx (?<!a)b",
        "@rx (a)\\1",
        "@rx (?>a)",
        "@rx a++",
        "@rx [a",
        "@rx (",
        "@rx \\p{L}",
        "@rx a{1,99999}{1,9999}",
        "@pm",
        "@ipMatch x",
        "@ipMatch 10.0.0.0/33",
        "@validateByteRange 1-",
        "@validateByteRange 300",
        "@eq five",
        "@geoLookup",
        "@rbl x",
        "@inspectFile /x",
        "@fuzzyHash",
    ] {
        assert!(!refused(text).message.is_empty());
    }
    let bad = refused("@contians x");
    assert_eq!(bad.hint, "did you mean `contains`?");
    assert!(refused("@geoLookup").message.contains("database"));
}

#[test]
fn patterns_of_pcre_mean_the_same() {
    let matches = |pattern: &str, value: &[u8]| {
        Rx::parse(pattern.as_bytes())
            .unwrap_or_else(|bad| panic!("{pattern}: {}", bad.message))
            .matches(value)
    };
    for (pattern, value, expected) in [
        (r"\x{ff}", b"\xff".as_slice(), true),
        (r"\xff", b"\xff", true),
        (r"[\x{80}-\x{ff}]", b"\xc3", true),
        (r"a{,3}", b"a{,3}", true),
        (r"a{2}", b"aa", true),
        (r"{a}", b"{a}", true),
        (r"[[]", b"[", true),
        (r"[]a]", b"]", true),
        (r"[^]a]", b"]", false),
        (r"[a&&b]", b"&", true),
        (r"[a~~b]", b"~", true),
        (r"[a--]", b"-", true),
        (r"[\w-]", b"-", true),
        (r"[\w-.]", b"-", true),
        (r"[[:alpha:]]", b"x", true),
        (r"[[:alpha:]-x]", b"-", true),
        (r"\<b\>", b"<b>", true),
        (r"\/\-\_\'", b"/-_'", true),
        (r"\e", b"\x1b", true),
        (r"\h\H\v\V", b" x\nx", true),
        (r"\Qa.b\E+", b"a.bb", true),
        (r"[\b]", b"\x08", true),
        (r"\bfoo\b", b"a foo b", true),
        (r"\0\12", b"\x00", false),
        (r"[\0-\37]", b"\x1f", true),
        ("ä", "ä".as_bytes(), true),
        (r"(?i)É", "É".as_bytes(), true),
        (r"a(?#comment)b", b"ab", true),
        (r"a+?b", b"aab", true),
        (r"(?P<n>a)b", b"ab", true),
        (r"\d+\Z", b"12\n", true),
        (r"\s", b"\x0b", true),
        (r"\x4", b"\x04", true),
        (
            r"a\
b", b"a\nb", true,
        ),
    ] {
        if pattern == r"\0\12" {
            // The second is a back reference.
            assert!(Rx::parse(pattern.as_bytes()).is_err());
            continue;
        }
        assert_eq!(matches(pattern, value), expected, "{pattern}");
    }
}

#[test]
fn hostile_patterns_run_in_linear_time() {
    let value = vec![b'a'; 100_000];
    assert!(!Rx::parse(b"(a+)+$b").unwrap().matches(&value));
    assert!(!Rx::parse(b"(a|a)*b").unwrap().matches(&value));
}

#[test]
fn fuzz_operators_are_read_or_refused() {
    let corpus: Vec<Vec<u8>> = VECTORS
        .iter()
        .map(|(text, ..)| text.as_bytes().to_vec())
        .collect();
    testkit::fuzz(
        2_000,
        &corpus,
        &[b"@rx ", b"{1,", b"(?", b"[^", b"\\x{", b"%{TX.a}"],
        |input| {
            let mut names = TxNames::default();
            let mut reading = Reading {
                files: &NoFiles,
                from: "",
                names: &mut names,
            };
            if let Ok(operator) = parse(input, &mut reading) {
                operator.holds(b"value", b"1");
                operator.groups(b"value");
            }
        },
    );
}

#[test]
fn fuzz_injections_have_the_verdicts_of_the_library() {
    let corpus: Vec<Vec<u8>> = [
        "1' OR '1'='1",
        "x' UNION SELECT 1,2--",
        "/*!50000 a*/",
        "$$a$$",
        "q'[x]'",
        "0x1e-",
        "<a href=javascript:x>",
        "<!--[if]><x",
        "<svg/onload=a>",
        "`<%=",
        "'--!>",
        "select",
        "x onerror",
        "12345",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    let words: [&[u8]; 8] = [
        b"'", b"\"", b"--", b"/*", b"union", b"<x ", b"@@", b"select",
    ];
    testkit::fuzz(20_000, &corpus, &words, |input| {
        assert_eq!(detect_sqli::matches(input), detect_sqli::asked(input));
        assert_eq!(detect_xss::matches(input), detect_xss::asked(input));
        // What is cut out of it may be a single word.
        for word in input.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_') {
            assert_eq!(detect_sqli::matches(word), detect_sqli::asked(word));
            assert_eq!(detect_xss::matches(word), detect_xss::asked(word));
            // Names of JSON, and numbers with a part.
            for word in [
                [b"json.", word].concat(),
                [b"json.a.", word, b".select"].concat(),
            ] {
                assert_eq!(detect_sqli::matches(&word), detect_sqli::asked(&word));
            }
        }
        for number in input.split(|byte| !byte.is_ascii_digit() && *byte != b'.') {
            assert_eq!(detect_sqli::matches(number), detect_sqli::asked(number));
        }
    });
}

/// The test files of the C library: what it says about SQL injections.
#[test]
fn sql_injections_have_the_fingerprints_of_the_c_library() {
    let Some(folder) = crate::regression::tests::crs() else {
        return;
    };
    let folder = folder.join("../libinjection/tests");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: no tests of libinjection beside the Core Rule Set");
        return;
    };
    let mut met = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("test-sqli-") {
            continue;
        }
        let text = std::fs::read(&path).unwrap();
        let at = |mark: &[u8]| memchr::memmem::find(&text, mark).unwrap();
        let (input, expected) = (at(b"--INPUT--\n") + 10, at(b"--EXPECTED--\n"));
        let value = text[input..expected].trim_ascii_end();
        let expected = text[expected + 13..].trim_ascii();
        let found = detect_sqli::matches(value).unwrap_or_default();
        assert_eq!(
            found.escape_ascii().to_string(),
            expected.escape_ascii().to_string(),
            "{name}"
        );
        met += 1;
    }
    println!("{met} test files of the C library agree");
    assert!(met >= 50);
}
