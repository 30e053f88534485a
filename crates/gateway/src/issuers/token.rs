//! A token of another issuer (RFC 8725, RFC 9068): read, judged by what the estate says of its
//! issuer, and only then believed. What the token says of its own verification decides nothing.

use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use estate::SignatureAlgorithm;
use http::StatusCode;
use model::{Principal, PrincipalKind, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Issuer;
use super::jwks::{KID_BYTES_MAX, KeySet};
use crate::caller::Guest;
use crate::refused::Refused;
use crate::token::{Bound, bound};

/// LIMIT: bytes of a token that is looked at.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// LIMIT: bytes of a subject.
const SUBJECT_BYTES_MAX: usize = 256;
/// LIMIT: values of an audience or of the claim that gives roles.
const VALUES_MAX: usize = 1000;
/// LIMIT: characters of a name or an address of mail.
const TEXT_CHARS_MAX: usize = 200;

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is no JWT.
    Form,
    /// Its head holds what nobody here follows: `jku`, `jwk`, `x5u`, `x5c`, `crit`, `zip`, `b64`.
    Head,
    /// Its type is not one the issuer's tokens may have.
    Type,
    /// It is signed in a way the issuer may not use.
    Algorithm,
    /// There are no keys of the issuer, or they are too old.
    NoKeys,
    /// It names no key, or one the issuer does not have.
    Key,
    /// Its signature is wrong.
    Signature,
    /// It is from somebody else.
    Issuer,
    /// It is for somebody else.
    Audience,
    /// It has ended.
    Ended,
    /// It does not hold yet, or was made in the future.
    Early,
    /// It does not say who it is.
    Subject,
    /// It is bound to something that cannot be checked here.
    Bound,
}

impl Why {
    /// What a refused client is told.
    pub(crate) fn refused(self) -> Refused {
        let (code, text) = match self {
            Self::Form => ("authenticate.token", "the access token cannot be read"),
            Self::Head => (
                "authenticate.token_head",
                "the access token's head holds what is not followed here",
            ),
            Self::Type => (
                "authenticate.token_type",
                "the access token's `typ` is not one that its issuer's tokens may have",
            ),
            Self::Algorithm => (
                "authenticate.token_algorithm",
                "the access token is not signed the way its issuer's tokens are",
            ),
            Self::NoKeys => {
                return Refused::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "authenticate.issuer_unavailable",
                    "the keys of the access token's issuer are not known",
                );
            }
            Self::Key => (
                "authenticate.token_key",
                "the access token names no key of its issuer",
            ),
            Self::Signature => (
                "authenticate.token_signature",
                "the access token's signature is wrong",
            ),
            Self::Issuer => (
                "authenticate.token_issuer",
                "the access token's issuer is another",
            ),
            Self::Audience => (
                "authenticate.token_audience",
                "the access token is for somebody else",
            ),
            Self::Ended => ("authenticate.token_ended", "the access token has ended"),
            Self::Early => (
                "authenticate.token_early",
                "the access token does not hold yet",
            ),
            Self::Subject => (
                "authenticate.token_subject",
                "the access token does not say who it is",
            ),
            Self::Bound => (
                "authenticate.token_bound",
                "the access token is bound to something that cannot be checked",
            ),
        };
        Refused::new(StatusCode::UNAUTHORIZED, code, text)
    }
}

/// A token in its parts, none of which is believed yet.
#[derive(Debug)]
pub(crate) struct Unproven<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    head: Head,
    claims: Claims,
}

