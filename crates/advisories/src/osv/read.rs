//! From a document to an advisory, by the OSV schema 1.7.

use model::Timestamp;

use super::severity::VECTOR_BYTES_MAX;
use super::{
    Advisory, Affected, AffectedPackage, Event, Range, RangeKind, Rating, Reference, Severity,
};
use crate::VERSION_BYTES_MAX;
use crate::document::{Member, Node, Read};
use crate::text::said;

/// LIMIT: bytes of an advisory's name.
pub(super) const ID_BYTES_MAX: usize = 256;
/// LIMIT: other names of an advisory, of each kind.
pub(super) const NAMES_MAX: usize = 5_000;
/// LIMIT: bytes of a package's name. A Go module is the longest.
pub(super) const PACKAGE_BYTES_MAX: usize = 1_024;
/// LIMIT: bytes of a summary; what is longer is cut.
const SUMMARY_BYTES_MAX: usize = 1_024;
/// LIMIT: packages of one advisory. Those of distributions name thousands.
const AFFECTED_MAX: usize = 50_000;
/// LIMIT: ranges of a package.
const RANGES_MAX: usize = 5_000;
/// LIMIT: events of a range.
const EVENTS_MAX: usize = 20_000;
/// LIMIT: versions listed of a package.
const VERSIONS_MAX: usize = 200_000;
/// LIMIT: references, and vectors.
const REFERENCES_MAX: usize = 5_000;
/// LIMIT: bytes of an address.
const ADDRESS_BYTES_MAX: usize = 8_192;

pub(super) fn advisory(node: &Node<'_>) -> Read<Advisory> {
    version(node)?;
    let summary = node.member_text("summary")?.unwrap_or_default();
    let specific = node.member("database_specific");
    Ok(Advisory {
        id: id(node.wanted("id")?).map_err(|bad| bad.under("id"))?,
        modified: time(node.wanted("modified")?).map_err(|bad| bad.under("modified"))?,
        published: optional_time(node, "published")?,
        withdrawn: optional_time(node, "withdrawn")?,
        aliases: node.each("aliases", NAMES_MAX, id)?,
        related: node.each("related", NAMES_MAX, id)?,
        upstream: node.each("upstream", NAMES_MAX, id)?,
        summary: cut(summary),
        severity: node.each("severity", REFERENCES_MAX, severity)?,
        rating: specific.and_then(rating),
        affected: node.each("affected", AFFECTED_MAX, affected)?,
        references: node.each("references", REFERENCES_MAX, reference)?,
        informational: None,
    })
}

/// One line of bounded length.
pub(super) fn cut(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut end = line.len().min(SUMMARY_BYTES_MAX);
    while !line.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let kept = line.get(..end).unwrap_or_default();
    kept.chars().filter(|c| !c.is_control()).collect()
}

/// The schema's first number says what its fields mean.
fn version(node: &Node<'_>) -> Read<()> {
    node.an_object()?;
    let Some(text) = node.member_text("schema_version")? else {
        return Ok(());
    };
    if text.split('.').next() == Some("1") {
        return Ok(());
    }
    let problem = format!(
        "version `{}` of the schema is not known here: 1 is",
        said(text)
    );
    Err(node.bad(problem).under("schema_version"))
}

pub(super) fn id(node: &Node<'_>) -> Read<String> {
    let text = node.a_text()?;
    let usable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !usable || text.len() > ID_BYTES_MAX {
        return Err(node.bad(format!(
            "`{}` is no name of an advisory: up to {ID_BYTES_MAX} ASCII characters without spaces",
            said(text)
        )));
    }
    Ok(text.to_owned())
}

fn time(node: &Node<'_>) -> Read<Timestamp> {
    let text = node.a_text()?;
    text.parse()
        .map_err(|error: model::ParseTimestampError| node.bad(error.to_string()))
}

fn optional_time(node: &Node<'_>, name: &str) -> Read<Option<Timestamp>> {
    let Some(found) = node.member(name) else {
        return Ok(None);
    };
    time(found).map(Some).map_err(|bad| bad.under(name))
}

fn severity(node: &Node<'_>) -> Read<Severity> {
    let vector = node.wanted_text("score")?;
    if vector.len() > VECTOR_BYTES_MAX {
        let problem = format!("longer than {VECTOR_BYTES_MAX} bytes");
        return Err(node.bad(problem).under("score"));
    }
    Ok(Severity::new(&said(node.wanted_text("type")?), vector))
}

