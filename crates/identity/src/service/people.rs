//! People: invited, seen, disabled, enabled, given new credentials.

use ::model::snapshot::IdentityChange;
use ::model::{
    BindingId, Context, EnrolmentId, PersonId, PrincipalKind, Secret, Severity, Timestamp, own,
};

use super::forms::{email_form, login_form, name_form};
use super::{own_id, require};
use crate::change::Change;
use crate::store::{credentials, keys, links, people, sessions};
use crate::{
    Binding, BindingKind, Enrolment, EnrolmentPurpose, Error, Identity, Person, PersonState,
    secret_text,
};

/// LIMIT: people of one estate; every list of them is bounded by this.
const PEOPLE_MAX: u32 = 20_000;
/// Somebody to invite.
#[derive(Clone, Debug, Default)]
pub struct NewPerson {
    /// What they will sign in with.
    pub login: String,
    /// What others call them.
    pub name: String,
    /// Where they are reached.
    pub email: Option<String>,
    /// Roles from the start.
    pub roles: Vec<String>,
    /// Groups from the start.
    pub groups: Vec<String>,
}

/// A person and their one-time link.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Who.
    pub person: Person,
    /// The token of the link; shown once, kept only as a hash.
    pub token: Secret<String>,
    /// Until when it works.
    pub expires_at: Timestamp,
}

impl Identity {
    /// Invites somebody: a person without credentials, and the link with which they set them.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::StepUp`], [`Error::Invalid`], [`Error::Taken`],
    /// [`Error::Exceeds`], [`Error::Limit`].
    pub async fn invite(&self, ctx: &Context, new: NewPerson) -> Result<Invitation, Error> {
        require(ctx, own::PEOPLE_WRITE)?;
        self.require_fresh(ctx)?;
        let person = self.new_person(&new.login, &new.name, new.email.as_deref())?;
        let mut bound = Vec::new();
        for (kind, names) in [
            (BindingKind::Role, new.roles),
            (BindingKind::Group, new.groups),
        ] {
            for name in names {
                self.require_grantable(ctx, kind, &name)?;
                bound.push(self.binding(ctx, person.id, kind, name, None));
            }
        }
        self.invite_person(ctx, person, bound).await
    }

    async fn invite_person(
        &self,
        ctx: &Context,
        person: Person,
        bound: Vec<Binding>,
    ) -> Result<Invitation, Error> {
        let mut change = Change::begin(self).await?;
        if people::count(&mut change.tx).await? >= u64::from(PEOPLE_MAX) {
            return Err(Error::Limit {
                what: "people",
                max: PEOPLE_MAX,
            });
        }
        people::insert(&mut change.tx, &person).await?;
        let event = self.account_event("identity.person.invited", ctx, person.id);
        change.record(event.message(format!("invited `{}`", person.login)));
        for binding in &bound {
            people::bind(&mut change.tx, binding).await?;
            change.record(self.granted_event(ctx, binding, &person));
        }
        let invitation = self
            .link(ctx, &mut change, person, EnrolmentPurpose::First)
            .await?;
        change.commit(self).await?;
        Ok(invitation)
    }

    /// Everybody, by login.
    ///
    /// # Errors
    /// [`Error::Denied`].
    pub async fn people(&self, ctx: &Context) -> Result<Vec<Person>, Error> {
        require(ctx, own::PEOPLE_READ)?;
        people::list(&self.inner().store).await
    }

    /// One person: oneself, or anybody with the permission.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::NotFound`].
    pub async fn person(&self, ctx: &Context, id: PersonId) -> Result<Person, Error> {
        if own_id(ctx) != Some(id) {
            require(ctx, own::PEOPLE_READ)?;
        }
        people::find(&self.inner().store, id)
            .await?
            .ok_or(Error::NotFound("person"))
    }

    /// Disables somebody: their sessions, links and API keys end for good, tokens are refused.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::StepUp`], [`Error::NotFound`], [`Error::LastAdministrator`].
    pub async fn disable(&self, ctx: &Context, id: PersonId) -> Result<(), Error> {
        require(ctx, own::PEOPLE_WRITE)?;
        self.require_fresh(ctx)?;
        let now = self.now();
        let mut change = Change::begin(self).await?;
        let person = people::lock(&mut change.tx, id)
            .await?
            .ok_or(Error::NotFound("person"))?;
        if person.state == PersonState::Disabled {
            return Ok(());
        }
        let had = self.administrators(&mut change).await?;
        people::set_state(&mut change.tx, id, PersonState::Disabled).await?;
        if !had.is_empty() {
            self.require_administrator_left(&mut change).await?;
        }
        let ended = sessions::remove_of_person(&mut change.tx, id).await?.len();
        links::remove_of_person(&mut change.tx, id).await?;
        let live = keys::live_of_person(&mut change.tx, id, now).await?;
        for stored in &live {
            keys::revoke(&mut change.tx, stored.key.id, now).await?;
        }
        let event = self.account_event("identity.person.disabled", ctx, id);
        let message = format!(
            "disabled `{}`; {ended} sessions and {} keys ended",
            person.login,
            live.len()
        );
        change.record(event.severity(Severity::Medium).message(message));
        change.tell(IdentityChange::SubjectGone(id));
        change.commit(self).await
    }

