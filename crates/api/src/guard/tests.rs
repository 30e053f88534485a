use super::*;

fn headers(values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    }
    headers
}

#[test]
fn only_one_bearer_key_is_read() {
    assert_eq!(bearer(&headers(&[])).unwrap(), None);
    assert_eq!(
        bearer(&headers(&["Bearer rk_abc"])).unwrap(),
        Some("rk_abc")
    );
    assert_eq!(
        bearer(&headers(&["bearer rk_abc"])).unwrap(),
        Some("rk_abc")
    );
    let long = format!("Bearer rk_{}", "a".repeat(AUTHORIZATION_BYTES_MAX));
    for wrong in [
        &["Bearer rk_a", "Bearer rk_b"][..],
        &["Basic cms6Og=="],
        &["Bearer eyJhbGciOiJub25lIn0.e30."],
        &["rk_abc"],
        &[long.as_str()],
    ] {
        assert_eq!(
            bearer(&headers(wrong)).unwrap_err().status,
            401,
            "{wrong:?}"
        );
    }
}
