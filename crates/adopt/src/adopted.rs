//! What goes in, and what comes out.

use crate::{Group, Kind, Note};

/// What to make an estate from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The first file's name, as it is to be shown.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its folder, absolute: what relative paths of the file are within.
    pub folder: &'a str,
    /// What the estate is to be called; characters that no name has become `-`.
    pub estate: &'a str,
    /// Path of the file relative to where the estate is written, where it lies at or below it.
    pub beside: Option<&'a str>,
}

/// An estate that parses, and what its reader must know.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Adopted {
    /// What it was made from.
    pub kind: Kind,
    /// The text of `rampart.toml`.
    pub estate: String,
    /// How many services it has.
    pub services: usize,
    /// How many routes it has.
    pub routes: usize,
    /// What was not carried over.
    pub left: Vec<Note>,
    /// What was carried over, and is not quite the same.
    pub differs: Vec<Group>,
    /// What Rampart does by itself or has no need of.
    pub unneeded: Vec<Group>,
    /// How many directives or keys were carried over.
    pub carried: usize,
}
