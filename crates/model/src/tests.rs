//! What the vocabulary promises.

use std::net::IpAddr;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_772_000_000_123)
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

impl Entropy for Fixed {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0xA5);
    }
}

fn set(members: &[&str]) -> PermissionSet {
    members.iter().map(|m| m.parse().unwrap()).collect()
}

#[test]
fn id_text_names_its_kind_and_parses_back() {
    let id = PersonId::new(&Fixed, &Fixed);
    let text = id.to_string();
    assert!(text.starts_with("per_01K"), "{text}");
    assert_eq!(text.parse(), Ok(id));
    assert!(
        text.parse::<ApiKeyId>().is_err(),
        "another kind's prefix is refused"
    );
}

#[test]
fn id_text_has_one_form_only() {
    let text = PersonId::from_raw(u128::MAX).to_string();
    assert_eq!(text, "per_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    for wrong in [
        "per_8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "per_7zzzzzzzzzzzzzzzzzzzzzzzzz",
        "per_",
        "per",
    ] {
        assert!(wrong.parse::<PersonId>().is_err(), "{wrong}");
    }
}

#[test]
fn timestamp_text_is_rfc_3339_with_milliseconds() {
    let t = Timestamp::from_millis(1_772_000_000_123);
    assert_eq!(t.to_string(), "2026-02-25T06:13:20.123Z");
    assert_eq!("2026-02-25T07:13:20.123+01:00".parse(), Ok(t));
    assert!("yesterday".parse::<Timestamp>().is_err());
}

#[test]
fn secret_shows_nothing() {
    assert_eq!(
        format!("{:?}", Secret::new("hunter2".to_owned())),
        "Secret(…)"
    );
}

#[test]
fn permission_pattern_covers_its_resource_only() {
    let held = set(&["orders:*", "stock:read"]);
    for (needed, expected) in [
        ("orders:read", true),
        ("stock:read", true),
        ("stock:write", false),
        ("order:read", false),
    ] {
        assert_eq!(held.allows(&needed.parse().unwrap()), expected, "{needed}");
    }
}

#[test]
fn malformed_permissions_are_refused() {
    for wrong in [
        "",
        ":",
        "orders",
        "orders:",
        ":read",
        "Orders:read",
        "a:b:c",
        "*:read",
        "a:**",
        "a b:c",
    ] {
        assert!(wrong.parse::<Permission>().is_err(), "{wrong}");
    }
}

#[test]
fn intersection_never_exceeds_either_side() {
    let key = set(&["orders:*", "stock:read"]);
    let owner = set(&["orders:read", "orders:refund", "stock:*"]);
    assert_eq!(
        key.intersection(&owner),
        set(&["orders:read", "orders:refund", "stock:read"])
    );
}

#[test]
fn auditor_reads_everything_and_changes_nothing() {
    let auditor = own::built_in_role(own::AUDITOR).unwrap();
    assert!(auditor.allows(&own::permission(own::TRAIL_READ)));
    assert!(!auditor.allows(&own::permission(own::ESTATE_APPLY)));
    assert!(own::built_in_role("root").is_none());
    assert!(
        own::ALL
            .iter()
            .all(|text| text.parse::<Permission>().is_ok())
    );
}

#[test]
fn network_contains_its_addresses_in_either_family() {
    let net: Network = "10.1.0.0/16".parse().unwrap();
    for (address, inside) in [
        ("10.1.255.9", true),
        ("10.2.0.1", false),
        ("::ffff:10.1.2.3", true),
        ("::1", false),
    ] {
        assert_eq!(
            net.contains(address.parse::<IpAddr>().unwrap()),
            inside,
            "{address}"
        );
    }
    let all: Network = "0.0.0.0/0".parse().unwrap();
    assert!(all.contains("203.0.113.9".parse().unwrap()));
    let six: Network = "::/0".parse().unwrap();
    assert!(six.contains("2001:db8::1".parse().unwrap()));
}

#[test]
fn network_with_host_bits_names_the_range_meant() {
    let error = "10.1.2.3/16".parse::<Network>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`10.1.2.3/16` has bits behind its prefix; the range is `10.1.0.0/16`"
    );
    for wrong in [
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "ten/8",
        "::/129",
        "10.0.0.0/+8",
    ] {
        assert!(wrong.parse::<Network>().is_err(), "{wrong}");
    }
}

