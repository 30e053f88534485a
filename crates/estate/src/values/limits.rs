//! Values of how often and how many at once.

use ::model::Rate;

use super::{Wrong, header, host, name, quoted};
use crate::limits::{KeySource, Per, RouteConcurrent, StoreAddress};
use crate::suggest;

/// LIMIT: requests at once under one entry of `concurrent`.
const CONCURRENT_MAX: u32 = 1_000_000;
/// LIMIT: numbered databases of one server; sixteen unless its owner raised it.
const DATABASES_MAX: u32 = 65_536;

/// One entry of a route's `limit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// A rate of its own.
    Own { rate: Rate, per: Per },
    /// The `[[limit]]` of this name.
    Shared(String),
}

/// `100/min per user`, or the name of a budget.
pub(crate) fn limit(text: &str) -> Result<Limit, Wrong> {
    let fail =
        |hint: String| Wrong::new(format!("{} is not a rate limit", quoted(text))).hint(hint);
    let Some((rate, per)) = text.split_once(" per ") else {
        if let Ok(name) = name(text) {
            return Ok(Limit::Shared(name));
        }
        let rate = match text.parse::<Rate>() {
            Ok(_) => text.trim(),
            Err(_) => "100/min",
        };
        return Err(fail(format!(
            "say for each what: `{rate} per address`; also `key`, `user`, `route` or a \
             `[[limit_key]]`"
        )));
    };
    let rate = rate
        .parse::<Rate>()
        .map_err(|error| fail(error.to_string()))?;
    let per = self::per(per).map_err(fail)?;
    Ok(Limit::Own { rate, per })
}

/// `1000/min per user`; `1000/min` counts everything together.
pub(crate) fn budget(text: &str) -> Result<(Rate, Per), Wrong> {
    if let Ok(rate) = text.parse::<Rate>() {
        return Ok((rate, Per::Route));
    }
    let fail = |hint: &str| {
        let wrong = Wrong::new(format!("{} is not the rate of a budget", quoted(text)));
        Err(wrong.hint(hint))
    };
    match limit(text) {
        Ok(Limit::Own {
            per: Per::Route, ..
        }) => fail("a budget is of several routes: the rate alone counts all of them together"),
        Ok(Limit::Own { rate, per }) => Ok((rate, per)),
        Ok(Limit::Shared(_)) => fail("a rate such as `1000/min` or `1000/min per user`"),
        Err(wrong) => Err(wrong),
    }
}

/// `20 per user`.
pub(crate) fn concurrent(text: &str) -> Result<RouteConcurrent, Wrong> {
    let fail =
        |hint: String| Wrong::new(format!("{} is not a number at once", quoted(text))).hint(hint);
    let usual = || fail(format!("from 1 to {CONCURRENT_MAX}, such as `20 per user`"));
    let (max, per) = text.split_once(" per ").ok_or_else(usual)?;
    let digits = max.trim().bytes().all(|byte| byte.is_ascii_digit());
    let max: u32 = max.trim().parse().map_err(|_| usual())?;
    if !digits || !(1..=CONCURRENT_MAX).contains(&max) {
        return Err(usual());
    }
    let per = self::per(per).map_err(fail)?;
    Ok(RouteConcurrent { max, per })
}

/// What stands after `per`; whether a named key exists is looked up later.
fn per(text: &str) -> Result<Per, String> {
    Ok(match text.trim() {
        "address" => Per::Address,
        "key" => Per::Key,
        "user" => Per::User,
        "route" => Per::Route,
        other => match name(other) {
            Ok(name) => Per::Named(name),
            Err(_) => {
                let near = suggest::nearest(other, Per::WORDS);
                return Err(near.map_or(
                    "counted per `address`, `key`, `user`, `route` or a `[[limit_key]]`".to_owned(),
                    |near| format!("did you mean `per {near}`?"),
                ));
            }
        },
    })
}

