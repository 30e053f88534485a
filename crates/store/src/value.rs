//! What can be bound to a statement.

use model::{Id, Kind, Timestamp};

use crate::Error;

/// A bound value. Booleans are 0 and 1, moments are milliseconds since the epoch, ids are text.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// A 64-bit integer.
    Int(i64),
    /// Text without NUL (PostgreSQL stores none).
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// PostgreSQL stores no NUL in text; SQLite would, and then compare only what stands before it.
/// Refusing it here keeps both alike.
pub(crate) fn check(values: &[Value]) -> Result<(), Error> {
    let nul = |value: &Value| matches!(value, Value::Text(text) if text.contains('\0'));
    if values.iter().any(nul) {
        return Err(Error::Nul);
    }
    Ok(())
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}
/// Saturates at `i64::MAX`: counters and versions never get there.
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}
impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}
impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}
impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}
impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.as_millis())
    }
}
impl<K: Kind> From<Id<K>> for Value {
    fn from(value: Id<K>) -> Self {
        Self::Text(value.to_string())
    }
}
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
