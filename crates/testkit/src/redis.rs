//! A private Redis (or Valkey) server under test: on loopback, keeping nothing.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::{Process, eventually, free_addresses};

/// What it is called, where it is installed.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];
/// How long a start or an end may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A server of a test's own. Dropping it ends it.
#[derive(Debug)]
pub struct RedisServer {
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    address: SocketAddr,
    process: Option<Process>,
}

impl RedisServer {
    /// Starts one on a free port, with its files in `folder`; `PORT` in `more` stands for the port.
    /// `None` when none is installed.
    ///
    /// # Errors
    /// When one is installed and does not start.
    pub async fn start(folder: &Path, more: &[&str]) -> io::Result<Option<Self>> {
        let folders = ["/usr/bin", "/usr/local/bin", "/usr/sbin"];
        let installed = PROGRAMS
            .iter()
            .flat_map(|name| folders.map(|folder| Path::new(folder).join(name)))
            .find(|path| path.exists());
        let Some(program) = installed else {
            return Ok(None);
        };
        let [address] = free_addresses()?;
        let port = address.port().to_string();
        let folder_text = folder.display().to_string();
        let usual = [
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--dir",
            &folder_text,
            "--save",
            "",
            "--appendonly",
            "no",
        ];
        let arguments = usual.iter().chain(more);
        let mut server = Self {
            program,
            arguments: arguments.map(|one| one.replace("PORT", &port)).collect(),
            log: folder.join("redis.log"),
            address,
            process: None,
        };
        server.start_again().await?;
        Ok(Some(server))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().and_then(Process::id)
    }

    /// Ends it at once; what it held is gone.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn end(&mut self) -> io::Result<()> {
        self.process = None;
        let address = self.address;
        let gone = || async move { TcpStream::connect(address).await.is_err() };
        match eventually(SOON, gone).await {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::TimedOut, "still there")),
        }
    }

    /// Starts it again, on the same port and with nothing in it.
    ///
    /// # Errors
    /// When it does not listen soon.
    pub async fn start_again(&mut self) -> io::Result<()> {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let process = Process::start(&self.program, &arguments, &self.log)?;
        let address = self.address;
        let up = || async move { TcpStream::connect(address).await.is_ok() };
        if !eventually(SOON, up).await {
            return Err(io::Error::other(process.output()));
        }
        self.process = Some(process);
        Ok(())
    }
}
