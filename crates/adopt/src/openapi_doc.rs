//! An OpenAPI document: where its API is served, and a route that is held to it.

use openapi::{Document, Node, Options, Weight};

use crate::draft::{Draft, Route, Service};
use crate::notes::Place;
use crate::{Error, Input, address, path};

/// LIMIT: servers of one document.
const SERVERS_MAX: usize = 32;
/// LIMIT: schemes of one document that are told.
const SCHEMES_MAX: usize = 32;
/// Where the backend listens is not in any document.
const UNKNOWN: &str = "127.0.0.1:8000";

/// Reads `text`, which is also compiled as the gateway would.
pub(crate) fn read(input: &Input<'_>, text: &str, draft: &mut Draft) -> Result<(), Error> {
    let root = Node::parse(text).map_err(|findings| {
        let first = findings.first();
        let place = Place::new(input.name, first.map_or(1, |finding| finding.line));
        let message = first.map_or("this is no YAML", |finding| finding.message.as_str());
        let hint = first.and_then(|finding| finding.hint.as_deref());
        Error::syntax(&place, message, hint.unwrap_or_default())
    })?;
    if root.under("openapi").is_none() {
        let place = Place::new(input.name, root.line());
        let hint = "OpenAPI 3.0 and 3.1 are read; convert a Swagger 2.0 document first";
        return Err(Error::syntax(&place, "there is no `openapi: 3…`", hint));
    }
    draft.notes.carried(1);
    let openapi = document(input, text, draft);
    let servers = servers(&root, input, draft);
    let title = root
        .under("info")
        .and_then(|info| info.under("title"))
        .and_then(Node::scalar)
        .unwrap_or_default();
    let remarks = security(&root, input, draft);
    // A server of this machine beside public ones says where the backend is.
    let local = servers
        .iter()
        .find_map(|server| Some((server.address.clone()?, server.tls, server.line)));
    let public = servers.iter().any(|server| server.host.is_some());
    if local.is_none() {
        let place = Place::new(input.name, root.under("servers").map_or(0, Node::line));
        let why = format!(
            "the document says where clients find the API, not where its backend listens: `{UNKNOWN}` stands for it"
        );
        draft.notes.left(
            &place,
            "the service's address",
            &why,
            "write the backend's `address`",
        );
    }
    for server in servers {
        if public && server.address.is_some() {
            continue;
        }
        let place = Place::new(input.name, server.line);
        let own = server.address.map(|at| (at, server.tls, server.line));
        let found = own.or_else(|| local.clone());
        let (at, tls, line) = found
            .clone()
            .unwrap_or((UNKNOWN.to_owned(), false, server.line));
        let at_place = Place::new(input.name, line);
        let mut service = Service::new(&address::name(&title, "api"), vec![at], &at_place);
        if tls {
            service.protocol = "https";
        }
        service.remarks.push(match found {
            Some(_) => {
                "The document's own server on this machine; is it where the backend listens?"
                    .to_owned()
            }
            None => {
                "Where the backend listens is not in the document: change this address.".to_owned()
            }
        });
        let service = draft.service(service)?;
        let mut route = Route::new(server.host.as_deref(), &server.pattern, service, &place);
        route.openapi.clone_from(&openapi);
        route.remarks.clone_from(&remarks);
        route.what = server.shown;
        draft.route(route)?;
    }
    rest(&root, input, draft);
    Ok(())
}

/// The document as routes name it, where the gateway can hold requests to it.
fn document(input: &Input<'_>, text: &str, draft: &mut Draft) -> Option<String> {
    match Document::compile(text, &Options::default()) {
        Ok(compiled) => {
            for warning in &compiled.warnings {
                let place = Place::new(input.name, warning.line);
                let hint = warning.hint.as_deref().unwrap_or_default();
                draft
                    .notes
                    .left(&place, &warning.pointer, &warning.message, hint);
            }
        }
        Err(findings) => {
            for finding in findings.iter().filter(|one| one.weight == Weight::Error) {
                let place = Place::new(input.name, finding.line);
                let why = format!(
                    "requests cannot be held to the document: {}",
                    finding.message
                );
                let hint = finding.hint.as_deref().unwrap_or_default();
                draft.notes.left(&place, &finding.pointer, &why, hint);
            }
            return None;
        }
    }
    let beside = input.beside.filter(|path| is_document(path));
    if beside.is_none() {
        let place = Place::new(input.name, 0);
        let why = "a route names a document beside the estate file or below it, whose name ends in `.yaml`, `.yml` or `.json`";
        let instead = "copy it there, and write `openapi = \"…\"` on the route";
        draft.notes.left(&place, "openapi", why, instead);
    }
    beside.map(str::to_owned)
}

/// What the estate takes as the path of a document.
fn is_document(path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| !c.is_control() && c != '\\')
    };
    let ending = path.rsplit_once('.').map(|(_, ending)| ending);
    path.len() <= 255
        && path.split('/').all(plain)
        && matches!(ending, Some("yaml" | "yml" | "json"))
}

/// One server of the document.
struct Server {
    host: Option<String>,
    pattern: String,
    /// Where it is itself, when its address is one of this machine or a private network.
    address: Option<String>,
    tls: bool,
    line: usize,
    shown: String,
}

