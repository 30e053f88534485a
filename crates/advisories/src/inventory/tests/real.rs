//! Lockfiles that real tools wrote, with what the tools themselves list: made by
//! `testdata/lockfiles.sh FOLDER`, read where `RAMPART_LOCKFILES_DIR` names that folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::{read, recognise};
use super::options_for;
use crate::{Origin, Usage};

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("RAMPART_LOCKFILES_DIR").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: RAMPART_LOCKFILES_DIR names no folder of lockfiles");
    }
    folder
}

/// `listed` holds a line for each package, `name version`; `listed-runtime` those that are not only
/// for development.
fn listed(project: &Path, name: &str) -> Option<BTreeSet<String>> {
    let text = std::fs::read_to_string(project.join(name)).ok()?;
    Some(
        text.lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

#[test]
fn readers_name_what_the_tools_list() {
    let Some(folder) = folder() else {
        return;
    };
    let mut projects: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    projects.sort();
    let mut compared = 0;
    let mut wrong = String::new();
    for project in projects {
        let Some(all) = listed(&project, "listed") else {
            continue;
        };
        let files = std::fs::read_dir(&project)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let lockfile = files
            .filter(|file| !file.ends_with("listed"))
            .find_map(|file| Some((recognise(&file.to_string_lossy())?, file)));
        let (format, file) = lockfile.expect("a lockfile lies beside what is listed");
        let inventory = read(format, &std::fs::read(&file).unwrap(), &options_for(format)).unwrap();
        let names = |wanted: &dyn Fn(Usage) -> bool| -> BTreeSet<String> {
            let packages = inventory.packages.iter();
            let packages = packages.filter(|package| !matches!(package.origin, Origin::Path(_)));
            packages
                .filter(|package| wanted(package.usage))
                .map(|package| format!("{} {}", package.name, package.version))
                .collect()
        };
        let runtime = listed(&project, "listed-runtime");
        for (what, expected, found) in [
            ("all", Some(all), names(&|_| true)),
            (
                "runtime",
                runtime,
                names(&|usage| usage != Usage::Development),
            ),
        ] {
            let Some(expected) = expected else { continue };
            assert!(
                expected.len() > 3,
                "{}: too little to compare",
                file.display()
            );
            compared += 1;
            println!("{}: {what}: {} packages", file.display(), expected.len());
            let missing: Vec<&String> = expected.difference(&found).collect();
            let more: Vec<&String> = found.difference(&expected).collect();
            if !missing.is_empty() || !more.is_empty() {
                wrong.push_str(&format!(
                    "{}: {what}: missing {missing:?}, more {more:?}\n",
                    file.display()
                ));
            }
        }
    }
    assert!(compared > 0, "no project to compare");
    assert!(wrong.is_empty(), "{wrong}");
}
