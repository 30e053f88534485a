//! `rampart demo`: everything started in front of a sample shop that is open to attack, and a
//! scripted day of good and bad requests with a known outcome for each.
//!
//! Nothing here decides anything: people, keys and requests go through the same doors as
//! everybody's.

mod browser;
mod campaign;
mod estate;
mod form;
mod good;
mod people;
mod run;
mod script;
mod shop;
mod stage;

pub(crate) use run::{Play, Settings, run};
