//! The two ports between control's surfaces and its gateways, bound to the services.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use api::{
    Asked, CertificateState, Explained, Flow, GatewayPort, Later, Learnt, LearntDrift, PortError,
    RestartOf, ServiceState, Traffic, Unsettled,
};
use gateway::bans::Bans;
use gateway::link::{ControlPort, ExchangeRefused, Hub, PortFuture, RouteStats, Seal};
use identity::Identity;
use model::{
    Ban, BanId, Context, ErrorKind, Event, Network, RequestId, Secret, SessionId, SharedClock,
    SharedEntropy, Timestamp, own,
};
use rollout::Rollout;
use trail::{SegmentSeal, Trail};

use super::bridge::{self, Told};
use super::certificates;
use super::restarts::Restarts;
use super::sight;

/// What gateways ask of control.
#[derive(Debug)]
pub(super) struct ForGateways {
    pub(super) identity: Identity,
    pub(super) told: Told,
    pub(super) trail: Trail,
}

impl ControlPort for ForGateways {
    fn exchange<'a>(
        &'a self,
        code: &'a str,
        host: &'a str,
        source: IpAddr,
        request: RequestId,
    ) -> PortFuture<'a, Result<Secret<String>, ExchangeRefused>> {
        Box::pin(async move {
            let exchanged = self
                .identity
                .exchange(code, host, request, Some(source))
                .await;
            match exchanged {
                // Said before the answer, on the same link, so that the cookie counts when the
                // browser has it, and never any more once it was taken back.
                Ok((cookie, _)) => match bridge::all_told(&self.told).await {
                    Ok(()) => Ok(cookie),
                    Err(late) => {
                        tracing::warn!(error = %late.0, "a sign-in could not be carried over");
                        Err(ExchangeRefused::Unavailable)
                    }
                },
                Err(error) if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Limit) => {
                    tracing::warn!(%error, "a sign-in could not be carried over");
                    Err(ExchangeRefused::Unavailable)
                }
                Err(_) => Err(ExchangeRefused::Refused),
            }
        })
    }

    fn sign_out<'a>(
        &'a self,
        session: SessionId,
        host: &'a str,
        source: IpAddr,
        request: RequestId,
    ) -> PortFuture<'a, bool> {
        Box::pin(async move {
            let ended = self
                .identity
                .sign_out_of(session, host, request, Some(source))
                .await;
            match ended {
                Ok(()) => bridge::all_told(&self.told).await.is_ok(),
                // It ended by itself, or in another way.
                Err(error) if error.kind() == ErrorKind::NotFound => true,
                Err(error) => {
                    tracing::warn!(%error, "a session could not be ended");
                    false
                }
            }
        })
    }

    fn record<'a>(
        &'a self,
        node: &'a str,
        mut events: Vec<Event>,
    ) -> PortFuture<'a, Result<(), String>> {
        Box::pin(async move {
            for event in &mut events {
                event.detail.insert("gateway".to_owned(), node.into());
            }
            let recorded = self.trail.append(events).await;
            recorded.map(drop).map_err(|error| error.to_string())
        })
    }

    fn sealed<'a>(&'a self, node: &'a str, seal: Seal) -> PortFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let seal = SegmentSeal {
                segment: seal.segment,
                node: node.to_owned(),
                root: seal.root,
                count: seal.count,
                gap: seal.gap,
                first: seal.first,
                last: seal.last,
                routes: seal.routes,
            };
            let recorded = self.trail.sealed_segment(&seal).await;
            recorded.map(drop).map_err(|error| error.to_string())
        })
    }

    fn seen<'a>(&'a self, sessions: Vec<(SessionId, Timestamp)>) -> PortFuture<'a, ()> {
        Box::pin(async move {
            if let Err(error) = self.identity.sessions_seen(sessions).await {
                tracing::warn!(%error, "uses of sessions were not noted");
            }
        })
    }
}

/// What API and console ask of the gateways' control side.
#[derive(Debug)]
pub(super) struct ForSurfaces {
    pub(super) restarts: Restarts,
    pub(super) hub: Hub,
    pub(super) bans: Bans,
    pub(super) told: Told,
    pub(super) rollout: Rollout,
    pub(super) identity: Identity,
    pub(super) certificates: certificates::Shared,
    pub(super) clock: SharedClock,
    pub(super) entropy: SharedEntropy,
}

