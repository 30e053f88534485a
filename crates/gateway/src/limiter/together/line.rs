//! A worker's connection to the server: made when it is first needed, many questions at once on
//! it, made anew when it breaks. Workers share none, so that nobody wakes another thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::Secret;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, RedisConnectionInfo, RedisError, ServerErrorKind};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::script::{Answer, Question};
use super::{Asked, Gate, Store};

/// LIMIT: how long a connection may take to be made, with TLS and signing in.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// LIMIT: questions of one worker that are not on the wire yet; more wait their turn, within their
/// time.
const QUEUED_MAX: usize = 1024;
/// LIMIT: bytes of a file of a password.
const PASSWORD_BYTES_MAX: u64 = 4096;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<Mutex<Option<Slot>>>);

/// A connection to one server, made or being made.
#[derive(Clone, Debug)]
struct Slot {
    store: Arc<Store>,
    generation: u64,
    /// Empty while it is being made; its sender is gone when it could not be.
    connection: watch::Receiver<Option<Connection>>,
}

/// Cheap to clone: many questions at once.
#[derive(Clone, Debug)]
struct Connection {
    questions: MultiplexedConnection,
    driver: Arc<Driver>,
}

/// What moves a connection's bytes; it ends with the last who has it.
#[derive(Debug)]
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why a question came to nothing.
#[derive(Debug)]
enum Failed {
    /// There was no connection, and whoever tried to make it said why.
    Unconnected,
    /// There is none yet.
    Connecting,
    /// It ended beneath the question.
    Broken(RedisError),
    /// The server does not want to.
    Refused(String),
    /// The answer did not come in time.
    Late,
}

impl Line {
    /// Asks, once, within the time the estate gives.
    pub(crate) async fn ask(
        &self,
        store: &Arc<Store>,
        question: &Question,
    ) -> Result<Answer, Asked> {
        match store.gate() {
            Gate::Ask => {}
            Gate::Away => {
                self.give_up(store);
                return Err(store.note(Asked::Away));
            }
            Gate::Try => {
                self.give_up(store);
                self.begin_trial(store);
                return Err(store.note(Asked::Away));
            }
        }
        let Some(_waiting) = store.wait() else {
            return Err(store.note(Asked::Busy));
        };
        let deadline = Instant::now() + store.settings.timeout;
        let mut answered = self.exchange(store, question, deadline).await;
        if let Err(Failed::Broken(_)) = answered {
            // A connection that was idle may have been closed long ago: that says nothing about
            // the server.
            answered = self.exchange(store, question, deadline).await;
        }
        match answered {
            Ok(answer) => {
                store.answered();
                Ok(answer)
            }
            Err(Failed::Late) => Err(store.late()),
            // Not counted against it: making a connection has a longer time of its own.
            Err(Failed::Connecting) => Err(store.note(Asked::Late)),
            Err(Failed::Unconnected) => Err(store.note(Asked::Failed)),
            Err(Failed::Refused(why)) => Err(store.failed(&why)),
            Err(Failed::Broken(error)) => Err(store.failed(&error.to_string())),
        }
    }

    /// Looks after it when nobody asks: connects before the first question, and tries a server
    /// that is away.
    pub(crate) fn look_after(&self, store: &Arc<Store>) {
        match store.gate() {
            Gate::Ask => drop(self.slot(store)),
            Gate::Away => {}
            Gate::Try => self.begin_trial(store),
        }
    }

    async fn exchange(
        &self,
        store: &Arc<Store>,
        question: &Question,
        deadline: Instant,
    ) -> Result<Answer, Failed> {
        let mut slot = self.slot(store);
        let made = async {
            let made = slot.connection.wait_for(Option::is_some).await;
            made.ok().and_then(|made| made.clone())
        };
        let made = timeout_at(deadline, made).await;
        let connection = made.map_err(|_| Failed::Connecting)?;
        let connection = connection.ok_or(Failed::Unconnected)?;
        let asked = connection.ask(store, question);
        let answered = timeout_at(deadline, asked).await;
        let answered = answered.unwrap_or(Err(Failed::Late));
        if let Err(Failed::Broken(_)) = &answered {
            self.discard(&connection);
        }
        answered
    }

    /// The connection to `store`, which is begun when there is none.
    fn slot(&self, store: &Arc<Store>) -> Slot {
        let generation = store.circuit.generation();
        let mut slot = self.lock();
        let fits = slot.as_ref().filter(|slot| {
            Arc::ptr_eq(&slot.store, store)
                && slot.generation == generation
                // Neither made nor being made: it failed, or was made and broke.
                && (slot.connection.has_changed().is_ok() || slot.connection.borrow().is_some())
        });
        if let Some(slot) = fits {
            return slot.clone();
        }
        let (made, connection) = watch::channel(None);
        let fresh = Slot {
            store: Arc::clone(store),
            generation,
            connection,
        };
        *slot = Some(fresh.clone());
        drop(slot);
        let store = Arc::clone(store);
        tokio::spawn(async move {
            match connect(&store).await {
                // Nobody may want it any more.
                Ok(connection) => drop(made.send(Some(connection))),
                Err(why) => drop(store.failed(&why)),
            }
        });
        fresh
    }

    /// The server is tried beside everybody: a connection, and a question like any other.
    fn begin_trial(&self, store: &Arc<Store>) {
        let (line, store) = (self.clone(), Arc::clone(store));
        tokio::spawn(async move {
            let tried = async {
                let connection = connect(&store).await?;
                let trial = store.trial();
                let answered = timeout(store.settings.timeout, connection.ask(&store, &trial));
                match answered.await {
                    Ok(Ok(_)) => Ok(connection),
                    Ok(Err(failed)) => Err(failed.to_string()),
                    Err(_) => Err("its answers come too late".to_owned()),
                }
            };
            match tried.await {
                Ok(connection) => {
                    let (_, connection) = watch::channel(Some(connection));
                    *line.lock() = Some(Slot {
                        generation: store.circuit.generation(),
                        store: Arc::clone(&store),
                        connection,
                    });
                    store.back();
                }
                Err(why) => store.still_away(&why),
            }
        });
    }

