//! Who asks, once it is proven: a person, with what they proved it by.

use std::sync::Arc;

use model::snapshot::Digest;
use model::{ApiKeyId, Principal};
use serde_json::{Map, Value, json};

use crate::compile::{Compiled, PermissionIndex};
use crate::directory::{Key, Person, Session};
use crate::token::Token;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Whose rights count.
    pub(crate) person: Arc<Person>,
    /// What was shown.
    pub(crate) proof: Proof,
    /// SHA-256 of what was shown: tells credentials apart without being one.
    pub(crate) digest: Digest,
}

/// What somebody proved themselves by.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// A session's cookie.
    Session(Arc<Session>),
    /// An API key.
    Key(Arc<Key>),
    /// An access token.
    Token(Arc<Token>),
    /// Nothing: somebody asks what would happen if they did.
    Supposed,
}

impl Caller {
    /// As events name it: a key acts under its own name.
    pub(crate) fn principal(&self) -> &Principal {
        match &self.proof {
            Proof::Key(key) => &key.principal,
            Proof::Session(_) | Proof::Token(_) | Proof::Supposed => &self.person.principal,
        }
    }

    /// The API key, when it is one.
    pub(crate) fn key(&self) -> Option<ApiKeyId> {
        match &self.proof {
            Proof::Key(key) => Some(key.grant.id),
            _ => None,
        }
    }

    /// Whether a browser sends the credential by itself, whoever made it ask.
    pub(crate) fn is_ambient(&self) -> bool {
        matches!(self.proof, Proof::Session(_))
    }

    /// Whether the person's roles hold a permission, and the credential does not stop short of it.
    pub(crate) fn holds(
        &self,
        compiled: &Compiled,
        (index, permission): (PermissionIndex, &model::Permission),
    ) -> bool {
        let within = match &self.proof {
            Proof::Session(_) | Proof::Supposed => true,
            Proof::Key(key) => key.grant.permissions.allows(permission),
            Proof::Token(token) => token.scope.allows(permission),
        };
        within && compiled.roles_hold(&self.person.subject.roles, index)
    }

    /// How it was proven, as claims of an assertion.
    pub(crate) fn describe(&self, claims: &mut Map<String, Value>) {
        match &self.proof {
            Proof::Session(session) => {
                claims.insert("sid".to_owned(), json!(session.grant.id));
                claims.insert("amr".to_owned(), json!(session.grant.methods));
                let at = session.grant.authenticated_at.as_secs();
                claims.insert("auth_time".to_owned(), json!(at));
            }
            Proof::Key(key) => {
                claims.insert("client_id".to_owned(), json!(key.grant.id));
                claims.insert("scope".to_owned(), json!(scope(&key.grant.permissions)));
            }
            Proof::Token(token) => {
                claims.insert("client_id".to_owned(), json!(token.client));
                claims.insert("scope".to_owned(), json!(scope(&token.scope)));
            }
            Proof::Supposed => {}
        }
    }
}

fn scope(permissions: &model::PermissionSet) -> String {
    let words: Vec<&str> = permissions.iter().map(model::Permission::as_str).collect();
    words.join(" ")
}
