//! What lives: one interface over SQLite (the default, embedded) and PostgreSQL (for several
//! machines), one SQL text for both.
//!
//! Knows no domain: strategies bring their own migrations and statements. Never builds SQL from
//! input: statements are `&'static str`, values are bound.

mod backup;
mod dump;
mod engine;
mod error;
mod files;
mod lease;
mod migrate;
mod outbox;
mod root_file;
mod row;
mod store;
mod tx;
mod value;

pub use engine::{Location, ParseLocationError};
pub use error::Error;
pub use files::atomic_write;
pub use migrate::{Migrations, Step};
pub use root_file::{RootFileError, load_or_create_root_key, load_root_key};
pub use row::Row;
pub use store::{Settings, Store, WithoutBackup};
pub use tx::Tx;
pub use value::Value;

#[cfg(test)]
mod tests;
