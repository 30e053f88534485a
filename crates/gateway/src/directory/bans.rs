//! Which addresses are refused: by length of prefix, so that a look-up costs one hash for each
//! length in use.

use std::net::IpAddr;

use ahash::AHashMap;
use model::{Ban, BanId, Network, Timestamp};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Bans {
    by_id: AHashMap<BanId, Network>,
    by_network: AHashMap<Network, Vec<Ban>>,
    prefixes: Vec<u8>,
}

impl Bans {
    /// Adds a ban, or replaces the one with its id.
    pub(super) fn put(&mut self, ban: Ban) {
        self.remove(ban.id);
        self.by_id.insert(ban.id, ban.network);
        if !self.prefixes.contains(&ban.network.prefix()) {
            self.prefixes.push(ban.network.prefix());
        }
        self.by_network.entry(ban.network).or_default().push(ban);
    }

    /// Lifts a ban.
    pub(super) fn remove(&mut self, id: BanId) {
        let Some(network) = self.by_id.remove(&id) else {
            return;
        };
        if let Some(bans) = self.by_network.get_mut(&network) {
            bans.retain(|ban| ban.id != id);
            if bans.is_empty() {
                self.by_network.remove(&network);
            }
        }
    }

    /// Why `address` is refused, when it is.
    pub(super) fn reason(&self, address: IpAddr, now: Timestamp) -> Option<String> {
        if self.by_network.is_empty() {
            return None;
        }
        let around = |prefix: &u8| self.by_network.get(&Network::around(address, *prefix)?);
        self.prefixes
            .iter()
            .filter_map(around)
            .flatten()
            .find(|ban| now < ban.until)
            .map(|ban| ban.reason.clone())
    }
}
