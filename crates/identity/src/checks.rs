//! The controls of identity: what must hold, proven from what is stored. `doctor` shows them.

use ::model::{Context, own};
use serde::Serialize;

use crate::store::{credentials, keys, people};
use crate::{Error, Identity, PersonState};

/// LIMIT: names listed as evidence.
const NAMED_MAX: usize = 20;

/// How a control stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// It holds.
    Ok,
    /// It holds, but barely.
    Warn,
    /// It does not hold.
    Fail,
}

/// One control and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable id.
    pub id: &'static str,
    /// What must hold.
    pub title: &'static str,
    /// Whether it does.
    pub status: CheckStatus,
    /// What was found.
    pub evidence: String,
    /// What to do when it does not hold.
    pub remedy: &'static str,
}

impl Identity {
    /// Looks at every control.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Store`].
    pub async fn checks(&self, ctx: &Context) -> Result<Vec<Check>, Error> {
        super::service::require(ctx, own::HEALTH_READ)?;
        Ok(vec![
            self.check_second_factors().await?,
            self.check_administrators().await?,
            self.check_api_keys().await?,
        ])
    }

    async fn check_second_factors(&self) -> Result<Check, Error> {
        let without = credentials::without_second_factor(&self.inner().store).await?;
        let names: Vec<String> = without
            .iter()
            .take(NAMED_MAX)
            .map(ToString::to_string)
            .collect();
        Ok(Check {
            id: "identity.second_factor",
            title: "every active person has a second factor",
            status: if without.is_empty() {
                CheckStatus::Ok
            } else {
                CheckStatus::Fail
            },
            evidence: match without.len() {
                0 => "nobody is without".to_owned(),
                count => format!("{count} without: {}", names.join(", ")),
            },
            remedy: "issue them a new enrolment link",
        })
    }

    async fn check_administrators(&self) -> Result<Check, Error> {
        let store = &self.inner().store;
        let bindings = people::bindings(store).await?;
        let all = people::list(store).await?;
        let active = all
            .iter()
            .filter(|person| person.state == PersonState::Active);
        let administers = |id| {
            self.roles_of(id, &bindings)
                .iter()
                .any(|r| r == own::ADMINISTRATOR)
        };
        let count = active.filter(|person| administers(person.id)).count();
        Ok(Check {
            id: "identity.administrators",
            title: "at least two active people can administer",
            status: match count {
                0 => CheckStatus::Fail,
                1 => CheckStatus::Warn,
                _ => CheckStatus::Ok,
            },
            evidence: format!("{count} can"),
            remedy: "give the role `administrator` to a second person",
        })
    }

    async fn check_api_keys(&self) -> Result<Check, Error> {
        let live = keys::live(&self.inner().store, self.now()).await?;
        let endless = live.iter().filter(|stored| stored.key.expires_at.is_none());
        let names: Vec<&str> = endless.map(|stored| stored.key.prefix.as_str()).collect();
        let named = names
            .get(..names.len().min(NAMED_MAX))
            .unwrap_or_default()
            .join(", ");
        Ok(Check {
            id: "identity.api_key_expiry",
            title: "every API key ends some day",
            status: if names.is_empty() {
                CheckStatus::Ok
            } else {
                CheckStatus::Warn
            },
            evidence: match names.len() {
                0 => format!("{} live keys, all with an end", live.len()),
                count => format!("{count} without an end: {named}"),
            },
            remedy: "replace them by keys with an expiry",
        })
    }
}