/// What a verified token says.
#[derive(Debug)]
pub(crate) struct Token {
    /// Who it is.
    pub(crate) guest: Arc<Guest>,
    /// The certificate it must come with.
    pub(crate) bound: Bound,
    /// By whose word, and by which of their keys as these were then; nothing when it is only
    /// supposed.
    pub(super) proven: Option<(Arc<Issuer>, Arc<KeySet>, String)>,
    not_before: Timestamp,
    ends_at: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: OneOrMore,
    exp: Seconds,
    nbf: Option<Seconds>,
    iat: Option<Seconds>,
    cnf: Option<Value>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// A `NumericDate` (RFC 7519 §2), which may have a fraction.
#[derive(Debug, Deserialize)]
struct Seconds(serde_json::Number);

impl Seconds {
    fn at(&self) -> Option<Timestamp> {
        // LIMIT: a time that fits a calendar; others are nonsense.
        const MAX: i64 = 253_402_300_799;
        let seconds = self.0.as_i64().or_else(|| {
            let fraction = self.0.as_f64()?.trunc();
            format!("{fraction:.0}").parse().ok()
        })?;
        let fits = (0..=MAX).contains(&seconds);
        fits.then(|| Timestamp::from_millis(seconds.saturating_mul(1000)))
    }
}

impl<'a> Unproven<'a> {
    /// Takes a token apart.
    pub(crate) fn read(text: &'a str) -> Result<Self, Why> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Why::Form);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Why::Form)?;
        let (head, payload) = signed.split_once('.').ok_or(Why::Form)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Why::Form);
        Ok(Self {
            signed,
            signature: decode(signature)?,
            head: serde_json::from_slice(&decode(head)?).map_err(|_| Why::Form)?,
            claims: serde_json::from_slice(&decode(payload)?).map_err(|_| Why::Form)?,
        })
    }

    /// Who it says it is from.
    pub(crate) fn issuer(&self) -> &str {
        &self.claims.iss
    }

    /// The key it names.
    pub(crate) fn key(&self) -> Option<&str> {
        self.head.kid.as_deref()
    }

    /// Everything about it, when `keys` prove it and it is what `issuer`'s tokens must be.
    pub(crate) fn verify(
        &self,
        issuer: &estate::Issuer,
        keys: Option<&KeySet>,
        now: Timestamp,
    ) -> Result<Token, Why> {
        let algorithm = self.check_head(issuer)?;
        let keys = keys.ok_or(Why::NoKeys)?;
        let id = self.key().ok_or(Why::Key)?;
        let key = keys.find(id, algorithm).ok_or(Why::Key)?;
        if !key.verifies(algorithm, self.signed.as_bytes(), &self.signature) {
            return Err(Why::Signature);
        }
        self.suppose(issuer, now)
    }

    /// What it would say if its signature were right: for explaining, never for deciding.
    pub(crate) fn suppose(&self, issuer: &estate::Issuer, now: Timestamp) -> Result<Token, Why> {
        self.check_head(issuer)?;
        let claims = &self.claims;
        if claims.iss != issuer.url {
            return Err(Why::Issuer);
        }
        let ours = |audience: &String| issuer.audience.contains(audience);
        let is_ours = match &claims.aud {
            OneOrMore::One(audience) => ours(audience),
            OneOrMore::More(all) => all.len() <= VALUES_MAX && all.iter().any(ours),
        };
        if !is_ours {
            return Err(Why::Audience);
        }
        let skew = issuer.clock_skew;
        let ends_at = claims.exp.at().ok_or(Why::Form)?.after(skew);
        let begins = |at: &Option<Seconds>| match at {
            None => Ok(Timestamp::from_millis(0)),
            Some(at) => at.at().map(|at| at.before(skew)).ok_or(Why::Form),
        };
        let not_before = begins(&claims.nbf)?.max(begins(&claims.iat)?);
        let token = Token {
            guest: Arc::new(guest(issuer, claims)?),
            bound: bound(claims.cnf.as_ref()).ok_or(Why::Bound)?,
            proven: None,
            not_before,
            ends_at,
        };
        token.holds(now).map(|()| token)
    }

