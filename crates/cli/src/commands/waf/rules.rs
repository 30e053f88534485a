//! Rules from files, folders and the program itself, in the order in which they mean something.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use seclang::{Files, Leniency, Loaded, Loader};

use crate::failure::Failure;
use crate::output::clean;

/// LIMIT: a file of rules, or one that rules name, is read up to this.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// LIMIT: files of a folder.
const FILES_MAX: usize = 10_000;
/// What the pack is called on the command line.
pub(super) const BUILTIN: &str = "builtin";

/// Files of this machine, for rules that name some.
#[derive(Debug)]
struct Disk;

impl Files for Disk {
    fn read(&self, from: &str, path: &str) -> Result<Vec<u8>, String> {
        let path = beside(from, path);
        read(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
    }

    fn list(&self, from: &str, pattern: &str) -> Result<Vec<String>, String> {
        let path = beside(from, pattern);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some((before, after)) = name.split_once('*') else {
            return Ok(vec![path.to_string_lossy().into_owned()]);
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut names = Vec::new();
        for file in files_of(folder).map_err(|error| format!("`{pattern}`: {error}"))? {
            let own = file.file_name().unwrap_or_default().to_string_lossy();
            let fits = own.len() >= before.len() + after.len();
            if fits && own.starts_with(before) && own.ends_with(after) {
                names.push(file.to_string_lossy().into_owned());
            }
        }
        Ok(names)
    }
}

fn beside(from: &str, path: &str) -> PathBuf {
    Path::new(from).parent().unwrap_or(Path::new("")).join(path)
}

/// Reads a file of bounded size, whatever bytes it has.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(std::io::Error::other(format!(
            "it has more than {FILE_BYTES_MAX} bytes"
        )));
    }
    Ok(bytes)
}

/// The entries of a folder, sorted.
pub(super) fn files_of(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.take(FILES_MAX);
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

/// Where rules come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// The pack that Rampart ships.
    Builtin,
    /// A folder: of the Core Rule Set, or with rules of one's own.
    Folder(PathBuf),
    /// Files, in this order.
    Files(Vec<PathBuf>),
}

impl Source {
    /// What one word of the command line means.
    pub(super) fn named(word: &Path, path: PathBuf) -> Result<Self, Failure> {
        let is_plain = word.components().count() == 1;
        if path.is_dir() {
            return Ok(Self::Folder(path));
        }
        if path.is_file() {
            return Ok(Self::Files(vec![path]));
        }
        let text = word.to_string_lossy();
        if text == BUILTIN {
            return Ok(Self::Builtin);
        }
        let missing = Failure::usage(format!("there are no rules at `{}`", clean(&text)));
        let near = is_plain && text.len().abs_diff(BUILTIN.len()) <= 2 && text.starts_with('b');
        Err(match near {
            true => missing.hint(format!("did you mean `{BUILTIN}`?")),
            false => missing.hint("name a folder, a file, or `builtin` for those of Rampart"),
        })
    }

    /// For messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Builtin => BUILTIN.to_owned(),
            Self::Folder(path) => path.display().to_string(),
            Self::Files(paths) => {
                let names = paths.iter().map(|path| path.display().to_string());
                names.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Whether these are the Core Rule Set's.
    pub(super) fn is_core_rule_set(&self) -> bool {
        matches!(self, Self::Folder(folder) if setup_of(folder).is_some())
    }
}

/// What rules are loaded for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose<'p> {
    /// To see whether they can be: nothing is added to them.
    Check,
    /// To run: what they build on is added where they do not bring it. Each text is a name and what
    /// it says.
    Run {
        /// Before everything.
        before: &'p str,
        /// Between the setup and the rules.
        between: &'p str,
        /// After everything.
        after: &'p str,
    },
}

