//! Package URLs: their suite, round trips, and what a distribution's release becomes.

use std::path::PathBuf;

use proptest::prelude::*;

use super::{Purl, PurlError};
use crate::inventory::Details;
use crate::{Ecosystem, Origin, Package, Scope, Source, Usage};

fn suite() -> Option<Vec<serde_json::Value>> {
    let Some(path) = std::env::var_os("RAMPART_PURL_SUITE").map(PathBuf::from) else {
        println!("skipped: RAMPART_PURL_SUITE names no `test-suite-data.json` of package URLs");
        return None;
    };
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// The suite that implementations of package URLs share, all of it.
#[test]
fn the_suite_of_package_urls_passes() {
    let Some(cases) = suite() else {
        return;
    };
    assert!(cases.len() > 25);
    for case in &cases {
        let text = |key: &str| case[key].as_str();
        let purl = text("purl").unwrap();
        let read = purl.parse::<Purl>();
        if case["is_invalid"].as_bool() == Some(true) {
            assert!(read.is_err(), "{case}");
            continue;
        }
        let read = read.unwrap_or_else(|error| panic!("{error}: {case}"));
        let canonical = text("canonical_purl").unwrap();
        assert_eq!(read.to_string(), canonical, "{case}");
        assert_eq!(canonical.parse::<Purl>().unwrap(), read, "{case}");
        assert_eq!(Some(read.kind()), text("type"), "{case}");
        // One case writes a namespace with a slash behind, which is no part of it.
        let namespace = text("namespace").map(|text| text.trim_end_matches('/'));
        assert_eq!(read.namespace(), namespace, "{case}");
        assert_eq!(Some(read.name()), text("name"), "{case}");
        assert_eq!(read.version(), text("version"), "{case}");
        assert_eq!(read.subpath(), text("subpath"), "{case}");
        let qualifiers = case["qualifiers"].as_object().cloned().unwrap_or_default();
        assert_eq!(read.qualifiers().count(), qualifiers.len(), "{case}");
        for (key, value) in &qualifiers {
            assert_eq!(read.qualifier(key), value.as_str(), "{case}");
        }
        // Built of its parts it is the same.
        let mut built = Purl::new(
            text("type").unwrap(),
            text("namespace"),
            text("name").unwrap(),
        )
        .unwrap();
        built = built.with_version(text("version").unwrap_or_default());
        for (key, value) in &qualifiers {
            built = built.with_qualifier(key, value.as_str().unwrap()).unwrap();
        }
        assert_eq!(
            built.with_subpath(text("subpath").unwrap_or_default()),
            read,
            "{case}"
        );
    }
    println!("{} cases", cases.len());
}

#[test]
fn package_urls_are_printed_in_one_way() {
    let cases = [
        ("PKG:Npm/@Scope/Name@1.0.0", "pkg:npm/%40Scope/name@1.0.0"),
        ("pkg:pypi/A_b.C@1", "pkg:pypi/a-b.c@1"),
        (
            "pkg:deb/Debian/Curl@1:7.0~rc1+b?Distro=debian-12&arch=amd64",
            "pkg:deb/debian/curl@1:7.0~rc1%2Bb?arch=amd64&distro=debian-12",
        ),
        (
            "pkg:golang/github.com/BurntSushi/toml@v1",
            "pkg:golang/github.com/BurntSushi/toml@v1",
        ),
        ("pkg:cargo/a@1.0.0%2Bmeta", "pkg:cargo/a@1.0.0%2Bmeta"),
        (
            "pkg:generic/a%2Fb@1?x=&y=1%26",
            "pkg:generic/a%2Fb@1?y=1%26",
        ),
        ("pkg:pub/Some-Name", "pkg:pub/some_name"),
        ("pkg:generic//a///b/", "pkg:generic/a/b"),
        ("pkg:generic/a#./b/../c/", "pkg:generic/a#b/c"),
        ("pkg:generic/%E2%82%AC", "pkg:generic/%E2%82%AC"),
    ];
    for (text, expected) in cases {
        let purl = text
            .parse::<Purl>()
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(purl.to_string(), expected);
        assert_eq!(expected.parse::<Purl>().unwrap(), purl);
    }
}

#[test]
fn what_is_no_package_url_is_refused() {
    let long = format!("pkg:generic/{}", "a".repeat(9_000));
    let many: String = (0..100).map(|at| format!("q{at}=1&")).collect();
    let many = format!("pkg:generic/a?{many}");
    let cases = [
        ("npm/a@1", PurlError::Scheme),
        ("http://a/b", PurlError::Scheme),
        ("pkg:npm", PurlError::Type("npm".to_owned())),
        ("pkg:1x/a", PurlError::Type("1x".to_owned())),
        ("pkg:n m/a", PurlError::Type("n m".to_owned())),
        ("pkg:npm/", PurlError::Type("npm".to_owned())),
        ("pkg:npm/@1", PurlError::Name),
        ("pkg:npm/a?b", PurlError::Qualifier("b".to_owned())),
        ("pkg:npm/a?1b=c", PurlError::Qualifier("1b".to_owned())),
        ("pkg:npm/a?b%20=c", PurlError::Qualifier("b%20".to_owned())),
        ("pkg:npm/a%2", PurlError::Encoding("a%2".to_owned())),
        ("pkg:npm/a%zz", PurlError::Encoding("a%zz".to_owned())),
        ("pkg:npm/%ff", PurlError::Encoding("%ff".to_owned())),
        (long.as_str(), PurlError::TooLong { most: 8_192 }),
        (many.as_str(), PurlError::TooMany { most: 64 }),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Purl>(), Err(expected), "{text}");
    }
}

