//! Packages as package URLs, and back.

use super::{Purl, PurlError};
use crate::inventory::{Details, is_word, os_release, repository};
use crate::names::normal;
use crate::text::{plain, said};
use crate::{Ecosystem, Origin, Package, Scope, Source, Usage};

/// Ecosystems with the type and, of distributions, the namespace of their package URLs, and how
/// `distro` begins there.
const TYPES: &[(Ecosystem, &str, &str, &str)] = &[
    (Ecosystem::Alpine, "apk", "alpine", "alpine"),
    (Ecosystem::AlmaLinux, "rpm", "almalinux", "almalinux"),
    (Ecosystem::Cran, "cran", "", ""),
    (Ecosystem::CratesIo, "cargo", "", ""),
    (Ecosystem::Debian, "deb", "debian", "debian"),
    (Ecosystem::Go, "golang", "", ""),
    (Ecosystem::Hackage, "hackage", "", ""),
    (Ecosystem::Hex, "hex", "", ""),
    (Ecosystem::Maven, "maven", "", ""),
    (Ecosystem::Npm, "npm", "", ""),
    (Ecosystem::NuGet, "nuget", "", ""),
    (Ecosystem::Packagist, "composer", "", ""),
    (Ecosystem::Pub, "pub", "", ""),
    (Ecosystem::PyPi, "pypi", "", ""),
    (Ecosystem::RedHat, "rpm", "redhat", "rhel"),
    (Ecosystem::RockyLinux, "rpm", "rocky", "rocky"),
    (Ecosystem::RubyGems, "gem", "", ""),
    (Ecosystem::Ubuntu, "deb", "ubuntu", "ubuntu"),
];

/// Other words for namespaces of distributions.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("alma", "almalinux"),
    ("rhel", "redhat"),
    ("rockylinux", "rocky"),
    ("rocky-linux", "rocky"),
];

impl Purl {
    /// The package URL of a package, with what else is known of it.
    ///
    /// Of distributions it carries `distro`, `arch`, of rpm `epoch`, and `upstream`, the source
    /// package (`name@version`); of a repository `vcs_url`, of an address `download_url`. A folder
    /// has no word in package URLs.
    ///
    /// # Errors
    /// A name that is none: readers make no such packages.
    pub fn of(package: &Package, details: Option<&Details>) -> Result<Self, PurlError> {
        let ecosystem = package.scope.ecosystem;
        let known = TYPES.iter().find(|(known, ..)| *known == ecosystem);
        let Some((_, kind, namespace, distro)) = known else {
            return Err(PurlError::Ecosystem(ecosystem.name().to_owned()));
        };
        let (inner, name) = match ecosystem {
            Ecosystem::Maven => package.name.split_once(':').unwrap_or(("", &package.name)),
            _ => package.name.rsplit_once('/').unwrap_or(("", &package.name)),
        };
        let namespace = if namespace.is_empty() {
            inner
        } else {
            namespace
        };
        let mut purl = Self::new(kind, Some(namespace), name)?;
        let mut version = package.version.as_str();
        if *kind == "rpm"
            && let Some((epoch, rest)) = version.split_once(':')
            && is_number(epoch)
        {
            purl = purl.with_qualifier("epoch", epoch)?;
            version = rest;
        }
        purl = purl.with_version(version);
        if let Some(release) = &package.scope.release
            && !distro.is_empty()
        {
            purl = purl.with_qualifier("distro", &format!("{distro}-{}", released(release)))?;
        }
        if let Some(architecture) = details.and_then(|details| details.architecture.as_deref()) {
            purl = purl.with_qualifier("arch", architecture)?;
        }
        if let Some(source) = &package.source {
            let is_own = source.name == package.name && source.version == package.version;
            if !is_own || *kind == "rpm" {
                let upstream = format!("{}@{}", source.name, source.version);
                purl = purl.with_qualifier("upstream", &upstream)?;
            }
        }
        match &package.origin {
            Origin::Registry | Origin::Path(_) => Ok(purl),
            Origin::Address(address) => purl.with_qualifier("download_url", address),
            Origin::Git { address, commit } => {
                let commit = commit
                    .as_ref()
                    .map_or_else(String::new, |commit| format!("@{commit}"));
                purl.with_qualifier("vcs_url", &format!("git+{address}{commit}"))
            }
        }
    }

