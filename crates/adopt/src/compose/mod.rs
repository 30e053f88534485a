//! Docker Compose: services with published ports, and what Traefik's labels say of them.

mod images;
mod labels;
mod ports;
mod rule;
mod traefik;
mod variables;

use std::collections::{BTreeMap, BTreeSet};

use openapi::{Member, Node};

use crate::draft::{Draft, Route, Service};
use crate::files::{Files, Opened, folder, within};
use crate::notes::Place;
use crate::{Error, Input, address};
use images::Role;
use labels::Labels;
use ports::Port;
use variables::Variables;

/// LIMIT: services that `extends` each other.
const EXTENDS_MAX: usize = 8;
/// LIMIT: services of all files.
const SERVICES_MAX: usize = 500;

/// What is read of one service.
#[derive(Clone, Debug)]
pub(super) struct Container {
    name: String,
    place: Place,
    image: String,
    ports: Vec<Port>,
    /// Ports inside, said but not published.
    exposed: Vec<u16>,
    labels: Labels,
}

/// Reads `text` and the files it names.
pub(crate) fn read(
    input: &Input<'_>,
    text: &str,
    files: &dyn Files,
    draft: &mut Draft,
) -> Result<(), Error> {
    let mut opened = Opened::new(files);
    let variables = match opened.open(&within(input.folder, ".env"), 0)? {
        Ok(texts) => Variables::of(texts.first().map_or("", |(_, text)| text)),
        Err(_) => Variables::default(),
    };
    let mut reading = Reading {
        opened,
        folder: input.folder,
        variables,
        containers: Vec::new(),
    };
    let root = parse(input.name, text)?;
    reading.file(input.name, &root, 0, draft)?;
    let containers = reading.containers;
    let all = labels::Traefik::of(&containers, draft);
    for one in &containers {
        container(one, &all, draft)?;
    }
    let closed = containers
        .iter()
        .filter(|one| images::role(&one.image) != Role::Other);
    let closed: BTreeSet<&str> = closed.map(|one| one.name.as_str()).collect();
    all.unused(&closed, draft);
    if let Some(route) = draft.routes.first() {
        let (place, what) = (route.place.clone(), route.what.clone());
        let why = "nothing bounded bodies and times before; Rampart takes bodies up to 10 MiB, answers up to 1 GiB, and waits 60 s for one (`[limits]`)";
        draft.notes.differs(&place, &what, why);
    }
    Ok(())
}

fn parse(file: &str, text: &str) -> Result<Node, Error> {
    Node::parse(text).map_err(|findings| {
        let first = findings.first();
        let place = Place::new(file, first.map_or(1, |finding| finding.line));
        let message = first.map_or("this is no YAML", |finding| finding.message.as_str());
        let hint = first.and_then(|finding| finding.hint.as_deref());
        // Its hints are for OpenAPI documents; those about YAML help here too.
        Error::syntax(
            &place,
            message,
            hint.filter(|hint| !hint.contains("API")).unwrap_or(""),
        )
    })
}

struct Reading<'f> {
    opened: Opened<'f>,
    folder: &'f str,
    variables: Variables,
    containers: Vec<Container>,
}

