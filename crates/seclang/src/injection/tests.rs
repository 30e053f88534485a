use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::Mutator;

use super::*;
use crate::regression::tests::{crs, crs_cases, mutations};

/// Values, and their fingerprints as the library has them.
const VECTORS: &[(&[u8], &str)] = &[
    (b"", "-"),
    (b"hello", "-"),
    (b"1' OR '1'='1", "s&sos"),
    (b"1 UNION SELECT password FROM users", "1UEnk"),
    // `1.e` is nothing, as in MySQL; in libinjection 3.9.2 it was a word.
    (b"1.e(ascii", "-"),
    (b"1' or 1.e(1)", "s&(1)"),
    (b"1 1.e union select 1", "1UE1"),
    (b"1e", "-"),
    // What cannot be read for certain comes after five tokens.
    (b"/get?'msdasq:= like {`", "X"),
    // C's `strchr` finds a zero byte in every text.
    (b"0x41\0\0 or 1=1", "1&1"),
    (b"1--\xa0 SP_PASSWORD", "1c"),
];

fn print(value: &[u8]) -> String {
    let found = sql(value);
    found.map_or("-".to_owned(), |print| {
        print.letters().escape_ascii().to_string()
    })
}

#[test]
fn vectors_hold() {
    for (value, expected) in VECTORS {
        assert_eq!(print(value), *expected, "{}", value.escape_ascii());
    }
}

/// The test files of the C library whose names begin so: input and what is expected.
fn files(prefix: &str) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let Some(folder) = crs() else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(folder.join("../libinjection/tests")) else {
        println!("skipped: no tests of libinjection beside the Core Rule Set");
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with(prefix) {
            continue;
        }
        let text = std::fs::read(&path).unwrap();
        let at = |mark: &[u8]| memchr::memmem::find(&text, mark).unwrap();
        let (input, expected) = (at(b"--INPUT--\n") + 10, at(b"--EXPECTED--"));
        let value = text[input..expected].trim_ascii_end().to_vec();
        files.push((name, value, text[expected + 12..].trim_ascii().to_vec()));
    }
    files
}

/// As the library's tests write tokens: their kinds alone.
fn kinds(expected: &[u8]) -> String {
    let lines = expected.split(|byte| *byte == b'\n');
    let first = lines.filter_map(|line| line.first());
    first.map(|kind| char::from(*kind)).collect()
}

/// Tests that are older: a number with an exponent that is none was a word then.
const OLDER: &[&str] = &[
    "test-tokens-numbers-exp-001.txt",
    "test-tokens-numbers-exp-009.txt",
    "test-tokens-numbers-exp-010.txt",
    "test-tokens-numbers-exp-011.txt",
    "test-tokens-numbers-exp-012.txt",
];

#[test]
fn tokens_are_those_of_the_c_library() {
    let files = files("test-tokens-");
    for (name, value, expected) in &files {
        let mut reader = Reader::new(value, None, Dialect::Ansi);
        let read = std::iter::from_fn(|| reader.next());
        let read: String = read.map(|token| char::from(token.kind)).collect();
        let same = read == kinds(expected);
        assert_eq!(same, !OLDER.contains(&name.as_str()), "{name}: {read}");
    }
    assert!(files.is_empty() || files.len() > 200);
}

#[test]
fn folded_tokens_are_those_of_the_c_library() {
    let files = files("test-folding-");
    for (name, value, expected) in &files {
        let folded = Folded::of(Reader::new(value, None, Dialect::Ansi));
        let left = folded.tokens[..folded.count].iter();
        let left: String = left.map(|token| char::from(token.kind)).collect();
        assert_eq!(left, kinds(expected), "{name}");
    }
    assert!(files.is_empty() || files.len() > 100);
}

/// Values made by mutation, unless `RAMPART_FUZZ_ROUNDS` says otherwise.
const ROUNDS: u64 = 60_000;

