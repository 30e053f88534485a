//! The packages of a report by the names under which statements speak of them.
//!
//! Names are compared as package URLs: what these do not keep (capitals of npm's names) does not
//! part a statement from its package.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::Miss;
use crate::inventory::{Details, Inventory};
use crate::names::{has_releases, scope};
use crate::{Ecosystem, Package, Purl, Scope, compare};

/// A name in its normal form.
type Key = (Ecosystem, String);

/// Packages, to be found by their own names and those of their sources.
pub(super) struct Packages<'p> {
    inventory: &'p Inventory,
    names: Vec<Names>,
    by_name: HashMap<Key, Vec<usize>>,
}

/// What one package is called.
struct Names {
    own: Option<Key>,
    /// Of the source it was built from, where its distribution's statements speak of these.
    source: Option<Key>,
}

impl<'p> Packages<'p> {
    pub(super) fn of(inventory: &'p Inventory) -> Self {
        let names: Vec<Names> = inventory.packages.iter().map(names).collect();
        let mut by_name: HashMap<Key, Vec<usize>> = HashMap::new();
        for (at, Names { own, source }) in names.iter().enumerate() {
            let other = source.as_ref().filter(|_| source != own);
            for key in own.iter().chain(other) {
                by_name.entry(key.clone()).or_default().push(at);
            }
        }
        Self {
            inventory,
            names,
            by_name,
        }
    }

    /// The packages of a subject's name by their places, and whether all else that it says of them
    /// holds.
    pub(super) fn named(&self, subject: &Purl) -> impl Iterator<Item = (usize, Result<(), Miss>)> {
        let key = key(subject);
        let places = key.as_ref().and_then(|key| self.by_name.get(key));
        let places = places.map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(move |at| {
            let (package, names) = (self.inventory.packages.get(*at)?, self.names.get(*at)?);
            let details = self.inventory.details.get(at);
            let fits = same_version(subject, key.as_ref()?, package, names)
                .and_then(|()| holds(subject, package, details));
            Some((*at, fits))
        })
    }
}

fn key(purl: &Purl) -> Option<Key> {
    let ecosystem = purl.ecosystem().ok()?;
    Some((ecosystem, purl.name_in(ecosystem)))
}

fn names(package: &Package) -> Names {
    let named = |package: &Package| key(&Purl::of(package, None).ok()?);
    let ecosystem = package.scope.ecosystem;
    let source = package.source.as_ref().filter(|_| has_releases(ecosystem));
    Names {
        own: named(package),
        source: source.and_then(|source| {
            named(&Package {
                name: source.name.clone(),
                source: None,
                ..package.clone()
            })
        }),
    }
}

/// Whether everything but name and version holds.
fn holds(subject: &Purl, package: &Package, details: Option<&Details>) -> Result<(), Miss> {
    for (qualifier, value) in subject.qualifiers() {
        if !qualifier_holds(subject, package, details, (qualifier, value)) {
            return Err(Miss::Qualifier(format!("{qualifier}={value}")));
        }
    }
    match subject.subpath() {
        Some(subpath) => Err(Miss::Qualifier(format!("#{subpath}"))),
        None => Ok(()),
    }
}

fn same_version(subject: &Purl, key: &Key, package: &Package, names: &Names) -> Result<(), Miss> {
    let Some(version) = subject.version() else {
        return Ok(());
    };
    let version = subject.with_epoch(version);
    let ecosystem = package.scope.ecosystem;
    let same =
        |own: &str| own == version || compare(ecosystem, own, &version).is_ok_and(Ordering::is_eq);
    let source = package.source.as_ref();
    let of_source = source.is_some_and(|source| same(&source.version));
    let fits = (names.own.as_ref() == Some(key) && same(&package.version))
        || (names.source.as_ref() == Some(key) && of_source);
    match fits {
        true => Ok(()),
        false => Err(Miss::Version(package.version.clone())),
    }
}

/// Whether a qualifier holds. One that cannot be checked does not.
fn qualifier_holds(
    subject: &Purl,
    package: &Package,
    details: Option<&Details>,
    (qualifier, value): (&str, &str),
) -> bool {
    match qualifier {
        "distro" => same_release(subject, package),
        "epoch" => subject.kind() == "rpm" && subject.version().is_some(),
        "arch" => {
            let own = details.and_then(|details| details.architecture.as_deref());
            matches!(value, "source" | "src" | "all" | "noarch") || own == Some(value)
        }
        "upstream" => {
            let name = value.split('@').next().unwrap_or(value);
            let source = package.source.as_ref();
            name == package.name || source.is_some_and(|source| source.name == name)
        }
        _ => false,
    }
}

/// `debian-12`, `debian-12.13`, `bookworm`, `alpine-3.20.3`: the release, as advisories name it.
fn same_release(subject: &Purl, package: &Package) -> bool {
    let ecosystem = package.scope.ecosystem;
    let Ok(release @ Some(_)) = subject.release(ecosystem) else {
        return false;
    };
    scope(&Scope { ecosystem, release }) == scope(&package.scope)
}
