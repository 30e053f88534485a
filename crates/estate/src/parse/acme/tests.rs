use crate::{AcmeChallenge, Estate};

fn text(acme: &str, listen: &str) -> String {
    format!(
        r#"
[estate]
name = "shop"
domain = "shop.de"

[listen]
{listen}

{acme}

[[zone]]
name = "app"

[[host]]
name = "one"
zone = "app"
address = "127.0.0.1"

[[service]]
name = "shop"
address = "127.0.0.1:8000"

[[route]]
name = "shop"
host = "www"
path = "/**"
to = "shop"
auth = "none"

[[route]]
name = "inside"
host = "shop.internal"
path = "/**"
to = "shop"
auth = "none"
"#
    )
}

const LISTEN: &str = "https = [\"127.0.0.1:8443\"]\nhttp = [\"127.0.0.1:8080\"]";

const LEAST: &str = "[acme]\ndirectory = \"https://ca.example.org/dir\"\nterms_agreed = true";

/// The codes of all findings, errors and warnings.
fn codes(acme: &str, listen: &str) -> Vec<String> {
    let found = match Estate::parse(&text(acme, listen)) {
        Ok(parsed) => parsed.warnings,
        Err(list) => list,
    };
    found
        .into_iter()
        .map(|finding| finding.code.into_owned())
        .collect()
}

#[test]
fn public_hosts_without_a_certificate_are_asked_for_by_themselves() {
    let parsed = Estate::parse(&text(LEAST, LISTEN)).unwrap();
    let acme = parsed.estate.acme.unwrap();
    assert_eq!(acme.hosts, ["rampart.shop.de", "www.shop.de"]);
    assert_eq!(acme.challenge, AcmeChallenge::Http01);
    assert_eq!(acme.renew_part, 3);
    let given =
        format!("{LEAST}\n[[certificate]]\nhosts = [\"*.shop.de\"]\nchain = \"c\"\nkey = \"k\"");
    assert_eq!(codes(&given, LISTEN), ["estate.without_effect"]);
    assert!(
        Estate::parse(&text("", LISTEN))
            .unwrap()
            .estate
            .acme
            .is_none()
    );
}

#[test]
fn each_mistake_has_its_finding() {
    for (more, listen, code) in [
        ("contact = [\"ops@shop.de\"]", LISTEN, "estate.bad_value"),
        (
            "contact = [\"mailto:a@b.de,c@d.de\"]",
            LISTEN,
            "estate.bad_value",
        ),
        ("challenge = \"dns-01\"", LISTEN, "estate.bad_value"),
        ("renew = \"30d\"", LISTEN, "estate.bad_value"),
        ("hosts = [\"*.shop.de\"]", LISTEN, "estate.bad_value"),
        (
            "hosts = [\"other.shop.de\"]",
            LISTEN,
            "estate.certificate_unused",
        ),
        (
            "hosts = [\"www.shop.de\", \"WWW.shop.de\"]",
            LISTEN,
            "estate.duplicate_name",
        ),
        ("hosts = [\"shop.internal\"]", LISTEN, "estate.not_public"),
        ("eab = { key_id = \"k\" }", LISTEN, "estate.missing_key"),
        ("", "https = [\"127.0.0.1:8443\"]", "estate.no_listener"),
        (
            "challenge = \"tls-alpn-01\"",
            "https = []\nhttp = [\"127.0.0.1:1\"]",
            "estate.no_listener",
        ),
    ] {
        let found = codes(&format!("{LEAST}\n{more}"), listen);
        assert_eq!(found, [code], "{more}");
    }
    for directory in [
        "http://ca.de/dir",
        "https://",
        "https://me@ca.de/",
        "ftp://x",
        "https://ca.de/ä",
    ] {
        let acme = LEAST.replace("https://ca.example.org/dir", directory);
        assert_eq!(codes(&acme, LISTEN), ["estate.bad_value"], "{directory}");
    }
    let refused = LEAST.replace("true", "false");
    assert_eq!(codes(&refused, LISTEN), ["estate.without_effect"]);
}

#[test]
fn change_of_the_authority_stands_in_the_plan() {
    let before = Estate::parse(&text("", LISTEN)).unwrap().estate;
    let after = Estate::parse(&text(LEAST, LISTEN)).unwrap().estate;
    let changes = crate::diff(&before, &after);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].what, "`[acme]`");
    assert!(
        changes[0].effect.contains("asked for"),
        "{}",
        changes[0].effect
    );
}
