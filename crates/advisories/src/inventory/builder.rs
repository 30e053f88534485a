//! An inventory while it is read: each package once, nothing that is no name, everything counted.

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;

use super::{Algorithm, Details, Digest, Format, Gap, Inventory, Options, ReadError, Why};
use crate::document::{Limits, Node};
use crate::text::{address, is_treacherous, plain, said};
use crate::{Ecosystem, Origin, Package, Scope, Source, Usage, names};

/// LIMIT: bytes of a package's name or version.
const NAME_BYTES: usize = 1_024;
/// LIMIT: bytes of an address or a path of an origin.
const ORIGIN_BYTES: usize = 4_096;
/// LIMIT: digests of a package.
const DIGESTS: usize = 8;

/// A package as a reader found it.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    scope: Scope,
    name: String,
    version: String,
    line: u32,
    source: Option<Source>,
    origin: Origin,
    usage: Usage,
    details: Details,
}

impl Draft {
    pub(crate) fn new(ecosystem: Ecosystem, name: &str, version: &str, line: u32) -> Self {
        Self::within(Scope::of(ecosystem), name, version, line)
    }

    pub(crate) fn within(scope: Scope, name: &str, version: &str, line: u32) -> Self {
        Self {
            scope,
            name: name.to_owned(),
            version: version.to_owned(),
            line,
            source: None,
            origin: Origin::Registry,
            usage: Usage::Runtime,
            details: Details::default(),
        }
    }

    pub(crate) fn origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    pub(crate) fn usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    pub(crate) fn source(mut self, name: &str, version: &str) -> Self {
        self.source = Some(Source {
            name: name.to_owned(),
            version: version.to_owned(),
        });
        self
    }

    pub(crate) fn architecture(mut self, architecture: Option<&str>) -> Self {
        let usable = architecture.filter(|text| is_word(text) && text.len() <= 64);
        self.details.architecture = usable.map(str::to_owned);
        self
    }

