//! The gateway's control side without a gateway.

use model::{SharedClock, SharedEntropy};
use store::Store;
use trail::Trail;

pub(crate) async fn parts(
    _: &Store,
    _: &Trail,
    _: &SharedClock,
    _: &SharedEntropy,
) -> (gateway::link::Hub, gateway::bans::Bans) {
    (gateway::link::Hub, gateway::bans::Bans)
}
