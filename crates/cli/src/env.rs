//! What a command may know of the process it runs in. Tests make their own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use model::{SharedClock, SystemClock};

/// Where output goes, and whether a person sits there.
pub struct Streams {
    /// Data.
    pub out: Box<dyn Write + Send>,
    /// Everything else.
    pub err: Box<dyn Write + Send>,
    /// Whether data goes to a terminal.
    pub out_is_terminal: bool,
    /// Whether the rest goes to a terminal.
    pub err_is_terminal: bool,
    /// Whether `NO_COLOR` is set (no-color.org).
    pub no_color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Columns and rows of the terminal that data goes to, now; nothing where it is none.
    pub screen: fn() -> Option<(usize, usize)>,
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

/// Where answers come from, when a command asks.
pub struct Input {
    /// Lines somebody types.
    pub lines: Box<dyn BufRead + Send>,
    /// Whether somebody is there to type.
    pub is_terminal: bool,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").finish_non_exhaustive()
    }
}

/// The process around a command.
#[derive(Debug)]
pub struct Env {
    /// Environment variables.
    pub variables: BTreeMap<String, OsString>,
    /// The current folder; relative paths are within it.
    pub folder: PathBuf,
    /// Whether this is root.
    pub is_root: bool,
    /// Standard input.
    pub input: Input,
    /// Standard output and error.
    pub output: Streams,
    /// The time.
    pub clock: SharedClock,
}

/// Columns when nobody says how many there are.
const WIDTH: usize = 100;

impl Env {
    /// The environment of this very process.
    #[must_use]
    pub fn of_process() -> Self {
        let variables: BTreeMap<String, OsString> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        let set = |name: &str| variables.get(name).is_some_and(|value| !value.is_empty());
        let columns = variables
            .get("COLUMNS")
            .and_then(|columns| columns.to_str()?.parse().ok());
        Self {
            folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            is_root: rustix::process::geteuid().is_root(),
            input: Input {
                lines: Box::new(std::io::BufReader::new(std::io::stdin())),
                is_terminal: std::io::stdin().is_terminal(),
            },
            output: Streams {
                out_is_terminal: std::io::stdout().is_terminal(),
                err_is_terminal: std::io::stderr().is_terminal(),
                no_color: set("NO_COLOR"),
                width: columns.unwrap_or(WIDTH),
                screen,
                out: Box::new(std::io::stdout()),
                err: Box::new(std::io::stderr()),
            },
            variables,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

fn screen() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    let (columns, rows) = (usize::from(size.ws_col), usize::from(size.ws_row));
    (columns > 0 && rows > 0).then_some((columns, rows))
}
