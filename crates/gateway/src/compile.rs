//! An estate, compiled for deciding: routes in a tree, permissions as numbers, roles as sets of
//! bits, header values ready to send. Pure; made once per version.

use std::sync::Arc;

use ahash::AHashMap;
use estate::{Cors, Estate, Require, Route, Segment};
use http::{HeaderValue, Method};
use model::{Permission, PermissionSet, own};

use crate::contract::Documents;
use crate::router::{RouteIndex, Router};
use crate::sanitize::Cleaner;

/// See the module.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// The version's number.
    pub(crate) version: u64,
    /// What was compiled.
    pub(crate) estate: Arc<Estate>,
    router: Router,
    routes: Vec<CompiledRoute>,
    roles: AHashMap<String, Bits>,
}

/// What a route needs beyond what the estate says.
#[derive(Debug)]
pub(crate) struct CompiledRoute {
    /// What must be held.
    pub(crate) require: Required,
    /// The cross-origin headers, ready to send.
    pub(crate) cors: Option<CorsHeaders>,
    /// Where in [`Compiled::estate`] its service stands, by name order.
    pub(crate) service: usize,
    /// What its requests must keep to.
    pub(crate) document: Option<Arc<openapi::Document>>,
    /// The rules that they are held to.
    pub(crate) rules: Option<Arc<seclang::Ruleset>>,
    /// What of their bodies is cleaned.
    pub(crate) cleaner: Option<Arc<Cleaner>>,
}

/// A permission as a number within one compiled estate.
pub(crate) type PermissionIndex = usize;

/// See [`estate::Require`].
#[derive(Debug)]
pub(crate) enum Required {
    /// Nothing.
    Nothing,
    /// The same for every method.
    Every(PermissionIndex, Permission),
    /// By method.
    Methods(Vec<(Method, PermissionIndex, Permission)>),
}

/// Header values of a route's cross-origin rules.
#[derive(Debug)]
pub(crate) struct CorsHeaders {
    /// Exact origins.
    pub(crate) origins: Vec<HeaderValue>,
    /// `Access-Control-Allow-Methods`.
    pub(crate) methods: HeaderValue,
    /// `Access-Control-Allow-Headers`.
    pub(crate) headers: Option<HeaderValue>,
    /// `Access-Control-Expose-Headers`.
    pub(crate) expose: Option<HeaderValue>,
    /// `Access-Control-Max-Age`.
    pub(crate) max_age: HeaderValue,
    /// Whether cookies may come along.
    pub(crate) credentials: bool,
}

/// A set of small numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Bits(Vec<u64>);

impl Compiled {
    /// Compiles a version. Everything in an [`Estate`] is valid, and `documents` were made for it,
    /// so that this cannot fail.
    pub(crate) fn new(version: u64, estate: Arc<Estate>, documents: &Documents) -> Self {
        let mut permissions = Permissions::default();
        let services: AHashMap<&str, usize> = estate
            .services
            .keys()
            .enumerate()
            .map(|(index, name)| (name.as_str(), index))
            .collect();
        let mut router = Router::default();
        let mut routes = Vec::with_capacity(estate.routes.len());
        for (index, route) in estate.routes.iter().enumerate() {
            router.add(route.host.as_deref(), &route.path, index);
            routes.push(CompiledRoute {
                require: permissions.required(&route.require),
                cors: route.cors.as_ref().map(cors_headers),
                service: services
                    .get(route.to.as_str())
                    .copied()
                    .unwrap_or(usize::MAX),
                document: documents.of(route),
                rules: documents.rules_of(route),
                cleaner: Cleaner::of(route),
            });
        }
        let roles = permissions.roles(&estate);
        Self {
            version,
            router,
            routes,
            roles,
            estate,
        }
    }

    /// Gives a route its rules, where it was compiled without.
    pub(crate) fn hold_to(&mut self, index: RouteIndex, rules: Option<Arc<seclang::Ruleset>>) {
        if let Some(route) = self.routes.get_mut(index) {
            route.rules = rules;
        }
    }

    /// The route of a canonical path on a host.
    pub(crate) fn find(&self, host: &str, path: &str) -> Option<RouteIndex> {
        self.router.find(host, path)
    }

    /// Whether services that read a path without the parameters of its segments read one of the
    /// same route; whoever wrote a `;` into a route's own pattern means it.
    pub(crate) fn is_alone(&self, host: &str, path: &str, index: RouteIndex) -> bool {
        let means_it = |segment: &Segment| match segment {
            Segment::Literal(text) => text.contains(';'),
            Segment::One | Segment::Rest => false,
        };
        let route = self.estate.routes.get(index);
        route.is_some_and(|route| route.path.segments.iter().any(means_it))
            || self.router.is_alone(host, path, Some(index))
    }

