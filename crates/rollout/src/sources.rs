//! What an estate is written in: its own text, and the documents that it names.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use model::Diagnostic;

use crate::Error;
use crate::{documents, rules};

/// LIMIT: bytes of an estate.
const SOURCE_BYTES_MAX: usize = 1024 * 1024;
/// LIMIT: bytes of one document.
const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;
/// LIMIT: documents of one estate, files of rules among them.
const DOCUMENTS_MAX: usize = 256;
/// LIMIT: bytes of an estate and its documents together: they travel to gateways in one message.
const ALL_BYTES_MAX: usize = 5 * 1024 * 1024;

/// An estate's text with the documents it names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The text of the estate file.
    pub estate: String,
    /// Texts of the documents, by their paths as the estate has them.
    pub documents: BTreeMap<String, String>,
    /// Documents that could not be had, and why.
    pub missing: BTreeMap<String, String>,
}

impl From<String> for Sources {
    fn from(estate: String) -> Self {
        Self {
            estate,
            ..Self::default()
        }
    }
}

impl From<&str> for Sources {
    fn from(estate: &str) -> Self {
        Self::from(estate.to_owned())
    }
}

impl From<&String> for Sources {
    fn from(estate: &String) -> Self {
        Self::from(estate.clone())
    }
}

impl From<&Self> for Sources {
    fn from(sources: &Self) -> Self {
        sources.clone()
    }
}

/// An estate that can be applied.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The estate.
    pub estate: estate::Estate,
    /// What works, but is probably not meant.
    pub warnings: Vec<Diagnostic>,
}

impl Sources {
    /// The text with the documents that lie below `folder`. Reads files; what cannot be read is
    /// [`Sources::missing`], and an error of the estate once it is checked.
    #[must_use]
    pub fn beside(estate: String, folder: &Path) -> Self {
        let mut sources = Self::from(estate);
        for path in estate::documents(&sources.estate).into_keys() {
            match read(&folder.join(&path)) {
                Ok(text) => drop(sources.documents.insert(path, text)),
                Err(error) => drop(sources.missing.insert(path, error.to_string())),
            }
        }
        for (rules, _) in estate::rule_folders(&sources.estate) {
            match rules::files(folder, &rules) {
                Ok(paths) => sources.take_in(folder, paths),
                Err(error) => drop(sources.missing.insert(rules, error.to_string())),
            }
        }
        sources
    }

    fn take_in(&mut self, folder: &Path, paths: Vec<String>) {
        for path in paths {
            // One more than is accepted, so that it is refused and not cut short.
            if self.documents.len() > DOCUMENTS_MAX {
                return;
            }
            match read(&folder.join(&path)) {
                Ok(text) => drop(self.documents.insert(path, text)),
                Err(error) => drop(self.missing.insert(path, error.to_string())),
            }
        }
    }

    /// The same with only the documents that the estate names: nothing else becomes part of a
    /// version.
    #[must_use]
    pub fn named(mut self) -> Self {
        let named = estate::documents(&self.estate);
        let folders = estate::rule_folders(&self.estate);
        let is_named = |path: &str| named.contains_key(path) || rules::is_of(&folders, path);
        self.documents.retain(|path, _| is_named(path));
        self.missing
            .retain(|path, _| is_named(path) || folders.iter().any(|(folder, _)| folder == path));
        self
    }

    /// Checks the estate and every document, and reports everything at once. Rules are loaded for
    /// it, which takes up to a second.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Invalid`] with every finding.
    pub fn check(&self) -> Result<Checked, Error> {
        self.check_with(&waf::Shelf::keeping(0))
    }

    /// The same; rules that are on the `shelf` are not loaded again.
    ///
    /// # Errors
    /// As [`Sources::check`].
    pub(crate) fn check_with(&self, shelf: &waf::Shelf) -> Result<Checked, Error> {
        self.small_enough()?;
        let (mut findings, _) = documents::findings(self);
        match estate::Estate::parse(&self.estate) {
            Ok(parsed) => {
                findings.extend(rules::findings(self, Some(&parsed.estate), shelf));
                findings.splice(0..0, parsed.warnings);
                if findings.iter().any(Diagnostic::is_error) {
                    return Err(Error::Invalid(findings));
                }
                Ok(Checked {
                    estate: parsed.estate,
                    warnings: findings,
                })
            }
            Err(mut all) => {
                all.append(&mut findings);
                all.extend(rules::findings(self, None, shelf));
                Err(Error::Invalid(all))
            }
        }
    }

    fn small_enough(&self) -> Result<(), Error> {
        if self.estate.len() > SOURCE_BYTES_MAX {
            return Err(Error::TooLarge {
                bytes: self.estate.len(),
                max: SOURCE_BYTES_MAX,
            });
        }
        let too_much = |what: String| {
            let hint = "leave examples out, or split it by route";
            let finding = Diagnostic::error("rollout.too_large", None, what).hint(hint);
            Err(Error::Invalid(vec![finding]))
        };
        let mut all = self.estate.len();
        for (path, text) in &self.documents {
            all = all.saturating_add(text.len());
            if text.len() > DOCUMENT_BYTES_MAX {
                return too_much(format!("`{path}` has more than {DOCUMENT_BYTES_MAX} bytes"));
            }
        }
        if all > ALL_BYTES_MAX {
            return too_much(format!(
                "the estate and its documents have more than {ALL_BYTES_MAX} bytes together"
            ));
        }
        if self.documents.len() > DOCUMENTS_MAX {
            return too_much(format!(
                "the estate names more than {DOCUMENTS_MAX} documents"
            ));
        }
        Ok(())
    }

    /// SHA-256 in hex: of the estate's text when it stands alone, else of a list of the digests
    /// of all texts with their paths.
    ///
    /// INVARIANT: two sources with the same hash have the same texts under the same paths. A path
    /// holds no line end (the estate refuses them), so that no list can be read in two ways.
    #[must_use]
    pub fn hash(&self) -> String {
        if self.documents.is_empty() {
            return hash(self.estate.as_bytes());
        }
        let mut list = format!("rampart sources v1\n{}\n", hash(self.estate.as_bytes()));
        for (path, text) in &self.documents {
            list.push_str(&format!("{}  {path}\n", hash(text.as_bytes())));
        }
        hash(list.as_bytes())
    }
}

/// SHA-256 of a text, in hex.
pub(crate) fn hash(text: &[u8]) -> String {
    digest(&SHA256, text)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn read(path: &Path) -> io::Result<String> {
    let too_large = || io::Error::other(format!("it has more than {DOCUMENT_BYTES_MAX} bytes"));
    let limit = u64::try_from(DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX);
    let file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(too_large());
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))
}
