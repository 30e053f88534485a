//! Events that committed with their change and have yet to reach the trail.

use model::{Event, EventId};

use crate::migrate::{Migrations, Step};
use crate::{Error, Row, Tx, Value};

/// The store's own tables.
pub(crate) const MIGRATIONS: Migrations = Migrations {
    part: "store",
    steps: &[
        Step {
            name: "0001_outbox",
            sql: "CREATE TABLE outbox (id TEXT PRIMARY KEY, event TEXT NOT NULL)",
        },
        Step {
            name: "0002_lease",
            sql: "CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL)",
        },
        Step {
            name: "0003_outbox_mark",
            sql: "CREATE TABLE outbox_mark (log TEXT PRIMARY KEY, checkpoint TEXT NOT NULL)",
        },
    ],
};

pub(crate) async fn put(tx: &mut Tx, events: &[Event]) -> Result<(), Error> {
    for event in events {
        let text = serde_json::to_string(event).map_err(Error::Outbox)?;
        // The same event twice is the same event: putting it again changes nothing.
        tx.execute(
            "INSERT INTO outbox (id, event) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
            &[event.id.into(), text.into()],
        )
        .await?;
    }
    Ok(())
}

/// Oldest first: ids are ordered by time of making.
pub(crate) const PENDING: &str = "SELECT event FROM outbox ORDER BY id LIMIT $1";

pub(crate) fn events(rows: &[Row]) -> Result<Vec<Event>, Error> {
    rows.iter()
        .map(|row| serde_json::from_str(&row.text("event")?).map_err(Error::Outbox))
        .collect()
}

pub(crate) async fn done(tx: &mut Tx, ids: &[EventId]) -> Result<(), Error> {
    for id in ids {
        tx.execute("DELETE FROM outbox WHERE id = $1", &[Value::from(*id)])
            .await?;
    }
    Ok(())
}

pub(crate) const MARK: &str = "SELECT checkpoint FROM outbox_mark WHERE log = $1";

pub(crate) async fn mark(tx: &mut Tx, log: &str, checkpoint: &str) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO outbox_mark (log, checkpoint) VALUES ($1, $2) \
         ON CONFLICT (log) DO UPDATE SET checkpoint = excluded.checkpoint",
        &[log.into(), checkpoint.into()],
    )
    .await?;
    Ok(())
}
