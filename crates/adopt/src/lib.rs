//! A first estate from what a team already has: nginx, Caddy, Docker Compose, OpenAPI.
//!
//! ```text
//! files ─▶ reader of the format ─▶ draft (services, routes, what guards them) ─▶ rampart.toml
//!                  └────────────▶ notes: what was left, what differs, what is not needed
//! ```
//!
//! One rule decides what is unclear: **a request reaches a service only if the old file sent it
//! there, and nobody gets in whom the old file kept out.** What the old file did not pass on is
//! closed, what it guarded by means that the estate does not have asks for a permission that
//! nobody holds yet, and both are said. Every directive is carried, or not needed, or in the list
//! of what is left: a reader that met one it does not know says so.
//!
//! It never reads a file by itself, follows no address, and gives no text that the estate's own
//! parser refuses. Hostile input is a value, never a panic.

mod address;
mod adopted;
mod caddy;
mod compose;
mod draft;
mod error;
mod files;
mod finish;
mod kind;
mod limits;
mod nginx;
mod notes;
mod openapi_doc;
mod path;
mod tree;
mod units;
mod write;

pub use adopted::{Adopted, Input};
pub use error::Error;
pub use files::{Files, Unread, matches};
pub use kind::Kind;
pub use notes::{Group, Note, Place, Said};

use draft::Draft;

/// Reads `input` as `kind`, or as what name and content say it is, and drafts an estate.
///
/// # Errors
/// What is no file of its kind, with its place; a limit that was reached; a file with nothing to
/// put a gateway before, with the notes about it.
pub fn adopt(input: &Input<'_>, kind: Option<Kind>, files: &dyn Files) -> Result<Adopted, Error> {
    let text = files::text(input.name, input.bytes)?;
    let kind = match kind {
        Some(kind) => kind,
        None => Kind::detect(input.name, text).ok_or_else(|| Error::UnknownKind {
            file: input.name.to_owned(),
        })?,
    };
    let mut draft = Draft::new(input);
    match kind {
        Kind::Nginx => nginx::read(input, text, files, &mut draft)?,
        Kind::Caddy => caddy::read(input, text, files, &mut draft)?,
        Kind::Compose => compose::read(input, text, files, &mut draft)?,
        Kind::Openapi => openapi_doc::read(input, text, &mut draft)?,
    }
    finish::finish(&mut draft);
    let estate = write::write(&draft, kind, input)?;
    let (services, routes) = (draft.services.len(), draft.routes.len());
    let notes = draft.notes.finish();
    if routes == 0 {
        return Err(Error::Nothing {
            file: input.name.to_owned(),
            left: notes.left,
        });
    }
    // INVARIANT: what is handed out parses, whatever was read.
    if let Err(findings) = estate::Estate::parse(&estate) {
        return Err(Error::Draft { estate, findings });
    }
    Ok(Adopted {
        kind,
        estate,
        services,
        routes,
        left: notes.left,
        differs: notes.differs,
        unneeded: notes.unneeded,
        carried: notes.carried,
    })
}

#[cfg(test)]
mod tests;
