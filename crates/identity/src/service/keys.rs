//! API keys: made (shown once), listed, revoked, and checked.

use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::Duration;

use ::model::snapshot::IdentityChange;
use ::model::{
    ApiKeyId, Authentication, Context, Method, Network, PermissionSet, PersonId, Principal,
    PrincipalKind, RequestId, Secret, Severity, Timestamp, activity, ocsf, own,
};
use serde::Serialize;

use super::forms::name_form;
use super::sessions::SEEN_MAX;
use super::{own_id, person, require};
use crate::change::Change;
use crate::store::keys::{self, Stored};
use crate::{ApiKey, Error, Identity, api_key, secret_text};

/// LIMIT: live keys of one person.
const KEYS_MAX: u32 = 50;
/// LIMIT: keys of one page. Keys that ended stay listed, so that there are ever more of them.
pub const KEYS_PAGE_MAX: u32 = 200;
/// LIMIT: permissions and networks of one key.
const PERMISSIONS_MAX: usize = 200;
const NETWORKS_MAX: usize = 50;
/// A use is noted when the last one noted is this old.
const NOTE_AFTER: Duration = Duration::from_secs(60);

/// A key to make.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What its owner calls it.
    pub name: String,
    /// What it may do: nothing its owner may not.
    pub permissions: PermissionSet,
    /// Where it may be used from; empty means anywhere.
    pub networks: Vec<Network>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Whose it is, when it is not the caller's own: only a local administrator may say so.
    pub owner: Option<PersonId>,
}

/// Some of many keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApiKeyPage {
    /// The keys, newest first.
    pub keys: Vec<ApiKey>,
    /// Where to go on, as `before`; nothing when these are the last.
    pub next: Option<ApiKeyId>,
}

/// A key and its text.
#[derive(Clone, Debug)]
pub struct MadeApiKey {
    /// The key.
    pub key: ApiKey,
    /// `rk_…`; shown once, kept only as a hash.
    pub text: Secret<String>,
}

