//! The first administrator, and the one for the day nobody can sign in: links, never passwords.

use ::model::snapshot::IdentityChange;
use ::model::{Context, PrincipalKind, Severity, own};

use super::forms::login_form;
use super::require;
use crate::change::Change;
use crate::store::people;
use crate::{BindingKind, EnrolmentPurpose, Error, Identity, Invitation, Person, PersonState};

impl Identity {
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
            .link(ctx, &mut change, person, EnrolmentPurpose::First)
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
}

/// Rampart itself and the machine's administrator, over the local socket; nobody from outside.
pub(super) fn require_local(ctx: &Context) -> Result<(), Error> {
    require(ctx, own::PEOPLE_WRITE)?;
    match ctx.principal.kind {
        PrincipalKind::Local | PrincipalKind::System => Ok(()),
        _ => Err(Error::NotLocal),
    }
}
