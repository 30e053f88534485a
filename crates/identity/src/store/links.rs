//! One-time things: enrolment links, sign-ins under way, codes for protected origins.

use ::model::snapshot::Digest;
use ::model::{PersonId, SessionId, Timestamp};
use ::store::{Tx, Value};

use crate::{Enrolment, EnrolmentPurpose, Error};

fn purpose_text(purpose: EnrolmentPurpose) -> &'static str {
    match purpose {
        EnrolmentPurpose::First => "first",
        EnrolmentPurpose::Replace => "replace",
    }
}

/// Puts a link in, in place of every other of the person.
pub(crate) async fn put_enrolment(
    tx: &mut Tx,
    digest: Digest,
    enrolment: &Enrolment,
    now: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM enrolment WHERE person = $1",
        &[enrolment.person.into()],
    )
    .await?;
    let ceiling = enrolment.ceiling.as_ref().map(serde_json::to_string);
    let ceiling = ceiling
        .transpose()
        .map_err(|_| Error::Damaged("enrolment"))?;
    let sql = "INSERT INTO enrolment (digest, id, person, purpose, created_at, expires_at, ceiling) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values: [Value; 7] = [
        digest.into(),
        enrolment.id.into(),
        enrolment.person.into(),
        purpose_text(enrolment.purpose).into(),
        now.into(),
        enrolment.expires_at.into(),
        ceiling.into(),
    ];
    tx.execute(sql, &values).await?;
    Ok(())
}

/// The link that still works, by the digest of its token.
pub(crate) async fn enrolment(
    tx: &mut Tx,
    digest: Digest,
    now: Timestamp,
) -> Result<Option<Enrolment>, Error> {
    let sql = "SELECT id, person, purpose, expires_at, ceiling FROM enrolment \
               WHERE digest = $1 AND expires_at > $2";
    let Some(row) = tx.optional(sql, &[digest.into(), now.into()]).await? else {
        return Ok(None);
    };
    let purpose = match row.text("purpose")?.as_str() {
        "first" => EnrolmentPurpose::First,
        "replace" => EnrolmentPurpose::Replace,
        _ => return Err(Error::Damaged("enrolment")),
    };
    Ok(Some(Enrolment {
        id: row.id("id")?,
        person: row.id("person")?,
        purpose,
        expires_at: row.time("expires_at")?,
        ceiling: row
            .opt_text("ceiling")?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|_| Error::Damaged("enrolment"))?,
    }))
}

/// Takes every link and every sign-in under way of a person away.
pub(crate) async fn remove_of_person(tx: &mut Tx, person: PersonId) -> Result<(), Error> {
    tx.execute("DELETE FROM enrolment WHERE person = $1", &[person.into()])
        .await?;
    tx.execute("DELETE FROM sign_in WHERE person = $1", &[person.into()])
        .await?;
    Ok(())
}

/// Uses a link up; `false` when somebody else was first.
pub(crate) async fn use_enrolment(tx: &mut Tx, digest: Digest) -> Result<bool, Error> {
    Ok(tx
        .execute("DELETE FROM enrolment WHERE digest = $1", &[digest.into()])
        .await?
        == 1)
}

pub(crate) async fn put_sign_in(
    tx: &mut Tx,
    digest: Digest,
    person: PersonId,
    expires_at: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO sign_in (digest, person, tries, expires_at) VALUES ($1, $2, $3, $4)";
    tx.execute(
        sql,
        &[digest.into(), person.into(), 0i64.into(), expires_at.into()],
    )
    .await?;
    Ok(())
}

/// Whose sign-in is under way, and how many wrong codes it has seen.
pub(crate) async fn sign_in(
    tx: &mut Tx,
    digest: Digest,
    now: Timestamp,
) -> Result<Option<(PersonId, i64)>, Error> {
    let sql = "SELECT person, tries FROM sign_in WHERE digest = $1 AND expires_at > $2";
    let row = tx.optional(sql, &[digest.into(), now.into()]).await?;
    row.map(|row| Ok((row.id("person")?, row.int("tries")?)))
        .transpose()
}

pub(crate) async fn count_try(tx: &mut Tx, digest: Digest) -> Result<(), Error> {
    tx.execute(
        "UPDATE sign_in SET tries = tries + 1 WHERE digest = $1",
        &[digest.into()],
    )
    .await?;
    Ok(())
}

/// Ends a sign-in; `false` when it was ended already.
pub(crate) async fn end_sign_in(tx: &mut Tx, digest: Digest) -> Result<bool, Error> {
    Ok(tx
        .execute("DELETE FROM sign_in WHERE digest = $1", &[digest.into()])
        .await?
        == 1)
}

pub(crate) async fn put_origin_code(
    tx: &mut Tx,
    digest: Digest,
    session: SessionId,
    host: &str,
    expires_at: Timestamp,
) -> Result<(), Error> {
    let sql = "INSERT INTO origin_code (digest, session, host, expires_at) VALUES ($1, $2, $3, $4)";
    tx.execute(
        sql,
        &[
            digest.into(),
            session.into(),
            host.into(),
            expires_at.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Uses a code up: whose session it came from, if it was for this host and still works. A code
/// shown to another host is used up as well.
pub(crate) async fn use_origin_code(
    tx: &mut Tx,
    digest: Digest,
    host: &str,
    now: Timestamp,
) -> Result<Option<SessionId>, Error> {
    let sql = "SELECT session, host, expires_at FROM origin_code WHERE digest = $1";
    let Some(row) = tx.optional(sql, &[digest.into()]).await? else {
        return Ok(None);
    };
    let used = tx
        .execute(
            "DELETE FROM origin_code WHERE digest = $1",
            &[digest.into()],
        )
        .await?;
    let fits = used == 1 && row.text("host")? == host && row.time("expires_at")? > now;
    if fits {
        Ok(Some(row.id("session")?))
    } else {
        Ok(None)
    }
}

/// Takes away what has expired.
pub(crate) async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM enrolment WHERE expires_at <= $1",
        &[now.into()],
    )
    .await?;
    tx.execute("DELETE FROM sign_in WHERE expires_at <= $1", &[now.into()])
        .await?;
    tx.execute(
        "DELETE FROM origin_code WHERE expires_at <= $1",
        &[now.into()],
    )
    .await?;
    Ok(())
}
