//! What the scripted day is played on: a running Rampart, seen from outside, and the shop's log.

use std::sync::Arc;

use http::Uri;
use model::SharedClock;
use net::Client;

use super::browser::Network;
use super::shop::Log;

/// See the module. The composition root makes it; the script only uses it.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// The way to the gateway.
    pub(crate) network: Network,
    /// The shop's host name.
    pub(crate) shop_host: String,
    /// The console's host name.
    pub(crate) console_host: String,
    /// The administration socket.
    pub(crate) admin: Client,
    /// The shop itself, without the gateway.
    pub(crate) shop: Client,
    /// What reached the shop.
    pub(crate) log: Arc<Log>,
    /// The time, for the codes of authenticator apps.
    pub(crate) clock: SharedClock,
}

impl Stage {
    /// An address of the shop, through the gateway.
    ///
    /// # Errors
    /// When `target` is no path.
    pub(crate) fn at_shop(&self, target: &str) -> anyhow::Result<Uri> {
        self.network.url(&self.shop_host, target)
    }

    /// An address of the console.
    ///
    /// # Errors
    /// When `target` is no path.
    pub(crate) fn at_console(&self, target: &str) -> anyhow::Result<Uri> {
        self.network.url(&self.console_host, target)
    }
}
