use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Every address matters to a set of eight: some lie at the borders of what a number holds.
const PLACES: [u128; 8] = [
    0,
    1,
    2,
    1 << 32,
    (1 << 64) - 1,
    1 << 64,
    u128::MAX - 1,
    u128::MAX,
];
const SMALL: [u128; 8] = [0, 1, 2, 3, 9, 0xffff_fffd, 0xffff_fffe, 0xffff_ffff];

fn bytes() -> impl Strategy<Value = (Intervals<u8>, BTreeSet<u8>)> {
    prop::collection::vec((any::<u8>(), any::<u8>()), 0..6).prop_map(|ranges| {
        let model = ranges.iter().flat_map(|(low, high)| *low..=*high).collect();
        (Intervals::from_ranges(ranges), model)
    })
}

fn model(set: &Intervals<u8>) -> BTreeSet<u8> {
    (0..=u8::MAX).filter(|byte| set.contains(*byte)).collect()
}

fn is_canonical(set: &Intervals<u8>) -> bool {
    let all: Vec<(u8, u8)> = set.iter().collect();
    all.iter().all(|(low, high)| low <= high)
        && all
            .windows(2)
            .all(|pair| u16::from(pair[0].1) + 1 < u16::from(pair[1].0))
}

proptest! {
    #[test]
    fn intervals_are_sets_of_numbers_in_one_form((a, in_a) in bytes(), (b, in_b) in bytes()) {
        prop_assert_eq!(&model(&a), &in_a);
        let cases = [
            (a.union(&b), in_a.union(&in_b).copied().collect::<BTreeSet<u8>>()),
            (a.intersection(&b), in_a.intersection(&in_b).copied().collect()),
            (a.difference(&b), in_a.difference(&in_b).copied().collect()),
            (a.complement(), (0..=u8::MAX).filter(|byte| !in_a.contains(byte)).collect()),
        ];
        for (set, wanted) in cases {
            prop_assert!(is_canonical(&set), "{:?}", set);
            prop_assert_eq!(model(&set), wanted);
        }
        prop_assert_eq!(a.is_subset(&b), in_a.is_subset(&in_b));
        prop_assert_eq!(a == b, in_a == in_b);
        prop_assert_eq!(a.first(), in_a.first().copied());
    }
}

type Brute = BTreeSet<(bool, u128, u128, u8, u16)>;

const SERVICES: [(Protocol, u16); 6] = [
    (Protocol::Tcp, 0),
    (Protocol::Tcp, 443),
    (Protocol::Tcp, 65_535),
    (Protocol::Udp, 0),
    (Protocol::Udp, 65_535),
    (Protocol::Icmp, 0),
];

fn universe(family: Family) -> [u128; 8] {
    match family {
        Family::V4 => SMALL,
        Family::V6 => PLACES,
    }
}

/// Some boxes of packets, as a set and one by one.
fn boxes() -> impl Strategy<Value = (PacketSet, Brute)> {
    let corner = (
        any::<bool>(),
        0..8_usize,
        0..8_usize,
        0..8_usize,
        0..8_usize,
        0..6_usize,
        0..6_usize,
    );
    prop::collection::vec(corner, 0..5).prop_map(|boxes| {
        let (mut set, mut brute) = (PacketSet::default(), Brute::new());
        for (is_4, a, b, c, d, e, f) in boxes {
            let family = if is_4 { Family::V4 } else { Family::V6 };
            let all = universe(family);
            let (a, b) = (a.min(b), a.max(b));
            let (c, d) = (c.min(d), c.max(d));
            let mut ports = PortSet::default();
            for (protocol, port) in &SERVICES[e.min(f)..=e.max(f)] {
                ports = ports.union(&PortSet::range(*protocol, *port, *port));
            }
            let (from, to) = (
                Intervals::range(all[a], all[b]),
                Intervals::range(all[c], all[d]),
            );
            set = set.union(&PacketSet::product(family, &from, &to, &ports));
            for source in &all[a..=b] {
                for target in &all[c..=d] {
                    for (protocol, port) in &SERVICES[e.min(f)..=e.max(f)] {
                        brute.insert((is_4, *source, *target, *protocol as u8, *port));
                    }
                }
            }
        }
        (set, brute)
    })
}

