//! Who asks, once it is proven: a person, a client application or somebody another issuer knows,
//! with what they proved it by.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::snapshot::Digest;
use model::{ApiKeyId, Principal};
use serde_json::{Map, Value, json};

use crate::compile::{Compiled, PermissionIndex};
use crate::directory::{Key, Person, Session};
use crate::issuers;
use crate::limiter::User;
use crate::token::Token;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Whose rights count.
    pub(crate) who: Who,
    /// What was shown.
    pub(crate) proof: Proof,
    /// SHA-256 of what was shown: tells credentials apart without being one.
    pub(crate) digest: Digest,
}

/// Somebody.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    /// Who has an account.
    Person(Arc<Person>),
    /// Who has none here.
    Guest(Arc<Guest>),
}

/// Somebody without an account: a client application of the estate, or a subject of another issuer.
#[derive(Debug)]
pub(crate) struct Guest {
    /// As events name it; its id is nobody else's.
    pub(crate) principal: Principal,
    /// E-mail address, when the issuer says that it is theirs.
    pub(crate) email: Option<String>,
    /// Names of roles, all of them given by the estate.
    pub(crate) roles: Vec<String>,
    /// Stands for its id in limits.
    pub(crate) number: [u8; 16],
    /// Its issuer, and what it is called there.
    pub(crate) issuer: Option<(String, String)>,
}

/// Whether a browser shows a credential by itself, whoever made it ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Only who holds it shows it.
    OnPurpose,
    /// A browser shows it, and nobody else has it.
    ByBrowser,
    /// A browser shows it too, if it is one.
    PerhapsByBrowser,
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
    /// An access token of another issuer.
    Foreign(Arc<issuers::Token>),
    /// A certificate of this connection's; SHA-256 of it.
    Certificate(Digest),
    /// Nothing: somebody asks what would happen if they did.
    Supposed,
}

impl Caller {
    /// As events name it: a key acts under its own name.
    pub(crate) fn principal(&self) -> &Principal {
        match (&self.proof, &self.who) {
            (Proof::Key(key), _) => &key.principal,
            (_, Who::Person(person)) => &person.principal,
            (_, Who::Guest(guest)) => &guest.principal,
        }
    }

    /// The id of whose rights count.
    pub(crate) fn id(&self) -> &str {
        match &self.who {
            Who::Person(person) => &person.principal.id,
            Who::Guest(guest) => &guest.principal.id,
        }
    }

    /// Names of the roles that count.
    pub(crate) fn roles(&self) -> &[String] {
        match &self.who {
            Who::Person(person) => &person.subject.roles,
            Who::Guest(guest) => &guest.roles,
        }
    }

    /// As whom limits count it.
    pub(crate) fn user(&self) -> User {
        match &self.who {
            Who::Person(person) => User::Person(person.subject.id),
            Who::Guest(guest) => User::Guest(guest.number),
        }
    }

    /// The API key, when it is one.
    pub(crate) fn key(&self) -> Option<ApiKeyId> {
        match &self.proof {
            Proof::Key(key) => Some(key.grant.id),
            _ => None,
        }
    }

    /// Whether a browser shows the credential by itself, whoever made it ask.
    pub(crate) fn shown(&self) -> Shown {
        match self.proof {
            Proof::Session(_) => Shown::ByBrowser,
            Proof::Certificate(_) => Shown::PerhapsByBrowser,
            Proof::Key(_) | Proof::Token(_) | Proof::Foreign(_) | Proof::Supposed => {
                Shown::OnPurpose
            }
        }
    }

    /// Whether two say the same of the same one, so that what was said about one holds for the
    /// other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let who = match (&self.who, &other.who) {
            (Who::Person(a), Who::Person(b)) => Arc::ptr_eq(a, b),
            (Who::Guest(a), Who::Guest(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        let proof = match (&self.proof, &other.proof) {
            (Proof::Session(a), Proof::Session(b)) => {
                let (a, b) = (&a.grant, &b.grant);
                (a.id, a.authenticated_at, &a.methods) == (b.id, b.authenticated_at, &b.methods)
            }
            (Proof::Key(a), Proof::Key(b)) => Arc::ptr_eq(a, b),
            (Proof::Token(a), Proof::Token(b)) => Arc::ptr_eq(a, b),
            (Proof::Foreign(a), Proof::Foreign(b)) => Arc::ptr_eq(a, b),
            (Proof::Certificate(a), Proof::Certificate(b)) => a == b,
            (Proof::Supposed, Proof::Supposed) => true,
            _ => false,
        };
        who && proof && self.digest == other.digest
    }

    /// Whether the person's roles hold a permission, and the credential does not stop short of it.
    pub(crate) fn holds(
        &self,
        compiled: &Compiled,
        (index, permission): (PermissionIndex, &model::Permission),
    ) -> bool {
        let within = match &self.proof {
            Proof::Session(_) | Proof::Foreign(_) | Proof::Certificate(_) | Proof::Supposed => true,
            Proof::Key(key) => key.grant.permissions.allows(permission),
            Proof::Token(token) => token.scope.allows(permission),
        };
        within && compiled.roles_hold(self.roles(), index)
    }

    /// Who it is and how it was proven, as claims of an assertion.
    pub(crate) fn describe(&self, claims: &mut Map<String, Value>) {
        let (principal, email) = match &self.who {
            Who::Person(person) => (&person.principal, &person.subject.email),
            Who::Guest(guest) => (&guest.principal, &guest.email),
        };
        claims.insert("sub".to_owned(), json!(principal.id));
        claims.insert("name".to_owned(), json!(principal.name));
        claims.insert("roles".to_owned(), json!(self.roles()));
        if let Some(email) = email {
            claims.insert("email".to_owned(), json!(email));
        }
        if let Who::Guest(guest) = &self.who
            && let Some((issuer, subject)) = &guest.issuer
        {
            let there = json!({ "iss": issuer, "sub": subject });
            claims.insert("subject_at".to_owned(), there);
        }
        self.describe_proof(claims);
    }

    fn describe_proof(&self, claims: &mut Map<String, Value>) {
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
            Proof::Certificate(thumbprint) => {
                if let Who::Guest(guest) = &self.who {
                    claims.insert("client_id".to_owned(), json!(guest.principal.name));
                }
                // RFC 8705 §3.1.
                let thumbprint = URL_SAFE_NO_PAD.encode(thumbprint);
                claims.insert("cnf".to_owned(), json!({ "x5t#S256": thumbprint }));
            }
            Proof::Foreign(_) | Proof::Supposed => {}
        }
    }
}

fn scope(permissions: &model::PermissionSet) -> String {
    let words: Vec<&str> = permissions.iter().map(model::Permission::as_str).collect();
    words.join(" ")
}
