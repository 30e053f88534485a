//! Caddy.
use crate::draft::Draft; use crate::files::Files; use crate::{Error, Input};
pub(crate) fn read(_: &Input<'_>, _: &str, _: &dyn Files, _: &mut Draft) -> Result<(), Error> { Ok(()) }
