//! What `rampart check` finds in the files of `[[certificate]]`: it reads them and changes nothing.
//! A file that is not here may be on the machine that serves, so that alone is no error.

use std::collections::BTreeMap;
use std::path::Path;

use estate::Estate;
use model::{Diagnostic, Timestamp};
use net::Certificate;

/// Findings about every certificate of `estate`, whose files lie beside `base`.
pub(crate) fn findings(estate: &Estate, base: &Path, now: Timestamp) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let mut kinds: BTreeMap<(&str, bool), &str> = BTreeMap::new();
    for given in &estate.certificates {
        let (chain, key) = (base.join(&given.chain), base.join(&given.key));
        let name = &given.chain;
        let loaded = Certificate::load(given.hosts.clone(), &chain, &key);
        let looked = loaded.and_then(|one| Ok((one.flaws(now)?, one.is_rsa()?)));
        let (flaws, rsa) = match looked {
            Ok(looked) => looked,
            Err(error @ net::Error::Read { .. }) => {
                let text = format!("certificate `{name}` was not looked at: {error}");
                let finding = Diagnostic::warning("certificate.unreadable", given.span, text);
                findings.push(finding.hint("paths are relative to the estate file"));
                continue;
            }
            Err(error) => {
                let text = format!("certificate `{name}`: {error}");
                findings.push(Diagnostic::error("certificate.unusable", given.span, text));
                continue;
            }
        };
        for flaw in flaws {
            let text = format!("certificate `{name}` {flaw}");
            findings.push(match flaw.is_fatal() {
                true => Diagnostic::error(flaw.code(), given.span, text),
                false => Diagnostic::warning(flaw.code(), given.span, text),
            });
        }
        for host in &given.hosts {
            if let Some(first) = kinds.insert((host, rsa), name) {
                let text =
                    format!("`{first}` and `{name}` are for `{host}` with the same kind of key");
                let finding = Diagnostic::error("certificate.same_kind", given.span, text);
                findings.push(finding.hint("a name may have one ECDSA and one RSA certificate"));
            }
        }
    }
    findings
}
