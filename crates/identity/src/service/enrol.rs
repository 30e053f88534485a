//! Enrolment: a one-time link becomes a password, an authenticator and recovery codes.

use ::model::snapshot::IdentityChange;
use ::model::{Context, CredentialId, Method, PersonId, Secret, Timestamp};
use qrcode::render::svg;

use super::account::RecoveryCodes;
use super::sign_in::{Device, SignedIn};
use crate::change::Change;
use crate::password::{HashError, Policy, normalise};
use crate::store::credentials::{self, Kind, NewCredential, State};
use crate::store::{links, people, sessions};
use crate::{
    Enrolment, EnrolmentPurpose, Error, Identity, Person, PersonState, recovery, secret_text, totp,
};

/// Fewest characters of a password beside a second factor (NIST SP 800-63B-4 §3.1.1.2). Everybody
/// has one here: without a confirmed authenticator no enrolment ends.
const PASSWORD_CHARS_MIN: u32 = 8;
/// LIMIT: bytes of a password before it is even normalised; far beyond the most accepted.
const PASSWORD_BYTES_TYPED_MAX: usize = 4096;

/// What a link is for.
#[derive(Clone, Debug)]
pub struct EnrolmentOffer {
    /// For whom.
    pub person: Person,
    /// First credentials, or new ones.
    pub purpose: EnrolmentPurpose,
    /// Until when the link works.
    pub expires_at: Timestamp,
    /// Fewest characters of the password.
    pub password_length_min: u32,
}

/// An authenticator entry to be confirmed with its first code.
#[derive(Clone, Debug)]
pub struct TotpOffer {
    /// `otpauth://…`, as apps read it.
    pub uri: Secret<String>,
    /// The seed in base 32, to type by hand.
    pub seed: Secret<String>,
    /// The address as a QR code: one `<svg>` element.
    pub picture: Secret<String>,
}

impl Identity {
    /// What a link is for, if it works. Looking does not use it up: mail scanners look.
    ///
    /// # Errors
    /// [`Error::Spent`].
    pub async fn enrolment(&self, token: &str) -> Result<EnrolmentOffer, Error> {
        let mut tx = self.inner().store.begin().await?;
        let (enrolment, person) = self.open_link(&mut tx, token).await?;
        Ok(EnrolmentOffer {
            person,
            purpose: enrolment.purpose,
            expires_at: enrolment.expires_at,
            password_length_min: self.password_length_min(),
        })
    }

    /// First step: the password. It counts once the second step is done; until then this may be
    /// repeated.
    ///
    /// # Errors
    /// [`Error::Spent`], [`Error::Password`] which says why, [`Error::Busy`].
    pub async fn enrol_password(
        &self,
        ctx: &Context,
        token: &str,
        password: Secret<String>,
    ) -> Result<TotpOffer, Error> {
        let person = self.enrolment(token).await?.person;
        let hash = self.hash_password(&person, &password).await?;
        let mut change = Change::begin(self).await?;
        let (_, person) = self.open_link(&mut change.tx, token).await?;
        self.put_pending(&mut change, person.id, Kind::Password, hash.as_bytes())
            .await?;
        let offer = self.put_totp_offer(&mut change, &person).await?;
        let event = self.account_event("identity.enrolment.begun", ctx, person.id);
        change.record(event.message(format!("`{}` began to set up credentials", person.login)));
        change.commit(self).await?;
        Ok(offer)
    }

    /// The offer of the second step once more, for a page that was loaded again; `None` before the
    /// first step.
    ///
    /// # Errors
    /// [`Error::Spent`].
    pub async fn enrolment_totp(&self, token: &str) -> Result<Option<TotpOffer>, Error> {
        let mut tx = self.inner().store.begin().await?;
        let (_, person) = self.open_link(&mut tx, token).await?;
        let store = &self.inner().store;
        let found =
            credentials::find_in(&mut tx, store, person.id, Kind::Totp, State::Pending).await?;
        found
            .map(|found| self.totp_offer(&person, found.secret.expose()))
            .transpose()
    }

