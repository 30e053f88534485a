//! `rampart init`: the starting estate file.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Session;
use crate::{Exit, Failure};

/// Arguments of `rampart init`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart init\n  rampart init --name acme /etc/rampart/rampart.toml"
)]
pub struct InitArgs {
    /// Where to write it; an existing file is never replaced.
    #[arg(value_name = "FILE", default_value = "rampart.toml")]
    pub file: PathBuf,
    /// The estate's name [default: the folder's].
    #[arg(long)]
    pub name: Option<String>,
}

pub(super) fn run(args: &InitArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let path = session.places.resolve(&args.file);
    let shown = path.display().to_string();
    let folder = path.parent().and_then(|folder| folder.file_name());
    let name = match &args.name {
        Some(name) => name.clone(),
        None => folder.map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
    };
    if path.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!("`{shown}` is there already"))
            .hint("`rampart check` says whether it is in order; name another file to start anew"));
    }
    let text = estate::starter(&name);
    store::atomic_write(&path, text.as_bytes(), 0o644).map_err(|error| {
        Failure::because(Exit::Failed, format!("cannot write `{shown}`"), &error)
    })?;
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
