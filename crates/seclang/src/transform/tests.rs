use std::collections::BTreeSet;

use super::*;

fn apply(name: &str, input: &[u8]) -> Vec<u8> {
    let known = Transformation::named(name).unwrap_or_else(|| panic!("no `{name}`"));
    let mut out = Vec::new();
    if known.apply(input, &mut out, &UnicodeMap::default()) {
        out
    } else {
        input.to_vec()
    }
}

fn hex(input: &[u8]) -> Vec<u8> {
    apply("hexEncode", input)
}

/// Name, value, and what becomes of it.
const VECTORS: &[(&str, &[u8], &[u8])] = &[
    ("base64Decode", b"VGVzdA==", b"Test"),
    ("base64Decode", b"VGVzdA", b"Test"),
    ("base64Decode", b"VGV$zdA==", b"Te"),
    ("base64Decode", b"", b""),
    ("base64Decode", b"AP8Q", b"\x00\xff\x10"),
    ("base64DecodeExt", b"P.HNjcmlwd D4=", b"<script>"),
    ("base64DecodeExt", b"VGVzdA==ignored", b"Test"),
    ("base64Encode", b"Test", b"VGVzdA=="),
    ("base64Encode", b"\x00\xff", b"AP8="),
    ("cmdLine", b"C^OMMAND \"/c\"", b"command/c"),
    ("cmdLine", b"a,;\t\r\n b", b"a b"),
    ("cmdLine", b"type (x", b"type(x"),
    ("cmdLine", b"'net' \\user", b"net user"),
    ("cmdLine", b"plain", b"plain"),
    ("compressWhitespace", b"a \t\r\n\x0b\x0c b", b"a b"),
    ("compressWhitespace", b"a\xa0\xa0b", b"a b"),
    ("compressWhitespace", b" a", b" a"),
    ("cssDecode", b"ja\\76 ascript", b"javascript"),
    ("cssDecode", b"\\6a\\61va", b"java"),
    ("cssDecode", b"\\00ff1cx", b"<x"),
    ("cssDecode", b"\\ff1cx", b"<x"),
    ("cssDecode", b"\\1ff1c ", b"\x1c"),
    ("cssDecode", b"a\\\nb", b"ab"),
    ("cssDecode", b"a\\zb", b"azb"),
    ("cssDecode", b"end\\", b"end"),
    ("cssDecode", b"\\a", b"\n"),
    ("escapeSeqDecode", b"\\x41\\102\\n\\\\", b"AB\n\\"),
    ("escapeSeqDecode", b"\\xg1\\q\\", b"xg1q\\"),
    (
        "escapeSeqDecode",
        b"\\a\\b\\f\\r\\t\\v\\?\\'\\\"",
        b"\x07\x08\x0c\r\t\x0b?'\"",
    ),
    ("escapeSeqDecode", b"\\400", b"\x00"),
    ("hexDecode", b"54657374", b"Test"),
    ("hexDecode", b"546573745", b"Test"),
    ("hexEncode", b"Test\x00", b"5465737400"),
    ("htmlEntityDecode", b"&lt;script&#62", b"<script>"),
    (
        "htmlEntityDecode",
        b"&#x3c;&#X3E;&#60&QUOT;&amp;&nbsp",
        b"<><\"&\xa0",
    ),
    (
        "htmlEntityDecode",
        b"&unknown;&;&#;&#x;&",
        b"&unknown;&;&#;&#x;&",
    ),
    ("htmlEntityDecode", b"&#99999999999999999999;", b"\xff"),
    ("htmlEntityDecode", b"&#x13c;", b"<"),
    ("jsDecode", b"\\u0061\\x6cert", b"alert"),
    ("jsDecode", b"\\uff1c\\74\\477\\n\\q\\", b"<<'7\nq\\"),
    ("jsDecode", b"\\u00", b"u00"),
    ("jsDecode", b"\\8", b"8"),
    ("length", b"Test", b"4"),
    ("length", b"", b"0"),
    ("lowercase", b"SeLeCT \xc4", b"select \xc4"),
    ("normalizePath", b"/a//b/../c/./d", b"/a/c/d"),
    ("normalisePath", b"/a/", b"/a/"),
    ("normalizePath", b"../a/../../b", b"../../b"),
    ("normalizePath", b"/../../etc/passwd", b"/etc/passwd"),
    ("normalizePath", b"a/./b/", b"a/b/"),
    ("normalizePath", b"", b""),
    ("normalizePath", b".", b""),
    ("normalizePath", b"..", b".."),
    ("normalizePath", b"json.a.b", b"json.a.b"),
    ("normalizePathWin", b".", b""),
    ("normalizePathWin", b"a\\b\\..\\c", b"a/c"),
    ("normalisePathWin", b"C:\\x", b"C:/x"),
    ("parityEven7bit", b"abc", b"\xe1\xe2c"),
    ("parityOdd7bit", b"abc", b"ab\xe3"),
    ("parityZero7bit", b"\xe1b\xe3", b"abc"),
    ("removeComments", b"a/*b*/c", b"ac"),
    ("removeComments", b"a<!--b-->c", b"ac"),
    ("removeComments", b"a--b", b"a "),
    ("removeComments", b"a#b", b"a "),
    ("removeComments", b"a/*b", b"a "),
    ("removeCommentsChar", b"a/*b*/c<!--d-->e--f#g", b"abcdefg"),
    ("removeNulls", b"a\x00b\x00", b"ab"),
    ("removeWhitespace", b" a\tb\xa0c\n", b"abc"),
    ("replaceComments", b"UNION/**/SELECT/*!1", b"UNION SELECT "),
    ("replaceComments", b"a*/b/c", b"a*/b/c"),
    ("replaceNulls", b"a\x00b", b"a b"),
    ("sqlHexDecode", b"x=0x414243", b"x=ABC"),
    ("sqlHexDecode", b"0X4142G 0x4 0xzz", b"ABG 0x4 0xzz"),
    ("trim", b" \ta b\n", b"a b"),
    ("trimLeft", b" a ", b"a "),
    ("trimRight", b" a ", b" a"),
    ("trim", b"  ", b""),
    ("uppercase", b"select", b"SELECT"),
    ("urlDecode", b"a%20b+c%zz%4", b"a b c%zz%4"),
    ("urlDecode", b"%u0041", b"%u0041"),
    ("urlDecodeUni", b"%u0061%6cert+", b"alert "),
    ("urlDecodeUni", b"%uff1c%U0041%u00g1%u41%", b"<A%u00g1%u41%"),
    ("urlEncode", b"a b/c*\xff", b"a+b%2fc*%ff"),
    ("utf8toUnicode", "aé€😀".as_bytes(), b"a%u00e9%u20ac%u1f600"),
    ("utf8toUnicode", b"\xc3(\xff", b"\xc3(\xff"),
];