impl Identity {
    /// Makes a key of the caller's own; a local administrator makes one for anybody, which may no
    /// more than that person may.
    ///
    /// # Errors
    /// [`Error::NotAPerson`], [`Error::NotLocal`], [`Error::NotFound`], [`Error::StepUp`],
    /// [`Error::Invalid`], [`Error::Exceeds`], [`Error::Limit`].
    pub async fn create_api_key(&self, ctx: &Context, new: NewApiKey) -> Result<MadeApiKey, Error> {
        let (owner, ceiling) = self.owner_of(ctx, &new)?;
        let now = self.now();
        let name = name_form(&new.name)?;
        if new.permissions.is_empty() || new.permissions.iter().count() > PERMISSIONS_MAX {
            let problem = format!("must be 1 to {PERMISSIONS_MAX}");
            return Err(Error::invalid("permissions", problem));
        }
        if new.networks.len() > NETWORKS_MAX {
            return Err(Error::invalid(
                "networks",
                format!("must be at most {NETWORKS_MAX}"),
            ));
        }
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::invalid("expires_at", "must be in the future"));
        }
        if let Some(more) = new.permissions.iter().find(|p| !ceiling.allows(p)) {
            return Err(Error::Exceeds(more.clone()));
        }
        let (prefix, text) = api_key::fresh(&*self.inner().entropy);
        let key = ApiKey {
            id: ApiKeyId::new(&*self.inner().clock, &*self.inner().entropy),
            prefix,
            name,
            owner,
            permissions: new.permissions,
            networks: new.networks,
            created_at: now,
            expires_at: new.expires_at,
            revoked_at: None,
            seen_at: None,
        };
        let stored = Stored {
            digest: secret_text::digest_of(text.expose()),
            key,
        };
        let mut change = Change::begin(self).await?;
        Self::active_person(&mut change.tx, owner).await?;
        let live = keys::live_of_person(&mut change.tx, owner, now)
            .await?
            .len();
        if live >= usize::try_from(KEYS_MAX).unwrap_or(usize::MAX) {
            return Err(Error::Limit {
                what: "API keys of yours",
                max: KEYS_MAX,
            });
        }
        keys::insert(&mut change.tx, &stored).await?;
        let permissions = serde_json::to_value(&stored.key.permissions).unwrap_or_default();
        let event = self.key_event("identity.api_key.created", ctx, &stored.key);
        let event = event.with("permissions", permissions);
        change.record(event.message(format!("made the API key `{}`", stored.key.name)));
        change.tell(IdentityChange::ApiKey(stored.grant()));
        change.commit(self).await?;
        Ok(MadeApiKey {
            key: stored.key,
            text,
        })
    }

    /// Whose key it will be, and what it may do at most.
    fn owner_of(&self, ctx: &Context, new: &NewApiKey) -> Result<(PersonId, PermissionSet), Error> {
        let Some(owner) = new.owner else {
            let owner = person(ctx)?;
            self.require_fresh(ctx)?;
            return Ok((owner, ctx.permissions.clone()));
        };
        super::administrator::require_local(ctx)?;
        let known = self.inner().view.subject(owner);
        let subject = known.ok_or(Error::NotFound("person"))?;
        Ok((owner, self.permissions_of(&subject)))
    }

    /// The caller's keys, and with the permission everybody's, those that ended too; newest first,
    /// `limit` of them (at most [`KEYS_PAGE_MAX`]) that were made before `before`.
    ///
    /// # Errors
    /// [`Error::Denied`] for somebody who is nobody here.
    pub async fn api_keys(
        &self,
        ctx: &Context,
        before: Option<ApiKeyId>,
        limit: u32,
    ) -> Result<ApiKeyPage, Error> {
        let owner = match (require(ctx, own::KEYS_READ), own_id(ctx)) {
            (Ok(()), _) => None,
            (Err(_), Some(own)) => Some(own),
            (Err(denied), None) => return Err(denied),
        };
        let limit = limit.clamp(1, KEYS_PAGE_MAX);
        // Ids ascend with time, and none is the last one.
        let before = before.unwrap_or(ApiKeyId::from_raw(u128::MAX));
        let mut keys = keys::page(&self.inner().store, owner, before, limit + 1).await?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_more = keys.len() > wanted;
        keys.truncate(wanted);
        let next = keys.last().filter(|_| is_more).map(|key| key.id);
        Ok(ApiKeyPage { keys, next })
    }

    /// A person's own keys that nobody revoked: those that work first, then those that ended, each
    /// newest first; [`KEYS_PAGE_MAX`] of them.
    ///
    /// # Errors
    /// [`Error::NotAPerson`].
    pub async fn own_api_keys(&self, ctx: &Context) -> Result<Vec<ApiKey>, Error> {
        let owner = own_id(ctx).ok_or(Error::NotAPerson)?;
        keys::unrevoked(&self.inner().store, owner, self.now(), KEYS_PAGE_MAX).await
    }

    /// Ends a key: one's own, or with the permission anybody's.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for others' keys without the permission.
    pub async fn revoke_api_key(&self, ctx: &Context, id: ApiKeyId) -> Result<(), Error> {
        let mut change = Change::begin(self).await?;
        let stored = keys::find(&mut change.tx, id).await?;
        let mine = |s: &Stored| own_id(ctx) == Some(s.key.owner);
        let visible = stored.filter(|s| mine(s) || require(ctx, own::KEYS_WRITE).is_ok());
        let stored = visible.ok_or(Error::NotFound("API key"))?;
        if !keys::revoke(&mut change.tx, id, self.now()).await? {
            return Ok(());
        }
        let event = self.key_event("identity.api_key.revoked", ctx, &stored.key);
        change.record(event.message(format!("revoked the API key `{}`", stored.key.name)));
        change.tell(IdentityChange::ApiKeyGone(id));
        change.commit(self).await
    }

    /// Who the text of an API key says it is; `None` when it is not good (from there).
    ///
    /// # Errors
    /// None today: the answer comes from memory.
    pub async fn authenticate_api_key(
        &self,
        text: &str,
        request_id: RequestId,
        source: Option<IpAddr>,
    ) -> Result<Option<Context>, Error> {
        if !api_key::is_well_formed(text) {
            return Ok(None);
        }
        let (now, view) = (self.now(), &self.inner().view);
        let Some(key) = view.api_key(&secret_text::digest_of(text)) else {
            return Ok(None);
        };
        let from_there = |net: &Network| source.is_some_and(|address| net.contains(address));
        let allowed = key.networks.is_empty() || key.networks.iter().any(from_there);
        let alive = key.expires_at.is_none_or(|end| end > now);
        let owner = view.subject(key.owner).filter(|_| alive && allowed);
        let Some(owner) = owner else { return Ok(None) };
        self.note_key(key.id, now);
        Ok(Some(Context {
            principal: Principal::new(PrincipalKind::ApiKey, key.id.to_string(), key.name),
            permissions: key.permissions.intersection(&self.permissions_of(&owner)),
            request_id,
            source,
            authentication: Some(Authentication {
                at: now,
                methods: vec![Method::Key],
                session: None,
            }),
        }))
    }

    fn note_key(&self, id: ApiKeyId, now: Timestamp) {
        let mut seen = self
            .inner()
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let recent = seen
            .keys
            .get(&id)
            .is_some_and(|at| at.after(NOTE_AFTER) > now);
        if !recent && seen.keys.len() < SEEN_MAX {
            seen.keys.insert(id, now);
        }
    }

    fn key_event(&self, kind: &'static str, ctx: &Context, key: &ApiKey) -> ::model::Event {
        self.event(kind, ctx)
            .ocsf(ocsf::ENTITY_MANAGEMENT, activity::OTHER)
            .severity(Severity::Low)
            .target("api_key", &key.id)
            .with("owner", key.owner.to_string())
            .with("prefix", key.prefix.as_str())
    }
}
