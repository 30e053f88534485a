//! The certificates that handshakes are answered with, as people see them.

use model::Timestamp;
use serde::Serialize;

/// Where a certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateSource {
    /// A file of the estate.
    File,
    /// An authority that issues by itself.
    Acme,
    /// Rampart's development authority, which no browser knows.
    Development,
}

impl CertificateSource {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Acme => "acme",
            Self::Development => "development",
        }
    }
}

/// One certificate and how it stands with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateState {
    /// Hosts it is served for.
    pub names: Vec<String>,
    /// Where it comes from.
    pub source: CertificateSource,
    /// Who issued it.
    pub issuer: Option<String>,
    /// When it ends.
    pub until: Option<Timestamp>,
    /// When the next one is asked for, where that happens by itself.
    pub renews: Option<Timestamp>,
    /// What went wrong last, or is wrong with it.
    pub error: Option<String>,
}

/// In one line: how many of each kind, and what is wrong; whether all of them can be used at `now`.
pub(crate) fn summary(all: &[CertificateState], now: Timestamp) -> (bool, String) {
    let count = |source| all.iter().filter(|one| one.source == source).count();
    let mut parts = Vec::new();
    for source in [
        CertificateSource::File,
        CertificateSource::Acme,
        CertificateSource::Development,
    ] {
        let count = count(source);
        if count > 0 {
            parts.push(format!("{count} {}", source.word()));
        }
    }
    let mut text = match parts.is_empty() {
        true => "none yet".to_owned(),
        false => parts.join(", "),
    };
    let development = all
        .iter()
        .find(|one| one.source == CertificateSource::Development && one.error.is_some());
    let wrong = all
        .iter()
        .filter_map(|one| Some((one.names.first()?, one.error.as_ref()?)));
    if let Some(one) = development.and_then(|one| one.names.first()) {
        text.push_str(&format!(
            "; `{one}` still has one of the development authority, which browsers do not know"
        ));
    }
    for (name, error) in wrong.take(3) {
        text.push_str(&format!("; `{name}`: {error}"));
    }
    let ended = |one: &CertificateState| one.until.is_some_and(|until| until <= now);
    (!all.iter().any(ended), text)
}

#[cfg(test)]
mod tests;
