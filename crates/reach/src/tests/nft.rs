//! What nft would make of a text: an interpreter of its own, which shares no line with the reader
//! and is looser than it. Mutants are judged by it, with packets.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// A packet as a chain sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) hook: &'static str,
    pub(crate) is_loopback: bool,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    /// `tcp`, `udp`, `icmp` or `icmpv6`.
    pub(crate) protocol: &'static str,
    pub(crate) source_port: u32,
    pub(crate) port: u32,
    pub(crate) icmp: &'static str,
    pub(crate) hops: u32,
    pub(crate) state: &'static str,
    pub(crate) is_reply: bool,
}

type Ranges = Vec<(u128, u128)>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Chain {
    /// Hook and priority.
    hook: Option<(String, String)>,
    policy: String,
    rules: Vec<Vec<String>>,
}

/// A loaded table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    sets: BTreeMap<String, (String, Ranges)>,
    chains: BTreeMap<String, Chain>,
    counters: Vec<String>,
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn element(kind: &str, text: &str) -> Option<(u128, u128)> {
    let bits: u32 = if kind == "ipv4_addr" { 32 } else { 128 };
    let one = |text: &str| {
        let address: IpAddr = text.parse().ok()?;
        (address.is_ipv4() == (bits == 32)).then(|| number(address))
    };
    if let Some((address, length)) = text.split_once('/') {
        let (low, length) = (one(address)?, length.parse::<u32>().ok()?);
        let free = bits.checked_sub(length)?;
        let mask = if free == 0 {
            0
        } else {
            u128::MAX >> (128 - free)
        };
        return Some((low & !mask, low | mask));
    }
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (one(low)?, one(high)?);
    (low <= high).then_some((low, high))
}

impl Table {
    /// Loads a text; none when nft would refuse it, or when it would not leave exactly what it says:
    /// without its first lines it would be added to what is there.
    pub(crate) fn load(text: &str) -> Option<Self> {
        // Elements may go on in the next line.
        let joined: Vec<&str> = text
            .split(",\n")
            .map(|part| part.trim_start_matches(['\t', ' ']))
            .collect();
        let text = joined.join(", ");
        let mut lines = text.split('\n').map(|line| line.trim_matches([' ', '\t']));
        let mut lines = lines.by_ref().filter(|line| !line.is_empty());
        for wanted in [
            "table inet rampart",
            "delete table inet rampart",
            "table inet rampart {",
        ] {
            (lines.next()? == wanted).then_some(())?;
        }
        let mut table = Self::default();
        loop {
            let line = lines.next()?;
            if line == "}" {
                break;
            }
            let (kind, name) = line.strip_suffix(" {")?.split_once(' ')?;
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
            match kind {
                "counter" if body.is_empty() => table.counters.push(name.to_owned()),
                "set" => table.add_set(name, &body)?,
                "chain" => table.add_chain(name, &body),
                _ => return None,
            }
        }
        (lines.next().is_none() && table.is_sound()).then_some(table)
    }

    fn add_set(&mut self, name: &str, body: &[&str]) -> Option<()> {
        let [kind, "flags interval", elements] = body else {
            return None;
        };
        let kind = kind.strip_prefix("type ")?;
        let list = elements.strip_prefix("elements = { ")?.strip_suffix(" }")?;
        let mut ranges = Vec::new();
        for text in list.split(", ") {
            ranges.push(element(kind, text)?);
        }
        let slot = self
            .sets
            .entry(name.to_owned())
            .or_insert((kind.to_owned(), Vec::new()));
        slot.1.extend(ranges);
        Some(())
    }

    fn add_chain(&mut self, name: &str, body: &[&str]) {
        let chain = self.chains.entry(name.to_owned()).or_default();
        for line in body {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            if words.first().is_some_and(|word| word == "type") && words.len() == 8 {
                chain.hook = Some((words[3].clone(), words[5].clone()));
                chain.policy.clone_from(&words[7]);
            } else {
                chain.rules.push(words);
            }
        }
    }

    /// Whether everything that is named is there, and every rule can be understood.
    fn is_sound(&self) -> bool {
        let rules = self.chains.values().flat_map(|chain| &chain.rules);
        rules.into_iter().all(|rule| {
            let mut words = rule.iter().map(String::as_str);
            while let Some(word) = words.next() {
                if let Some(set) = word.strip_prefix('@')
                    && !self.sets.contains_key(set)
                {
                    return false;
                }
                if word == "jump"
                    && !words
                        .next()
                        .is_some_and(|chain| self.chains.contains_key(chain))
                {
                    return false;
                }
                if word == "name" {
                    let name = words.next().unwrap_or_default().trim_matches('"');
                    if !self.counters.iter().any(|counter| counter == name) {
                        return false;
                    }
                }
            }
            Rule { words: rule, at: 0 }
                .verdict(self, &probe())
                .is_some()
        })
    }

    /// The hooks with their priorities.
    pub(crate) fn hooks(&self) -> Vec<&(String, String)> {
        let mut hooks: Vec<_> = self
            .chains
            .values()
            .filter_map(|chain| chain.hook.as_ref())
            .collect();
        hooks.sort();
        hooks
    }

    /// Whether a packet passes all chains of its hook.
    pub(crate) fn passes(&self, packet: &Seen) -> bool {
        self.chains.values().all(|chain| match &chain.hook {
            Some((hook, _)) if hook == packet.hook => self
                .run(chain, packet, 0)
                .unwrap_or(chain.policy == "accept;"),
            _ => true,
        })
    }

