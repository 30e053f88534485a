//! One package as an inventory found it.

use crate::Scope;

/// A package of one version, as a lockfile, a package database or an SBOM names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Package {
    /// Where its name and version mean something.
    pub scope: Scope,
    /// Its name, as its ecosystem writes it.
    pub name: String,
    /// Its version, as it was written.
    pub version: String,
    /// The source package it was built from, where its ecosystem has such.
    pub source: Option<Source>,
    /// Where it comes from.
    pub origin: Origin,
    /// What it is used for.
    pub usage: Usage,
    /// The line of the file that names it, from one; 0 where the format has no lines.
    pub line: u32,
}

/// The source package a binary one was built from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its version, which may differ from the binary's.
    pub version: String,
}

/// Where a package comes from. Advisories speak of a registry's packages: of another origin a name
/// and a version say little.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The ecosystem's public registry, or one that is not told from it.
    Registry,
    /// A repository, at this commit where one is named.
    Git {
        /// Its address.
        address: String,
        /// The commit.
        commit: Option<String>,
    },
    /// An address of its own.
    Address(String),
    /// A folder of the same project.
    Path(String),
}

/// What a package is used for, as far as its file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Usage {
    /// It is part of what runs, or nothing says that it is not.
    Runtime,
    /// Only where the project is developed, tested or built.
    Development,
    /// Only where somebody asks for it.
    Optional,
}
