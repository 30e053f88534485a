use super::*;

fn waited(text: &str) -> Option<u64> {
    let mut headers = HeaderMap::new();
    headers.insert(
        RETRY_AFTER,
        HeaderValue::from_bytes(text.as_bytes()).unwrap(),
    );
    // 1994-11-06T08:49:00Z
    let now = Timestamp::from_millis(784_111_740_000);
    wait(&headers, now).map(|asked| asked.as_secs())
}

#[test]
fn time_an_authority_asks_for_is_read_in_both_forms_and_never_negative() {
    assert_eq!(waited("120"), Some(120));
    assert_eq!(waited("Sun, 06 Nov 1994 08:49:37 GMT"), Some(37));
    assert_eq!(waited("Sun, 06 Nov 1994 08:40:00 GMT"), Some(0));
    for nonsense in ["", "-1", "soon", "99999999999999999999"] {
        assert_eq!(waited(nonsense), None, "{nonsense}");
    }
    assert_eq!(wait(&HeaderMap::new(), Timestamp::from_millis(0)), None);
}

#[test]
fn binding_key_that_is_none_says_which_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("eab.key");
    let one = Binding {
        key_id: "kid-1".to_owned(),
        key_file: "eab.key".to_owned(),
    };
    let words = |one: &Binding| binding(one, folder.path()).err().unwrap().text;
    assert!(words(&one).contains("eab.key"), "{}", words(&one));
    store::atomic_write(&file, b"not base64!\n", 0o600).unwrap();
    assert!(
        words(&one).ends_with("holds no key in base64url"),
        "{}",
        words(&one)
    );
    for good in ["zWNDZM6eQGHWpSRTPal5eIUYFTu7\n", "YWI="] {
        store::atomic_write(&file, good.as_bytes(), 0o600).unwrap();
        assert!(binding(&one, folder.path()).is_ok(), "{good}");
    }
}
