use proptest::prelude::*;

use super::*;

#[test]
fn every_form_is_read_and_written_back() {
    let key = format!("sha256:{}", "0aF9".repeat(16));
    for text in [
        "spiffe://acme/billing",
        "spiffe://prod.acme/ns/shop/sa/billing",
        "dns:billing.internal",
        key.as_str(),
        "subject:CN=billing,O=Acme",
        "subject:CN=Acme\\, Inc.,C=DE",
    ] {
        let name = CertificateName::parse(text).unwrap();
        assert!(name.to_string().eq_ignore_ascii_case(text), "{name}");
    }
    let spaced = CertificateName::parse("subject:cn=billing, o=Acme").unwrap();
    assert_eq!(spaced.to_string(), "subject:CN=billing,O=Acme");
}

#[test]
fn what_would_match_more_than_one_thing_is_refused() {
    for text in [
        "",
        "billing",
        "dns:*.internal",
        "dns:",
        "spiffe://acme",
        "spiffe://acme/",
        "spiffe://acme/a/../b",
        "spiffe://ACME/a",
        "spiffe://acme:1/a",
        "spiffe://acme/a?b",
        "spiffe://*/a",
        "sha256:00",
        "sha256:zz00000000000000000000000000000000000000000000000000000000000000",
        "subject:",
        "subject:CN=",
        "subject:CN=a,",
        "subject:CN=a+O=b",
        "subject:XX=a",
        "subject:CN=a\\",
        "email:a@b",
    ] {
        assert!(CertificateName::parse(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_to_what_it_writes_or_refused(text in "(subject:|dns:|spiffe://|)[ -~]{0,40}") {
        if let Ok(name) = CertificateName::parse(&text) {
            prop_assert_eq!(CertificateName::parse(&name.to_string()).unwrap(), name);
        }
    }
}
