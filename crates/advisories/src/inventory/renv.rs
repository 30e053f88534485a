//! `renv.lock` of renv, for R.

use super::python::first_of;
use super::{Builder, Draft, ReadError, Why};
use crate::document::{Dialect, Member, json};
use crate::text::{address, said};
use crate::{Ecosystem, Origin};

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let root = json(bytes, Dialect::Strict, &builder.limits())?;
    let (Some(packages), Some(_)) = (root.get("Packages"), root.get("R")) else {
        return builder.shape(root.line, "it has no `R` and `Packages`");
    };
    for member in packages.members() {
        package(member, builder)?;
    }
    Ok(())
}

fn package(member: &Member<'_>, builder: &mut Builder) -> Result<(), ReadError> {
    let entry = &member.value;
    let name = entry.text_of("Package").unwrap_or(&member.key);
    let version = entry.text_of("Version").unwrap_or_default();
    let commit = entry.text_of("RemoteSha").map(str::to_owned);
    let origin = match entry.text_of("Source").unwrap_or_default() {
        // Bioconductor's packages are other ones than CRAN's.
        "Bioconductor" => Origin::Address("Bioconductor".to_owned()),
        "Repository" | "CRAN" => Origin::Registry,
        "GitHub" | "GitLab" | "Bitbucket" => {
            let user = entry.text_of("RemoteUsername").unwrap_or_default();
            let repository = entry.text_of("RemoteRepo").unwrap_or_default();
            // The host of the interface, which renv asks, in place of that of the repository.
            let host = entry.text_of("RemoteHost").unwrap_or_default();
            let host = host.strip_prefix("api.").unwrap_or(host);
            Origin::Git {
                address: address(&format!("https://{host}/{user}/{repository}")),
                commit,
            }
        }
        "Git" => Origin::Git {
            address: address(entry.text_of("RemoteUrl").unwrap_or_default()),
            commit,
        },
        "URL" => Origin::Address(address(entry.text_of("RemoteUrl").unwrap_or_default())),
        "Local" => Origin::Path(
            first_of(entry, &["RemoteUrl", "RemotePkgRef"])
                .unwrap_or_default()
                .to_owned(),
        ),
        other => {
            let message = format!("of the source `{}`, which is not known", said(other));
            builder.gap(member.line, Why::Unsupported, name, message);
            return Ok(());
        }
    };
    let draft = Draft::new(Ecosystem::Cran, name, version, member.line);
    builder.package(draft.origin(origin))
}
