//! Other issuers of access tokens: their keys, kept up to date beside the requests, and their
//! tokens, verified once.
//!
//! A request never asks an issuer. It may wait a moment for a question that is under way because
//! a key was named that nobody knows yet; there is one such question per issuer and half a minute,
//! whoever asks for it.

mod fetch;
mod jwks;
mod token;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahash::AHashMap;
use arc_swap::ArcSwapOption;
use estate::{Estate, IssuerKeys, SignatureAlgorithm};
use model::Timestamp;
use model::snapshot::Digest;
use rustls::ClientConfig;
use tokio::sync::{Notify, watch};

use crate::Error;
use jwks::KeySet;
pub(crate) use token::{Token, Unproven, Why};

/// Keys are fetched anew so often.
const REFRESH: Duration = Duration::from_secs(300);
/// A file is looked at so often.
const REFRESH_FILE: Duration = Duration::from_secs(10);
/// The first and the longest pause after a question that failed.
const PAUSE_MIN: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// LIMIT: SECURITY: anybody can write a token that names an unknown key: it makes the gateway ask
/// at most so often, whatever comes.
const ASK_ANEW: Duration = Duration::from_secs(30);
/// LIMIT: a request waits so long for keys.
const WAIT: Duration = Duration::from_secs(2);
/// LIMIT: bytes of a file of keys.
const FILE_BYTES_MAX: u64 = 256 * 1024;
/// LIMIT: verified tokens that are remembered.
const REMEMBERED_MAX: usize = 4096;

/// An algorithm as tokens and keys write it.
pub(crate) fn name(algorithm: SignatureAlgorithm) -> &'static str {
    match algorithm {
        SignatureAlgorithm::RS256 => "RS256",
        SignatureAlgorithm::PS256 => "PS256",
        SignatureAlgorithm::ES256 => "ES256",
        SignatureAlgorithm::EdDSA => "EdDSA",
    }
}

/// All of an estate.
#[derive(Debug, Default)]
pub(crate) struct Issuers {
    by_url: AHashMap<String, Arc<Issuer>>,
}

/// One of them, as long as the estate says the same of it.
#[derive(Debug)]
pub(crate) struct Issuer {
    /// As the estate has it.
    pub(crate) settings: estate::Issuer,
    source: Source,
    keys: ArcSwapOption<Held>,
    plan: Mutex<Plan>,
    /// Counts up when a question has ended.
    asked: watch::Sender<u64>,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Jwks(String, Arc<ClientConfig>),
    Discovery(Arc<ClientConfig>),
}

/// Keys, and when they were had, on the monotonic clock.
#[derive(Debug)]
struct Held {
    keys: Arc<KeySet>,
    at: Duration,
}

/// When the issuer is asked next.
#[derive(Debug, Default)]
struct Plan {
    due: Duration,
    began: Option<Duration>,
    under_way: bool,
    pause: Duration,
}

impl Issuers {
    /// Those of an estate; one of which it says the same as `before` keeps its keys.
    pub(crate) fn new(estate: &Estate, base: &Path, before: Option<&Self>) -> Result<Self, Error> {
        let mut by_url = AHashMap::new();
        for settings in estate.issuers.values() {
            let kept = before.and_then(|before| before.by_url.get(&settings.url));
            let issuer = match kept.filter(|kept| kept.settings == *settings) {
                Some(kept) => Arc::clone(kept),
                None => Arc::new(Issuer::new(settings.clone(), base)?),
            };
            by_url.insert(settings.url.clone(), issuer);
        }
        Ok(Self { by_url })
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_url.is_empty()
    }

    /// The one that a token says it is from.
    pub(crate) fn of(&self, url: &str) -> Option<&Arc<Issuer>> {
        self.by_url.get(url)
    }

