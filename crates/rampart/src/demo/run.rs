//! Starts the shop and a whole `rampart serve` in front of it, as anybody would from the outside,
//! and plays the day. Everything is below one folder; without a name for it, it is gone at the end.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, Request};
use model::SharedClock;
use net::{Client, Endpoint};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::browser::Network;
use super::estate::{self, CONSOLE_HOST, SHOP_HOST};
use super::people::ask;
use super::script::{self, Scene};
use super::shop::Shop;
use super::stage::Stage;

/// How long everything may take to start.
const START: Duration = Duration::from_secs(60);
/// How long everything may take to stop.
const STOP: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Between two requests of the traffic that goes on after the day.
const BETWEEN: Duration = Duration::from_secs(2);

/// What the demo ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Play {
    /// The day, and then traffic until somebody stops it.
    Live,
    /// The day alone.
    Check,
}

/// How to start it.
#[derive(Debug)]
pub(crate) struct Settings {
    /// This very program.
    pub(crate) program: PathBuf,
    /// The data folder; one of its own, removed at the end, when there is none.
    pub(crate) data: Option<PathBuf>,
    /// Where the gateway listens; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// What it ends with.
    pub(crate) play: Play,
    /// The time.
    pub(crate) clock: SharedClock,
}

/// Runs the demo, saying line by line what happens; whether every scene went as it must.
///
/// # Errors
/// When something does not start, or stops by itself.
pub(crate) async fn run(settings: Settings, mut say: impl FnMut(&str)) -> anyhow::Result<bool> {
    let place = Place::make(settings.data.clone(), &settings.clock)?;
    let listen = free(settings.listen, settings.play)?;
    let shop = Shop::open(&place.own("shop")?).await?;
    let config = place.folder.join("demo/rampart.toml");
    let text = estate::source(listen, shop.address());
    store::atomic_write(&config, text.as_bytes(), 0o644)?;
    let (name, document) = estate::DOCUMENT;
    store::atomic_write(&config.with_file_name(name), document.as_bytes(), 0o644)?;
    let mut server = Server::start(&settings.program, &place, &config)?;
    let stage = tokio::time::timeout(
        START,
        ready(&mut server, &place, listen, &shop, &settings.clock),
    )
    .await
    .with_context(|| format!("nothing answers yet; {}", server.log_hint()))??;
    say(&format!("shop     https://{SHOP_HOST}:{}/", listen.port()));
    say(&format!(
        "console  https://{CONSOLE_HOST}:{}/",
        listen.port()
    ));
    say(&format!("data     {}", place.folder.display()));
    if settings.play == Play::Live {
        say(&format!(
            "you      {}   (works once)",
            invitation(&stage).await?
        ));
    }
    say("");
    let (mut cast, summary) = script::play(&stage, |scene| say(&line(scene))).await?;
    let mut holds = summary.broken == 0;
    if settings.play == Play::Live {
        say("\ntraffic goes on; Ctrl-C ends the demo");
        let traffic = async {
            for turn in 0.. {
                // One request that finds nobody is not the end of the demo.
                if let Err(error) = script::turn(&stage, &mut cast, turn).await {
                    tracing::warn!(%error, "a request of the demo's traffic had no answer");
                }
                tokio::time::sleep(BETWEEN).await;
            }
        };
        tokio::select! {
            () = traffic => {}
            () = told_to_stop()? => {}
        }
    }
    server.stop().await?;
    let verified = verify(&settings.program, &place).await?;
    say(&line(&verified));
    holds &= verified.holds;
    let (held, broken) = (summary.held + usize::from(verified.holds), summary.broken);
    say(&format!(
        "\n{held} as expected, {} not",
        broken + usize::from(!verified.holds)
    ));
    Ok(holds)
}

fn line(scene: &Scene) -> String {
    let sign = if scene.holds { "ok  " } else { "FAIL" };
    let title = &scene.title;
    if scene.holds {
        format!("{sign} {title}: {}", scene.seen)
    } else {
        format!(
            "{sign} {title}\n     expected {}\n     seen     {}",
            scene.expected, scene.seen
        )
    }
}

/// The address to listen on. A check does not mind which port, so a taken one is no obstacle.
fn free(wanted: SocketAddr, play: Play) -> anyhow::Result<SocketAddr> {
    let bound = std::net::TcpListener::bind(wanted);
    let bound = match (bound, play) {
        (Err(error), Play::Check) if error.kind() == io::ErrorKind::AddrInUse => {
            std::net::TcpListener::bind((wanted.ip(), 0))
        }
        (bound, _) => bound,
    };
    let listener = bound.with_context(|| {
        format!("cannot listen on {wanted}; `--listen 127.0.0.1:0` takes a free port")
    })?;
    Ok(listener.local_addr()?)
}

/// Everything of one demo.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    root_key: PathBuf,
    keep: bool,
}

