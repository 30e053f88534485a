//! What a part does when the estate changes.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use model::Diagnostic;

use crate::Version;

/// The answer of [`Participant::prepare`].
pub type Preparing<'a> =
    Pin<Box<dyn Future<Output = Result<Box<dyn Prepared>, Vec<Diagnostic>>> + Send + 'a>>;

/// The end of [`Prepared::swap`].
pub type Swapping = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A part that works from the estate.
pub trait Participant: Send + Sync + Debug {
    /// Its name in messages: `gateway`.
    fn name(&self) -> &'static str;

    /// Does everything that can fail: compiles, loads certificates, asks other processes. Changes
    /// nothing that is in force. What it made is dropped when another part refuses.
    fn prepare<'a>(&'a self, next: &'a Arc<Version>) -> Preparing<'a>;
}

/// A part that is ready.
pub trait Prepared: Send {
    /// Takes the new version into force. Cannot fail: everything that can was done before.
    fn swap(self: Box<Self>) -> Swapping;
}