    /// Whether a token that was verified before would be again: the estate says the same of its
    /// issuer, the key it was signed with is still one of theirs, and it has not ended.
    pub(crate) fn still_hold(
        &self,
        token: &Token,
        (time, now): (Timestamp, Duration),
    ) -> Result<(), Why> {
        let (issuer, then, key) = token.proven.as_ref().ok_or(Why::Issuer)?;
        let current = self.of(&issuer.settings.url);
        if !current.is_some_and(|current| Arc::ptr_eq(current, issuer)) {
            return Err(Why::Issuer);
        }
        // SECURITY: a key that leaked is replaced, perhaps by one that is called the same.
        if !issuer.keys(now).ok_or(Why::NoKeys)?.has_as(then, key) {
            return Err(Why::Key);
        }
        token.holds(time)
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Issuer>> {
        self.by_url.values()
    }
}

impl Issuer {
    fn new(settings: estate::Issuer, base: &Path) -> Result<Self, Error> {
        let trust = || {
            let roots = match &settings.authority {
                Some(path) => net::tls::Roots::File(base.join(path)),
                None => net::tls::Roots::System,
            };
            net::tls::client_config(&roots).map_err(|error| failed(&settings, error.to_string()))
        };
        let source = match &settings.keys {
            IssuerKeys::Discovery => Source::Discovery(trust()?),
            IssuerKeys::Jwks(url) => Source::Jwks(url.clone(), trust()?),
            IssuerKeys::File(path) => Source::File(base.join(path)),
        };
        let issuer = Self {
            settings,
            source,
            keys: ArcSwapOption::empty(),
            plan: Mutex::default(),
            asked: watch::Sender::new(0),
        };
        if let Source::File(path) = &issuer.source {
            // A file that cannot be used is a mistake of now, not of later.
            let keys = read(path).map_err(|why| failed(&issuer.settings, why))?;
            issuer
                .hold(&keys, Duration::ZERO)
                .map_err(|why| failed(&issuer.settings, why.to_owned()))?;
        }
        Ok(issuer)
    }

    /// Its keys, unless they are too old to be believed.
    pub(crate) fn keys(&self, now: Duration) -> Option<Arc<KeySet>> {
        let held = self.keys.load();
        let held = held.as_ref()?;
        let is_file = matches!(self.source, Source::File(_));
        let young = now.saturating_sub(held.at) <= self.settings.keys_keep;
        (is_file || young).then(|| Arc::clone(&held.keys))
    }

    /// Whether it is to be asked now; if so, the asker must.
    pub(crate) fn begin(&self, now: Duration) -> bool {
        let mut plan = self.plan();
        if plan.under_way || now < plan.due {
            return false;
        }
        plan.under_way = true;
        plan.began = Some(now);
        true
    }

    /// Asks for its keys. When that fails, the last ones stay.
    pub(crate) async fn refresh(self: Arc<Self>, now: impl Fn() -> Duration) {
        let said = match &self.source {
            Source::File(path) => {
                let path = path.clone();
                let reading = tokio::task::spawn_blocking(move || read(&path)).await;
                reading.unwrap_or_else(|error| Err(error.to_string()))
            }
            Source::Jwks(url, trust) => fetch::keys(url, trust).await.map(Vec::from),
            Source::Discovery(trust) => {
                let said = fetch::discovered(&self.settings.url, trust).await;
                said.map(Vec::from)
            }
        };
        let held = said.and_then(|text| self.hold(&text, now()).map_err(str::to_owned));
        if let Err(why) = &held {
            tracing::warn!(issuer = %self.settings.name, %why, "no keys could be had");
        }
        self.end(held.is_ok(), now());
    }

    fn hold(&self, text: &[u8], at: Duration) -> Result<(), &'static str> {
        let fresh = KeySet::parse(text)?;
        let before = self.keys.load_full();
        let keys = match before {
            // The same keys stay the same, so that verified tokens stay verified.
            Some(before) if *before.keys == fresh => Arc::clone(&before.keys),
            _ => Arc::new(fresh),
        };
        self.keys.store(Some(Arc::new(Held { keys, at })));
        Ok(())
    }

