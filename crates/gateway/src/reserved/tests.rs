use super::*;

fn name(text: &str) -> HeaderName {
    HeaderName::from_bytes(text.as_bytes()).unwrap()
}

#[test]
fn names_of_places_are_reserved_however_they_are_spelt() {
    for text in [
        "X-Real-IP",
        "x_real_ip",
        "CF-Connecting-IP",
        "X-Forwarded",
        "X-Forwarded-Anything",
        "X-Original-URL",
        "Rampart-Assertion",
        "rampart_assertion",
        "Proxy",
    ] {
        assert!(is_reserved(&name(text)), "{text}");
    }
}

#[test]
fn names_of_people_are_an_identity() {
    for text in [
        "Remote-User",
        "X-WebAuth-User",
        "X-Auth-Request-Email",
        "SSL-Client-Cert",
        "Cf-Access-Jwt-Assertion",
        "X-MS-CLIENT-PRINCIPAL-NAME",
    ] {
        assert!(is_identity(&name(text)), "{text}");
    }
}

#[test]
fn ordinary_fields_are_neither() {
    for text in [
        "accept",
        "authorization",
        "cookie",
        "host",
        "user-agent",
        "x-api-key",
        "x-auth-token",
        "x-requested-with",
        "x-client-version",
        "x-csrf-token",
        "x-request-id",
        "traceparent",
    ] {
        let name = name(text);
        assert!(!is_reserved(&name) && !is_identity(&name), "{text}");
    }
}
