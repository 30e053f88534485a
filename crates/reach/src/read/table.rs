//! A table: counters, sets and chains.

use std::collections::{HashMap, HashSet};

use super::lines::Lines;
use super::sets::Store;
use super::{Form, NotOurs, shown};
use crate::compile::TEXT_BYTES;
use crate::compile::frame::{PRIORITY, TABLE};
use crate::policy::Direction;
use crate::set::{Family, PortId};

/// LIMIT: rules of one chain; as many flows as a policy has, each with three protocols.
const RULES: usize = 3 * 4_096;

/// A rule of a flow: packets of a set, at some ports, pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule<'a> {
    pub(crate) line: u32,
    pub(crate) text: &'a str,
    /// The number of the set in its [`Store`].
    pub(crate) set: usize,
    pub(crate) ports: PortId,
}

/// A chain that the kernel calls, as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Base<'a> {
    pub(crate) hook: &'a str,
    pub(crate) policy: &'a str,
    pub(crate) line: u32,
    pub(crate) lines: Vec<(u32, &'a str)>,
}

/// The rules of flows in one chain.
#[derive(Clone, Debug)]
pub(crate) struct Chain<'a> {
    pub(crate) direction: Direction,
    pub(crate) family: Family,
    pub(crate) line: u32,
    pub(crate) rules: Vec<Rule<'a>>,
}

/// Everything that a host's text says.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostRules<'a> {
    pub(crate) bases: Vec<Base<'a>>,
    pub(crate) chains: Vec<Chain<'a>>,
    pub(crate) counters: HashSet<&'a str>,
    /// Name, family, line, and the number of the set.
    pub(crate) sets: HashMap<&'a str, (Family, u32, usize)>,
    pub(crate) lines: u32,
}

impl<'a> HostRules<'a> {
    /// The rules of flows in one direction; none when there is no such chain.
    pub(crate) fn rules(&self, direction: Direction, family: Family) -> &[Rule<'a>] {
        let chain = |chain: &&Chain<'a>| chain.direction == direction && chain.family == family;
        self.chains
            .iter()
            .find(chain)
            .map_or(&[], |chain| &chain.rules)
    }
}

/// A rule before its set is known by name.
type Named<'a> = (Rule<'a>, &'a str);

struct Reader<'a, 's> {
    lines: Lines<'a>,
    store: &'s mut Store<'a>,
    made: HostRules<'a>,
    /// Rules of each chain of `made.chains`.
    named: Vec<Vec<Named<'a>>>,
    /// Counters that rules name, and where.
    used: Vec<(u32, &'a str)>,
}

/// Reads a text.
pub(crate) fn read<'a>(
    text: &'a str,
    form: Form,
    store: &mut Store<'a>,
) -> Result<HostRules<'a>, NotOurs> {
    if text.len() > TEXT_BYTES {
        let what = format!("it is longer than {TEXT_BYTES} bytes");
        return Err(NotOurs::new(0, what));
    }
    let mut reader = Reader {
        lines: Lines::of(text),
        store,
        made: HostRules::default(),
        named: Vec::new(),
        used: Vec::new(),
    };
    if form == Form::Applied {
        // Without these the new rules would be added to the old.
        reader.expect(&format!("table inet {TABLE}"))?;
        reader.expect(&format!("delete table inet {TABLE}"))?;
    }
    reader.expect(&format!("table inet {TABLE} {{"))?;
    reader.body()?;
    if let Some((line, text)) = reader.lines.next() {
        return Err(NotOurs::new(
            line,
            format!("{} follows our table", shown(text)),
        ));
    }
    reader.finish()
}

