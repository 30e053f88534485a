//! The control process: the composition root of everything that is not the data plane. Read it
//! top-down to see everything that runs.
//!
//! It parses no public bytes: what comes from outside reaches it only over local sockets, re-framed
//! and limited by the gateway.

mod bridge;
mod certificates;
mod notify;
mod participants;
mod ports;
mod renewals;
mod restarts;
mod secrets;
mod sight;
mod store;
mod tasks;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use ::store::Store;
use anyhow::{Context as _, bail};
use api::{Peer, Services};
use axum::Router;
use estate::Estate;
use gateway::acme::Acme;
use gateway::bans::Bans;
use gateway::link::Hub;
use http::Request;
use identity::Identity;
use model::{Context, SharedClock, SharedEntropy};
use net::{UnixAccess, bind_unix};
use rollout::{Rollout, Sources};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use trail::Trail;

use crate::lock::Lock;
use crate::paths::Paths;
use crate::sockets::{self, Introduce};
use crate::users::{self, GATEWAY_USER};
use certificates::Certificates;
use notify::Notify;
use restarts::Restarts;

/// How to start control.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where everything lies.
    pub(crate) paths: Paths,
    /// The estate file; needed on the first start only.
    pub(crate) config: Option<PathBuf>,
    /// The root key's file.
    pub(crate) root_key: PathBuf,
    /// Where state is kept.
    pub(crate) store: ::store::Location,
    /// The time.
    pub(crate) clock: SharedClock,
    /// Randomness.
    pub(crate) entropy: SharedEntropy,
    /// Whether a supervisor looks after this process.
    pub(crate) supervised: bool,
    /// Where the service manager wants to be told.
    pub(crate) notify: Option<OsString>,
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// Whatever keeps it from starting, in words for whoever started it.
pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    settings.paths.prepare_control().with_context(|| {
        format!(
            "cannot use the data folder `{}`",
            settings.paths.data.display()
        )
    })?;
    let _lock = Lock::take(&settings.paths.data.join("control.lock"))?;
    let store = open_store(&settings).await?;
    let source = first_source(&settings, &store).await?;
    let trail = open_trail(&settings, &store, &source.estate).await?;
    let mut parts = Parts::open(&settings, store, trail, &source).await?;
    let stop = CancellationToken::new();
    let tasks = parts.start(&settings, &source.texts, &stop).await?;
    parts.offer_administration(&settings).await?;
    tracing::info!("control is ready");
    let notify = Notify::new(settings.notify.clone());
    tokio::spawn(parts.restarts.clone().hear(notify.clone()));
    tokio::select! {
        _ = terminate.recv() => notify.stopping(),
        _ = interrupt.recv() => notify.stopping(),
        () = parts.restarts.again() => tracing::info!("ending, to be started again"),
    }
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    parts.trail.close().await;
    parts.services.store.close().await;
    Ok(())
}

async fn open_store(settings: &Settings) -> anyhow::Result<Store> {
    let (paths, entropy) = (&settings.paths, &settings.entropy);
    let root = ::store::load_or_create_root_key(&settings.root_key, &paths.data, &**entropy)?;
    let keyring = Arc::new(keyring::Keyring::new(root));
    let opening = ::store::Settings {
        location: settings.store.clone(),
        backups: paths.backups(),
        without_backup: ::store::WithoutBackup::Refuse,
    };
    let migrations = [
        rollout::MIGRATIONS,
        identity::MIGRATIONS,
        gateway::bans::MIGRATIONS,
        gateway::acme::MIGRATIONS,
        store::MIGRATIONS,
    ];
    let (clock, entropy) = (settings.clock.clone(), settings.entropy.clone());
    let store = Store::open(opening, keyring, clock, entropy, &migrations).await;
    store.context("cannot open the database")
}

/// The estate this start begins with: the stored version, or the file on the first start.
struct Source {
    texts: Sources,
    estate: Estate,
}

