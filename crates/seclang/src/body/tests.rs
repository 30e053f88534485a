use super::disposition::{self, Disposition};
use super::multipart::{Flags, Multipart};
use super::{json, multipart, urlencoded, xml};

fn pairs(pairs: &[(&str, &str)]) -> super::Pairs {
    let mut all = super::Pairs::default();
    for (name, value) in pairs {
        all.push(name.as_bytes(), value.as_bytes());
    }
    all
}

#[test]
fn forms_are_decoded_pair_by_pair() {
    let read = urlencoded::read(b"a=1&b=%41+c&d&=e&&f=g=h", b'&', 10);
    assert_eq!(
        read.pairs,
        pairs(&[("a", "1"), ("b", "A c"), ("d", ""), ("", "e"), ("f", "g=h")])
    );
    assert_eq!((read.invalid, read.too_many), (0, false));
    let read = urlencoded::read(b"a=%zz&b%=1&c=2", b'&', 2);
    assert_eq!(
        (read.pairs.len(), read.invalid, read.too_many),
        (2, 2, true)
    );
}

#[test]
fn json_is_named_by_its_path() {
    let read = json::read(
        br#" {"a":{"b":[1,-2.5e3,{"c":"x\u00e9\ud83d\ude00\n"}],"d":null},"e":true,"":[]} "#,
        9,
        99,
    );
    assert_eq!(read.problem, None);
    assert_eq!(
        read.pairs,
        pairs(&[
            ("json.a.b.array_0", "1"),
            ("json.a.b.array_1", "-2.5e3"),
            ("json.a.b.array_2.c", "xé😀\n"),
            ("json.a.d", ""),
            ("json.e", "true"),
        ])
    );
    assert_eq!(json::read(b"\"x\"", 9, 99).pairs, pairs(&[("json", "x")]));
}

#[test]
fn json_that_is_none_keeps_what_was_read() {
    for text in [
        "",
        "{",
        "[1",
        "{\"a\":1,}",
        "[1,]",
        "{\"a\" 1}",
        "{a:1}",
        "[01]",
        "[1.]",
        "[+1]",
        "nul",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "[1] x",
        "\"a\nb\"",
        "[1 2]",
        "{\"a\":1 \"b\":2}",
    ] {
        assert!(
            json::read(text.as_bytes(), 9, 99).problem.is_some(),
            "{text}"
        );
    }
    assert!(json::read(b"[\"\xff\"]", 9, 99).problem.is_some());
    assert_eq!(
        json::read(b"{\"a\":1,\"b\":", 9, 99).pairs,
        pairs(&[("json.a", "1")])
    );
    assert!(
        json::read(b"[[[[1]]]]", 3, 99)
            .problem
            .unwrap()
            .contains("too deep")
    );
    assert!(
        json::read(b"[1,2,3]", 9, 2)
            .problem
            .unwrap()
            .contains("too many")
    );
    let deep = vec![b'['; 1_000_000];
    assert!(json::read(&deep, 512, 99).problem.is_some());
}

