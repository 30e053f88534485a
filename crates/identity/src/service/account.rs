//! What people do with their own credentials. Each asks for a fresh proof, ends the person's other
//! sessions where a credential is replaced, and is recorded.

use ::model::{Context, Event, PersonId, Secret, Severity};

use super::enrol::{TotpOffer, hash_failed, typed};
use super::{own_id, person, require};
use crate::change::Change;
use crate::password::Kept;
use crate::store::credentials::{self, Kind, State};
use crate::store::people;
use crate::throttle;
use crate::{Error, Identity};

/// Ten codes for the day the authenticator is lost; shown once.
#[derive(Clone, Debug)]
pub struct RecoveryCodes(pub(crate) Vec<Secret<String>>);

impl RecoveryCodes {
    /// The codes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Secret<String>> {
        self.0.iter()
    }
}

impl Identity {
    /// Changes the caller's password; the present one is asked for too (ASVS 5.0 V6.2.3). Ends
    /// their other sessions.
    ///
    /// # Errors
    /// [`Error::NotAPerson`], [`Error::StepUp`], [`Error::WrongCredentials`],
    /// [`Error::TooMany`], [`Error::Password`], [`Error::Busy`].
    pub async fn change_password(
        &self,
        ctx: &Context,
        present: Secret<String>,
        new: Secret<String>,
    ) -> Result<(), Error> {
        let id = person(ctx)?;
        self.require_fresh(ctx)?;
        self.check_present(id, present).await?;
        let store = &self.inner().store;
        let found = people::find(store, id)
            .await?
            .ok_or(Error::NotFound("person"))?;
        let hash = self.hash_password(&found, &new).await?;
        let mut change = Change::begin(self).await?;
        Self::active_person(&mut change.tx, id).await?;
        let place = (Kind::Password, State::Active);
        credentials::remove(&mut change.tx, id, place.0, place.1).await?;
        self.put_credential(&mut change, id, place, hash.as_bytes())
            .await?;
        let ended = self.end_others(ctx, &mut change, id).await?;
        change.record(self.credential_event("identity.password.changed", ctx, id, ended));
        change.commit(self).await
    }

    /// A session that somebody else holds must not become a place to guess at: wrong ones count.
    async fn check_present(&self, id: PersonId, present: Secret<String>) -> Result<(), Error> {
        let bucket = throttle::present_password(&id.to_string());
        let now = self.now();
        let mut change = Change::begin(self).await?;
        let (failures, not_before) = credentials::attempts_in(&mut change.tx, &bucket.name).await?;
        if not_before > now {
            return Err(Error::TooMany {
                retry_after: not_before.since(now),
            });
        }
        let failures = failures.saturating_add(1);
        let wait = now.after(throttle::delay(&bucket, failures));
        credentials::set_attempts(&mut change.tx, &bucket.name, failures, wait, now).await?;
        let store = &self.inner().store;
        let found =
            credentials::find_in(&mut change.tx, store, id, Kind::Password, State::Active).await?;
        change.commit(self).await?;
        let kept = found.and_then(|c| String::from_utf8(c.secret.expose().clone()).ok());
        let present = typed(&present).unwrap_or_default();
        let right = self
            .inner()
            .hasher
            .matches(present, kept.map(Kept::from_text))
            .await;
        if !right.map_err(hash_failed)? {
            return Err(Error::WrongCredentials);
        }
        let mut change = Change::begin(self).await?;
        credentials::forget_attempts(&mut change.tx, &bucket.name).await?;
        change.commit(self).await
    }

    /// Offers a new authenticator entry; the present one counts until this one is confirmed.
    ///
    /// # Errors
    /// [`Error::NotAPerson`], [`Error::StepUp`].
    pub async fn offer_totp(&self, ctx: &Context) -> Result<TotpOffer, Error> {
        let id = person(ctx)?;
        self.require_fresh(ctx)?;
        let mut change = Change::begin(self).await?;
        let found = Self::active_person(&mut change.tx, id).await?;
        let offer = self.put_totp_offer(&mut change, &found).await?;
        let event = self.account_event("identity.totp.offered", ctx, id);
        change.record(event.message("asked for a new authenticator entry"));
        change.commit(self).await?;
        Ok(offer)
    }

    /// Confirms it with its first code. Ends the caller's other sessions.
    ///
    /// # Errors
    /// [`Error::NotAPerson`], [`Error::StepUp`], [`Error::WrongCredentials`]; [`Error::Spent`]
    /// without an offer.
    pub async fn confirm_totp(&self, ctx: &Context, code: &str) -> Result<(), Error> {
        let id = person(ctx)?;
        self.require_fresh(ctx)?;
        let mut change = Change::begin(self).await?;
        Self::active_person(&mut change.tx, id).await?;
        let step = self.pending_step(&mut change, id, code).await?;
        credentials::activate(&mut change.tx, id, Kind::Totp, step).await?;
        let ended = self.end_others(ctx, &mut change, id).await?;
        change.record(self.credential_event("identity.totp.replaced", ctx, id, ended));
        change.commit(self).await
    }

    /// Fresh recovery codes; the old ones stop working.
    ///
    /// # Errors
    /// [`Error::NotAPerson`], [`Error::StepUp`].
    pub async fn renew_recovery_codes(&self, ctx: &Context) -> Result<RecoveryCodes, Error> {
        let id = person(ctx)?;
        self.require_fresh(ctx)?;
        let mut change = Change::begin(self).await?;
        Self::active_person(&mut change.tx, id).await?;
        let codes = self.put_recovery_codes(&mut change, id).await?;
        change.record(self.credential_event("identity.recovery_codes.renewed", ctx, id, 0));
        change.commit(self).await?;
        Ok(codes)
    }

    /// How many recovery codes somebody has left.
    ///
    /// # Errors
    /// [`Error::Denied`] for others' without the permission.
    pub async fn recovery_codes_left(&self, ctx: &Context, of: PersonId) -> Result<u64, Error> {
        if own_id(ctx) != Some(of) {
            require(ctx, ::model::own::PEOPLE_READ)?;
        }
        credentials::recovery_left(&self.inner().store, of).await
    }

    fn credential_event(
        &self,
        kind: &'static str,
        ctx: &Context,
        id: PersonId,
        ended: usize,
    ) -> Event {
        self.account_event(kind, ctx, id)
            .severity(Severity::Medium)
            .message(format!(
                "changed a credential of their own; {ended} other sessions ended"
            ))
    }
}