/// A failed load has its findings; a folder that cannot be read is a failure of the command.
pub(super) fn load(
    source: &Source,
    purpose: Purpose<'_>,
    leniency: Leniency,
) -> Result<Result<Loaded, seclang::Error>, Failure> {
    let mut loader = Loader::new(&Disk, leniency);
    let (before, between, after) = match purpose {
        Purpose::Check => ("", "", ""),
        Purpose::Run {
            before,
            between,
            after,
        } => (before, between, after),
    };
    loader.text("command line", before.as_bytes());
    match source {
        Source::Builtin => {
            for (name, text) in wafrules::files() {
                loader.text(name, text.as_bytes());
            }
        }
        Source::Files(paths) => {
            if matches!(purpose, Purpose::Run { .. }) && !paths.iter().any(|path| is_base(path)) {
                ours(&mut loader);
            }
            for path in paths {
                loader.include("", &path.to_string_lossy());
            }
        }
        Source::Folder(folder) => {
            let order = Order::of(folder).map_err(|error| {
                let message = format!("cannot read `{}`", folder.display());
                Failure::because(crate::Exit::Usage, message, &error)
            })?;
            if matches!(purpose, Purpose::Run { .. }) {
                match &order.base {
                    Some(base) => loader.include("", &base.to_string_lossy()),
                    None if order.first.iter().any(|path| is_base(path)) => {}
                    None => ours(&mut loader),
                }
            }
            for path in &order.first {
                loader.include("", &path.to_string_lossy());
            }
            loader.text("setup of the tests", between.as_bytes());
            for path in &order.then {
                loader.include("", &path.to_string_lossy());
            }
        }
    }
    loader.text("command line", after.as_bytes());
    Ok(loader.finish())
}

/// What rules of others build on, where they bring nothing of the kind.
fn ours(loader: &mut Loader<'_>) {
    if let Some((name, text)) = wafrules::files().first() {
        loader.text(name, text.as_bytes());
    }
}

fn is_base(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        name == "rampart-setup.conf" || name.starts_with("modsecurity.conf")
    })
}

/// `crs-setup.conf`, or the example it is made from.
fn setup_of(folder: &Path) -> Option<PathBuf> {
    let names = ["crs-setup.conf", "crs-setup.conf.example"];
    let mut paths = names.iter().map(|name| folder.join(name));
    paths.find(|path| path.is_file())
}

/// The files of a folder of rules.
#[derive(Debug, Default)]
struct Order {
    /// The engine's own configuration, within the folder or, as it is laid out for tests, beside it.
    base: Option<PathBuf>,
    /// Setup, then files at the top, then what plugins want before the rules.
    first: Vec<PathBuf>,
    /// The rules, then what plugins want after them.
    then: Vec<PathBuf>,
}

impl Order {
    fn of(folder: &Path) -> std::io::Result<Self> {
        let names = [
            "modsecurity.conf",
            "modsecurity.conf-recommended",
            "../modsecurity/modsecurity.conf-recommended",
        ];
        let setup = setup_of(folder);
        // Beside the folder is only looked where it is laid out as the Core Rule Set's.
        let looked = if setup.is_some() { 3 } else { 2 };
        let mut bases = names.iter().take(looked).map(|name| folder.join(name));
        let mut order = Self {
            base: bases.find(|path| path.is_file()),
            ..Self::default()
        };
        let mut top = with_suffix(files_of(folder)?, ".conf");
        top.retain(|path| !is_base(path) || ends_with(path, "rampart-setup.conf"));
        top.retain(|path| Some(path) != setup.as_ref());
        // A copy of the pack is read as the pack is.
        top.sort_by_key(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let mut own = wafrules::files().iter().map(|(name, _)| *name);
            (own.position(|own| own == name), path.clone())
        });
        order.first.extend(setup);
        order.first.extend(top);
        let plugins = within(folder, "plugins")?;
        for suffix in ["-config.conf", "-before.conf"] {
            order.first.extend(with_suffix(plugins.clone(), suffix));
        }
        order
            .then
            .extend(with_suffix(within(folder, "rules")?, ".conf"));
        order.then.extend(with_suffix(plugins, "-after.conf"));
        Ok(order)
    }
}

fn within(folder: &Path, name: &str) -> std::io::Result<Vec<PathBuf>> {
    let path = folder.join(name);
    match path.is_dir() {
        true => files_of(&path),
        false => Ok(Vec::new()),
    }
}

fn ends_with(path: &Path, suffix: &str) -> bool {
    path.to_string_lossy().ends_with(suffix)
}

fn with_suffix(paths: Vec<PathBuf>, suffix: &str) -> Vec<PathBuf> {
    let fits = paths.into_iter().filter(|path| ends_with(path, suffix));
    fits.collect()
}
