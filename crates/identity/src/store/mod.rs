//! Rows ↔ what lives. The only place of identity with SQL in it.

pub(crate) mod credentials;
pub(crate) mod keys;
pub(crate) mod links;
pub(crate) mod people;
pub(crate) mod sessions;

use ::store::Row;

use crate::Error;

/// Reads each row with `read`.
pub(crate) fn all<T>(
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    rows.iter().map(read).collect()
}
