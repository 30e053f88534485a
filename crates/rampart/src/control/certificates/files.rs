//! The files of `[[certificate]]`: read when an estate is applied and whenever they change. A new
//! file that is not good replaces nothing.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use api::{CertificateSource, CertificateState};
use estate::Estate;
use model::{Diagnostic, Timestamp};
use net::Certificate;
use net::tls::Flaw;

/// What is known of the files.
#[derive(Debug)]
pub(super) struct Files {
    base: PathBuf,
    known: BTreeMap<Names, Known>,
    /// What they looked like when last looked at.
    seen: Option<Vec<Stamps>>,
}

/// Chain and key, as the estate names them.
type Names = (String, String);

/// When each of the two was last written, how long it is, and which file it is.
type Stamps = [Option<(i64, i64, u64, u64)>; 2];

/// A pair of files as it was read.
#[derive(Clone, Debug)]
struct Known {
    /// The last that was good.
    certificate: Certificate,
    /// What the files looked like that were read last, good or not.
    stamps: Stamps,
    issuer: String,
    /// What is wrong with what lies there now.
    error: Option<String>,
    /// Said already that it ends soon.
    warned: bool,
}

/// Something new about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::control) enum News {
    /// Another certificate is served from now on.
    Replaced {
        /// The chain's file.
        file: String,
        /// When it ends.
        until: Timestamp,
    },
    /// What lies there now is not good; the one before is served on.
    Refused {
        /// The chain's file.
        file: String,
        /// Why.
        why: String,
    },
    /// It ends soon.
    Ending {
        /// The chain's file.
        file: String,
        /// When.
        until: Timestamp,
    },
}

impl Files {
    /// None yet; paths are relative to `base`.
    pub(super) fn new(base: &Path) -> Self {
        Self {
            base: base.to_path_buf(),
            known: BTreeMap::new(),
            seen: None,
        }
    }

    /// Reads everything that `estate` names.
    ///
    /// # Errors
    /// What is wrong with each; then nothing is remembered.
    pub(super) fn load(
        &mut self,
        estate: &Estate,
        now: Timestamp,
    ) -> Result<Vec<Certificate>, Vec<Diagnostic>> {
        let (mut all, mut wrong, mut known) = (Vec::new(), Vec::new(), self.known.clone());
        for given in &estate.certificates {
            let stamps = self.stamps(given);
            match self.read(given, now) {
                Ok((certificate, issuer)) => {
                    all.push(certificate.clone());
                    let one = Known {
                        certificate,
                        stamps,
                        issuer,
                        error: None,
                        warned: false,
                    };
                    known.insert(names(given), one);
                }
                Err((code, text)) => {
                    let text = format!("certificate `{}` {text}", given.chain);
                    wrong.push(Diagnostic::error(code, None, text));
                }
            }
        }
        wrong.extend(same_kinds(&all));
        if wrong.is_empty() {
            self.known = known;
            Ok(all)
        } else {
            Err(wrong)
        }
    }

    /// Reads again what changed. What is not good counts as it was.
    pub(super) fn reload(
        &mut self,
        estate: &Estate,
        now: Timestamp,
    ) -> (Vec<Certificate>, Vec<News>) {
        let (mut all, mut news) = (Vec::new(), Vec::new());
        for given in &estate.certificates {
            let Some(mut known) = self.known.get(&names(given)).cloned() else {
                // Applied by another process: it is read as if it were new.
                if let Ok((certificate, issuer)) = self.read(given, now) {
                    all.push(certificate.clone());
                    let one = Known {
                        certificate,
                        stamps: self.stamps(given),
                        issuer,
                        error: None,
                        warned: false,
                    };
                    self.known.insert(names(given), one);
                }
                continue;
            };
            known.certificate.hosts.clone_from(&given.hosts);
            let stamps = self.stamps(given);
            if stamps != known.stamps {
                known.stamps = stamps;
                news.extend(self.replace(&mut known, given, now));
            }
            if !known.warned && ends_soon(&known.certificate, now) {
                known.warned = true;
                news.push(News::Ending {
                    file: given.chain.clone(),
                    until: known.certificate.not_after,
                });
            }
            all.push(known.certificate.clone());
            self.known.insert(names(given), known);
        }
        (all, news)
    }

