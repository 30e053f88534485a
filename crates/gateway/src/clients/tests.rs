use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

use super::*;

/// A certificate, however it came to be: who issued it is judged elsewhere.
fn certificate(dns: &[&str], uris: &[&str], subject: &[(DnType, &str)]) -> PeerCertificate {
    let dns: Vec<String> = dns.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(dns).unwrap();
    for uri in uris {
        let uri = (*uri).try_into().unwrap();
        params.subject_alt_names.push(SanType::URI(uri));
    }
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in subject {
        params.distinguished_name.push(kind.clone(), *value);
    }
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2036, 1, 1);
    let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    PeerCertificate::read(&[made.der().clone()]).unwrap()
}

fn clients(certificates: &[(&str, &str)]) -> Clients {
    let mut text = String::from(
        "[estate]\nname = \"shop\"\ndomain = \"shop.example\"\n\
         [[listen.client_certificates]]\nauthorities = \"ca.pem\"\n\
         [[role]]\nname = \"reader\"\nallow = [\"orders:read\"]\n",
    );
    for (name, certificate) in certificates {
        text.push_str(&format!(
            "[[client]]\nname = \"{name}\"\nroles = [\"reader\"]\ncertificates = ['{certificate}']\n"
        ));
    }
    Clients::new(&Estate::parse(&text).unwrap().estate)
}

fn whose(clients: &Clients, certificate: &PeerCertificate) -> String {
    match clients.whose(certificate) {
        Whose::Of(guest) => guest.principal.name.to_string(),
        Whose::Nobody => "nobody".to_owned(),
        Whose::Several => "several".to_owned(),
    }
}

#[test]
fn certificate_is_known_by_each_of_its_names_whole() {
    let subject = [
        (DnType::OrganizationName, "Acme"),
        (DnType::CommonName, "billing"),
    ];
    let shown = certificate(&["Billing.Internal"], &["spiffe://acme/billing"], &subject);
    let key: String = shown.key.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = format!("sha256:{key}");
    for (name, expected) in [
        ("dns:billing.internal", "one"),
        ("dns:internal", "nobody"),
        ("dns:billing.internal.evil", "nobody"),
        ("spiffe://acme/billing", "one"),
        ("spiffe://acme/bill", "nobody"),
        ("spiffe://acme/billing/x", "nobody"),
        (key.as_str(), "one"),
        ("subject:CN=billing,O=Acme", "one"),
        ("subject:O=Acme,CN=billing", "one"),
        ("subject:CN=billing", "nobody"),
        ("subject:CN=billing,O=acme", "nobody"),
        ("subject:CN=billing,O=Acme,C=DE", "nobody"),
    ] {
        assert_eq!(
            whose(&clients(&[("one", name)]), &shown),
            expected,
            "{name}"
        );
    }
    let Whose::Of(guest) = clients(&[("one", "dns:billing.internal")]).whose(&shown) else {
        panic!("it is one's");
    };
    assert_eq!(guest.principal.id, "client:one");
    assert_eq!(guest.principal.kind, PrincipalKind::Client);
    assert_eq!(guest.roles, ["reader"]);
}

#[test]
fn what_two_clients_claim_is_nobodys() {
    let shown = certificate(
        &["a.internal", "b.internal"],
        &[],
        &[(DnType::CommonName, "c")],
    );
    let both = clients(&[("one", "dns:a.internal"), ("two", "dns:b.internal")]);
    assert_eq!(whose(&both, &shown), "several");
    let mixed = clients(&[("one", "dns:a.internal"), ("two", "subject:CN=c")]);
    assert_eq!(whose(&mixed, &shown), "several");
    let single = clients(&[("one", "dns:a.internal"), ("two", "dns:c.internal")]);
    assert_eq!(whose(&single, &shown), "one");
}

#[test]
fn second_uri_makes_it_no_spiffe_certificate() {
    let one = clients(&[("one", "spiffe://acme/billing")]);
    let shown = certificate(&[], &["spiffe://acme/billing", "spiffe://acme/admin"], &[]);
    assert_eq!(whose(&one, &shown), "nobody");
}

#[test]
fn subject_that_lacks_everything_is_no_subject() {
    let one = clients(&[("one", "subject:CN=a"), ("two", "dns:b.internal")]);
    assert_eq!(whose(&one, &certificate(&[], &["urn:x"], &[])), "nobody");
    let text = certificate(&[], &[], &[(DnType::CommonName, "a,O=Acme")]);
    let forged = clients(&[("one", "subject:CN=a,O=Acme")]);
    assert_eq!(
        whose(&forged, &text),
        "nobody",
        "a comma in a value is no next attribute"
    );
}

#[test]
fn subject_that_two_clients_write_in_both_orders_is_nobodys() {
    let all = clients(&[
        ("one", "subject:CN=billing,O=Acme"),
        ("two", "subject:O=Acme,CN=billing"),
    ]);
    for subject in [
        [
            (DnType::CommonName, "billing"),
            (DnType::OrganizationName, "Acme"),
        ],
        [
            (DnType::OrganizationName, "Acme"),
            (DnType::CommonName, "billing"),
        ],
    ] {
        assert_eq!(whose(&all, &certificate(&[], &[], &subject)), "several");
    }
}
