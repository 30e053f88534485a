use proptest::prelude::*;

use super::*;

fn check(name: &str, good: &[&str], bad: &[&str]) {
    let format = Format::named(name).unwrap_or_else(|| panic!("{name} is known"));
    for text in good {
        assert!(format.text(text), "{name} takes {text:?}");
    }
    for text in bad {
        assert!(!format.text(text), "{name} refuses {text:?}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn formats_take_and_refuse_what_their_documents_say() {
    check(
        "date-time",
        &[
            "2026-11-25T18:00:00Z",
            "1998-12-31T23:59:60Z",
            "1990-12-31T15:59:60.123-08:00",
            "2024-02-29t00:00:00z",
        ],
        &[
            "2026-11-25 18:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-25T24:00:00Z",
            "2026-11-25T18:00:00",
            "2026-11-25T18:00:60Z",
            "é026-11-25T18:00:00Z",
        ],
    );
    check(
        "date",
        &["2026-11-25"],
        &[
            "2026-13-01",
            "2026-1-1",
            "2026-04-31",
            "20261125",
            "1900-02-29",
        ],
    );
    check(
        "time",
        &["08:30:06Z", "08:30:06.28+01:00"],
        &[
            "08:30:06",
            "8:30:06Z",
            "08:30:06.Z",
            "08:30:06+1:00",
            "08:60:06Z",
        ],
    );
    check(
        "duration",
        &["P4Y", "PT0S", "P1YT1S", "P2W", "P1Y2M3DT4H5M6S"],
        &[
            "P", "PT", "P1", "1Y", "P1YT", "P1D2H", "P2Y3D", "P1W2D", "PT1D",
        ],
    );
    check(
        "email",
        &[
            "a@b.example",
            "\"a b\"@c.example",
            "a@[127.0.0.1]",
            "te~st@x.example",
        ],
        &[
            "a",
            "@b",
            "a@",
            ".a@b",
            "a..b@c",
            "a@b c",
            "a b@c",
            "é@b.example",
            "a@[300.0.0.1]",
        ],
    );
    check(
        "hostname",
        &["a.example", "xn--4gbwdl.xn--wgbh1c", "a"],
        &[
            "",
            "-a",
            "a-",
            "a_b",
            "a..b",
            "a.",
            "é.example",
            &"a".repeat(64),
        ],
    );
    check(
        "ipv4",
        &["127.0.0.1"],
        &["127.1", "01.0.0.1", "256.0.0.1", "0x7f.0.0.1", "1.2.3.4.5"],
    );
    check(
        "ipv6",
        &["::1", "::ffff:1.2.3.4"],
        &["::1%eth0", "12345::", "1:2:3", ":::"],
    );
    check(
        "uri",
        &[
            "https://u@a.example:80/p?q#f",
            "urn:a:b",
            "https://[::1]/",
            "mailto:a@b",
        ],
        &[
            "/a",
            "//a",
            "a b:c",
            "https://a b",
            "https://[::1",
            "https://a/%zz",
            "https://a/\\",
            "https://é.example",
            ":a",
            "https://a:x/",
        ],
    );
    check(
        "uri-reference",
        &["/a", "a", "", "#f", "//h/p"],
        &["\\a", "a b", "#f#g", "1:a"],
    );
    check("iri", &["https://é.example/ü"], &["https://a b"]);
    check(
        "uri-template",
        &["/a/{b}", "{?a,b*,c:3}", "x"],
        &["{", "}", "{a", "{a:0}", "{}", "{a b}", "{{a}}"],
    );
    check(
        "uuid",
        &["2EB8AA08-aa98-11ea-b4aa-73b441d16380"],
        &[
            "2eb8aa08aa9811eab4aa73b441d16380",
            "2eb8aa08-aa98-11ea-b4aa-73b441d1638",
            "2eb8aa08-aa98-11ea-b4aa-73b441d1638g",
        ],
    );
    check(
        "json-pointer",
        &["", "/a~0b/~1"],
        &["a", "/~", "/~2", "#/a"],
    );
    check(
        "relative-json-pointer",
        &["0", "1/a", "0#"],
        &["", "01", "-1", "1#/a", "a"],
    );
    check("regex", &["^a+$"], &["(", "\\a"]);
    check(
        "byte",
        &["", "YQ==", "YWI=", "YWJj"],
        &["YQ", "YQ=", "Y===", "YW-j", "YW\nj"],
    );
}

#[test]
fn numbers_are_held_to_the_width_of_their_format() {
    let holds = |name: &str, text: &str| Format::named(name).unwrap().number(text);
    assert!(holds("int32", "2147483647") && holds("int32", "1.0") && holds("int32", "1e3"));
    assert!(
        !holds("int32", "2147483648") && !holds("int32", "-2147483649") && !holds("int32", "1e10")
    );
    assert!(holds("int64", "9223372036854775807") && !holds("int64", "9223372036854775808"));
    assert!(!holds(
        "int64",
        "99999999999999999999999999999999999999999999"
    ));
    assert!(holds("double", "1e308") && !holds("double", "1e309"));
    assert!(holds("float", "1e38") && !holds("float", "1e39"));
}

proptest! {
    #[test]
    fn no_text_is_a_panic(text in ".{0,40}|[0-9TZ:.+\\-PYMDWHS]{0,30}|[a-z@:/?#%{}\\[\\]~é0-9]{0,30}") {
        for name in ["date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference", "uri-template", "uuid", "json-pointer", "relative-json-pointer", "regex", "byte", "base64url", "int64", "double"] {
            let format = Format::named(name).unwrap();
            let _ = (format.text(&text), format.number(&text));
        }
    }
}
