//! Carries new certificates to the gateways: what an authority issued, files that changed, and
//! those of the development authority before they end. No connection is dropped for it.

use std::time::Duration;

use gateway::link::Hub;
use model::{Context, Event, Outcome, Severity, SharedClock, SharedEntropy, activity, ocsf};
use rollout::Rollout;
use trail::Trail;

use super::certificates::{self, News};

/// How often files are looked at; a change counts when it has stayed the same for so long.
const LOOK: Duration = Duration::from_secs(3);
/// How often to read everything again, changed or not, for what ends soon.
const READ_AGAIN_EVERY: u32 = 1200;

/// What the task works with.
#[derive(Debug)]
pub(super) struct Tending {
    pub(super) certificates: certificates::Shared,
    pub(super) rollout: Rollout,
    pub(super) trail: Trail,
    pub(super) hub: Hub,
    pub(super) clock: SharedClock,
    pub(super) entropy: SharedEntropy,
}

/// Runs for ever.
pub(super) async fn tend(this: Tending) {
    let mut issued = this.certificates.acme().watch();
    let mut turn = 0_u32;
    loop {
        let changed = tokio::select! {
            changed = issued.changed() => changed.is_ok(),
            () = tokio::time::sleep(LOOK) => false,
        };
        turn = turn.wrapping_add(1);
        let Some(version) = this.rollout.current() else {
            continue;
        };
        let estate = &version.estate;
        let files = this.certificates.is_changed(estate) || turn.is_multiple_of(READ_AGAIN_EVERY);
        if !changed && !files && !this.certificates.is_due() {
            continue;
        }
        match this.certificates.again(estate) {
            Ok((texts, news)) => {
                if let Err(refusals) = this.hub.set_certificates(texts).await {
                    tracing::error!(?refusals, "a gateway refused renewed certificates");
                }
                this.record(&news).await;
            }
            Err(diagnostic) => {
                tracing::error!(message = %diagnostic.message, "certificates are not renewed");
            }
        }
    }
}

impl Tending {
    async fn record(&self, news: &[News]) {
        if news.is_empty() {
            return;
        }
        let events = news.iter().map(|one| self.event(one)).collect();
        if let Err(error) = self.trail.append(events).await {
            tracing::error!(%error, ?news, "what changed about certificates is not recorded");
        }
    }

    fn event(&self, news: &News) -> Event {
        let ctx = Context::system(&*self.clock, &*self.entropy);
        let (kind, file) = match news {
            News::Replaced { file, .. } => ("gateway.certificate.replaced", file),
            News::Refused { file, .. } => ("gateway.certificate.refused", file),
            News::Ending { file, .. } => ("gateway.certificate.expiring", file),
        };
        let event = Event::change(kind, &ctx, &*self.clock, &*self.entropy)
            .ocsf(ocsf::ENTITY_MANAGEMENT, activity::OTHER)
            .target("certificate", file);
        match news {
            News::Replaced { until, .. } => event
                .with("until", until.to_string())
                .message(format!("serves the new `{file}`, valid until {until}")),
            News::Refused { why, .. } => {
                tracing::error!(file, why, "a new certificate is not served");
                event
                    .outcome(Outcome::Failure)
                    .severity(Severity::Medium)
                    .with("error", why.as_str())
                    .message(format!(
                        "the new `{file}` {why}; the one before is served on"
                    ))
            }
            News::Ending { until, .. } => event
                .outcome(Outcome::Failure)
                .severity(Severity::High)
                .with("until", until.to_string())
                .message(format!("`{file}` ends on {until}")),
        }
    }
}
