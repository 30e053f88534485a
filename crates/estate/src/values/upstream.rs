//! Values of how a service is reached.

use std::net::SocketAddr;

use super::{Wrong, header, host, quoted};
use crate::upstream::{HashKey, NamedPlace, Percent, Statuses};

/// LIMIT: ranges of one text of statuses.
const RANGES_MAX: usize = 16;

/// Where a service listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Fixed(SocketAddr),
    Named(NamedPlace),
}

/// `10.0.0.1:8080`, `[::1]:8080`, `orders.internal:8080`.
pub(crate) fn place(text: &str) -> Result<Place, Wrong> {
    if let Ok(address) = text.parse() {
        return Ok(Place::Fixed(address));
    }
    let fail = || {
        Wrong::new(format!(
            "{} is not an address or name with a port",
            quoted(text)
        ))
        .hint("such as `127.0.0.1:8080`, `[::1]:8080` or `orders.internal:8080`")
    };
    let (name, port) = text.rsplit_once(':').ok_or_else(fail)?;
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port: u16 = port.parse().map_err(|_| fail())?;
    let name = host(name).map_err(|_| fail())?;
    // What ends in a number is an address that is written wrong, and resolvers may still read it
    // as one (RFC 3986 §3.2.2, RFC 1123 §2.1).
    let last = name.rsplit('.').next().unwrap_or(&name);
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    if !digits || port == 0 || numeric {
        return Err(fail());
    }
    Ok(Place::Named(NamedPlace { name, port }))
}

/// `20%`.
pub(crate) fn percent(text: &str) -> Result<Percent, Wrong> {
    let number = text.strip_suffix('%').map(str::trim_end);
    let share = number.and_then(|number| number.parse::<u8>().ok());
    match share {
        Some(share @ 1..=100) => Ok(Percent(share)),
        _ => {
            let wrong = Wrong::new(format!("{} is not a share", quoted(text)));
            Err(wrong.hint("a whole number from `1%` to `100%`"))
        }
    }
}

/// `200`, `200-299`, `200, 204`.
pub(crate) fn statuses(text: &str) -> Result<Statuses, Wrong> {
    let fail = || {
        Wrong::new(format!("{} names no statuses", quoted(text)))
            .hint("such as `200`, `200-299` or `200, 204`, each from 200 to 599")
    };
    let status = |text: &str| {
        let status: u16 = text.trim().parse().map_err(|_| fail())?;
        if (200..=599).contains(&status) {
            Ok(status)
        } else {
            Err(fail())
        }
    };
    let mut ranges = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (status(first)?, status(last)?);
        if first > last || ranges.len() >= RANGES_MAX {
            return Err(fail());
        }
        ranges.push((first, last));
    }
    Ok(Statuses(ranges))
}

/// `address`, `user`, `path`, `header:x-tenant`, `cookie:sid`.
pub(crate) fn hash_key(text: &str) -> Result<HashKey, Wrong> {
    let fail = || Wrong::new(format!("{} is nothing to hash by", quoted(text)));
    match text {
        "address" => return Ok(HashKey::Address),
        "user" => return Ok(HashKey::User),
        "path" => return Ok(HashKey::Path),
        _ => {}
    }
    let named = text.split_once(':');
    let named = named.map(|(kind, name)| (kind, header(name)));
    match named {
        Some(("header", Ok(name))) => Ok(HashKey::Header(name)),
        // A cookie's name is a token as well, but its case counts (RFC 6265 §4.1.1).
        Some(("cookie", Ok(_))) => Ok(HashKey::Cookie(
            text.get("cookie:".len()..).unwrap_or_default().to_owned(),
        )),
        _ => {
            let words = ["address", "user", "path"];
            Err(match crate::suggest::nearest(text, words) {
                Some(near) => fail().hint(format!("did you mean `{near}`?")),
                None => fail().hint("`address`, `user`, `path`, `header:x-tenant` or `cookie:sid`"),
            })
        }
    }
}

#[cfg(test)]
mod tests;
