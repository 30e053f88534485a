//! What a package URL names, held against a package.
//!
//! Sources: the package-url specification and its list of types.

use super::Miss;
use crate::feed::names::{has_releases, name, scope};
use crate::{Ecosystem, Package, Scope, compare};

/// A package URL, taken apart and decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// `deb`, `npm`.
    pub kind: String,
    /// `debian`, `@scope`, `org.apache`.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The version; every one where none is said.
    pub version: Option<String>,
    /// `distro`, `arch` and the like.
    pub qualifiers: Vec<(String, String)>,
}

/// The type of package URLs of an ecosystem, and the namespaces of a distribution.
fn kind(ecosystem: Ecosystem) -> (&'static str, &'static [&'static str]) {
    use Ecosystem as E;
    match ecosystem {
        E::Alpine => ("apk", &["alpine"]),
        E::AlmaLinux => ("rpm", &["almalinux", "alma"]),
        E::Cran => ("cran", &[]),
        E::CratesIo => ("cargo", &[]),
        E::Debian => ("deb", &["debian"]),
        E::Go => ("golang", &[]),
        E::Hackage => ("hackage", &[]),
        E::Hex => ("hex", &[]),
        E::Maven => ("maven", &[]),
        E::Npm => ("npm", &[]),
        E::NuGet => ("nuget", &[]),
        E::Packagist => ("composer", &[]),
        E::Pub => ("pub", &[]),
        E::PyPi => ("pypi", &[]),
        E::RedHat => ("rpm", &["redhat", "rhel"]),
        E::RockyLinux => ("rpm", &["rocky", "rockylinux", "rocky-linux"]),
        E::RubyGems => ("gem", &[]),
        E::Ubuntu => ("deb", &["ubuntu"]),
    }
}

/// Names of releases that package URLs write in place of numbers.
const CODENAMES: &[(Ecosystem, &str, &str)] = &[
    (Ecosystem::Debian, "buster", "10"),
    (Ecosystem::Debian, "bullseye", "11"),
    (Ecosystem::Debian, "bookworm", "12"),
    (Ecosystem::Debian, "trixie", "13"),
    (Ecosystem::Debian, "forky", "14"),
    (Ecosystem::Ubuntu, "bionic", "18.04"),
    (Ecosystem::Ubuntu, "focal", "20.04"),
    (Ecosystem::Ubuntu, "jammy", "22.04"),
    (Ecosystem::Ubuntu, "noble", "24.04"),
];

impl Product {
    /// Whether it names the package, and all that it says of it holds.
    pub(super) fn names(&self, package: &Package) -> Result<(), Miss> {
        let ecosystem = package.scope.ecosystem;
        let (kind, namespaces) = kind(ecosystem);
        if self.kind != kind || !self.same_name(package, namespaces) {
            return Err(Miss::NoPackage);
        }
        self.same_version(package)?;
        for (qualifier, value) in &self.qualifiers {
            if !self.holds(package, qualifier, value) {
                return Err(Miss::Qualifier(format!("{qualifier}={value}")));
            }
        }
        Ok(())
    }

    fn same_name(&self, package: &Package, namespaces: &[&str]) -> bool {
        let ecosystem = package.scope.ecosystem;
        let namespace = self.namespace.as_deref().filter(|text| !text.is_empty());
        if has_releases(ecosystem) {
            let fits = namespace.is_none_or(|text| namespaces.contains(&text));
            let source = package.source.as_ref().map(|source| &source.name);
            return fits && (self.name == package.name || source == Some(&self.name));
        }
        let separator = if ecosystem == Ecosystem::Maven {
            ':'
        } else {
            '/'
        };
        let whole = match namespace {
            Some(namespace) => format!("{namespace}{separator}{}", self.name),
            None => self.name.clone(),
        };
        name(ecosystem, &whole) == name(ecosystem, &package.name)
    }

    fn same_version(&self, package: &Package) -> Result<(), Miss> {
        let Some(version) = &self.version else {
            return Ok(());
        };
        let ecosystem = package.scope.ecosystem;
        // An epoch stands beside the version in package URLs of rpm.
        let epoch = self
            .qualifier("epoch")
            .filter(|_| kind(ecosystem).0 == "rpm");
        let version = match epoch {
            Some(epoch) => format!("{epoch}:{version}"),
            None => version.clone(),
        };
        let same = |own: &str| {
            own == version || compare(ecosystem, own, &version).is_ok_and(std::cmp::Ordering::is_eq)
        };
        let source = package.source.as_ref();
        let of_source =
            source.is_some_and(|source| source.name == self.name && same(&source.version));
        if of_source || (same(&package.version) && self.name_is_own(package)) {
            Ok(())
        } else {
            Err(Miss::Version(package.version.clone()))
        }
    }

    /// Whether it is the package's own name rather than its source's.
    fn name_is_own(&self, package: &Package) -> bool {
        !has_releases(package.scope.ecosystem) || self.name == package.name
    }

    fn qualifier(&self, wanted: &str) -> Option<&str> {
        let found = self.qualifiers.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a qualifier holds. One that cannot be checked does not.
    fn holds(&self, package: &Package, qualifier: &str, value: &str) -> bool {
        let source = package.source.as_ref();
        match qualifier {
            "distro" => distro(package, value),
            "epoch" => kind(package.scope.ecosystem).0 == "rpm" && self.version.is_some(),
            "arch" => matches!(value, "source" | "src" | "all" | "noarch"),
            "upstream" => {
                let name = value.split('@').next().unwrap_or(value);
                name == package.name || source.is_some_and(|source| source.name == name)
            }
            _ => false,
        }
    }
}

/// `debian-12`, `debian-12.13`, `bookworm`, `alpine-3.20.3`: the release, as advisories name it.
fn distro(package: &Package, value: &str) -> bool {
    let ecosystem = package.scope.ecosystem;
    let (_, namespaces) = kind(ecosystem);
    let own = scope(&package.scope).release;
    let named = CODENAMES
        .iter()
        .find(|(known, name, _)| *known == ecosystem && *name == value)
        .map(|(_, _, release)| *release);
    let numbered = namespaces
        .iter()
        .find_map(|namespace| value.strip_prefix(*namespace)?.strip_prefix(['-', ':']));
    let Some(release) = named.or(numbered).filter(|text| !text.is_empty()) else {
        return false;
    };
    let said = Scope {
        ecosystem,
        release: Some(release.to_owned()),
    };
    own.is_some() && scope(&said).release == own
}
