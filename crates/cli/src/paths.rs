//! Which file and which folder a command means.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use model::Diagnostic;
use rollout::{Checked, Sources};
use serde_json::{Value, json};

use crate::env::Input;
use crate::failure::Failure;

/// LIMIT: an estate file is read up to this; the parser refuses more than 1 MiB with a message.
const FILE_BYTES_MAX: u64 = 2 << 20;

/// What commands resolve paths against.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) variables: BTreeMap<String, OsString>,
    pub(crate) folder: PathBuf,
    pub(crate) is_root: bool,
    pub(crate) input: Input,
    pub(crate) clock: model::SharedClock,
}

impl Places {
    /// A path as given, within the current folder when it is relative.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The estate file: `--config`, else as [`config_file`] finds it.
    pub(crate) fn config(&self, given: Option<&Path>) -> Result<PathBuf, Failure> {
        if let Some(path) = given {
            return Ok(self.resolve(path));
        }
        config_file(&self.variables, &self.folder)
    }

    /// The data folder: `--data`, else as [`data_folder`] finds it.
    pub(crate) fn data(&self, given: Option<&Path>) -> Result<PathBuf, Failure> {
        match given {
            Some(path) => Ok(self.resolve(path)),
            None => data_folder(&self.variables, self.is_root).map(|path| self.resolve(&path)),
        }
    }

    /// Reads the estate file.
    pub(crate) fn read_config(&self, given: Option<&Path>) -> Result<ConfigFile, Failure> {
        ConfigFile::read(self.config(given)?)
    }
}

/// An estate file as it stands on disk.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) source: String,
    /// With the documents it names.
    pub(crate) sources: Sources,
}

impl ConfigFile {
    /// Reads the file and what lies beside it.
    pub(crate) fn read(path: PathBuf) -> Result<Self, Failure> {
        let source = read_text(&path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let sources = Sources::beside(source.clone(), folder);
        Ok(Self {
            path,
            source,
            sources,
        })
    }

    /// Every finding about the file and its documents, or what it says.
    pub(crate) fn check(&self) -> Result<Checked, Vec<Diagnostic>> {
        self.sources.check().map_err(|error| match error {
            rollout::Error::Invalid(list) => list,
            error => vec![Diagnostic::error(
                "estate.too_large",
                None,
                error.to_string(),
            )],
        })
    }

    /// What the server is sent, with more fields.
    pub(crate) fn body(&self, mut fields: serde_json::Map<String, Value>) -> Value {
        fields.insert("source".to_owned(), json!(self.source));
        if !self.sources.documents.is_empty() {
            fields.insert("documents".to_owned(), json!(self.sources.documents));
        }
        Value::Object(fields)
    }

    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }
}

fn variable(variables: &BTreeMap<String, OsString>, name: &str) -> Option<PathBuf> {
    variables
        .get(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The estate file when the command line names none: `RAMPART_CONFIG`, `./rampart.toml`,
/// `$XDG_CONFIG_HOME/rampart/rampart.toml`, `/etc/rampart/rampart.toml`; the first that exists.
///
/// # Errors
/// When there is none; the message lists where it was looked for.
pub fn config_file(
    variables: &BTreeMap<String, OsString>,
    folder: &Path,
) -> Result<PathBuf, Failure> {
    if let Some(named) = variable(variables, "RAMPART_CONFIG") {
        return Ok(folder.join(named));
    }
    let user = variable(variables, "XDG_CONFIG_HOME")
        .or_else(|| variable(variables, "HOME").map(|home| home.join(".config")));
    let candidates: Vec<PathBuf> = std::iter::once(folder.join("rampart.toml"))
        .chain(user.map(|user| user.join("rampart/rampart.toml")))
        .chain([PathBuf::from("/etc/rampart/rampart.toml")])
        .collect();
    if let Some(found) = candidates.iter().find(|path| path.exists()) {
        return Ok(found.clone());
    }
    let looked: Vec<String> = candidates
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    Err(Failure::usage("there is no estate file").hint(format!(
        "`rampart init` writes one; looked for {}, or name one with `--config`",
        looked.join(", ")
    )))
}

/// The data folder when the command line names none: `RAMPART_DATA`, else `/var/lib/rampart` for
/// root, else `$XDG_STATE_HOME/rampart`.
///
/// # Errors
/// When none of these is known.
pub fn data_folder(
    variables: &BTreeMap<String, OsString>,
    is_root: bool,
) -> Result<PathBuf, Failure> {
    if let Some(named) = variable(variables, "RAMPART_DATA") {
        return Ok(named);
    }
    if is_root {
        return Ok(PathBuf::from("/var/lib/rampart"));
    }
    variable(variables, "XDG_STATE_HOME")
        .or_else(|| variable(variables, "HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("rampart"))
        .ok_or_else(|| {
            Failure::usage("there is no data folder: neither `XDG_STATE_HOME` nor `HOME` is set")
                .hint("name one with `--data DIR`")
        })
}

/// Reads a text file of bounded size.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    use std::io::Read as _;
    let because = |error: &std::io::Error| {
        let message = format!("cannot read `{}`", path.display());
        Failure::because(crate::Exit::Usage, message, error)
    };
    let file = std::fs::File::open(path).map_err(|error| because(&error))?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| because(&error))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!("`{}` is not UTF-8 at byte {at}", path.display()))
            .hint("save it as UTF-8")
    })
}
