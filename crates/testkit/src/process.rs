//! A program under test: started, watched, ended.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

/// How often a condition outside this process is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A running program. Dropping it ends it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program`; both of its outputs go to the file `log`.
    ///
    /// # Errors
    /// When the program cannot be started or the log not made.
    pub fn start(program: &Path, arguments: &[&str], log: &Path) -> io::Result<Self> {
        let output = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self {
            child,
            log: log.to_path_buf(),
        })
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Everything it wrote so far.
    #[must_use]
    pub fn output(&self) -> String {
        std::fs::read(&self.log)
            .map(|b| String::from_utf8_lossy(&b).into_owned())
            .unwrap_or_default()
    }

    /// The exit code, once it has ended by itself.
    ///
    /// # Errors
    /// When it cannot be waited for, or does not end within `within`.
    pub async fn exit_code(&mut self, within: Duration) -> io::Result<Option<i32>> {
        match tokio::time::timeout(within, self.child.wait()).await {
            Ok(status) => status.map(|status| status.code()),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "still running")),
        }
    }
}

/// Looks at `condition` until it holds or `within` has passed; says which.
pub async fn eventually<F, Fut>(within: Duration, mut condition: F) -> bool
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let looking = async {
        while !condition().await {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(within, looking).await.is_ok()
}

/// Ids of the processes whose parent is `parent`, with their command lines.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn children(parent: u32) -> io::Result<Vec<(u32, String)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(id) = entry?
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        // A process may end between the listing and this read.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) else {
            continue;
        };
        // The name in parentheses may hold spaces: the fields begin behind the last one.
        let fields = stat
            .rsplit_once(") ")
            .map(|(_, fields)| fields)
            .unwrap_or_default();
        let of = fields
            .split(' ')
            .nth(1)
            .and_then(|parent| parent.parse::<u32>().ok());
        if of == Some(parent) {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            found.push((id, String::from_utf8_lossy(&line).replace('\0', " ")));
        }
    }
    Ok(found)
}