fn package(scope: &str, name: &str, version: &str) -> Package {
    let scope: Scope = scope.parse().unwrap();
    let of_release = matches!(
        scope.ecosystem,
        Ecosystem::Debian | Ecosystem::Ubuntu | Ecosystem::Alpine
    );
    Package {
        scope,
        name: name.to_owned(),
        version: version.to_owned(),
        source: of_release.then(|| Source {
            name: name.to_owned(),
            version: version.to_owned(),
        }),
        origin: Origin::Registry,
        usage: Usage::Runtime,
        line: 0,
    }
}

/// A package of every ecosystem with its URL.
const PACKAGES: &[(&str, &str, &str, &str)] = &[
    ("crates.io", "serde", "1.0.0+x", "pkg:cargo/serde@1.0.0%2Bx"),
    ("npm", "@scope/name", "1.0.0", "pkg:npm/%40scope/name@1.0.0"),
    (
        "npm",
        "left-pad",
        "1.0.0-rc.1",
        "pkg:npm/left-pad@1.0.0-rc.1",
    ),
    (
        "PyPI",
        "zope-interface",
        "5.0",
        "pkg:pypi/zope-interface@5.0",
    ),
    (
        "Go",
        "github.com/Masterminds/sprig/v3",
        "v3.2.3",
        "pkg:golang/github.com/Masterminds/sprig/v3@v3.2.3",
    ),
    ("Go", "stdlib", "1.22.3", "pkg:golang/stdlib@1.22.3"),
    (
        "Maven",
        "org.apache.commons:commons-io",
        "2.0",
        "pkg:maven/org.apache.commons/commons-io@2.0",
    ),
    (
        "Packagist",
        "acme/one",
        "v1.0",
        "pkg:composer/acme/one@v1.0",
    ),
    (
        "NuGet",
        "newtonsoft.json",
        "13.0.3",
        "pkg:nuget/newtonsoft.json@13.0.3",
    ),
    ("RubyGems", "rails", "7.0.0", "pkg:gem/rails@7.0.0"),
    ("Hex", "cowboy", "2.9.0", "pkg:hex/cowboy@2.9.0"),
    ("Pub", "from_git", "0.1.0", "pkg:pub/from_git@0.1.0"),
    ("Hackage", "aeson", "2.1.2.1", "pkg:hackage/aeson@2.1.2.1"),
    ("CRAN", "R6", "2.5.1", "pkg:cran/R6@2.5.1"),
    (
        "Debian:12",
        "libssl3",
        "1:3.0.11-1~deb12u2",
        "pkg:deb/debian/libssl3@1:3.0.11-1~deb12u2?distro=debian-12",
    ),
    ("Debian", "curl", "8.0-1", "pkg:deb/debian/curl@8.0-1"),
    (
        "Ubuntu:22.04:LTS",
        "bash",
        "5.1",
        "pkg:deb/ubuntu/bash@5.1?distro=ubuntu-22.04",
    ),
    (
        "Ubuntu:24.10",
        "bash",
        "5.2",
        "pkg:deb/ubuntu/bash@5.2?distro=ubuntu-24.10",
    ),
    (
        "Alpine:v3.20",
        "musl",
        "1.2.5-r0",
        "pkg:apk/alpine/musl@1.2.5-r0?distro=alpine-3.20",
    ),
    (
        "Alpine:edge",
        "musl",
        "1.2.5-r1",
        "pkg:apk/alpine/musl@1.2.5-r1?distro=alpine-edge",
    ),
    (
        "AlmaLinux:9",
        "bash",
        "5.1.8-9.el9",
        "pkg:rpm/almalinux/bash@5.1.8-9.el9?distro=almalinux-9",
    ),
    (
        "Rocky Linux:9",
        "openssl",
        "1:3.0.7-27.el9",
        "pkg:rpm/rocky/openssl@3.0.7-27.el9?distro=rocky-9&epoch=1",
    ),
    (
        "Red Hat",
        "bash",
        "5.1.8-9.el9",
        "pkg:rpm/redhat/bash@5.1.8-9.el9",
    ),
];

