//! Signing in: password, then a code; and the fresh proof that changes of credentials ask for.
//!
//! An attempt is counted before it is looked at and given back when it was right, so that a
//! hundred at once are a hundred. Unknown, disabled and wrong look and last the same.

use std::time::Duration;

use ::model::{Context, Event, Method, PersonId, Secret, Timestamp};

use super::enrol::{hash_failed, typed};
use super::forms::login_form;
use super::person;
use crate::change::Change;
use crate::password::Kept;
use crate::store::credentials::{self, Kind, State};
use crate::store::{links, people, sessions};
use crate::throttle::{self, Bucket};
use crate::{Error, Identity, Person, PersonState, Session, recovery, secret_text, totp};

/// How long a code may take after the password.
const PENDING: Duration = Duration::from_secs(5 * 60);
/// Wrong codes of one sign-in (ASVS 5.0 V6.6.3); a bucket of the person's limits them over all.
const CODE_TRIES_MAX: i64 = 5;
/// LIMIT: characters kept of what a browser says it is.
const DEVICE_CHARS_MAX: usize = 200;

/// What the browser said it is, cut to a line.
#[derive(Clone, Debug, Default)]
pub struct Device(pub(crate) String);

impl Device {
    /// From the `User-Agent` header.
    #[must_use]
    pub fn new(user_agent: &str) -> Self {
        let visible = user_agent.chars().filter(|c| !c.is_control());
        Self(visible.take(DEVICE_CHARS_MAX).collect())
    }
}

/// The password was right; a second proof is asked for.
#[derive(Clone, Debug)]
pub struct PendingSignIn {
    /// Names this sign-in; for the browser that began it only.
    pub token: Secret<String>,
    /// Until when the second proof may be given.
    pub expires_at: Timestamp,
}

/// A second proof.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A code of the authenticator app.
    Code(Secret<String>),
    /// A recovery code.
    Recovery(Secret<String>),
}

/// A session has begun, or begun anew.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The value of the session cookie on the console's origin.
    pub cookie: Secret<String>,
    /// The session.
    pub session: Session,
    /// Whose.
    pub person: Person,
}

impl Identity {
    /// First step: login and password.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`], whatever was wrong; [`Error::TooMany`]; [`Error::Busy`].
    pub async fn sign_in(
        &self,
        ctx: &Context,
        login: &str,
        password: Secret<String>,
    ) -> Result<PendingSignIn, Error> {
        // SECURITY: a login that cannot be is worked on like one that is not there.
        let login = login_form(login).unwrap_or_default();
        let buckets = throttle::buckets(&login, ctx.source);
        self.count_attempt(ctx, &buckets).await?;
        let store = &self.inner().store;
        let found = people::find_by_login(store, &login).await?;
        let found = found.filter(|person| person.state == PersonState::Active);
        let kept = match &found {
            Some(person) => {
                credentials::find(store, person.id, Kind::Password, State::Active).await?
            }
            None => None,
        };
        let kept = kept.and_then(|c| String::from_utf8(c.secret.expose().clone()).ok());
        let password = typed(&password).unwrap_or_default();
        let right = self
            .inner()
            .hasher
            .matches(password, kept.map(Kept::from_text))
            .await;
        let right = match right {
            Ok(right) => right,
            Err(error) => {
                // It was not looked at: it does not count.
                self.give_back(&buckets, Forget::Nothing).await?;
                return Err(hash_failed(error));
            }
        };
        let Some(person) = found.filter(|_| right) else {
            self.record_refusal(ctx, &buckets, "a login or password was wrong")
                .await?;
            return Err(Error::WrongCredentials);
        };
        self.begin_second(ctx, &person, &buckets).await
    }

    async fn begin_second(
        &self,
        ctx: &Context,
        person: &Person,
        buckets: &[Bucket],
    ) -> Result<PendingSignIn, Error> {
        let token = secret_text::fresh(&*self.inner().entropy);
        let expires_at = self.now().after(PENDING);
        let mut change = Change::begin(self).await?;
        let person = Self::active_person(&mut change.tx, person.id)
            .await
            .map_err(|_| Error::WrongCredentials)?;
        give_back_in(&mut change, buckets, Forget::Own, self.now()).await?;
        let digest = secret_text::digest_of(token.expose());
        links::put_sign_in(&mut change.tx, digest, person.id, expires_at).await?;
        let event = self.sign_in_event("identity.sign_in.begun", ctx, &person);
        change.record(event.message(format!("`{}` gave their password", person.login)));
        change.commit(self).await?;
        Ok(PendingSignIn { token, expires_at })
    }

