//! Damaged estate files: each is an estate or a list of errors with places in the file.

use crate::Estate;

const SMALL: &str = r#"
[estate]
name = "a"
domain = "a.example"

[[service]]
name = "b"
address = "127.0.0.1:80"

[[route]]
name = "c"
path = "/**"
to = "b"
auth = "none"
limit = ["10/s per address"]
"#;

const WORDS: &[&[u8]] = &[
    b"[[route]]\n",
    b"[limits]\n",
    b"name = ",
    b"\"\"",
    b"\"\"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b"= [",
    b"\"99999999999999999999/min\"",
    b"\"-1s\"",
    b"\"18446744073709551616KiB\"",
    b"18446744073709551616",
    b"-1",
    b"1e400",
    b"nan",
    b"true",
    b"\"/**/a/*\"",
    b"\"://\"",
    b"\\u0000",
    b"\\",
    b"'''",
    b"#",
    b"path = \"/\"\n",
    b"require = { GET = \"a:b\" }\n",
    b"\"::1\"",
    b"\"0.0.0.0/0\"",
];

#[test]
fn fuzz_estates_are_read_or_refused_with_places() {
    let good = include_str!("../testdata/good/acme.toml");
    let corpus = [good, SMALL].map(|text| text.as_bytes().to_vec());
    testkit::fuzz(1_500, &corpus, WORDS, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        match Estate::parse(text) {
            Ok(parsed) => {
                let changes = crate::diff(&parsed.estate, &parsed.estate);
                assert!(changes.is_empty(), "an estate differs from itself");
            }
            Err(list) => {
                assert!(!list.is_empty());
                for span in list.iter().filter_map(|one| one.span) {
                    let (start, end) = (span.start, span.end);
                    assert!(start <= end && end <= text.len(), "{list:?}");
                    assert!(text.is_char_boundary(start) && text.is_char_boundary(end));
                }
            }
        }
    });
}