/// What libinjection says of each value: a fingerprint or `-`, and whether it is a script.
fn theirs(values: &[Vec<u8>]) -> Option<Vec<(String, bool)>> {
    #[expect(clippy::disallowed_methods, reason = "a test asks where its peer is")]
    let Some(library) = std::env::var("RAMPART_MODSECURITY_LIB").ok() else {
        println!("skipped: RAMPART_MODSECURITY_LIB names no libmodsecurity");
        return None;
    };
    let folder = std::env::temp_dir().join(format!("seclang-libinjection-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../xtask/peers/libinjection.c");
    let program: PathBuf = folder.join("libinjection");
    let built = Command::new("cc")
        .arg("-o")
        .arg(&program)
        .arg(source)
        .arg("-ldl")
        .status();
    assert!(
        built.unwrap().success(),
        "the program for libinjection does not build"
    );
    let input = folder.join("values");
    let mut file = std::fs::File::create(&input).unwrap();
    for value in values {
        file.write_all(format!("{}\n", value.len()).as_bytes())
            .unwrap();
        file.write_all(value).unwrap();
    }
    let output = Command::new(&program)
        .arg(library)
        .stdin(std::fs::File::open(&input).unwrap())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| {
        let (print, script) = line.split_once(' ').unwrap();
        (print.to_owned(), script == "1")
    });
    Some(lines.collect())
}

/// Of scripts the port asks for an event's whole name, passing over zero bytes; the library asks whether a
/// name begins as one, without zero bytes.
fn is_explained(value: &[u8], ours: bool) -> bool {
    let lower = value.to_ascii_lowercase();
    let zeros = memchr::memchr(0, value).is_some();
    memchr::memmem::find(&lower, b"on").is_some() && (!ours || zeros)
}

#[test]
fn verdicts_are_those_of_the_c_library() {
    let Some(folder) = crs() else {
        return;
    };
    let mut corpus = mutations::payloads(&crs_cases(&folder));
    corpus.extend(files("test-").into_iter().map(|(_, value, _)| value));
    let words: [&[u8]; 24] = [
        b"'",
        b"\"",
        b"`",
        b"--",
        b"/*",
        b"*/",
        b"#",
        b" union select ",
        b"1.e(",
        b"1.e ",
        b"(",
        b")",
        b",",
        b";",
        b"{",
        b"[",
        b"@@",
        b"$$",
        b" or ",
        b"\0",
        b"::",
        b" at time ",
        b"<a ",
        b"x' onload=",
    ];
    let mut mutator = Mutator::new(7);
    let mut values = corpus.clone();
    for _ in 0..testkit::told("RAMPART_FUZZ_ROUNDS").unwrap_or(ROUNDS) {
        let mut value = mutator.pick(&corpus).cloned().unwrap();
        if mutator.below(2) == 0 {
            let cut = mutator.below(value.len() + 1);
            value.truncate(cut);
            value.extend_from_slice(mutator.pick(&corpus).unwrap());
        }
        mutator.mutate(&mut value, &words);
        values.push(value);
    }
    let Some(theirs) = theirs(&values) else {
        return;
    };
    assert_eq!(theirs.len(), values.len());
    let (mut sqli, mut xss) = (BTreeMap::new(), Vec::new());
    let mut met = 0;
    for (value, (expected, script)) in values.iter().zip(&theirs) {
        let ours = print(value);
        met += u64::from(expected != "-");
        if ours != *expected {
            let shown = value.escape_ascii().to_string();
            sqli.entry((ours, expected.clone())).or_insert(shown);
        }
        let ours = crate::operator::is_script(value);
        if ours != *script && !is_explained(value, ours) {
            xss.push(value.escape_ascii().to_string());
        }
    }
    println!("{} values, {met} of them injections", values.len());
    assert!(sqli.is_empty() && xss.is_empty(), "{sqli:#?}\n{xss:#?}");
}
