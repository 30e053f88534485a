//! Packages of rpm, as `rpm -qa` prints them when it is asked with
//! [`Format::RPM_QUERY`](super::Format::RPM_QUERY). Its database is not read.

use super::{Builder, Draft, ReadError, Why};
use crate::Ecosystem;
use crate::text::{lines, said, utf8};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let format = builder.format.name();
    let scope = builder.options.scope.clone();
    let of_rpm = |ecosystem| {
        matches!(
            ecosystem,
            Ecosystem::RedHat | Ecosystem::RockyLinux | Ecosystem::AlmaLinux
        )
    };
    let Some(scope) = scope.filter(|scope| of_rpm(scope.ecosystem)) else {
        return Err(ReadError::Release { format });
    };
    for (at, line) in lines(utf8(bytes)?) {
        if line.is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, epoch, version, release, architecture, source] = fields.as_slice() else {
            let what = "a line has other than six fields between tabs";
            return builder.shape(at, what);
        };
        // Keys that signatures are checked with lie in the database as packages.
        if *name == "gpg-pubkey" {
            continue;
        }
        let no_number = |byte: u8| !byte.is_ascii_digit();
        if !matches!(*epoch, "" | "(none)") && epoch.bytes().any(no_number) {
            let message = format!("its epoch `{}` is no number", said(epoch));
            builder.gap(at, Why::Malformed, name, message);
            continue;
        }
        // rpm(8): `:` and nothing else ends an epoch.
        if version.contains(':') || release.contains(':') {
            let message = "its version or its release has a colon";
            builder.gap(at, Why::Malformed, name, message);
            continue;
        }
        let mut draft = Draft::within(scope.clone(), name, &full(epoch, version, release), at)
            .architecture(Some(architecture));
        match of_file(source) {
            Some((name, version)) => draft = draft.source(name, &with_epoch(epoch, version)),
            None if *source == "(none)" => {}
            None => builder.gap(at, Why::Malformed, name, "its source is no `.src.rpm`"),
        }
        builder.package(draft)?;
    }
    Ok(())
}

fn full(epoch: &str, version: &str, release: &str) -> String {
    if version.is_empty() || release.is_empty() {
        return String::new();
    }
    with_epoch(epoch, &format!("{version}-{release}"))
}

/// `epoch:version-release`; an epoch of 0 is not written.
fn with_epoch(epoch: &str, version: &str) -> String {
    match epoch {
        "" | "0" | "(none)" => version.to_owned(),
        epoch => format!("{epoch}:{version}"),
    }
}

/// Name and version of `name-version-release.src.rpm`.
fn of_file(file: &str) -> Option<(&str, &str)> {
    let id = file
        .strip_suffix(".src.rpm")
        .or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let release = id.rfind('-')?;
    let version = id.get(..release)?.rfind('-')?;
    Some((id.get(..version)?, id.get(version + 1..)?))
}
