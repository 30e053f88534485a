//! Header fields that say who or where a client is, so that they are Rampart's to set: whoever
//! sends one from outside wants to be somebody else.

use http::HeaderName;

/// Whether nobody else may set a field, not even a proxy in front that the estate trusts: what such
/// a proxy says of a client, Rampart says again by fields of its own.
///
/// SECURITY: names with `_` go too. Gateways to CGI, WSGI and PHP turn `-` into `_`, so that
/// `rampart_assertion` would reach a service as the assertion.
pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    let name = name.as_str();
    if name.contains('_') {
        return true;
    }
    // By their first letter, so that most fields are compared with few of them.
    match name.as_bytes().first() {
        Some(b'x') => is_reserved_extension(name),
        Some(b'r') => name.starts_with("rampart-"),
        Some(b'a') => name == "ali-cdn-real-ip",
        Some(b'c') => matches!(
            name,
            "cdn-src-ip"
                | "cf-connecting-ip"
                | "cf-connecting-ipv6"
                | "cf-pseudo-ipv4"
                | "client-ip"
        ),
        Some(b'f') => matches!(
            name,
            "fastly-client-ip" | "fly-client-ip" | "forwarded" | "forwarded-for"
        ),
        // It becomes the proxy of the service's own requests where fields become variables of the
        // environment (CVE-2016-5385 and its kin).
        Some(b'p') => name == "proxy",
        Some(b't') => name == "true-client-ip",
        _ => false,
    }
}

/// Of the names that begin with `x-`.
fn is_reserved_extension(name: &str) -> bool {
    const PREFIXES: [&str; 3] = ["x-rampart-", "x-forwarded-", "x-original-"];
    let exact = matches!(
        name,
        "x-appengine-user-ip"
            | "x-azure-clientip"
            | "x-azure-socketip"
            | "x-client-ip"
            | "x-cluster-client-ip"
            | "x-envoy-external-address"
            | "x-envoy-original-path"
            | "x-forwarded"
            | "x-host"
            | "x-http-host-override"
            | "x-originating-ip"
            | "x-real-ip"
            | "x-remote-addr"
            | "x-remote-ip"
            | "x-rewrite-url"
            | "x-sucuri-clientip"
    );
    exact || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a field tells a service who somebody is, in the words of a proxy that signs people in
/// or reads their certificates. Of a proxy in front that the estate trusts it is taken; nobody else
/// has anything to say by it.
pub(crate) fn is_identity(name: &HeaderName) -> bool {
    let name = name.as_str();
    match name.as_bytes().first() {
        Some(b'x') => is_identity_extension(name),
        Some(b'c') => name.starts_with("cf-access-"),
        Some(b'r') => name.starts_with("remote-"),
        Some(b's') => name.starts_with("ssl-client-"),
        Some(b't') => name.starts_with("tailscale-user-"),
        _ => false,
    }
}

fn is_identity_extension(name: &str) -> bool {
    const PREFIXES: [&str; 5] = [
        "x-auth-request-",
        "x-authentik-",
        "x-goog-authenticated-user-",
        "x-ms-client-principal",
        "x-ssl-client-",
    ];
    let exact = matches!(
        name,
        "x-amzn-oidc-data"
            | "x-amzn-oidc-identity"
            | "x-authenticated-user"
            | "x-client-cert"
            | "x-client-certificate"
            | "x-client-dn"
            | "x-client-verify"
            | "x-goog-iap-jwt-assertion"
            | "x-remote-email"
            | "x-remote-group"
            | "x-remote-groups"
            | "x-remote-user"
            | "x-webauth-user"
    );
    exact || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests;
