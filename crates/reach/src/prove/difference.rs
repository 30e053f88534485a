//! What a proof finds, said so that somebody can look at it.

use std::fmt;

use crate::policy::Direction;
use crate::set::Packet;

/// A way in which texts differ from the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// A host's rules let something through that no flow permits.
    Opens {
        /// The host.
        host: String,
        /// Which of its chains.
        direction: Direction,
        /// Such a packet.
        packet: Packet,
        /// The line of the rule.
        line: u32,
        /// The rule.
        rule: String,
        /// Whether the other end lets it through as well, or is outside: then it arrives.
        arrives: bool,
    },
    /// A host's rules stop something that a flow permits.
    Closes {
        /// The host.
        host: String,
        /// Which of its chains.
        direction: Direction,
        /// Such a packet.
        packet: Packet,
        /// The flows.
        flows: Vec<String>,
    },
    /// What holds at every host does not at this one.
    Frame {
        /// The host.
        host: String,
        /// The line.
        line: u32,
        /// What stands there.
        found: String,
        /// What must.
        wanted: String,
    },
    /// A peer has other addresses than it must.
    Peer {
        /// The host.
        host: String,
        /// The line of its peers; zero where one is missing.
        line: u32,
        /// The peer.
        peer: String,
        /// What is the matter.
        what: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opens {
                host,
                direction,
                packet,
                line,
                rule,
                arrives,
            } => {
                let chain = direction.hook();
                let end = if *arrives {
                    "and arrives"
                } else {
                    "the other end stops it"
                };
                write!(
                    f,
                    "{host}: {chain} lets {packet} through, which no flow permits ({end}), \
                     by line {line}: {rule}"
                )
            }
            Self::Closes {
                host,
                direction,
                packet,
                flows,
            } => {
                let (chain, flows) = (direction.hook(), flows.join("`, `"));
                write!(f, "{host}: {chain} stops {packet}, which `{flows}` permits")
            }
            Self::Frame {
                host,
                line,
                found,
                wanted,
            } => write!(f, "{host}: line {line} is {found}, and must be `{wanted}`"),
            Self::Peer {
                host,
                line,
                peer,
                what,
            } => write!(f, "{host}: peer `{peer}` (line {line}): {what}"),
        }
    }
}

/// Something in a text that is not in the language we write, or a text that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproved {
    /// The host.
    pub host: String,
    /// Which of its texts: `rules` or `peers`.
    pub text: &'static str,
    /// The line, counted from one; zero for the text as a whole.
    pub line: u32,
    /// What it is.
    pub what: String,
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            text,
            line,
            what,
        } = self;
        write!(f, "{host}: {text}:{line}: {what}")
    }
}
