//! API keys, and the keys that sign access tokens.

use std::time::Duration;

use ::keyring::Place;
use ::model::snapshot::{ApiKeyGrant, Digest};
use ::model::{ApiKeyId, PersonId, Secret, Timestamp, TokenKeyId};
use ::store::{Row, Store, Tx, Value};

use super::all;
use crate::token::SigningSeed;
use crate::{ApiKey, Error};

macro_rules! keys {
    ($rest:literal) => {
        concat!(
            "SELECT id, digest, prefix, name, owner, permissions, networks, created_at, \
             expires_at, revoked_at, seen_at FROM api_key ",
            $rest
        )
    };
}

/// How long a key that was revoked, or has ended, stays in the lists.
const DEAD_KEEP: Duration = Duration::from_hours(365 * 24);

/// A key with the digest of its text.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) key: ApiKey,
    pub(crate) digest: Digest,
}

impl Stored {
    pub(crate) fn grant(&self) -> ApiKeyGrant {
        ApiKeyGrant {
            digest: self.digest,
            id: self.key.id,
            name: self.key.name.clone(),
            owner: self.key.owner,
            permissions: self.key.permissions.clone(),
            networks: self.key.networks.clone(),
            expires_at: self.key.expires_at,
        }
    }
}

pub(crate) async fn insert(tx: &mut Tx, stored: &Stored) -> Result<(), Error> {
    let key = &stored.key;
    let json = |value: Result<String, _>| {
        value.map_err(|_: serde_json::Error| Error::Internal("encode the key"))
    };
    let sql = "INSERT INTO api_key (id, digest, prefix, name, owner, permissions, networks, \
               created_at, expires_at, revoked_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values: [Value; 10] = [
        key.id.into(),
        stored.digest.into(),
        key.prefix.as_str().into(),
        key.name.as_str().into(),
        key.owner.into(),
        json(serde_json::to_string(&key.permissions))?.into(),
        json(serde_json::to_string(&key.networks))?.into(),
        key.created_at.into(),
        key.expires_at.into(),
        key.revoked_at.into(),
    ];
    tx.execute(sql, &values).await?;
    Ok(())
}

pub(crate) async fn live(store: &Store, now: Timestamp) -> Result<Vec<Stored>, Error> {
    let sql = keys!("WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)");
    all(&store.query(sql, &[now.into()]).await?, stored)
}

