use std::fmt::Write as _;

use rustix::time::{ClockId, clock_gettime};

use super::super::{Format, Inventory, Limits, Options, ReadError, Why, read};
use super::options_for;

fn take(format: Format, text: &str) -> Result<Inventory, ReadError> {
    read(format, text.as_bytes(), &options_for(format))
}

#[test]
fn names_that_could_forge_a_line_become_gaps() {
    let texts = [
        (
            Format::NpmLock,
            "{\"lockfileVersion\": 3, \"packages\": {\"node_modules/a\\nb\": {\"version\": \"1.0.0\"}}}",
        ),
        (
            Format::NpmLock,
            "{\"lockfileVersion\": 3, \"packages\": {\"node_modules/a\\u202eb\": {\"version\": \"1.0.0\"}}}",
        ),
        (
            Format::NpmLock,
            "{\"lockfileVersion\": 3, \"packages\": {\"node_modules/a\": {\"version\": \"1.0.0\\u0000\"}}}",
        ),
        (
            Format::CargoLock,
            "version = 4\n[[package]]\nname = \"a\\nb\"\nversion = \"1.0.0\"\n",
        ),
        (
            Format::ComposerLock,
            "{\"packages\": [{\"name\": \"a b\", \"version\": \"1\"}]}",
        ),
        (
            Format::PnpmLock,
            "lockfileVersion: '9.0'\npackages:\n  \"a\\tb@1.0.0\": {}\n",
        ),
        (
            Format::PomXml,
            "<project><dependencies><dependency><groupId>a&#10;b</groupId><artifactId>c</artifactId><version>1</version></dependency></dependencies></project>",
        ),
    ];
    for (format, text) in texts {
        let inventory = take(format, text).expect(text);
        assert!(inventory.packages.is_empty(), "{text}");
        let malformed = inventory.gaps.iter().find(|gap| gap.why == Why::Malformed);
        let line = malformed.expect(text).to_string();
        assert!(!line.contains(['\n', '\t', '\0', '\u{202e}']), "{line:?}");
    }
}

#[test]
fn passwords_in_addresses_are_not_kept() {
    let text = "{\"lockfileVersion\": 3, \"packages\": {\"node_modules/a\": {\"version\": \"1.0.0\",\n\
        \"resolved\": \"git+https://me:secret@git.example/a.git?token=secret#0123\"},\n\
        \"node_modules/b\": {\"version\": \"1.0.0\", \"resolved\": \"https://secret@x.example/b.tgz?k=secret\"},\n\
        \"node_modules/c\": {\"resolved\": \"https://me:secret@x.example/c.tgz\"}}}";
    let inventory = take(Format::NpmLock, text).unwrap();
    assert_eq!(inventory.packages.len(), 2);
    assert!(
        !format!("{inventory:?}").contains("secret"),
        "{inventory:?}"
    );
    let lines = "a @ https://me:secret@x.example/a.zip\n-e git+https://me:secret@x.example/b.git@1#egg=b\n\
        https://me:secret@x.example/c.zip\nd @ https://me:secret@x.example/${D}.zip\n";
    let inventory = take(Format::Requirements, lines).unwrap();
    assert_eq!(inventory.gaps.len(), 4);
    assert!(
        !format!("{inventory:?}").contains("secret"),
        "{inventory:?}"
    );
}

#[test]
fn nesting_is_bounded() {
    let deep = 100_000;
    let texts = [
        (Format::NpmLock, "[".repeat(deep)),
        (Format::NpmLock, "{\"dependencies\":".repeat(deep)),
        (Format::BunLock, "[".repeat(deep)),
        (Format::CargoLock, format!("a = {}", "[".repeat(deep))),
        (Format::CargoLock, format!("a = {}", "{b=".repeat(deep))),
        (Format::CargoLock, format!("[{}a]", "a.".repeat(deep))),
        (Format::PnpmLock, "[".repeat(deep)),
        (Format::PnpmLock, "{a: ".repeat(deep)),
        (
            Format::PnpmLock,
            (0..1_000)
                .map(|at| format!("{}a:\n", " ".repeat(at)))
                .collect(),
        ),
        (Format::PomXml, "<a>".repeat(deep)),
        (Format::MixLock, format!("%{{\"a\": {}", "{".repeat(deep))),
        (Format::CycloneDx, "{\"components\":[".repeat(deep)),
    ];
    for (format, text) in texts {
        take(format, &text).expect_err("it is refused");
    }
    // What is as deep as may be is read, on the stack that tests have.
    let inner = format!("{}{}", "[".repeat(190), "]".repeat(190));
    let text = format!("{{\"lockfileVersion\": 3, \"packages\": {{}}, \"x\": {inner}}}");
    take(Format::NpmLock, &text).unwrap();
}