    fn replace(
        &self,
        known: &mut Known,
        given: &estate::Certificate,
        now: Timestamp,
    ) -> Option<News> {
        let file = given.chain.clone();
        match self.read(given, now) {
            Ok((certificate, issuer)) => {
                known.error = None;
                known.issuer = issuer;
                if certificate.chain == known.certificate.chain {
                    return None;
                }
                let until = certificate.not_after;
                known.certificate = certificate;
                known.warned = false;
                Some(News::Replaced { file, until })
            }
            Err((_, why)) => {
                known.error = Some(why.clone());
                Some(News::Refused { file, why })
            }
        }
    }

    /// Whether a file differs from what was read, and looks as it did at the last call.
    pub(super) fn is_changed(&mut self, estate: &Estate) -> bool {
        let given = &estate.certificates;
        let now: Vec<Stamps> = given.iter().map(|one| self.stamps(one)).collect();
        let settled = self.seen.as_ref() == Some(&now);
        let differs = given.iter().zip(&now).any(|(one, stamps)| {
            let known = self.known.get(&names(one));
            known.is_some_and(|known| known.stamps != *stamps)
        });
        self.seen = Some(now);
        settled && differs
    }

    pub(super) fn states(&self, estate: &Estate) -> Vec<CertificateState> {
        let state = |given: &estate::Certificate| {
            let known = self.known.get(&names(given));
            CertificateState {
                names: given.hosts.clone(),
                source: CertificateSource::File,
                issuer: known.map(|known| known.issuer.clone()),
                until: known.map(|known| known.certificate.not_after),
                renews: None,
                error: match known {
                    Some(known) => {
                        let why = |why: &String| format!("the new `{}` {why}", given.chain);
                        known.error.as_ref().map(why)
                    }
                    None => Some(format!("`{}` was not read", given.chain)),
                },
            }
        };
        estate.certificates.iter().map(state).collect()
    }

    /// A pair of files that can be served; why not, as a code and the end of a sentence.
    fn read(
        &self,
        given: &estate::Certificate,
        now: Timestamp,
    ) -> Result<(Certificate, String), (&'static str, String)> {
        let (chain, key) = (self.base.join(&given.chain), self.base.join(&given.key));
        let unusable = |error: net::Error| {
            let cause = std::error::Error::source(&error);
            let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
            (
                "certificate.unusable",
                format!("cannot be served: {error}{cause}"),
            )
        };
        let certificate = Certificate::load(given.hosts.clone(), &chain, &key).map_err(unusable)?;
        let flaws = certificate.flaws(now).map_err(unusable)?;
        if let Some(flaw) = flaws.iter().find(|flaw| flaw.is_fatal()) {
            return Err((flaw.code(), flaw.to_string()));
        }
        let facts = certificate.facts().map_err(unusable)?;
        Ok((certificate, facts.issuer))
    }

    fn stamps(&self, given: &estate::Certificate) -> Stamps {
        [&given.chain, &given.key].map(|name| {
            let found = self.base.join(name).metadata().ok()?;
            Some((found.mtime(), found.mtime_nsec(), found.len(), found.ino()))
        })
    }
}

fn names(given: &estate::Certificate) -> Names {
    (given.chain.clone(), given.key.clone())
}

fn ends_soon(certificate: &Certificate, now: Timestamp) -> bool {
    let flaws = certificate.flaws(now).unwrap_or_default();
    let soon = |flaw: &Flaw| matches!(flaw, Flaw::EndsSoon(_) | Flaw::Ended(_));
    flaws.iter().any(soon)
}

/// A host may have two certificates when their keys are of different kinds.
fn same_kinds(all: &[Certificate]) -> Vec<Diagnostic> {
    let mut seen = BTreeMap::new();
    let mut wrong = Vec::new();
    for certificate in all {
        let Ok(rsa) = certificate.is_rsa() else {
            continue;
        };
        for host in &certificate.hosts {
            if seen.insert((host, rsa), ()).is_some() {
                let text = format!("two certificates for `{host}` have the same kind of key");
                wrong.push(Diagnostic::error("certificate.same_kind", None, text));
            }
        }
    }
    wrong
}
