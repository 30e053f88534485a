use testkit::{Mutator, fuzz, told};

use super::super::{Format, Inventory, Options, read};
use super::{cases, options_for};
use crate::sbom::{Head, write_cyclonedx};
use crate::text::is_treacherous;

/// What readers of these formats look for.
const WORDS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"'",
    b":",
    b",",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\n",
    b"\n\n",
    b"  ",
    b"\t",
    b"#",
    b"//",
    b"/*",
    b"*/",
    b"[[package]]\n",
    b"name = \"x\"\n",
    b"version",
    b"lockfileVersion",
    b"__metadata:",
    b"&a ",
    b"*a",
    b"<<: *a",
    b"!!str ",
    b"- ",
    b"? ",
    b"|\n",
    b"node_modules/",
    b"npm:",
    b"file:",
    b"git+https://",
    b"@",
    b"==",
    b"===",
    b"-r ",
    b"${",
    b"}",
    b"<dependency>",
    b"</dependency>",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b"&b;",
    b"&#0;",
    b"<![CDATA[",
    b"]]>",
    b"%{",
    b"=>",
    b"require (",
    b"replace ",
    b" => ",
    b"Package: ",
    b"Status: ",
    b"P:",
    b"V:",
    b"\xe2\x80\xa8",
    b"\xe2\x80\xae",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"pkg:",
    b"%2F",
    b"?distro=",
    b"links",
    b"\r\n",
];

/// What holds of every inventory, whatever the file was.
fn holds(inventory: &Inventory) {
    let tame = |text: &str| !text.chars().any(is_treacherous);
    for package in &inventory.packages {
        let scope = package.scope.to_string();
        assert_eq!(scope.parse::<crate::Scope>().as_ref(), Ok(&package.scope));
        assert!(tame(&scope), "{package:?}");
        assert!(
            !package.name.is_empty() && tame(&package.name),
            "{package:?}"
        );
        assert!(
            !package.version.is_empty() && tame(&package.version),
            "{package:?}"
        );
        assert!(tame(&format!("{:?}", package.origin)), "{package:?}");
        crate::Purl::of(package, None).expect("every package has a package URL");
    }
    for gap in &inventory.gaps {
        assert!(tame(&gap.to_string()), "{gap:?}");
        assert!(gap.to_string().len() < 4_096, "{gap:?}");
    }
}

/// An SBOM of it names as many packages again, of the same versions.
fn survives(inventory: &Inventory) {
    let head = Head {
        serial: "3e671687-395b-41f5-a30f-a58921a69b79".to_owned(),
        created: "2026-11-26T17:00:00Z".to_owned(),
        subject: "x".to_owned(),
        subject_version: None,
    };
    let text = write_cyclonedx(&[inventory], &head).expect("it is written");
    let again = read(Format::CycloneDx, text.as_bytes(), &Options::default()).expect(&text);
    assert!(again.gaps.is_empty(), "{:?}", again.gaps);
    let versions = |inventory: &Inventory| {
        let packages = inventory.packages.iter();
        let mut all: Vec<_> = packages
            .map(|p| (p.scope.clone(), p.version.clone()))
            .collect();
        all.sort();
        all.dedup();
        all
    };
    assert_eq!(versions(&again), versions(inventory));
}

#[test]
fn fuzz_damaged_files_are_read_or_refused() {
    let corpus = cases::corpus();
    let rounds = told("RAMPART_FUZZ_ROUNDS").unwrap_or(250);
    for (format, bytes) in &corpus {
        let mut outcomes = [0_u32; 2];
        fuzz(
            rounds,
            std::slice::from_ref(bytes),
            WORDS,
            |input| match read(*format, input, &options_for(*format)) {
                Ok(inventory) => {
                    holds(&inventory);
                    survives(&inventory);
                    outcomes[0] += 1;
                }
                Err(error) => {
                    let text = error.to_string();
                    assert!(!text.chars().any(is_treacherous), "{text:?}");
                    outcomes[1] += 1;
                }
            },
        );
        assert!(
            outcomes[0] > 0,
            "{format:?}: nothing was read: {outcomes:?}"
        );
    }
}

/// A file that is given to the reader of another format.
#[test]
fn fuzz_each_reader_takes_files_of_every_other() {
    for (_, bytes) in cases::corpus() {
        for format in Format::all() {
            if let Ok(inventory) = read(format, &bytes, &options_for(format)) {
                holds(&inventory);
            }
        }
    }
}

#[test]
fn every_beginning_of_a_file_is_read_or_refused() {
    for (format, bytes) in cases::corpus() {
        for end in 0..bytes.len().min(3_000) {
            if let Ok(inventory) = read(format, &bytes[..end], &options_for(format)) {
                holds(&inventory);
            }
        }
    }
}

/// Pieces of files of all formats, one after the other.
#[test]
fn fuzz_spliced_files_are_read_or_refused() {
    let corpus = cases::corpus();
    let rounds = told("RAMPART_FUZZ_ROUNDS").unwrap_or(2_000);
    let mut mutator = Mutator::new(told("RAMPART_FUZZ_SEED").unwrap_or(7));
    for _ in 0..rounds {
        let (format, one) = mutator.pick(&corpus).unwrap().clone();
        let (_, other) = mutator.pick(&corpus).unwrap().clone();
        let mut bytes = one[..mutator.below(one.len())].to_vec();
        bytes.extend_from_slice(&other[mutator.below(other.len())..]);
        if let Ok(inventory) = read(format, &bytes, &options_for(format)) {
            holds(&inventory);
        }
    }
}
