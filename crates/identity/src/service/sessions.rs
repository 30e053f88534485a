//! Sessions: begun, used, listed, ended; and carried over to protected origins by one-time codes.

use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::Duration;

use ::model::snapshot::{IdentityChange, SessionGrant};
use ::model::{
    Authentication, Context, Method, PersonId, Principal, PrincipalKind, RequestId, Secret,
    SessionId, Timestamp, own,
};

use super::sign_in::{Device, SignedIn};
use super::{own_id, person, require};
use crate::change::Change;
use crate::events::actor;
use crate::store::sessions::Stored;
use crate::store::{links, people, sessions};
use crate::view::ViewChange;
use crate::{Error, Identity, Person, Session, secret_text};

/// LIMIT: live sessions of one person; the oldest makes room.
const SESSIONS_MAX: usize = 100;
/// How long a code for another origin works.
const ORIGIN_CODE: Duration = Duration::from_secs(60);
/// A use is noted when the last one noted is this old.
const NOTE_AFTER: Duration = Duration::from_secs(60);
/// LIMIT: uses waiting to be written.
pub(crate) const SEEN_MAX: usize = 50_000;

impl Identity {
    /// Who a session cookie of the console's origin says it is; `None` when it is not good.
    ///
    /// # Errors
    /// None today: the answer comes from memory.
    pub async fn authenticate_session(
        &self,
        cookie: &str,
        request_id: RequestId,
        source: Option<IpAddr>,
    ) -> Result<Option<Context>, Error> {
        let now = self.now();
        let view = &self.inner().view;
        let grant = view.console_session(&secret_text::digest_of(cookie));
        let Some(grant) = grant.filter(|g| g.idle_at > now && g.absolute_at > now) else {
            return Ok(None);
        };
        let Some(subject) = view.subject(grant.person) else {
            return Ok(None);
        };
        self.note_session(&grant, now);
        Ok(Some(Context {
            principal: Principal::new(
                PrincipalKind::Person,
                subject.id.to_string(),
                subject.name.clone(),
            ),
            permissions: self.permissions_of(&subject),
            request_id,
            source,
            authentication: Some(Authentication {
                at: grant.authenticated_at,
                methods: grant.methods,
                session: Some(grant.id),
            }),
        }))
    }

    /// Notes uses the gateway saw; written together, later.
    ///
    /// # Errors
    /// None today.
    pub async fn sessions_seen(&self, seen: Vec<(SessionId, Timestamp)>) -> Result<(), Error> {
        let now = self.now();
        for (id, at) in seen.into_iter().take(SEEN_MAX) {
            if let Some(grant) = self.inner().view.session(id) {
                // A clock of another machine may be ahead; the session must not gain by it.
                self.note_session(&grant, at.min(now));
            }
        }
        Ok(())
    }

    fn note_session(&self, grant: &SessionGrant, at: Timestamp) {
        let idle = at
            .after(self.estate().identity.session_idle)
            .min(grant.absolute_at);
        if idle <= grant.idle_at.after(NOTE_AFTER) && idle != grant.absolute_at {
            return;
        }
        if idle <= grant.idle_at {
            return;
        }
        let inner = self.inner();
        if let Some(change) = inner.view.extend(grant.id, idle) {
            inner.view.apply([change]);
        }
        let mut seen = inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.sessions.len() < SEEN_MAX || seen.sessions.contains_key(&grant.id) {
            seen.sessions.insert(grant.id, at);
        }
    }

    pub(crate) async fn start_session(
        &self,
        ctx: &Context,
        change: &mut Change,
        person: &Person,
        methods: Vec<Method>,
        device: &Device,
    ) -> Result<SignedIn, Error> {
        let now = self.now();
        let settings = self.estate().identity.clone();
        let absolute_at = now.after(settings.session_absolute);
        let session = Session {
            id: SessionId::new(&*self.inner().clock, &*self.inner().entropy),
            person: person.id,
            host: None,
            created_at: now,
            seen_at: now,
            authenticated_at: now,
            methods,
            idle_at: now.after(settings.session_idle).min(absolute_at),
            absolute_at,
            address: ctx.source,
            device: device.0.clone(),
        };
        let (cookie, stored) = self.put_session(change, session, None).await?;
        let event = self.sign_in_event("identity.session.started", ctx, person);
        let methods = serde_json::to_value(&stored.session.methods).unwrap_or_default();
        change.record(
            event
                .with("session", stored.session.id.to_string())
                .with("methods", methods)
                .message(format!("`{}` signed in", person.login)),
        );
        change.tell_console(ViewChange::Console(stored.grant()));
        Ok(SignedIn {
            cookie,
            session: stored.session,
            person: person.clone(),
        })
    }

