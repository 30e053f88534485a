//! Rows ↔ versions.

use std::collections::BTreeMap;

use estate::Estate;
use store::{Migrations, Row, Step, Store, Tx};

use crate::sources::hash;
use crate::{Error, Sources, Summary, Version};

/// The tables of the versions.
pub const MIGRATIONS: Migrations = Migrations {
    part: "rollout",
    steps: &[
        Step {
            name: "0001_estate_version",
            sql: "CREATE TABLE estate_version (number INTEGER PRIMARY KEY, hash TEXT NOT NULL, \
                  source TEXT NOT NULL, applied_at INTEGER NOT NULL, applied_by TEXT NOT NULL)",
        },
        // A text stands once, however many versions have it.
        Step {
            name: "0002_estate_document",
            sql: "CREATE TABLE estate_document (hash TEXT PRIMARY KEY, source TEXT NOT NULL); \
                  CREATE TABLE estate_version_document (number INTEGER NOT NULL, \
                  path TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (number, path))",
        },
    ],
};

/// A version as it is stored.
pub(crate) struct Stored {
    pub(crate) summary: Summary,
    pub(crate) source: String,
    pub(crate) documents: BTreeMap<String, String>,
}

const NEWEST: &str = "SELECT number, hash, source, applied_at, applied_by FROM estate_version \
                      ORDER BY number DESC LIMIT 1";

pub(crate) async fn newest(store: &Store) -> Result<Option<Stored>, Error> {
    let row = store.optional(NEWEST, &[]).await.map_err(Error::Store)?;
    let Some(row) = row else {
        return Ok(None);
    };
    let summary = summary(&row)?;
    let documents = documents(store, summary.number).await?;
    Ok(Some(Stored {
        summary,
        source: row.text("source").map_err(Error::Store)?,
        documents,
    }))
}

async fn documents(store: &Store, number: u64) -> Result<BTreeMap<String, String>, Error> {
    let sql = "SELECT v.path AS path, d.source AS source FROM estate_version_document v \
               JOIN estate_document d ON d.hash = v.hash WHERE v.number = $1";
    let rows = store.query(sql, &[number.into()]).await;
    let text = |row: &Row| Ok((row.text("path")?, row.text("source")?));
    let texts = rows.and_then(|rows| rows.iter().map(text).collect());
    texts.map_err(Error::Store)
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
    .map_err(Error::Store)?;
    for (path, text) in &version.documents {
        let digest = hash(text.as_bytes());
        tx.execute(
            "INSERT INTO estate_document (hash, source) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            &[digest.as_str().into(), text.as_str().into()],
        )
        .await
        .map_err(Error::Store)?;
        tx.execute(
            "INSERT INTO estate_version_document (number, path, hash) VALUES ($1, $2, $3)",
            &[version.number.into(), path.as_str().into(), digest.into()],
        )
        .await
        .map_err(Error::Store)?;
    }
    Ok(())
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
    /// The version, when its texts are those that were applied and this program can read them.
    pub(crate) fn read(self) -> Result<Version, Error> {
        let Summary {
            number,
            hash,
            applied_at,
            applied_by,
        } = self.summary;
        let sources = Sources {
            estate: self.source,
            documents: self.documents,
            missing: BTreeMap::new(),
        };
        if sources.hash() != hash {
            return Err(Error::Altered(number));
        }
        let parsed =
            Estate::parse(&sources.estate).map_err(|all| Error::Unreadable(number, all))?;
        Ok(Version {
            number,
            hash,
            source: sources.estate,
            documents: sources.documents,
            estate: parsed.estate,
            applied_at,
            applied_by,
        })
    }
}