    /// Whether any route serves `host`.
    pub(crate) fn serves(&self, host: &str) -> bool {
        self.router.serves(host)
    }

    /// A route, as the estate has it and as it was compiled.
    pub(crate) fn route(&self, index: RouteIndex) -> Option<(&Route, &CompiledRoute)> {
        self.estate.routes.get(index).zip(self.routes.get(index))
    }

    /// Whether one of `roles` holds a permission that some route requires.
    pub(crate) fn roles_hold(&self, roles: &[String], permission: PermissionIndex) -> bool {
        roles
            .iter()
            .filter_map(|role| self.roles.get(role))
            .any(|bits| bits.contains(permission))
    }
}

/// Every permission that a route requires, each once.
#[derive(Default)]
struct Permissions {
    all: Vec<Permission>,
    index: AHashMap<Permission, PermissionIndex>,
}

impl Permissions {
    fn index(&mut self, permission: &Permission) -> PermissionIndex {
        if let Some(known) = self.index.get(permission) {
            return *known;
        }
        let next = self.all.len();
        self.all.push(permission.clone());
        self.index.insert(permission.clone(), next);
        next
    }

    fn required(&mut self, require: &Require) -> Required {
        match require {
            Require::Nothing => Required::Nothing,
            Require::Every(permission) => {
                Required::Every(self.index(permission), permission.clone())
            }
            Require::Methods(methods) => Required::Methods(
                methods
                    .iter()
                    .filter_map(|(method, permission)| {
                        let method = Method::from_bytes(method.as_bytes()).ok()?;
                        Some((method, self.index(permission), permission.clone()))
                    })
                    .collect(),
            ),
        }
    }

    fn roles(&self, estate: &Estate) -> AHashMap<String, Bits> {
        let built_in = [own::ADMINISTRATOR, own::AUDITOR]
            .into_iter()
            .filter_map(|name| Some((name, own::built_in_role(name)?)));
        let named = estate
            .roles
            .values()
            .map(|role| (role.name.as_str(), role.allow.clone()));
        built_in
            .chain(named)
            .map(|(name, allow)| (name.to_owned(), self.bits(&allow)))
            .collect()
    }

    fn bits(&self, allow: &PermissionSet) -> Bits {
        let mut bits = Bits::default();
        for (index, permission) in self.all.iter().enumerate() {
            if allow.allows(permission) {
                bits.insert(index);
            }
        }
        bits
    }
}

impl Required {
    /// What `method` needs: `Err` when the route does not name it. `HEAD` needs what `GET` needs
    /// (RFC 9110 §9.3.2).
    pub(crate) fn of(&self, method: &Method) -> Result<Option<(PermissionIndex, &Permission)>, ()> {
        match self {
            Self::Nothing => Ok(None),
            Self::Every(index, permission) => Ok(Some((*index, permission))),
            Self::Methods(methods) => {
                let named = |wanted: &Method| methods.iter().find(|(name, ..)| name == wanted);
                let found = named(method).or_else(|| {
                    (*method == Method::HEAD)
                        .then(|| named(&Method::GET))
                        .flatten()
                });
                found
                    .map(|(_, index, permission)| Some((*index, permission)))
                    .ok_or(())
            }
        }
    }

    /// The methods it names, for `Allow`; `None` when every method may be tried.
    pub(crate) fn allow(&self) -> Option<String> {
        let Self::Methods(methods) = self else {
            return None;
        };
        let names: Vec<&str> = methods.iter().map(|(name, ..)| name.as_str()).collect();
        Some(names.join(", "))
    }
}

impl Bits {
    fn insert(&mut self, bit: usize) {
        let word = bit / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (bit % 64);
        }
    }

    fn contains(&self, bit: usize) -> bool {
        self.0
            .get(bit / 64)
            .is_some_and(|word| word & (1 << (bit % 64)) != 0)
    }
}

fn cors_headers(cors: &Cors) -> CorsHeaders {
    let list = |names: &[String]| {
        (!names.is_empty())
            .then(|| HeaderValue::try_from(names.join(", ")).ok())
            .flatten()
    };
    let mut methods = vec!["GET".to_owned(), "HEAD".to_owned(), "POST".to_owned()];
    methods.extend(
        cors.methods
            .iter()
            .filter(|name| !["GET", "HEAD", "POST"].contains(&name.as_str()))
            .cloned(),
    );
    CorsHeaders {
        origins: cors
            .origins
            .iter()
            .filter_map(|origin| HeaderValue::from_str(origin).ok())
            .collect(),
        methods: list(&methods).unwrap_or(HeaderValue::from_static("GET")),
        headers: list(&cors.headers),
        expose: list(&cors.expose),
        max_age: HeaderValue::from(cors.max_age.as_secs()),
        credentials: cors.credentials,
    }
}

#[cfg(test)]
mod tests;
