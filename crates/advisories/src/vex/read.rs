//! From an OpenVEX document to statements (OpenVEX specification 0.2.0).

use model::Timestamp;

use super::{Claim, Statement, Statements, Subject};
use crate::document::{self, Bad, Dialect, Limits, Node, Read};
use crate::text::said;
use crate::{Error, Purl};

/// LIMIT: statements of a document.
const STATEMENTS_MAX: usize = 50_000;
/// LIMIT: products of a statement, and names of a vulnerability.
const SUBJECTS_MAX: usize = 10_000;
/// LIMIT: bytes of a name or address.
const TEXT_BYTES_MAX: usize = 8_192;

impl Statements {
    /// Reads an OpenVEX document in JSON. `file` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Statements`] with field and line, where it is no such document; where a status is none,
    /// or says `not_affected` without saying why.
    pub fn from_openvex(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        document::json(bytes, Dialect::Strict, &Limits::ADVISORIES)
            .map_err(Bad::from)
            .and_then(|node| statements(&node))
            .map_err(|bad| Error::Statements {
                file: file.to_owned(),
                place: bad.place(),
                problem: bad.problem,
            })
    }
}

fn statements(node: &Node<'_>) -> Read<Statements> {
    let context = node.wanted_text("@context")?;
    if !context.contains("openvex.dev/ns") {
        let problem = format!("`{}` is not the context of OpenVEX", said(context));
        return Err(node.bad(problem).under("@context"));
    }
    let made = time(node.wanted("timestamp")?).map_err(|bad| bad.under("timestamp"))?;
    node.wanted("statements")?;
    Ok(Statements {
        author: said(node.wanted_text("author")?),
        statements: node.each("statements", STATEMENTS_MAX, |one| statement(one, made))?,
    })
}

fn statement(node: &Node<'_>, made: Timestamp) -> Read<Statement> {
    let status = node.wanted_text("status")?;
    let claim = Claim::from_name(status).ok_or_else(|| {
        let problem = format!(
            "`{}` is none of not_affected, affected, fixed, under_investigation",
            said(status)
        );
        node.bad(problem).under("status")
    })?;
    let mut why = None;
    for field in [
        "justification",
        "impact_statement",
        "action_statement",
        "status_notes",
    ] {
        why = why.or(node
            .member_text(field)?
            .filter(|text| field != "status_notes" || !text.is_empty()));
    }
    let reasons = [
        node.member_text("justification")?,
        node.member_text("impact_statement")?,
    ];
    if claim == Claim::NotAffected && reasons.into_iter().flatten().all(str::is_empty) {
        return Err(node.bad("`not_affected` needs a `justification` or an `impact_statement`"));
    }
    let subjects = node.each("products", SUBJECTS_MAX, subject)?;
    let own = node.member("timestamp").map(time).transpose();
    Ok(Statement {
        vulnerability: vulnerability(node)?,
        subjects: subjects.into_iter().flatten().collect(),
        claim,
        why: why.map(said),
        made: own.map_err(|bad| bad.under("timestamp"))?.unwrap_or(made),
    })
}

fn time(node: &Node<'_>) -> Read<Timestamp> {
    let text = node.a_text()?;
    text.parse()
        .map_err(|error: model::ParseTimestampError| node.bad(error.to_string()))
}

/// A text in older documents, an object in those of today.
fn vulnerability(node: &Node<'_>) -> Read<Vec<String>> {
    let found = node.wanted("vulnerability")?;
    if let Ok(name) = found.a_text() {
        return Ok(vec![name.to_owned()]);
    }
    let under = |bad: Bad| bad.under("vulnerability");
    let mut names = vec![found.wanted_text("name").map_err(under)?.to_owned()];
    names.extend(
        found
            .texts("aliases", SUBJECTS_MAX, TEXT_BYTES_MAX)
            .map_err(under)?,
    );
    Ok(names)
}

fn subject(node: &Node<'_>) -> Read<Vec<Subject>> {
    let parts = node.each("subcomponents", SUBJECTS_MAX, |part| {
        address(part).map(str::to_owned)
    })?;
    let named = address(node)?;
    if parts.is_empty() {
        let found = match named.parse::<Purl>() {
            Ok(package) => Subject::Package(package),
            Err(_) => Subject::Unreadable(said(named)),
        };
        return Ok(vec![found]);
    }
    let part = |part: &String| match part.parse::<Purl>() {
        Ok(package) => Subject::Part {
            product: named.to_owned(),
            package,
        },
        Err(_) => Subject::Unreadable(said(part)),
    };
    Ok(parts.iter().map(part).collect())
}

/// The package URL of a product where it names one, else what it is called.
fn address<'n>(node: &'n Node<'_>) -> Read<&'n str> {
    if let Ok(text) = node.a_text() {
        return Ok(text);
    }
    node.an_object()?;
    if let Some(identifiers) = node.member("identifiers") {
        let found = identifiers.member_text("purl");
        if let Some(text) = found.map_err(|bad| bad.under("identifiers"))? {
            return Ok(text);
        }
    }
    node.wanted_text("@id")
}
