//! People: invited, seen, disabled, enabled, given new credentials.

use ::model::snapshot::IdentityChange;
use ::model::{
    BindingId, Context, EnrolmentId, PersonId, PrincipalKind, Secret, Severity, Timestamp, own,
};
use unicode_normalization::UnicodeNormalization as _;

use super::{own_id, require};
use crate::change::Change;
use crate::store::{credentials, keys, links, people, sessions};
use crate::{
    Binding, BindingKind, Enrolment, EnrolmentPurpose, Error, Identity, Person, PersonState,
    secret_text,
};

/// LIMIT: people of one estate; every list of them is bounded by this.
const PEOPLE_MAX: u32 = 20_000;
/// LIMIT: characters of a login and of a name.
const LOGIN_CHARS_MAX: usize = 64;
const NAME_CHARS_MAX: usize = 100;
/// LIMIT: bytes of an e-mail address (RFC 5321 §4.5.3.1.3, without the brackets).
const EMAIL_BYTES_MAX: usize = 254;

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
            .link(&mut change, person, EnrolmentPurpose::First)
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
        self.require_covers(ctx, &self.roles_of(id, &bindings))?;
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
        self.require_covers(ctx, &self.roles_of(id, &bindings))?;
        let invitation = self.reissue_in(ctx, &mut change, person).await?;
        change.commit(self).await?;
        Ok(invitation)
    }

    async fn reissue_in(
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
        self.link(change, person, purpose).await
    }

    /// When nobody active can administer, a link for somebody who will: given at every start until
    /// it is used, each in place of the one before. There is no default password anywhere.
    ///
    /// # Errors
    /// [`Error::Denied`] unless Rampart itself or the local administrator asks.
    pub async fn ensure_first_administrator(
        &self,
        ctx: &Context,
    ) -> Result<Option<Invitation>, Error> {
        require_local(ctx)?;
        let mut change = Change::begin(self).await?;
        if !self.administrators(&mut change).await?.is_empty() {
            return Ok(None);
        }
        self.administrator_link(ctx, change, "identity.administrator.offered")
            .await
            .map(Some)
    }

    /// A one-time administrator for whoever is root on this machine, whatever the state: with a
    /// login, that person gets a link for new credentials and the role; without one, a new person.
    ///
    /// # Errors
    /// [`Error::Denied`] unless the local administrator asks; [`Error::NotFound`].
    pub async fn rescue_administrator(
        &self,
        ctx: &Context,
        login: Option<&str>,
    ) -> Result<Invitation, Error> {
        require_local(ctx)?;
        let mut change = Change::begin(self).await?;
        let Some(login) = login else {
            return self
                .administrator_link(ctx, change, "identity.administrator.rescued")
                .await;
        };
        let login = login_form(login)?;
        let all = people::list_in(&mut change.tx).await?;
        let found = all.into_iter().find(|person| person.login == login);
        let mut person = found.ok_or(Error::NotFound("person"))?;
        if person.state == PersonState::Disabled {
            // Nothing of theirs works until the link is used.
            person.state = PersonState::Invited;
            people::set_state(&mut change.tx, person.id, person.state).await?;
        }
        self.make_administrator(ctx, &mut change, &person).await?;
        let event = self.account_event("identity.administrator.rescued", ctx, person.id);
        change.record(
            event
                .severity(Severity::High)
                .message("a local user took administration"),
        );
        let invitation = self.reissue_in(ctx, &mut change, person).await?;
        change.commit(self).await?;
        Ok(invitation)
    }

    async fn administrator_link(
        &self,
        ctx: &Context,
        mut change: Change,
        kind: &'static str,
    ) -> Result<Invitation, Error> {
        let all = people::list_in(&mut change.tx).await?;
        let bindings = people::bindings_in(&mut change.tx).await?;
        let waiting = all.iter().find(|person| {
            let roles = self.roles_of(person.id, &bindings);
            person.state == PersonState::Invited && roles.iter().any(|r| r == own::ADMINISTRATOR)
        });
        let person = match waiting {
            Some(person) => person.clone(),
            None => {
                let taken = |login: &str| all.iter().any(|person| person.login == login);
                let numbered = (2..).map(|n: u32| format!("administrator-{n}"));
                let mut logins = std::iter::once("administrator".to_owned()).chain(numbered);
                let login = logins.find(|login| !taken(login)).unwrap_or_default();
                let person = self.new_person(&login, "Administrator", None)?;
                people::insert(&mut change.tx, &person).await?;
                self.make_administrator(ctx, &mut change, &person).await?;
                person
            }
        };
        let event = self
            .account_event(kind, ctx, person.id)
            .severity(Severity::High);
        change.record(event.message(format!("offered administration to `{}`", person.login)));
        let invitation = self
            .link(&mut change, person, EnrolmentPurpose::First)
            .await?;
        change.commit(self).await?;
        Ok(invitation)
    }

    async fn make_administrator(
        &self,
        ctx: &Context,
        change: &mut Change,
        person: &Person,
    ) -> Result<(), Error> {
        let (kind, name) = (BindingKind::Role, own::ADMINISTRATOR.to_owned());
        let held = people::bindings_of(&mut change.tx, person.id).await?;
        if let Some(old) = held.iter().find(|b| b.kind == kind && b.name == name) {
            if old.expires_at.is_none() {
                return Ok(());
            }
            people::unbind(&mut change.tx, old.id).await?;
        }
        let binding = self.binding(ctx, person.id, kind, name, None);
        people::bind(&mut change.tx, &binding).await?;
        change.record(self.granted_event(ctx, &binding, person));
        if person.state == PersonState::Active {
            let bindings = people::bindings_of(&mut change.tx, person.id).await?;
            change.tell(IdentityChange::Subject(self.subject(person, &bindings)));
        }
        Ok(())
    }

    async fn link(
        &self,
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
        };
        let digest = secret_text::digest_of(token.expose());
        links::put_enrolment(&mut change.tx, digest, &enrolment, now).await?;
        Ok(Invitation {
            person,
            token,
            expires_at,
        })
    }

    fn new_person(&self, login: &str, name: &str, email: Option<&str>) -> Result<Person, Error> {
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

/// Rampart itself and the machine's administrator, over the local socket; nobody from outside.
fn require_local(ctx: &Context) -> Result<(), Error> {
    require(ctx, own::PEOPLE_WRITE)?;
    match ctx.principal.kind {
        PrincipalKind::Local | PrincipalKind::System => Ok(()),
        _ => Err(Error::NotLocal),
    }
}

/// The form logins are compared in: NFC, lower case.
pub(crate) fn login_form(text: &str) -> Result<String, Error> {
    let login: String = text
        .trim()
        .nfc()
        .collect::<String>()
        .to_lowercase()
        .nfc()
        .collect();
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
    if login.is_empty() || login.chars().count() > LOGIN_CHARS_MAX || !login.chars().all(allowed) {
        let problem =
            format!("must be 1 to {LOGIN_CHARS_MAX} letters, digits, `.`, `_`, `-`, `@` or `+`");
        return Err(Error::invalid("login", problem));
    }
    Ok(login)
}

/// A line for people: bounded, and without characters that would disturb a page or a log.
pub(crate) fn name_form(text: &str) -> Result<String, Error> {
    let name: String = text.trim().nfc().collect();
    // Bidirectional overrides and invisible marks can make one name look like another.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(hidden) {
        let problem = format!("must be 1 to {NAME_CHARS_MAX} visible characters");
        return Err(Error::invalid("name", problem));
    }
    Ok(name)
}

fn email_form(text: &str) -> Result<String, Error> {
    let email: String = text.trim().nfc().collect();
    let whole = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.contains('@')
    });
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '"' | ',');
    if !whole || email.len() > EMAIL_BYTES_MAX || email.chars().any(odd) {
        return Err(Error::invalid(
            "email",
            "must be an address such as `ada@shop.example`",
        ));
    }
    Ok(email)
}