#[test]
fn entities_and_aliases_never_grow() {
    let laughs = "<!DOCTYPE p [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><project><version>&b;</version></project>";
    let error = take(Format::PomXml, laughs).expect_err("it is refused");
    assert!(error.to_string().contains("&b;"), "{error}");
    let outside = "<!DOCTYPE p [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><project>&x;</project>";
    take(Format::PomXml, outside).expect_err("it is refused");
    let mut bomb = "a0: &a0 [x]\n".to_owned();
    for at in 1..40 {
        let before = at - 1;
        writeln!(bomb, "a{at}: &a{at} [*a{before}, *a{before}]").unwrap();
    }
    let error = take(Format::PnpmLock, &bomb).expect_err("it is refused");
    assert!(error.to_string().contains("anchor"), "{error}");
    let mut grow = "<project><properties><p0>xxxxxxxxxx</p0>".to_owned();
    for at in 1..40 {
        let before = at - 1;
        write!(grow, "<p{at}>${{p{before}}}${{p{before}}}</p{at}>").unwrap();
    }
    grow.push_str("</properties><dependencies><dependency><groupId>a</groupId><artifactId>b</artifactId><version>${p39}</version></dependency></dependencies></project>");
    let inventory = take(Format::PomXml, &grow).unwrap();
    assert!(inventory.packages.is_empty());
    assert!(inventory.gaps.iter().any(|gap| gap.why == Why::Unresolved));
}

#[test]
fn limits_are_errors_and_gaps_are_counted() {
    let small = |limits: Limits| Options {
        limits,
        ..Options::default()
    };
    let usual = Limits::default();
    let lines: String = (0..50).map(|at| format!("a{at}==1\nb{at}\n")).collect();
    let limits = Limits { bytes: 10, ..usual };
    let error = read(Format::Requirements, lines.as_bytes(), &small(limits)).unwrap_err();
    assert!(
        matches!(error, ReadError::TooLong { most: 10, .. }),
        "{error:?}"
    );
    let limits = Limits {
        packages: 7,
        ..usual
    };
    let error = read(Format::Requirements, lines.as_bytes(), &small(limits)).unwrap_err();
    assert!(
        matches!(
            error,
            ReadError::TooMany {
                line: 15,
                most: 7,
                of: "packages"
            }
        ),
        "{error:?}"
    );
    let limits = Limits { gaps: 20, ..usual };
    let inventory = read(Format::Requirements, lines.as_bytes(), &small(limits)).unwrap();
    assert_eq!((inventory.gaps.len(), inventory.gaps_dropped), (20, 30));
    let limits = Limits {
        values: 10,
        ..usual
    };
    let texts = [
        (Format::NpmLock, "[0,1,2,3,4,5,6,7,8,9,10]"),
        (Format::CargoLock, "a = [0,1,2,3,4,5,6,7,8,9,10]"),
        (Format::PnpmLock, "[0,1,2,3,4,5,6,7,8,9,10]"),
        (
            Format::PomXml,
            "<a><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/></a>",
        ),
        (Format::MixLock, "%{a: [0,1,2,3,4,5,6,7,8,9,10]}"),
    ];
    for (format, text) in texts {
        let error = read(format, text.as_bytes(), &small(limits)).unwrap_err();
        assert!(
            matches!(error, ReadError::TooMany { most: 10, .. }),
            "{format:?}: {error:?}"
        );
    }
}

/// A hundred million bytes are refused by their number, before any is looked at.
#[test]
fn a_huge_file_is_refused_at_once() {
    let bytes = vec![b'['; 100_000_000];
    for format in Format::all() {
        let error = read(format, &bytes, &options_for(format)).unwrap_err();
        assert!(matches!(error, ReadError::TooLong { .. }), "{format:?}");
    }
}

/// As many pieces as the time of a careless reader would grow with the square of.
const MANY: usize = 60_000;

fn repeated(piece: &str) -> String {
    piece.repeat(MANY)
}

fn numbered(form: fn(usize) -> String) -> String {
    (0..MANY).map(form).collect()
}

/// Trees that make a careless reader's time grow with the square of their length.
fn long_trees() -> Vec<(Format, String)> {
    let npm =
        |inner: String| format!("{{\"lockfileVersion\": 3, \"packages\": {{{inner}\"\": {{}}}}}}");
    vec![
        (
            Format::NpmLock,
            npm(numbered(|at| {
                format!("\"node_modules/a{at}\": {{\"version\": \"1.0.{at}\"}},")
            })),
        ),
        (
            Format::NpmLock,
            npm(numbered(|at| format!("\"node_modules/a{at}\": {{}},"))),
        ),
        (Format::NpmLock, format!("\"{}", repeated("\\u0041"))),
        (Format::BunLock, repeated("/* */ ")),
        (
            Format::BunLock,
            format!(
                "{{\"lockfileVersion\": 1, \"packages\": {{\"{}\": [\"b@1.0.0\", \"\", {{\"dependencies\": {{{}\"z\": \"1\"}}}}]}}}}",
                repeated("a/"),
                numbered(|at| format!("\"n{at}\": \"1\","))
            ),
        ),
        (
            Format::CargoLock,
            numbered(|at| format!("[[package]]\nname = \"a{at}\"\nversion = \"1.0.0\"\n")),
        ),
        (Format::CargoLock, numbered(|at| format!("[a{at}.b.c.d]\n"))),
        (Format::CargoLock, repeated("[[a.b]]\n")),
        (Format::CargoLock, numbered(|at| format!("a.b{at} = 1\n"))),
        (Format::PnpmLock, numbered(|at| format!("a{at}: 1\n"))),
        (Format::PnpmLock, repeated("- \n")),
        (Format::PnpmLock, repeated("a ")),
        (Format::PnpmLock, format!("\"{}", repeated("\\n "))),
        (Format::PnpmLock, repeated("# a\n")),
        (Format::PnpmLock, repeated("{a: ,")),
    ]
}