/// `header:x-tenant`, `cookie:tenant`, `query:tenant`, `principal`, `address`.
///
/// SECURITY: what says who sent a request is no free header: it is taken off, and what the gateway
/// knows instead has words of its own.
pub(crate) fn key_source(text: &str) -> Result<KeySource, Wrong> {
    const ADDRESSES: [&str; 5] = [
        "client-ip",
        "forwarded",
        "true-client-ip",
        "x-forwarded-for",
        "x-real-ip",
    ];
    let fail = || Wrong::new(format!("{} is nothing to count by", quoted(text)));
    match text {
        "principal" => return Ok(KeySource::Principal),
        "address" => return Ok(KeySource::Address),
        _ => {}
    }
    let (kind, of) = text.split_once(':').unwrap_or(("", ""));
    match (kind, header(of)) {
        ("header", Ok(of)) if ADDRESSES.contains(&of.as_str()) => {
            Err(fail().hint("write `address`: it believes `trusted_proxies`, and nobody else"))
        }
        ("header", Ok(of)) if of == "authorization" => {
            Err(fail().hint("write `principal`: whoever is signed in, whatever they show"))
        }
        ("header", Ok(of)) if of == "cookie" => {
            Err(fail().hint("name one cookie: `cookie:tenant`"))
        }
        ("header", Ok(of)) => Ok(KeySource::Header(of)),
        // A cookie's name is a token as well, but its case counts (RFC 6265 §4.1.1).
        ("cookie", Ok(_)) => Ok(KeySource::Cookie(of.to_owned())),
        ("query", _) if is_parameter(of) => Ok(KeySource::Query(of.to_owned())),
        _ => {
            let near = suggest::nearest(text, ["principal", "address"]);
            Err(fail().hint(
                near.map_or(
                    "`principal`, `address`, `header:x-tenant`, `cookie:tenant` or `query:tenant`"
                        .to_owned(),
                    |near| format!("did you mean `{near}`?"),
                ),
            ))
        }
    }
}

fn is_parameter(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"&=+%#;".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}

/// `redis://10.0.0.5:6379`, `rediss://limits.internal:6380/2`: host, port and the number of a
/// database, and no secret.
pub(crate) fn store_address(text: &str) -> Result<StoreAddress, Wrong> {
    let fail = |hint: &str| {
        Wrong::new(format!("{} is not a redis address", quoted(text))).hint(hint.to_owned())
    };
    let usual = "such as `redis://10.0.0.5:6379` or, over TLS, `rediss://limits.internal:6379/2`";
    let (scheme, rest) = text.split_once("://").ok_or_else(|| fail(usual))?;
    let tls = match scheme {
        "redis" => false,
        "rediss" => true,
        _ => return Err(fail(usual)),
    };
    if rest.contains('@') {
        let hint = "the estate holds no secret: write `user` and `password_file` beside";
        return Err(Wrong::new("this address holds a password").hint(hint));
    }
    let (place, database) = rest.split_once('/').unwrap_or((rest, "0"));
    let digits = database.bytes().all(|byte| byte.is_ascii_digit());
    let database = match (database, digits) {
        ("", _) => Some(0),
        (number, true) => number.parse().ok().filter(|of| *of < DATABASES_MAX),
        _ => None,
    };
    let database = database.ok_or_else(|| fail("after the `/` stands the number of a database"))?;
    let (name, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']').ok_or_else(|| fail(usual))?;
            let ip = name.parse::<std::net::Ipv6Addr>();
            (ip.map_err(|_| fail(usual))?.to_string(), port)
        }
        None => {
            let at = place.find(':').unwrap_or(place.len());
            let (name, port) = place.split_at_checked(at).ok_or_else(|| fail(usual))?;
            (host(name).map_err(|_| fail(usual))?, port)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            let port = port.parse::<u16>().ok().filter(|port| *port != 0);
            port.ok_or_else(|| fail(usual))?
        }
        None if port.is_empty() => 6379,
        _ => return Err(fail(usual)),
    };
    Ok(StoreAddress {
        tls,
        host: name,
        port,
        database,
    })
}

#[cfg(test)]
mod tests;