#[test]
fn xml_is_texts_and_attributes() {
    let read = xml::read(br#"<?xml version="1.0"?><!-- c --><r a="1&lt;" b='&#x41;'><c>x &amp; y</c><d><![CDATA[<z>]]></d></r>"#, 9, 99);
    assert_eq!(read.problem, None);
    assert_eq!(read.text, b"x & y<z>");
    assert_eq!(read.attributes, [b"1<".to_vec(), b"A".to_vec()]);
    assert_eq!(
        read.pairs,
        pairs(&[("xml.r.c", "x & y"), ("xml.r.d", "<z>")])
    );
}

#[test]
fn xml_never_reads_entities_of_a_document_type() {
    let text = br#"<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "boom">]><r a="&y;">&x;&y;ok</r>"#;
    let read = xml::read(text, 9, 99);
    assert_eq!(read.text, b"ok");
    assert_eq!(read.attributes, [b"".to_vec()]);
    // Whoever resolves them reads what no rule saw.
    assert!(read.problem.unwrap().contains("an entity"));
    for text in ["<r>&x;</r>", "<r a='&x;'/>", "<r>&#xffffffff;</r>"] {
        let problem = xml::read(text.as_bytes(), 9, 99).problem;
        assert!(problem.unwrap().contains("an entity"), "{text}");
    }
}

#[test]
fn xml_in_an_encoding_of_other_letters_is_not_read() {
    let read = |encoding: &str| {
        let text = format!("<?xml version='1.0' encoding='{encoding}'?><a>+ADw-</a>");
        xml::read(text.as_bytes(), 9, 99).problem
    };
    for encoding in ["utf-8", "UTF8", "us-ascii", "ISO-8859-15", "windows-1252"] {
        assert_eq!(read(encoding), None, "{encoding}");
    }
    for encoding in ["utf-7", "UTF-16", "ISO-2022-KR", "hz-gb-2312", "cp037", ""] {
        assert!(
            read(encoding).unwrap().contains("an encoding"),
            "{encoding}"
        );
    }
}

#[test]
fn xml_that_is_none_keeps_what_was_read() {
    for text in [
        "",
        "x",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a b=1></a>",
        "<a>x</a>y",
    ] {
        assert!(
            xml::read(text.as_bytes(), 9, 99).problem.is_some(),
            "{text}"
        );
    }
    assert_eq!(xml::read(b"<a>evil<b>", 9, 99).text, b"evil");
    assert_eq!(xml::read(b"<a>\xff\xe4</a>", 9, 99).text, b"\xff\xe4");
    assert!(
        xml::read(b"<a><b><c/></b></a>", 2, 99)
            .problem
            .unwrap()
            .contains("too deep")
    );
    assert!(
        xml::read(b"<a><b/><b/></a>", 9, 2)
            .problem
            .unwrap()
            .contains("too many")
    );
}

#[test]
fn dispositions_are_read_strictly() {
    let read = |text: &str| disposition::read(text.as_bytes());
    let plain = |name: &str, filename: Option<&str>| Disposition {
        name: Some(name.as_bytes().to_vec()),
        filename: filename.map(|name| name.as_bytes().to_vec()),
        ..Disposition::default()
    };
    assert_eq!(read(r#"form-data; name="a""#), Ok(plain("a", None)));
    assert_eq!(
        read(r#"Form-Data;name=a; filename="b\"c""#),
        Ok(plain("a", Some("b\"c")))
    );
    assert_eq!(
        read(r#"form-data; name="a"; filename="C:\x""#),
        Ok(plain("a", Some(r"C:\x")))
    );
    assert!(read("form-data; name='a'").unwrap().invalid_quoting);
    assert!(read(r#"form-data name="a""#).unwrap().missing_semicolon);
    for text in [
        "attachment; name=a",
        "form-data; name",
        "form-data; name=\"a",
        "form-data; name=a; name=b",
        "form-data; filename*=UTF-8''x",
        "form-data; x=y",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

fn form(body: &str) -> Multipart {
    multipart::read(
        b"multipart/form-data; boundary=B",
        body.replace('\n', "\r\n").as_bytes(),
        10,
        2,
    )
}

const GOOD: &str = "--B\nContent-Disposition: form-data; name=\"a\"\n\none\ntwo\n--B\nContent-Disposition: form-data; name=f; filename=x.txt\nContent-Type: text/plain\n\ndata\n--B--\n";

#[test]
fn parts_are_fields_and_files() {
    let read = form(GOOD);
    assert_eq!(read.problem, None);
    assert_eq!(
        read.flags,
        Flags {
            crlf_line: true,
            ..Flags::default()
        }
    );
    assert_eq!(read.parts[0].body, b"one\r\ntwo");
    assert_eq!(read.parts[1].filename.as_deref(), Some(&b"x.txt"[..]));
    assert_eq!(read.parts[1].headers.len(), 2);
}

#[test]
fn whatever_two_readers_take_differently_raises_a_flag() {
    let flags = |body: &str| form(body).flags;
    assert!(flags(&format!("x\n{GOOD}")).data_before);
    assert!(flags(&format!("{GOOD}x")).data_after);
    assert!(
        flags(&GOOD.replace("form-data; name=\"a\"", "form-data;\n name=\"a\"")).header_folding
    );
    assert!(flags(&GOOD.replace("name=\"a\"", "name='a'")).invalid_quoting);
    assert!(
        flags(&GOOD.replace("form-data; name=\"a\"", "form-data name=\"a\"")).missing_semicolon
    );
    assert!(flags(&GOOD.replace("one", "--C")).unmatched_boundary);
    assert!(flags(&GOOD.replace("Content-Type: text/plain", "Content-Type")).invalid_part);
    assert!(flags(&GOOD.replace("; name=\"a\"", "")).invalid_part);
    let bare = multipart::read(b"multipart/form-data; boundary=B", GOOD.as_bytes(), 10, 2);
    assert!(bare.flags.lf_line);
    let kind = |value: &[u8]| multipart::read(value, GOOD.replace('\n', "\r\n").as_bytes(), 10, 2);
    assert!(
        kind(b"multipart/form-data; boundary=\"B\"")
            .flags
            .boundary_quoted
    );
    assert!(
        kind(b"multipart/form-data; boundary= B")
            .flags
            .boundary_whitespace
    );
}

#[test]
fn forms_that_are_none_have_a_problem() {
    let kind = |value: &[u8]| multipart::read(value, b"", 10, 2).problem.unwrap();
    for value in [
        &b"text/plain"[..],
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=\"B",
        b"multipart/form-data; boundary=a; boundary=b",
        b"multipart/form-data; boundary=a[b",
        &[b'x'; 2000],
    ] {
        assert!(kind(value).starts_with("multipart: "));
    }
    for body in [
        &GOOD.replace("--B--", "--B"),
        &GOOD.replace("name=\"a\"", "name=a; name=b"),
        &GOOD.replacen("--B", "--Bx", 2),
        &GOOD.replacen("Content-Disposition: form-data; name=\"a\"", "X: y", 1),
        &GOOD.replacen(
            "Content-Disposition",
            "Content-Type: a\nContent-Type: b\nContent-Disposition",
            1,
        ),
    ] {
        assert!(form(body).problem.is_some(), "{body}");
    }
    let files = GOOD.replace("name=\"a\"", "name=a; filename=a");
    assert!(
        multipart::read(
            b"multipart/form-data; boundary=B",
            files.replace('\n', "\r\n").as_bytes(),
            10,
            1
        )
        .flags
        .file_limit_exceeded
    );
}

#[test]
fn a_part_that_is_cut_short_is_looked_at_all_the_same() {
    let cut = form("--B\nContent-Disposition: form-data; name=a\n\nevil");
    assert_eq!(cut.parts[0].body, b"evil");
    assert!(cut.problem.is_some());
}

#[test]
fn fuzz_bodies_are_read_or_refused() {
    let corpus = vec![
        GOOD.replace('\n', "\r\n").into_bytes(),
        br#"{"a":[1,{"b":"\u0041"}],"c":null}"#.to_vec(),
        br#"<a b="&#65;"><c>x</c><![CDATA[y]]></a>"#.to_vec(),
        b"a=1&b=%41".to_vec(),
    ];
    let words: Vec<&[u8]> = vec![
        b"--B", b"\r\n", b"--B--", b"{", b"[", b"\"", b"<", b"&#", b"]]>", b"\\u",
    ];
    testkit::fuzz(5_000, &corpus, &words, |input| {
        assert!(json::read(input, 16, 100).pairs.len() <= 100);
        xml::read(input, 16, 100);
        assert!(urlencoded::read(input, b'&', 100).pairs.len() <= 100);
        assert!(
            multipart::read(b"multipart/form-data; boundary=B", input, 10, 2)
                .parts
                .len()
                <= 11
        );
        multipart::read(input, GOOD.as_bytes(), 10, 2);
        drop(disposition::read(input));
    });
}

#[test]
fn ends_of_lines_in_xml_are_line_feeds_and_white_space_in_attributes_spaces() {
    let read = xml::read(
        b"<a b=\"x\r\n\ty&#10;z\">1\r\n2\r3<![CDATA[\r\n]]></a>",
        16,
        100,
    );
    assert_eq!(read.text, b"1\n2\n3\n");
    assert_eq!(read.attributes, [b"x  y\nz".to_vec()]);
}
