//! `rampart init`: the starting estate file, or one drafted from what there is.

mod draft;
mod files;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::Session;
use crate::{Exit, Failure};

/// Arguments of `rampart init`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart init\n  rampart init --name acme /etc/rampart/rampart.toml\n  rampart init --from /etc/nginx/nginx.conf --dry-run\n  rampart init --from compose.yaml --format json"
)]
pub struct InitArgs {
    /// Where to write it; an existing file is never replaced.
    #[arg(value_name = "FILE", default_value = "rampart.toml")]
    pub file: PathBuf,
    /// The estate's name [default: the folder's].
    #[arg(long)]
    pub name: Option<String>,
    /// Draft it from this file: nginx.conf, Caddyfile, compose.yaml or an OpenAPI document; files
    /// that it includes are read too.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// What that file is [default: as its name and content say].
    #[arg(long, value_enum, requires = "from")]
    pub kind: Option<FromKind>,
    /// Print the draft, and write nothing.
    #[arg(long, requires = "from")]
    pub dry_run: bool,
}

/// What an estate can be drafted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FromKind {
    /// nginx.conf, or a part of it.
    Nginx,
    /// Caddyfile.
    Caddy,
    /// compose.yaml, with Traefik's labels.
    Compose,
    /// An OpenAPI document.
    Openapi,
}

pub(super) fn run(args: &InitArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let path = session.places.resolve(&args.file);
    let shown = path.display().to_string();
    let folder = path.parent().and_then(|folder| folder.file_name());
    let name = match &args.name {
        Some(name) => name.clone(),
        None => folder.map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
    };
    if !args.dry_run && path.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!("`{shown}` is there already"))
            .hint("`rampart check` says whether it is in order; name another file to start anew"));
    }
    if let Some(from) = &args.from {
        return draft::run(args, from, &path, &name, session);
    }
    write(&path, &estate::starter(&name))?;
    session
        .printer
        .document("rampart.init.v1", &json!({ "file": shown }), || {
            format!(
                "wrote {shown}\n\nnext:\n  edit it: your domain, and where your backend listens\n  \
             rampart check\n  rampart serve\n"
            )
        });
    Ok(Exit::Ok)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    store::atomic_write(path, text.as_bytes(), 0o644).map_err(|error| {
        let message = format!("cannot write `{}`", path.display());
        Failure::because(Exit::Failed, message, &error)
    })
}
