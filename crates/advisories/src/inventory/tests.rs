//! Tests of readers: tables of files with what they name, hostile files, damage, and real tools.

mod cases;
mod damage;
mod hostile;
mod machine;
mod real;
mod refused;

pub(crate) use cases::corpus;

use std::fmt::Write as _;

use super::{Inventory, Options};
use crate::{Ecosystem, Origin, Scope, Usage};

/// The scope that a package database of a test belongs to.
fn options(ecosystem: Option<Ecosystem>, release: Option<&str>) -> Options {
    Options {
        scope: ecosystem.map(|ecosystem| Scope {
            ecosystem,
            release: release.map(str::to_owned),
        }),
        ..Options::default()
    }
}

/// Options for a format: package databases get a release.
pub(crate) fn options_for(format: super::Format) -> Options {
    use super::Format;
    match format {
        Format::DpkgStatus | Format::DpkgStatusD => options(Some(Ecosystem::Debian), Some("12")),
        Format::ApkInstalled => options(Some(Ecosystem::Alpine), Some("v3.20")),
        Format::RpmQuery => options(Some(Ecosystem::RockyLinux), Some("9")),
        _ => Options::default(),
    }
}

/// An inventory as lines: what a table's `expected` holds.
fn told(inventory: &Inventory) -> String {
    let mut out = String::new();
    for (at, package) in inventory.packages.iter().enumerate() {
        let usage = match package.usage {
            Usage::Runtime => "",
            Usage::Development => " development",
            Usage::Optional => " optional",
        };
        let origin = match &package.origin {
            Origin::Registry => String::new(),
            Origin::Git { address, commit } => {
                format!(" git={address} commit={}", commit.as_deref().unwrap_or("-"))
            }
            Origin::Address(address) => format!(" address={address}"),
            Origin::Path(path) => format!(" path={path}"),
        };
        write!(
            out,
            "{} {} {} {}{usage}{origin}",
            package.line, package.scope, package.name, package.version
        )
        .unwrap();
        if let Some(source) = &package.source {
            write!(out, " source={}@{}", source.name, source.version).unwrap();
        }
        if let Some(details) = inventory.details.get(&at) {
            if let Some(architecture) = &details.architecture {
                write!(out, " arch={architecture}").unwrap();
            }
            for digest in &details.digests {
                let hex: String = digest.hex.chars().take(8).collect();
                write!(out, " {:?}={hex}", digest.algorithm).unwrap();
            }
        }
        out.push('\n');
    }
    for gap in &inventory.gaps {
        writeln!(out, "! {gap}").unwrap();
    }
    out
}