    /// Second step: a code or a recovery code.
    ///
    /// # Errors
    /// [`Error::Spent`] when the sign-in has to begin anew, [`Error::WrongCredentials`],
    /// [`Error::TooMany`].
    pub async fn sign_in_confirm(
        &self,
        ctx: &Context,
        token: &str,
        proof: &Proof,
        device: &Device,
    ) -> Result<SignedIn, Error> {
        let digest = secret_text::digest_of(token);
        let mut change = Change::begin(self).await?;
        let pending = links::sign_in(&mut change.tx, digest, self.now()).await?;
        let (id, tries) = pending.ok_or(Error::Spent)?;
        if tries >= CODE_TRIES_MAX {
            return Err(Error::Spent);
        }
        let person = Self::active_person(&mut change.tx, id)
            .await
            .map_err(|_| Error::Spent)?;
        let Some(method) = self.prove(&mut change, id, proof).await? else {
            links::count_try(&mut change.tx, digest).await?;
            return Err(self.refuse_code(ctx, change, &person).await?);
        };
        if !links::end_sign_in(&mut change.tx, digest).await? {
            return Err(Error::Spent);
        }
        self.note_recovery(ctx, &mut change, &person, method)
            .await?;
        let methods = vec![Method::Pwd, method];
        let signed_in = self
            .start_session(ctx, &mut change, &person, methods, device)
            .await?;
        change.commit(self).await?;
        Ok(signed_in)
    }

    /// A fresh proof within a session: its secret is replaced.
    ///
    /// # Errors
    /// [`Error::NotAPerson`], [`Error::WrongCredentials`], [`Error::TooMany`].
    pub async fn step_up(&self, ctx: &Context, proof: &Proof) -> Result<SignedIn, Error> {
        let id = person(ctx)?;
        let session = ctx.authentication.as_ref().and_then(|a| a.session);
        let session = session.ok_or(Error::NotAPerson)?;
        let mut change = Change::begin(self).await?;
        let person = Self::active_person(&mut change.tx, id).await?;
        let found = sessions::find(&mut change.tx, session).await?;
        let own = found.filter(|s| s.session.person == id && s.session.host.is_none());
        let mut stored = own.ok_or(Error::NotFound("session"))?;
        let Some(method) = self.prove(&mut change, id, proof).await? else {
            return Err(self.refuse_code(ctx, change, &person).await?);
        };
        self.note_recovery(ctx, &mut change, &person, method)
            .await?;
        let cookie = secret_text::fresh(&*self.inner().entropy);
        let now = self.now();
        stored.digest = secret_text::digest_of(cookie.expose());
        stored.session.authenticated_at = now;
        stored.session.seen_at = now;
        if !stored.session.methods.contains(&method) {
            stored.session.methods.push(method);
        }
        let idle = now.after(self.estate().identity.session_idle);
        stored.session.idle_at = idle.min(stored.session.absolute_at);
        sessions::renew(&mut change.tx, &stored).await?;
        change.tell_console(crate::view::ViewChange::Console(stored.grant()));
        let event = self.sign_in_event("identity.session.stepped_up", ctx, &person);
        change.record(event.message(format!("`{}` gave a fresh proof", person.login)));
        change.commit(self).await?;
        Ok(SignedIn {
            cookie,
            session: stored.session,
            person,
        })
    }

    /// Whether the proof is right: which method it is. A code or a recovery code is used up with
    /// the change.
    async fn prove(
        &self,
        change: &mut Change,
        id: PersonId,
        proof: &Proof,
    ) -> Result<Option<Method>, Error> {
        let bucket = throttle::codes(&id.to_string());
        let (failures, not_before) = credentials::attempts_in(&mut change.tx, &bucket.name).await?;
        let now = self.now();
        if not_before > now {
            return Err(Error::TooMany {
                retry_after: not_before.since(now),
            });
        }
        let store = &self.inner().store;
        let method = match proof {
            Proof::Recovery(code) => {
                let digest = recovery::digest(code.expose());
                credentials::use_recovery(&mut change.tx, id, digest)
                    .await?
                    .then_some(Method::Recovery)
            }
            Proof::Code(code) => {
                let found =
                    credentials::find_in(&mut change.tx, store, id, Kind::Totp, State::Active);
                let found = found.await?.ok_or(Error::WrongCredentials)?;
                let code = code.expose().trim();
                match totp::accept(found.secret.expose(), code, now, found.last_step) {
                    Some(step) => credentials::use_step(&mut change.tx, found.id, step)
                        .await?
                        .then_some(Method::Otp),
                    None => None,
                }
            }
        };
        if method.is_some() {
            credentials::forget_attempts(&mut change.tx, &bucket.name).await?;
        } else {
            let failures = failures.saturating_add(1);
            let wait = now.after(throttle::delay(&bucket, failures));
            credentials::set_attempts(&mut change.tx, &bucket.name, failures, wait, now).await?;
        }
        Ok(method)
    }

