//! From text to [`Estate`]: every error at once.
//!
//! Three passes: the shape of every table against the table of fields, then the values into types
//! with every reference looked up, then the rules between values.

mod acme;
mod inventory;
mod limits;
pub(crate) mod names;
mod people;
mod principals;
mod route_names;
mod routes;
mod rules;
mod settings;
mod upstream;
mod waf;

use ::model::{Diagnostic, Span};
use toml_edit::Document;

use crate::Estate;
use crate::fields::ROOT;
use crate::findings::Findings;
use crate::read::Reader;
use crate::shape;

/// LIMIT: bytes of an estate file.
const FILE_BYTES_MAX: usize = 1 << 20;

/// A text that is a valid estate.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The estate.
    pub estate: Estate,
    /// What works, but is probably not meant.
    pub warnings: Vec<Diagnostic>,
}

impl Estate {
    /// Parses and checks `rampart.toml`.
    ///
    /// # Errors
    /// Every error of the text, each with its place; warnings come with them.
    pub fn parse(source: &str) -> Result<Parsed, Vec<Diagnostic>> {
        let document = document(source).map_err(|error| vec![error])?;
        let whole = Span {
            start: 0,
            end: source.len(),
        };
        let mut findings = Findings::default();
        let place = shape::Place {
            key: "",
            span: whole,
        };
        shape::check(&mut findings, document.as_table(), &ROOT, place);
        let root = Reader::new(&ROOT, Some(document.as_table()), whole);
        let estate = read(&mut findings, &root);
        match estate {
            Some(estate) if !findings.has_errors() => Ok(Parsed {
                estate,
                warnings: findings.finish(),
            }),
            _ => Err(refused(findings)),
        }
    }
}

/// SECURITY: whatever could not be read is refused, even if a pass forgot to say why.
fn refused(mut findings: Findings) -> Vec<Diagnostic> {
    if !findings.has_errors() {
        let message = "the file was not understood".to_owned();
        findings.push(Diagnostic::error("estate.not_understood", None, message));
    }
    findings.finish()
}

/// The text as TOML.
pub(crate) fn document(source: &str) -> Result<Document<&str>, Diagnostic> {
    if source.len() > FILE_BYTES_MAX {
        let message = format!(
            "the file has {} bytes; at most {FILE_BYTES_MAX} are accepted",
            source.len()
        );
        return Err(Diagnostic::error("estate.too_large", None, message));
    }
    Document::parse(source).map_err(|error| {
        let span = error.span().map(Span::from);
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        Diagnostic::error("estate.syntax", span, format!("not TOML: {message}"))
            .hint("nothing else is checked until the file can be read")
    })
}

fn read(findings: &mut Findings, root: &Reader<'_>) -> Option<Estate> {
    let names = names::collect(findings, root);
    let domain = settings::domain(root);
    let name = settings::name(root);
    let listen = settings::listen(findings, root);
    let console = settings::console(root, domain.as_deref());
    let gateway = settings::gateway(root);
    let identity = settings::identity(findings, root);
    let trail = settings::trail(root);
    let route_limits = settings::limits(root);
    let (limit_keys, budgets) = limits::named(findings, root, &names);
    let shared_limits = limits::shared(findings, root);
    let certificates = settings::certificates(root);
    let zones = inventory::zones(root);
    let hosts = inventory::hosts(findings, root, &names);
    let services = inventory::services(findings, root, &names, &hosts);
    let stores = inventory::stores(findings, root, &names);
    let roles = people::roles(findings, root);
    let groups = people::groups(findings, root, &names);
    let clients = people::clients(findings, root, &names);
    let issuers = principals::issuers(findings, root, &names);
    let client_certificates = principals::client_certificates(root, domain.as_deref());
    let waf = waf::waf(findings, root);
    let shared = routes::Shared {
        waf: waf.as_ref(),
        domain: domain.as_deref(),
        limits: route_limits.as_ref(),
        budgets: &budgets,
        staleness_max: gateway.as_ref().map(|gateway| gateway.staleness_max),
        names: &names,
    };
    let routes = routes::routes(findings, root, &shared);
    let beside = listen.as_ref().zip(console.as_ref());
    let beside = beside.map(|(listen, console)| acme::Beside {
        listen,
        console,
        certificates: &certificates,
        routes: &routes,
    });
    let acme = beside.and_then(|beside| acme::acme(findings, root, &beside));
    let estate = Estate {
        name: name?,
        domain: domain?,
        listen: listen?,
        console: console?,
        gateway: gateway?,
        identity: identity?,
        trail: trail?,
        limits: route_limits?,
        shared_limits,
        // SECURITY: rules that were not understood are never left out.
        waf: if root.has("waf") { Some(waf?) } else { None },
        limit_keys,
        budgets,
        certificates,
        client_certificates,
        acme,
        zones,
        hosts,
        services,
        stores,
        roles,
        groups,
        clients,
        issuers,
        routes,
    };
    rules::check(findings, root, &estate);
    principals::check(findings, root, &estate);
    limits::check(findings, root, &estate);
    waf::check(findings, root, &estate);
    Some(estate)
}