impl<'a> Reader<'a, '_> {
    fn take(&mut self) -> Result<(u32, &'a str), NotOurs> {
        let end = || NotOurs::new(0, "the text ends in the middle of the table");
        self.lines.next().ok_or_else(end)
    }

    fn expect(&mut self, wanted: &str) -> Result<u32, NotOurs> {
        let (line, text) = self.take()?;
        if text == wanted {
            return Ok(line);
        }
        let what = format!("{} stands where `{wanted}` must", shown(text));
        Err(NotOurs::new(line, what))
    }

    fn body(&mut self) -> Result<(), NotOurs> {
        loop {
            let (line, text) = self.take()?;
            if text == "}" {
                self.made.lines = line;
                return Ok(());
            }
            let words = text
                .strip_suffix(" {")
                .and_then(|head| head.split_once(' '));
            match words {
                Some(("counter", name)) => self.counter(line, name)?,
                Some(("set", name)) => self.set(line, name)?,
                Some(("chain", name)) => self.chain(line, name)?,
                _ => {
                    return Err(NotOurs::new(
                        line,
                        format!("{} is no part of our table", shown(text)),
                    ));
                }
            }
        }
    }

    fn counter(&mut self, line: u32, name: &'a str) -> Result<(), NotOurs> {
        named(line, name)?;
        if !self.made.counters.insert(name) {
            return Err(NotOurs::new(
                line,
                format!("counter `{name}` is there twice"),
            ));
        }
        let (line, text) = self.take()?;
        if text == "}" {
            return Ok(());
        }
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let numbers = text
            .strip_prefix("packets ")
            .and_then(|rest| rest.split_once(" bytes "));
        if !numbers.is_some_and(|(packets, bytes)| is_number(packets) && is_number(bytes)) {
            return Err(NotOurs::new(
                line,
                format!("{} is not what a counter has", shown(text)),
            ));
        }
        self.expect("}").map(|_| ())
    }

    fn set(&mut self, line: u32, name: &'a str) -> Result<(), NotOurs> {
        named(line, name)?;
        let (at, text) = self.take()?;
        let family = match text {
            "type ipv4_addr" => Family::V4,
            "type ipv6_addr" => Family::V6,
            _ => {
                return Err(NotOurs::new(
                    at,
                    format!("{} is no type of our sets", shown(text)),
                ));
            }
        };
        self.expect("flags interval")?;
        let at = self.lines.line();
        let elements = self.lines.braced("elements = ");
        let set = elements.and_then(|(_, elements)| self.store.addresses(family, elements));
        let Some(set) = set else {
            let what = format!("the elements of set `{name}` are not as we write them");
            return Err(NotOurs::new(at, what));
        };
        self.expect("}")?;
        if self.made.sets.insert(name, (family, line, set)).is_some() {
            // nft would put the elements of both together.
            return Err(NotOurs::new(line, format!("set `{name}` is there twice")));
        }
        Ok(())
    }

    fn chain(&mut self, line: u32, name: &'a str) -> Result<(), NotOurs> {
        let is_known = (self.made.bases.iter().any(|base| base.hook == name))
            || (self.made.chains.iter())
                .any(|chain| chain_name(chain.direction, chain.family) == name);
        if is_known {
            // nft would put the rules of both one after the other.
            return Err(NotOurs::new(line, format!("chain `{name}` is there twice")));
        }
        if matches!(name, "input" | "output" | "forward") {
            return self.base(line, name);
        }
        let ours = Direction::BOTH.into_iter().flat_map(|direction| {
            Family::BOTH
                .into_iter()
                .map(move |family| (direction, family))
        });
        let mut ours = ours.filter(|(direction, family)| chain_name(*direction, *family) == name);
        let Some((direction, family)) = ours.next() else {
            return Err(NotOurs::new(
                line,
                format!("chain {} is not one of ours", shown(name)),
            ));
        };
        let mut rules = Vec::new();
        loop {
            let (line, text) = self.take()?;
            if text == "}" {
                break;
            }
            let rule = self.rule(line, text, direction, family);
            let not = || NotOurs::new(line, format!("rule {} is not one of ours", shown(text)));
            rules.push(rule.ok_or_else(not)?);
            if rules.len() > RULES {
                return Err(NotOurs::new(
                    line,
                    format!("there are more than {RULES} rules"),
                ));
            }
        }
        self.named.push(rules);
        self.made.chains.push(Chain {
            direction,
            family,
            line,
            rules: Vec::new(),
        });
        Ok(())
    }

    fn base(&mut self, line: u32, hook: &'a str) -> Result<(), NotOurs> {
        let (at, text) = self.take()?;
        let other = || {
            NotOurs::new(
                at,
                format!("{} is not how chain `{hook}` begins", shown(text)),
            )
        };
        let start = text
            .strip_prefix("type filter hook ")
            .and_then(|rest| rest.strip_prefix(hook));
        let start = start
            .and_then(|rest| rest.strip_prefix(" priority "))
            .ok_or_else(other)?;
        let (priority, policy) = start.split_once("; policy ").ok_or_else(other)?;
        let number = PRIORITY.to_string();
        let by_name = format!("filter - {}", PRIORITY.unsigned_abs());
        let policy = policy.strip_suffix(';').ok_or_else(other)?;
        if priority != number && priority != by_name || !matches!(policy, "drop" | "accept") {
            return Err(other());
        }
        let mut lines = Vec::new();
        loop {
            match self.take()? {
                (_, "}") => break,
                line => lines.push(line),
            }
        }
        self.made.bases.push(Base {
            hook,
            policy,
            line,
            lines,
        });
        Ok(())
    }

    /// `ip saddr @zone_app_4 tcp dport 5432 counter name "in_app-db" accept`
    fn rule(
        &mut self,
        line: u32,
        text: &'a str,
        direction: Direction,
        family: Family,
    ) -> Option<Named<'a>> {
        let end = match direction {
            Direction::In => " saddr @",
            Direction::Out => " daddr @",
        };
        let rest = text.strip_prefix(family.word())?.strip_prefix(end)?;
        let (set, rest) = rest.split_once(' ')?;
        let (service, rest) = rest.split_once(" counter name \"")?;
        let counter = rest.strip_suffix("\" accept")?;
        named(line, set).and_then(|()| named(line, counter)).ok()?;
        self.used.push((line, counter));
        let ports = self.store.service(family, service)?;
        let rule = Rule {
            line,
            text,
            set: usize::MAX,
            ports,
        };
        Some((rule, set))
    }

    /// Resolves what rules name.
    fn finish(mut self) -> Result<HostRules<'a>, NotOurs> {
        for (line, counter) in &self.used {
            if !self.made.counters.contains(counter) {
                return Err(NotOurs::new(
                    *line,
                    format!("there is no counter `{counter}`"),
                ));
            }
        }
        for (chain, rules) in self.made.chains.iter_mut().zip(self.named) {
            for (mut rule, set) in rules {
                match self.made.sets.get(set) {
                    Some((family, _, number)) if *family == chain.family => rule.set = *number,
                    _ => {
                        let family = chain.family.digit();
                        let what = format!("there is no set `{set}` of IPv{family} addresses");
                        return Err(NotOurs::new(rule.line, what));
                    }
                }
                chain.rules.push(rule);
            }
        }
        Ok(self.made)
    }
}

pub(crate) fn chain_name(direction: Direction, family: Family) -> String {
    format!("{}_{}", direction.hook(), family.digit())
}

/// Names as we make them: nothing in them means anything to nft.
fn named(line: u32, name: &str) -> Result<(), NotOurs> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    // LIMIT: the longest is `from_`, a name of 63 characters, and `_4`.
    if (1..=80).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(());
    }
    Err(NotOurs::new(
        line,
        format!("{} is not a name of ours", shown(name)),
    ))
}
