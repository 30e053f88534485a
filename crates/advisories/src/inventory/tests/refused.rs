use super::super::os_release::OsRelease;
use super::super::{Format, Limits, Options, ReadError, Why, check_go_sums, read, recognise};
use super::{options, options_for};
use crate::{Ecosystem, Scope};

fn refuse(format: Format, text: &str) -> ReadError {
    read(format, text.as_bytes(), &options_for(format)).expect_err(text)
}

#[test]
fn unknown_versions_are_refused_with_their_line_and_a_hint() {
    let cases = [
        (
            Format::CargoLock,
            "version = 5\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"",
            1,
        ),
        (
            Format::NpmLock,
            "{\n\"lockfileVersion\": 4, \"packages\": {}}",
            2,
        ),
        (
            Format::NpmLock,
            "{\"lockfileVersion\": 1, \"packages\": {}}",
            1,
        ),
        (Format::YarnLock, "# yarn lockfile v2\n", 1),
        (Format::YarnLock, "__metadata:\n  version: 99\n", 2),
        (Format::PnpmLock, "lockfileVersion: '7.0'\n", 1),
        (Format::BunLock, "{\"lockfileVersion\": 3}", 1),
        (Format::PoetryLock, "[metadata]\nlock-version = \"3.0\"", 2),
        (Format::PoetryLock, "[metadata]\ncontent-hash = \"0\"", 1),
        (Format::PipfileLock, "{\"_meta\": {\"pipfile-spec\": 7}}", 1),
        (Format::UvLock, "\nversion = 2", 2),
        (Format::PdmLock, "[metadata]\nlock_version = \"3.1\"", 2),
        (Format::PylockToml, "lock-version = \"2.0\"", 1),
        (
            Format::NugetLock,
            "{\"version\": 3, \"dependencies\": {}}",
            1,
        ),
        (
            Format::CycloneDx,
            "{\"bomFormat\": \"CycloneDX\",\n\"specVersion\": \"1.7\"}",
            2,
        ),
        (Format::Spdx, "{\"spdxVersion\": \"SPDX-3.0\"}", 1),
    ];
    for (format, text, expected) in cases {
        match refuse(format, text) {
            ReadError::Version { line, hint, .. } => {
                assert_eq!(line, expected, "{text}");
                assert!(hint.contains("read"), "{hint}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn what_is_of_another_shape_is_refused() {
    let cases = [
        (Format::ApkInstalled, "X:1\n"),
        (Format::BunLock, "[]"),
        (Format::CabalFreeze, "nothing here\n"),
        (Format::CargoLock, "[metadata]\n"),
        (Format::ComposerLock, "{}"),
        (Format::CycloneDx, "{}"),
        (Format::DotnetDeps, "{\"libraries\": {}}"),
        (Format::DpkgStatus, "Name: a\n"),
        (Format::GemfileLock, "hello\n"),
        (Format::GoMod, "// nothing\n"),
        (Format::GoMod, "module a\nrequire (\n"),
        (Format::MixLock, "[]"),
        (Format::NpmLock, "{}"),
        (Format::NugetLock, "{}"),
        (Format::PdmLock, ""),
        (Format::PipfileLock, "[]"),
        (Format::PnpmLock, "a: b"),
        (Format::PoetryLock, ""),
        (Format::PomXml, "<a/>"),
        (Format::PubspecLock, "sdks: {}"),
        (Format::PylockToml, ""),
        (Format::RenvLock, "{\"R\": {}}"),
        (Format::RpmQuery, "a b c\n"),
        (Format::Spdx, "{}"),
        (Format::StackLock, "snapshots: []"),
        (Format::UvLock, ""),
        (Format::YarnLock, "a@1:\n  version \"1.0.0\"\n"),
    ];
    for (format, text) in cases {
        match refuse(format, text) {
            ReadError::Shape { format: name, .. } => assert_eq!(name, format.name()),
            other => panic!("{format:?} {text}: {other:?}"),
        }
    }
}

#[test]
fn errors_of_syntax_have_a_place() {
    let cases = [
        (Format::NpmLock, "{\n  \"a\": tru }", (2, 8)),
        (Format::NpmLock, "{\"é\": 1,}", (1, 9)),
        (Format::NpmLock, "{\"a\": 01}", (1, 7)),
        (Format::NpmLock, "{\"a\": \"\\ud800\"}", (1, 14)),
        (Format::NpmLock, "{\"a\": \"\t\"}", (1, 8)),
        (Format::NpmLock, "{} {}", (1, 4)),
        (Format::NpmLock, "// comment\n{}", (1, 1)),
        (Format::CargoLock, "version = 4\nversion = 4\n", (2, 1)),
        (Format::PnpmLock, "a: [\n", (2, 1)),
        (Format::PomXml, "<a>\n<b></a>", (2, 4)),
        (Format::MixLock, "%{\"a\": {:hex,\n", (2, 1)),
        (Format::GoMod, "module a\nrequire \"b v1\n", (2, 1)),
    ];
    for (format, text, expected) in cases {
        match refuse(format, text) {
            ReadError::Syntax { line, column, .. } => {
                assert_eq!((line, column), expected, "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn what_two_readers_could_take_differently_is_refused() {
    let mut many: String = (0..20).map(|at| format!("\"k{at}\": {at}, ")).collect();
    many.push_str("\"k7\": 0");
    for text in [
        "{\"a\": 1, \"b\": 2, \"a\": 3}".to_owned(),
        format!("{{{many}}}"),
    ] {
        let error = refuse(Format::NpmLock, &text);
        assert!(error.to_string().contains("again"), "{error}");
    }
    for text in [
        "a: 1\na: 2\n",
        "a: &x 1\nb: *x\n",
        "a: &x 1\n",
        "a: !!str 1\n",
        "a: !x [1]\n",
        "a: 1\n---\nb: 2\n",
        "? [a]\n: b\n",
    ] {
        assert!(
            matches!(refuse(Format::PnpmLock, text), ReadError::Syntax { .. }),
            "{text}"
        );
    }
}

#[test]
fn a_conflict_of_a_merge_is_named() {
    let npm = "{\n<<<<<<< HEAD\n\"a\": 1\n=======\n\"a\": 2\n>>>>>>> x\n}";
    let yarn = "# yarn lockfile v1\n<<<<<<< HEAD\n";
    let cargo = "version = 4\n<<<<<<< HEAD\n";
    for (format, text) in [
        (Format::NpmLock, npm),
        (Format::YarnLock, yarn),
        (Format::CargoLock, cargo),
    ] {
        let error = refuse(format, text);
        assert!(
            error.hint().is_some_and(|hint| hint.contains("merge")),
            "{error:?}"
        );
    }
}

#[test]
fn packages_of_a_distribution_need_its_release() {
    let none = Options::default();
    let wrong = options(Some(Ecosystem::Npm), None);
    for format in [
        Format::DpkgStatus,
        Format::DpkgStatusD,
        Format::ApkInstalled,
        Format::RpmQuery,
    ] {
        for options in [&none, &wrong] {
            let error = read(format, b"Package: a\n", options).expect_err("it is refused");
            assert!(matches!(error, ReadError::Release { .. }), "{error:?}");
            assert!(error.hint().is_some_and(|hint| hint.contains("os-release")));
        }
    }
}

#[test]
fn files_are_recognised_by_their_names() {
    let cases = [
        ("Cargo.lock", Some(Format::CargoLock)),
        ("a/b/package-lock.json", Some(Format::NpmLock)),
        ("node_modules/.package-lock.json", Some(Format::NpmLock)),
        ("requirements-dev.txt", Some(Format::Requirements)),
        ("dev-requirements.txt", Some(Format::Requirements)),
        ("requirements/base.txt", Some(Format::Requirements)),
        ("notes/base.txt", None),
        ("var/lib/dpkg/status", Some(Format::DpkgStatus)),
        ("/var/lib/dpkg/status", Some(Format::DpkgStatus)),
        (
            "image/var/lib/dpkg/status.d/base-files",
            Some(Format::DpkgStatusD),
        ),
        ("var/lib/dpkg/status.d/base-files.md5sums", None),
        ("status", None),
        ("notvar/lib/dpkg/status", None),
        ("lib/apk/db/installed", Some(Format::ApkInstalled)),
        ("installed", None),
        ("pylock.toml", Some(Format::PylockToml)),
        ("pylock.web.toml", Some(Format::PylockToml)),
        ("App.deps.json", Some(Format::DotnetDeps)),
        ("bom.json", Some(Format::CycloneDx)),
        ("x.cdx.json", Some(Format::CycloneDx)),
        ("x.spdx.json", Some(Format::Spdx)),
        ("cargo.lock", None),
        ("Cargo.lock.orig", None),
        ("package.json", None),
        ("", None),
    ];
    for (path, expected) in cases {
        assert_eq!(recognise(path), expected, "{path}");
    }
    for format in Format::all() {
        assert!(!format.name().is_empty(), "{format:?}");
    }
}

#[test]
fn os_release_names_the_scope() {
    let cases = [
        ("ID=debian\nVERSION_ID=\"12\"\n", Some("Debian:12")),
        ("ID=debian\nVERSION_ID=12.5\n", Some("Debian:12")),
        ("ID=debian\nVERSION_CODENAME=trixie\n", Some("Debian:13")),
        ("ID=debian\n", Some("Debian")),
        (
            "ID=ubuntu\nVERSION_ID=\"22.04\"\nVERSION=\"22.04.3 LTS (Jammy)\"\n",
            Some("Ubuntu:22.04:LTS"),
        ),
        (
            "ID=ubuntu\nVERSION_ID=\"24.10\"\nVERSION=\"24.10 (Oracular)\"\n",
            Some("Ubuntu:24.10"),
        ),
        ("ID=alpine\nVERSION_ID=3.20.3\n", Some("Alpine:v3.20")),
        (
            "ID=alpine\nVERSION_ID=3.21_alpha20240807\n",
            Some("Alpine:edge"),
        ),
        ("ID=\"almalinux\"\nVERSION_ID='9.4'\n", Some("AlmaLinux:9")),
        (
            "# ID=debian\nID=rocky\nVERSION_ID=8.9\n",
            Some("Rocky Linux:8"),
        ),
        ("ID=rhel\nVERSION_ID=9.4\n", Some("Red Hat")),
        (
            "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=21\n",
            None,
        ),
        (
            "ID=debian\nID=alpine\nVERSION_ID=3.1.4\n",
            Some("Alpine:v3.1"),
        ),
        ("ID=de\\bian\nVERSION_ID=12\n", Some("Debian:12")),
        ("", None),
    ];
    for (text, expected) in cases {
        let scope = OsRelease::read(text.as_bytes()).unwrap().scope();
        assert_eq!(
            scope.map(|scope| scope.to_string()).as_deref(),
            expected,
            "{text}"
        );
    }
    assert!(OsRelease::read(&[b'#'; 70_000]).is_err());
    assert!(OsRelease::read(b"ID=\xff").is_err());
}

#[test]
fn go_sum_only_checks_what_go_mod_requires() {
    let error = refuse(Format::GoSum, "a v1 h1:x=\n");
    assert!(matches!(error, ReadError::NotAlone { .. }), "{error:?}");
    let module = "module m\ngo 1.21\nrequire (\n\ta.example/a v1.0.0\n\ta.example/b v1.0.0\n)\n";
    let mut inventory = read(Format::GoMod, module.as_bytes(), &Options::default()).unwrap();
    let before = inventory.gaps.len();
    let sums =
        b"a.example/a v1.0.0/go.mod h1:x=\na.example/b v1.0.1 h1:y=\nold.example v0.1.0 h1:z=\n";
    check_go_sums(&mut inventory, sums, &Limits::default()).unwrap();
    let more = &inventory.gaps[before..];
    assert_eq!(more.len(), 1);
    assert_eq!(
        (more[0].why, more[0].subject.as_str()),
        (Why::Conflict, "a.example/b")
    );
    assert!(check_go_sums(&mut inventory, b"two words\n", &Limits::default()).is_err());
}

#[test]
fn the_same_package_of_several_places_is_one_with_the_first_line() {
    let text = "{\"lockfileVersion\": 3, \"packages\": {\n\
        \"node_modules/a\": {\"version\": \"1.0.0\", \"dev\": true},\n\
        \"node_modules/b/node_modules/a\": {\"version\": \"1.0.0\"},\n\
        \"node_modules/c/node_modules/a\": {\"version\": \"1.0.0\", \"resolved\": \"https://x.example/a.tgz\"}\n}}";
    let inventory = read(Format::NpmLock, text.as_bytes(), &Options::default()).unwrap();
    assert_eq!(inventory.packages.len(), 2);
    assert_eq!(inventory.packages[0].line, 2);
    assert_eq!(inventory.packages[0].usage, crate::Usage::Runtime);
    assert_eq!(inventory.packages[0].scope, Scope::of(Ecosystem::Npm));
}
