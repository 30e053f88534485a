//! On whose behalf an operation runs.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    Clock, Entropy, Permission, PermissionSet, Principal, RequestId, SessionId, Timestamp,
};

/// How somebody proved who they are (RFC 8176 names).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A password.
    Pwd,
    /// A code from an authenticator app.
    Otp,
    /// A recovery code.
    Recovery,
    /// An API key.
    Key,
    /// A signed access token.
    Token,
    /// A one-time enrolment link.
    Link,
    /// The credentials of a local socket's peer.
    Peer,
}

/// When and how the principal of a [`Context`] proved itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// When the newest proof was given.
    pub at: Timestamp,
    /// Every proof that was given.
    pub methods: Vec<Method>,
    /// The session, when there is one.
    pub session: Option<SessionId>,
}

/// What every operation of every service takes first: who asks, what they may, for which request.
#[derive(Clone, Debug)]
pub struct Context {
    /// Who asks.
    pub principal: Principal,
    /// What they may do, already resolved from roles.
    pub permissions: PermissionSet,
    /// Which request this belongs to.
    pub request_id: RequestId,
    /// Where it came from, when it came over a network.
    pub source: Option<IpAddr>,
    /// How the principal proved itself; `None` for Rampart itself and for strangers.
    pub authentication: Option<Authentication>,
}

impl Context {
    /// A context for Rampart's own work, which holds every permission of Rampart's own.
    pub fn system(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
        Self {
            principal: Principal::system(),
            permissions: crate::own::built_in_role(crate::own::ADMINISTRATOR).unwrap_or_default(),
            request_id: RequestId::new(clock, entropy),
            source: None,
            authentication: None,
        }
    }

    /// A context for somebody unknown, who may do nothing that needs a permission.
    #[must_use]
    pub fn anonymous(request_id: RequestId, source: Option<IpAddr>) -> Self {
        Self {
            principal: Principal::anonymous(),
            permissions: PermissionSet::empty(),
            request_id,
            source,
            authentication: None,
        }
    }

    /// Stops here unless the principal holds `needed`.
    ///
    /// # Errors
    /// [`Denied`], which names the missing permission.
    pub fn require(&self, needed: &Permission) -> Result<(), Denied> {
        if self.permissions.allows(needed) {
            Ok(())
        } else {
            Err(Denied {
                needed: needed.clone(),
            })
        }
    }
}

/// The principal lacks a permission.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this needs the permission `{needed}`")]
pub struct Denied {
    /// What was missing.
    pub needed: Permission,
}
