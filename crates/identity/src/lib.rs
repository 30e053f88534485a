//! Identity: people and how they prove who they are, what they may do, and what the gateway needs
//! to decide that by itself.
//!
//! Everything secret is sealed or hashed at rest; every change is one transaction with its events.
//! Knows nothing of HTTP or HTML.

mod api_key;
mod change;
mod checks;
mod error;
mod events;
mod failures;
mod model;
pub mod password;
mod recovery;
mod schema;
mod secret_text;
mod service;
mod store;
mod tasks;
mod throttle;
mod token;
pub mod totp;
mod view;

pub use checks::{Check, CheckStatus};
pub use error::Error;
pub use model::{
    ApiKey, Binding, BindingKind, Enrolment, EnrolmentPurpose, Person, PersonState, Session,
};
pub use schema::MIGRATIONS;
pub use service::{
    AccessToken, ApiKeyPage, Device, EnrolmentOffer, Identity, Invitation, IssuedToken,
    KEYS_PAGE_MAX, MadeApiKey, NewApiKey, NewPerson, PendingSignIn, Proof, RecoveryCodes, Settings,
    SignedIn, TokenRequest, TotpOffer,
};

#[cfg(test)]
mod tests;