/// `severity` of `database_specific` or `ecosystem_specific`; what it means is each publisher's own
/// affair, and only its words are known here.
fn rating(specific: &Node<'_>) -> Option<Rating> {
    let word = specific.member("severity")?.a_text().ok()?;
    Rating::from_word(word)
}

fn reference(node: &Node<'_>) -> Read<Reference> {
    let address = node.wanted_text("url")?;
    if address.len() > ADDRESS_BYTES_MAX {
        let problem = format!("longer than {ADDRESS_BYTES_MAX} bytes");
        return Err(node.bad(problem).under("url"));
    }
    Ok(Reference {
        kind: said(node.wanted_text("type")?),
        address: address.to_owned(),
    })
}

fn affected(node: &Node<'_>) -> Read<Affected> {
    node.an_object()?;
    let named = node.member("package").map(package).transpose();
    let ranges = node.each("ranges", RANGES_MAX, range)?;
    let specific = |name| node.member(name).and_then(rating);
    Ok(Affected {
        package: named.map_err(|bad| bad.under("package"))?,
        versions: node.texts("versions", VERSIONS_MAX, VERSION_BYTES_MAX)?,
        severity: node.each("severity", REFERENCES_MAX, severity)?,
        rating: specific("database_specific").or_else(|| specific("ecosystem_specific")),
        ranges,
    })
}

fn package(node: &Node<'_>) -> Read<AffectedPackage> {
    let ecosystem = node.wanted_text("ecosystem")?;
    let name = node.wanted_text("name")?;
    for (field, text) in [("ecosystem", ecosystem), ("name", name)] {
        let fine = !text.is_empty() && text.len() <= PACKAGE_BYTES_MAX;
        if !fine || text.chars().any(char::is_control) {
            let problem = format!("not a text of 1 to {PACKAGE_BYTES_MAX} bytes on one line");
            return Err(node.bad(problem).under(field));
        }
    }
    Ok(AffectedPackage {
        ecosystem: ecosystem.to_owned(),
        scope: ecosystem.parse().ok(),
        name: name.to_owned(),
    })
}

fn range(node: &Node<'_>) -> Read<Range> {
    let kind = match node.wanted_text("type")? {
        "SEMVER" => RangeKind::SemVer,
        "ECOSYSTEM" => RangeKind::Ecosystem,
        "GIT" => RangeKind::Git,
        other => {
            let problem = format!("`{}` is none of SEMVER, ECOSYSTEM, GIT", said(other));
            return Err(node.bad(problem).under("type"));
        }
    };
    let events = node.each("events", EVENTS_MAX, event)?;
    if !events
        .iter()
        .any(|event| matches!(event, Event::Introduced(_)))
    {
        let problem = "no event says where it was introduced (`introduced`: `0` for the beginning)";
        return Err(node.bad(problem).under("events"));
    }
    let repository = node.member_text("repo")?;
    if kind == RangeKind::Git && repository.is_none() {
        return Err(node.bad("`repo` is missing, which says whose commits these are"));
    }
    if repository.is_some_and(|address| address.len() > ADDRESS_BYTES_MAX) {
        let problem = format!("longer than {ADDRESS_BYTES_MAX} bytes");
        return Err(node.bad(problem).under("repo"));
    }
    Ok(Range {
        kind,
        repository: repository.map(str::to_owned),
        events,
    })
}

/// One event. A kind that is not known would change where being affected ends: it is an error.
fn event(node: &Node<'_>) -> Read<Event> {
    let [
        Member {
            key,
            value: version,
            ..
        },
    ] = node.an_object()?
    else {
        return Err(node.bad("an event says one thing: introduced, fixed, last_affected or limit"));
    };
    let text = version.a_text().map_err(|bad| bad.under(key))?;
    if text.is_empty() || text.len() > VERSION_BYTES_MAX {
        let problem = format!("not a version of 1 to {VERSION_BYTES_MAX} bytes");
        return Err(version.bad(problem).under(key));
    }
    let text = text.to_owned();
    match key.as_ref() {
        "introduced" => Ok(Event::Introduced(text)),
        "fixed" => Ok(Event::Fixed(text)),
        "last_affected" => Ok(Event::LastAffected(text)),
        "limit" => Ok(Event::Limit(text)),
        other => Err(node.bad(format!(
            "`{}` is none of introduced, fixed, last_affected, limit",
            said(other)
        ))),
    }
}
