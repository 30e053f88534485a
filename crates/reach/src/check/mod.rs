//! From an intent to a policy: everything that is wrong with it, all at once.

mod ends;
mod flows;
mod hosts;
mod never;
mod outside;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::day::Day;
use crate::finding::{Finding, Findings, Part};
use crate::intent::{Intent, Party};
use crate::policy::{Member, Members, Parties, Policy};
use crate::set::PerFamily;
use crate::space::Space;

// LIMIT: so many of each list are taken. Hosts are the dearest: pairs of them are kept in memory
// while they are proved, four bytes each.
const ZONES: usize = 1_024;
const HOSTS: usize = 5_000;
const OUTSIDES: usize = 64;
const SERVICES: usize = 4_096;
const FLOWS: usize = 4_096;
const INVARIANTS: usize = 256;
const EXPECTATIONS: usize = 10_000;
/// LIMIT: parties of one end.
const PARTIES: usize = 64;

pub(crate) fn check(intent: &Intent, today: Day) -> Result<Policy, Vec<Finding>> {
    let mut findings = Findings::default();
    if !has_room(intent, &mut findings) {
        return Err(findings.finish());
    }
    let settings = intent.settings;
    if !(1..=10_000).contains(&settings.logs_per_second) {
        let part = part("settings", 0, "", "logs_per_second");
        let message = format!("`{}` is not a rate of logs", settings.logs_per_second);
        findings.error(part, message, "1 to 10,000 in a second");
    }
    let parties = Parties {
        hosts: names(
            "host",
            intent.hosts.iter().map(|one| one.name.as_str()),
            &mut findings,
        ),
        outsides: names(
            "outside",
            intent.outsides.iter().map(|one| one.name.as_str()),
            &mut findings,
        ),
        ..Parties::default()
    };
    let mut checked = Checked {
        intent,
        findings,
        parties,
    };
    let hosts = checked.hosts();
    let outside = checked.outside(&hosts);
    let spaces = PerFamily::of(|family| {
        let addresses: Vec<Vec<u128>> = hosts
            .iter()
            .map(|host| host.addresses.at(family).clone())
            .collect();
        Space::new(&addresses, outside.at(family))
    });
    checked.finish(today, hosts, spaces)
}

/// What is known while an intent is checked.
struct Checked<'a> {
    intent: &'a Intent,
    findings: Findings,
    parties: Parties,
}

impl Checked<'_> {
    fn finish(
        mut self,
        today: Day,
        hosts: Vec<Member>,
        spaces: PerFamily<Space>,
    ) -> Result<Policy, Vec<Finding>> {
        let services = self.services();
        let mut ends = ends::Ends::new(&spaces);
        let grants = self.flows(today, &services, &mut ends);
        let invariants = self.invariants(&spaces);
        self.expectations();
        never::direct(
            self.intent,
            &invariants,
            &grants,
            &ends.sides,
            &mut self.findings,
        );
        if self.findings.has_errors() {
            return Err(self.findings.finish());
        }
        let mut grants: Vec<_> = grants.into_iter().map(|(_, grant)| grant).collect();
        grants.sort_by(|a, b| a.flow.cmp(&b.flow));
        let sides = ends.sides;
        let at = |end: fn(&crate::policy::Grant) -> usize| {
            PerFamily::of(|family| {
                let mut lists = vec![Vec::new(); spaces.at(family).classes()];
                for (number, grant) in grants.iter().enumerate() {
                    let side = sides.get(end(grant));
                    let classes = side.map(|side| side.classes.at(family));
                    for class in classes.into_iter().flat_map(|classes| classes.iter()) {
                        if let Some(list) = lists.get_mut(class) {
                            list.push(number);
                        }
                    }
                }
                lists
            })
        };
        Ok(Policy {
            settings: self.intent.settings,
            outgoing: at(|grant| grant.from),
            incoming: at(|grant| grant.to),
            hosts,
            outsides: self
                .intent
                .outsides
                .iter()
                .map(|one| one.name.clone())
                .collect(),
            parties: self.parties,
            spaces,
            sides,
            grants,
            invariants,
            expectations: self.intent.expectations.clone(),
            notes: self.findings.finish(),
        })
    }

    /// Who some parties are. What is wrong with them is said of `part`.
    fn members(&mut self, parties: &[Party], part: impl Fn(&str) -> Part, field: &str) -> Members {
        let mut all = Members {
            hosts: crate::set::Bits::new(self.parties.hosts.len()),
            networks: 0,
        };
        if !(1..=PARTIES).contains(&parties.len()) {
            let message = format!("{} parties are named", parties.len());
            self.findings
                .error(part(field), message, format!("name 1 to {PARTIES}"));
        }
        for (at, party) in parties.iter().take(PARTIES).enumerate() {
            let place = || part(&format!("{field}[{at}]"));
            match self.parties.members(party) {
                None => {
                    let hint = self.parties.hint(party);
                    let message = format!("there is no {} {:?}", party.kind(), party.name());
                    self.findings.error(place(), message, hint);
                }
                Some(members) if members.hosts.is_empty() && members.networks == 0 => {
                    let message = format!("{party} has no hosts");
                    let hint = "give it a host, or leave it out";
                    self.findings.error(place(), message, hint);
                }
                Some(members) => {
                    all.hosts.add_all(&members.hosts);
                    all.networks |= members.networks;
                }
            }
        }
        all
    }
}

/// Whether no list is longer than it may be. Nothing else is looked at when one is.
fn has_room(intent: &Intent, findings: &mut Findings) -> bool {
    let lists = [
        ("zones", intent.zones.len(), ZONES),
        ("hosts", intent.hosts.len(), HOSTS),
        ("outside networks", intent.outsides.len(), OUTSIDES),
        ("services", intent.services.len(), SERVICES),
        ("flows", intent.flows.len(), FLOWS),
        ("invariants", intent.invariants.len(), INVARIANTS),
        ("expectations", intent.expectations.len(), EXPECTATIONS),
    ];
    for (what, count, most) in lists.into_iter().filter(|(_, count, most)| count > most) {
        let message = format!("there are {count} {what}, {most} are the most");
        findings.error(part("intent", 0, "", ""), message, "divide the estate");
    }
    !findings.has_errors()
}

/// The names of a list with their numbers; bad ones and repeated ones are findings.
fn names<'n>(
    list: &'static str,
    all: impl Iterator<Item = &'n str>,
    findings: &mut Findings,
) -> BTreeMap<String, usize> {
    let mut known = BTreeMap::new();
    for (index, name) in all.enumerate() {
        if !is_name(name) {
            bad_name(part(list, index, name, "name"), name, findings);
        }
        if let Some(first) = known.insert(name.to_owned(), index) {
            let message = format!("{name:?} is the name of {list}[{first}] already");
            findings.error(part(list, index, name, "name"), message, "choose another");
            known.insert(name.to_owned(), first);
        }
    }
    known
}

/// SECURITY: names become part of texts that nft, logs and people read; in these characters nothing
/// means anything there.
fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(plain)
}

fn bad_name(part: Part, name: &str, findings: &mut Findings) {
    let shown: String = name.chars().take(63).collect();
    let message = format!("{shown:?} is not a name");
    findings.error(part, message, "1 to 63 lower-case letters, digits and `-`");
}

fn part(list: &'static str, index: usize, name: &str, field: &str) -> Part {
    Part {
        list,
        index,
        // LIMIT: a name that is none may be of any length.
        name: name.chars().take(63).collect(),
        field: field.to_owned(),
    }
}
