//! References resolved against a base (RFC 3986 §5.2), for `$id` and `$ref` within one document.
//! Nothing is ever fetched.

/// Scheme, authority, path, query.
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

fn parts(text: &str) -> Parts<'_> {
    let (rest, query) = match text.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (text, None),
    };
    let named = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    let (scheme, rest) = match rest.split_once(':') {
        Some((name, rest)) if named(name) => (Some(name), rest),
        _ => (None, rest),
    };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
            (Some(authority), path)
        }
        None => (None, rest),
    };
    Parts {
        scheme,
        authority,
        path,
        query,
    }
}

/// A reference against a base, both without a fragment.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    let (b, r) = (parts(base), parts(reference));
    if r.scheme.is_some() {
        return reference.to_owned();
    }
    let (authority, path, query) = if r.authority.is_some() {
        (r.authority, dotless(r.path), r.query)
    } else if r.path.is_empty() {
        (b.authority, b.path.to_owned(), r.query.or(b.query))
    } else if r.path.starts_with('/') {
        (b.authority, dotless(r.path), r.query)
    } else {
        let folder = b.path.rfind('/').and_then(|end| b.path.get(..=end));
        let folder = folder.unwrap_or(if b.authority.is_some() { "/" } else { "" });
        (
            b.authority,
            dotless(&format!("{folder}{}", r.path)),
            r.query,
        )
    };
    let mut out = String::new();
    if let Some(scheme) = b.scheme {
        out.push_str(scheme);
        out.push(':');
    }
    if let Some(authority) = authority {
        out.push_str("//");
        out.push_str(authority);
    }
    out.push_str(&path);
    if let Some(query) = query {
        out.push('?');
        out.push_str(query);
    }
    out
}

/// §5.2.4.
fn dotless(path: &str) -> String {
    if !path.contains('.') {
        return path.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let rooted = path.starts_with('/');
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let last = segments.len().saturating_sub(1);
    for (at, segment) in segments.into_iter().enumerate() {
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if at == last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("{}{}", if rooted { "/" } else { "" }, kept.join("/"))
}

/// Percent-decodes a fragment.
pub(super) fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let pair: Vec<u8> = rest.clone().take(2).collect();
        let code = std::str::from_utf8(&pair)
            .ok()
            .filter(|pair| byte == b'%' && pair.len() == 2)
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        if let Some(code) = code {
            bytes.push(code);
            rest.nth(1);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
