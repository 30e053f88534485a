//! SBOMs: what is written is read again, is valid to the schemas' own tools, and cannot be forged.

use std::path::PathBuf;
use std::process::Command;

use super::{Head, SbomError, write_cyclonedx, write_spdx};
use crate::inventory::{Format, Inventory, Options, read};
use crate::{Origin, Package};

fn head() -> Head {
    Head {
        serial: "3e671687-395b-41f5-a30f-a58921a69b79".to_owned(),
        created: "2026-11-26T17:00:00Z".to_owned(),
        subject: "shop <of> \"tests\" & é".to_owned(),
        subject_version: Some("1.0".to_owned()),
    }
}

/// Every file of the tables, as inventories.
fn inventories() -> Vec<Inventory> {
    let files = crate::inventory::tests::corpus();
    let read = |(format, bytes): (Format, Vec<u8>)| {
        read(
            format,
            &bytes,
            &crate::inventory::tests::options_for(format),
        )
        .unwrap()
    };
    files.into_iter().map(read).collect()
}

/// What must survive: all of a package but its line, and its digests; architecture with the URL.
fn essence(inventory: &Inventory) -> Vec<(Package, String)> {
    let mut all: Vec<(Package, String)> = inventory
        .packages
        .iter()
        .enumerate()
        .map(|(at, package)| {
            let mut package = package.clone();
            package.line = 0;
            let details = inventory.details.get(&at).cloned().unwrap_or_default();
            (package, format!("{details:?}"))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn what_is_written_is_read_again() {
    let inventories = inventories();
    assert!(inventories.len() > 30);
    for inventory in &inventories {
        for (format, text) in [
            (
                Format::CycloneDx,
                write_cyclonedx(&[inventory], &head()).unwrap(),
            ),
            (Format::Spdx, write_spdx(&[inventory], &head()).unwrap()),
        ] {
            let again = read(format, text.as_bytes(), &Options::default()).unwrap();
            assert_eq!(again.gaps, [], "{format:?}");
            assert_eq!(essence(&again), essence(inventory), "{format:?}");
        }
    }
}

#[test]
fn several_inventories_become_one_document_with_each_package_once() {
    let inventories = inventories();
    let all: Vec<&Inventory> = inventories.iter().chain(&inventories).collect();
    let text = write_cyclonedx(&all, &head()).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let components = document["components"].as_array().unwrap();
    let mut references: Vec<&str> = components
        .iter()
        .map(|component| component["bom-ref"].as_str().unwrap())
        .collect();
    let count = references.len();
    references.sort_unstable();
    references.dedup();
    assert_eq!(references.len(), count, "each reference is its own");
    let once: Vec<&Inventory> = inventories.iter().collect();
    assert_eq!(
        write_cyclonedx(&once, &head())
            .unwrap()
            .matches("bom-ref")
            .count(),
        count + 1
    );
    // What could not be told is told.
    assert_eq!(document["compositions"][0]["aggregate"], "incomplete");
    assert!(document.get("dependencies").is_none(), "nothing is made up");
}

#[test]
fn a_document_says_when_nothing_is_known_to_be_missing() {
    let inventory = read(Format::Requirements, b"a==1\n", &Options::default()).unwrap();
    let text = write_cyclonedx(&[&inventory], &head()).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["compositions"][0]["aggregate"], "unknown");
    assert_eq!(document["metadata"]["properties"][0]["value"], "0");
}

#[test]
fn a_head_that_is_none_is_refused() {
    let inventory = Inventory::default();
    let refuse = |change: fn(&mut Head)| {
        let mut head = head();
        change(&mut head);
        assert!(write_spdx(&[&inventory], &head).is_err());
        write_cyclonedx(&[&inventory], &head).unwrap_err()
    };
    assert!(matches!(
        refuse(|head| head.serial = "x".to_owned()),
        SbomError::Serial(_)
    ));
    assert!(matches!(
        refuse(|head| head.serial.make_ascii_uppercase()),
        SbomError::Serial(_)
    ));
    assert!(matches!(
        refuse(|head| head.created = "2026-11-26".to_owned()),
        SbomError::Created(_)
    ));
    assert!(matches!(
        refuse(|head| head.created.push('Z')),
        SbomError::Created(_)
    ));
    assert!(matches!(
        refuse(|head| head.subject.clear()),
        SbomError::Subject(_)
    ));
    assert!(matches!(
        refuse(|head| head.subject.push('\n')),
        SbomError::Subject(_)
    ));
}

#[test]
fn words_of_a_file_cannot_forge_a_document() {
    let text = r#"{"lockfileVersion": 3, "packages": {
        "node_modules/a\",\"purl\":\"pkg:npm/b@1": {"version": "1.0.0\"}]}"},
        "node_modules/<script>": {"version": "1.0.0", "resolved": "https://x.example/\"}\u2028"}}}"#;
    let inventory = read(Format::NpmLock, text.as_bytes(), &Options::default()).unwrap();
    for (format, text) in [
        (
            Format::CycloneDx,
            write_cyclonedx(&[&inventory], &head()).unwrap(),
        ),
        (Format::Spdx, write_spdx(&[&inventory], &head()).unwrap()),
    ] {
        let again = read(format, text.as_bytes(), &Options::default()).unwrap();
        assert_eq!(essence(&again), essence(&inventory));
        assert_eq!(text.lines().count(), 1);
    }
    assert!(
        inventory
            .packages
            .iter()
            .any(|package| matches!(package.origin, Origin::Address(_)))
    );
}

fn python() -> Option<PathBuf> {
    let python = std::env::var_os("RAMPART_SBOM_PYTHON").map(PathBuf::from);
    if python.is_none() {
        println!(
            "skipped: RAMPART_SBOM_PYTHON names no Python that has cyclonedx-python-lib[json-validation] and spdx-tools"
        );
    }
    python
}

/// Reads a document from a file; ends in failure, with what is wrong, where it is not valid.
const VALIDATE_CYCLONEDX: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(str(error)[:2000] if error else 0)
";

const VALIDATE_SPDX: &str = "
import sys
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
messages = validate_full_spdx_document(parse_file(sys.argv[1]))
sys.exit('\\n'.join(message.validation_message for message in messages)[:2000] if messages else 0)
";

#[test]
fn documents_are_valid_to_the_schemas_own_tools() {
    let Some(python) = python() else {
        return;
    };
    let inventories = inventories();
    let all: Vec<&Inventory> = inventories.iter().collect();
    let empty = Inventory::default();
    let folder = std::env::temp_dir().join(format!("rampart-sbom-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for inventories in [&all[..], &[&empty][..]] {
        for (name, script, text) in [
            (
                "bom.json",
                VALIDATE_CYCLONEDX,
                write_cyclonedx(inventories, &head()).unwrap(),
            ),
            (
                "bom.spdx.json",
                VALIDATE_SPDX,
                write_spdx(inventories, &head()).unwrap(),
            ),
        ] {
            let check = |text: &str| {
                let file = folder.join(name);
                std::fs::File::create(&file)
                    .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
                    .unwrap();
                Command::new(&python)
                    .args(["-c", script])
                    .arg(&file)
                    .output()
                    .unwrap()
            };
            let output = check(&text);
            assert!(
                output.status.success(),
                "{name}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            // The tools tell what is wrong.
            let wrong = text
                .replace("\"purl\"", "\"prul\"")
                .replace(&head().created, "yesterday");
            assert!(!check(&wrong).status.success(), "{name}: anything is taken");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
