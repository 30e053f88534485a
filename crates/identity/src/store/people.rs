//! People and what they were given.

use ::model::{BindingId, PersonId, Timestamp};
use ::store::{Row, Store, Tx, Value};

use super::all;
use crate::{Binding, BindingKind, Error, Person, PersonState};

macro_rules! people {
    ($rest:literal) => {
        concat!(
            "SELECT id, login, name, email, state, created_at FROM person ",
            $rest
        )
    };
}

macro_rules! bindings {
    ($rest:literal) => {
        concat!(
            "SELECT id, person, kind, name, granted_by, created_at, expires_at FROM binding ",
            $rest
        )
    };
}

pub(crate) async fn list(store: &Store) -> Result<Vec<Person>, Error> {
    all(&store.query(people!("ORDER BY login"), &[]).await?, person)
}

pub(crate) async fn find(store: &Store, id: PersonId) -> Result<Option<Person>, Error> {
    let row = store
        .optional(people!("WHERE id = $1"), &[id.into()])
        .await?;
    row.as_ref().map(person).transpose()
}

pub(crate) async fn find_by_login(store: &Store, login: &str) -> Result<Option<Person>, Error> {
    let row = store
        .optional(people!("WHERE login = $1"), &[login.into()])
        .await?;
    row.as_ref().map(person).transpose()
}

pub(crate) async fn lock(tx: &mut Tx, id: PersonId) -> Result<Option<Person>, Error> {
    let row = tx.optional(people!("WHERE id = $1"), &[id.into()]).await?;
    row.as_ref().map(person).transpose()
}

pub(crate) async fn count(tx: &mut Tx) -> Result<u64, Error> {
    let row = tx.optional("SELECT COUNT(*) AS n FROM person", &[]).await?;
    Ok(row.map_or(Ok(0), |row| row.uint("n"))?)
}

pub(crate) async fn insert(tx: &mut Tx, person: &Person) -> Result<(), Error> {
    let values: [Value; 6] = [
        person.id.into(),
        person.login.as_str().into(),
        person.name.as_str().into(),
        person.email.clone().into(),
        person.state.as_str().into(),
        person.created_at.into(),
    ];
    let sql = "INSERT INTO person (id, login, name, email, state, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6)";
    tx.execute(sql, &values)
        .await
        .map(drop)
        .map_err(|error| match error.broken_unique() {
            Some(_) => Error::Taken(person.login.clone()),
            None => Error::Store(error),
        })
}

pub(crate) async fn set_state(tx: &mut Tx, id: PersonId, state: PersonState) -> Result<(), Error> {
    let sql = "UPDATE person SET state = $1 WHERE id = $2";
    tx.execute(sql, &[state.as_str().into(), id.into()]).await?;
    Ok(())
}

pub(crate) async fn bindings(store: &Store) -> Result<Vec<Binding>, Error> {
    all(
        &store
            .query(bindings!("ORDER BY person, kind, name"), &[])
            .await?,
        binding,
    )
}

pub(crate) async fn bindings_of(tx: &mut Tx, id: PersonId) -> Result<Vec<Binding>, Error> {
    let sql = bindings!("WHERE person = $1 ORDER BY kind, name");
    all(&tx.query(sql, &[id.into()]).await?, binding)
}

pub(crate) async fn bindings_in(tx: &mut Tx) -> Result<Vec<Binding>, Error> {
    all(
        &tx.query(bindings!("ORDER BY person, kind, name"), &[])
            .await?,
        binding,
    )
}

pub(crate) async fn list_in(tx: &mut Tx) -> Result<Vec<Person>, Error> {
    all(&tx.query(people!("ORDER BY login"), &[]).await?, person)
}

pub(crate) async fn find_binding(tx: &mut Tx, id: BindingId) -> Result<Option<Binding>, Error> {
    let row = tx
        .optional(bindings!("WHERE id = $1"), &[id.into()])
        .await?;
    row.as_ref().map(binding).transpose()
}

pub(crate) async fn bind(tx: &mut Tx, binding: &Binding) -> Result<(), Error> {
    let sql = "INSERT INTO binding (id, person, kind, name, granted_by, created_at, expires_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values: [Value; 7] = [
        binding.id.into(),
        binding.person.into(),
        binding.kind.as_str().into(),
        binding.name.as_str().into(),
        binding.granted_by.as_str().into(),
        binding.created_at.into(),
        binding.expires_at.into(),
    ];
    tx.execute(sql, &values)
        .await
        .map(drop)
        .map_err(|error| match error.broken_unique() {
            Some(_) => Error::Taken(binding.name.clone()),
            None => Error::Store(error),
        })
}

pub(crate) async fn unbind(tx: &mut Tx, id: BindingId) -> Result<(), Error> {
    tx.execute("DELETE FROM binding WHERE id = $1", &[id.into()])
        .await?;
    Ok(())
}

pub(crate) async fn any_ended_binding(store: &Store, now: Timestamp) -> Result<bool, Error> {
    let sql = "SELECT id FROM binding WHERE expires_at <= $1 LIMIT 1";
    Ok(store.optional(sql, &[now.into()]).await?.is_some())
}

pub(crate) async fn ended_bindings(
    tx: &mut Tx,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Binding>, Error> {
    let sql = bindings!("WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2");
    all(&tx.query(sql, &[now.into(), limit.into()]).await?, binding)
}

fn person(row: &Row) -> Result<Person, Error> {
    Ok(Person {
        id: row.id("id")?,
        login: row.text("login")?,
        name: row.text("name")?,
        email: row.opt_text("email")?,
        state: PersonState::parse(&row.text("state")?).ok_or(Error::Damaged("person"))?,
        created_at: row.time("created_at")?,
    })
}

fn binding(row: &Row) -> Result<Binding, Error> {
    Ok(Binding {
        id: row.id("id")?,
        person: row.id("person")?,
        kind: BindingKind::parse(&row.text("kind")?).ok_or(Error::Damaged("binding"))?,
        name: row.text("name")?,
        granted_by: row.text("granted_by")?,
        created_at: row.time("created_at")?,
        expires_at: row.opt_time("expires_at")?,
    })
}
