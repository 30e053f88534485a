//! RustSec's own format: Markdown that begins with a block of TOML.
//!
//! Source: the advisory-db's README and example. `patched` and `unaffected` are requirements that
//! versions without the vulnerability fulfil; the title of the text is the summary.

use model::Timestamp;

use super::read::{NAMES_MAX, PACKAGE_BYTES_MAX, cut, id};
use super::requirement::{self, left_out};
use super::severity::VECTOR_BYTES_MAX;
use super::{Advisory, Affected, AffectedPackage, Range, RangeKind, Reference, Severity};
use crate::document::{self, Bad, Limits, Node, Read};
use crate::text::said;
use crate::{Ecosystem, Scope};

/// LIMIT: requirements of a list.
const REQUIREMENTS_MAX: usize = 500;
/// LIMIT: bytes of the file.
const BYTES_MAX: usize = 1 << 20;
/// LIMIT: of the block. The largest has about ten thousand bytes.
const HEAD: Limits = Limits {
    bytes: 256 << 10,
    ..Limits::ADVISORIES
};
const FENCE: &str = "```";

/// Which part of the database a file lies in; the file does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// `crates/`: packages of the registry.
    Crates,
    /// `rust/`: the toolchain, whose `std` is no crate of that name.
    Toolchain,
}

pub(super) fn read(text: &str, collection: Collection) -> Read<Advisory> {
    if text.len() > BYTES_MAX {
        return Err(Bad::at(0, format!("longer than {BYTES_MAX} bytes")));
    }
    let (head, body) = split(text)?;
    // One line before it, as in the file.
    let head = format!("\n{head}");
    let root = document::toml(head.as_bytes(), &HEAD)?;
    let about = root.wanted("advisory")?;
    let under = |bad: Bad| bad.under("advisory");
    let mut advisory = described(about).map_err(under)?;
    advisory.summary = body
        .lines()
        .find_map(|line| line.strip_prefix("# "))
        .map(cut)
        .unwrap_or_default();
    let package = package(about, collection).map_err(under)?;
    let versions = root.wanted("versions")?;
    let range = range(versions).map_err(|bad| bad.under("versions"))?;
    // Where every version is without it, nothing is affected.
    let ranges = if range.events.is_empty() {
        Vec::new()
    } else {
        vec![range]
    };
    advisory.affected.push(Affected {
        package: Some(package),
        ranges,
        versions: Vec::new(),
        severity: Vec::new(),
        rating: None,
    });
    Ok(advisory)
}

/// The TOML and the Markdown.
fn split(text: &str) -> Read<(&str, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if first.trim_end() != "```toml" {
        return Err(Bad::at(1, "an advisory begins with the line ```toml"));
    }
    let mut end = 0_usize;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == FENCE {
            let (head, body) = rest.split_at_checked(end).unwrap_or((rest, ""));
            return Ok((head, body));
        }
        end = end.saturating_add(line.len());
    }
    Err(Bad::at(
        1,
        "the block that begins with ```toml does not end",
    ))
}

fn described(about: &Node<'_>) -> Read<Advisory> {
    let date = date(about, "date")?.ok_or_else(|| about.bad("`date` is missing"))?;
    let mut references: Vec<Reference> = Vec::new();
    let mut refer = |kind: &str, address: &str| {
        references.push(Reference {
            kind: kind.to_owned(),
            address: address.to_owned(),
        });
    };
    if let Some(address) = about.member_text("url")? {
        refer("ADVISORY", address);
    }
    for address in about.texts("references", NAMES_MAX, 8_192)? {
        refer("WEB", &address);
    }
    let informational = about.member_text("informational")?;
    Ok(Advisory {
        id: id(about.wanted("id")?).map_err(|bad| bad.under("id"))?,
        modified: date,
        published: Some(date),
        withdrawn: self::date(about, "withdrawn")?,
        aliases: about.each("aliases", NAMES_MAX, id)?,
        related: about.each("related", NAMES_MAX, id)?,
        upstream: Vec::new(),
        summary: String::new(),
        severity: severity(about)?,
        rating: None,
        affected: Vec::new(),
        references,
        informational: informational.map(said),
    })
}

fn severity(about: &Node<'_>) -> Read<Vec<Severity>> {
    let Some(vector) = about.member_text("cvss")? else {
        return Ok(Vec::new());
    };
    if vector.len() > VECTOR_BYTES_MAX {
        let problem = format!("longer than {VECTOR_BYTES_MAX} bytes");
        return Err(about.bad(problem).under("cvss"));
    }
    Ok(vec![Severity::of_vector(vector)])
}

/// A day, as its beginning in UTC.
fn date(about: &Node<'_>, name: &str) -> Read<Option<Timestamp>> {
    let Some(node) = about.member(name) else {
        return Ok(None);
    };
    let text = node.a_text().map_err(|bad| bad.under(name))?;
    let moment = format!("{text}T00:00:00Z").parse();
    moment.map(Some).map_err(|_: model::ParseTimestampError| {
        let problem = format!("`{}` is no day such as 2026-01-31", said(text));
        node.bad(problem).under(name)
    })
}

fn package(about: &Node<'_>, collection: Collection) -> Read<AffectedPackage> {
    let name = about.wanted_text("package")?;
    if name.is_empty() || name.len() > PACKAGE_BYTES_MAX {
        return Err(about.bad("no name of a crate").under("package"));
    }
    let (ecosystem, scope) = match collection {
        Collection::Crates => (
            Ecosystem::CratesIo.name(),
            Some(Scope::of(Ecosystem::CratesIo)),
        ),
        Collection::Toolchain => ("Rust toolchain", None),
    };
    Ok(AffectedPackage {
        ecosystem: ecosystem.to_owned(),
        scope,
        name: name.to_owned(),
    })
}

fn range(versions: &Node<'_>) -> Read<Range> {
    versions.wanted("patched")?;
    let mut fine = Vec::new();
    for list in ["patched", "unaffected"] {
        let found = versions.each(list, REQUIREMENTS_MAX, |node| {
            requirement::parse(node.a_text()?).map_err(|problem| node.bad(problem))
        })?;
        fine.extend(found.into_iter().flatten());
    }
    Ok(Range {
        kind: RangeKind::SemVer,
        repository: None,
        events: left_out(fine),
    })
}