    /// A digest in hexadecimal; one that is none is left out.
    pub(crate) fn hex(mut self, algorithm: Algorithm, hex: Option<&str>) -> Self {
        let fits = |hex: &&str| {
            hex.len() == algorithm.hex_length() && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if let Some(hex) = hex.filter(fits) {
            self.digest(algorithm, hex.to_ascii_lowercase());
        }
        self
    }

    /// Subresource integrity (W3C SRI §3.1), as npm and its kin write it.
    pub(crate) fn integrity(mut self, text: Option<&str>) -> Self {
        for one in text
            .unwrap_or_default()
            .split_ascii_whitespace()
            .take(DIGESTS)
        {
            let Some((name, rest)) = one.split_once('-') else {
                continue;
            };
            let Some(algorithm) = Algorithm::of(name) else {
                continue;
            };
            let digits = rest.split('?').next().unwrap_or_default();
            let bytes = base64::engine::general_purpose::STANDARD.decode(digits);
            let hex: String = bytes
                .unwrap_or_default()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            if hex.len() == algorithm.hex_length() {
                self.digest(algorithm, hex);
            }
        }
        self
    }

    fn digest(&mut self, algorithm: Algorithm, hex: String) {
        let digest = Digest { algorithm, hex };
        let digests = &mut self.details.digests;
        if digests.len() < DIGESTS && !digests.contains(&digest) {
            digests.push(digest);
        }
    }
}

impl Algorithm {
    /// By its short name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "sha1" => Self::Sha1,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    pub(crate) fn hex_length(self) -> usize {
        match self {
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

/// Collects what a reader finds.
#[derive(Debug)]
pub(crate) struct Builder {
    pub(crate) format: Format,
    pub(crate) options: Options,
    packages: Vec<Package>,
    details: BTreeMap<usize, Details>,
    known: HashMap<(Scope, String, String, Origin), usize>,
    gaps: Vec<Gap>,
    gaps_dropped: usize,
}

impl Builder {
    pub(crate) fn new(format: Format, options: Options) -> Self {
        Self {
            format,
            options,
            packages: Vec::new(),
            details: BTreeMap::new(),
            known: HashMap::new(),
            gaps: Vec::new(),
            gaps_dropped: 0,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.options.limits.document()
    }

    /// An error: the file is not what it should be.
    pub(crate) fn shape<T>(&self, line: u32, what: impl Into<String>) -> Result<T, ReadError> {
        Err(ReadError::Shape {
            line,
            format: self.format.name(),
            what: what.into(),
        })
    }

    /// An error: a version of the format that is not known.
    pub(crate) fn unknown<T>(
        &self,
        line: u32,
        version: &str,
        hint: &'static str,
    ) -> Result<T, ReadError> {
        Err(ReadError::Version {
            line,
            version: said(version),
            format: self.format.name(),
            hint,
        })
    }

    /// Something that is not told.
    pub(crate) fn gap(&mut self, line: u32, why: Why, subject: &str, message: impl Into<String>) {
        if self.gaps.len() >= self.options.limits.gaps {
            self.gaps_dropped += 1;
            return;
        }
        self.gaps.push(Gap {
            line,
            why,
            subject: said(subject),
            message: message.into(),
        });
    }

    /// A package that has a place and no version.
    pub(crate) fn unversioned(&mut self, line: u32, name: &str, origin: &Origin) {
        let (why, message) = match origin {
            Origin::Git { address, commit } => {
                let commit = said(commit.as_deref().unwrap_or("no commit"));
                let message = format!("from the repository `{}` at `{commit}`", said(address));
                (Why::NoVersion, message)
            }
            Origin::Address(address) => {
                let message = format!("from the address `{}`", said(address));
                (Why::NoVersion, message)
            }
            Origin::Path(path) => {
                let message = format!("from the folder or file `{}`", said(path));
                (Why::Local, message)
            }
            Origin::Registry => (Why::Unpinned, "no one version is named".to_owned()),
        };
        self.gap(line, why, name, message);
    }

    /// The `name` of an entry; without one it is a gap.
    pub(crate) fn name_of<'n>(&mut self, item: &'n Node<'_>) -> Option<&'n str> {
        let name = item.text_of("name");
        if name.is_none() {
            let message = "a package has no name";
            self.gap(item.line, Why::Malformed, "package", message);
        }
        name
    }

    /// A package. One whose name or version is none becomes a gap.
    pub(crate) fn package(&mut self, draft: Draft) -> Result<(), ReadError> {
        let name = names::normal(draft.scope.ecosystem, &draft.name).into_owned();
        let (version, line) = (draft.version, draft.line);
        if !is_name(draft.scope.ecosystem, &name) {
            self.gap(line, Why::Malformed, &name, "this is no package's name");
            return Ok(());
        }
        if version.is_empty() {
            self.gap(line, Why::NoVersion, &name, "no version is named");
            return Ok(());
        }
        if !is_word(&version) {
            let message = format!("`{}` is no version", said(&version));
            self.gap(line, Why::Malformed, &name, message);
            return Ok(());
        }
        let source = draft
            .source
            .filter(|s| is_word(&s.name) && is_word(&s.version));
        let origin = tidy(draft.origin);
        let key = (draft.scope, name, version, origin);
        if let Some(at) = self.known.get(&key) {
            self.merge(*at, draft.usage, draft.details);
            return Ok(());
        }
        let most = self.options.limits.packages;
        if self.packages.len() >= most {
            return Err(ReadError::TooMany {
                line,
                most,
                of: "packages",
            });
        }
        let at = self.packages.len();
        let (scope, name, version, origin) = key.clone();
        self.packages.push(Package {
            scope,
            name,
            version,
            source,
            origin,
            usage: draft.usage,
            line,
        });
        if draft.details != Details::default() {
            self.details.insert(at, draft.details);
        }
        self.known.insert(key, at);
        Ok(())
    }

    /// The same package once more.
    fn merge(&mut self, at: usize, usage: Usage, details: Details) {
        if let Some(package) = self.packages.get_mut(at) {
            package.usage = wider(package.usage, usage);
        }
        if details == Details::default() {
            return;
        }
        let known = self.details.entry(at).or_default();
        for digest in details.digests {
            if known.digests.len() < DIGESTS && !known.digests.contains(&digest) {
                known.digests.push(digest);
            }
        }
        // One build of several says nothing of the others.
        if known.architecture != details.architecture {
            known.architecture = None;
        }
    }

    pub(crate) fn finish(mut self) -> Inventory {
        self.gaps.sort_by_key(|gap| gap.line);
        Inventory {
            packages: self.packages,
            details: self.details,
            gaps: self.gaps,
            gaps_dropped: self.gaps_dropped,
        }
    }
}

/// `https://…#commit`.
pub(crate) fn at_commit(place: &str) -> Origin {
    let (place, commit) = match place.split_once('#') {
        Some((place, commit)) => (place, Some(commit.to_owned())),
        None => (place, None),
    };
    Origin::Git {
        address: address(place),
        commit,
    }
}

/// What is used for both: what runs counts before what may run, and that before what never does.
pub(crate) fn wider(a: Usage, b: Usage) -> Usage {
    match (a, b) {
        (a, b) if a == b => a,
        (Usage::Runtime, _) | (_, Usage::Runtime) => Usage::Runtime,
        _ => Usage::Optional,
    }
}

/// SECURITY: a name goes into lines of reports, SBOMs and addresses.
pub(crate) fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= NAME_BYTES
        && !text
            .chars()
            .any(|letter| letter.is_whitespace() || is_treacherous(letter))
}

/// Whether each part of a name is there: a package URL could not name it else.
fn is_name(ecosystem: Ecosystem, name: &str) -> bool {
    let parts = |mark: char| {
        name.split(mark)
            .all(|part| !matches!(part, "" | "." | ".."))
    };
    let maven = ecosystem != Ecosystem::Maven || (name.split(':').count() == 2 && parts(':'));
    is_word(name) && parts('/') && maven
}

fn tidy(origin: Origin) -> Origin {
    let short = |text: String| {
        let text = plain(&text);
        if text.len() <= ORIGIN_BYTES {
            return text;
        }
        text.chars().take(ORIGIN_BYTES / 4).collect()
    };
    match origin {
        Origin::Registry => Origin::Registry,
        Origin::Git { address, commit } => Origin::Git {
            address: short(address),
            commit: commit.map(short),
        },
        Origin::Address(address) => Origin::Address(short(address)),
        Origin::Path(path) => Origin::Path(short(path)),
    }
}
