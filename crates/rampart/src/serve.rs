//! `rampart serve`: both processes under supervision, or one of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use cli::{Exit, Global, Role as Part, ServeArgs};
use gateway::LinkAddress;
use model::{SharedClock, SharedEntropy, SystemClock, SystemEntropy};

use crate::lock::Lock;
use crate::paths::Paths;
use crate::supervise::{self, Role, follow_supervisor, supervise};
use crate::users::{self, GATEWAY_USER};
use crate::{control, logging};

/// What a gateway on the same machine as control calls itself.
const NODE: &str = "local";
/// Says that a process runs under supervision, and ends with its supervisor.
const SUPERVISED: &str = "RAMPART_SUPERVISED";

/// Everything `serve` was asked for, with absolute paths.
#[derive(Debug)]
struct Asked {
    args: ServeArgs,
    data: PathBuf,
    config: Option<PathBuf>,
    root_key: PathBuf,
    /// Whether a supervisor looks after this process.
    supervised: bool,
    /// Where the service manager wants to be told.
    notify: Option<OsString>,
}

/// Runs `rampart serve`.
pub(crate) fn run(args: ServeArgs, global: &Global) -> Exit {
    let filter = args.log.clone();
    if let Err(error) = logging::start(&filter, args.log_format) {
        return fail(&error, Exit::Usage);
    }
    let variables: BTreeMap<String, OsString> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .collect();
    let asked = match Asked::resolve(args, global, &variables) {
        Ok(asked) => asked,
        Err(error) => return fail(&error, Exit::Usage),
    };
    if asked.supervised
        && let Err(error) = follow_supervisor()
    {
        return fail(&error, Exit::Failed);
    }
    let clock: SharedClock = Arc::new(SystemClock::new());
    let entropy: SharedEntropy = Arc::new(SystemEntropy);
    let ended = match asked.args.role {
        None => both(&asked, clock),
        Some(Part::Control) => control(&asked, clock, entropy).map(|()| Exit::Ok),
        Some(Part::Gateway) => gateway(&asked, clock, entropy).map(|()| Exit::Ok),
    };
    ended.unwrap_or_else(|error| {
        // A wrong configuration does not get better by starting again.
        fail(&error, Exit::Usage)
    })
}

fn fail(error: &anyhow::Error, exit: Exit) -> Exit {
    crate::complain(&format!("{error:#}"));
    exit
}

impl Asked {
    fn resolve(
        args: ServeArgs,
        global: &Global,
        variables: &BTreeMap<String, OsString>,
    ) -> anyhow::Result<Self> {
        let folder = std::env::current_dir().context("the current folder is gone")?;
        let is_root = rustix::process::geteuid().is_root();
        let data = match &global.data {
            Some(data) => data.clone(),
            None => cli::data_folder(variables, is_root)
                .map_err(|failure| anyhow::anyhow!("{}", failure.message))?,
        };
        let data = folder.join(data);
        let config = match &global.config {
            Some(path) => Some(folder.join(path)),
            None => cli::config_file(variables, &folder).ok(),
        };
        let root_key = match &args.root_key {
            Some(path) => folder.join(path),
            None => beside(&data),
        };
        Ok(Self {
            args,
            data,
            config,
            root_key,
            supervised: variables.contains_key(SUPERVISED),
            notify: variables.get("NOTIFY_SOCKET").cloned(),
        })
    }
}

/// The root key's file when none is named: beside the data folder, never inside.
fn beside(data: &Path) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push(".root-key");
    name.into()
}

/// Starts control and gateway as processes of their own and keeps them running.
fn both(asked: &Asked, clock: SharedClock) -> anyhow::Result<Exit> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let paths = Paths::new(&asked.data);
    let user = users::switchable(GATEWAY_USER);
    paths
        .prepare_gateway(user.map(|user| (user.uid, user.gid)))
        .with_context(|| format!("cannot use the data folder `{}`", asked.data.display()))?;
    let _lock = Lock::take(&asked.data.join("serve.lock"))?;
    let roles = vec![
        Role {
            name: "control",
            arguments: asked.arguments("control"),
            user: None,
            part: supervise::Part::Hears,
        },
        Role {
            name: "gateway",
            arguments: asked.arguments("gateway"),
            user,
            part: supervise::Part::Serves,
        },
    ];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let code = runtime.block_on(supervise(program, roles, (SUPERVISED, "1"), clock))?;
    Ok(match code {
        0 => Exit::Ok,
        2 => Exit::Usage,
        _ => Exit::Failed,
    })
}

impl Asked {
    fn arguments(&self, role: &str) -> Vec<OsString> {
        let mut all: Vec<OsString> = vec!["serve".into(), "--role".into(), role.into()];
        let mut push = |name: &str, value: &Path| {
            all.push(name.into());
            all.push(value.as_os_str().to_owned());
        };
        push("--data", &self.data);
        if let Some(config) = &self.config {
            push("--config", config);
        }
        if role == "control" {
            push("--root-key", &self.root_key);
            if let Some(store) = &self.args.store {
                push("--store", Path::new(store));
            }
        } else if let Some(workers) = self.args.workers {
            push("--workers", Path::new(&workers.to_string()));
        }
        push("--log", Path::new(&self.args.log));
        let format = match self.args.log_format {
            cli::LogFormat::Text => "text",
            cli::LogFormat::Json => "json",
        };
        push("--log-format", Path::new(format));
        if role == "gateway" {
            // Also at a start: one that a supervisor before left behind may still finish.
            all.push("--take-over".into());
        }
        all
    }
}

fn control(asked: &Asked, clock: SharedClock, entropy: SharedEntropy) -> anyhow::Result<()> {
    let paths = Paths::new(&asked.data);
    let store = match &asked.args.store {
        Some(text) => text.parse()?,
        None => ::store::Location::Sqlite(paths.database()),
    };
    let settings = control::Settings {
        paths,
        config: asked.config.clone(),
        root_key: asked.root_key.clone(),
        store,
        clock,
        entropy,
        supervised: asked.supervised,
        notify: asked.notify.clone(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(control::run(settings))
}

fn gateway(asked: &Asked, clock: SharedClock, entropy: SharedEntropy) -> anyhow::Result<()> {
    let paths = Paths::new(&asked.data);
    let mut predecessor = match asked.args.take_over {
        true => gateway::take_over(&paths.gateway())?,
        false => None,
    };
    let lock = match predecessor.as_mut().and_then(gateway::Predecessor::lock) {
        Some(lock) => lock,
        None => Lock::take(&paths.gateway().join("gateway.lock"))?.into(),
    };
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let workers = asked
        .args
        .workers
        .map(usize::from)
        .and_then(NonZeroUsize::new);
    let settings = gateway::Settings {
        link: LinkAddress::Unix(paths.link_socket()),
        control_http: paths.control_http_socket(),
        data_dir: asked.data.clone(),
        workers: workers.unwrap_or(cores),
        node: NODE.to_owned(),
        base: control::base(asked.config.as_ref()),
    };
    let start = gateway::Start {
        lock,
        predecessor,
        say_ready: match asked.supervised {
            true => || crate::say("ready"),
            false => || {},
        },
    };
    gateway::run(&settings, start, clock, entropy)?;
    Ok(())
}