    /// Lets somebody sign in again, with the credentials they had.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::StepUp`], [`Error::NotFound`]; [`Error::Exceeds`] when they held
    /// more than the caller.
    pub async fn enable(&self, ctx: &Context, id: PersonId) -> Result<(), Error> {
        require(ctx, own::PEOPLE_WRITE)?;
        self.require_fresh(ctx)?;
        let mut change = Change::begin(self).await?;
        let person = people::lock(&mut change.tx, id)
            .await?
            .ok_or(Error::NotFound("person"))?;
        if person.state != PersonState::Disabled {
            return Ok(());
        }
        let bindings = people::bindings_of(&mut change.tx, id).await?;
        self.require_covers(&ctx.permissions, &self.roles_of(id, &bindings))?;
        let enrolled = credentials::has_password(&mut change.tx, id).await?;
        let state = if enrolled {
            PersonState::Active
        } else {
            PersonState::Invited
        };
        people::set_state(&mut change.tx, id, state).await?;
        let event = self.account_event("identity.person.enabled", ctx, id);
        change.record(event.message(format!("enabled `{}`", person.login)));
        if state == PersonState::Active {
            change.tell(IdentityChange::Subject(self.subject(&person, &bindings)));
        }
        change.commit(self).await
    }

    /// A new link for somebody who lost theirs, or their credentials. What they have works until
    /// the link is used; nobody else ever sets a password (NIST SP 800-63B-4 §4.2).
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::StepUp`], [`Error::NotFound`]; [`Error::Exceeds`] when they hold
    /// more than the caller, who could otherwise take their place.
    pub async fn reissue(&self, ctx: &Context, id: PersonId) -> Result<Invitation, Error> {
        require(ctx, own::PEOPLE_WRITE)?;
        self.require_fresh(ctx)?;
        let mut change = Change::begin(self).await?;
        let person = people::lock(&mut change.tx, id)
            .await?
            .ok_or(Error::NotFound("person"))?;
        let bindings = people::bindings_of(&mut change.tx, id).await?;
        self.require_covers(&ctx.permissions, &self.roles_of(id, &bindings))?;
        let invitation = self.reissue_in(ctx, &mut change, person).await?;
        change.commit(self).await?;
        Ok(invitation)
    }

    pub(crate) async fn reissue_in(
        &self,
        ctx: &Context,
        change: &mut Change,
        person: Person,
    ) -> Result<Invitation, Error> {
        let purpose = match person.state {
            PersonState::Invited => EnrolmentPurpose::First,
            PersonState::Active => EnrolmentPurpose::Replace,
            PersonState::Disabled => return Err(Error::NotFound("person")),
        };
        let event = self.account_event("identity.link.issued", ctx, person.id);
        let message = format!("issued a one-time link for `{}`", person.login);
        change.record(event.severity(Severity::Medium).message(message));
        self.link(ctx, change, person, purpose).await
    }

    pub(crate) async fn link(
        &self,
        ctx: &Context,
        change: &mut Change,
        person: Person,
        purpose: EnrolmentPurpose,
    ) -> Result<Invitation, Error> {
        let (clock, entropy) = (&*self.inner().clock, &*self.inner().entropy);
        let (now, token) = (self.now(), secret_text::fresh(entropy));
        let expires_at = now.after(self.estate().identity.enrolment);
        let id = EnrolmentId::new(clock, entropy);
        let enrolment = Enrolment {
            id,
            person: person.id,
            purpose,
            expires_at,
            ceiling: match ctx.principal.kind {
                PrincipalKind::Local | PrincipalKind::System => None,
                _ => Some(ctx.permissions.clone()),
            },
        };
        let digest = secret_text::digest_of(token.expose());
        links::put_enrolment(&mut change.tx, digest, &enrolment, now).await?;
        Ok(Invitation {
            person,
            token,
            expires_at,
        })
    }

    pub(crate) fn new_person(
        &self,
        login: &str,
        name: &str,
        email: Option<&str>,
    ) -> Result<Person, Error> {
        let (clock, entropy) = (&*self.inner().clock, &*self.inner().entropy);
        Ok(Person {
            id: PersonId::new(clock, entropy),
            login: login_form(login)?,
            name: name_form(name)?,
            email: email
                .filter(|text| !text.is_empty())
                .map(email_form)
                .transpose()?,
            state: PersonState::Invited,
            created_at: self.now(),
        })
    }

    pub(crate) fn binding(
        &self,
        ctx: &Context,
        person: PersonId,
        kind: BindingKind,
        name: String,
        expires_at: Option<Timestamp>,
    ) -> Binding {
        Binding {
            id: BindingId::new(&*self.inner().clock, &*self.inner().entropy),
            person,
            kind,
            name,
            granted_by: ctx.principal.id.to_string(),
            created_at: self.now(),
            expires_at,
        }
    }
}
