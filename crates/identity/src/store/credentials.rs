//! Passwords, authenticator seeds and recovery codes; and the counters that slow guessing down.

use ::keyring::Place;
use ::model::{CredentialId, PersonId, Secret, Timestamp};
use ::store::{Store, Tx, Value};

use crate::Error;

/// What sort of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An Argon2id hash, sealed.
    Password,
    /// A TOTP seed, sealed.
    Totp,
    /// The SHA-256 of a recovery code.
    Recovery,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::Recovery => "recovery",
        }
    }
}

/// Whether a credential already counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Offered, not yet confirmed.
    Pending,
    /// In force.
    Active,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
        }
    }
}

/// A credential as it is read.
#[derive(Debug)]
pub(crate) struct Credential {
    pub(crate) id: CredentialId,
    pub(crate) secret: Secret<Vec<u8>>,
    pub(crate) last_step: i64,
}

/// A credential to be put in.
#[derive(Debug)]
pub(crate) struct NewCredential<'a> {
    pub(crate) id: CredentialId,
    pub(crate) person: PersonId,
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) secret: &'a [u8],
    pub(crate) at: Timestamp,
}

pub(crate) async fn insert(
    tx: &mut Tx,
    store: &Store,
    new: &NewCredential<'_>,
) -> Result<(), Error> {
    let row = new.id.to_string();
    let secret = match new.kind {
        Kind::Recovery => new.secret.into(),
        Kind::Password | Kind::Totp => store.seal(place(&row), new.secret)?,
    };
    let sql = "INSERT INTO credential (id, person, kind, state, secret, last_step, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values: [Value; 7] = [
        row.into(),
        new.person.into(),
        new.kind.as_str().into(),
        new.state.as_str().into(),
        secret,
        0i64.into(),
        new.at.into(),
    ];
    tx.execute(sql, &values).await?;
    Ok(())
}

/// Takes every credential of a kind and state away.
pub(crate) async fn remove(
    tx: &mut Tx,
    person: PersonId,
    kind: Kind,
    state: State,
) -> Result<u64, Error> {
    let sql = "DELETE FROM credential WHERE person = $1 AND kind = $2 AND state = $3";
    let values = [person.into(), kind.as_str().into(), state.as_str().into()];
    Ok(tx.execute(sql, &values).await?)
}

/// The pending credential of a kind comes into force in place of the one before.
pub(crate) async fn activate(
    tx: &mut Tx,
    person: PersonId,
    kind: Kind,
    last_step: i64,
) -> Result<(), Error> {
    remove(tx, person, kind, State::Active).await?;
    let sql = "UPDATE credential SET state = $1, last_step = $2 \
               WHERE person = $3 AND kind = $4 AND state = $5";
    let values = [
        State::Active.as_str().into(),
        last_step.into(),
        person.into(),
        kind.as_str().into(),
        State::Pending.as_str().into(),
    ];
    tx.execute(sql, &values).await?;
    Ok(())
}

const FIND: &str = "SELECT id, secret, last_step FROM credential \
                    WHERE person = $1 AND kind = $2 AND state = $3 ORDER BY id DESC LIMIT 1";

pub(crate) async fn find(
    store: &Store,
    person: PersonId,
    kind: Kind,
    state: State,
) -> Result<Option<Credential>, Error> {
    let values = [person.into(), kind.as_str().into(), state.as_str().into()];
    let row = store.optional(FIND, &values).await?;
    row.map(|row| opened(store, &row)).transpose()
}

pub(crate) async fn find_in(
    tx: &mut Tx,
    store: &Store,
    person: PersonId,
    kind: Kind,
    state: State,
) -> Result<Option<Credential>, Error> {
    let values = [person.into(), kind.as_str().into(), state.as_str().into()];
    let row = tx.optional(FIND, &values).await?;
    row.map(|row| opened(store, &row)).transpose()
}

fn opened(store: &Store, row: &::store::Row) -> Result<Credential, Error> {
    let id: CredentialId = row.id("id")?;
    let secret = store.open_sealed(place(&id.to_string()), &row.blob("secret")?)?;
    Ok(Credential {
        id,
        secret,
        last_step: row.int("last_step")?,
    })
}

