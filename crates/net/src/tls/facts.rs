//! What a certificate says of itself, and what clients will find wrong with it.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use model::Timestamp;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::Certificate;
use super::certificate::chain;
use crate::Error;

/// A certificate given by hand ends soon when so much is left, or a third of its life if that is
/// less: somebody must still fetch a new one.
const SOON: Duration = Duration::from_hours(14 * 24);

/// What the leaf says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Names and addresses it is for, lower case.
    pub names: Vec<String>,
    /// Who signed it.
    pub issuer: String,
    /// When it begins.
    pub not_before: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// It is for other names.
    NotCovered(Vec<String>),
    /// It has ended.
    Ended(Timestamp),
    /// It has not begun.
    NotYet(Timestamp),
    /// It ends soon.
    EndsSoon(Timestamp),
    /// Its chain is not in the order in which each is signed by the next (RFC 8446 §4.4.2).
    OutOfOrder,
    /// Who signed it is missing.
    Incomplete(String),
}

impl Flaw {
    /// Whether clients cannot use the certificate at all.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::NotCovered(_) | Self::Ended(_))
    }

    /// Its name among findings.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotCovered(_) => "certificate.other_names",
            Self::Ended(_) => "certificate.ended",
            Self::NotYet(_) => "certificate.not_yet",
            Self::EndsSoon(_) => "certificate.ends_soon",
            Self::OutOfOrder => "certificate.out_of_order",
            Self::Incomplete(_) => "certificate.incomplete",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCovered(hosts) => {
                write!(f, "is not for `{}`", hosts.join("`, `"))
            }
            Self::Ended(at) => write!(f, "ended on {at}"),
            Self::NotYet(at) => write!(f, "is not valid before {at}"),
            Self::EndsSoon(at) => write!(f, "ends on {at}"),
            Self::OutOfOrder => {
                f.write_str("has a chain in the wrong order: leaf first, then who signed it")
            }
            Self::Incomplete(issuer) => {
                write!(f, "has no chain: the certificate of `{issuer}` is missing")
            }
        }
    }
}

impl Certificate {
    /// What the leaf says.
    ///
    /// # Errors
    /// [`Error::Pem`] when it cannot be read.
    pub fn facts(&self) -> Result<Facts, Error> {
        let chain = chain(&self.chain)?;
        let leaf = chain.first().ok_or_else(|| unreadable("it is empty"))?;
        let (_, leaf) = parse(leaf)?;
        Ok(facts(&leaf))
    }

    /// The names the leaf is for.
    pub(super) fn names(&self) -> Result<Vec<String>, Error> {
        self.facts().map(|facts| facts.names)
    }

    /// What is wrong with it at `now`; whether key and leaf fit was looked at before.
    ///
    /// # Errors
    /// [`Error::Pem`] when it cannot be read.
    pub fn flaws(&self, now: Timestamp) -> Result<Vec<Flaw>, Error> {
        let chain = chain(&self.chain)?;
        let chain: Vec<X509Certificate<'_>> = chain
            .iter()
            .map(|der| parse(der).map(|(_, certificate)| certificate))
            .collect::<Result<_, _>>()?;
        let leaf = chain.first().ok_or_else(|| unreadable("it is empty"))?;
        let facts = facts(leaf);
        let mut flaws = Vec::new();
        let covered = |host: &&String| !facts.names.iter().any(|name| covers(name, host));
        let others: Vec<String> = self.hosts.iter().filter(covered).cloned().collect();
        if !others.is_empty() {
            flaws.push(Flaw::NotCovered(others));
        }
        let life = facts.not_after.since(facts.not_before);
        if facts.not_after <= now {
            flaws.push(Flaw::Ended(facts.not_after));
        } else if facts.not_after.since(now) < SOON.min(life / 3) {
            flaws.push(Flaw::EndsSoon(facts.not_after));
        }
        if facts.not_before > now {
            flaws.push(Flaw::NotYet(facts.not_before));
        }
        let signed = |pair: &[X509Certificate<'_>]| match pair {
            [one, next] => one.issuer() == next.subject(),
            _ => true,
        };
        if !chain.windows(2).all(signed) {
            flaws.push(Flaw::OutOfOrder);
        } else if chain.len() == 1 && leaf.issuer() != leaf.subject() {
            flaws.push(Flaw::Incomplete(facts.issuer));
        }
        Ok(flaws)
    }
}

/// Whether a certificate for `name` is one for `host`, both lower case; a `*` stands for one label
/// (RFC 9525 §6.3).
pub(super) fn covers(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        _ if name == host => true,
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
        None => false,
    }
}

fn parse<'a>(der: &'a [u8]) -> Result<(&'a [u8], X509Certificate<'a>), Error> {
    X509Certificate::from_der(der).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(why: &str) -> Error {
    Error::Pem {
        what: "the certificate".to_owned(),
        why: why.to_owned(),
    }
}

fn facts(leaf: &X509Certificate<'_>) -> Facts {
    let at = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000));
    let names = leaf.subject_alternative_name().ok().flatten();
    let names = names.map_or_else(Vec::new, |names| {
        let names = names.value.general_names.iter();
        names.filter_map(name).collect()
    });
    let validity = leaf.validity();
    let issuer = leaf.issuer();
    let common = issuer.iter_common_name().next();
    let organisation = issuer.iter_organization().next();
    let texts: Vec<&str> = [organisation, common]
        .into_iter()
        .flatten()
        .filter_map(|part| part.as_str().ok())
        .collect();
    Facts {
        names,
        // What a stranger wrote into a certificate is shown to people, without control characters.
        issuer: texts.join(", ").replace(char::is_control, " "),
        not_before: at(validity.not_before.timestamp()),
        not_after: at(validity.not_after.timestamp()),
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => {
            let address = match <[u8; 4]>::try_from(*bytes) {
                Ok(four) => IpAddr::from(four),
                Err(_) => IpAddr::from(<[u8; 16]>::try_from(*bytes).ok()?),
            };
            Some(address.to_string())
        }
        _ => None,
    }
}