#[test]
fn packages_of_every_ecosystem_come_back_from_their_urls() {
    let mut seen = std::collections::BTreeSet::new();
    for (scope, name, version, expected) in PACKAGES.iter().copied() {
        let package = package(scope, name, version);
        seen.insert(package.scope.ecosystem);
        let purl = Purl::of(&package, None).unwrap();
        assert_eq!(purl.to_string(), expected);
        assert_eq!(purl.package().unwrap(), package, "{expected}");
        assert_eq!(
            expected.parse::<Purl>().unwrap().package().unwrap(),
            package,
            "{expected}"
        );
    }
    assert_eq!(seen.len(), 18, "every ecosystem");
}

#[test]
fn source_architecture_and_origin_are_qualifiers() {
    let mut one = package("Debian:12", "libssl3", "3.0.11-1");
    one.source = Some(Source {
        name: "openssl".to_owned(),
        version: "3.0.11-1+b1".to_owned(),
    });
    let details = Details {
        architecture: Some("amd64".to_owned()),
        ..Details::default()
    };
    let purl = Purl::of(&one, Some(&details)).unwrap();
    let text = "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl%403.0.11-1%2Bb1";
    assert_eq!(purl.to_string(), text);
    assert_eq!(purl.package().unwrap(), one);
    // As others write it: the source's name alone, its version being the same.
    let other = "pkg:deb/debian/libssl3@3.0.11-1?upstream=openssl"
        .parse::<Purl>()
        .unwrap()
        .package()
        .unwrap();
    assert_eq!(other.source.unwrap().version, "3.0.11-1");
    for origin in [
        Origin::Git {
            address: "https://git.example/who/a.git".to_owned(),
            commit: Some("0123abc".to_owned()),
        },
        Origin::Git {
            address: "ssh://git.example/a".to_owned(),
            commit: None,
        },
        Origin::Address("https://files.example/a.tgz".to_owned()),
    ] {
        let mut one = package("npm", "a", "1.0.0");
        one.origin = origin;
        let text = Purl::of(&one, None).unwrap().to_string();
        assert_eq!(
            text.parse::<Purl>().unwrap().package().unwrap(),
            one,
            "{text}"
        );
    }
}

/// `debian-12` and `debian-12.13` are the same release; one distribution is never taken for another.
#[test]
fn distro_names_a_release_of_its_own_distribution() {
    let cases = [
        ("pkg:deb/debian/a@1?distro=debian-12.13", "Debian:12"),
        ("pkg:deb/debian/a@1?distro=12", "Debian:12"),
        ("pkg:deb/debian/a@1?distro=bookworm", "Debian:12"),
        ("pkg:deb/debian/a@1?distro=debian-trixie", "Debian:13"),
        ("pkg:deb/debian/a@1?distro=debian-sid", "Debian"),
        ("pkg:deb/debian/a@1?distro=debian-12%0Aforged", "Debian"),
        ("pkg:deb/debian/a@1?distro=debian-1:2", "Debian"),
        ("pkg:deb/ubuntu/a@1?distro=ubuntu-20.04", "Ubuntu:20.04:LTS"),
        ("pkg:deb/ubuntu/a@1?distro=ubuntu-21.04", "Ubuntu:21.04"),
        ("pkg:apk/alpine/a@1?distro=alpine-3.20.3", "Alpine:v3.20"),
        ("pkg:apk/alpine/a@1?distro=alpine-v3.20", "Alpine:v3.20"),
        ("pkg:rpm/almalinux/a@1?distro=almalinux-9.4", "AlmaLinux:9"),
        ("pkg:rpm/rocky-linux/a@1?distro=rocky-8.9", "Rocky Linux:8"),
        ("pkg:rpm/redhat/a@1?distro=rhel-9.4", "Red Hat"),
        ("pkg:rpm/rhel/a@1?distro=redhat-9.4", "Red Hat"),
    ];
    for (text, expected) in cases {
        let package = text.parse::<Purl>().unwrap().package();
        let package = package.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(package.scope.to_string(), expected, "{text}");
    }
    for text in [
        "pkg:deb/debian/a@1?distro=ubuntu-22.04",
        "pkg:deb/ubuntu/a@1?distro=debian-12",
        "pkg:rpm/rocky/a@1?distro=rhel-9",
        "pkg:apk/alpine/a@1?distro=wolfi-1",
    ] {
        let error = text.parse::<Purl>().unwrap().package().unwrap_err();
        assert!(
            matches!(error, PurlError::Distro { .. }),
            "{text}: {error:?}"
        );
    }
}

