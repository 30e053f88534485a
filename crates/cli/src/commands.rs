//! One file per command: its arguments and what it does.

pub mod api_keys;
pub mod apply;
pub mod certificates;
pub mod check;
pub mod completions;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod gateway;
pub mod init;
pub mod man;
pub mod people;
pub mod plan;
pub mod rescue;
pub mod restart;
pub mod roles;
pub mod schema;
pub mod serve;
pub mod sessions;
pub mod status;
pub mod trail;
pub mod waf;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::client::{Pending, Server};
use crate::paths::Places;
use crate::{Command, Exit, Failure, Global, Printer};

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    pub(crate) global: &'a Global,
    pub(crate) places: Places,
    pub(crate) printer: &'a mut Printer,
    pending: Pending,
}

impl Session<'_> {
    /// The running server of the data folder.
    pub(crate) fn server(&self) -> Result<Server, Failure> {
        let data = self.places.data(self.global.data.as_deref())?;
        Server::of(&data, Pending::clone(&self.pending))
    }
}

/// Runs one command.
pub(crate) fn run(
    command: Command,
    global: &Global,
    places: Places,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut session = Session {
        global,
        places,
        printer,
        pending: Pending::default(),
    };
    let ended = dispatch(command, &mut session);
    if let Some(late) = session.pending.take() {
        let late = crate::output::clean(&late);
        let note = format!("the change is made; it may not count at every gateway yet: {late}");
        session.printer.note(&note);
    }
    ended
}

fn dispatch(command: Command, session: &mut Session<'_>) -> Result<Exit, Failure> {
    match command {
        Command::Init(args) => init::run(&args, session),
        Command::Check(args) => check::run(&args, session),
        Command::Plan(args) => plan::run(&args, session),
        Command::Apply(args) => apply::run(&args, session),
        Command::Schema(args) => schema::run(&args, session),
        Command::Config(command) => config::run(&command, session),
        Command::Status(args) => status::run(&args, session),
        Command::Doctor(args) => doctor::run(&args, session),
        Command::Trail(command) => trail::run(&command, session),
        Command::Gateway(command) => gateway::run(&command, session),
        Command::Waf(command) => waf::run(&command, session),
        Command::Certificates(command) => certificates::run(&command, session),
        Command::People(command) => people::run(&command, session),
        Command::Roles(command) => roles::run(&command, session),
        Command::ApiKeys(command) => api_keys::run(&command, session),
        Command::Sessions(command) => sessions::run(&command, session),
        Command::Restart(args) => restart::run(&args, session),
        Command::Rescue(command) => rescue::run(&command, session),
        Command::Completions(args) => completions::run(&args, session),
        Command::Man(args) => man::run(&args, session),
        Command::Serve(_) | Command::Demo(_) => {
            Err(Failure::failed("this command is run by the program itself"))
        }
    }
}

/// The list under `key` of an answer.
pub(crate) fn items(answer: &Value, key: &str) -> Vec<Value> {
    answer
        .get(key)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

/// A field of an answer as one cell: texts as they are, lists with commas, names of what has one.
pub(crate) fn text_or(value: &Value, key: &str, fallback: &str) -> String {
    let shown = value.get(key).map(cell).unwrap_or_default();
    if shown.is_empty() {
        fallback.to_owned()
    } else {
        shown
    }
}

/// Whose something is: an id, alone or within what describes them.
pub(crate) fn owner_of<'a>(value: &'a Value, key: &str) -> &'a str {
    match value.get(key) {
        Some(Value::String(id)) => id,
        Some(person) => status::text(person, "id"),
        None => "",
    }
}

/// The same as one cell, by login where it is known.
pub(crate) fn named(logins: &BTreeMap<String, String>, value: &Value, key: &str) -> String {
    let id = owner_of(value, key);
    match logins.get(id) {
        Some(login) if !login.is_empty() => login.clone(),
        _ if id.is_empty() => "-".to_owned(),
        _ => id.to_owned(),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => ["name", "id"]
            .iter()
            .find_map(|key| fields.get(*key)?.as_str())
            .unwrap_or_default()
            .to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