fn servers(root: &Node, input: &Input<'_>, draft: &mut Draft) -> Vec<Server> {
    let list = root
        .under("servers")
        .map(Node::each_item)
        .unwrap_or_default();
    let mut servers: Vec<Server> = Vec::new();
    for (at, node) in list.iter().enumerate() {
        let place = Place::new(input.name, node.line());
        let url = node.under("url").and_then(Node::scalar).unwrap_or_default();
        let url = filled(&url, node.under("variables"));
        // A password in an address is nobody's to read.
        let shown = match url.split_once("://").zip(url.rsplit_once('@')) {
            Some(((scheme, _), (_, rest))) => format!("server {scheme}://…@{rest}"),
            None => format!("server {url}"),
        };
        match server(&url, node.line(), &shown).filter(|_| at < SERVERS_MAX) {
            Some(server) => {
                let known =
                    |other: &Server| other.host == server.host && other.pattern == server.pattern;
                if servers.iter().any(known) {
                    let why = "another server has the same host and path";
                    draft.notes.unneeded(&place, &shown, why);
                    continue;
                }
                draft.notes.carried(1);
                servers.push(server);
            }
            None => draft.notes.left(
                &place,
                &shown,
                "its address is no fixed one, or its path none of a route",
                "write its route by hand",
            ),
        }
    }
    if list.is_empty() {
        // OpenAPI 3.1.1 §4.8.1: without servers, the one at `/`.
        servers.extend(server("/", root.line(), "no server"));
    }
    servers
}

/// The defaults of a server's variables put in.
fn filled(url: &str, variables: Option<&Node>) -> String {
    let mut out = url.to_owned();
    for variable in variables.map(Node::each_member).unwrap_or_default() {
        let value = variable.value().under("default").and_then(Node::scalar);
        // LIMIT: an address that grows is none.
        if let Some(value) = value.filter(|_| out.len() < 2_000) {
            out = out.replace(&format!("{{{}}}", variable.name()), &value);
        }
    }
    out
}

fn server(url: &str, line: usize, shown: &str) -> Option<Server> {
    if url.contains(['{', '?', '#']) {
        return None;
    }
    let (tls, authority, base) = match url.split_once("://") {
        Some((scheme, rest)) => {
            let tls = match scheme {
                "https" => true,
                "http" => false,
                _ => return None,
            };
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, base) = rest.split_at_checked(end)?;
            (tls, Some(authority), base)
        }
        None => (false, None, url),
    };
    let base = base.strip_prefix('.').unwrap_or(base);
    let pattern = path::below(if base.is_empty() { "/" } else { base })?;
    let mut one = Server {
        host: None,
        pattern,
        address: None,
        tls,
        line,
        shown: shown.to_owned(),
    };
    if let Some(authority) = authority {
        let (name, port) = address::split(authority)?;
        let own = match name.parse::<std::net::IpAddr>() {
            Ok(ip) => !ip.is_unspecified(),
            Err(_) => name == "localhost" || !name.contains('.'),
        };
        let usual = if tls { 443 } else { 80 };
        if own {
            one.address = Some(address::place(name, port.unwrap_or(usual))?);
        } else {
            one.host = Some(address::host(name)?);
        }
    }
    Some(one)
}

/// What the document says of callers, as a proposal: sign-in stays where it is.
fn security(root: &Node, input: &Input<'_>, draft: &mut Draft) -> Vec<String> {
    let schemes = root
        .under("components")
        .and_then(|components| components.under("securitySchemes"))
        .map(Node::each_member)
        .unwrap_or_default();
    let mut remarks = Vec::new();
    for scheme in schemes.iter().take(SCHEMES_MAX) {
        let place = Place::new(input.name, scheme.line());
        let said = |key: &str| scheme.value().under(key).and_then(Node::scalar);
        let kind = said("type").unwrap_or_default();
        let how = said("scheme").unwrap_or_default().to_ascii_lowercase();
        let proposal = match (kind.as_str(), how.as_str()) {
            ("apiKey", _) => {
                "callers with a key: `require = \"…\"` and API keys of Rampart's (`rampart api-keys create`)"
            }
            ("http", "bearer") | ("oauth2" | "openIdConnect", _) => {
                "tokens of an issuer: `[[issuer]]` with its address, and `require = \"…\"`"
            }
            ("http", "basic") => {
                "people with a password: `require = \"…\"`, and `rampart people invite`"
            }
            ("mutualTLS", _) => {
                "certificates of clients: `[[listen.client_certificates]]`, and `require = \"…\"`"
            }
            _ => "`require = \"…\"` once it is known who calls",
        };
        let what = format!("security scheme {}", scheme.name());
        let why = "the backend goes on to ask who it is (`auth = \"pass\"`): the document says how, not who may what";
        draft.notes.left(&place, &what, why, proposal);
        if remarks.is_empty() {
            remarks.push(
                "The document asks for credentials, which the backend checks. Rampart could before it:"
                    .to_owned(),
            );
        }
        let line = format!("{}: {proposal}.", scheme.name());
        if !remarks.contains(&line) {
            remarks.push(line);
        }
    }
    remarks
}

/// The rest of the document is the document itself.
fn rest(root: &Node, input: &Input<'_>, draft: &mut Draft) {
    for member in root.each_member() {
        let place = Place::new(input.name, member.line());
        match member.name() {
            "openapi" | "servers" => {}
            "webhooks" => draft.notes.left(
                &place,
                "webhooks",
                "they are requests that the API sends: the gateway stands before it alone",
                "",
            ),
            name => {
                draft
                    .notes
                    .unneeded(&place, name, "it is read where a route names the document");
            }
        }
    }
}