impl Reading<'_> {
    fn file(
        &mut self,
        name: &str,
        root: &Node,
        depth: usize,
        draft: &mut Draft,
    ) -> Result<(), Error> {
        if root.under("services").is_none() {
            let place = Place::new(name, root.line());
            return Err(Error::syntax(&place, "there is no `services`", ""));
        }
        for member in root.each_member() {
            let place = Place::new(name, member.line());
            match member.name() {
                "services" => {
                    draft.notes.carried(1);
                    let services = member.value();
                    for service in services.each_member() {
                        self.service(name, services, service, draft)?;
                    }
                }
                "include" => self.include(name, member, depth, draft)?,
                "version" | "name" | "volumes" | "networks" | "secrets" | "configs" => {
                    draft.notes.unneeded(
                        &place,
                        member.name(),
                        "it is about containers, not about who reaches them",
                    );
                }
                key if key.starts_with("x-") => {
                    draft
                        .notes
                        .unneeded(&place, key, "what refers to it is read where it is used");
                }
                key => draft
                    .notes
                    .left(&place, key, "there is nothing like it in the estate", ""),
            }
        }
        Ok(())
    }

    fn include(
        &mut self,
        name: &str,
        member: &Member,
        depth: usize,
        draft: &mut Draft,
    ) -> Result<(), Error> {
        let place = Place::new(name, member.line());
        let mut paths = Vec::new();
        for item in member.value().each_item() {
            match (item.text(), item.under("path")) {
                (Some(path), _) => paths.push(path.to_owned()),
                (None, Some(path)) if path.is_array() => {
                    paths.extend(path.each_item().iter().filter_map(Node::scalar));
                }
                (None, Some(path)) => paths.extend(path.scalar()),
                (None, None) => {}
            }
        }
        for path in paths {
            let path = within(&within(self.folder, folder(name)), &path);
            match self.opened.open(&path, depth)? {
                Ok(texts) => {
                    draft.notes.carried(1);
                    for (name, text) in texts {
                        let root = parse(&name, &text)?;
                        self.file(&name, &root, depth.saturating_add(1), draft)?;
                    }
                }
                Err(why) => {
                    let why = format!("the file was not read: {why}");
                    draft.notes.left(
                        &place,
                        &format!("include {path}"),
                        &why,
                        "adopt it by itself",
                    );
                }
            }
        }
        Ok(())
    }

    fn service(
        &mut self,
        file: &str,
        services: &Node,
        member: &Member,
        draft: &mut Draft,
    ) -> Result<(), Error> {
        if self.containers.len() >= SERVICES_MAX {
            return Err(Error::Limit {
                what: "services".to_owned(),
                max: SERVICES_MAX,
            });
        }
        let mut container = Container {
            name: member.name().to_owned(),
            place: Place::new(file, member.line()),
            image: String::new(),
            ports: Vec::new(),
            exposed: Vec::new(),
            labels: Labels::default(),
        };
        self.fill(&mut container, file, services, member.value(), 0, draft)?;
        self.containers.push(container);
        Ok(())
    }

    /// Takes what a service says, and before it what it extends.
    fn fill(
        &mut self,
        container: &mut Container,
        file: &str,
        services: &Node,
        node: &Node,
        depth: usize,
        draft: &mut Draft,
    ) -> Result<(), Error> {
        if depth > EXTENDS_MAX {
            return Err(Error::Limit {
                what: format!("services that `{}` extends", container.name),
                max: EXTENDS_MAX,
            });
        }
        if let Some(extends) = node.under("extends") {
            self.extended(container, file, services, extends, depth, draft)?;
        }
        for member in node.each_member() {
            let place = Place::new(file, member.line());
            self.key(container, &place, member, draft);
        }
        Ok(())
    }

    fn extended(
        &mut self,
        container: &mut Container,
        file: &str,
        services: &Node,
        extends: &Node,
        depth: usize,
        draft: &mut Draft,
    ) -> Result<(), Error> {
        let place = Place::new(file, extends.line());
        let named = extends.under("service").and_then(Node::scalar);
        let name = extends.scalar().or(named).unwrap_or_default();
        let deeper = depth.saturating_add(1);
        let Some(path) = extends.under("file").and_then(Node::scalar) else {
            let Some(base) = services.under(&name) else {
                draft.notes.left(
                    &place,
                    &format!("extends {name}"),
                    "there is no such service",
                    "",
                );
                return Ok(());
            };
            draft.notes.carried(1);
            return self.fill(container, file, services, base, deeper, draft);
        };
        let path = within(&within(self.folder, folder(file)), &path);
        let texts = match self.opened.open(&path, depth)? {
            Ok(texts) => texts,
            Err(why) => {
                let why = format!("the file was not read: {why}");
                draft.notes.left(
                    &place,
                    &format!("extends {path}"),
                    &why,
                    "adopt it by itself",
                );
                return Ok(());
            }
        };
        for (other, text) in texts {
            let root = parse(&other, &text)?;
            let base = root
                .under("services")
                .and_then(|all| Some((all, all.under(&name)?)));
            match base {
                Some((all, base)) => {
                    draft.notes.carried(1);
                    self.fill(container, &other, all, base, deeper, draft)?;
                }
                None => draft.notes.left(
                    &place,
                    &format!("extends {name}"),
                    "there is no such service",
                    "",
                ),
            }
        }
        Ok(())
    }

    fn ports(&self, container: &mut Container, place: &Place, node: &Node, draft: &mut Draft) {
        for item in node.each_item() {
            if let Some(port) = ports::parse(item, &self.variables) {
                draft.notes.carried(1);
                container.ports.push(port);
                continue;
            }
            let shown = item.scalar().unwrap_or_default();
            let place = Place {
                line: item.line(),
                ..place.clone()
            };
            draft.notes.left(
                &place,
                &format!("{}: ports {shown}", container.name),
                "this is not one TCP port that is known before it runs",
                "write the service and its route by hand",
            );
        }
    }

    fn key(&self, container: &mut Container, place: &Place, member: &Member, draft: &mut Draft) {
        let node = member.value();
        let what = format!("{}: {}", container.name, member.name());
        match member.name() {
            "image" => {
                draft.notes.carried(1);
                let image = node.scalar().unwrap_or_default();
                container.image = self.variables.put_into(&image).unwrap_or(image);
            }
            "ports" => self.ports(container, place, node, draft),
            "expose" => {
                draft.notes.carried(1);
                let ports = node.each_item().iter().filter_map(Node::scalar);
                container
                    .exposed
                    .extend(ports.filter_map(|port| address::port(port.split('/').next()?)));
            }
            "labels" => container.labels.add(node, &self.variables, place),
            "deploy" => {
                if let Some(labels) = node.under("labels") {
                    container.labels.add(labels, &self.variables, place);
                }
                draft.notes.unneeded(
                    place,
                    &what,
                    "it is about containers, not about who reaches them",
                );
            }
            "extends" => {}
            "healthcheck" => draft.notes.left(
                place,
                &what,
                "it is asked inside of the container, by a command",
                "write `health = { path = \"…\" }` on the service, which the gateway asks itself",
            ),
            "env_file" | "environment" | "secrets" | "configs" => draft.notes.unneeded(
                place,
                &what,
                "it is the container's own, and was not read: it may hold secrets",
            ),
            "network_mode" if node.text() == Some("host") => draft.notes.left(
                place,
                &what,
                "its ports are the machine's own, and are not in this file",
                "write its service and route by hand, and bind it to 127.0.0.1",
            ),
            name if images::is_about_containers(name) => {
                draft.notes.unneeded(
                    place,
                    &what,
                    "it is about containers, not about who reaches them",
                );
            }
            _ => draft
                .notes
                .left(place, &what, "there is nothing like it in the estate", ""),
        }
    }
}

