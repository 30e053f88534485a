//! One form of each name.

use super::{normal, repository, scope};
use crate::{Ecosystem, Scope};

#[test]
fn names_are_compared_as_their_ecosystem_does() {
    for (ecosystem, given, expected) in [
        (Ecosystem::PyPi, "a__-.b", "a-b"),
        (Ecosystem::PyPi, "plain1", "plain1"),
        (
            Ecosystem::Go,
            "github.com/BurntSushi/toml",
            "github.com/BurntSushi/toml",
        ),
        (Ecosystem::PyPi, "Zope.Interface__x", "zope-interface-x"),
        (Ecosystem::PyPi, "a--b", "a-b"),
        (Ecosystem::NuGet, "Newtonsoft.Json", "newtonsoft.json"),
        (
            Ecosystem::Packagist,
            "Symfony/HTTP-Kernel",
            "symfony/http-kernel",
        ),
        (Ecosystem::Npm, "JSONStream", "JSONStream"),
        (Ecosystem::CratesIo, "serde_json", "serde_json"),
        (Ecosystem::Maven, "org.Apache:A", "org.Apache:A"),
    ] {
        assert_eq!(normal(ecosystem, given), expected);
    }
}

#[test]
fn releases_have_the_form_that_advisories_use() {
    for (given, expected) in [
        ("Debian:12.13", "Debian:12"),
        ("Debian:12", "Debian:12"),
        ("Debian:3.1", "Debian:3.1"),
        ("Debian:sid", "Debian:sid"),
        ("Alpine:3.20.3", "Alpine:v3.20"),
        ("Alpine:v3.20", "Alpine:v3.20"),
        ("Alpine:edge", "Alpine:edge"),
        ("Ubuntu:22.04:LTS", "Ubuntu:22.04"),
        ("Ubuntu:Pro:22.04:LTS", "Ubuntu:Pro:22.04"),
        ("Rocky Linux:9.4", "Rocky Linux:9"),
        ("AlmaLinux:9", "AlmaLinux:9"),
        (
            "Red Hat:enterprise_linux:9::appstream",
            "Red Hat:enterprise_linux:9::appstream",
        ),
        ("npm", "npm"),
    ] {
        let parsed: Scope = given.parse().unwrap();
        assert_eq!(scope(&parsed).to_string(), expected);
        assert_eq!(
            scope(&scope(&parsed)),
            scope(&parsed),
            "the normal form is its own"
        );
    }
}

#[test]
fn addresses_of_one_repository_are_one() {
    for address in [
        "https://GitHub.com/a/B.git",
        "https://github.com/a/B",
        "git+https://github.com/a/B/",
        "ssh://git@github.com/a/B.git",
        "git@github.com:a/B.git",
        "https://github.com/a/B?branch=main#abc",
    ] {
        assert_eq!(repository(address), "github.com/a/B", "{address}");
    }
    assert_ne!(
        repository("https://github.com/a/b"),
        repository("https://github.com/a/B")
    );
}
