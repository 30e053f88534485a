//! The gateway's control side when no gateway is connected: no traffic, no answers, a ban list in
//! memory.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::{Ban, BanId, Context, ErrorKind, Network, Timestamp};

use super::api::{
    Asked, CertificateState, Explained, Flow, GatewayPort, Later, Learnt, PortError, ServiceState,
    Traffic, Unsettled,
};

#[derive(Debug, Default)]
pub(crate) struct Quiet(Mutex<Vec<Ban>>, pub(crate) AtomicBool);

impl GatewayPort for Quiet {
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    fn flow(&self) -> std::collections::BTreeMap<String, Flow> {
        std::collections::BTreeMap::new()
    }

    fn services(&self) -> Vec<ServiceState> {
        Vec::new()
    }

    fn explain<'a>(&'a self, _: &'a Context, _: &'a Asked) -> Later<'a, Explained> {
        let text = "no gateway is connected".to_owned();
        let kind = ErrorKind::Unavailable;
        Box::pin(async move { Err(PortError::Failed { kind, text }) })
    }

    fn learnt<'a>(&'a self, _: &'a Context) -> Later<'a, Vec<Learnt>> {
        Box::pin(async move { Ok(Vec::new()) })
    }

    fn settled<'a>(
        &'a self,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Unsettled>> + Send + 'a>> {
        let settled = if self.1.load(Ordering::SeqCst) {
            Err(Unsettled("no gateway is connected".to_owned()))
        } else {
            Ok(())
        };
        Box::pin(async move { settled })
    }

    fn bans<'a>(&'a self, _: &'a Context) -> Later<'a, Vec<Ban>> {
        let bans = self.0.lock().unwrap().clone();
        Box::pin(async move { Ok(bans) })
    }

    fn ban<'a>(
        &'a self,
        _: &'a Context,
        network: Network,
        length: Duration,
        reason: &'a str,
    ) -> Later<'a, Ban> {
        let mut bans = self.0.lock().unwrap();
        let ban = Ban {
            id: BanId::from_raw(u128::try_from(bans.len()).unwrap()),
            network,
            until: Timestamp::from_millis(1_767_225_600_000).after(length),
            reason: reason.to_owned(),
        };
        bans.push(ban.clone());
        Box::pin(async move { Ok(ban) })
    }

    fn lift<'a>(&'a self, _: &'a Context, id: BanId) -> Later<'a, ()> {
        self.0.lock().unwrap().retain(|ban| ban.id != id);
        Box::pin(async { Ok(()) })
    }

    fn certificates(&self) -> Vec<CertificateState> {
        Vec::new()
    }

    fn renew<'a>(&'a self, _: &'a Context, host: &'a str) -> Later<'a, ()> {
        let text = format!("no certificate is asked for `{host}`");
        let kind = ErrorKind::NotFound;
        Box::pin(async move { Err(PortError::Failed { kind, text }) })
    }
}
