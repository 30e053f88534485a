//! Sessions.

use ::model::snapshot::{Digest, SessionGrant};
use ::model::{PersonId, SessionId, Timestamp};
use ::store::{Row, Store, Tx, Value};

use super::all;
use crate::{Error, Session};

macro_rules! sessions {
    ($rest:literal) => {
        concat!(
            "SELECT id, digest, person, host, created_at, seen_at, authenticated_at, methods, \
             idle_at, absolute_at, address, device FROM session ",
            $rest
        )
    };
}

/// A session with the digest of its secret.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) session: Session,
    pub(crate) digest: Digest,
}

impl Stored {
    /// What the view and the gateway know of it.
    pub(crate) fn grant(&self) -> SessionGrant {
        SessionGrant {
            digest: self.digest,
            id: self.session.id,
            person: self.session.person,
            host: self.session.host.clone().unwrap_or_default(),
            idle_at: self.session.idle_at,
            absolute_at: self.session.absolute_at,
            authenticated_at: self.session.authenticated_at,
            methods: self.session.methods.clone(),
        }
    }
}

pub(crate) async fn insert(
    tx: &mut Tx,
    stored: &Stored,
    parent: Option<SessionId>,
) -> Result<(), Error> {
    let session = &stored.session;
    let sql = "INSERT INTO session (id, digest, person, host, parent, created_at, seen_at, \
               authenticated_at, methods, idle_at, absolute_at, address, device) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let values: [Value; 13] = [
        session.id.into(),
        stored.digest.into(),
        session.person.into(),
        session.host.clone().into(),
        parent.into(),
        session.created_at.into(),
        session.seen_at.into(),
        session.authenticated_at.into(),
        serde_json::to_string(&session.methods)
            .unwrap_or_default()
            .into(),
        session.idle_at.into(),
        session.absolute_at.into(),
        session.address.map(|address| address.to_string()).into(),
        session.device.as_str().into(),
    ];
    tx.execute(sql, &values).await?;
    Ok(())
}

/// Replaces the secret and the proofs of a session after a step-up.
pub(crate) async fn renew(tx: &mut Tx, stored: &Stored) -> Result<(), Error> {
    let sql = "UPDATE session SET digest = $1, authenticated_at = $2, methods = $3, idle_at = $4, \
               seen_at = $5 WHERE id = $6";
    let values: [Value; 6] = [
        stored.digest.into(),
        stored.session.authenticated_at.into(),
        serde_json::to_string(&stored.session.methods)
            .unwrap_or_default()
            .into(),
        stored.session.idle_at.into(),
        stored.session.seen_at.into(),
        stored.session.id.into(),
    ];
    tx.execute(sql, &values).await?;
    Ok(())
}

pub(crate) async fn live(store: &Store, now: Timestamp) -> Result<Vec<Stored>, Error> {
    let sql = sessions!("WHERE idle_at > $1 AND absolute_at > $2 ORDER BY id");
    all(&store.query(sql, &[now.into(), now.into()]).await?, stored)
}

pub(crate) async fn of_person(
    store: &Store,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<Stored>, Error> {
    let sql = sessions!("WHERE person = $1 AND idle_at > $2 AND absolute_at > $3 ORDER BY id DESC");
    all(
        &store
            .query(sql, &[person.into(), now.into(), now.into()])
            .await?,
        stored,
    )
}

pub(crate) async fn find(tx: &mut Tx, id: SessionId) -> Result<Option<Stored>, Error> {
    let row = tx
        .optional(sessions!("WHERE id = $1"), &[id.into()])
        .await?;
    row.as_ref().map(stored).transpose()
}

/// Ends a session and those that came out of it; returns their ids.
pub(crate) async fn remove(tx: &mut Tx, id: SessionId) -> Result<Vec<SessionId>, Error> {
    let sql = "SELECT id FROM session WHERE id = $1 OR parent = $2";
    let rows = tx.query(sql, &[id.into(), id.into()]).await?;
    let ids = rows
        .iter()
        .map(|row| Ok(row.id("id")?))
        .collect::<Result<_, Error>>()?;
    tx.execute(
        "DELETE FROM session WHERE id = $1 OR parent = $2",
        &[id.into(), id.into()],
    )
    .await?;
    Ok(ids)
}

pub(crate) async fn remove_of_person(
    tx: &mut Tx,
    person: PersonId,
) -> Result<Vec<SessionId>, Error> {
    let rows = tx
        .query("SELECT id FROM session WHERE person = $1", &[person.into()])
        .await?;
    let ids = rows
        .iter()
        .map(|row| Ok(row.id("id")?))
        .collect::<Result<_, Error>>()?;
    tx.execute("DELETE FROM session WHERE person = $1", &[person.into()])
        .await?;
    Ok(ids)
}

pub(crate) async fn ids_of_person(tx: &mut Tx, person: PersonId) -> Result<Vec<SessionId>, Error> {
    let sql = "SELECT id FROM session WHERE person = $1 ORDER BY id";
    let rows = tx.query(sql, &[person.into()]).await?;
    rows.iter().map(|row| Ok(row.id("id")?)).collect()
}

/// The oldest sessions that must go so that one more makes at most `max`.
pub(crate) async fn oldest(
    tx: &mut Tx,
    person: PersonId,
    max: usize,
) -> Result<Vec<SessionId>, Error> {
    let mut ids = ids_of_person(tx, person).await?;
    ids.truncate((ids.len() + 1).saturating_sub(max));
    Ok(ids)
}

pub(crate) async fn seen(
    tx: &mut Tx,
    id: SessionId,
    at: Timestamp,
    idle_at: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE session SET seen_at = $1, idle_at = $2 WHERE id = $3 AND seen_at < $4";
    tx.execute(sql, &[at.into(), idle_at.into(), id.into(), at.into()])
        .await?;
    Ok(())
}

/// Takes away what has ended; returns the ids.
pub(crate) async fn sweep(
    tx: &mut Tx,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<SessionId>, Error> {
    let sql = "SELECT id FROM session WHERE idle_at <= $1 OR absolute_at <= $2 LIMIT $3";
    let rows = tx
        .query(sql, &[now.into(), now.into(), limit.into()])
        .await?;
    let ids: Vec<SessionId> = rows
        .iter()
        .map(|row| Ok(row.id("id")?))
        .collect::<Result<_, Error>>()?;
    for id in &ids {
        tx.execute("DELETE FROM session WHERE id = $1", &[(*id).into()])
            .await?;
    }
    Ok(ids)
}

fn stored(row: &Row) -> Result<Stored, Error> {
    let session = Session {
        id: row.id("id")?,
        person: row.id("person")?,
        host: row.opt_text("host")?,
        created_at: row.time("created_at")?,
        seen_at: row.time("seen_at")?,
        authenticated_at: row.time("authenticated_at")?,
        methods: serde_json::from_str(&row.text("methods")?)
            .map_err(|_| Error::Damaged("session"))?,
        idle_at: row.time("idle_at")?,
        absolute_at: row.time("absolute_at")?,
        address: row.opt_text("address")?.and_then(|text| text.parse().ok()),
        device: row.text("device")?,
    };
    Ok(Stored {
        session,
        digest: row.digest("digest")?,
    })
}
