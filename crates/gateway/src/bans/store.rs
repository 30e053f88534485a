//! Rows ↔ bans.

use ::store::{Migrations, Row, Step, Store, Tx};
use model::{Ban, BanId, Network, Principal, Timestamp};

use super::Error;

/// The table of bans.
pub const MIGRATIONS: Migrations = Migrations {
    part: "gateway",
    steps: &[Step {
        name: "0001_bans",
        sql: include_str!("../../migrations/0001_bans.sql"),
    }],
};

pub(super) async fn in_force(store: &Store, now: Timestamp) -> Result<Vec<Ban>, Error> {
    let rows = store
        .query(
            "SELECT id, network, until, reason FROM gateway_ban WHERE until > $1 ORDER BY id",
            &[now.into()],
        )
        .await?;
    rows.iter().map(ban).collect()
}

pub(super) async fn count(tx: &mut Tx, now: Timestamp) -> Result<usize, Error> {
    let row = tx
        .optional(
            "SELECT COUNT(*) AS bans FROM gateway_ban WHERE until > $1",
            &[now.into()],
        )
        .await?;
    let count = row.map_or(Ok(0), |row| row.uint("bans"))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

pub(super) async fn insert(tx: &mut Tx, ban: &Ban, by: &Principal) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO gateway_ban (id, network, until, reason, placed_by) \
         VALUES ($1, $2, $3, $4, $5)",
        &[
            ban.id.into(),
            ban.network.to_string().into(),
            ban.until.into(),
            ban.reason.as_str().into(),
            by.id.as_ref().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Removes a ban; the network it was for.
pub(super) async fn remove(tx: &mut Tx, id: BanId) -> Result<Option<Network>, Error> {
    let sql = "SELECT id, network, until, reason FROM gateway_ban WHERE id = $1";
    let Some(row) = tx.optional(sql, &[id.into()]).await? else {
        return Ok(None);
    };
    let network = ban(&row)?.network;
    tx.execute("DELETE FROM gateway_ban WHERE id = $1", &[id.into()])
        .await?;
    Ok(Some(network))
}

pub(super) async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    tx.execute("DELETE FROM gateway_ban WHERE until <= $1", &[now.into()])
        .await?;
    Ok(())
}

fn ban(row: &Row) -> Result<Ban, Error> {
    let network: String = row.text("network")?;
    let damaged = |_| Error::Invalid(format!("the kept network `{network}` is damaged"));
    Ok(Ban {
        id: row.id("id")?,
        network: network.parse().map_err(damaged)?,
        until: row.time("until")?,
        reason: row.text("reason")?,
    })
}
