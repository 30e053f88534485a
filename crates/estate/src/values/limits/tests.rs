use super::*;

fn rate(count: u32, per_ms: u64) -> Rate {
    Rate { count, per_ms }
}

#[test]
fn limits_say_for_each_what_or_name_a_budget() {
    let own = |count, per_ms, per| {
        let rate = rate(count, per_ms);
        Limit::Own { rate, per }
    };
    for (text, expected) in [
        ("100/min per user", own(100, 60_000, Per::User)),
        ("5/s per address", own(5, 1000, Per::Address)),
        (
            "5/s per tenant",
            own(5, 1000, Per::Named("tenant".to_owned())),
        ),
        ("api", Limit::Shared("api".to_owned())),
    ] {
        assert_eq!(limit(text).unwrap(), expected, "{text}");
    }
    for wrong in [
        "100/min",
        "per user",
        "100 per user",
        "0/min per user",
        "5/s per",
        "5/s per All",
        "5/s per a b",
        "",
    ] {
        assert!(limit(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn budgets_are_of_several_routes() {
    assert_eq!(budget("10/s").unwrap(), (rate(10, 1000), Per::Route));
    assert_eq!(budget("10/s per key").unwrap(), (rate(10, 1000), Per::Key));
    for wrong in ["10/s per route", "api", "10", ""] {
        assert!(budget(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn numbers_at_once_are_whole_and_bounded() {
    let parsed = concurrent("20 per user").unwrap();
    assert_eq!((parsed.max, parsed.per), (20, Per::User));
    for wrong in [
        "0 per user",
        "20",
        "20/s per user",
        "-1 per user",
        "+1 per user",
        "1000001 per route",
        "20 per USER",
    ] {
        assert!(concurrent(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn key_sources_are_what_a_request_has() {
    for text in [
        "principal",
        "address",
        "header:x-tenant",
        "cookie:Tenant",
        "query:tenant_id",
    ] {
        assert_eq!(key_source(text).unwrap().to_string(), text);
    }
    for wrong in [
        "",
        "tenant",
        "header:",
        "header:a b",
        "header:x-forwarded-for",
        "header:Forwarded",
        "header:authorization",
        "header:cookie",
        "cookie:",
        "query:",
        "query:a=b",
        "query:a%20",
    ] {
        assert!(key_source(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn store_addresses_hold_no_secret() {
    for (text, shown) in [
        ("redis://10.0.0.5", "redis://10.0.0.5:6379"),
        ("redis://10.0.0.5:7000/3", "redis://10.0.0.5:7000/3"),
        (
            "rediss://Limits.Internal:6380/",
            "rediss://limits.internal:6380",
        ),
        ("redis://[::1]:6379", "redis://[::1]:6379"),
    ] {
        assert_eq!(store_address(text).unwrap().to_string(), shown);
    }
    for wrong in [
        "10.0.0.5:6379",
        "http://10.0.0.5",
        "redis://",
        "redis://:secret@10.0.0.5",
        "redis://10.0.0.5:0",
        "redis://10.0.0.5:70000",
        "redis://10.0.0.5:+1",
        "redis://10.0.0.5/x",
        "redis://10.0.0.5/99999",
        "redis://[::1",
        "redis://[10.0.0.5]:1",
    ] {
        assert!(store_address(wrong).is_err(), "{wrong}");
    }
    assert!(
        !store_address("redis://:hunter2@a")
            .unwrap_err()
            .message
            .contains("hunter2")
    );
}
