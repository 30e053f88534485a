//! Who it is: an API key or an access token in `Authorization`, a session's cookie, or the
//! connection's certificate becomes one caller. What was shown is taken off, so that no service
//! ever sees it.
//!
//! What the request itself shows says who it is; a certificate says so only where it shows nothing
//! else. Rights are never added up, and the stronger of two is never taken for being stronger.

use std::sync::Arc;

use aws_lc_rs::digest;
use estate::Auth;
use http::{HeaderValue, StatusCode, header};
use model::SessionId;
use model::snapshot::Digest;

use crate::caller::{Caller, Proof, Who};
use crate::clients::Whose;
use crate::cookies;
use crate::flow::Flow;
use crate::issuers::{self, Issuer, Unproven, Why};
use crate::refused::Refused;
use crate::state::{Chosen, looks_at_credentials};
use crate::steps::certificate;
use crate::token::{Bound, Token};

/// What API keys begin with.
const KEY_PREFIX: &str = "rk_";
/// The header some programs show a key in.
const KEY_HEADER: header::HeaderName = header::HeaderName::from_static("x-api-key");

/// Finds out who it is, as the route asks.
pub(crate) fn check(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    let mode = chosen.route.modes.authenticate;
    let known = if looks_at_credentials(chosen.route.auth) {
        judge(flow, &chosen)
    } else {
        Ok(None)
    };
    strip(flow, chosen.route.auth);
    match known {
        Ok(Some(caller)) => {
            if !flow.again
                && let Proof::Session(session) = &caller.proof
            {
                flow.shared.directory.used(session, flow.time);
            }
            flow.caller = Some(caller);
            Ok(())
        }
        Ok(None) if chosen.route.auth == Auth::Required => {
            let refused = match certificate::shown(flow) {
                None => unknown("authenticate.missing", "nobody is signed in"),
                Some(_) => no_clients(),
            };
            flow.enforce(mode, refused)
        }
        Ok(None) => Ok(()),
        Err(refused) => flow.enforce(mode, refused),
    }
}

/// Whether who asked is still who they were: what the request showed is gone by now, and is known
/// by its digest; what its connection showed is still there.
pub(crate) fn again(flow: &mut Flow<'_>, before: Option<&Caller>) -> Result<(), Refused> {
    let Some(chosen) = flow.chosen() else {
        return Ok(());
    };
    let mode = chosen.route.modes.authenticate;
    if !looks_at_credentials(chosen.route.auth) {
        return Ok(());
    }
    let known = match before.map(|caller| (&caller.proof, caller.digest)) {
        None if chosen.route.auth == Auth::Required => {
            Err(unknown("authenticate.missing", "nobody is signed in"))
        }
        None | Some((Proof::Supposed, _)) => Ok(None),
        Some((Proof::Session(_), digest)) => session(flow, digest).map(Some),
        Some((Proof::Key(_), digest)) => key(flow, digest).map(Some),
        Some((Proof::Token(held), digest)) => {
            token_holds(flow, &chosen, Arc::clone(held), digest).map(Some)
        }
        Some((Proof::Foreign(held), digest)) => {
            foreign_holds(flow, Arc::clone(held), digest).map(Some)
        }
        // Whose it is may have changed with the estate.
        Some((Proof::Certificate(_), _)) => match of_certificate(flow) {
            Ok(None) => Err(no_clients()),
            found => found,
        },
    };
    match known {
        Ok(caller) => {
            flow.caller = caller;
            Ok(())
        }
        Err(refused) => flow.enforce(mode, refused),
    }
}

/// Who it is; nobody when nothing was shown. A wrong credential is refused even where none is
/// needed: whoever sends it believes to be somebody.
fn judge(flow: &Flow<'_>, chosen: &Chosen<'_>) -> Result<Option<Caller>, Refused> {
    let ambiguous = |_| {
        Refused::new(
            StatusCode::BAD_REQUEST,
            "authenticate.ambiguous",
            "more than one credential of a kind",
        )
    };
    let authorization = flow.single(&header::AUTHORIZATION).map_err(ambiguous)?;
    if let Some(text) = authorization.and_then(bearer) {
        return match text.strip_prefix(KEY_PREFIX) {
            Some(_) => key(flow, sha256(text)),
            None => token(flow, chosen, text),
        }
        .map(Some);
    }
    let shown = flow.single(&KEY_HEADER).map_err(ambiguous)?;
    let shown = shown.and_then(|value| value.to_str().ok());
    if let Some(text) = shown.filter(|text| text.starts_with(KEY_PREFIX)) {
        return key(flow, sha256(text)).map(Some);
    }
    let cookie = cookies::session(&flow.head.headers).map_err(ambiguous)?;
    // SECURITY: a cookie on a clear connection was seen by everyone on the way.
    match cookie.filter(|_| flow.secure) {
        Some(cookie) => session(flow, sha256(cookie)).map(Some),
        None => of_certificate(flow),
    }
}