    async fn put_session(
        &self,
        change: &mut Change,
        session: Session,
        parent: Option<SessionId>,
    ) -> Result<(Secret<String>, Stored), Error> {
        let cookie = secret_text::fresh(&*self.inner().entropy);
        let stored = Stored {
            digest: secret_text::digest_of(cookie.expose()),
            session,
        };
        for id in sessions::oldest(&mut change.tx, stored.session.person, SESSIONS_MAX).await? {
            for ended in sessions::remove(&mut change.tx, id).await? {
                change.tell(IdentityChange::SessionGone(ended));
            }
        }
        sessions::insert(&mut change.tx, &stored, parent).await?;
        Ok((cookie, stored))
    }

    /// Ends the caller's own session and those of protected origins that came out of it.
    ///
    /// # Errors
    /// [`Error::NotAPerson`].
    pub async fn sign_out(&self, ctx: &Context) -> Result<(), Error> {
        let id = person(ctx)?;
        let session = ctx.authentication.as_ref().and_then(|a| a.session);
        self.end_session(
            ctx,
            session.ok_or(Error::NotAPerson)?,
            id,
            "identity.session.ended",
        )
        .await
    }

    /// Ends the session somebody has on a protected host, as its gateway asks in their name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `host` has no such session.
    pub async fn sign_out_of(
        &self,
        id: SessionId,
        host: &str,
        request_id: RequestId,
        source: Option<IpAddr>,
    ) -> Result<(), Error> {
        let grant = self.inner().view.session(id);
        let grant = grant.filter(|grant| grant.host == host);
        let grant = grant.ok_or(Error::NotFound("session"))?;
        let person = people::find(&self.inner().store, grant.person).await?;
        let mut ctx = Context::anonymous(request_id, source);
        ctx.principal = actor(&person.ok_or(Error::NotFound("person"))?);
        self.end_session(&ctx, id, grant.person, "identity.session.ended")
            .await
    }