    fn check_head(&self, issuer: &estate::Issuer) -> Result<SignatureAlgorithm, Why> {
        // SECURITY: keys come from the estate's address alone (RFC 8725 §3.10), and what is
        // critical must be understood (RFC 7515 §4.1.11).
        const FOLLOWED_BY_NOBODY: [&str; 7] = ["jku", "jwk", "x5u", "x5c", "crit", "zip", "b64"];
        let head = &self.head;
        if FOLLOWED_BY_NOBODY
            .iter()
            .any(|name| head.more.contains_key(*name))
        {
            return Err(Why::Head);
        }
        if head.kid.as_ref().is_some_and(|id| id.len() > KID_BYTES_MAX) {
            return Err(Why::Key);
        }
        // A token without a type is one of the usual type (RFC 7519 §5.1).
        let kind = head.typ.as_deref().unwrap_or("jwt").to_ascii_lowercase();
        let kind = kind.strip_prefix("application/").unwrap_or(&kind);
        if !issuer.types.iter().any(|one| one == kind) {
            return Err(Why::Type);
        }
        let named = |one: &&SignatureAlgorithm| super::name(**one) == head.alg;
        let algorithm = issuer.algorithms.iter().find(named);
        algorithm.copied().ok_or(Why::Algorithm)
    }
}

impl Token {
    /// Whether it holds now; clocks that differ are thought of already.
    pub(crate) fn holds(&self, now: Timestamp) -> Result<(), Why> {
        if now < self.not_before {
            return Err(Why::Early);
        }
        (now < self.ends_at).then_some(()).ok_or(Why::Ended)
    }
}

/// Who a token is about, with the roles that the estate's map gives.
fn guest(issuer: &estate::Issuer, claims: &Claims) -> Result<Guest, Why> {
    let subject = claims.more.get(&issuer.subject).and_then(Value::as_str);
    let subject = subject
        .filter(|text| {
            !text.is_empty()
                && text.len() <= SUBJECT_BYTES_MAX
                && !text.chars().any(char::is_control)
        })
        .ok_or(Why::Subject)?;
    let text = |claim: &str| {
        let text = claims.more.get(claim)?.as_str()?;
        let shown = !text.is_empty()
            && text.chars().count() <= TEXT_CHARS_MAX
            && !text.chars().any(char::is_control);
        shown.then(|| text.to_owned())
    };
    let name = text("name")
        .or_else(|| text("preferred_username"))
        .unwrap_or_else(|| subject.to_owned());
    let email =
        text("email").filter(|_| claims.more.get("email_verified") == Some(&Value::Bool(true)));
    // INVARIANT: a name of the estate holds no `|`, so that no two issuers' subjects are one, and
    // none of them is a person's id.
    let id = format!("{}|{subject}", issuer.name);
    let number = digest::digest(&digest::SHA256, id.as_bytes());
    let mut short = [0; 16];
    short.copy_from_slice(number.as_ref().get(..16).ok_or(Why::Subject)?);
    Ok(Guest {
        principal: Principal::new(PrincipalKind::Foreign, id, name),
        email,
        roles: roles(issuer, &claims.more),
        number: short,
        issuer: Some((issuer.url.clone(), subject.to_owned())),
    })
}

fn roles(issuer: &estate::Issuer, claims: &Map<String, Value>) -> Vec<String> {
    let claimed = claim(claims, &issuer.roles_claim);
    let texts: Vec<&str> = match claimed {
        // Scopes stand in one text (RFC 6749 §3.3).
        Some(Value::String(text)) if matches!(issuer.roles_claim.as_str(), "scope" | "scp") => {
            text.split(' ').take(VALUES_MAX).collect()
        }
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(all)) => all
            .iter()
            .take(VALUES_MAX)
            .filter_map(Value::as_str)
            .collect(),
        _ => Vec::new(),
    };
    let mut roles: Vec<String> = texts
        .into_iter()
        .filter_map(|text| issuer.roles_map.get(text).cloned())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// A claim by its name, or else by its way through others: `realm_access.roles`.
fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(whole) = claims.get(name) {
        return Some(whole);
    }
    let mut steps = name.split('.');
    let first = claims.get(steps.next()?)?;
    steps.try_fold(first, |at, step| at.as_object()?.get(step))
}

#[cfg(test)]
pub(in crate::issuers) mod tests;