/// The client whose certificate the connection showed; nobody when it is no client's.
fn of_certificate(flow: &Flow<'_>) -> Result<Option<Caller>, Refused> {
    let Some(shown) = certificate::shown(flow) else {
        return Ok(None);
    };
    match flow.state.clients.whose(shown) {
        Whose::Nobody => Ok(None),
        Whose::Several => Err(unknown(
            "authenticate.certificate_ambiguous",
            "the client certificate is that of more than one client",
        )),
        Whose::Of(guest) => Ok(Some(Caller {
            who: Who::Guest(guest),
            proof: Proof::Certificate(shown.thumbprint),
            digest: shown.thumbprint,
        })),
    }
}

/// The issuer of an access token that names a key which is not known yet; rare, and worth a moment.
pub(crate) fn unknown_key(flow: &Flow<'_>) -> Option<Arc<Issuer>> {
    let issuers = &flow.state.issuers;
    if issuers.is_empty() || !looks_at_credentials(flow.chosen()?.route.auth) {
        return None;
    }
    let text = bearer(flow.head.headers.get(header::AUTHORIZATION)?)?;
    if text.starts_with(KEY_PREFIX) {
        return None;
    }
    let unproven = Unproven::read(text).ok()?;
    let issuer = issuers.of(unproven.issuer())?;
    let known = issuer
        .keys(flow.started)
        .is_some_and(|keys| unproven.key().is_none_or(|key| keys.knows(key)));
    (!known).then(|| Arc::clone(issuer))
}

/// The credential of `Authorization: Bearer …` (RFC 6750 §2.1); other schemes are the service's.
pub(crate) fn bearer(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?;
    let (scheme, rest) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
}

fn session(flow: &Flow<'_>, digest: Digest) -> Result<Caller, Refused> {
    let idle = flow.state.estate().identity.session_idle;
    let host = flow.host.name();
    flow.shared
        .directory
        .session(&digest, host, flow.time, idle)
        .map(|(session, person)| Caller {
            who: Who::Person(person),
            proof: Proof::Session(session),
            digest,
        })
        .ok_or_else(|| unknown("authenticate.session_ended", "the session has ended"))
}

/// The live session whose cookie the request shows, whatever else it shows.
pub(crate) fn own_session(flow: &Flow<'_>) -> Option<SessionId> {
    let cookie = cookies::session(&flow.head.headers).ok()??;
    match session(flow, sha256(cookie)).ok()?.proof {
        Proof::Session(session) => Some(session.grant.id),
        _ => None,
    }
}

fn key(flow: &Flow<'_>, digest: Digest) -> Result<Caller, Refused> {
    let (key, person) = flow
        .shared
        .directory
        .key(&digest, flow.time)
        .ok_or_else(|| unknown("authenticate.key_unknown", "the API key is not valid"))?;
    let networks = &key.grant.networks;
    if !networks.is_empty() && !networks.iter().any(|n| n.contains(flow.client)) {
        let text = "the API key may not be used from this address";
        return Err(unknown("authenticate.key_network", text));
    }
    Ok(Caller {
        who: Who::Person(person),
        proof: Proof::Key(key),
        digest,
    })
}

fn token(flow: &Flow<'_>, chosen: &Chosen<'_>, text: &str) -> Result<Caller, Refused> {
    let digest = sha256(text);
    if !flow.state.issuers.is_empty()
        && let Some(found) = foreign(flow, text, digest)
    {
        return found;
    }
    let (keys, _) = flow.shared.directory.token_keys();
    let token = flow.shared.tokens.verify(text, digest, &keys);
    token_holds(flow, chosen, token.ok_or_else(wrong_token)?, digest)
}