    /// The live sessions of oneself, or with the permission of anybody, newest first.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn sessions(&self, ctx: &Context, of: PersonId) -> Result<Vec<Session>, Error> {
        if own_id(ctx) != Some(of) {
            require(ctx, own::PEOPLE_READ)?;
        }
        let all = sessions::of_person(&self.inner().store, of, self.now()).await?;
        Ok(all.into_iter().map(|stored| stored.session).collect())
    }

    /// Everybody's live sessions, oldest first.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn all_sessions(&self, ctx: &Context) -> Result<Vec<Session>, Error> {
        require(ctx, own::PEOPLE_READ)?;
        let all = sessions::live(&self.inner().store, self.now()).await?;
        Ok(all.into_iter().map(|stored| stored.session).collect())
    }

    /// Ends one session: one's own, or with the permission anybody's.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::NotFound`].
    pub async fn revoke_session(&self, ctx: &Context, id: SessionId) -> Result<(), Error> {
        let grant = self
            .inner()
            .view
            .session(id)
            .ok_or(Error::NotFound("session"))?;
        if own_id(ctx) != Some(grant.person) {
            // Who may not see others' sessions does not learn which exist.
            require(ctx, own::PEOPLE_WRITE)?;
        }
        self.end_session(ctx, id, grant.person, "identity.session.revoked")
            .await
    }

    /// Ends every session of somebody but the caller's own present one; returns how many.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn revoke_sessions(&self, ctx: &Context, of: PersonId) -> Result<usize, Error> {
        if own_id(ctx) != Some(of) {
            require(ctx, own::PEOPLE_WRITE)?;
        }
        let mut change = Change::begin(self).await?;
        let ended = self.end_others(ctx, &mut change, of).await?;
        if ended > 0 {
            let event = self.account_event("identity.sessions.revoked", ctx, of);
            change.record(event.message(format!("ended {ended} sessions")));
            change.commit(self).await?;
        }
        Ok(ended)
    }

    pub(crate) async fn end_others(
        &self,
        ctx: &Context,
        change: &mut Change,
        of: PersonId,
    ) -> Result<usize, Error> {
        let present = ctx.authentication.as_ref().and_then(|a| a.session);
        let mut ended = 0;
        for id in sessions::ids_of_person(&mut change.tx, of).await? {
            if Some(id) == present {
                continue;
            }
            for gone in sessions::remove(&mut change.tx, id).await? {
                change.tell(IdentityChange::SessionGone(gone));
                ended += 1;
            }
        }
        Ok(ended)
    }

    async fn end_session(
        &self,
        ctx: &Context,
        id: SessionId,
        of: PersonId,
        kind: &'static str,
    ) -> Result<(), Error> {
        let mut change = Change::begin(self).await?;
        let ended = sessions::remove(&mut change.tx, id).await?;
        if ended.is_empty() {
            return Err(Error::NotFound("session"));
        }
        let event = self
            .account_event(kind, ctx, of)
            .with("session", id.to_string());
        change.record(event.message(format!("ended {} sessions", ended.len())));
        for id in ended {
            change.tell(IdentityChange::SessionGone(id));
        }
        change.commit(self).await
    }

    /// A one-time code with which the gateway gets a session of its own for `host`, out of the
    /// caller's. For that host only, for a minute.
    ///
    /// # Errors
    /// [`Error::NotAPerson`]; [`Error::NotFound`] when no route serves the host.
    pub async fn origin_code(&self, ctx: &Context, host: &str) -> Result<Secret<String>, Error> {
        person(ctx)?;
        let session = ctx.authentication.as_ref().and_then(|a| a.session);
        let session = session.ok_or(Error::NotAPerson)?;
        let host = host.to_ascii_lowercase();
        let estate = self.estate();
        let serves = |route: &::estate::Route| route.host.as_ref().is_none_or(|h| *h == host);
        // SECURITY: never for the console's own origin, and never for a host we do not serve.
        if host == estate.console.host || !is_host(&host) || !estate.routes.iter().any(serves) {
            return Err(Error::NotFound("host"));
        }
        let code = secret_text::fresh(&*self.inner().entropy);
        let mut change = Change::begin(self).await?;
        let digest = secret_text::digest_of(code.expose());
        let until = self.now().after(ORIGIN_CODE);
        links::put_origin_code(&mut change.tx, digest, session, &host, until).await?;
        change.commit(self).await?;
        Ok(code)
    }

    /// Turns a code into a session for `host`. A code that is shown twice, or for another host, is
    /// used up and gives nothing.
    ///
    /// # Errors
    /// [`Error::Spent`].
    pub async fn exchange(
        &self,
        code: &str,
        host: &str,
        request_id: RequestId,
        source: Option<IpAddr>,
    ) -> Result<(Secret<String>, SessionGrant), Error> {
        let now = self.now();
        let host = host.to_ascii_lowercase();
        let mut change = Change::begin(self).await?;
        let digest = secret_text::digest_of(code);
        let parent = links::use_origin_code(&mut change.tx, digest, &host, now).await?;
        let Some(parent) = parent else {
            // The code stays used up.
            change.commit(self).await?;
            return Err(Error::Spent);
        };
        let parent = sessions::find(&mut change.tx, parent)
            .await?
            .ok_or(Error::Spent)?
            .session;
        // The view knows of uses that are not written yet.
        let live = self.inner().view.session(parent.id);
        live.filter(|g| g.idle_at > now && g.absolute_at > now)
            .ok_or(Error::Spent)?;
        let person = Self::active_person(&mut change.tx, parent.person).await;
        let person = person.map_err(|_| Error::Spent)?;
        let idle_at = now
            .after(self.estate().identity.session_idle)
            .min(parent.absolute_at);
        let id = SessionId::new(&*self.inner().clock, &*self.inner().entropy);
        let session = Session {
            id,
            host: Some(host.clone()),
            created_at: now,
            seen_at: now,
            idle_at,
            address: source,
            ..parent.clone()
        };
        let (cookie, stored) = self
            .put_session(&mut change, session, Some(parent.id))
            .await?;
        let ctx = Context::anonymous(request_id, source);
        let event = self.sign_in_event("identity.session.carried_over", &ctx, &person);
        let event = event
            .with("session", id.to_string())
            .with("host", host.as_str());
        change.record(event.message(format!("`{}` went on to `{host}`", person.login)));
        change.tell(IdentityChange::Session(stored.grant()));
        change.commit(self).await?;
        Ok((cookie, stored.grant()))
    }

    /// Writes the uses that wait.
    pub(crate) async fn write_seen(&self) -> Result<(), Error> {
        let inner = self.inner();
        let seen = std::mem::take(&mut *inner.seen.lock().unwrap_or_else(PoisonError::into_inner));
        if seen.sessions.is_empty() && seen.keys.is_empty() {
            return Ok(());
        }
        let idle = self.estate().identity.session_idle;
        let mut change = Change::begin(self).await?;
        for (id, at) in seen.sessions {
            sessions::seen(&mut change.tx, id, at, at.after(idle)).await?;
        }
        for (id, at) in seen.keys {
            crate::store::keys::seen(&mut change.tx, id, at).await?;
        }
        change.commit(self).await
    }

    /// Takes away sessions that have ended by themselves.
    pub(crate) async fn end_expired(&self, limit: u32) -> Result<(), Error> {
        let mut change = Change::begin(self).await?;
        let gone = sessions::sweep(&mut change.tx, self.now(), limit).await?;
        for id in gone {
            change.tell(IdentityChange::SessionGone(id));
        }
        change.commit(self).await
    }

    /// The person who signs in with `login`.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Invalid`], [`Error::NotFound`].
    pub async fn person_by_login(&self, ctx: &Context, login: &str) -> Result<Person, Error> {
        require(ctx, own::PEOPLE_READ)?;
        let login = super::forms::login_form(login)?;
        let found = people::find_by_login(&self.inner().store, &login).await?;
        found.ok_or(Error::NotFound("person"))
    }
}

/// A host name or an address, without a port.
fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}
