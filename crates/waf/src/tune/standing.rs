//! Who looks like an attacker: by all that was met of them, for one request alone seldom tells.
//!
//! What a person's own text trips is one rule or two at the same place, again and again. Who looks
//! for a weakness tries many rules, many places, and what no text of people holds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::seen::Seen;
use crate::known::Known;

/// From so many different rules on, an address that nobody signed in from looks for something.
const RULES_OF_A_STRANGER: usize = 6;
/// The same of somebody who signed in, and is answered for by an account.
const RULES_OF_A_PRINCIPAL: usize = 12;
/// From so many different places on, a stranger tries one after the other.
const PLACES_OF_A_STRANGER: usize = 10;
/// From so many times the score that is refused, a stranger's request is no accident.
const WEIGHT_OF_AN_ATTACK: i64 = 4;
/// LIMIT: rules, places and addresses remembered of one sender: more tell nothing more.
const REMEMBERED_MAX: usize = 64;

/// A sender.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Who {
    /// Somebody the gateway knew.
    Principal(String),
    /// An address; of IPv6 the 64 bits that one line has.
    Address(IpAddr),
    /// Not recorded: of many that were counted together.
    Unknown,
}

impl Who {
    pub(super) fn of(seen: &Seen) -> Self {
        match (&seen.principal, seen.source) {
            (Some(id), _) => Self::Principal(id.clone()),
            (None, Some(address)) => Self::Address(line(address)),
            (None, None) => Self::Unknown,
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Principal(id) => id.clone(),
            Self::Address(address @ IpAddr::V6(_)) => format!("{address}/64"),
            Self::Address(address) => address.to_string(),
            Self::Unknown => "many addresses".to_owned(),
        }
    }
}

/// All that was met of a sender.
#[derive(Debug, Default)]
struct Profile {
    rules: BTreeSet<u64>,
    places: BTreeSet<String>,
    lines: BTreeSet<IpAddr>,
    names_itself: bool,
    weight: i64,
}

/// Who looks like an attacker, and why.
#[derive(Debug)]
pub(super) struct Standing {
    attackers: BTreeMap<Who, String>,
    rules: BTreeMap<Who, usize>,
}

impl Standing {
    /// Of everything that was seen; `inspected` are addresses of strangers in whose requests the
    /// built-in inspection found an attack.
    pub(super) fn of(seen: &[Seen], inspected: &BTreeSet<IpAddr>, known: &Known) -> Self {
        let mut profiles: BTreeMap<Who, Profile> = BTreeMap::new();
        for one in seen {
            profiles.entry(Who::of(one)).or_default().add(one, known);
        }
        let inspected: BTreeSet<IpAddr> = inspected.iter().map(|one| line(*one)).collect();
        let mut attackers = BTreeMap::new();
        for (who, profile) in &profiles {
            let why = match who {
                Who::Principal(_) => profile.of_principal(),
                Who::Address(address) => profile.of_stranger(inspected.contains(address)),
                Who::Unknown => None,
            };
            if let Some(why) = why {
                attackers.insert(who.clone(), why);
            }
        }
        let from_the_same: Vec<(Who, String)> = profiles
            .iter()
            .filter(|(who, _)| matches!(who, Who::Principal(_)) && !attackers.contains_key(who))
            .filter_map(|(who, profile)| {
                let mut lines = profile.lines.iter();
                let line = lines.find(|line| attackers.contains_key(&Who::Address(**line)))?;
                let line = Who::Address(*line).text();
                let why = format!("comes from {line}, which looks like an attacker's");
                Some((who.clone(), why))
            })
            .collect();
        attackers.extend(from_the_same);
        let rules = profiles
            .into_iter()
            .map(|(who, profile)| (who, profile.rules.len()))
            .collect();
        Self { attackers, rules }
    }

    /// Why a sender looks like an attacker.
    pub(super) fn against(&self, who: &Who) -> Option<&str> {
        self.attackers.get(who).map(String::as_str)
    }

    /// How many different rules a sender met in all.
    pub(super) fn rules(&self, who: &Who) -> usize {
        self.rules.get(who).copied().unwrap_or_default()
    }
}

impl Profile {
    fn add(&mut self, seen: &Seen, known: &Known) {
        let decider = seen.decision.filter(|one| one.sum.is_some());
        let own = |id: u64| decider.is_none_or(|one| one.rule != id);
        for one in seen.matches.iter().filter(|one| own(one.id)) {
            remember(&mut self.rules, one.id);
            for place in &one.places {
                remember(&mut self.places, place.clone());
            }
            let rule = known.rule(one.id);
            self.names_itself |= rule.is_some_and(|rule| rule.tells_scanners());
        }
        if let Some(source) = seen.source {
            remember(&mut self.lines, line(source));
        }
        self.weight = self.weight.max(seen.weight());
    }

    fn of_principal(&self) -> Option<String> {
        if self.names_itself {
            return Some("meets a rule that recognises scanners".to_owned());
        }
        let rules = self.rules.len();
        (rules >= RULES_OF_A_PRINCIPAL).then(|| format!("met {rules} different rules"))
    }

    fn of_stranger(&self, is_inspected: bool) -> Option<String> {
        let (rules, places) = (self.rules.len(), self.places.len());
        if self.names_itself {
            return Some("meets a rule that recognises scanners".to_owned());
        }
        if rules >= RULES_OF_A_STRANGER {
            return Some(format!("one address met {rules} different rules"));
        }
        if places >= PLACES_OF_A_STRANGER {
            return Some(format!("one address tried {places} different places"));
        }
        if self.weight >= WEIGHT_OF_AN_ATTACK {
            let weight = self.weight;
            return Some(format!("scored {weight} times what is refused"));
        }
        is_inspected.then(|| "the built-in inspection finds attacks of it, too".to_owned())
    }
}

fn remember<T: Ord>(set: &mut BTreeSet<T>, one: T) {
    if set.len() < REMEMBERED_MAX {
        set.insert(one);
    }
}

/// What one line of an access provider has: an address of IPv4, 64 bits of IPv6 (RFC 6177).
fn line(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// What one operator easily has many addresses of.
pub(super) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(four) => {
            let [a, b, c, _] = four.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(six) => {
            let [a, b, c, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}
