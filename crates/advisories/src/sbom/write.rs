//! SBOMs written: the packages of inventories, each once by its package URL.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Head, SbomError, cyclonedx, spdx};
use crate::inventory::{Details, Inventory};
use crate::text::{is_treacherous, said};
use crate::{Origin, Package, Purl, Usage};

/// LIMIT: packages of one document.
const PACKAGES: usize = 1_000_000;

/// A package with its package URL and a name within the document.
pub(super) struct Part<'a> {
    pub(super) package: &'a Package,
    pub(super) details: Option<&'a Details>,
    pub(super) purl: String,
    /// A number that belongs to no other package of the document, from one.
    pub(super) number: usize,
    /// Whether another package has the same package URL: one of another folder.
    pub(super) is_again: bool,
}

/// A CycloneDX document (ECMA-424, 1.6) of what inventories name, as JSON.
///
/// # Errors
/// A head that is not as it must be, or too many packages.
pub fn write_cyclonedx(inventories: &[&Inventory], head: &Head) -> Result<String, SbomError> {
    check(head)?;
    let parts = parts(inventories)?;
    let components: Vec<Value> = parts.iter().map(cyclonedx::component).collect();
    let gaps: usize = gaps(inventories);
    let mut subject = Map::new();
    subject.insert("type".to_owned(), json!("application"));
    subject.insert("bom-ref".to_owned(), json!("subject"));
    subject.insert("name".to_owned(), json!(head.subject));
    if let Some(version) = &head.subject_version {
        subject.insert("version".to_owned(), json!(version));
    }
    // What could not be told is missing here: the document says so.
    let aggregate = if gaps > 0 { "incomplete" } else { "unknown" };
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", head.serial),
        "version": 1,
        "metadata": {
            "timestamp": head.created,
            "tools": { "components": [{
                "type": "application",
                "name": "rampart",
                "version": env!("CARGO_PKG_VERSION"),
            }] },
            "component": subject,
            "properties": [{ "name": "rampart:gaps", "value": gaps.to_string() }],
        },
        "components": components,
        "compositions": [{ "aggregate": aggregate, "assemblies": ["subject"] }],
    });
    Ok(document.to_string())
}

/// An SPDX document (ISO/IEC 5962, 2.3) of what inventories name, as JSON.
///
/// # Errors
/// A head that is not as it must be, or too many packages.
pub fn write_spdx(inventories: &[&Inventory], head: &Head) -> Result<String, SbomError> {
    check(head)?;
    let parts = parts(inventories)?;
    let subject = "SPDXRef-Subject";
    let mut packages = vec![spdx::subject(head, subject)];
    let relate = |from: &str, to: &str, how: &str| json!({ "spdxElementId": from, "relatedSpdxElement": to, "relationshipType": how });
    let mut relationships = vec![relate("SPDXRef-DOCUMENT", subject, "DESCRIBES")];
    for part in &parts {
        relationships.push(relate(subject, &spdx::id(part.number), "CONTAINS"));
        packages.push(spdx::package(part));
    }
    let gaps = gaps(inventories);
    let document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": head.subject,
        "documentNamespace": format!("urn:uuid:{}", head.serial),
        "comment": format!("{gaps} gaps of what could not be told are not part of this"),
        "creationInfo": {
            "created": head.created,
            "creators": [format!("Tool: rampart-{}", env!("CARGO_PKG_VERSION"))],
        },
        "packages": packages,
        "relationships": relationships,
    });
    Ok(document.to_string())
}

fn gaps(inventories: &[&Inventory]) -> usize {
    inventories
        .iter()
        .map(|one| one.gaps.len().saturating_add(one.gaps_dropped))
        .sum()
}

fn check(head: &Head) -> Result<(), SbomError> {
    let parts: Vec<&str> = head.serial.split('-').collect();
    let hex = |part: &str| {
        part.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    if lengths != [8, 4, 4, 4, 12] || !parts.iter().all(|part| hex(part)) {
        return Err(SbomError::Serial(said(&head.serial)));
    }
    let pattern = "dddd-dd-ddTdd:dd:ddZ";
    let fits = |(letter, wanted): (char, char)| match wanted {
        'd' => letter.is_ascii_digit(),
        wanted => letter == wanted,
    };
    let length = head.created.len() == pattern.len();
    if !length || !head.created.chars().zip(pattern.chars()).all(fits) {
        return Err(SbomError::Created(said(&head.created)));
    }
    let texts = [Some(&head.subject), head.subject_version.as_ref()];
    for text in texts.into_iter().flatten() {
        if text.trim().is_empty() || text.chars().any(is_treacherous) {
            return Err(SbomError::Subject(said(text)));
        }
    }
    Ok(())
}

fn parts<'a>(inventories: &[&'a Inventory]) -> Result<Vec<Part<'a>>, SbomError> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    let mut known: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let mut purls: BTreeMap<String, usize> = BTreeMap::new();
    for inventory in inventories {
        for (at, package) in inventory.packages.iter().enumerate() {
            let details = inventory.details.get(&at);
            let purl = Purl::of(package, details).map_err(|source| SbomError::Package {
                name: said(&package.name),
                source,
            })?;
            let purl = purl.to_string();
            let folder = match &package.origin {
                Origin::Path(path) => path.as_str(),
                _ => "",
            };
            let number = parts.len() + 1;
            if known.insert((purl.clone(), folder), number).is_some() {
                continue;
            }
            if parts.len() >= PACKAGES {
                return Err(SbomError::TooMany { most: PACKAGES });
            }
            let is_again = purls.insert(purl.clone(), number).is_some();
            parts.push(Part {
                package,
                details,
                purl,
                number,
                is_again,
            });
        }
    }
    Ok(parts)
}

/// The folder of a package that has one, so that it is read again as it was written.
pub(super) fn folder(package: &Package) -> Option<&str> {
    match &package.origin {
        Origin::Path(path) => Some(path),
        _ => None,
    }
}

/// What a package is used for, as a word.
pub(super) fn usage_word(usage: Usage) -> &'static str {
    match usage {
        Usage::Runtime => "runtime",
        Usage::Development => "development",
        Usage::Optional => "optional",
    }
}
