//! The one table of the estate's fields: name, kind, default and one sentence each. Parsing,
//! defaults, the JSON Schema and the reference page all read it, so they cannot disagree.

mod acme;
mod gateway;
mod inventory;
mod limits;
mod people;
mod principals;
mod route;
mod upstream;
mod waf;

pub(crate) use acme::RENEW;
pub(crate) use gateway::ROUTE_LIMITS;
pub(crate) use limits::SHARED;
pub(crate) use principals::{CLIENT_CERTIFICATES, ISSUER_ROLES};
pub(crate) use route::{CORS, MODE};
pub(crate) use upstream::{
    BALANCE, BREAKER, CAPACITY, HEALTH, OUTLIERS, RESOLVE, RETRIES, TIMEOUTS,
};
pub(crate) use waf::{EXCLUSION, ROUTE_WAF, WAF};

use crate::kind::Kind;

/// What stands where nothing is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Default {
    /// Nothing: the key must be written.
    Required,
    /// Nothing: the key may be left out.
    Absent,
    /// This text.
    Text(&'static str),
    /// This truth value.
    Bool(bool),
    /// This number.
    Count(i64),
    /// This list of texts.
    List(&'static [&'static str]),
    /// Something made from other fields, described for people.
    Derived(&'static str),
}

/// One key of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: Default,
    pub(crate) doc: &'static str,
}

/// A table of the file, or of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    /// What its doc in the reference says first.
    pub(crate) doc: &'static str,
    pub(crate) fields: &'static [Field],
}

impl Table {
    pub(crate) fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}

const fn field(key: &'static str, kind: Kind, default: Default, doc: &'static str) -> Field {
    Field {
        key,
        kind,
        default,
        doc,
    }
}

/// A field whose value is a table of its own, always optional as a whole.
const fn table(key: &'static str, of: &'static Table) -> Field {
    field(key, Kind::Table(of), Default::Absent, of.doc)
}

/// A field that is a list of tables: `[[route]]`.
const fn tables(key: &'static str, of: &'static Table, max: usize) -> Field {
    field(key, Kind::Tables { of, max }, Default::Absent, of.doc)
}

/// LIMIT: routes of one estate.
pub(crate) const ROUTES_MAX: usize = 10_000;
/// LIMIT: entries of every other list of tables.
const ENTRIES_MAX: usize = 10_000;

/// The whole file.
pub(crate) static ROOT: Table = Table {
    doc: "The estate file, `rampart.toml`.",
    fields: &[
        field(
            "estate",
            Kind::Table(&people::ESTATE),
            Default::Required,
            people::ESTATE.doc,
        ),
        table("listen", &gateway::LISTEN),
        table("console", &gateway::CONSOLE),
        table("gateway", &gateway::GATEWAY),
        table("identity", &people::IDENTITY),
        table("trail", &people::TRAIL),
        table("limits", &gateway::LIMITS),
        table("waf", &WAF),
        tables("limit_key", &limits::LIMIT_KEY, 64),
        tables("limit", &limits::LIMIT, 1000),
        tables("certificate", &gateway::CERTIFICATE, 1000),
        table("acme", &acme::ACME),
        tables("zone", &inventory::ZONE, ENTRIES_MAX),
        tables("host", &inventory::HOST, ENTRIES_MAX),
        tables("service", &inventory::SERVICE, ENTRIES_MAX),
        tables("store", &inventory::STORE, ENTRIES_MAX),
        tables("role", &people::ROLE, ENTRIES_MAX),
        tables("group", &people::GROUP, ENTRIES_MAX),
        tables("client", &people::CLIENT, ENTRIES_MAX),
        tables("issuer", &principals::ISSUER, 64),
        tables("route", &route::ROUTE, ROUTES_MAX),
    ],
};