/// Marks a TOTP step as used; `false` when somebody else was first.
pub(crate) async fn use_step(tx: &mut Tx, id: CredentialId, step: i64) -> Result<bool, Error> {
    let sql = "UPDATE credential SET last_step = $1 WHERE id = $2 AND last_step < $3";
    Ok(tx
        .execute(sql, &[step.into(), id.into(), step.into()])
        .await?
        == 1)
}

/// Takes a recovery code away; `false` when there is no such code (any more).
pub(crate) async fn use_recovery(
    tx: &mut Tx,
    person: PersonId,
    digest: [u8; 32],
) -> Result<bool, Error> {
    let sql = "DELETE FROM credential WHERE person = $1 AND kind = $2 AND secret = $3";
    let values = [person.into(), Kind::Recovery.as_str().into(), digest.into()];
    Ok(tx.execute(sql, &values).await? == 1)
}

/// Whether a person ever set a password.
pub(crate) async fn has_password(tx: &mut Tx, person: PersonId) -> Result<bool, Error> {
    let sql = "SELECT id FROM credential WHERE person = $1 AND kind = $2 AND state = $3";
    let values = [
        person.into(),
        Kind::Password.as_str().into(),
        State::Active.as_str().into(),
    ];
    Ok(tx.optional(sql, &values).await?.is_some())
}

const RECOVERY_LEFT: &str = "SELECT COUNT(*) AS n FROM credential WHERE person = $1 AND kind = $2";

pub(crate) async fn recovery_left(store: &Store, person: PersonId) -> Result<u64, Error> {
    let row = store
        .optional(
            RECOVERY_LEFT,
            &[person.into(), Kind::Recovery.as_str().into()],
        )
        .await?;
    Ok(row.map_or(Ok(0), |row| row.uint("n"))?)
}

pub(crate) async fn recovery_left_in(tx: &mut Tx, person: PersonId) -> Result<u64, Error> {
    let row = tx
        .optional(
            RECOVERY_LEFT,
            &[person.into(), Kind::Recovery.as_str().into()],
        )
        .await?;
    Ok(row.map_or(Ok(0), |row| row.uint("n"))?)
}

/// Ids of active people without an active second factor.
pub(crate) async fn without_second_factor(store: &Store) -> Result<Vec<PersonId>, Error> {
    let sql = "SELECT id FROM person WHERE state = 'active' AND NOT EXISTS (\
               SELECT 1 FROM credential WHERE credential.person = person.id \
               AND credential.kind = 'totp' AND credential.state = 'active')";
    let rows = store.query(sql, &[]).await?;
    rows.iter().map(|row| Ok(row.id("id")?)).collect()
}

/// How many failures a bucket holds, and before when no further attempt is looked at.
pub(crate) async fn attempts_in(tx: &mut Tx, bucket: &str) -> Result<(u32, Timestamp), Error> {
    let sql = "SELECT failures, not_before FROM attempt WHERE bucket = $1";
    let Some(row) = tx.optional(sql, &[bucket.into()]).await? else {
        return Ok((0, Timestamp::default()));
    };
    Ok((
        u32::try_from(row.int("failures")?).unwrap_or(u32::MAX),
        row.time("not_before")?,
    ))
}

pub(crate) async fn set_attempts(
    tx: &mut Tx,
    bucket: &str,
    failures: u32,
    not_before: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO attempt (bucket, failures, not_before, last_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (bucket) DO UPDATE SET failures = excluded.failures, \
               not_before = excluded.not_before, last_at = excluded.last_at";
    tx.execute(
        sql,
        &[
            bucket.into(),
            failures.into(),
            not_before.into(),
            now.into(),
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn forget_attempts(tx: &mut Tx, bucket: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM attempt WHERE bucket = $1", &[bucket.into()])
        .await?;
    Ok(())
}

pub(crate) async fn sweep_attempts(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    Ok(tx
        .execute("DELETE FROM attempt WHERE last_at < $1", &[before.into()])
        .await?)
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: "credential",
        column: "secret",
        row,
    }
}