fn tried(set: &PacketSet) -> Brute {
    let mut brute = Brute::new();
    for family in Family::BOTH {
        for source in universe(family) {
            for target in universe(family) {
                for (protocol, port) in SERVICES {
                    let packet = Packet {
                        source: family.address(source),
                        destination: family.address(target),
                        protocol,
                        port,
                    };
                    if set.contains(&packet) {
                        brute.insert((family == Family::V4, source, target, protocol as u8, port));
                    }
                }
            }
        }
    }
    brute
}

proptest! {
    #[test]
    fn packet_sets_are_what_trying_each_packet_says((a, in_a) in boxes(), (b, in_b) in boxes()) {
        prop_assert_eq!(&tried(&a), &in_a);
        let cases = [
            (a.union(&b), in_a.union(&in_b).copied().collect::<Brute>()),
            (a.intersection(&b), in_a.intersection(&in_b).copied().collect()),
            (a.difference(&b), in_a.difference(&in_b).copied().collect()),
        ];
        for (set, wanted) in &cases {
            prop_assert_eq!(&tried(set), wanted);
            prop_assert_eq!(set.is_empty(), set.example().is_none());
            prop_assert!(set.example().is_none_or(|packet| set.contains(&packet)));
        }
        // One form for each set: what is put together in another way is the same value.
        let [(union, _), (both, _), (only, _)] = &cases;
        prop_assert_eq!(&only.union(both), &a);
        prop_assert_eq!(&b.union(&a), union);
        prop_assert_eq!(&union.difference(&b), only);
        prop_assert_eq!(a.is_subset(union), true);
        prop_assert_eq!(a.is_subset(&b), only.is_empty());
    }
}

#[test]
fn borders_of_numbers_are_numbers_like_others() {
    let all = Intervals::range(0, u128::MAX);
    assert!(all.complement().is_empty());
    assert_eq!(Intervals::<u128>::new().complement(), all);
    let halves =
        Intervals::range(0, u128::MAX / 2).union(&Intervals::range(u128::MAX / 2 + 1, u128::MAX));
    assert_eq!(halves, all, "what touches is one");
    assert_eq!(Intervals::range(5_u128, 4), Intervals::new());
    let last = Intervals::range(u128::MAX, u128::MAX);
    assert_eq!(all.difference(&last), Intervals::range(0, u128::MAX - 1));
    let layered = Layered::product(&all, &1_u64).difference(&Layered::product(&last, &1_u64));
    assert_eq!(layered.at(u128::MAX), None);
    assert_eq!(layered.at(0), Some(&1));
}

#[test]
fn equal_sets_of_ports_have_one_number() {
    let mut table = PortTable::new();
    let web = PortSet::range(Protocol::Tcp, 80, 80).union(&PortSet::range(Protocol::Tcp, 443, 443));
    let (a, b) = (
        table.id(PortSet::range(Protocol::Tcp, 80, 80)),
        table.id(PortSet::range(Protocol::Tcp, 443, 443)),
    );
    let id = table.id(web.clone());
    for _ in 0..2 {
        assert_eq!(table.union(a, b), id);
        assert_eq!(table.union(b, a), id);
        assert_eq!(table.intersection(id, a), a);
        assert_eq!(table.intersection(a, b), PortTable::EMPTY);
    }
    assert_eq!(table.set(id), &web);
    assert_eq!(web.to_string(), "tcp 80, 443");
    assert_eq!(
        PortSet::every().to_string(),
        "tcp 0-65535; udp 0-65535; icmp"
    );
}
