//! One order, from asking for it to the chain (RFC 8555 §7.4): shows that the name is ours, sends
//! a key to be certified, fetches what comes.

use std::path::Path;
use std::time::Duration;

use estate::{AcmeChallenge, AcmeKey, AcmeSettings};
use instant_acme::{
    AuthorizationStatus, ChallengeHandle, ChallengeType, Identifier, NewOrder, Order, OrderStatus,
};
use model::{Secret, SharedClock, SharedEntropy};
use net::tls::{KeyKind, SigningRequest, challenge_certificate};
use store::Store;

use super::account::{self, Transport};
use super::error::Failure;
use crate::link::{CertificateText, ChallengeText, Hub};

/// LIMIT: how often one order is looked at before it is given up.
const POLLS_MAX: u32 = 60;
/// The first and the longest pause between two looks.
const POLL_MIN: Duration = Duration::from_millis(250);
const POLL_MAX: Duration = Duration::from_secs(5);
/// LIMIT: how long an authority may ask us to wait between two looks.
const ASKED_MAX: Duration = Duration::from_secs(30);
/// LIMIT: how long to wait for a gateway that serves.
const SERVING_MAX: Duration = Duration::from_secs(30);
/// LIMIT: bytes of a token.
const TOKEN_BYTES_MAX: usize = 512;

/// What an order needs.
#[derive(Debug)]
pub(super) struct Orders<'a> {
    pub(super) store: &'a Store,
    pub(super) hub: &'a Hub,
    pub(super) settings: &'a AcmeSettings,
    pub(super) base: &'a Path,
    pub(super) transport: &'a Transport,
    pub(super) clock: &'a SharedClock,
    pub(super) entropy: &'a SharedEntropy,
}

/// What an order brought.
#[derive(Debug)]
pub(super) struct Brought {
    pub(super) chain: String,
    pub(super) key: Secret<String>,
}

