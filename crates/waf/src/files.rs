//! Folders of rules, as texts that came with the estate; and what rules may name of them.

use std::collections::BTreeMap;

use estate::RuleSource;
use seclang::Files;

/// Whether a file of a folder of rules becomes part of a version: rules, data of rules, and the
/// example of settings that the Core Rule Set comes with.
///
/// SECURITY: whoever may plan an estate must not read other files with the server's eyes.
#[must_use]
pub fn is_rule_file(name: &str) -> bool {
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\']);
    is_plain && (name.ends_with(".conf") || name.ends_with(".data") || name == EXAMPLE)
}

/// The settings of the Core Rule Set, as they come.
const EXAMPLE: &str = "crs-setup.conf.example";
/// The settings of a set of rules.
const SETUP: &str = "setup.conf";

/// One set of rules: the texts of its settings, and those of its rules, in the order they run.
#[derive(Debug, Default)]
pub(crate) struct Source<'t> {
    pub(crate) settings: Vec<(String, &'t [u8])>,
    pub(crate) rules: Vec<(String, &'t [u8])>,
}

impl<'t> Source<'t> {
    /// A set that comes as a list of names and texts: those that end in `setup.conf` are settings.
    pub(crate) fn of(files: impl Iterator<Item = (String, &'t str)>) -> Self {
        let mut source = Self::default();
        for (name, text) in files {
            let is_setup = name.ends_with(SETUP) || name.ends_with(EXAMPLE);
            let list = if is_setup {
                &mut source.settings
            } else {
                &mut source.rules
            };
            list.push((name, text.as_bytes()));
        }
        source
    }

    /// The set in a folder.
    pub(crate) fn folder(folder: &str, texts: &'t BTreeMap<String, String>) -> Self {
        let files = read_order(folder, texts.keys().map(String::as_str));
        let text = |name: String| {
            let text = texts.get(&name)?;
            Some((name, text.as_str()))
        };
        Self::of(files.into_iter().filter_map(text))
    }
}

/// Which of `paths` are read as rules of `folder`, in their order: settings first, then what
/// plugins want before the rules, the rules, and what plugins want after them. Files of data are
/// read only where rules name them.
///
/// A `crs-setup.conf` takes the place of its example. A folder without `rules` holds its rules
/// itself.
#[must_use]
pub fn read_order<'p>(folder: &str, paths: impl Iterator<Item = &'p str>) -> Vec<String> {
    let prefix = format!("{folder}/");
    let mut files: Vec<&str> = paths
        .filter_map(|path| path.strip_prefix(&prefix))
        .collect();
    files.sort_unstable();
    let has_own = files.contains(&"crs-setup.conf");
    let is_nested = files.iter().any(|file| file.starts_with("rules/"));
    let turn = |file: &str| match file.split_once('/') {
        None if file == EXAMPLE => (!has_own).then_some(0),
        None if !file.ends_with(".conf") => None,
        None if file.ends_with(SETUP) => Some(0),
        None => (!is_nested).then_some(3),
        Some(("plugins", name)) if name.ends_with("-config.conf") => Some(1),
        Some(("plugins", name)) if name.ends_with("-before.conf") => Some(2),
        Some(("rules", name)) if name.ends_with(".conf") => Some(3),
        Some(("plugins", name)) if name.ends_with("-after.conf") => Some(4),
        Some(_) => None,
    };
    let mut ordered: Vec<(u8, &str)> = files
        .into_iter()
        .filter_map(|file| Some((turn(file)?, file)))
        .collect();
    ordered.sort_unstable();
    ordered
        .into_iter()
        .map(|(_, file)| format!("{prefix}{file}"))
        .collect()
}

/// The files of the folders that are named, as rules see them: beside the file that names one, and
/// nothing else.
#[derive(Debug)]
pub(crate) struct Texts<'t>(pub(crate) BTreeMap<&'t str, &'t str>);

impl<'t> Texts<'t> {
    pub(crate) fn of(rules: &[RuleSource], texts: &'t BTreeMap<String, String>) -> Self {
        let is_of = |path: &str| {
            rules.iter().any(|one| match one {
                RuleSource::Folder(folder) => path
                    .strip_prefix(folder.as_str())
                    .is_some_and(|rest| rest.starts_with('/')),
                RuleSource::Builtin => false,
            })
        };
        let texts = texts.iter().filter(|(path, _)| is_of(path));
        Self(
            texts
                .map(|(path, text)| (path.as_str(), text.as_str()))
                .collect(),
        )
    }
}

impl Files for Texts<'_> {
    fn read(&self, from: &str, path: &str) -> Result<Vec<u8>, String> {
        let beside = beside(from, path);
        let text = self.0.get(beside.as_str()).or_else(|| self.0.get(path));
        text.map(|text| text.as_bytes().to_vec()).ok_or_else(|| {
            format!("`{path}` is not among the files that came with the rules, as `{beside}`")
        })
    }

    fn list(&self, from: &str, pattern: &str) -> Result<Vec<String>, String> {
        let wanted = beside(from, pattern);
        let names: Vec<String> = match wanted.split_once('*') {
            None => self
                .0
                .keys()
                .filter(|name| **name == wanted)
                .map(|name| (*name).to_owned())
                .collect(),
            Some((before, after)) => {
                let fits = |name: &&&str| {
                    let rest = name.strip_prefix(before);
                    rest.and_then(|rest| rest.strip_suffix(after))
                        .is_some_and(|middle| !middle.contains('/'))
                };
                let names = self.0.keys().filter(fits);
                names.map(|name| (*name).to_owned()).collect()
            }
        };
        if names.is_empty() {
            return Err(format!(
                "no file that came with the rules is called `{wanted}`"
            ));
        }
        Ok(names)
    }
}

fn beside(from: &str, path: &str) -> String {
    match from.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{path}"),
        None => path.to_owned(),
    }
}
