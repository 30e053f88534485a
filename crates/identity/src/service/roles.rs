//! Rights: roles and groups given to people and taken away.

use ::model::snapshot::IdentityChange;
use ::model::{BindingId, Context, Event, Permission, PermissionSet, PersonId, Timestamp, own};

use super::{own_id, require};
use crate::change::Change;
use crate::store::people;
use crate::{Binding, BindingKind, Error, Identity, Person, PersonState};

/// LIMIT: roles and groups of one person.
const BINDINGS_MAX: u32 = 100;

impl Identity {
    /// Gives a role or a group to somebody, until a moment if one is given.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::StepUp`], [`Error::Exceeds`], [`Error::NotFound`],
    /// [`Error::Taken`] when they have it already, [`Error::Invalid`], [`Error::Limit`].
    pub async fn grant(
        &self,
        ctx: &Context,
        to: PersonId,
        kind: BindingKind,
        name: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Binding, Error> {
        require(ctx, own::ROLES_GRANT)?;
        self.require_fresh(ctx)?;
        if expires_at.is_some_and(|end| end <= self.now()) {
            return Err(Error::invalid("expires_at", "must be in the future"));
        }
        self.require_grantable(ctx, kind, name)?;
        let mut change = Change::begin(self).await?;
        let person = people::lock(&mut change.tx, to)
            .await?
            .ok_or(Error::NotFound("person"))?;
        let held = people::bindings_of(&mut change.tx, to).await?;
        if held.len() >= usize::try_from(BINDINGS_MAX).unwrap_or(usize::MAX) {
            return Err(Error::Limit {
                what: "roles and groups of this person",
                max: BINDINGS_MAX,
            });
        }
        let binding = self.binding(ctx, to, kind, name.to_owned(), expires_at);
        people::bind(&mut change.tx, &binding).await?;
        change.record(self.granted_event(ctx, &binding, &person));
        self.tell_subject(&mut change, &person).await?;
        change.commit(self).await?;
        Ok(binding)
    }

    /// Takes a role or a group away.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::StepUp`], [`Error::NotFound`], [`Error::LastAdministrator`].
    pub async fn revoke_binding(&self, ctx: &Context, id: BindingId) -> Result<(), Error> {
        require(ctx, own::ROLES_GRANT)?;
        self.require_fresh(ctx)?;
        let mut change = Change::begin(self).await?;
        let found = people::find_binding(&mut change.tx, id).await?;
        let binding = found.ok_or(Error::NotFound("binding"))?;
        let had = self.administrators(&mut change).await?;
        self.unbind(
            ctx,
            &mut change,
            &binding,
            "identity.role.revoked",
            "took away",
        )
        .await?;
        if !had.is_empty() {
            self.require_administrator_left(&mut change).await?;
        }
        change.commit(self).await
    }

    pub(crate) async fn unbind(
        &self,
        ctx: &Context,
        change: &mut Change,
        binding: &Binding,
        kind: &'static str,
        verb: &str,
    ) -> Result<(), Error> {
        people::unbind(&mut change.tx, binding.id).await?;
        let person = people::lock(&mut change.tx, binding.person).await?;
        let person = person.ok_or(Error::Damaged("binding"))?;
        let what = binding.kind.as_str();
        let message = format!("{verb} the {what} `{}` of `{}`", binding.name, person.login);
        let event = self.access_event(kind, ctx, binding.id, binding.person);
        change.record(event.message(message).with(what, binding.name.as_str()));
        self.tell_subject(change, &person).await
    }

    async fn tell_subject(&self, change: &mut Change, person: &Person) -> Result<(), Error> {
        if person.state == PersonState::Active {
            let bindings = people::bindings_of(&mut change.tx, person.id).await?;
            change.tell(IdentityChange::Subject(self.subject(person, &bindings)));
        }
        Ok(())
    }

    /// Who holds which roles and groups; of one person, or of everybody.
    ///
    /// # Errors
    /// [`Error::Denied`] for those of others without the permission.
    pub async fn bindings(
        &self,
        ctx: &Context,
        of: Option<PersonId>,
    ) -> Result<Vec<Binding>, Error> {
        if of.is_none() || own_id(ctx) != of {
            require(ctx, own::PEOPLE_READ)?;
        }
        let all = people::bindings(&self.inner().store).await?;
        Ok(all
            .into_iter()
            .filter(|b| of.is_none_or(|person| b.person == person))
            .collect())
    }

    /// Nobody gives what they do not hold (NIST SP 800-53 AC-6).
    pub(crate) fn require_grantable(
        &self,
        ctx: &Context,
        kind: BindingKind,
        name: &str,
    ) -> Result<(), Error> {
        require(ctx, own::ROLES_GRANT)?;
        let estate = self.estate();
        let unknown = || {
            let name: String = name.chars().take(64).collect();
            Error::invalid(kind.as_str(), format!("`{name}` is not in the estate"))
        };
        let name = name.to_owned();
        let roles = match kind {
            BindingKind::Role if estate.has_role(&name) => estate.resolve_roles(&[name], &[]),
            BindingKind::Group if estate.groups.contains_key(&name) => {
                estate.resolve_roles(&[], &[name])
            }
            _ => return Err(unknown()),
        };
        self.require_covers(&ctx.permissions, &roles)
    }

    /// Stops here when `roles` give anything that who holds `held` may not give.
    ///
    /// Rampart's own permissions must be held. Those of the team's services too, unless they
    /// may apply an estate: whoever writes what roles mean could take them anyway, and an
    /// administrator who may not use the services must still be able to let others in.
    pub(crate) fn require_covers(
        &self,
        held: &PermissionSet,
        roles: &[String],
    ) -> Result<(), Error> {
        let given = self.estate().role_permissions(roles);
        let writes_roles = held.allows(&own::permission(own::ESTATE_APPLY));
        let may_give = |permission: &&Permission| {
            held.allows(permission)
                || (writes_roles && !permission.resource().starts_with("rampart."))
        };
        match given.iter().find(|permission| !may_give(permission)) {
            Some(more) => Err(Error::Exceeds(more.clone())),
            None => Ok(()),
        }
    }

    /// Active people who hold the administrator role for good; one that ends does not count, or
    /// there would be nobody some day.
    pub(crate) async fn administrators(&self, change: &mut Change) -> Result<Vec<PersonId>, Error> {
        let mut bindings = people::bindings_in(&mut change.tx).await?;
        bindings.retain(|binding| binding.expires_at.is_none());
        let all = people::list_in(&mut change.tx).await?;
        let active = all
            .iter()
            .filter(|person| person.state == PersonState::Active);
        let administers = |person: &&Person| {
            self.roles_of(person.id, &bindings)
                .iter()
                .any(|role| role == own::ADMINISTRATOR)
        };
        Ok(active.filter(administers).map(|person| person.id).collect())
    }

    pub(crate) async fn require_administrator_left(
        &self,
        change: &mut Change,
    ) -> Result<(), Error> {
        let left = self.administrators(change).await?;
        if left.is_empty() {
            Err(Error::LastAdministrator)
        } else {
            Ok(())
        }
    }

    pub(crate) fn granted_event(&self, ctx: &Context, binding: &Binding, to: &Person) -> Event {
        let what = binding.kind.as_str();
        let event = self.access_event("identity.role.granted", ctx, binding.id, to.id);
        let event = event.with(what, binding.name.as_str());
        let event = match binding.expires_at {
            Some(end) => event.with("expires_at", end.to_string()),
            None => event,
        };
        event.message(format!(
            "gave the {what} `{}` to `{}`",
            binding.name, to.login
        ))
    }
}
