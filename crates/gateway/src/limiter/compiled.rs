//! Limits of the estate, made ready to be counted: once per version, so that a request looks up no
//! name.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use estate::{Estate, KeySource, LimitKey, MissingKey, Per, Route};
use http::{HeaderName, HeaderValue};
use model::Rate;
use percent_encoding::percent_decode;

use super::{Client, Value, What, half};
use crate::caller::Caller;
use crate::cookies;
use crate::flow::Flow;
use crate::steps::respond;

/// LIMIT: bytes of a value that a client chose; longer ones count as one.
const VALUE_BYTES_MAX: usize = 512;

/// What one route limits.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// How often, in the order of the estate.
    pub(crate) rates: Box<[Rated]>,
    /// How many at once.
    pub(crate) at_once: Box<[Numbered]>,
}

/// One rate.
#[derive(Debug)]
pub(crate) struct Rated {
    /// As clients are told of it.
    pub(crate) policy: Policy,
    /// What it counts by.
    pub(crate) by: By,
    /// Stands for the route, or the budget, within this process.
    pub(crate) number: u64,
    /// Stands for it in every gateway of the estate.
    pub(super) identity: Vec<u8>,
    /// The budget's name, when others count in it too.
    pub(crate) budget: Option<Box<str>>,
}

/// How many at once.
#[derive(Debug)]
pub(crate) struct Numbered {
    /// So many.
    pub(crate) max: u32,
    /// What it counts by.
    pub(crate) by: By,
}

/// A rate as `RateLimit-Policy` names it.
#[derive(Debug)]
pub(crate) struct Policy {
    /// How often.
    pub(crate) rate: Rate,
    /// Its name.
    pub(crate) name: Box<str>,
    /// The field's value.
    pub(crate) header: HeaderValue,
}

impl Policy {
    /// `name` is one of the estate's, which need no escape (RFC 9651 §3.3.3).
    pub(crate) fn new(name: &str, rate: Rate) -> Self {
        let window = respond::seconds(std::time::Duration::from_millis(rate.per_ms));
        let text = format!("\"{name}\";q={};w={window}", rate.count);
        Self {
            rate,
            name: name.into(),
            header: HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("")),
        }
    }
}

/// What is counted by.
#[derive(Clone, Debug)]
pub(crate) enum By {
    /// The client's address.
    Address,
    /// The API key.
    Key,
    /// Whoever is signed in.
    User,
    /// All together.
    Route,
    /// A key of the estate's.
    Named(Arc<Key>),
}

/// A key of the estate's.
#[derive(Debug)]
pub(crate) struct Key {
    /// As the estate has it.
    pub(crate) of: LimitKey,
    from: Box<[Source]>,
}

#[derive(Debug)]
enum Source {
    Header(HeaderName),
    Cookie(String),
    Query(String),
    Principal,
    Address,
}

/// A request that has none of a key that it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unkeyed;

/// What of a client's making was found.
enum Chosen<'v> {
    One(&'v [u8]),
    /// Several, or one that is too long.
    Unclear,
}

/// Limits of each route, in order. `number` gives routes and budgets numbers of this process.
pub(crate) fn compile(estate: &Estate, number: impl Fn(&str, &str) -> u64) -> Vec<Limits> {
    let keys: BTreeMap<&str, Arc<Key>> = estate
        .limit_keys
        .values()
        .map(|key| (key.name.as_str(), Arc::new(Key::new(key))))
        .collect();
    let one = |route: &Route| Limits {
        rates: rates(route, &keys, &number),
        at_once: route
            .concurrent
            .iter()
            .filter_map(|one| {
                let by = By::new(&one.per, &keys)?;
                Some(Numbered { max: one.max, by })
            })
            .collect(),
    };
    estate.routes.iter().map(one).collect()
}

