//! What the control process itself keeps: its own secrets, sealed.

use ::store::{Error, Migrations, Step, Store};
use keyring::Place;
use model::{Secret, SharedEntropy};

/// The table of secrets.
pub(super) const MIGRATIONS: Migrations = Migrations {
    part: "control",
    steps: &[Step {
        name: "0001_secret",
        sql: "CREATE TABLE control_secret (name TEXT PRIMARY KEY, sealed BLOB NOT NULL)",
    }],
};

/// The secret called `name`; made when there is none. Of two processes that start at once, both
/// get the one that was first.
pub(super) async fn secret(
    store: &Store,
    entropy: &SharedEntropy,
    name: &'static str,
    make: impl FnOnce(&SharedEntropy) -> anyhow::Result<Secret<Vec<u8>>>,
) -> anyhow::Result<Secret<Vec<u8>>> {
    if let Some(known) = read(store, name).await? {
        return Ok(known);
    }
    let fresh = make(entropy)?;
    let sealed = store.seal(place(name), fresh.expose())?;
    let mut tx = store.begin().await?;
    tx.execute(
        "INSERT INTO control_secret (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        &[name.into(), sealed],
    )
    .await?;
    tx.commit().await?;
    read(store, name)
        .await?
        .ok_or_else(|| anyhow::anyhow!("the secret `{name}` was not kept"))
}

/// Replaces a secret.
pub(super) async fn replace(
    store: &Store,
    name: &'static str,
    value: &Secret<Vec<u8>>,
) -> Result<(), Error> {
    let sealed = store.seal(place(name), value.expose())?;
    let mut tx = store.begin().await?;
    tx.execute(
        "UPDATE control_secret SET sealed = $2 WHERE name = $1",
        &[name.into(), sealed],
    )
    .await?;
    tx.commit().await
}

async fn read(store: &Store, name: &'static str) -> Result<Option<Secret<Vec<u8>>>, Error> {
    let row = store
        .optional(
            "SELECT sealed FROM control_secret WHERE name = $1",
            &[name.into()],
        )
        .await?;
    row.map(|row| store.open_sealed(place(name), &row.blob("sealed")?))
        .transpose()
}

fn place(name: &'static str) -> Place<'static> {
    Place {
        table: "control_secret",
        column: "sealed",
        row: name,
    }
}