    /// Keeps the count of a wrong code, and records it.
    async fn refuse_code(
        &self,
        ctx: &Context,
        mut change: Change,
        person: &Person,
    ) -> Result<Error, Error> {
        let event = self
            .refused_event(ctx, "a code was wrong")
            .target("person", &person.id);
        for event in self.bounded(ctx, &person.id.to_string(), event) {
            change.record(event);
        }
        change.commit(self).await?;
        Ok(Error::WrongCredentials)
    }

    async fn note_recovery(
        &self,
        ctx: &Context,
        change: &mut Change,
        person: &Person,
        method: Method,
    ) -> Result<(), Error> {
        if method == Method::Recovery {
            let left = credentials::recovery_left_in(&mut change.tx, person.id).await?;
            let event = self.sign_in_event("identity.recovery_code.used", ctx, person);
            let message = format!("`{}` used a recovery code; {left} are left", person.login);
            change.record(event.severity(::model::Severity::Medium).message(message));
        }
        Ok(())
    }

    /// Counts an attempt in every bucket, unless one says to wait.
    async fn count_attempt(&self, ctx: &Context, buckets: &[Bucket]) -> Result<(), Error> {
        let now = self.now();
        let mut change = Change::begin(self).await?;
        let mut wait = now;
        let mut counts = Vec::with_capacity(buckets.len());
        for bucket in buckets {
            let (failures, not_before) =
                credentials::attempts_in(&mut change.tx, &bucket.name).await?;
            wait = wait.max(not_before);
            counts.push(failures.saturating_add(1));
        }
        if wait > now {
            drop(change);
            self.record_refusal(ctx, buckets, "too many attempts; not looked at")
                .await?;
            return Err(Error::TooMany {
                retry_after: wait.since(now),
            });
        }
        for (bucket, failures) in buckets.iter().zip(counts) {
            let not_before = now.after(throttle::delay(bucket, failures));
            credentials::set_attempts(&mut change.tx, &bucket.name, failures, not_before, now)
                .await?;
        }
        change.commit(self).await
    }

    async fn give_back(&self, buckets: &[Bucket], forget: Forget) -> Result<(), Error> {
        let mut change = Change::begin(self).await?;
        give_back_in(&mut change, buckets, forget, self.now()).await?;
        change.commit(self).await
    }

    async fn record_refusal(
        &self,
        ctx: &Context,
        buckets: &[Bucket],
        what: &'static str,
    ) -> Result<(), Error> {
        let account = buckets
            .first()
            .map(|bucket| bucket.name.clone())
            .unwrap_or_default();
        let event = self
            .refused_event(ctx, what)
            .with("account", account.as_str());
        let events = self.bounded(ctx, &account, event);
        if !events.is_empty() {
            self.inner().trail.append(events).await?;
        }
        Ok(())
    }

    fn bounded(&self, ctx: &Context, account: &str, event: Event) -> Vec<Event> {
        let inner = self.inner();
        let source = ctx
            .source
            .map(|address| address.to_string())
            .unwrap_or_default();
        let key = format!("{source} {account}");
        inner
            .failures
            .note(&key, event, &*inner.clock, &*inner.entropy)
    }
}

/// What a right password clears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forget {
    /// Only this attempt.
    Nothing,
    /// The failures of the account; an address keeps those of its other accounts.
    Own,
}

async fn give_back_in(
    change: &mut Change,
    buckets: &[Bucket],
    forget: Forget,
    now: Timestamp,
) -> Result<(), Error> {
    for bucket in buckets {
        if forget == Forget::Own && bucket.is_of_account() {
            credentials::forget_attempts(&mut change.tx, &bucket.name).await?;
            continue;
        }
        let (failures, _) = credentials::attempts_in(&mut change.tx, &bucket.name).await?;
        let failures = failures.saturating_sub(1);
        let not_before = now.after(throttle::delay(bucket, failures));
        credentials::set_attempts(&mut change.tx, &bucket.name, failures, not_before, now).await?;
    }
    Ok(())
}
