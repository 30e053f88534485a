//! What holds at every host whatever flows say: the frame that their rules stand in. The reader
//! wants exactly these lines, in this order.

use crate::intent::{Addressing, Forwarding, Mode};
use crate::policy::{Direction, Member, Policy};
use crate::set::{Family, Intervals, PerFamily};

/// Our table.
pub(crate) const TABLE: &str = "rampart";
/// Before the filters of others, which come at 0: an `accept` of ours ends nothing, since they are
/// asked after us, and a drop of ours is final.
pub(crate) const PRIORITY: i32 = -10;

/// A chain that the kernel calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseChain {
    /// The hook, which is the chain's name as well.
    pub(crate) hook: &'static str,
    /// What becomes of a packet that no rule decides.
    pub(crate) policy: &'static str,
    /// The rules, a line for each.
    pub(crate) lines: Vec<String>,
}

/// The frame of one host.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) chains: Vec<BaseChain>,
    pub(crate) counters: Vec<&'static str>,
    /// The host's own addresses, where it has some.
    pub(crate) own: PerFamily<Option<Intervals<u128>>>,
}

impl Frame {
    pub(crate) fn of(policy: &Policy, host: &Member) -> Self {
        let own = PerFamily::of(|family| {
            let addresses = host.addresses.at(family);
            let own = Intervals::from_ranges(addresses.iter().map(|one| (*one, *one)));
            (!own.is_empty()).then_some(own)
        });
        let (verdict, last) = match host.mode {
            Mode::Enforce => ("drop", "drop"),
            Mode::Observe => ("accept", "accept"),
        };
        let mut chains = vec![
            BaseChain {
                hook: "input",
                policy: last,
                lines: input(host, verdict),
            },
            BaseChain {
                hook: "output",
                policy: last,
                lines: output(host, verdict),
            },
        ];
        let mut counters = vec![
            "dropped_input",
            "dropped_output",
            "invalid_input",
            "invalid_output",
            "spoofed_input",
        ];
        if host.forwarding == Forwarding::Dropped {
            counters.push("dropped_forward");
            chains.push(BaseChain {
                hook: "forward",
                policy: last,
                lines: Vec::new(),
            });
        }
        for chain in &mut chains {
            chain.lines.extend(rest(policy, chain.hook));
        }
        Self {
            chains,
            counters,
            own,
        }
    }

    pub(crate) fn write(&self, text: &mut String) {
        for chain in &self.chains {
            let BaseChain {
                hook,
                policy,
                lines,
            } = chain;
            text.push_str(&format!("\tchain {hook} {{\n\t\ttype filter hook {hook} "));
            text.push_str(&format!("priority {PRIORITY}; policy {policy};\n"));
            for line in lines {
                text.push_str(&format!("\t\t{line}\n"));
            }
            text.push_str("\t}\n");
        }
    }
}

/// SECURITY: a connection's answers pass, but what its opener sends is held against the rules of
/// flows each time. A flow that is taken away ends with the next packet, and a connection that
/// conntrack takes up again in its middle is no way around them.
const ANSWERS: &str = "ct state established ct direction reply accept";

/// Errors about connections there are (RFC 4890 §4.3.1, RFC 1812 §5.2.7): path MTU discovery lives
/// on them. Redirects are not among them.
const ERRORS_4: &str = "ct state related icmp type { destination-unreachable, time-exceeded, parameter-problem } accept";
const ERRORS_6: &str = "ct state related icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept";

fn input(host: &Member, verdict: &str) -> Vec<String> {
    let mut lines = vec!["iifname \"lo\" accept".to_owned()];
    lines.push(format!(
        "ct state invalid counter name \"invalid_input\" {verdict}"
    ));
    let families = || {
        Family::BOTH
            .into_iter()
            .filter(|family| !host.addresses.at(*family).is_empty())
    };
    for family in families() {
        // What a host sends to itself comes by the loopback interface, never from a wire.
        lines.push(format!(
            "{} saddr @self_{} counter name \"spoofed_input\" {verdict}",
            family.word(),
            family.digit()
        ));
    }
    lines.push(ANSWERS.to_owned());
    for family in families() {
        lines.extend(match family {
            Family::V4 => vec![ERRORS_4],
            // Neighbour discovery from this link only (RFC 4861 §6.1, §7.1: a hop limit of 255),
            // and questions about groups, without which switches forget where it should go
            // (RFC 4890 §4.4.1).
            Family::V6 => vec![
                ERRORS_6,
                "ip6 hoplimit 255 icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept",
                "ip6 saddr fe80::/10 icmpv6 type mld-listener-query accept",
            ],
        }.into_iter().map(str::to_owned));
    }
    if host.addressing == Addressing::Dhcp {
        // RFC 2131 §4.1, RFC 8415 §7.2. Answers to a broadcast are none to conntrack.
        lines.extend(families().map(|family| match family {
            Family::V4 => "meta nfproto ipv4 udp sport 67 udp dport 68 accept".to_owned(),
            Family::V6 => "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept".to_owned(),
        }));
    }
    lines.extend(families().map(|family| jump(family, Direction::In)));
    lines
}

fn output(host: &Member, verdict: &str) -> Vec<String> {
    let mut lines = vec!["oifname \"lo\" accept".to_owned()];
    lines.push(format!(
        "ct state invalid counter name \"invalid_output\" {verdict}"
    ));
    lines.push(ANSWERS.to_owned());
    let families = || {
        Family::BOTH
            .into_iter()
            .filter(|family| !host.addresses.at(*family).is_empty())
    };
    for family in families() {
        lines.extend(match family {
            Family::V4 => vec![ERRORS_4],
            Family::V6 => vec![
                ERRORS_6,
                "ip6 hoplimit 255 icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept",
                "icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report } accept",
            ],
        }.into_iter().map(str::to_owned));
    }
    if host.addressing == Addressing::Dhcp {
        lines.extend(families().map(|family| match family {
            Family::V4 => "meta nfproto ipv4 udp sport 68 udp dport 67 accept".to_owned(),
            Family::V6 => "ip6 daddr ff02::1:2 udp sport 546 udp dport 547 accept".to_owned(),
        }));
    }
    lines.extend(families().map(|family| jump(family, Direction::Out)));
    lines
}

/// To the rules of flows, with packets that are the host's own.
fn jump(family: Family, direction: Direction) -> String {
    let (word, digit, hook) = (family.word(), family.digit(), direction.hook());
    let own = match direction {
        Direction::In => "daddr",
        Direction::Out => "saddr",
    };
    format!("{word} {own} @self_{digit} jump {hook}_{digit}")
}

/// What nothing permitted: counted all, told some, and left to the chain's policy.
fn rest(policy: &Policy, hook: &str) -> Vec<String> {
    let rate = policy.settings.logs_per_second;
    let group = policy.settings.log_group;
    let burst = rate.saturating_mul(2);
    vec![
        format!("counter name \"dropped_{hook}\""),
        format!(
            "limit rate {rate}/second burst {burst} packets log prefix \"rampart {hook} \" group {group}"
        ),
    ]
}
