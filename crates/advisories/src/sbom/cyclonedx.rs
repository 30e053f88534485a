//! Components of CycloneDX: written as 1.6 has them, read of 1.4 to 1.6, in JSON.

use serde_json::{Map, Value, json};

use super::write::{Part, folder};
use crate::document::{Dialect, Node, json as read_json};
use crate::inventory::{Algorithm, Builder, Draft, ReadError, Why};
use crate::text::said;
use crate::{Ecosystem, Origin, Package, Purl, PurlError, Usage};

/// The property that holds the folder of a package which lies in one.
const FOLDER: &str = "rampart:folder";

const ALGORITHMS: &[(Algorithm, &str)] = &[
    (Algorithm::Sha1, "SHA-1"),
    (Algorithm::Sha256, "SHA-256"),
    (Algorithm::Sha384, "SHA-384"),
    (Algorithm::Sha512, "SHA-512"),
];

/// A package as a component.
pub(super) fn component(part: &Part<'_>) -> Value {
    let package = part.package;
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    let reference = match part.is_again {
        true => format!("{}#{}", part.purl, part.number),
        false => part.purl.clone(),
    };
    put("type", json!("library"));
    put("bom-ref", json!(reference));
    let (group, name) = grouped(package);
    if let Some(group) = group {
        put("group", json!(group));
    }
    put("name", json!(name));
    put("version", json!(package.version));
    // `excluded` is what is not part of what runs.
    put(
        "scope",
        json!(match package.usage {
            Usage::Runtime => "required",
            Usage::Optional => "optional",
            Usage::Development => "excluded",
        }),
    );
    put("purl", json!(part.purl));
    let digests = part.details.map_or(&[][..], |details| &details.digests);
    if !digests.is_empty() {
        let hashes = digests.iter().filter_map(|digest| {
            let (_, name) = ALGORITHMS
                .iter()
                .find(|(known, _)| *known == digest.algorithm)?;
            Some(json!({ "alg": name, "content": digest.hex }))
        });
        put("hashes", Value::Array(hashes.collect()));
    }
    if let Some(folder) = folder(package) {
        put("properties", json!([{ "name": FOLDER, "value": folder }]));
    }
    Value::Object(out)
}

/// Group and name, where an ecosystem's names have a group.
fn grouped(package: &Package) -> (Option<&str>, &str) {
    let name = package.name.as_str();
    let parts = match package.scope.ecosystem {
        Ecosystem::Maven => name.split_once(':'),
        Ecosystem::Npm | Ecosystem::Packagist => name.split_once('/'),
        _ => None,
    };
    parts.map_or((None, name), |(group, name)| (Some(group), name))
}

/// Reads a document. Components that no package URL names are gaps.
pub(crate) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = read_json(bytes, Dialect::Strict, &builder.limits())?;
    if root.text_of("bomFormat") != Some("CycloneDX") {
        return builder.shape(root.line, "`bomFormat` is not `CycloneDX`");
    }
    let version = root.get("specVersion");
    let (line, text) = version.map_or((root.line, ""), |node| {
        (node.line, node.text().unwrap_or_default())
    });
    if !matches!(text, "1.4" | "1.5" | "1.6") {
        let hint =
            "versions 1.4, 1.5 and 1.6 are read: convert it, or have its tool write one of them";
        return builder.unknown(line, text, hint);
    }
    let components = root.get("components").map_or(&[][..], Node::items);
    read_components(components, builder)
}

/// INVARIANT: the reader of JSON bounds how deep this goes.
fn read_components(components: &[Node<'_>], builder: &mut Builder) -> Result<(), ReadError> {
    for component in components {
        read_component(component, builder)?;
        let inner = component.get("components").map_or(&[][..], Node::items);
        read_components(inner, builder)?;
    }
    Ok(())
}

fn read_component(component: &Node<'_>, builder: &mut Builder) -> Result<(), ReadError> {
    let line = component.line;
    let name = component.text_of("name").unwrap_or_default();
    let Some(text) = component.text_of("purl") else {
        // Files belong to a package that is named beside them.
        if component.text_of("type") != Some("file") {
            let message = "it has no package URL, so that nothing tells what it is";
            builder.gap(line, Why::NoVersion, name, message);
        }
        return Ok(());
    };
    let group = component.text_of("group").unwrap_or_default();
    let version = component.text_of("version").unwrap_or_default();
    let Some(mut found) = purl(line, text, version, builder) else {
        return Ok(());
    };
    found.package.name = written(&found.package, group, name);
    found.package.usage = match component.text_of("scope") {
        Some("excluded") => Usage::Development,
        Some("optional") => Usage::Optional,
        _ => Usage::Runtime,
    };
    let properties = component.get("properties").map_or(&[][..], Node::items);
    let folder = properties
        .iter()
        .find(|one| one.text_of("name") == Some(FOLDER));
    if let Some(folder) = folder.and_then(|folder| folder.get("value")) {
        found.package.origin = Origin::Path(folder.text().unwrap_or_default().to_owned());
    }
    let mut draft = found.draft(line);
    for hash in component.get("hashes").map_or(&[][..], Node::items) {
        let name = hash.text_of("alg").unwrap_or_default();
        if let Some((algorithm, _)) = ALGORITHMS.iter().find(|(_, known)| *known == name) {
            draft = draft.hex(*algorithm, hash.text_of("content"));
        }
    }
    builder.package(draft)
}

/// A package that a package URL names.
pub(super) struct Named {
    pub(super) package: Package,
    architecture: Option<String>,
}

impl Named {
    pub(super) fn draft(self, line: u32) -> Draft {
        let package = self.package;
        let draft = Draft::within(package.scope, &package.name, &package.version, line)
            .origin(package.origin)
            .usage(package.usage)
            .architecture(self.architecture.as_deref());
        match package.source {
            Some(source) => draft.source(&source.name, &source.version),
            None => draft,
        }
    }
}

/// What a package URL names, with the version beside it where it has none; else a gap.
pub(super) fn purl(line: u32, text: &str, version: &str, builder: &mut Builder) -> Option<Named> {
    let read = text.parse::<Purl>().and_then(|purl| {
        let purl = match purl.version() {
            None => purl.with_version(version),
            Some(_) => purl,
        };
        Ok((purl.package()?, purl.qualifier("arch").map(str::to_owned)))
    });
    let (package, architecture) = match read {
        Ok(read) => read,
        Err(error) => {
            let why = match &error {
                PurlError::Ecosystem(_) => Why::Unsupported,
                PurlError::Version(_) => Why::NoVersion,
                PurlError::Distro { .. } => Why::Conflict,
                _ => Why::Malformed,
            };
            builder.gap(line, why, text, error.to_string());
            return None;
        }
    };
    if !version.is_empty() && version != package.version {
        let message = format!(
            "its version is `{}`, and that of its package URL `{}`, which counts",
            said(version),
            said(&package.version)
        );
        builder.gap(line, Why::Conflict, text, message);
    }
    Some(Named {
        package,
        architecture,
    })
}

/// The name with the capitals that package URLs do not keep.
pub(super) fn written(package: &Package, group: &str, name: &str) -> String {
    let between = if package.scope.ecosystem == Ecosystem::Maven {
        ":"
    } else {
        "/"
    };
    let whole = if group.is_empty() {
        name.to_owned()
    } else {
        format!("{group}{between}{name}")
    };
    match whole.eq_ignore_ascii_case(&package.name) {
        true => whole,
        false => package.name.clone(),
    }
}
