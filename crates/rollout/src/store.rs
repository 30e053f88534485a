//! Rows ↔ versions.

use estate::Estate;
use store::{Migrations, Row, Step, Store, Tx};

use crate::{Error, Summary, Version, version};

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
    row.as_ref().map(stored).transpose()
}

/// The number in force, as the transaction sees it: of two applies at once one is too late.
pub(crate) async fn number_in_force(tx: &mut Tx) -> Result<u64, Error> {
    let row = tx.optional(NEWEST, &[]).await.map_err(Error::Store)?;
    row.map_or(Ok(0), |row| row.uint("number"))
        .map_err(Error::Store)
}

/// Stores the version. Of two processes that store the same number at once one fails.
pub(crate) async fn insert(tx: &mut Tx, version: &Version) -> Result<(), Error> {
    let by = serde_json::to_string(&version.applied_by).map_err(Error::Principal)?;
    tx.execute(
        "INSERT INTO estate_version (number, hash, source, applied_at, applied_by) \
         VALUES ($1, $2, $3, $4, $5)",
        &[
            version.number.into(),
            version.hash.as_str().into(),
            version.source.as_str().into(),
            version.applied_at.into(),
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
    rows.iter().map(summary).collect()
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

fn stored(row: &Row) -> Result<Stored, Error> {
    Ok(Stored {
        summary: summary(row)?,
        source: row.text("source").map_err(Error::Store)?,
    })
}

fn summary(row: &Row) -> Result<Summary, Error> {
    let by = row.text("applied_by").map_err(Error::Store)?;
    Ok(Summary {
        number: row.uint("number").map_err(Error::Store)?,
        hash: row.text("hash").map_err(Error::Store)?,
        applied_at: row.time("applied_at").map_err(Error::Store)?,
        applied_by: serde_json::from_str(&by).map_err(Error::Principal)?,
    })
}

impl Stored {
    /// The version, when its text is the one that was applied and this program can read it.
    pub(crate) fn read(self) -> Result<Version, Error> {
        let Summary {
            number,
            hash,
            applied_at,
            applied_by,
        } = self.summary;
        if version::hash(&self.source) != hash {
            return Err(Error::Altered(number));
        }
        let parsed = Estate::parse(&self.source).map_err(|all| Error::Unreadable(number, all))?;
        Ok(Version {
            number,
            hash,
            source: self.source,
            estate: parsed.estate,
            applied_at,
            applied_by,
        })
    }
}
