//! Host names and addresses as the estate takes them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A host name in lower case, where it is one (RFC 1123 §2.1).
pub(crate) fn host(text: &str) -> Option<String> {
    let lower = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    (lower.len() <= 253 && lower.split('.').all(label)).then_some(lower)
}

/// Host and port of `name:port`, `1.2.3.4:80`, `[::1]:80`, or without a port.
pub(crate) fn split(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (ip, rest) = rest.split_once(']')?;
        return match rest {
            "" => Some((ip, None)),
            _ => Some((ip, Some(port(rest.strip_prefix(':')?)?))),
        };
    }
    match text.rsplit_once(':') {
        Some((name, _)) if name.contains(':') => Some((text, None)),
        Some((name, digits)) => Some((name, Some(port(digits)?))),
        None => Some((text, None)),
    }
}

/// A port that is not 0, in digits alone.
pub(crate) fn port(text: &str) -> Option<u16> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| plain && *port != 0)
}

/// Where a service can be reached, as `[[service]]` writes it: an address of one machine, or a
/// name that is looked up.
pub(crate) fn place(name: &str, port: u16) -> Option<String> {
    if let Ok(ip) = name.parse::<IpAddr>() {
        let bad = ip.is_unspecified() || ip.is_multicast();
        return (!bad).then(|| SocketAddr::new(ip, port).to_string());
    }
    let name = host(name)?;
    // What ends in a number is an address that is written wrong.
    let last = name.rsplit('.').next().unwrap_or(&name);
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    if numeric {
        return None;
    }
    if name == "localhost" {
        return Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port).to_string());
    }
    Some(format!("{name}:{port}"))
}

/// A name as the estate has them: `[a-z0-9-]{1,63}`.
pub(crate) fn name(text: &str, otherwise: &str) -> String {
    let mut out = String::new();
    for c in text.to_lowercase().chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        // LIMIT: room for a number that tells two of them apart.
        if out.len() >= 56 {
            break;
        }
    }
    match out.trim_matches('-') {
        "" => otherwise.to_owned(),
        name => name.to_owned(),
    }
}

/// `wanted`, or with a number behind it where somebody has it already.
pub(crate) fn unique(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut number = 1_usize;
    let mut name = wanted.to_owned();
    while taken(&name) {
        number = number.saturating_add(1);
        name = format!("{wanted}-{number}");
    }
    name
}
