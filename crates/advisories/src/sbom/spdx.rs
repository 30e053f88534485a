//! Packages of SPDX: written as 2.3 has them, read of 2.2 and 2.3, in JSON.

use serde_json::{Map, Value, json};

use super::Head;
use super::cyclonedx::{purl, written};
use super::write::{Part, folder, usage_word};
use crate::document::{Dialect, Node, json as read_json};
use crate::inventory::{Algorithm, Builder, ReadError, Why};
use crate::{Origin, Usage};

const ALGORITHMS: &[(Algorithm, &str)] = &[
    (Algorithm::Sha1, "SHA1"),
    (Algorithm::Sha256, "SHA256"),
    (Algorithm::Sha384, "SHA384"),
    (Algorithm::Sha512, "SHA512"),
];

/// How `sourceInfo` begins for a package that lies in a folder.
const FOLDER: &str = "folder of the project: ";
/// How `comment` begins, before a word for what a package is used for.
const USAGE: &str = "usage: ";

/// The id of a package within the document.
pub(super) fn id(number: usize) -> String {
    format!("SPDXRef-Package-{number}")
}

/// What the document is about.
pub(super) fn subject(head: &Head, id: &str) -> Value {
    let mut out = common(id, &head.subject, "NOASSERTION");
    if let Some(version) = &head.subject_version {
        out.insert("versionInfo".to_owned(), json!(version));
    }
    Value::Object(out)
}

fn common(id: &str, name: &str, location: &str) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in [
        ("SPDXID", id),
        ("name", name),
        ("downloadLocation", location),
        ("licenseConcluded", "NOASSERTION"),
        ("licenseDeclared", "NOASSERTION"),
        ("copyrightText", "NOASSERTION"),
    ] {
        out.insert(key.to_owned(), json!(value));
    }
    out.insert("filesAnalyzed".to_owned(), json!(false));
    out
}

/// A package.
pub(super) fn package(part: &Part<'_>) -> Value {
    let package = part.package;
    // SPDX 2.3 §7.7: the folder of a project is no place to download from.
    let location = match folder(package) {
        Some(_) => "NONE",
        None => "NOASSERTION",
    };
    let mut out = common(&id(part.number), &package.name, location);
    let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    put("versionInfo", json!(package.version));
    put(
        "comment",
        json!(format!("{USAGE}{}", usage_word(package.usage))),
    );
    put(
        "externalRefs",
        json!([{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": part.purl,
        }]),
    );
    if let Some(folder) = folder(package) {
        put("sourceInfo", json!(format!("{FOLDER}{folder}")));
    }
    let digests = part.details.map_or(&[][..], |details| &details.digests);
    if !digests.is_empty() {
        let checksums = digests.iter().filter_map(|digest| {
            let (_, name) = ALGORITHMS
                .iter()
                .find(|(known, _)| *known == digest.algorithm)?;
            Some(json!({ "algorithm": name, "checksumValue": digest.hex }))
        });
        put("checksums", Value::Array(checksums.collect()));
    }
    Value::Object(out)
}

/// Reads a document. Packages that no package URL names are gaps, but for what the document is
/// about.
pub(crate) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = read_json(bytes, Dialect::Strict, &builder.limits())?;
    let Some(version) = root.get("spdxVersion") else {
        return builder.shape(root.line, "it has no `spdxVersion`");
    };
    let text = version.text().unwrap_or_default();
    if !matches!(text, "SPDX-2.2" | "SPDX-2.3") {
        let hint = "versions 2.2 and 2.3 are read: convert it, or have its tool write one of them";
        return builder.unknown(version.line, text, hint);
    }
    let described = described(&root);
    for item in root.get("packages").map_or(&[][..], Node::items) {
        package_of(item, &described, builder)?;
    }
    Ok(())
}

/// Ids of what the document is about.
fn described<'n>(root: &'n Node<'_>) -> std::collections::HashSet<&'n str> {
    let listed = root.get("documentDescribes").map_or(&[][..], Node::items);
    let related = root.get("relationships").map_or(&[][..], Node::items);
    let related = related
        .iter()
        .filter_map(|one| match one.text_of("relationshipType") {
            Some("DESCRIBES") => one.text_of("relatedSpdxElement"),
            Some("DESCRIBED_BY") => one.text_of("spdxElementId"),
            _ => None,
        });
    listed
        .iter()
        .filter_map(Node::text)
        .chain(related)
        .collect()
}

fn package_of(
    item: &Node<'_>,
    described: &std::collections::HashSet<&str>,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    let line = item.line;
    let name = item.text_of("name").unwrap_or_default();
    let references = item.get("externalRefs").map_or(&[][..], Node::items);
    let locator = references
        .iter()
        .find(|one| one.text_of("referenceType") == Some("purl"))
        .and_then(|one| one.text_of("referenceLocator"));
    let Some(locator) = locator else {
        let is_subject = item
            .text_of("SPDXID")
            .is_some_and(|id| described.contains(id));
        if !is_subject {
            let message = "it has no package URL, so that nothing tells what it is";
            builder.gap(line, Why::NoVersion, name, message);
        }
        return Ok(());
    };
    let version = item.text_of("versionInfo").unwrap_or_default();
    let Some(mut found) = purl(line, locator, version, builder) else {
        return Ok(());
    };
    found.package.name = written(&found.package, "", name);
    let words = [Usage::Runtime, Usage::Development, Usage::Optional];
    let comment = item
        .text_of("comment")
        .and_then(|text| text.strip_prefix(USAGE));
    let usage = words
        .into_iter()
        .find(|usage| Some(usage_word(*usage)) == comment);
    found.package.usage = usage.unwrap_or(Usage::Runtime);
    let folder = item
        .text_of("sourceInfo")
        .and_then(|text| text.strip_prefix(FOLDER));
    if let Some(folder) = folder {
        found.package.origin = Origin::Path(folder.to_owned());
    }
    let mut draft = found.draft(line);
    for sum in item.get("checksums").map_or(&[][..], Node::items) {
        let name = sum.text_of("algorithm").unwrap_or_default();
        if let Some((algorithm, _)) = ALGORITHMS.iter().find(|(_, known)| *known == name) {
            draft = draft.hex(*algorithm, sum.text_of("checksumValue"));
        }
    }
    builder.package(draft)
}