    /// Second step: the first code of the authenticator. Uses the link up, brings the credentials
    /// into force, ends every session there was, and signs the person in.
    ///
    /// # Errors
    /// [`Error::Spent`] when the link was used, [`Error::WrongCredentials`] for a wrong code.
    pub async fn enrol_confirm(
        &self,
        ctx: &Context,
        token: &str,
        code: &str,
        device: &Device,
    ) -> Result<(SignedIn, RecoveryCodes), Error> {
        let mut change = Change::begin(self).await?;
        let (_, mut person) = self.open_link(&mut change.tx, token).await?;
        let step = self.pending_step(&mut change, person.id, code).await?;
        if !links::use_enrolment(&mut change.tx, secret_text::digest_of(token)).await? {
            return Err(Error::Spent);
        }
        credentials::activate(&mut change.tx, person.id, Kind::Password, 0).await?;
        credentials::activate(&mut change.tx, person.id, Kind::Totp, step).await?;
        let codes = self.put_recovery_codes(&mut change, person.id).await?;
        for id in sessions::remove_of_person(&mut change.tx, person.id).await? {
            change.tell(IdentityChange::SessionGone(id));
        }
        people::set_state(&mut change.tx, person.id, PersonState::Active).await?;
        person.state = PersonState::Active;
        let bindings = people::bindings_of(&mut change.tx, person.id).await?;
        change.tell(IdentityChange::Subject(self.subject(&person, &bindings)));
        let event = self.sign_in_event("identity.person.enrolled", ctx, &person);
        change.record(event.message(format!("`{}` set up their credentials", person.login)));
        let methods = vec![Method::Link, Method::Pwd, Method::Otp];
        let signed_in = self
            .start_session(ctx, &mut change, &person, methods, device)
            .await?;
        change.commit(self).await?;
        Ok((signed_in, codes))
    }

    async fn open_link(
        &self,
        tx: &mut ::store::Tx,
        token: &str,
    ) -> Result<(Enrolment, Person), Error> {
        let digest = secret_text::digest_of(token);
        let enrolment = links::enrolment(tx, digest, self.now())
            .await?
            .ok_or(Error::Spent)?;
        let person = people::lock(tx, enrolment.person).await?;
        let usable = person.filter(|person| person.state != PersonState::Disabled);
        let person = usable.ok_or(Error::Spent)?;
        // SECURITY: whoever issued the link knows it. Has the person been given more since than
        // its issuer could give, the issuer could take it with the link.
        if let Some(ceiling) = &enrolment.ceiling {
            let bindings = people::bindings_of(tx, person.id).await?;
            let roles = self.roles_of(person.id, &bindings);
            self.require_covers(ceiling, &roles)
                .map_err(|_| Error::Spent)?;
        }
        Ok((enrolment, person))
    }

    /// The step of a right first code for the pending authenticator.
    pub(crate) async fn pending_step(
        &self,
        change: &mut Change,
        person: PersonId,
        code: &str,
    ) -> Result<i64, Error> {
        let store = &self.inner().store;
        let pending =
            credentials::find_in(&mut change.tx, store, person, Kind::Totp, State::Pending).await?;
        let pending = pending.ok_or(Error::Spent)?;
        totp::accept(pending.secret.expose(), code, self.now(), 0).ok_or(Error::WrongCredentials)
    }

    pub(crate) async fn put_totp_offer(
        &self,
        change: &mut Change,
        person: &Person,
    ) -> Result<TotpOffer, Error> {
        let seed = totp::seed(&*self.inner().entropy);
        self.put_pending(change, person.id, Kind::Totp, seed.expose())
            .await?;
        self.totp_offer(person, seed.expose())
    }