async fn first_source(settings: &Settings, store: &Store) -> anyhow::Result<Source> {
    let stored = Rollout::stored_source(store).await?;
    let text = match (stored, &settings.config) {
        (Some(text), _) => text,
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the estate file `{}`", path.display()))?;
            let texts = Sources::beside(text, &base(settings.config.as_ref()));
            return first_version(texts, &format!("`{}`", path.display()));
        }
        (None, None) => {
            bail!("nothing was applied yet and there is no estate file; `rampart init` writes one")
        }
    };
    match Estate::parse(&text) {
        Ok(parsed) => Ok(Source {
            texts: Sources::from(text),
            estate: parsed.estate,
        }),
        Err(all) => bail!(invalid("the stored version", &all, &text)),
    }
}

/// The file of the first start, with its documents.
fn first_version(texts: Sources, name: &str) -> anyhow::Result<Source> {
    match texts.check() {
        Ok(checked) => Ok(Source {
            texts,
            estate: checked.estate,
        }),
        Err(rollout::Error::Invalid(all)) => bail!(invalid(name, &all, &texts.estate)),
        Err(error) => Err(error).with_context(|| format!("{name} cannot be applied")),
    }
}

fn invalid(name: &str, all: &[model::Diagnostic], text: &str) -> String {
    let errors = all.iter().filter(|one| one.is_error());
    let lines: Vec<String> = errors.map(|one| in_words(one, text)).collect();
    format!("{name} is not a valid estate:\n{}", lines.join("\n"))
}

fn in_words(diagnostic: &model::Diagnostic, text: &str) -> String {
    if let Some(within) = &diagnostic.within {
        return format!("  {within}: {}", diagnostic.message);
    }
    match diagnostic.span {
        Some(span) => {
            let (line, column) = span.position(text);
            format!("  {line}:{column}: {}", diagnostic.message)
        }
        None => format!("  {}", diagnostic.message),
    }
}

async fn open_trail(settings: &Settings, store: &Store, estate: &Estate) -> anyhow::Result<Trail> {
    let (origin, key) = secrets::trail(store, &settings.entropy, &estate.domain).await?;
    let dir = settings.paths.trail();
    let public = format!("{}\n", key.verifying_key());
    ::store::atomic_write(&dir.join("key.pub"), public.as_bytes(), 0o644)?;
    let base = base(settings.config.as_ref());
    let opening = trail::Settings {
        dir,
        origin,
        reserve: estate.trail.reserve,
        checkpoints: estate
            .trail
            .checkpoints
            .iter()
            .map(|at| base.join(at))
            .collect(),
    };
    let (clock, entropy) = (settings.clock.clone(), settings.entropy.clone());
    let trail = Trail::open(opening, store.clone(), key, clock, entropy).await;
    trail.context("cannot open the trail")
}

/// The development authority and what it issues; its public half stands in `tls/ca.pem`.
async fn open_certificates(
    settings: &Settings,
    store: &Store,
    trail: &Trail,
    hub: &Hub,
) -> anyhow::Result<certificates::Shared> {
    let (clock, entropy) = (&settings.clock, &settings.entropy);
    let authority = secrets::authority(store, clock, entropy).await?;
    let base = base(settings.config.as_ref());
    let acme = Acme::open(gateway::acme::Parts {
        store: store.clone(),
        trail: trail.clone(),
        hub: hub.clone(),
        base: base.clone(),
        clock: clock.clone(),
        entropy: entropy.clone(),
    });
    let acme = acme.await.context("cannot read the kept certificates")?;
    let certificates = Certificates::new(authority, acme, &base, clock.clone(), entropy.clone());
    let public = certificates.authority().as_bytes();
    ::store::atomic_write(&settings.paths.tls().join("ca.pem"), public, 0o644)?;
    Ok(Arc::new(certificates))
}

/// Paths in the estate are relative to its file.
pub(crate) fn base(config: Option<&PathBuf>) -> PathBuf {
    let parent = config.and_then(|path| path.parent()).map(PathBuf::from);
    parent.unwrap_or_else(|| PathBuf::from("."))
}

/// The parts, connected.
struct Parts {
    services: Services,
    trail: Trail,
    hub: Hub,
    bans: Bans,
    certificates: certificates::Shared,
    restarts: Restarts,
    /// Taken by the task that follows what changes.
    asked: Option<bridge::Asked>,
}