    /// The connection of before, when nobody asks there any more.
    fn give_up(&self, store: &Arc<Store>) {
        let generation = store.circuit.generation();
        let mut slot = self.lock();
        if slot
            .as_ref()
            .is_some_and(|slot| slot.generation != generation)
        {
            *slot = None;
        }
    }

    /// A connection that broke.
    fn discard(&self, broken: &Connection) {
        let mut slot = self.lock();
        let is_it = slot.as_ref().is_some_and(|slot| {
            let connection = slot.connection.borrow();
            let same = |one: &Connection| Arc::ptr_eq(&one.driver, &broken.driver);
            connection.as_ref().is_some_and(same)
        });
        if is_it {
            *slot = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unconnected | Self::Connecting => f.write_str("there is no connection"),
            Self::Broken(error) => write!(f, "{error}"),
            Self::Refused(why) => f.write_str(why),
            Self::Late => f.write_str("its answers come too late"),
        }
    }
}

impl Connection {
    async fn ask(&self, store: &Store, question: &Question) -> Result<Answer, Failed> {
        let mut questions = self.questions.clone();
        let [known, whole] = store.script.commands(question);
        let mut said = known.query_async::<Vec<i64>>(&mut questions).await;
        let unknown = ErrorKind::Server(ServerErrorKind::NoScript);
        if said.as_ref().is_err_and(|error| error.kind() == unknown) {
            said = whole.query_async(&mut questions).await;
        }
        let said = said.map_err(|error| match error.is_unrecoverable_error() {
            true => Failed::Broken(error),
            false => Failed::Refused(error.to_string()),
        })?;
        let answer = question.read(&said);
        answer.ok_or_else(|| Failed::Refused("its answer is none of the script's".to_owned()))
    }
}

/// Whether everything that a connection needs can be read.
pub(super) fn check(store: &Store) -> Result<(), String> {
    password(store)?;
    tls(store).map(drop)
}

/// The password, read anew for each connection so that it can be changed.
fn password(store: &Store) -> Result<Option<Secret<String>>, String> {
    let Some(file) = &store.settings.password_file else {
        return Ok(None);
    };
    let path = store.maker.base.join(file);
    let cannot = |why: &dyn std::fmt::Display| {
        format!(
            "the password file `{}` cannot be used: {why}",
            path.display()
        )
    };
    let length = std::fs::metadata(&path)
        .map_err(|error| cannot(&error))?
        .len();
    if length > PASSWORD_BYTES_MAX {
        return Err(cannot(&"it is too long for a password"));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| cannot(&error))?;
    let text = Secret::new(text);
    let password = text.expose().trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(cannot(&"it is empty"));
    }
    Ok(Some(Secret::new(password.to_owned())))
}

fn tls(store: &Store) -> Result<Option<(TlsConnector, ServerName<'static>)>, String> {
    let address = &store.settings.address;
    if !address.tls {
        return Ok(None);
    }
    let roots = match &store.settings.authority {
        Some(file) => net::tls::Roots::File(store.maker.base.join(file)),
        None => net::tls::Roots::System,
    };
    let config = net::tls::client_config(&roots).map_err(|error| chained(&error))?;
    let name = ServerName::try_from(address.host.clone());
    let name = name.map_err(|_| format!("`{}` is no name of a server", address.host))?;
    Ok(Some((TlsConnector::from(config), name)))
}

fn chained(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// A connection that is signed in.
async fn connect(store: &Arc<Store>) -> Result<Connection, String> {
    let made = timeout(CONNECT_MAX, Box::pin(connect_now(store)));
    let took = || "it took too long to accept a connection".to_owned();
    made.await.unwrap_or_else(|_| Err(took()))
}

async fn connect_now(store: &Arc<Store>) -> Result<Connection, String> {
    let reading = Arc::clone(store);
    let read = move || Ok::<_, String>((password(&reading)?, tls(&reading)?));
    let read = tokio::task::spawn_blocking(read).await;
    let (password, tls) = read.map_err(|error| error.to_string())??;
    let settings = &store.settings;
    let mut info = RedisConnectionInfo::default()
        .set_db(i64::from(settings.address.database))
        .set_skip_set_lib_name();
    if let Some(user) = &settings.user {
        info = info.set_username(user);
    }
    if let Some(password) = &password {
        info = info.set_password(password.expose());
    }
    let place = (settings.address.host.as_str(), settings.address.port);
    let stream = TcpStream::connect(place).await;
    let stream = stream.map_err(|error| error.to_string())?;
    net::prepare_stream(&stream).map_err(|error| error.to_string())?;
    match tls {
        None => sign_in(&info, stream).await,
        Some((connector, name)) => {
            let stream = connector.connect(name, stream).await;
            sign_in(&info, stream.map_err(|error| error.to_string())?).await
        }
    }
}

async fn sign_in<S>(info: &RedisConnectionInfo, stream: S) -> Result<Connection, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // Times are kept by whoever asks.
    let config = AsyncConnectionConfig::new()
        .set_response_timeout(None)
        .set_pipeline_buffer_size(QUEUED_MAX);
    let made = MultiplexedConnection::new_with_config(info, stream, config).await;
    let (questions, driver) = made.map_err(|error| error.to_string())?;
    let driver = Driver(tokio::spawn(driver).abort_handle());
    Ok(Connection {
        questions,
        driver: Arc::new(driver),
    })
}
