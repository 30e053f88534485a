//! `rampart man`: the manual pages, printed or written into a folder.

use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;
use serde_json::json;

use super::Session;
use crate::{Exit, Failure};

/// Arguments of `rampart man`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart man | man -l -\n  rampart man --to /usr/local/share/man/man1"
)]
pub struct ManArgs {
    /// Write one page for each command into this folder.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

pub(super) fn run(args: &ManArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let Some(to) = &args.to else {
        let page = page(&crate::command())?;
        session.printer.raw(&String::from_utf8_lossy(&page));
        return Ok(Exit::Ok);
    };
    let folder = session.places.resolve(to);
    std::fs::create_dir_all(&folder).map_err(|error| {
        Failure::because(
            Exit::Failed,
            format!("cannot make `{}`", folder.display()),
            &error,
        )
    })?;
    let mut pages = Vec::new();
    collect(&mut pages, crate::command(), "")?;
    let mut written = Vec::new();
    for (name, page) in pages {
        let path = folder.join(format!("{name}.1"));
        store::atomic_write(&path, &page, 0o644).map_err(|error| {
            Failure::because(
                Exit::Failed,
                format!("cannot write `{}`", path.display()),
                &error,
            )
        })?;
        written.push(path.display().to_string());
    }
    let count = written.len();
    session
        .printer
        .document("rampart.man.v1", &json!({ "files": written }), || {
            format!("wrote {count} pages into {}\n", folder.display())
        });
    Ok(Exit::Ok)
}

fn collect(
    pages: &mut Vec<(String, Vec<u8>)>,
    command: clap::Command,
    parent: &str,
) -> Result<(), Failure> {
    let name = if parent.is_empty() {
        command.get_name().to_owned()
    } else {
        format!("{parent}-{}", command.get_name())
    };
    for sub in command.get_subcommands() {
        collect(pages, sub.clone(), &name)?;
    }
    let page = page(&command.name(name.clone()))?;
    pages.push((name, page));
    Ok(())
}

fn page(command: &clap::Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    Man::new(command.clone())
        .render(&mut page)
        .map_err(|error| Failure::because(Exit::Failed, "cannot write the page", &error))?;
    Ok(page)
}