fn container(one: &Container, all: &labels::Traefik, draft: &mut Draft) -> Result<(), Error> {
    match images::role(&one.image) {
        Role::Store(kind) => {
            protect(one, kind, draft);
            return Ok(());
        }
        Role::Proxy(kind) => {
            let why = format!(
                "this is a proxy itself ({kind}): what it does stands in its own configuration"
            );
            let instead = match kind {
                "nginx" | "caddy" => "adopt that: `rampart init --from` its file",
                "traefik" => "its routers, in labels of the services, are read here",
                _ => "write its routes by hand",
            };
            draft.notes.left(&one.place, &one.name, &why, instead);
            return Ok(());
        }
        Role::Other => {}
    }
    if one.labels.is_off() {
        draft.notes.unneeded(
            &one.place,
            &one.name,
            "`traefik.enable=false`: nothing is passed on to it",
        );
        return Ok(());
    }
    if all.has_routers(&one.name) {
        return traefik::routes(one, all, draft);
    }
    if one.ports.is_empty() {
        let why = "it publishes no port: nothing outside reaches it, and nothing is to change";
        draft.notes.unneeded(&one.place, &one.name, why);
        return Ok(());
    }
    published(one, draft)
}

/// A store is not put on the road; one that is published already is.
fn protect(one: &Container, kind: &str, draft: &mut Draft) {
    let what = format!("{} ({kind})", one.name);
    if one.ports.is_empty() {
        let why = "a data store that nothing outside reaches: leave it so";
        draft.notes.unneeded(&one.place, &what, why);
        return;
    }
    let open = one.ports.iter().any(Port::is_open);
    let why = if open {
        "a data store, published on every address: whoever reaches this machine reaches it, past every gateway"
    } else {
        "a data store: no gateway for HTTP stands before it"
    };
    let instead =
        "take `ports` off: services reach it by its name; or publish it on 127.0.0.1 alone";
    draft.notes.unguarded(&one.place, &what, why, instead);
}

/// A published port as a service of its own, at a host that is a guess.
fn published(one: &Container, draft: &mut Draft) -> Result<(), Error> {
    let mut first = true;
    for port in &one.ports {
        let what = format!("{}: {port}", one.name);
        if let Some(protocol) = images::other_protocol(port.inside) {
            let why = format!("this is the port of {protocol}, not of HTTP");
            draft.notes.left(
                &one.place,
                &what,
                &why,
                "publish it on 127.0.0.1 alone, or refuse it in the firewall",
            );
            continue;
        }
        if port.is_open() {
            let why = "it is published on every address: whoever reaches this machine walks around the gateway; publish it on 127.0.0.1 (`127.0.0.1:8080:80`)";
            draft.notes.differs(&one.place, &what, why);
        }
        let label = address::name(&one.name, "app");
        let host = if first {
            format!("{label}.localhost")
        } else {
            format!("{label}-{}.localhost", port.inside)
        };
        first = false;
        let Some(place) = port.reached(&one.name) else {
            draft.notes.left(
                &one.place,
                &what,
                "it is reached at no address that a service may have",
                "",
            );
            continue;
        };
        let mut service = Service::new(&one.name, vec![place], &one.place);
        if port.outside.is_none() {
            service.remarks.push(WITHIN.to_owned());
        }
        let service = draft.service(service)?;
        let mut route = Route::new(Some(&host), "/**", service, &one.place);
        route.websocket = true;
        route.what = what;
        route.remarks.push(
            "The host is a guess: nothing in the file says by which name it is asked for. Change it, and `domain`."
                .to_owned(),
        );
        draft.route(route)?;
    }
    Ok(())
}

/// Where a service is only reached by its name.
pub(super) const WITHIN: &str = "Reached by its name within Compose's network: run Rampart there, or publish the port on 127.0.0.1 and write that.";

/// Services by name, for whoever refers to them.
pub(super) type ByName<T> = BTreeMap<String, T>;