    fn totp_offer(&self, person: &Person, seed: &[u8]) -> Result<TotpOffer, Error> {
        let uri = totp::otpauth(seed, &self.estate().name, &person.login);
        let code = qrcode::QrCode::new(uri.expose().as_bytes())
            .map_err(|_| Error::Internal("draw the QR code"))?;
        let picture = code
            .render::<svg::Color<'_>>()
            .min_dimensions(200, 200)
            .dark_color(svg::Color("#000000"))
            .light_color(svg::Color("#ffffff"))
            .build();
        // The element alone: it stands inside a page.
        let picture = picture
            .find("<svg")
            .and_then(|at| picture.get(at..))
            .unwrap_or_default();
        Ok(TotpOffer {
            picture: Secret::new(picture.to_owned()),
            seed: Secret::new(totp::seed_text(seed)),
            uri,
        })
    }

    async fn put_pending(
        &self,
        change: &mut Change,
        person: PersonId,
        kind: Kind,
        secret: &[u8],
    ) -> Result<(), Error> {
        credentials::remove(&mut change.tx, person, kind, State::Pending).await?;
        self.put_credential(change, person, (kind, State::Pending), secret)
            .await
    }

    pub(crate) async fn put_credential(
        &self,
        change: &mut Change,
        person: PersonId,
        (kind, state): (Kind, State),
        secret: &[u8],
    ) -> Result<(), Error> {
        let inner = self.inner();
        let id = CredentialId::new(&*inner.clock, &*inner.entropy);
        let new = NewCredential {
            id,
            person,
            kind,
            state,
            secret,
            at: self.now(),
        };
        credentials::insert(&mut change.tx, &inner.store, &new).await
    }

    /// Fresh recovery codes in place of all before.
    pub(crate) async fn put_recovery_codes(
        &self,
        change: &mut Change,
        person: PersonId,
    ) -> Result<RecoveryCodes, Error> {
        let place = (Kind::Recovery, State::Active);
        credentials::remove(&mut change.tx, person, place.0, place.1).await?;
        let codes = recovery::fresh(&*self.inner().entropy);
        for code in &codes {
            let digest = recovery::digest(code.expose());
            self.put_credential(change, person, place, &digest).await?;
        }
        Ok(RecoveryCodes(codes))
    }

    /// Checks a new password against the rules and hashes it.
    pub(crate) async fn hash_password(
        &self,
        person: &Person,
        password: &Secret<String>,
    ) -> Result<String, Error> {
        let password = typed(password)?;
        self.policy(person).check(password.expose())?;
        let kept = self
            .inner()
            .hasher
            .hash(password)
            .await
            .map_err(hash_failed)?;
        Ok(kept.text().to_owned())
    }

    fn policy(&self, person: &Person) -> Policy {
        let estate = self.estate();
        let mut words = estate.identity.password_words.clone();
        let email = person
            .email
            .as_deref()
            .and_then(|e| e.split_once('@'))
            .map(|(local, _)| local);
        for text in [
            &*estate.name,
            &*estate.domain,
            &*person.login,
            &*person.name,
        ]
        .into_iter()
        .chain(email)
        {
            words.push(text.to_owned());
            words.extend(
                text.split(|c: char| !c.is_alphanumeric())
                    .map(str::to_owned),
            );
        }
        Policy {
            chars_min: self.password_length_min(),
            words,
        }
    }

    fn password_length_min(&self) -> u32 {
        self.estate()
            .identity
            .password_length_min
            .max(PASSWORD_CHARS_MIN)
    }
}

/// A password as it is compared.
pub(crate) fn typed(password: &Secret<String>) -> Result<Secret<String>, Error> {
    if password.expose().len() > PASSWORD_BYTES_TYPED_MAX {
        return Err(Error::Password(crate::password::Weakness::Long));
    }
    Ok(Secret::new(normalise(password.expose())))
}

pub(crate) fn hash_failed(error: HashError) -> Error {
    match error {
        HashError::Busy => Error::Busy,
        HashError::Damaged => Error::Damaged("password"),
        HashError::Failed => Error::Internal("hash a password"),
    }
}