    fn end(&self, fine: bool, now: Duration) {
        {
            let mut plan = self.plan();
            plan.under_way = false;
            plan.pause = match fine {
                true => Duration::ZERO,
                false => (plan.pause * 2).clamp(PAUSE_MIN, PAUSE_MAX),
            };
            let usual = match self.source {
                Source::File(_) => REFRESH_FILE,
                _ => REFRESH,
            };
            plan.due = now.saturating_add(if fine { usual } else { plan.pause });
        }
        self.asked
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// A key was named that is not known: who waits for it hears when the question has ended.
    /// Nothing when it was asked a moment ago.
    fn ask_anew(&self, now: Duration, keeper: &Notify) -> Option<watch::Receiver<u64>> {
        let mut plan = self.plan();
        let mut answered = self.asked.subscribe();
        answered.mark_unchanged();
        if plan.under_way {
            return Some(answered);
        }
        let recently = plan
            .began
            .is_some_and(|began| now.saturating_sub(began) < ASK_ANEW);
        if recently {
            return None;
        }
        plan.due = now;
        drop(plan);
        keeper.notify_one();
        Some(answered)
    }

    /// Waits a moment for keys, when they may be asked for.
    pub(crate) async fn settle(&self, now: Duration, keeper: &Notify) {
        let Some(mut answered) = self.ask_anew(now, keeper) else {
            return;
        };
        // Whatever comes of it, the token is judged by what is known then.
        drop(tokio::time::timeout(WAIT, answered.changed()).await);
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(settings: &estate::Issuer, message: String) -> Error {
    Error::Issuer {
        issuer: settings.name.clone(),
        message,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let fail = |error: std::io::Error| format!("cannot read `{}`: {error}", path.display());
    let file = std::fs::File::open(path).map_err(fail)?;
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX)
        .read_to_end(&mut text)
        .map_err(fail)?;
    Ok(text)
}

/// Tokens that were verified before, so that it is done once.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<AHashMap<Digest, Known>>);

#[derive(Clone, Debug)]
struct Known {
    issuer: Arc<Issuer>,
    keys: Arc<KeySet>,
    token: Arc<Token>,
}

impl Remembered {
    /// The token, when one of `issuers` made it and it holds now; nothing when it is of none.
    pub(crate) fn verify(
        &self,
        issuers: &Issuers,
        (text, digest): (&str, Digest),
        (time, now): (Timestamp, Duration),
    ) -> Option<Result<Arc<Token>, Why>> {
        let known = self.lock().get(&digest).cloned();
        if let Some(known) = known {
            let current = issuers.of(&known.issuer.settings.url);
            let same = current.is_some_and(|current| Arc::ptr_eq(current, &known.issuer));
            let keys = known.issuer.keys(now);
            // INVARIANT: a token is believed as long as its issuer is, by the same keys.
            if same && keys.is_some_and(|keys| Arc::ptr_eq(&keys, &known.keys)) {
                return Some(known.token.holds(time).map(|()| known.token));
            }
        }
        let unproven = Unproven::read(text).ok()?;
        let issuer = issuers.of(unproven.issuer())?;
        let keys = issuer.keys(now);
        let token = match unproven.verify(&issuer.settings, keys.as_deref(), time) {
            Ok(mut token) => {
                let key = unproven.key().unwrap_or_default().to_owned();
                token.proven = keys
                    .as_ref()
                    .map(|keys| (Arc::clone(issuer), Arc::clone(keys), key));
                Arc::new(token)
            }
            Err(why) => return Some(Err(why)),
        };
        if let Some(keys) = keys {
            let mut remembered = self.lock();
            if remembered.len() >= REMEMBERED_MAX {
                remembered.clear();
            }
            let known = Known {
                issuer: Arc::clone(issuer),
                keys,
                token: Arc::clone(&token),
            };
            remembered.insert(digest, known);
        }
        Some(Ok(token))
    }

    fn lock(&self) -> MutexGuard<'_, AHashMap<Digest, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
