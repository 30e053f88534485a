//! The events of identity. Each says who, to whom and what; none holds a secret.

use ::model::{
    BindingId, Context, Event, Outcome, PersonId, Principal, PrincipalKind, Severity, activity,
    ocsf,
};

use crate::{Identity, Person};

impl Identity {
    /// An event of account management (OCSF 3001) about a person.
    pub(crate) fn account_event(&self, kind: &'static str, ctx: &Context, id: PersonId) -> Event {
        self.event(kind, ctx)
            .ocsf(ocsf::ACCOUNT_CHANGE, activity::OTHER)
            .target("person", &id)
    }

    /// An event about rights (OCSF 3005).
    pub(crate) fn access_event(
        &self,
        kind: &'static str,
        ctx: &Context,
        id: BindingId,
        person: PersonId,
    ) -> Event {
        self.event(kind, ctx)
            .ocsf(ocsf::USER_ACCESS, activity::OTHER)
            .severity(Severity::Low)
            .target("person", &person)
            .with("binding", id.to_string())
    }

    /// An event of authentication (OCSF 3002) by a person.
    pub(crate) fn sign_in_event(&self, kind: &'static str, ctx: &Context, by: &Person) -> Event {
        let mut event = self
            .event(kind, ctx)
            .ocsf(ocsf::AUTHENTICATION, activity::FIRST)
            .target("person", &by.id);
        event.actor = actor(by);
        event
    }

    /// A failed attempt: by nobody known, and what was typed is not kept.
    pub(crate) fn refused_event(&self, ctx: &Context, message: &'static str) -> Event {
        self.event("identity.sign_in.refused", ctx)
            .ocsf(ocsf::AUTHENTICATION, activity::FIRST)
            .outcome(Outcome::Failure)
            .severity(Severity::Low)
            .message(message)
    }

    pub(crate) fn event(&self, kind: &'static str, ctx: &Context) -> Event {
        Event::change(kind, ctx, &*self.inner().clock, &*self.inner().entropy)
    }
}

/// A person as the actor of an event.
pub(crate) fn actor(person: &Person) -> Principal {
    Principal::new(
        PrincipalKind::Person,
        person.id.to_string(),
        person.name.clone(),
    )
}
