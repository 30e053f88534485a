//! Outside networks: what is left of them without the estate's own addresses.

use super::{Checked, part};
use crate::intent::Outside;
use crate::policy::Member;
use crate::set::{Family, Intervals, Layered, PerFamily, Region as _};

/// LIMIT: networks of one outside.
const NETWORKS: usize = 4_096;

/// Addresses that are nobody's elsewhere: this network, loopback, one link, groups, reserved (RFC
/// 6890 §2.2.2). A wider network means them no more than its author thought of them, and by its
/// address on a link a host of the estate would be outside. A network that is within one of them
/// was meant.
const NOT_ELSEWHERE_4: [(u128, u128); 4] = [
    (0x0000_0000, 0x00ff_ffff),
    (0x7f00_0000, 0x7fff_ffff),
    (0xa9fe_0000, 0xa9fe_ffff),
    (0xe000_0000, 0xffff_ffff),
];
const NOT_ELSEWHERE_6: [(u128, u128); 3] = [
    (0, 1),
    (0xfe80 << 112, 0xfebf << 112 | u128::MAX >> 16),
    (0xff00 << 112, u128::MAX),
];

/// What a prefix means when it is an outside network.
fn elsewhere(family: Family, low: u128, high: u128) -> Intervals<u128> {
    let special: &[(u128, u128)] = match family {
        Family::V4 => &NOT_ELSEWHERE_4,
        Family::V6 => &NOT_ELSEWHERE_6,
    };
    let cut = special
        .iter()
        .filter(|(first, last)| low < *first || *last < high);
    Intervals::range(low, high).difference(&Intervals::from_ranges(cut.copied()))
}

impl Checked<'_> {
    /// Which outside networks each address lies in, a bit for each.
    pub(super) fn outside(&mut self, hosts: &[Member]) -> PerFamily<Layered<u64>> {
        let ours = PerFamily::of(|family| {
            let all = hosts.iter().flat_map(|host| host.addresses.at(family));
            let ours = Intervals::from_ranges(all.map(|address| (*address, *address)));
            match family {
                Family::V4 => ours,
                // SECURITY: what comes from `::ffff:10.0.0.1` is IPv4 to a program that listens on
                // both (RFC 4291 §2.5.5.2), and would be taken for that host.
                Family::V6 => ours.union(&Intervals::range(0xffff_0000_0000, 0xffff_ffff_ffff)),
            }
        });
        let mut layers = PerFamily::<Layered<u64>>::default();
        for (index, outside) in self.intent.outsides.iter().enumerate() {
            let networks = self.networks(index, outside);
            let mut is_empty = true;
            for family in Family::BOTH {
                let rest = networks.at(family).difference(ours.at(family));
                is_empty &= rest.is_empty();
                let layer = layers.at_mut(family);
                *layer = layer.union(&Layered::product(&rest, &(1 << (index % 64))));
            }
            if is_empty && !outside.networks.is_empty() {
                let message = "nothing is left of it without the estate's own addresses";
                let at = part("outside", index, &outside.name, "networks");
                self.findings
                    .error(at, message, "name the hosts themselves in flows");
            }
        }
        layers
    }

    fn networks(&mut self, index: usize, outside: &Outside) -> PerFamily<Intervals<u128>> {
        let mut ranges = PerFamily::<Vec<(u128, u128, usize)>>::default();
        let place = |at: usize| part("outside", index, &outside.name, &format!("networks[{at}]"));
        if !(1..=NETWORKS).contains(&outside.networks.len()) {
            let message = format!("it has {} networks", outside.networks.len());
            let at = part("outside", index, &outside.name, "networks");
            self.findings
                .error(at, message, format!("give it 1 to {NETWORKS}"));
        }
        for (at, prefix) in outside.networks.iter().take(NETWORKS).enumerate() {
            match (prefix.range(), prefix.first()) {
                (Some((low, high)), Some(first)) if first == prefix.address => {
                    let family = Family::of(prefix.address);
                    ranges.at_mut(family).push((low, high, at));
                }
                (Some(_), Some(first)) => {
                    let message =
                        format!("`{prefix}` has bits set after the first {}", prefix.length);
                    let hint = format!("did you mean `{first}/{}`?", prefix.length);
                    self.findings.error(place(at), message, hint);
                }
                _ => {
                    let message = format!("`{prefix}` counts more bits than its address has");
                    self.findings
                        .error(place(at), message, "at most 32 of IPv4, 128 of IPv6");
                }
            }
        }
        PerFamily::of(|family| {
            let list = ranges.at_mut(family);
            list.sort_unstable();
            for pair in list.windows(2) {
                // Prefixes are apart or one within the other, so that neighbours tell.
                if let [(_, end, first), (low, _, second)] = pair
                    && low <= end
                {
                    let message = format!("it overlaps with networks[{first}]");
                    self.findings
                        .error(place(*second), message, "leave out the smaller one");
                }
            }
            let parts = list
                .iter()
                .map(|(low, high, _)| elsewhere(family, *low, *high));
            Intervals::from_ranges(parts.flat_map(|part| part.iter().collect::<Vec<_>>()))
        })
    }
}
