//! The draft as the text of `rampart.toml`, with comments that say where each part comes from.

use std::fmt::Write as _;

use crate::draft::{Draft, Guard, Route, Service};
use crate::notes::clean;
use crate::units::{duration, size};
use crate::{Error, Input, Kind};

/// LIMIT: bytes of the text; the estate's parser takes no more.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Columns of a comment.
const COLUMNS: usize = 98;

/// Writes the whole text.
pub(crate) fn write(draft: &Draft, kind: Kind, input: &Input<'_>) -> Result<String, Error> {
    let mut text = Text::default();
    head(&mut text, draft, kind, input);
    listen(&mut text, draft);
    gateway(&mut text, draft);
    limits(&mut text, draft);
    certificates(&mut text, draft);
    for service in &draft.services {
        one_service(&mut text, service);
    }
    for (name, about) in &draft.roles {
        text.line("[[role]]");
        text.key("name", &quoted(name));
        text.key("about", &quoted(about));
        text.key("allow", &format!("[{}]", quoted(&format!("{name}:use"))));
        text.gap();
    }
    for route in &draft.routes {
        one_route(&mut text, draft, route);
    }
    if text.out.len() > TEXT_BYTES_MAX {
        return Err(Error::Limit {
            what: "bytes of the draft".to_owned(),
            max: TEXT_BYTES_MAX,
        });
    }
    let mut out = text.out;
    out.truncate(out.trim_end().len());
    out.push('\n');
    Ok(out)
}

/// Lines of TOML.
#[derive(Debug, Default)]
struct Text {
    out: String,
}

impl Text {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn gap(&mut self) {
        self.out.push('\n');
    }

    fn key(&mut self, key: &str, value: &str) {
        self.line(&format!("{key} = {value}"));
    }

    /// A comment over as many lines as it takes.
    fn comment(&mut self, text: &str) {
        let mut line = String::from("#");
        for word in clean(text).split(' ') {
            if line.len() > 1 && line.len() + 1 + word.len() > COLUMNS {
                self.line(&line);
                line = String::from("#");
            }
            line.push(' ');
            line.push_str(word);
        }
        self.line(line.trim_end());
    }
}