#[test]
fn vectors_hold_byte_for_byte() {
    for (name, input, expected) in VECTORS {
        let found = apply(name, input);
        assert_eq!(
            found.escape_ascii().to_string(),
            expected.escape_ascii().to_string(),
            "{name} of {}",
            input.escape_ascii()
        );
    }
}

#[test]
fn every_transformation_has_a_vector() {
    let with: BTreeSet<&str> = VECTORS.iter().map(|(name, ..)| *name).collect();
    let digests = ["md5", "sha1"];
    for name in Transformation::names() {
        assert!(with.contains(name) || digests.contains(&name), "{name}");
    }
}

#[test]
fn digests_are_those_of_their_standards() {
    // RFC 1321 §A.5, RFC 3174 §7.3; lengths around the padding's edge by other programs.
    let digest = |name: &str, input: &[u8]| String::from_utf8(hex(&apply(name, input))).unwrap();
    assert_eq!(digest("md5", b""), "d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(digest("md5", b"abc"), "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(
        digest(
            "md5",
            b"12345678901234567890123456789012345678901234567890123456789012345678901234567890"
        ),
        "57edf4a22be3c955ac49da2e2107b67a"
    );
    assert_eq!(
        digest("sha1", b"abc"),
        "a9993e364706816aba3e25717850c26c9cd0d89d"
    );
    assert_eq!(
        digest("sha1", b""),
        "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    );
    assert_eq!(
        digest(
            "sha1",
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        ),
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
    );
}

#[test]
fn what_says_unchanged_is_unchanged() {
    for name in Transformation::names() {
        let known = Transformation::named(name).unwrap();
        for input in [b"plain".as_slice(), b"", b"a b", b"\x00\xff%41"] {
            let mut out = Vec::new();
            if known.apply(input, &mut out, &UnicodeMap::default()) {
                continue;
            }
            assert!(
                !matches!(name, "length" | "md5" | "sha1" | "base64Encode"),
                "{name}"
            );
        }
    }
}

#[test]
fn a_code_page_has_its_own_bytes() {
    let text = b"1252 (other)\n0100:41\n\n20127 (US-ASCII)\n00e4:61 ff1c:3c 0130:49 \n";
    let map = UnicodeMap::read(text, "20127").unwrap();
    let uni = Transformation::named("urlDecodeUni").unwrap();
    let mut out = Vec::new();
    assert!(uni.apply(b"%u00e4%u0130%u0141", &mut out, &map));
    assert_eq!(
        out, b"aIA",
        "one that the page does not know is its low byte"
    );
    assert!(UnicodeMap::read(text, "9").is_err());
    assert!(UnicodeMap::read(b"20127\nzz:1", "20127").is_err());
}

#[test]
fn chains_that_begin_alike_share_nodes() {
    let mut trie = Trie::default();
    let step = |name: &str| Transformation::named(name).unwrap();
    let decode = trie.child(Node::ROOT, step("urlDecodeUni")).unwrap();
    let lower = trie.child(decode, step("lowercase")).unwrap();
    assert_eq!(trie.child(Node::ROOT, step("urldecodeuni")), Some(decode));
    assert_eq!(trie.child(decode, step("lowercase")), Some(lower));
    assert_ne!(trie.child(Node::ROOT, step("lowercase")), Some(lower));
    assert_eq!(trie.path(lower), [decode, lower]);
}

#[test]
fn fuzz_transformations_take_any_bytes() {
    let corpus: Vec<Vec<u8>> = VECTORS.iter().map(|(_, input, _)| input.to_vec()).collect();
    let words: Vec<&[u8]> = vec![b"%u", b"\\u", b"&#x", b"/*", b"<!--", b"0x", b"../"];
    testkit::fuzz(2_000, &corpus, &words, |input| {
        for name in Transformation::names() {
            let out = apply(name, input);
            let most = 8 * input.len() + 64;
            assert!(
                out.len() <= most,
                "{name} makes {} of {}",
                out.len(),
                input.len()
            );
        }
    });
}

#[test]
fn values_without_the_bytes_a_transformation_touches_stay_as_they_are() {
    let mut checked = 0;
    for known in ALL {
        let Some(touched) = touches(known.name) else {
            continue;
        };
        let plain: Vec<u8> = (0..=u8::MAX).filter(|byte| !touched.has(*byte)).collect();
        let unchanged = |value: &[u8]| {
            assert_eq!(apply(known.name, value), value, "{}: {value:?}", known.name);
        };
        unchanged(b"");
        unchanged(&plain);
        for first in &plain {
            unchanged(&[*first]);
            for second in &plain {
                unchanged(&[*first, *second]);
                unchanged(&[*second, *first, *second, *first]);
            }
        }
        checked += 1;
    }
    assert_eq!(checked, 26);
}
