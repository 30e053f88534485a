//! The parts that work from the estate, as the rollout sees them: each prepares, then all swap.

use std::sync::Arc;

use gateway::link::{CertificateText, EstateTexts, Hub, PreparedEstate};
use identity::Identity;
use model::Diagnostic;
use rollout::{Participant, Prepared, Preparing, Swapping, Version};

use super::certificates;

/// Certificates come first: the gateways must have them when they listen under a new name.
#[derive(Debug)]
pub(super) struct CertificatesPart {
    pub(super) certificates: certificates::Shared,
    pub(super) hub: Hub,
}

struct ReadyCertificates {
    texts: Vec<CertificateText>,
    hub: Hub,
    certificates: certificates::Shared,
    next: Arc<Version>,
}

impl Participant for CertificatesPart {
    fn name(&self) -> &'static str {
        "certificates"
    }

    fn prepare<'a>(&'a self, next: &'a Arc<Version>) -> Preparing<'a> {
        Box::pin(async move {
            let texts = self.certificates.of(&next.estate)?;
            Ok(Box::new(ReadyCertificates {
                texts,
                hub: self.hub.clone(),
                certificates: Arc::clone(&self.certificates),
                next: Arc::clone(next),
            }) as Box<dyn Prepared>)
        })
    }
}

impl Prepared for ReadyCertificates {
    fn swap(self: Box<Self>) -> Swapping {
        Box::pin(async move {
            // Each was checked; a gateway that still refuses keeps what it has, and says so.
            if let Err(refusals) = self.hub.set_certificates(self.texts).await {
                tracing::error!(?refusals, "a gateway refused certificates");
            }
            self.certificates.acme().follow(&self.next.estate);
        })
    }
}

/// Every connected gateway.
#[derive(Debug)]
pub(super) struct GatewaysPart {
    pub(super) hub: Hub,
}

struct ReadyGateways(PreparedEstate);

impl Participant for GatewaysPart {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn prepare<'a>(&'a self, next: &'a Arc<Version>) -> Preparing<'a> {
        Box::pin(async move {
            let texts = EstateTexts {
                source: next.source.clone(),
                documents: next.documents.clone(),
            };
            let prepared = self.hub.prepare(next.number, texts).await;
            match prepared {
                Ok(prepared) => Ok(Box::new(ReadyGateways(prepared)) as Box<dyn Prepared>),
                Err(refusals) => Err(refusals
                    .into_iter()
                    .map(|text| Diagnostic::error("gateway.refused", None, text))
                    .collect()),
            }
        })
    }
}

impl Prepared for ReadyGateways {
    fn swap(self: Box<Self>) -> Swapping {
        Box::pin(self.0.swap())
    }
}

/// Roles and groups of people.
#[derive(Debug)]
pub(super) struct IdentityPart {
    pub(super) identity: Identity,
}

struct ReadyIdentity {
    identity: Identity,
    next: Arc<Version>,
}

impl Participant for IdentityPart {
    fn name(&self) -> &'static str {
        "identity"
    }

    fn prepare<'a>(&'a self, next: &'a Arc<Version>) -> Preparing<'a> {
        let ready = ReadyIdentity {
            identity: self.identity.clone(),
            next: Arc::clone(next),
        };
        Box::pin(async move { Ok(Box::new(ready) as Box<dyn Prepared>) })
    }
}

impl Prepared for ReadyIdentity {
    fn swap(self: Box<Self>) -> Swapping {
        Box::pin(async move {
            let estate = Arc::new(self.next.estate.clone());
            if let Err(error) = self.identity.set_estate(estate).await {
                tracing::error!(%error, "people's roles follow the new estate later");
            }
        })
    }
}
