//! Rows ↔ versions.

use model::{Principal, Timestamp};
use store::{Migrations, Row, Step, Store, Tx};

use crate::{Error, Summary};

/// The tables of the versions.
pub const MIGRATIONS: Migrations = Migrations {
    part: "rollout",
    steps: &[Step {
        name: "0001_estate_version",
        sql: "CREATE TABLE estate_version (number INTEGER PRIMARY KEY, hash TEXT NOT NULL, \
              source TEXT NOT NULL, applied_at INTEGER NOT NULL, applied_by TEXT NOT NULL)",
    }],
};

/// A version as it is stored.
pub(crate) struct Stored {
    pub(crate) summary: Summary,
    pub(crate) source: String,
}

const NEWEST: &str = "SELECT number, hash, source, applied_at, applied_by FROM estate_version \
                      ORDER BY number DESC LIMIT 1";

pub(crate) async fn newest(store: &Store) -> Result<Option<Stored>, Error> {
    let row = store.optional(NEWEST, &[]).await.map_err(Error::Store)?;
    row.as_ref().map(stored).transpose().map_err(Error::Store)
}

/// The number in force, as the transaction sees it: of two applies at once one is too late.
pub(crate) async fn number_in_force(tx: &mut Tx) -> Result<u64, Error> {
    let row = tx.optional(NEWEST, &[]).await.map_err(Error::Store)?;
    row.map_or(Ok(0), |row| row.uint("number"))
        .map_err(Error::Store)
}

pub(crate) async fn insert(
    tx: &mut Tx,
    number: u64,
    hash: &str,
    source: &str,
    at: Timestamp,
    by: &Principal,
) -> Result<(), Error> {
    let by = serde_json::to_string(by).unwrap_or_default();
    tx.execute(
        "INSERT INTO estate_version (number, hash, source, applied_at, applied_by) \
         VALUES ($1, $2, $3, $4, $5)",
        &[
            number.into(),
            hash.into(),
            source.into(),
            at.into(),
            by.into(),
        ],
    )
    .await
    .map(drop)
    .map_err(Error::Store)
}

pub(crate) async fn summaries(store: &Store, limit: u32) -> Result<Vec<Summary>, Error> {
    let rows = store
        .query(
            "SELECT number, hash, applied_at, applied_by FROM estate_version \
             ORDER BY number DESC LIMIT $1",
            &[limit.into()],
        )
        .await
        .map_err(Error::Store)?;
    rows.iter()
        .map(summary)
        .collect::<Result<_, _>>()
        .map_err(Error::Store)
}

pub(crate) async fn source(store: &Store, number: u64) -> Result<Option<String>, Error> {
    let sql = "SELECT source FROM estate_version WHERE number = $1";
    let row = store
        .optional(sql, &[number.into()])
        .await
        .map_err(Error::Store)?;
    row.map(|row| row.text("source"))
        .transpose()
        .map_err(Error::Store)
}

fn stored(row: &Row) -> Result<Stored, store::Error> {
    Ok(Stored {
        summary: summary(row)?,
        source: row.text("source")?,
    })
}

fn summary(row: &Row) -> Result<Summary, store::Error> {
    Ok(Summary {
        number: row.uint("number")?,
        hash: row.text("hash")?,
        applied_at: row.time("applied_at")?,
        applied_by: serde_json::from_str(&row.text("applied_by")?)
            .unwrap_or_else(|_| Principal::anonymous()),
    })
}
