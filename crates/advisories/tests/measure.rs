//! What an index costs: `cargo run -p advisories --example measure`, with the databases of RustSec and
//! PyPA where `RAMPART_ADVISORIES_DIR` names them (or in `../shared/data/advisories`).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use advisories::{
    Advisory, Builder, Collection, Ecosystem, Feed, Index, Informational, Origin, Package, Policy,
    Scope, Usage, scan,
};
use model::Timestamp;

const PACKAGES: usize = 10_000;

#[expect(clippy::print_stdout, reason = "what a measurement is for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Some(folder) = folder() else {
        println!("skipped: RAMPART_ADVISORIES_DIR names no databases");
        return Ok(());
    };
    let mut builder = Builder::new();
    let mut names: Vec<(Ecosystem, String)> = Vec::new();
    let (mut bytes, mut count) = (0, 0);
    let mut reading = Duration::ZERO;
    for (part, ending, ecosystem) in [
        ("rustsec/crates", ".md", Ecosystem::CratesIo),
        ("pypa/vulns", ".yaml", Ecosystem::PyPi),
    ] {
        let feed = Feed {
            name: part.to_owned(),
            ecosystem,
            fetched: Timestamp::from_millis(0),
        };
        let id = builder.feed(feed)?;
        for path in files(&folder.join(part), ending)? {
            let text = std::fs::read_to_string(&path)?;
            let file = path.display().to_string();
            bytes += text.len();
            count += 1;
            let (read, took) = timed(|| match ecosystem {
                Ecosystem::PyPi => Advisory::from_yaml(&file, &text),
                _ => Advisory::from_rustsec(&file, &text, Collection::Crates),
            });
            reading += took;
            let advisory = read?;
            for affected in &advisory.affected {
                names.extend(
                    affected
                        .package
                        .iter()
                        .map(|package| (ecosystem, package.name.clone())),
                );
            }
            builder.add(id, &advisory)?;
        }
    }
    names.sort();
    names.dedup();
    let (index, building) = timed(|| builder.finish());
    let index = index?;
    println!("read {count} advisories, {bytes} bytes: {reading:?}; sorted in {building:?}");
    let (encoded, took) = timed(|| index.encode());
    println!("encoded to {} bytes: {took:?}", encoded.len());
    drop(index);
    let (index, took) = timed(|| Index::decode(&encoded));
    let index = index?;
    println!(
        "opened: {took:?}, {} bytes in memory, {} packages",
        index.memory_bytes(),
        index.packages()
    );
    let packages = packages(&names);
    let policy = Policy {
        age_max: Duration::from_secs(3600),
        informational: Informational::Note,
    };
    let (report, took) = timed(|| scan(&packages, &index, Timestamp::from_millis(0), &policy));
    println!(
        "{} packages: {took:?}, {:?}",
        packages.len(),
        report.counts()
    );
    Ok(())
}

/// Packages of which every second is named by an advisory, in versions of all kinds.
fn packages(names: &[(Ecosystem, String)]) -> Vec<Package> {
    let versions = ["0.1.0", "1.0.0", "1.2.3", "2.4.0", "3.11.2", "10.0.0"];
    let twice = names.iter().flat_map(|name| [(name, true), (name, false)]);
    twice
        .cycle()
        .zip(versions.into_iter().cycle())
        .take(PACKAGES)
        .map(|(((ecosystem, name), named), version)| Package {
            scope: Scope::of(*ecosystem),
            name: if named {
                name.clone()
            } else {
                format!("{name}-other")
            },
            version: version.to_owned(),
            source: None,
            origin: Origin::Registry,
            usage: Usage::Runtime,
            line: 0,
        })
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "a measurement asks the clock")]
fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = what();
    (done, begun.elapsed())
}

fn folder() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a measurement is told where the data is"
    )]
    let set = std::env::var("RAMPART_ADVISORIES_DIR").ok();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join(set.unwrap_or_else(|| "../shared/data/advisories".to_owned()));
    folder.is_dir().then_some(folder)
}

fn files(folder: &Path, ending: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    Ok(found)
}