#[test]
fn durations_sizes_and_rates_read_as_people_write_them() {
    assert_eq!(parse_duration("1h 30m"), Ok(Duration::from_secs(5400)));
    assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
    assert_eq!("64KiB".parse(), Ok(ByteSize(65_536)));
    assert_eq!(
        "100/min".parse(),
        Ok(Rate {
            count: 100,
            per_ms: 60_000
        })
    );
    assert_eq!(
        "5/15m".parse::<Rate>().map(|r| r.to_string()),
        Ok("5/15m".to_owned())
    );
    assert_eq!(
        "10/s".parse::<Rate>().map(|r| r.to_string()),
        Ok("10/s".to_owned())
    );
    for wrong in [
        "",
        "5",
        "5 parsecs",
        "m",
        "99999999999999999999s",
        "18446744073709551615w",
    ] {
        assert!(parse_duration(wrong).is_err(), "{wrong}");
    }
    for wrong in ["", "5", "5KB", "18446744073709551615GiB", "-1B"] {
        assert!(wrong.parse::<ByteSize>().is_err(), "{wrong}");
    }
    for wrong in ["0/s", "5/0s", "5", "/s", "5/", "-1/s"] {
        assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
    }
}

#[test]
fn span_position_counts_lines_and_characters_from_one() {
    let source = "a = 1\nü = 2\n";
    assert_eq!(Span { start: 0, end: 1 }.position(source), (1, 1));
    assert_eq!(Span { start: 9, end: 10 }.position(source), (2, 3));
    assert_eq!(
        Span {
            start: 999,
            end: 999
        }
        .position(source)
        .0,
        3
    );
}

#[test]
fn removing_a_subject_removes_what_is_theirs() {
    use snapshot::{ApiKeyGrant, IdentityChange, IdentitySnapshot};
    let mut snapshot = IdentitySnapshot::default();
    let owner = PersonId::from_raw(1);
    snapshot.apply(IdentityChange::ApiKey(ApiKeyGrant {
        digest: [0; 32],
        id: ApiKeyId::from_raw(2),
        name: "ci".to_owned(),
        owner,
        permissions: PermissionSet::empty(),
        networks: Vec::new(),
        expires_at: None,
    }));
    snapshot.apply(IdentityChange::SubjectGone(owner));
    assert_eq!(snapshot, IdentitySnapshot::default());
}

proptest! {
    #[test]
    fn every_id_round_trips(raw: u128) {
        let id = SessionId::from_raw(raw);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn every_network_round_trips(raw: u32, prefix in 0u8..=32) {
        let net = Network::around(IpAddr::V4(raw.into()), prefix).unwrap();
        prop_assert_eq!(net.to_string().parse::<Network>(), Ok(net));
        prop_assert!(net.contains(IpAddr::V4(raw.into())));
    }

    #[test]
    fn every_duration_round_trips(ms in 1u64..1_000_000_000_000) {
        let d = Duration::from_millis(ms);
        prop_assert_eq!(parse_duration(&format_duration(d)), Ok(d));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in ".{0,40}") {
        drop(parse_duration(&text));
        drop(text.parse::<Rate>());
        drop(text.parse::<ByteSize>());
        drop(text.parse::<Network>());
        drop(text.parse::<Permission>());
        drop(text.parse::<Timestamp>());
        drop(text.parse::<PersonId>());
    }
}

#[derive(Debug)]
struct Counting(std::sync::atomic::AtomicU8);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) {
        for byte in out {
            *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
}

#[test]
fn pooled_bytes_are_the_sources_each_handed_out_once() {
    let pooled = PooledEntropy::new(std::sync::Arc::new(Counting(0.into())));
    let mut seen = Vec::new();
    for _ in 0..200 {
        let mut piece = [0; 16];
        pooled.fill(&mut piece);
        seen.extend_from_slice(&piece);
    }
    // 1024 is a multiple of 16: nothing is left over, and the source counts on without a gap.
    let expected: Vec<u8> = (0..=255).cycle().take(seen.len()).collect();
    assert_eq!(seen, expected);
    let mut long = vec![0; 2000];
    pooled.fill(&mut long);
    assert!(
        long.windows(2)
            .all(|pair| pair[1] == pair[0].wrapping_add(1))
    );
}
