//! Why a packet passes, or does not.

use std::fmt;

use crate::error::Error;
use crate::intent::Mode;
use crate::policy::{Direction, Policy};
use crate::read::{Form, Store, read};
use crate::set::{Family, Packet, number};
use crate::space::Class;

/// What comes of the first packet of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// A flow permits it.
    Allowed,
    /// It never leaves its host, where nothing is filtered.
    WithinHost,
    /// No flow permits it.
    NoFlow,
    /// Its source is neither a host's nor in an outside network that a flow could name.
    UnknownSource,
    /// Its destination is neither.
    UnknownDestination,
    /// Neither end is a host of the estate: no rules of ours see it.
    NotOurs,
    /// Its addresses are of two families: there is no such packet.
    NoPacket,
}

impl Decision {
    /// Whether it passes.
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed | Self::WithinHost)
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allowed => "allowed",
            Self::WithinHost => "allowed: it stays within its host",
            Self::NoFlow => "denied: no flow permits it",
            Self::UnknownSource => "denied: its source is nobody's",
            Self::UnknownDestination => "denied: its destination is nobody's",
            Self::NotOurs => "not decided here: neither end is a host of the estate",
            Self::NoPacket => "denied: its addresses are of two families",
        })
    }
}

/// One end of a packet, and what its rules do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A host of the estate.
    Host {
        /// Its name.
        name: String,
        /// Whether what nothing permits is dropped, or only told.
        mode: Mode,
        /// The rules that let the packet through: line and text of what the host is given. None
        /// when the chain's end is reached.
        rules: Vec<(u32, String)>,
    },
    /// An outside network, where no rules of ours are.
    Outside(String),
    /// Neither.
    Nobody,
}

/// Why a packet passes, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The packet.
    pub packet: Packet,
    /// What comes of it where both ends enforce.
    pub decision: Decision,
    /// The flows that permit it.
    pub flows: Vec<String>,
    /// Where it comes from: the rules of `output`.
    pub source: End,
    /// Where it goes: the rules of `input`.
    pub destination: End,
}

impl Policy {
    /// What comes of a packet.
    #[must_use]
    pub fn decide(&self, packet: &Packet) -> Decision {
        if Family::of(packet.source) != Family::of(packet.destination) {
            return Decision::NoPacket;
        }
        let ends = (
            self.class_of(packet.source),
            self.class_of(packet.destination),
        );
        let is_host = |class: Class| class < self.hosts.len();
        match ends {
            (Some(from), Some(to)) if from == to && is_host(from) => Decision::WithinHost,
            (from, to) if !from.is_some_and(is_host) && !to.is_some_and(is_host) => {
                Decision::NotOurs
            }
            (None, _) => Decision::UnknownSource,
            (_, None) => Decision::UnknownDestination,
            (Some(from), Some(to)) if self.flows_for(packet, from, to).is_empty() => {
                Decision::NoFlow
            }
            _ => Decision::Allowed,
        }
    }

    /// What comes of a packet, by which flows, and by which rules at both ends.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn explain(&self, packet: &Packet) -> Result<Explanation, Error> {
        let decision = self.decide(packet);
        let ends = (
            self.class_of(packet.source),
            self.class_of(packet.destination),
        );
        let flows = match ends {
            (Some(from), Some(to)) if decision == Decision::Allowed => {
                self.flows_for(packet, from, to)
            }
            _ => Vec::new(),
        };
        Ok(Explanation {
            packet: *packet,
            decision,
            flows,
            source: self.end(packet, ends.0, Direction::Out)?,
            destination: self.end(packet, ends.1, Direction::In)?,
        })
    }

    fn end(
        &self,
        packet: &Packet,
        class: Option<Class>,
        direction: Direction,
    ) -> Result<End, Error> {
        let family = Family::of(packet.source);
        let Some(class) = class else {
            return Ok(End::Nobody);
        };
        let Some(host) = self.hosts.get(class) else {
            return Ok(End::Outside(self.class_name(family, class)));
        };
        let mut rules = Vec::new();
        let artefact = self.compile_host(&host.name)?;
        let mut store = Store::new(&self.spaces);
        let other = match direction {
            Direction::In => packet.source,
            Direction::Out => packet.destination,
        };
        // Addresses of two families make no packet, and no rule lets it through.
        if let Ok(read) = read(&artefact.rules, Form::Applied, &mut store)
            && family == Family::of(packet.destination)
        {
            for rule in read.rules(direction, family) {
                let known = store.set(rule.set);
                if known.is_some_and(|known| known.addresses.contains(number(other)))
                    && store
                        .ports
                        .set(rule.ports)
                        .contains(packet.protocol, packet.port)
                {
                    rules.push((rule.line, rule.text.to_owned()));
                }
            }
        }
        Ok(End::Host {
            name: host.name.clone(),
            mode: host.mode,
            rules,
        })
    }
}