/// Keys made before `before`, newest first: everybody's, or one person's.
pub(crate) async fn page(
    store: &Store,
    owner: Option<PersonId>,
    before: ApiKeyId,
    limit: u32,
) -> Result<Vec<ApiKey>, Error> {
    let limit = i64::from(limit);
    let rows = match owner {
        None => {
            let sql = keys!("WHERE id < $1 ORDER BY id DESC LIMIT $2");
            store.query(sql, &[before.into(), limit.into()]).await?
        }
        Some(owner) => {
            let sql = keys!("WHERE owner = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
            let values = [owner.into(), before.into(), limit.into()];
            store.query(sql, &values).await?
        }
    };
    all(&rows, |row| stored(row).map(|stored| stored.key))
}

/// Keys of one person that nobody revoked: those that work first, then newest first.
pub(crate) async fn unrevoked(
    store: &Store,
    owner: PersonId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<ApiKey>, Error> {
    let sql = keys!(
        "WHERE owner = $1 AND revoked_at IS NULL \
         ORDER BY CASE WHEN expires_at <= $2 THEN 1 ELSE 0 END, id DESC LIMIT $3"
    );
    let values = [owner.into(), now.into(), i64::from(limit).into()];
    let rows = store.query(sql, &values).await?;
    all(&rows, |row| stored(row).map(|stored| stored.key))
}

pub(crate) async fn find(tx: &mut Tx, id: ApiKeyId) -> Result<Option<Stored>, Error> {
    let row = tx.optional(keys!("WHERE id = $1"), &[id.into()]).await?;
    row.as_ref().map(stored).transpose()
}

pub(crate) async fn live_of_person(
    tx: &mut Tx,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<Stored>, Error> {
    let sql = keys!(
        "WHERE owner = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)"
    );
    all(&tx.query(sql, &[person.into(), now.into()]).await?, stored)
}

pub(crate) async fn revoke(tx: &mut Tx, id: ApiKeyId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE api_key SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
    Ok(tx.execute(sql, &[now.into(), id.into()]).await? == 1)
}

pub(crate) async fn seen(tx: &mut Tx, id: ApiKeyId, at: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE api_key SET seen_at = $1 WHERE id = $2",
        &[at.into(), id.into()],
    )
    .await?;
    Ok(())
}

fn stored(row: &Row) -> Result<Stored, Error> {
    let json = |_| Error::Damaged("API key");
    let key = ApiKey {
        id: row.id("id")?,
        prefix: row.text("prefix")?,
        name: row.text("name")?,
        owner: row.id("owner")?,
        permissions: serde_json::from_str(&row.text("permissions")?).map_err(json)?,
        networks: serde_json::from_str(&row.text("networks")?).map_err(json)?,
        created_at: row.time("created_at")?,
        expires_at: row.opt_time("expires_at")?,
        revoked_at: row.opt_time("revoked_at")?,
        seen_at: row.opt_time("seen_at")?,
    };
    Ok(Stored {
        key,
        digest: row.digest("digest")?,
    })
}

/// A signing key with its public half and its times.
#[derive(Clone, Debug)]
pub(crate) struct TokenKeyRow {
    pub(crate) signing: SigningSeed,
    pub(crate) x: String,
    pub(crate) not_after: Timestamp,
}

pub(crate) async fn put_token_key(
    tx: &mut Tx,
    store: &Store,
    row: &TokenKeyRow,
    now: Timestamp,
) -> Result<(), Error> {
    let id = row.signing.id.to_string();
    let seed = store.seal(place(&id), row.signing.seed.expose())?;
    let sql = "INSERT INTO token_key (id, seed, x, created_at, retire_at, not_after) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    let values: [Value; 6] = [
        id.into(),
        seed,
        row.x.as_str().into(),
        now.into(),
        row.signing.retire_at.into(),
        row.not_after.into(),
    ];
    tx.execute(sql, &values).await?;
    Ok(())
}

/// The keys whose tokens may still be alive, newest first.
pub(crate) async fn token_keys(store: &Store, now: Timestamp) -> Result<Vec<TokenKeyRow>, Error> {
    let sql = "SELECT id, seed, x, retire_at, not_after FROM token_key WHERE not_after > $1 \
               ORDER BY id DESC";
    let rows = store.query(sql, &[now.into()]).await?;
    all(&rows, |row| {
        let id: TokenKeyId = row.id("id")?;
        let seed = store.open_sealed(place(&id.to_string()), &row.blob("seed")?)?;
        let seed: [u8; 32] = seed
            .expose()
            .as_slice()
            .try_into()
            .map_err(|_| Error::Damaged("signing key"))?;
        let signing = SigningSeed {
            id,
            seed: Secret::new(seed),
            retire_at: row.time("retire_at")?,
        };
        Ok(TokenKeyRow {
            signing,
            x: row.text("x")?,
            not_after: row.time("not_after")?,
        })
    })
}

pub(crate) async fn revoke_token(tx: &mut Tx, jti: &str, until: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO revoked_token (jti, until) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING";
    tx.execute(sql, &[jti.into(), until.into()]).await?;
    Ok(())
}

pub(crate) async fn revoked_tokens(
    store: &Store,
    now: Timestamp,
) -> Result<Vec<(String, Timestamp)>, Error> {
    let sql = "SELECT jti, until FROM revoked_token WHERE until > $1";
    let rows = store.query(sql, &[now.into()]).await?;
    all(&rows, |row| Ok((row.text("jti")?, row.time("until")?)))
}

/// Takes away what has been dead for so long that nobody asks for it but of the trail.
pub(crate) async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    let dead = now.before(DEAD_KEEP);
    tx.execute(
        "DELETE FROM api_key WHERE revoked_at <= $1 OR expires_at <= $1",
        &[dead.into()],
    )
    .await?;
    tx.execute("DELETE FROM revoked_token WHERE until <= $1", &[now.into()])
        .await?;
    tx.execute("DELETE FROM token_key WHERE not_after <= $1", &[now.into()])
        .await?;
    Ok(())
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: "token_key",
        column: "seed",
        row,
    }
}