fn wrong_token() -> Refused {
    unknown("authenticate.token", "the access token is not valid here")
}

/// Whether a token whose signature is right holds here and now.
fn token_holds(
    flow: &Flow<'_>,
    chosen: &Chosen<'_>,
    token: Arc<Token>,
    digest: Digest,
) -> Result<Caller, Refused> {
    let directory = &flow.shared.directory;
    let (_, issuer) = directory.token_keys();
    let audience = flow.state.estate().services.get(&chosen.route.to);
    let audience = audience
        .map(|service| service.audience.as_str())
        .ok_or_else(wrong_token)?;
    if !token.holds(flow.time, audience, &issuer) || directory.is_revoked(&token.jti) {
        return Err(wrong_token());
    }
    check_bound(flow, token.bound)?;
    let person = directory.person(token.person).ok_or_else(wrong_token)?;
    Ok(Caller {
        who: Who::Person(person),
        proof: Proof::Token(token),
        digest,
    })
}

/// Somebody whom another issuer knows; nothing when the token is of none of them.
fn foreign(flow: &Flow<'_>, text: &str, digest: Digest) -> Option<Result<Caller, Refused>> {
    let (issuers, now) = (&flow.state.issuers, (flow.time, flow.started));
    let verified = flow
        .shared
        .foreign_tokens
        .verify(issuers, (text, digest), now)?;
    let found = verified.map_err(Why::refused);
    Some(found.and_then(|token| guest(flow, token, digest)))
}

fn guest(flow: &Flow<'_>, token: Arc<issuers::Token>, digest: Digest) -> Result<Caller, Refused> {
    check_bound(flow, token.bound)?;
    Ok(Caller {
        who: Who::Guest(Arc::clone(&token.guest)),
        proof: Proof::Foreign(token),
        digest,
    })
}

/// Whether a token of another issuer, which was verified before, holds still: it does as long as
/// its issuer says the same in the estate, the key it was signed with is one of its issuer's, and
/// it has not ended.
fn foreign_holds(
    flow: &Flow<'_>,
    token: Arc<issuers::Token>,
    digest: Digest,
) -> Result<Caller, Refused> {
    let (issuers, now) = (&flow.state.issuers, (flow.time, flow.started));
    issuers.still_hold(&token, now).map_err(Why::refused)?;
    guest(flow, token, digest)
}

/// RFC 8705 §3: a token that is bound to a certificate counts only on a connection that showed it.
pub(crate) fn check_bound(flow: &Flow<'_>, bound: Bound) -> Result<(), Refused> {
    match (bound, certificate::shown(flow)) {
        (None, _) => Ok(()),
        (Some(bound), Some(shown)) if bound == shown.thumbprint => Ok(()),
        (Some(_), _) => Err(unknown(
            "authenticate.token_bound",
            "the access token is bound to a certificate that this connection did not show",
        )),
    }
}

/// Takes Rampart's credentials off the request. Where sign-in stays with the service, what is not
/// Rampart's stays.
fn strip(flow: &mut Flow<'_>, auth: Auth) {
    let headers = &mut flow.head.headers;
    cookies::strip(headers);
    let is_key = |value: &HeaderValue| value.as_bytes().starts_with(KEY_PREFIX.as_bytes());
    if headers.get_all(&KEY_HEADER).iter().any(is_key) {
        headers.remove(&KEY_HEADER);
    }
    let ours = |value: &HeaderValue| match bearer(value) {
        Some(text) => looks_at_credentials(auth) || text.starts_with(KEY_PREFIX),
        None => false,
    };
    if headers.get_all(header::AUTHORIZATION).iter().any(ours) {
        headers.remove(header::AUTHORIZATION);
    }
}

fn no_clients() -> Refused {
    unknown(
        "authenticate.certificate_unmapped",
        "the client certificate is valid, and no client's of this estate",
    )
}

fn unknown(code: &'static str, text: &'static str) -> Refused {
    Refused::new(StatusCode::UNAUTHORIZED, code, text)
}

/// What credentials are known by.
pub(crate) fn sha256(text: &str) -> Digest {
    let mut out = [0; 32];
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    out.copy_from_slice(digest.as_ref());
    out
}