    /// The package it names, on no line of any file.
    ///
    /// # Errors
    /// A type or a distribution that is not known here, no version, or words that are none.
    pub fn package(&self) -> Result<Package, PurlError> {
        let ecosystem = self.ecosystem()?;
        let Some(version) = self.version() else {
            return Err(PurlError::Version(said(&self.to_string())));
        };
        let version = self.with_epoch(version);
        let name = self.name_in(ecosystem);
        for word in [&name, &version] {
            if !is_word(word) {
                return Err(PurlError::Word(said(word)));
            }
        }
        let release = self.release(ecosystem)?;
        let own = || Source {
            name: name.clone(),
            version: version.clone(),
        };
        let source = match (self.kind.as_str(), self.qualifier("upstream")) {
            ("deb" | "apk" | "rpm", Some(upstream)) => {
                let (name, of) = upstream.rsplit_once('@').unwrap_or((upstream, &version));
                let source = Source {
                    name: name.to_owned(),
                    version: of.to_owned(),
                };
                Some(source).filter(|source| is_word(&source.name) && is_word(&source.version))
            }
            ("deb" | "apk", None) => Some(own()),
            _ => None,
        };
        Ok(Package {
            scope: Scope { ecosystem, release },
            name,
            version,
            source,
            origin: self.origin(),
            usage: Usage::Runtime,
            line: 0,
        })
    }

    /// The name of what it names, as its ecosystem compares it.
    pub(crate) fn name_in(&self, ecosystem: Ecosystem) -> String {
        let name = match (self.namespace(), ecosystem) {
            (Some(namespace), Ecosystem::Maven) => format!("{namespace}:{}", self.name),
            (Some(namespace), _) if distro_of(ecosystem).is_empty() => {
                format!("{namespace}/{}", self.name)
            }
            _ => self.name.clone(),
        };
        normal(ecosystem, &name).into_owned()
    }

    /// A version of it; of rpm with the epoch that stands beside it.
    pub(crate) fn with_epoch(&self, version: &str) -> String {
        match self.qualifier("epoch") {
            Some(epoch) if self.kind == "rpm" && is_number(epoch) && epoch != "0" => {
                format!("{epoch}:{version}")
            }
            _ => version.to_owned(),
        }
    }

    /// Whose packages it names.
    pub(crate) fn ecosystem(&self) -> Result<Ecosystem, PurlError> {
        let namespace = self.namespace().unwrap_or_default();
        let other = OTHER_NAMES.iter().find(|(other, _)| *other == namespace);
        let namespace = other.map_or(namespace, |(_, known)| known);
        let fits = |kind: &str, wanted: &str| {
            kind == self.kind && (wanted.is_empty() || wanted == namespace)
        };
        let known = TYPES.iter().find(|(_, kind, wanted, _)| fits(kind, wanted));
        match known {
            Some((ecosystem, ..)) => Ok(*ecosystem),
            None if namespace.is_empty() => Err(PurlError::Ecosystem(said(&self.kind))),
            None => Err(PurlError::Ecosystem(said(&format!(
                "{}/{namespace}",
                self.kind
            )))),
        }
    }

    /// The release that `distro` names; none where it names none that has advisories.
    pub(crate) fn release(&self, ecosystem: Ecosystem) -> Result<Option<String>, PurlError> {
        let id = distro_of(ecosystem);
        let Some(distro) = self.qualifier("distro").filter(|_| !id.is_empty()) else {
            return Ok(None);
        };
        let (name, text) = match distro.split_once(['-', ':']) {
            Some((name, rest)) => (Some(name), rest),
            None => (None, distro),
        };
        // SECURITY: packages of one distribution compared with advisories of another look well.
        if let Some(name) = name {
            let other = OTHER_NAMES.iter().find(|(other, _)| *other == name);
            let name = other.map_or(name, |(_, known)| known);
            let namespace = self.namespace().unwrap_or_default();
            let fits = name == id
                || TYPES
                    .iter()
                    .any(|(known, _, of, _)| *known == ecosystem && *of == name);
            if !fits {
                return Err(PurlError::Distro {
                    distro: said(distro),
                    namespace: said(namespace),
                });
            }
        }
        Ok(os_release::release_of(ecosystem, text))
    }

    fn origin(&self) -> Origin {
        if let Some(git) = self.qualifier("vcs_url").and_then(repository) {
            return git;
        }
        match self.qualifier("download_url") {
            Some(address) => Origin::Address(plain(address)),
            None => Origin::Registry,
        }
    }
}

/// How `distro` begins; nothing where an ecosystem is no distribution.
fn distro_of(ecosystem: Ecosystem) -> &'static str {
    let known = TYPES.iter().find(|(known, ..)| *known == ecosystem);
    known.map_or("", |(.., distro)| distro)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A release as `distro` has it: `22.04` of `22.04:LTS`, `3.20` of `v3.20`.
fn released(release: &str) -> &str {
    let digits = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
    let part = release.split(':').find(digits).unwrap_or(release);
    let bare = part.strip_prefix('v');
    bare.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(part)
}