#[test]
fn urls_that_name_no_package_known_here_say_why() {
    let refuse = |text: &str| text.parse::<Purl>().unwrap().package().unwrap_err();
    assert!(matches!(
        refuse("pkg:deb/kali/a@1"),
        PurlError::Ecosystem(_)
    ));
    assert!(matches!(refuse("pkg:deb/a@1"), PurlError::Ecosystem(_)));
    assert!(matches!(refuse("pkg:conan/a@1"), PurlError::Ecosystem(_)));
    assert!(matches!(refuse("pkg:npm/a"), PurlError::Version(_)));
    assert!(matches!(refuse("pkg:npm/a%0Ab@1"), PurlError::Word(_)));
    assert!(matches!(refuse("pkg:npm/a@1%E2%80%AE"), PurlError::Word(_)));
}

proptest! {
    #[test]
    fn what_is_read_is_printed_and_read_again(text in "pkg:[a-z/]{1,6}[a-zA-Z0-9@%/?#&=.:+_~ \u{e9}-]{0,40}") {
        if let Ok(purl) = text.parse::<Purl>() {
            let printed = purl.to_string();
            prop_assert_eq!(printed.parse::<Purl>(), Ok(purl), "{}", printed);
        }
    }

    #[test]
    fn any_part_survives(
        namespace in "[^\\s/]{0,8}", name in "[^\\s/]{1,8}", version in "[^\\s]{1,8}", value in "[^\\s]{1,8}"
    ) {
        let purl = Purl::new("generic", Some(&namespace), &name).unwrap();
        let purl = purl.with_version(&version).with_qualifier("key", &value).unwrap();
        let read = purl.to_string().parse::<Purl>().unwrap();
        prop_assert_eq!(read.name(), name);
        prop_assert_eq!(read.namespace().unwrap_or_default(), namespace);
        prop_assert_eq!(read.version(), Some(version.as_str()));
        prop_assert_eq!(read.qualifier("key"), Some(value.as_str()));
    }
}

/// Reads package URLs, a JSON text on each line, and prints each as it writes it, or `null`.
const PEER: &str = "
import json, sys
from packageurl import PackageURL
for line in sys.stdin:
    try:
        print(json.dumps(PackageURL.from_string(json.loads(line)).to_string()))
    except Exception:
        print('null')
";

/// `packageurl-python`, which the validators of SBOMs bring, prints what both take in the same way, but
/// where it is said why not.
#[test]
fn damaged_urls_are_printed_as_another_implementation_prints_them() {
    let Some(python) = std::env::var_os("RAMPART_SBOM_PYTHON") else {
        println!("skipped: RAMPART_SBOM_PYTHON names no Python that has packageurl-python");
        return;
    };
    let words: &[&[u8]] = &[
        b"@", b"/", b"?", b"#", b"&", b"=", b"%2F", b"%40", b"%", b"..", b".", b":", b"A", b"_",
        b"+", b" ",
    ];
    let mut mutator = testkit::Mutator::new(5);
    let mut texts = Vec::new();
    for _ in 0..4_000 {
        let (.., text) = mutator.pick(PACKAGES).unwrap();
        let begun = if text.contains('?') { '&' } else { '?' };
        let mut bytes = format!("{text}{begun}a=b&C=d%20e#x/y").into_bytes();
        mutator.mutate(&mut bytes, words);
        if let Ok(text) = String::from_utf8(bytes) {
            texts.push(text);
        }
    }
    let mut child = std::process::Command::new(python)
        .args(["-c", PEER])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let input: String = texts
        .iter()
        .map(|text| serde_json::to_string(text).unwrap() + "\n")
        .collect();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        std::io::Write::write_all(&mut stdin, input.as_bytes()).unwrap();
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let (mut same, mut refused) = (0, 0);
    for (text, line) in texts.iter().zip(output.lines()) {
        let theirs: Option<String> = serde_json::from_str(line).unwrap();
        let (Ok(ours), Some(theirs)) = (text.parse::<Purl>(), theirs) else {
            refused += 1;
            continue;
        };
        // It writes a slash within a name as itself, which then parts it; `%3d` in lower case where
        // names are; leaves white space at the ends of parts out; and knows no lower case of Debian.
        if text.contains("%2F") || text.contains(' ') || text.contains("%20@") {
            continue;
        }
        // A port without a number is left in by it: `pkg:gem///rails@7.0.0` ends in `:`.
        // Of a slash at the end it makes a part of the version, where there is one.
        if text.contains("///") || text.contains("/?") || text.contains("/#") || text.ends_with('/')
        {
            continue;
        }
        assert!(
            ours.to_string().eq_ignore_ascii_case(&theirs),
            "{text:?}: {ours} and {theirs}"
        );
        same += 1;
    }
    println!("{same} the same, {refused} refused by one or both");
    assert!(same > 800 && refused < 2_800, "{same} {refused}");
}