impl Parts {
    async fn open(
        settings: &Settings,
        store: Store,
        trail: Trail,
        source: &Source,
    ) -> anyhow::Result<Self> {
        let (clock, entropy) = (&settings.clock, &settings.entropy);
        let rollout = Rollout::open(store.clone(), trail.clone(), clock.clone(), entropy.clone());
        let rollout = rollout.await.context("cannot read the applied estate")?;
        let identity = open_identity(settings, &store, &trail, source).await?;
        let bans = Bans::new(store.clone(), trail.clone(), clock.clone(), entropy.clone());
        let (told, asked) = bridge::told();
        let port = Arc::new(ports::ForGateways {
            identity: identity.clone(),
            told: told.clone(),
            trail: trail.clone(),
        });
        let hub = Hub::new(port, clock.clone());
        hub.set_assertion_key(secrets::assertion(&store, entropy).await?);
        let certificates = open_certificates(settings, &store, &trail, &hub).await?;
        rollout.add_participant(Arc::new(participants::CertificatesPart {
            certificates: Arc::clone(&certificates),
            hub: hub.clone(),
        }));
        rollout.add_participant(Arc::new(participants::GatewaysPart { hub: hub.clone() }));
        rollout.add_participant(Arc::new(participants::IdentityPart {
            identity: identity.clone(),
        }));
        let (clock, entropy) = (clock.clone(), entropy.clone());
        let restarts = Restarts::new(settings.supervised, trail.clone(), clock, entropy);
        let (clock, entropy) = (&settings.clock, &settings.entropy);
        let port = Arc::new(ports::ForSurfaces {
            restarts: restarts.clone(),
            hub: hub.clone(),
            bans: bans.clone(),
            told,
            rollout: rollout.clone(),
            identity: identity.clone(),
            certificates: Arc::clone(&certificates),
            clock: clock.clone(),
            entropy: entropy.clone(),
        });
        let services = Services {
            identity,
            rollout,
            trail: trail.clone(),
            gateway: port,
            facts: api::Facts {
                data: settings.paths.data.clone(),
                estate_file: settings.config.clone(),
                uid: rustix::process::geteuid().as_raw(),
                trail_key: trail_key(settings)?,
                version: env!("CARGO_PKG_VERSION"),
            },
            store,
            clock: clock.clone(),
            entropy: entropy.clone(),
            counters: Arc::default(),
            history: Arc::default(),
            reports: Arc::default(),
        };
        Ok(Self {
            services,
            trail,
            hub,
            bans,
            certificates,
            restarts,
            asked: Some(asked),
        })
    }