    fn run(&self, chain: &Chain, packet: &Seen, depth: u32) -> Option<bool> {
        for words in &chain.rules {
            match (Rule { words, at: 0 }).verdict(self, packet).flatten() {
                Some(Verdict::Accept) => return Some(true),
                Some(Verdict::Drop) => return Some(false),
                Some(Verdict::Jump(name)) if depth < 8 => {
                    let made = self.run(self.chains.get(&name)?, packet, depth + 1);
                    if made.is_some() {
                        return made;
                    }
                }
                _ => {}
            }
        }
        None
    }
}

fn probe() -> Seen {
    Seen {
        hook: "input",
        is_loopback: false,
        source: IpAddr::from([192, 0, 2, 1]),
        destination: IpAddr::from([192, 0, 2, 2]),
        protocol: "tcp",
        source_port: 1,
        port: 1,
        icmp: "",
        hops: 64,
        state: "new",
        is_reply: false,
    }
}

enum Verdict {
    Accept,
    Drop,
    Jump(String),
}

struct Rule<'a> {
    words: &'a [String],
    at: usize,
}

impl<'a> Rule<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    /// A value, or those between braces.
    fn values(&mut self) -> Option<Vec<&'a str>> {
        let first = self.next()?;
        if first != "{" {
            return Some(vec![first]);
        }
        let mut all = Vec::new();
        loop {
            match self.next()? {
                "}" => return (!all.is_empty()).then_some(all),
                word => all.push(word.trim_end_matches(',')),
            }
        }
    }

    /// What a rule says to a packet. The outer option is whether the rule can be understood; every
    /// part of it is read, whether or not an earlier one matches.
    fn verdict(mut self, table: &Table, packet: &Seen) -> Option<Option<Verdict>> {
        let mut matches = true;
        let is_4 = packet.source.is_ipv4();
        while let Some(word) = self.next() {
            match word {
                "iifname" | "oifname" => {
                    (self.next()? == "\"lo\"").then_some(())?;
                    let side = if word == "iifname" { "input" } else { "output" };
                    matches &= packet.is_loopback && packet.hook == side;
                }
                "ct" => match self.next()? {
                    "state" => matches &= self.next()?.split(',').any(|one| one == packet.state),
                    "direction" => matches &= (self.next()? == "reply") == packet.is_reply,
                    _ => return None,
                },
                "meta" => match (self.next()?, self.next()?) {
                    ("nfproto", family) => matches &= (family == "ipv4") == is_4,
                    _ => return None,
                },
                "ip" | "ip6" => {
                    matches &= (word == "ip") == is_4;
                    matches &= self.address(
                        table,
                        packet,
                        if word == "ip" {
                            "ipv4_addr"
                        } else {
                            "ipv6_addr"
                        },
                    )?;
                }
                "icmp" | "icmpv6" => {
                    (self.next()? == "type").then_some(())?;
                    let types = self.values()?;
                    matches &= packet.protocol == word && types.contains(&packet.icmp);
                }
                "tcp" | "udp" => {
                    let end = self.next()?;
                    let port = match end {
                        "dport" => packet.port,
                        "sport" => packet.source_port,
                        _ => return None,
                    };
                    let mut hit = false;
                    for value in self.values()? {
                        let (low, high) = value.split_once('-').unwrap_or((value, value));
                        let (low, high): (u32, u32) = (low.parse().ok()?, high.parse().ok()?);
                        (low <= high && high <= 65_535).then_some(())?;
                        hit |= (low..=high).contains(&port);
                    }
                    matches &= packet.protocol == word && hit;
                }
                "counter" => {
                    (self.next()? == "name").then_some(())?;
                    self.next()?;
                }
                // Telling of a packet decides nothing: the rest of the line is about that.
                "limit" | "log" => return Some(None),
                "accept" => return self.end(matches.then_some(Verdict::Accept)),
                "drop" => return self.end(matches.then_some(Verdict::Drop)),
                "jump" => {
                    let chain = self.next()?.to_owned();
                    return self.end(matches.then_some(Verdict::Jump(chain)));
                }
                _ => return None,
            }
        }
        Some(None)
    }

    /// Nothing follows a verdict.
    fn end(mut self, verdict: Option<Verdict>) -> Option<Option<Verdict>> {
        self.next().is_none().then_some(verdict)
    }

    fn address(&mut self, table: &Table, packet: &Seen, kind: &str) -> Option<bool> {
        let field = self.next()?;
        if field == "hoplimit" {
            let hops: u32 = self.next()?.parse().ok()?;
            return Some(packet.hops == hops);
        }
        let address = match field {
            "saddr" => packet.source,
            "daddr" => packet.destination,
            _ => return None,
        };
        let value = self.next()?;
        let is_in = |ranges: &Ranges| {
            ranges
                .iter()
                .any(|(low, high)| (*low..=*high).contains(&number(address)))
        };
        let is_kind = address.is_ipv4() == (kind == "ipv4_addr");
        match value.strip_prefix('@') {
            Some(set) => match table.sets.get(set) {
                Some((of, ranges)) => (of == kind).then(|| is_kind && is_in(ranges)),
                None => None,
            },
            None => Some(is_kind && is_in(&vec![element(kind, value)?])),
        }
    }
}