/// Texts of lines, of elements and of tuples that do.
fn long_lines() -> Vec<(Format, String)> {
    vec![
        (
            Format::YarnLock,
            format!(
                "# yarn lockfile v1\n{}",
                numbered(|at| format!("a@{at}:\n  version \"1.0.{at}\"\n"))
            ),
        ),
        (
            Format::PomXml,
            format!(
                "<project><dependencies>{}</dependencies></project>",
                numbered(|at| format!(
                    "<dependency><groupId>a</groupId><artifactId>b{at}</artifactId><version>1</version></dependency>"
                ))
            ),
        ),
        (Format::PomXml, repeated("<!-- a -->")),
        (
            Format::PomXml,
            format!("<a {}/>", numbered(|at| format!("b{at}=\"\" "))),
        ),
        (
            Format::MixLock,
            format!(
                "%{{{}}}",
                numbered(|at| format!("\"a{at}\": {{:hex, :a, \"1.{at}\"}},\n"))
            ),
        ),
        (
            Format::MixLock,
            format!("%{{{}", repeated("\"a\": \"b\", ")),
        ),
        (Format::Requirements, repeated("a \\\n")),
        (Format::Requirements, numbered(|at| format!("a{at}==1\n"))),
        (
            Format::GoMod,
            format!(
                "module m\ngo 1.21\nrequire (\n{})\n",
                numbered(|at| format!("a.example/b{at} v1.0.0\n"))
            ),
        ),
        (Format::GoMod, repeated("a ")),
        (
            Format::GemfileLock,
            format!("GEM\n{}", numbered(|at| format!("    a{at} (1.0)\n"))),
        ),
        (
            Format::DpkgStatus,
            numbered(|at| format!("Package: a{at}\nVersion: 1\nStatus: install ok installed\n\n")),
        ),
        (Format::DpkgStatus, repeated("Package: a\n")),
        (
            Format::UvLock,
            format!(
                "version = 1\n{}",
                numbered(|at| format!("[[package]]\nname = \"a\"\nversion = \"{at}\"\n"))
            ),
        ),
    ]
}

/// Each is read, or refused, in about the time its bytes take.
#[test]
fn time_grows_with_the_length_alone() {
    for (format, text) in long_trees().into_iter().chain(long_lines()) {
        let begun = processor_ms();
        drop(take(format, &text));
        let spent = processor_ms() - begun;
        let head: String = text.chars().take(50).collect();
        println!("{format:?} {} bytes {spent} ms: {head:?}", text.len());
        // Some microseconds a byte, in a build without optimisation.
        let most = 3_000 + i64::try_from(text.len() / 200).unwrap();
        assert!(spent < most, "{format:?} took {spent} ms: {head:?}");
    }
}

/// Processor time of this thread: the machine may do other things meanwhile.
fn processor_ms() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}

/// Twenty million bytes, as a large monorepo has them.
#[test]
fn a_file_of_twenty_megabytes_is_read() {
    let mut text = "{\"lockfileVersion\": 3, \"packages\": {\"\": {}".to_owned();
    let mut at = 0;
    while text.len() < 20_000_000 {
        write!(
            text,
            ",\n\"node_modules/package-{at}\": {{\"version\": \"1.{at}.0\", \"resolved\": \"https://registry.example/package-{at}/-/package-{at}-1.{at}.0.tgz\", \
             \"integrity\": \"sha512-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\", \"dev\": true, \"license\": \"MIT\", \
             \"dependencies\": {{\"a\": \"^1.0.0\", \"b\": \"^2.0.0\"}}, \"engines\": {{\"node\": \">=6\"}}}}"
        )
        .unwrap();
        at += 1;
    }
    text.push_str("}}");
    let begun = processor_ms();
    let inventory = take(Format::NpmLock, &text).unwrap();
    let spent = processor_ms() - begun;
    println!(
        "{} packages of {} bytes in {spent} ms",
        inventory.packages.len(),
        text.len()
    );
    assert!(spent < 60_000, "{spent} ms");
    assert_eq!(inventory.packages.len(), at);
    assert_eq!(
        inventory.packages[at - 1].line,
        u32::try_from(at).unwrap() + 1
    );
}