impl ForSurfaces {
    async fn explained(&self, ctx: &Context, asked: &Asked) -> Result<Explained, PortError> {
        ctx.require(&own::permission(own::GATEWAY_READ))?;
        let failed = |kind, text: String| PortError::Failed { kind, text };
        let version = self.rollout.current();
        let version = version
            .ok_or_else(|| failed(ErrorKind::Conflict, "no estate is applied".to_owned()))?;
        let ground = gateway::Ground {
            version: version.number,
            estate: Arc::new(version.estate.clone()),
            source: version.source.clone(),
            documents: version.documents.clone(),
            shelf: self.rollout.shelf(),
            identity: self.hub.identity(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        };
        let question = gateway::Question {
            method: asked.method.clone(),
            url: asked.url.clone(),
            who: self.id_of(ctx, &asked.who).await,
            headers: asked.headers.clone(),
        };
        // Compiling the estate takes a while; other requests go on meanwhile.
        let answer = tokio::task::spawn_blocking(move || gateway::explain(ground, &question)).await;
        let answer = answer
            .map_err(|_| {
                failed(
                    ErrorKind::Internal,
                    "the question could not be played".to_owned(),
                )
            })?
            .map_err(|error| failed(ErrorKind::Invalid, error.to_string()))?;
        Ok(Explained {
            allowed: answer.allowed,
            status: answer.status,
            summary: answer.summary,
            steps: answer.steps.into_iter().map(step).collect(),
        })
    }

    /// The id behind a sign-in name; anything else stays as it is.
    async fn id_of(&self, ctx: &Context, who: &str) -> String {
        if who.is_empty() {
            return String::new();
        }
        match self.identity.person_by_login(ctx, who).await {
            Ok(person) => person.id.to_string(),
            Err(_) => who.to_owned(),
        }
    }
}

fn step(step: gateway::ExplainedStep) -> api::ExplainedStep {
    api::ExplainedStep {
        step: step.step.to_owned(),
        verdict: match step.verdict {
            gateway::Verdict::Passed => api::Verdict::Passed,
            gateway::Verdict::Refused => api::Verdict::Refused,
            gateway::Verdict::WouldRefuse => api::Verdict::WouldRefuse,
            _ => api::Verdict::NotReached,
        },
        text: step.text,
        line: step.line,
    }
}

impl GatewayPort for ForSurfaces {
    fn traffic(&self) -> Traffic {
        sight::traffic(&self.hub.gateways())
    }

    fn flow(&self) -> BTreeMap<String, Flow> {
        let routes = self.hub.flow();
        let of =
            |(name, stats): (Arc<str>, Arc<RouteStats>)| (name.to_string(), sight::flow(&stats));
        routes.into_iter().map(of).collect()
    }

    fn services(&self) -> Vec<ServiceState> {
        sight::services(&self.hub.gateways())
    }

    fn explain<'a>(&'a self, ctx: &'a Context, asked: &'a Asked) -> Later<'a, Explained> {
        Box::pin(self.explained(ctx, asked))
    }

    fn restart<'a>(&'a self, ctx: &'a Context, process: RestartOf) -> Later<'a, ()> {
        Box::pin(self.restarts.restart(ctx, process))
    }

    fn learnt<'a>(&'a self, ctx: &'a Context) -> Later<'a, Vec<Learnt>> {
        Box::pin(async move {
            ctx.require(&own::permission(own::GATEWAY_READ))?;
            Ok(self.hub.learnt().into_iter().map(learnt).collect())
        })
    }

    fn settled<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<(), Unsettled>> + Send + 'a>> {
        Box::pin(async move {
            bridge::all_told(&self.told).await?;
            let settled = self.hub.settled().await;
            settled.map_err(|late| Unsettled(late.join("; ")))
        })
    }

    fn bans<'a>(&'a self, ctx: &'a Context) -> Later<'a, Vec<Ban>> {
        Box::pin(async move { self.bans.list(ctx).await.map_err(ban_error) })
    }

    fn ban<'a>(
        &'a self,
        ctx: &'a Context,
        network: Network,
        length: Duration,
        reason: &'a str,
    ) -> Later<'a, Ban> {
        Box::pin(async move {
            let ban = self.bans.ban(ctx, network, length, reason).await;
            ban.map_err(ban_error)
        })
    }

    fn lift<'a>(&'a self, ctx: &'a Context, ban: BanId) -> Later<'a, ()> {
        Box::pin(async move { self.bans.lift(ctx, ban).await.map_err(ban_error) })
    }

    fn certificates(&self) -> Vec<CertificateState> {
        let version = self.rollout.current();
        version.map_or_else(Vec::new, |version| {
            self.certificates.states(&version.estate)
        })
    }

    fn renew<'a>(&'a self, ctx: &'a Context, host: &'a str) -> Later<'a, ()> {
        Box::pin(async move {
            let renewed = self.certificates.acme().renew(ctx, host).await;
            renewed.map_err(|error| match error {
                gateway::acme::Error::Denied(denied) => PortError::Denied(denied),
                error => PortError::of(error.kind(), &error),
            })
        })
    }
}

fn learnt((gateway, learnt): (String, gateway::link::Learnt)) -> Learnt {
    let drift = |one: gateway::link::LearntDrift| LearntDrift {
        kind: one.kind,
        method: one.method,
        template: one.template,
        place: one.place,
        text: one.text,
        seen: one.seen,
    };
    Learnt {
        gateway,
        route: learnt.route,
        exchanges: learnt.exchanges,
        skipped: learnt.skipped,
        dropped: learnt.dropped,
        proposal: learnt.proposal,
        drift: learnt.drift.map(|all| all.into_iter().map(drift).collect()),
    }
}

fn ban_error(error: gateway::bans::Error) -> PortError {
    match error {
        gateway::bans::Error::Denied(denied) => PortError::Denied(denied),
        error => PortError::of(error.kind(), &error),
    }
}
