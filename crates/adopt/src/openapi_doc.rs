//! OpenAPI.
use crate::draft::Draft; use crate::{Error, Input};
pub(crate) fn read(_: &Input<'_>, _: &str, _: &mut Draft) -> Result<(), Error> { Ok(()) }
