//! What this machine has: the project's own lockfile, and the packages of its distribution.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::super::os_release::OsRelease;
use super::super::{Format, Options, read};
use crate::Origin;

#[test]
fn our_own_lockfile_names_what_cargo_resolves() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let bytes = std::fs::read(root.join("Cargo.lock")).unwrap();
    let inventory = read(Format::CargoLock, &bytes, &Options::default()).unwrap();
    assert!(inventory.gaps.is_empty(), "{:?}", inventory.gaps);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--format-version", "1"])
        .current_dir(&root)
        .output()
        .unwrap();
    if !output.status.success() {
        println!(
            "skipped: cargo has not fetched everything: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let expected: BTreeSet<(String, String, bool)> = packages
        .map(|package| {
            let text = |key: &str| package[key].as_str().unwrap().to_owned();
            (text("name"), text("version"), package["source"].is_null())
        })
        .collect();
    let found: BTreeSet<(String, String, bool)> = inventory
        .packages
        .iter()
        .map(|p| {
            (
                p.name.clone(),
                p.version.clone(),
                matches!(p.origin, Origin::Path(_)),
            )
        })
        .collect();
    assert!(expected.len() > 300);
    assert_eq!(found, expected);
    let digests = inventory
        .details
        .values()
        .filter(|details| details.digests.len() == 1)
        .count();
    let fetched = found.iter().filter(|(_, _, own)| !own).count();
    assert_eq!(digests, fetched);
}

#[test]
fn the_status_file_names_what_dpkg_lists() {
    let status = std::fs::read("/var/lib/dpkg/status");
    let release = std::fs::read("/etc/os-release");
    let query = Command::new("dpkg-query")
        .args([
            "-W",
            "-f",
            "${db:Status-Status} ${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n",
        ])
        .output();
    let (Ok(status), Ok(release), Ok(query)) = (status, release, query) else {
        println!("skipped: no dpkg on this machine");
        return;
    };
    let scope = OsRelease::read(&release).unwrap().scope();
    let options = Options {
        scope,
        ..Options::default()
    };
    let inventory = read(Format::DpkgStatus, &status, &options).unwrap();
    let text = String::from_utf8(query.stdout).unwrap();
    let expected: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("installed "))
        .map(str::to_owned)
        .collect();
    let mut found = BTreeSet::new();
    for (at, package) in inventory.packages.iter().enumerate() {
        let source = package.source.as_ref().unwrap();
        let architecture = inventory.details[&at].architecture.as_deref().unwrap();
        found.insert(format!(
            "{} {} {architecture} {} {}",
            package.name, package.version, source.name, source.version
        ));
    }
    println!("{} packages of {:?}", found.len(), options.scope);
    assert!(expected.len() > 50);
    assert_eq!(found, expected);
}