/// A basic string of TOML.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                // Writing to a string cannot fail.
                write!(out, "\\u{:04X}", u32::from(c)).unwrap_or_default();
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A list of strings.
pub(crate) fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|one| quoted(one.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

fn head(text: &mut Text, draft: &Draft, kind: Kind, input: &Input<'_>) {
    let name = input.name.rsplit('/').next().unwrap_or(input.name);
    text.comment(&format!(
        "Drafted by `rampart init --from {name}` from what that file says ({kind}). Each part names \
         the line it comes from; what could not be carried over was listed when this was written, \
         and is listed again by the same command with `--dry-run`."
    ));
    text.line("#");
    text.comment(
        "Routes observe: limits, validation and inspection record what they would have refused and \
         let it through, so that what works today works tomorrow. Delete `mode` of a route when its \
         records show nothing that you would miss. `auth = \"pass\"` leaves sign-in with the \
         backend, as it is now. Where the old file kept somebody out, the route asks for a \
         permission that nobody holds yet: `rampart roles grant` gives its role to people.",
    );
    text.line("#");
    text.comment(
        "`security_headers = false` keeps answers as they are; without it, browsers are also told to \
         come back over TLS only, for a year.",
    );
    for remark in &draft.remarks {
        text.line("#");
        text.comment(remark);
    }
    text.gap();
    text.line("[estate]");
    text.key("name", &quoted(&draft.name));
    text.comment("The parent of the console's host, and of hosts without a dot.");
    text.key("domain", &quoted(&draft.domain));
    text.gap();
}

fn listen(text: &mut Text, draft: &Draft) {
    text.line("[listen]");
    let mut from = draft
        .https
        .iter()
        .chain(&draft.http)
        .filter(|(_, place)| place.line > 0);
    if let Some((_, place)) = from.next() {
        text.comment(&format!(
            "{place}: what the old program listens on. While it still runs, take other ports here, \
             such as `0.0.0.0:8443`."
        ));
    }
    let addresses = |list: &[(std::net::SocketAddr, crate::Place)]| {
        self::list(list.iter().map(|(address, _)| address.to_string()))
    };
    text.key("https", &addresses(&draft.https));
    if !draft.http.is_empty() {
        text.key("http", &addresses(&draft.http));
    }
    if draft.plain {
        text.comment(
            "The old file serves clear HTTP and no TLS. Rampart does so too here, and sets no \
             session cookie on such connections.",
        );
        text.key("plain", "true");
    }
    if !draft.proxy_protocol.is_empty() {
        let ranges = draft.proxy_protocol.iter().map(|(range, _)| range);
        text.key("proxy_protocol", &list(ranges));
    }
    text.gap();
    for one in &draft.client_certificates {
        text.comment(&one.place.to_string());
        text.line("[[listen.client_certificates]]");
        text.key("hosts", &list(&one.hosts));
        text.key("authorities", &quoted(&one.authorities));
        text.key("mode", &quoted(one.mode));
        if let Some(crl) = &one.crl {
            text.key("crls", &list([crl]));
        }
        text.gap();
    }
    if let Some(host) = &draft.console {
        text.line("[console]");
        text.comment("The usual name is served by a route.");
        text.key("host", &quoted(host));
        text.gap();
    }
}

fn gateway(text: &mut Text, draft: &Draft) {
    if let Some((_, place)) = draft.trusted_proxies.first() {
        text.line("[gateway]");
        text.comment(&place.to_string());
        let ranges = draft.trusted_proxies.iter().map(|(range, _)| range);
        text.key("trusted_proxies", &list(ranges));
        text.gap();
    }
}

fn limits(text: &mut Text, draft: &Draft) {
    text.line("[limits]");
    text.comment(
        "The old file limits no client over all its paths. Delete this line for the default, \
         `1200/min`.",
    );
    text.key("per_address", "\"off\"");
    if let Some((bytes, why)) = &draft.body_max {
        text.comment(why);
        text.key("body_max", &quoted(&size(*bytes)));
    }
    text.gap();
}

fn certificates(text: &mut Text, draft: &Draft) {
    for one in &draft.certificates {
        text.comment(&one.place.to_string());
        text.line("[[certificate]]");
        text.key("hosts", &list(&one.hosts));
        text.key("chain", &quoted(&one.chain));
        text.key("key", &quoted(&one.key));
        text.gap();
    }
    let Some(acme) = &draft.acme else {
        return;
    };
    text.comment(
        "The old program has certificates from an authority. Rampart gets its own, and renews them, \
         once you agree to the authority's terms; until then hosts without a `[[certificate]]` show \
         one of the development authority, which no browser trusts.",
    );
    let usual = "https://acme-v02.api.letsencrypt.org/directory";
    let directory = acme.directory.as_deref().unwrap_or(usual);
    text.line("# [acme]");
    text.comment(&format!("directory = {}", quoted(directory)));
    if let Some(contact) = &acme.contact {
        let mail = format!("mailto:{contact}");
        text.comment(&format!("contact = {}", list([mail])));
    }
    text.line("# terms_agreed = true");
    text.gap();
}

fn one_service(text: &mut Text, service: &Service) {
    text.comment(&service.place.to_string());
    for remark in &service.remarks {
        text.comment(remark);
    }
    text.line("[[service]]");
    text.key("name", &quoted(&service.name));
    match service.addresses.as_slice() {
        [address] => text.key("address", &quoted(address)),
        addresses => text.key("addresses", &list(addresses)),
    }
    if service.protocol != "http" {
        text.key("protocol", &quoted(service.protocol));
    }
    if service.own_host {
        text.key("host_header", "\"upstream\"");
    }
    for setting in &service.settings {
        text.key(setting.key, &setting.value);
    }
    if let Some(ms) = service.send_ms {
        text.key(
            "timeouts",
            &format!("{{ send = {} }}", quoted(&duration(ms))),
        );
    }
    text.gap();
}

fn one_route(text: &mut Text, draft: &Draft, route: &Route) {
    let from = format!("{} {}", route.place, route.what);
    text.comment(from.trim_end());
    for remark in &route.remarks {
        text.comment(remark);
    }
    match &route.guard {
        Guard::Open => {}
        Guard::Asks(why) => text.comment(&format!(
            "{why}. The route asks for a permission instead; nobody holds it yet."
        )),
        Guard::Closed(why) => text.comment(&format!(
            "Closed: {why}. Without this route another one would pass it on."
        )),
    }
    text.line("[[route]]");
    text.key("name", &quoted(&route.name));
    if let Some(host) = &route.host {
        text.key("host", &quoted(host));
    }
    text.key("path", &quoted(&route.path));
    let service = draft.services.get(route.service);
    text.key("to", &quoted(service.map_or("", |service| &service.name)));
    if let Some(strip) = &route.strip {
        text.key("strip_prefix", &quoted(strip));
    }
    match &route.permission {
        Some(permission) => text.key("require", &quoted(permission)),
        None => text.key("auth", "\"pass\""),
    }
    if matches!(route.guard, Guard::Closed(_)) {
        return text.gap();
    }
    let is_limited = !route.rates.is_empty();
    text.key("mode", mode(is_limited, route.stream));
    match route.rates.as_slice() {
        [] => {}
        [rate] => text.key("limit", &quoted(rate)),
        rates => text.key("limit", &list(rates)),
    }
    let own = own_limits(route);
    if !own.is_empty() {
        text.key("limits", &format!("{{ {} }}", own.join(", ")));
    }
    if route.websocket {
        text.key("websocket", "true");
    }
    if route.stream {
        text.key("body", "\"stream\"");
    }
    if let Some(openapi) = &route.openapi {
        text.key("openapi", &quoted(openapi));
    }
    if !route.security_headers {
        text.key("security_headers", "false");
    }
    text.gap();
}

/// Limits that the old file enforced stay enforced.
fn mode(is_limited: bool, is_streamed: bool) -> &'static str {
    match (is_limited, is_streamed) {
        (false, _) => "\"observe\"",
        (true, false) => "{ limits = \"block\", validate = \"observe\", inspect = \"observe\" }",
        (true, true) => "{ limits = \"block\", inspect = \"observe\" }",
    }
}

fn own_limits(route: &Route) -> Vec<String> {
    let mut own = Vec::new();
    if let Some(bytes) = route.body_max {
        own.push(format!("body_max = {}", quoted(&size(bytes))));
    }
    if let Some(ms) = route.connect_ms {
        own.push(format!("connect_timeout = {}", quoted(&duration(ms))));
    }
    if let Some(ms) = route.response_ms {
        let value = quoted(&duration(ms));
        own.push(format!("response_timeout = {value}"));
        own.push(format!("response_idle_timeout = {value}"));
    }
    own
}