    /// Takes the estate into force, opens the sockets and starts what runs by itself.
    async fn start(
        &mut self,
        settings: &Settings,
        texts: &Sources,
        stop: &CancellationToken,
    ) -> anyhow::Result<TaskTracker> {
        let tasks = TaskTracker::new();
        let services = &self.services;
        if let Some(asked) = self.asked.take() {
            let (identity, bans) = (services.identity.clone(), self.bans.clone());
            let following = bridge::follow(identity, bans, self.hub.clone(), asked, stop.clone());
            tasks.spawn(following);
        }
        self.bring_into_force(settings, texts).await?;
        self.listen(settings, stop, &tasks).await?;
        tasks.spawn(services.identity.clone().run(stop.clone()));
        tasks.spawn(tasks::probes(services.clone(), stop.clone()));
        let until = |task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
            let stop = stop.clone();
            async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = task => {}
                }
            }
        };
        tasks.spawn(self.certificates.acme().clone().run(stop.clone()));
        let renewing = renewals::tend(renewals::Tending {
            certificates: self.certificates.clone(),
            rollout: services.rollout.clone(),
            trail: self.trail.clone(),
            hub: self.hub.clone(),
            clock: services.clock.clone(),
            entropy: services.entropy.clone(),
        });
        tasks.spawn(until(Box::pin(renewing)));
        tasks.spawn(until(Box::pin(tasks::tend_bans(self.bans.clone()))));
        tasks.spawn(until(Box::pin(tasks::catch_up(services.rollout.clone()))));
        tasks.spawn(until(Box::pin(api::watch_traffic(services.clone()))));
        Ok(tasks)
    }

    /// `texts` are the first version when nothing is stored yet.
    async fn bring_into_force(&self, settings: &Settings, texts: &Sources) -> anyhow::Result<()> {
        let rollout = &self.services.rollout;
        if rollout.current().is_some() {
            let started = rollout.start().await;
            started.context("the applied estate cannot be taken into force")?;
            return Ok(());
        }
        let ctx = Context::system(&*settings.clock, &*settings.entropy);
        let applied = rollout.bootstrap(&ctx, texts).await;
        applied.context("the first estate cannot be applied")?;
        Ok(())
    }

    async fn listen(
        &self,
        settings: &Settings,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> anyhow::Result<()> {
        let paths = &settings.paths;
        let gateway_user = users::switchable(GATEWAY_USER).map(|user| user.uid);
        let own = UnixAccess {
            mode: 0o600,
            also: None,
        };
        let shared = UnixAccess {
            mode: 0o600,
            also: gateway_user,
        };
        let router = api::router(self.services.clone());
        let admin = bind_unix(&paths.admin_socket(), own).await;
        let admin = admin.context("cannot open the administration socket")?;
        let serving = sockets::serve(admin, router.clone(), own, local(), stop.clone());
        tasks.spawn(serving);
        let public = surfaces(router, console::router(self.services.clone()));
        let http = bind_unix(&paths.control_http_socket(), shared).await;
        let http = http.context("cannot open the socket for the gateway's requests")?;
        let serving = sockets::serve(http, public, shared, from_gateway(), stop.clone());
        tasks.spawn(serving);
        let link = bind_unix(&paths.link_socket(), shared).await;
        let link = link.context("cannot open the link to the gateways")?;
        let (hub, stop) = (self.hub.clone(), stop.clone());
        tasks.spawn(async move { hub.serve(link, shared, stop).await });
        Ok(())
    }

    /// Prints a one-time link while there is nobody who can administer.
    async fn offer_administration(&self, settings: &Settings) -> anyhow::Result<()> {
        let ctx = Context::system(&*settings.clock, &*settings.entropy);
        let identity = &self.services.identity;
        let Some(invitation) = identity.ensure_first_administrator(&ctx).await? else {
            return Ok(());
        };
        let version = self.services.rollout.current();
        let path = format!("/enrol/{}", invitation.token.expose());
        let link = version.map(|version| api::link(&version.estate, &path));
        crate::say(&format!(
            "nobody can administer yet; whoever opens this link becomes the administrator \
             (works once, until {}):\n  {}",
            invitation.expires_at,
            link.unwrap_or(path),
        ));
        Ok(())
    }
}

async fn open_identity(
    settings: &Settings,
    store: &Store,
    trail: &Trail,
    source: &Source,
) -> anyhow::Result<Identity> {
    let identity = Identity::open(
        store.clone(),
        trail.clone(),
        Arc::new(source.estate.clone()),
        settings.clock.clone(),
        settings.entropy.clone(),
        identity::Settings {
            issuer: issuer(&source.estate),
            cost: identity::password::Cost::OWASP,
            hash_slots: std::thread::available_parallelism().map_or(1, usize::from),
        },
    );
    identity.await.context("cannot read who may sign in")
}

/// The API below its path, the console everywhere else.
fn surfaces(api: Router, console: Router) -> Router {
    Router::new().fallback(move |request: Request<axum::body::Body>| {
        let (api, console) = (api.clone(), console.clone());
        async move {
            let router = if request.uri().path().starts_with("/api/") {
                api
            } else {
                console
            };
            router.oneshot(request).await
        }
    })
}

fn local() -> Introduce {
    Arc::new(|uid, request| {
        request.extensions_mut().insert(Peer::Local { uid });
        true
    })
}

fn from_gateway() -> Introduce {
    Arc::new(|_, request| match Peer::from_gateway(request.headers()) {
        Some(peer) => {
            request.extensions_mut().insert(peer);
            true
        }
        None => false,
    })
}

fn issuer(estate: &Estate) -> String {
    api::link(estate, "")
}

fn trail_key(settings: &Settings) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(settings.paths.trail().join("key.pub"))?;
    Ok(text.trim().to_owned())
}
