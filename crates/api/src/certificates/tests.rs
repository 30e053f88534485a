use std::time::Duration;

use super::*;

fn one(source: CertificateSource, until_h: u64, error: Option<&str>) -> CertificateState {
    CertificateState {
        names: vec![format!("{}.shop.example", source.word())],
        source,
        issuer: None,
        until: Some(now().after(Duration::from_hours(until_h))),
        renews: None,
        error: error.map(str::to_owned),
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000)
}

#[test]
fn summary_counts_says_what_is_wrong_and_is_red_once_one_has_ended() {
    use CertificateSource::{Acme, Development, File};
    assert_eq!(summary(&[], now()), (true, "none yet".to_owned()));
    let fine = [one(File, 9, None), one(Acme, 9, None), one(Acme, 9, None)];
    assert_eq!(summary(&fine, now()), (true, "1 file, 2 acme".to_owned()));
    let (fine, text) = summary(&[one(Development, 9, None)], now());
    assert!(fine && text == "1 development", "{text}");
    let (fine, text) = summary(&[one(Development, 9, Some("no word"))], now());
    assert!(fine, "a host that waits for its first one is served");
    assert!(
        text.contains("`development.shop.example` still has one of the development"),
        "{text}"
    );
    assert!(
        text.ends_with("`development.shop.example`: no word"),
        "{text}"
    );
    let (fine, text) = summary(&[one(Acme, 0, Some("the authority is away"))], now());
    assert!(
        !fine && text.ends_with("`acme.shop.example`: the authority is away"),
        "{text}"
    );
}