impl Orders<'_> {
    /// Orders a certificate for `host`. Challenges that were answered meanwhile stay answered: it
    /// is for the caller to end that.
    pub(super) async fn run(&self, host: &str) -> Result<Brought, Failure> {
        let account = account::open(self.store, self.settings, self.base, self.transport).await?;
        let identifiers = [Identifier::Dns(host.to_owned())];
        let mut wanted = NewOrder::new(&identifiers);
        if let Some(profile) = &self.settings.profile {
            wanted = wanted.profile(profile);
        }
        let mut order = account.new_order(&wanted).await?;
        if order.state().status == OrderStatus::Pending {
            self.prove(&mut order, host).await?;
            self.until_ready(&mut order).await?;
        }
        let request = SigningRequest::make(host, kind(self.settings.key))?;
        order.finalize_csr(&request.der).await?;
        let chain = self.fetch(&mut order).await?;
        Ok(Brought {
            chain,
            key: request.key,
        })
    }

    /// Answers the challenge of every authorization that is open.
    async fn prove(&self, order: &mut Order, host: &str) -> Result<(), Failure> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            match authorization.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                other => {
                    let text = format!("the authorization is {other:?} before it began");
                    return Err(Failure::new(text));
                }
            }
            let (wanted, name) = match self.settings.challenge {
                AcmeChallenge::Http01 => (ChallengeType::Http01, "http-01"),
                AcmeChallenge::TlsAlpn01 => (ChallengeType::TlsAlpn01, "tls-alpn-01"),
            };
            let challenge = authorization.challenge(wanted);
            let mut challenge = challenge.ok_or_else(|| {
                Failure::new(format!("the authority offers no `{name}` for `{host}`"))
            })?;
            let answer = self.answer(&challenge, host)?;
            self.until_serving().await;
            let held = self.hub.set_challenges(vec![answer]).await;
            held.map_err(|refusals| {
                let why = refusals.join("; ");
                Failure::new(format!("the challenge cannot be answered: {why}"))
            })?;
            challenge.set_ready().await?;
        }
        Ok(())
    }

    /// Waits until a gateway serves: at a start of both, control is there first.
    async fn until_serving(&self) {
        let looking = async {
            while !self.hub.is_serving() {
                tokio::time::sleep(POLL_MIN).await;
            }
        };
        if tokio::time::timeout(SERVING_MAX, looking).await.is_err() {
            tracing::debug!("no gateway serves; the challenge is tried all the same");
        }
    }

    fn answer(
        &self,
        challenge: &ChallengeHandle<'_>,
        host: &str,
    ) -> Result<ChallengeText, Failure> {
        let of = match challenge.identifier().identifier {
            Identifier::Dns(name) => name.eq_ignore_ascii_case(host),
            _ => false,
        };
        // SECURITY: an authority gets an answer for the name that was asked for and no other, and
        // what it sends becomes no path but a token of its alphabet (RFC 8555 §8.1).
        if !of {
            return Err(Failure::new("the authority asks about another name"));
        }
        if !is_token(&challenge.token) {
            return Err(Failure::new("the authority's token is none"));
        }
        let authorization = challenge.key_authorization();
        if self.settings.challenge == AcmeChallenge::Http01 {
            return Ok(ChallengeText::Page {
                host: host.to_owned(),
                token: challenge.token.clone(),
                answer: authorization.as_str().to_owned(),
            });
        }
        let digest = <[u8; 32]>::try_from(authorization.digest().as_ref())
            .map_err(|_| Failure::new("the digest has another length"))?;
        let made = challenge_certificate(host, digest, &**self.clock, &**self.entropy)?;
        Ok(ChallengeText::Handshake(CertificateText {
            hosts: made.hosts,
            chain: made.chain,
            key: made.key.expose().clone(),
        }))
    }

    async fn until_ready(&self, order: &mut Order) -> Result<(), Failure> {
        for look in 0..POLLS_MAX {
            self.pause(look).await;
            match order.refresh().await?.status {
                OrderStatus::Ready | OrderStatus::Valid => return Ok(()),
                OrderStatus::Pending | OrderStatus::Processing => {}
                OrderStatus::Invalid => return Err(why(order).await),
            }
        }
        Err(Failure::new(
            "the authority did not look at the challenge in time",
        ))
    }

    async fn fetch(&self, order: &mut Order) -> Result<String, Failure> {
        for look in 0..POLLS_MAX {
            if let Some(chain) = order.certificate().await? {
                return Ok(chain);
            }
            self.pause(look).await;
        }
        Err(Failure::new("the authority did not issue in time"))
    }

    async fn pause(&self, look: u32) {
        let grown = POLL_MIN.saturating_mul(1 << look.min(8)).min(POLL_MAX);
        let asked = self.transport.asked().unwrap_or_default().min(ASKED_MAX);
        tokio::time::sleep(grown.max(asked)).await;
    }
}

/// What the authority says about an order it refused: the words stand at the challenge.
async fn why(order: &mut Order) -> Failure {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let Ok(mut authorization) = authorization else {
            break;
        };
        let Ok(state) = authorization.refresh().await else {
            break;
        };
        let said = state.challenges.iter().find_map(|one| one.error.as_ref());
        if let Some(problem) = said {
            return Failure::said(problem);
        }
    }
    match &order.state().error {
        Some(problem) => Failure::said(problem),
        None => Failure::new("the authority refuses the order without a word"),
    }
}

fn kind(key: AcmeKey) -> KeyKind {
    match key {
        AcmeKey::EcdsaP256 => KeyKind::EcdsaP256,
        AcmeKey::EcdsaP384 => KeyKind::EcdsaP384,
        AcmeKey::Rsa2048 => KeyKind::Rsa2048,
    }
}

fn is_token(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (1..=TOKEN_BYTES_MAX).contains(&text.len()) && text.bytes().all(letter)
}
