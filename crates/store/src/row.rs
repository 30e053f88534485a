//! One row of an answer, the same for both engines.

use std::sync::Arc;

use model::{Id, Kind, Timestamp};
use sqlx::{Column as _, Row as _, TypeInfo as _, ValueRef as _};

use crate::{Error, Value};

/// A row: named columns with their values.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    names: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    /// The integer in `column`.
    ///
    /// # Errors
    /// [`Error::Column`] when there is no such column or it holds something else; so for all below.
    pub fn int(&self, column: &str) -> Result<i64, Error> {
        self.opt_int(column)?
            .ok_or_else(|| wrong(column, "an integer"))
    }

    /// The integer in `column`, unless NULL.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>, Error> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(*value)),
            Value::Text(_) | Value::Blob(_) => Err(wrong(column, "an integer")),
        }
    }

    /// The unsigned integer in `column`.
    pub fn uint(&self, column: &str) -> Result<u64, Error> {
        u64::try_from(self.int(column)?).map_err(|_| wrong(column, "an unsigned integer"))
    }

    /// The boolean in `column`.
    pub fn flag(&self, column: &str) -> Result<bool, Error> {
        match self.int(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(wrong(column, "0 or 1")),
        }
    }

    /// The text in `column`.
    pub fn text(&self, column: &str) -> Result<String, Error> {
        self.opt_text(column)?.ok_or_else(|| wrong(column, "text"))
    }

    /// The text in `column`, unless NULL.
    pub fn opt_text(&self, column: &str) -> Result<Option<String>, Error> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(value) => Ok(Some(value.clone())),
            Value::Int(_) | Value::Blob(_) => Err(wrong(column, "text")),
        }
    }

    /// The bytes in `column`.
    pub fn blob(&self, column: &str) -> Result<Vec<u8>, Error> {
        self.opt_blob(column)?.ok_or_else(|| wrong(column, "bytes"))
    }

    /// The bytes in `column`, unless NULL.
    pub fn opt_blob(&self, column: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Blob(value) => Ok(Some(value.clone())),
            Value::Int(_) | Value::Text(_) => Err(wrong(column, "bytes")),
        }
    }

    /// The SHA-256 digest in `column`.
    pub fn digest(&self, column: &str) -> Result<[u8; 32], Error> {
        self.blob(column)?
            .try_into()
            .map_err(|_| wrong(column, "32 bytes"))
    }

    /// The moment in `column`.
    pub fn time(&self, column: &str) -> Result<Timestamp, Error> {
        self.int(column).map(Timestamp::from_millis)
    }

    /// The moment in `column`, unless NULL.
    pub fn opt_time(&self, column: &str) -> Result<Option<Timestamp>, Error> {
        Ok(self.opt_int(column)?.map(Timestamp::from_millis))
    }

    /// The id in `column`.
    pub fn id<K: Kind>(&self, column: &str) -> Result<Id<K>, Error> {
        self.text(column)?
            .parse()
            .map_err(|_| wrong(column, K::PREFIX))
    }

    /// The id in `column`, unless NULL.
    pub fn opt_id<K: Kind>(&self, column: &str) -> Result<Option<Id<K>>, Error> {
        self.opt_text(column)?
            .map(|text| text.parse().map_err(|_| wrong(column, K::PREFIX)))
            .transpose()
    }

    fn value(&self, column: &str) -> Result<&Value, Error> {
        self.names
            .iter()
            .position(|name| name == column)
            .and_then(|index| self.values.get(index))
            .ok_or_else(|| wrong(column, "a column of this answer"))
    }
}

fn wrong(column: &str, expected: &'static str) -> Error {
    Error::Column {
        column: column.to_owned(),
        expected,
    }
}

pub(crate) fn from_sqlite(rows: &[sqlx::sqlite::SqliteRow]) -> Result<Vec<Row>, Error> {
    let names = names(rows.first());
    rows.iter()
        .map(|row| {
            let values = (0..row.len())
                .map(|i| sqlite_value(row, i))
                .collect::<Result<_, _>>()?;
            Ok(Row {
                names: names.clone(),
                values,
            })
        })
        .collect()
}

pub(crate) fn from_postgres(rows: &[sqlx::postgres::PgRow]) -> Result<Vec<Row>, Error> {
    let names = names(rows.first());
    rows.iter()
        .map(|row| {
            let values = (0..row.len())
                .map(|i| postgres_value(row, i))
                .collect::<Result<_, _>>()?;
            Ok(Row {
                names: names.clone(),
                values,
            })
        })
        .collect()
}

fn names<R: sqlx::Row>(row: Option<&R>) -> Arc<[String]> {
    row.map(|row| row.columns().iter().map(|c| c.name().to_owned()).collect())
        .unwrap_or_default()
}

fn sqlite_value(row: &sqlx::sqlite::SqliteRow, index: usize) -> Result<Value, Error> {
    let raw = row.try_get_raw(index).map_err(Error::read)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kind = raw.type_info().name().to_owned();
    match kind.as_str() {
        "INTEGER" | "BOOLEAN" => row.try_get_unchecked(index).map(Value::Int),
        "TEXT" => row.try_get_unchecked(index).map(Value::Text),
        "BLOB" => row.try_get_unchecked(index).map(Value::Blob),
        other => return Err(Error::Type(other.to_owned())),
    }
    .map_err(Error::read)
}

fn postgres_value(row: &sqlx::postgres::PgRow, index: usize) -> Result<Value, Error> {
    let raw = row.try_get_raw(index).map_err(Error::read)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kind = raw.type_info().name().to_owned();
    match kind.as_str() {
        "INT8" => row.try_get(index).map(Value::Int),
        "INT4" => row
            .try_get::<i32, _>(index)
            .map(|value| Value::Int(i64::from(value))),
        "BOOL" => row.try_get::<bool, _>(index).map(Value::from),
        "TEXT" | "VARCHAR" | "NAME" => row.try_get(index).map(Value::Text),
        "BYTEA" => row.try_get(index).map(Value::Blob),
        other => return Err(Error::Type(other.to_owned())),
    }
    .map_err(Error::read)
}
