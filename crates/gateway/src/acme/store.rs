//! Rows to accounts, certificates and tries, and back. Keys are sealed.

use ::store::{Error, Migrations, Row, Step, Store, Tx};
use keyring::Place;
use model::{Secret, Timestamp};

/// The tables of certificates that are issued by themselves.
pub const MIGRATIONS: Migrations = Migrations {
    part: "acme",
    steps: &[Step {
        name: "0001_acme",
        sql: include_str!("../../migrations/0001_acme.sql"),
    }],
};

/// An account with an authority.
#[derive(Debug)]
pub(super) struct AccountRow {
    /// Whom it may write to, one address a line.
    pub(super) contact: String,
    /// Its key and address, JSON.
    pub(super) credentials: Secret<Vec<u8>>,
}

/// A certificate as it is kept.
#[derive(Debug)]
pub(super) struct CertificateRow {
    pub(super) host: String,
    pub(super) directory: String,
    pub(super) chain: String,
    pub(super) key: Secret<String>,
    pub(super) until: Timestamp,
    pub(super) issued: Timestamp,
}

/// How the last tries for a host went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TryRow {
    pub(super) failures: u32,
    pub(super) next: Timestamp,
    pub(super) error: String,
}

pub(super) async fn account(store: &Store, directory: &str) -> Result<Option<AccountRow>, Error> {
    let sql = "SELECT contact, sealed FROM acme_account WHERE directory = $1";
    let Some(row) = store.optional(sql, &[directory.into()]).await? else {
        return Ok(None);
    };
    Ok(Some(AccountRow {
        contact: row.text("contact")?,
        credentials: store.open_sealed(account_place(directory), &row.blob("sealed")?)?,
    }))
}

pub(super) async fn put_account(
    store: &Store,
    tx: &mut Tx,
    directory: &str,
    account: &AccountRow,
) -> Result<(), Error> {
    let sealed = store.seal(account_place(directory), account.credentials.expose())?;
    tx.execute(
        "INSERT INTO acme_account (directory, contact, sealed) VALUES ($1, $2, $3) \
         ON CONFLICT (directory) DO UPDATE SET contact = excluded.contact, \
         sealed = excluded.sealed",
        &[directory.into(), account.contact.as_str().into(), sealed],
    )
    .await?;
    Ok(())
}

pub(super) async fn forget_account(store: &Store, directory: &str) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    let sql = "DELETE FROM acme_account WHERE directory = $1";
    tx.execute(sql, &[directory.into()]).await?;
    tx.commit().await
}

/// When each certificate was issued, to see which ones another process has replaced.
pub(super) async fn issued(store: &Store) -> Result<Vec<(String, Timestamp)>, Error> {
    let rows = store.query(
        "SELECT host, issued FROM acme_certificate ORDER BY host",
        &[],
    );
    rows.await?
        .iter()
        .map(|row| Ok((row.text("host")?, row.time("issued")?)))
        .collect()
}

pub(super) async fn certificate(
    store: &Store,
    host: &str,
) -> Result<Option<CertificateRow>, Error> {
    let sql = "SELECT host, directory, chain, sealed, until, issued FROM acme_certificate \
               WHERE host = $1";
    let row = store.optional(sql, &[host.into()]).await?;
    row.map(|row| read(store, &row)).transpose()
}

fn read(store: &Store, row: &Row) -> Result<CertificateRow, Error> {
    let host = row.text("host")?;
    let key = store.open_sealed(key_place(&host), &row.blob("sealed")?)?;
    Ok(CertificateRow {
        directory: row.text("directory")?,
        chain: row.text("chain")?,
        // What was sealed was text; anything else is no key and is found out as such.
        key: Secret::new(String::from_utf8_lossy(key.expose()).into_owned()),
        until: row.time("until")?,
        issued: row.time("issued")?,
        host,
    })
}

pub(super) async fn put_certificate(
    store: &Store,
    tx: &mut Tx,
    row: &CertificateRow,
) -> Result<(), Error> {
    let sealed = store.seal(key_place(&row.host), row.key.expose().as_bytes())?;
    tx.execute(
        "INSERT INTO acme_certificate (host, directory, chain, sealed, until, issued) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (host) DO UPDATE SET \
         directory = excluded.directory, chain = excluded.chain, sealed = excluded.sealed, \
         until = excluded.until, issued = excluded.issued",
        &[
            row.host.as_str().into(),
            row.directory.as_str().into(),
            row.chain.as_str().into(),
            sealed,
            row.until.into(),
            row.issued.into(),
        ],
    )
    .await?;
    tx.execute(
        "DELETE FROM acme_try WHERE host = $1",
        &[row.host.as_str().into()],
    )
    .await?;
    Ok(())
}

/// Forgets certificates that ended before `before`: nobody renewed them, nobody serves them.
pub(super) async fn sweep(store: &Store, before: Timestamp) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    tx.execute(
        "DELETE FROM acme_certificate WHERE until < $1",
        &[before.into()],
    )
    .await?;
    tx.commit().await
}

pub(super) async fn tries(store: &Store) -> Result<Vec<(String, TryRow)>, Error> {
    let rows = store.query("SELECT host, failures, next, error FROM acme_try", &[]);
    let one = |row: &Row| {
        let tried = TryRow {
            failures: u32::try_from(row.uint("failures")?).unwrap_or(u32::MAX),
            next: row.time("next")?,
            error: row.text("error")?,
        };
        Ok((row.text("host")?, tried))
    };
    rows.await?.iter().map(one).collect()
}

pub(super) async fn put_try(tx: &mut Tx, host: &str, tried: &TryRow) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO acme_try (host, failures, next, error) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (host) DO UPDATE SET failures = excluded.failures, next = excluded.next, \
         error = excluded.error",
        &[
            host.into(),
            tried.failures.into(),
            tried.next.into(),
            tried.error.as_str().into(),
        ],
    )
    .await?;
    Ok(())
}

fn account_place(directory: &str) -> Place<'_> {
    Place {
        table: "acme_account",
        column: "sealed",
        row: directory,
    }
}

fn key_place(host: &str) -> Place<'_> {
    Place {
        table: "acme_certificate",
        column: "sealed",
        row: host,
    }
}