fn rates(
    route: &Route,
    keys: &BTreeMap<&str, Arc<Key>>,
    number: &impl Fn(&str, &str) -> u64,
) -> Box<[Rated]> {
    let mut rates: Vec<Rated> = Vec::with_capacity(route.rates.len());
    for rate in &route.rates {
        let Some(by) = By::new(&rate.per, keys) else {
            continue;
        };
        let (kind, of) = match &rate.shared {
            Some(name) => ("limit", name.as_str()),
            None => ("route", route.name.as_str()),
        };
        let name = rate.shared.as_deref().unwrap_or(rate.per.as_str());
        // A client tells policies apart by their names.
        let same = rates.iter().filter(|known| {
            let known = known.policy.name.strip_prefix(name);
            known.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        let name = match same.count() {
            0 => name.to_owned(),
            more => format!("{name}-{}", more.saturating_add(1)),
        };
        let identity = [
            kind,
            of,
            rate.per.as_str(),
            &rate.rate.count.to_string(),
            &rate.rate.per_ms.to_string(),
        ];
        rates.push(Rated {
            policy: Policy::new(&name, rate.rate),
            by,
            number: number(kind, of),
            identity: identity.join("\0").into_bytes(),
            budget: rate.shared.as_deref().map(Box::from),
        });
    }
    rates.into_boxed_slice()
}

impl By {
    fn new(per: &Per, keys: &BTreeMap<&str, Arc<Key>>) -> Option<Self> {
        Some(match per {
            Per::Address => Self::Address,
            Per::Key => Self::Key,
            Per::User => Self::User,
            Per::Route => Self::Route,
            Per::Named(name) => Self::Named(Arc::clone(keys.get(name.as_str())?)),
        })
    }

    /// What is counted; nothing when the request has none of it.
    pub(crate) fn what(&self, flow: &Flow<'_>, number: u64) -> Result<Option<What>, Unkeyed> {
        let caller = flow.caller.as_ref();
        Ok(match self {
            Self::Address => Some(What::RouteAddress(number, Client::of(flow.client))),
            Self::Route => Some(What::Route(number)),
            Self::Key => {
                let key = caller.and_then(Caller::key);
                key.map(|key| What::RouteKey(number, key))
            }
            Self::User => caller.map(|caller| What::RouteUser(number, caller.user())),
            Self::Named(key) => {
                let value = key.value(flow)?;
                value.map(|value| What::RouteNamed(number, value))
            }
        })
    }
}

impl Key {
    fn new(key: &LimitKey) -> Self {
        let source = |source: &KeySource| {
            Some(match source {
                KeySource::Header(name) => Source::Header(name.parse().ok()?),
                KeySource::Cookie(name) => Source::Cookie(name.clone()),
                KeySource::Query(name) => Source::Query(name.clone()),
                KeySource::Principal => Source::Principal,
                KeySource::Address => Source::Address,
            })
        };
        Self {
            of: key.clone(),
            from: key.from.iter().filter_map(source).collect(),
        }
    }

    /// The source that is there first.
    pub(crate) fn found(&self, flow: &Flow<'_>) -> Option<&KeySource> {
        let mut sources = self.of.from.iter().zip(&self.from);
        let found = sources.find(|(_, source)| source.value(flow).is_some());
        found.map(|(source, _)| source)
    }

    /// The value of the first source that is there.
    fn value(&self, flow: &Flow<'_>) -> Result<Option<Value>, Unkeyed> {
        if let Some(value) = self.from.iter().find_map(|source| source.value(flow)) {
            return Ok(Some(value));
        }
        match self.of.missing {
            MissingKey::Skip => Ok(None),
            MissingKey::Refuse => Err(Unkeyed),
            MissingKey::Address => Ok(Source::Address.value(flow)),
        }
    }
}

impl Source {
    fn value(&self, flow: &Flow<'_>) -> Option<Value> {
        let decoded;
        let chosen = match self {
            // SECURITY: what the gateway knows and what a client says are never the same count.
            Self::Principal => {
                let caller = flow.caller.as_ref()?;
                return Some(digest(b"principal", caller.id().as_bytes()));
            }
            Self::Address => {
                let client = Client::of(flow.client).0.to_string();
                return Some(digest(b"address", client.as_bytes()));
            }
            Self::Header(name) => {
                let mut values = flow.head.headers.get_all(name).iter();
                let first = values.next()?;
                match values.next() {
                    Some(_) => Chosen::Unclear,
                    None => Chosen::One(first.as_bytes()),
                }
            }
            Self::Cookie(name) => match cookies::one(&flow.head.headers, name) {
                Ok(value) => Chosen::One(value?.as_bytes()),
                Err(()) => Chosen::Unclear,
            },
            Self::Query(name) => match parameter(flow.head.uri.query()?, name.as_bytes()) {
                Ok(value) => {
                    decoded = value?;
                    Chosen::One(&decoded)
                }
                Err(()) => Chosen::Unclear,
            },
        };
        // SECURITY: what is too long, or said twice so that a service might read another, counts
        // together with everything that is. Else each would be a count of its own.
        match chosen {
            Chosen::One([]) => None,
            Chosen::One(value) if value.len() <= VALUE_BYTES_MAX => Some(digest(b"chosen", value)),
            Chosen::One(_) | Chosen::Unclear => Some(digest(b"unclear", b"")),
        }
    }
}

fn digest(kind: &[u8], value: &[u8]) -> Value {
    let mut digest = Context::new(&SHA256);
    digest.update(kind);
    digest.update(b"\0");
    digest.update(value);
    half(digest)
}

/// A parameter of a query that may stand once, decoded as forms are; `Err` when it stands twice or
/// is too long to be looked at.
fn parameter(query: &str, name: &[u8]) -> Result<Option<Vec<u8>>, ()> {
    let decode = |text: &[u8]| -> Vec<u8> {
        let spaced: Vec<u8> = text
            .iter()
            .map(|byte| if *byte == b'+' { b' ' } else { *byte })
            .collect();
        percent_decode(&spaced).collect()
    };
    let mut found = None;
    for pair in query.as_bytes().split(|byte| *byte == b'&') {
        let at = pair.iter().position(|byte| *byte == b'=');
        let (key, value) = pair.split_at(at.unwrap_or(pair.len()));
        // Each byte of the name is written in three at most.
        if key.len() > name.len().saturating_mul(3) || decode(key) != name {
            continue;
        }
        let value = value.strip_prefix(b"=").unwrap_or(value);
        if value.len() > 3 * VALUE_BYTES_MAX || found.replace(decode(value)).is_some() {
            return Err(());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
