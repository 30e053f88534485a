//! The published databases as an index: nothing that they say is lost.

use crate::osv::tests::{pypa, rustsec};
use crate::testing::{asked, feed, index, package};
use crate::{Builder, Ecosystem, Status};

#[test]
fn every_version_that_pypa_lists_is_affected_though_the_list_is_left_out() {
    let Some(all) = pypa() else { return };
    let (mut asked_of, mut kept) = (0_u64, 0);
    for advisory in all.iter().filter(|advisory| advisory.withdrawn.is_none()) {
        let index = index(Ecosystem::PyPi, std::slice::from_ref(advisory));
        kept += index
            .feeds()
            .map(|(_, imported)| imported.versions_kept)
            .sum::<u64>();
        for affected in &advisory.affected {
            let name = &affected.package.as_ref().unwrap().name;
            for version in &affected.versions {
                let report = asked(&index, &package("PyPI", name, version));
                let status = report.verdicts[0].status();
                assert_eq!(status, Status::Affected, "{} {name} {version}", advisory.id);
                asked_of += 1;
            }
        }
    }
    println!(
        "pypa: {asked_of} listed versions are affected, {kept} of them by the list that is kept"
    );
    assert!(asked_of > 100_000 && kept < asked_of / 10);
}

#[test]
fn both_databases_are_one_index_that_survives_its_bytes() {
    let (Some(pypa), Some(rustsec)) = (pypa(), rustsec()) else {
        return;
    };
    let mut builder = Builder::new();
    for (ecosystem, all) in [(Ecosystem::PyPi, pypa), (Ecosystem::CratesIo, rustsec)] {
        let id = builder.feed(feed(ecosystem)).unwrap();
        for advisory in &all {
            builder.add(id, advisory).unwrap();
        }
    }
    let index = builder.finish().unwrap();
    for (feed, imported) in index.feeds() {
        println!("{}: {imported:?}", feed.name);
        // Two ranges of PyPA's end at versions that PEP 440 does not take.
        let known = if feed.ecosystem == Ecosystem::PyPi {
            2
        } else {
            0
        };
        assert_eq!(imported.unclear, known, "{}", feed.name);
    }
    let bytes = index.encode();
    println!(
        "{} advisories, {} packages, {} bytes",
        index.advisories(),
        index.packages(),
        bytes.len()
    );
    assert!(crate::Index::decode(&bytes).unwrap() == index);
}