impl Place {
    fn make(given: Option<PathBuf>, clock: &SharedClock) -> anyhow::Result<Self> {
        let keep = given.is_some();
        let folder = given.unwrap_or_else(|| {
            let name = format!(
                "rampart-demo-{}-{}",
                std::process::id(),
                clock.now().as_millis()
            );
            std::env::temp_dir().join(name)
        });
        let used = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
        if used {
            bail!(
                "`{}` is not empty: the day needs a folder of its own",
                folder.display()
            );
        }
        // SECURITY: the server's log holds one-time links; the folder is nobody else's.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder.join("demo"))
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        let folder = folder.canonicalize()?;
        let mut root_key = folder.clone().into_os_string();
        root_key.push(".root-key");
        Ok(Self {
            folder,
            root_key: root_key.into(),
            keep,
        })
    }

    fn own(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.folder.join("demo").join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed is the temporary folder's business.
            drop(std::fs::remove_dir_all(&self.folder));
            drop(std::fs::remove_file(&self.root_key));
        }
    }
}

/// `rampart serve`, with its log in a file.
#[derive(Debug)]
struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    fn start(program: &Path, place: &Place, config: &Path) -> anyhow::Result<Self> {
        let log = place.folder.join("demo/serve.log");
        let output = std::fs::OpenOptions::new()
            .create_new(true)
            .append(true)
            .mode(0o600)
            .open(&log)?;
        let child = Command::new(program)
            .args(["serve", "--log", "info", "--config"])
            .arg(config)
            .arg("--data")
            .arg(&place.folder)
            .arg("--root-key")
            .arg(&place.root_key)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // A terminal's Ctrl-C reaches the demo alone, which then stops the server in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start `rampart serve`")?;
        Ok(Self { child, log })
    }

    fn log_hint(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let last: Vec<&str> = text.lines().rev().take(8).collect();
        format!(
            "its log ends:\n{}",
            last.into_iter().rev().collect::<Vec<_>>().join("\n")
        )
    }

    fn alive(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!(
                "`rampart serve` ended by itself: {status}; {}",
                self.log_hint()
            ),
        }
    }

    async fn stop(&mut self) -> anyhow::Result<()> {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        }
        let status = tokio::time::timeout(STOP, self.child.wait())
            .await
            .with_context(|| format!("`rampart serve` does not stop; {}", self.log_hint()))??;
        if !status.success() {
            bail!("`rampart serve` stopped with {status}; {}", self.log_hint());
        }
        Ok(())
    }
}

/// Waits until control and gateway answer, and sets the stage.
async fn ready(
    server: &mut Server,
    place: &Place,
    listen: SocketAddr,
    shop: &Shop,
    clock: &SharedClock,
) -> anyhow::Result<Stage> {
    let admin = Client::new(Endpoint::Unix(place.folder.join("run/admin.sock")));
    let authority = place.folder.join("tls/ca.pem");
    while ask(&admin, Method::GET, "/health", None).await.is_err() || !authority.exists() {
        server.alive()?;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let tls = net::tls::client_config(&net::tls::Roots::File(authority))?;
    let stage = Stage {
        network: Network::new(listen, tls),
        shop_host: SHOP_HOST.to_owned(),
        console_host: CONSOLE_HOST.to_owned(),
        admin,
        shop: Client::new(Endpoint::Tcp(shop.address())),
        log: std::sync::Arc::clone(shop.log()),
        clock: clock.clone(),
    };
    loop {
        let request = Request::get(stage.at_shop("/")?).body(Bytes::new())?;
        if stage
            .network
            .send(request)
            .await
            .is_ok_and(|answer| answer.status.is_success())
        {
            return Ok(stage);
        }
        server.alive()?;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// A one-time link for whoever watches.
async fn invitation(stage: &Stage) -> anyhow::Result<String> {
    let body = json!({
        "login": "you@demo.example", "name": "You", "roles": ["administrator"],
    });
    let answer = ask(&stage.admin, Method::POST, "/people", Some(&body)).await?;
    let link = answer.get("link").and_then(Value::as_str);
    Ok(link.context("the invitation has no link")?.to_owned())
}

fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// The last scene: the record of the day holds together.
async fn verify(program: &Path, place: &Place) -> anyhow::Result<Scene> {
    let output = Command::new(program)
        .args(["trail", "verify", "--data"])
        .arg(&place.folder)
        .output()
        .await
        .context("cannot start `rampart trail verify`")?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Ok(Scene {
        title: "the trail of the day verifies".to_owned(),
        expected: "exit 0".to_owned(),
        seen: said.lines().next().unwrap_or("nothing was said").to_owned(),
        holds: output.status.success(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_in_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let clock: SharedClock = std::sync::Arc::new(testkit::FakeClock::new());
        store::atomic_write(&folder.path().join("x"), b"x", 0o600).unwrap();
        let error = Place::make(Some(folder.path().to_owned()), &clock).unwrap_err();
        assert!(error.to_string().contains("is not empty"), "{error}");
    }

    #[test]
    fn a_folder_of_its_own_is_gone_at_the_end() {
        let clock: SharedClock = std::sync::Arc::new(testkit::FakeClock::new());
        let place = Place::make(None, &clock).unwrap();
        let folder = place.folder.clone();
        assert!(folder.join("demo").is_dir());
        drop(place);
        assert!(!folder.exists());
    }

    #[test]
    fn a_check_takes_another_port_when_its_own_is_taken() {
        let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = taken.local_addr().unwrap();
        assert_ne!(free(address, Play::Check).unwrap(), address);
        assert!(free(address, Play::Live).is_err());
    }
}
