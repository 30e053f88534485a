//! Labels, and those that Traefik reads.

use std::collections::{BTreeMap, BTreeSet};

use openapi::Node;

use super::variables::Variables;
use super::{ByName, Container};
use crate::draft::Draft;
use crate::notes::Place;

/// Labels of one service: names in lower case, values where they are known.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels {
    all: BTreeMap<String, (Option<String>, Option<Place>)>,
}

impl Labels {
    pub(super) fn add(&mut self, node: &Node, variables: &Variables, place: &Place) {
        let at = |line: usize| {
            Some(Place {
                file: place.file.clone(),
                line,
            })
        };
        for member in node.each_member() {
            let value = member.value().scalar().unwrap_or_default();
            self.all.insert(
                member.name().to_ascii_lowercase(),
                (variables.put_into(&value), at(member.line())),
            );
        }
        for item in node.each_item() {
            let text = item.scalar().unwrap_or_default();
            let (name, value) = text.split_once('=').unwrap_or((&text, ""));
            // A variable may stand in a name as well: then nobody knows what it is.
            self.all.insert(
                name.to_ascii_lowercase(),
                (variables.put_into(value), at(item.line())),
            );
        }
    }

    pub(super) fn is_off(&self) -> bool {
        self.all
            .get("traefik.enable")
            .is_some_and(|(value, _)| value.as_deref() == Some("false"))
    }

    fn place(&self, name: &str, or: &Place) -> Place {
        self.all
            .get(name)
            .and_then(|(_, place)| place.clone())
            .unwrap_or_else(|| or.clone())
    }
}

/// Options of one router, service or middleware, by their names.
pub(super) type Options = BTreeMap<String, String>;

/// A router and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Router {
    pub(super) container: String,
    pub(super) place: Place,
    pub(super) options: Options,
}

/// What Traefik makes of all labels: it reads them as one.
#[derive(Debug, Default)]
pub(super) struct Traefik {
    pub(super) routers: ByName<Router>,
    pub(super) services: ByName<Options>,
    pub(super) middlewares: ByName<Options>,
    /// Where the first label of each middleware stands.
    places: ByName<Place>,
    of: BTreeSet<String>,
}

impl Traefik {
    pub(super) fn of(containers: &[Container], draft: &mut Draft) -> Self {
        let mut all = Self::default();
        for container in containers {
            for (label, (value, _)) in &container.labels.all {
                let place = container.labels.place(label, &container.place);
                all.label(container, label, value.as_deref(), &place, draft);
            }
        }
        all.of = all
            .routers
            .values()
            .map(|router| router.container.clone())
            .collect();
        all
    }

    fn label(
        &mut self,
        container: &Container,
        label: &str,
        value: Option<&str>,
        place: &Place,
        draft: &mut Draft,
    ) {
        let Some(rest) = label.strip_prefix("traefik.") else {
            let why = "labels of others say nothing about who reaches it";
            draft.notes.unneeded(place, label, why);
            return;
        };
        if matches!(
            rest,
            "enable" | "docker.network" | "docker.lbswarm" | "swarm.network"
        ) {
            draft.notes.carried(1);
            return;
        }
        let parts: Vec<&str> = rest.splitn(4, '.').collect();
        let (Some(value), ["http", kind, name, option]) = (value, parts.as_slice()) else {
            let (why, instead) = match value {
                None => (
                    "its value depends on a variable that is not known here",
                    "write it into `.env` beside the file",
                ),
                Some(_) => ("Rampart is a gateway for HTTP", ""),
            };
            draft.notes.unguarded(place, label, why, instead);
            return;
        };
        let name = (*name).to_owned();
        let option = (*option).to_owned();
        match *kind {
            "routers" => {
                let router = self.routers.entry(name).or_insert_with(|| Router {
                    container: container.name.clone(),
                    place: place.clone(),
                    options: Options::new(),
                });
                if option == "rule" {
                    router.place = place.clone();
                }
                router.options.insert(option, value.to_owned());
            }
            "services" => drop(
                self.services
                    .entry(name)
                    .or_default()
                    .insert(option, value.to_owned()),
            ),
            "middlewares" => {
                self.places
                    .entry(name.clone())
                    .or_insert_with(|| place.clone());
                self.middlewares
                    .entry(name)
                    .or_default()
                    .insert(option, value.to_owned());
            }
            _ => {
                draft
                    .notes
                    .unguarded(place, label, "there is nothing like it in the estate", "");
                return;
            }
        }
        draft.notes.carried(1);
    }

    /// Says what nothing uses: middlewares without a router, and routers of containers that
    /// requests are not passed on to.
    pub(super) fn unused(&self, closed: &BTreeSet<&str>, draft: &mut Draft) {
        let routers = self.routers.values().map(|router| &router.options);
        let named: BTreeSet<&str> = routers
            .chain(self.middlewares.values())
            .flat_map(|options| [options.get("middlewares"), options.get("chain.middlewares")])
            .flatten()
            .flat_map(|names| names.split(','))
            .map(|name| name.trim().split('@').next().unwrap_or_default())
            .collect();
        for (name, place) in &self.places {
            if !named.contains(name.as_str()) {
                let what = format!("middleware {name}");
                draft.notes.left(place, &what, "no router uses it", "");
            }
        }
        for (name, router) in &self.routers {
            if closed.contains(router.container.as_str()) {
                let rule = router.options.get("rule").map_or("", String::as_str);
                let what = format!("router {name}: {rule}");
                let why = "it leads to a proxy or to a data store, which get no route";
                draft.notes.left(&router.place, &what, why, "");
            }
        }
    }

    pub(super) fn has_routers(&self, container: &str) -> bool {
        self.of.contains(container)
    }
}
