//! Access tokens: issued for somebody signed in, verified, revoked; and the keys that sign them.

use std::sync::PoisonError;
use std::time::Duration;

use ::model::snapshot::IdentityChange;
use ::model::{
    Context, Entropy, PermissionSet, PersonId, PrincipalKind, Secret, Timestamp, TokenKeyId,
    activity, ocsf, own,
};

use super::require;
use super::watch::public;
use crate::change::Change;
use crate::store::keys::{self, TokenKeyRow};
use crate::token::{self, Claims, SigningSeed};
use crate::{Error, Identity};

/// The next key is published this long before it signs, so that every verifier has it by then.
const NEXT_BEFORE: Duration = Duration::from_secs(24 * 3600);
/// A clock may be off by so much.
const LEEWAY: Duration = Duration::from_secs(30);
/// LIMIT: bytes of an audience.
const AUDIENCE_BYTES_MAX: usize = 200;
/// LIMIT: bytes of the permissions in a token.
const SCOPE_BYTES_MAX: usize = 4096;
/// LIMIT: tokens revoked before their end; each leaves when its end comes.
const REVOKED_MAX: u32 = 10_000;

/// A token to issue.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// The service it is for: the `aud` of the token.
    pub audience: String,
    /// What it may do; everything the caller may do at that service's routes when `None`.
    pub permissions: Option<PermissionSet>,
    /// How long it lives; ten minutes at most.
    pub life: Duration,
}

/// A signed token.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The token.
    pub token: Secret<String>,
    /// Its id, to revoke it by.
    pub jti: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// Its id.
    pub jti: String,
    /// For whom it acts.
    pub person: PersonId,
    /// What it may do at most; the person's own permissions are a second ceiling.
    pub permissions: PermissionSet,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Identity {
    /// Issues a token for the caller: a person signed in, or a program with an API key.
    ///
    /// # Errors
    /// [`Error::NotAPerson`], [`Error::Invalid`], [`Error::Exceeds`].
    pub async fn issue_token(
        &self,
        ctx: &Context,
        request: TokenRequest,
    ) -> Result<IssuedToken, Error> {
        let sub = self.token_subject(ctx)?;
        let estate = self.estate();
        let known = estate
            .services
            .values()
            .any(|service| service.audience == request.audience);
        if !known || request.audience.len() > AUDIENCE_BYTES_MAX {
            return Err(Error::invalid(
                "audience",
                "is not the audience of a service",
            ));
        }
        if request.life.is_zero() || request.life > token::LIFE_MAX {
            let problem = format!("must be 1 to {} seconds", token::LIFE_MAX.as_secs());
            return Err(Error::invalid("life", problem));
        }
        let permissions = request.permissions.unwrap_or_else(|| {
            let foreign = |p: &&::model::Permission| !p.resource().starts_with("rampart.");
            ctx.permissions.iter().filter(foreign).cloned().collect()
        });
        if let Some(more) = permissions.iter().find(|p| !ctx.permissions.allows(p)) {
            return Err(Error::Exceeds(more.clone()));
        }
        let scope: Vec<&str> = permissions
            .iter()
            .map(::model::Permission::as_str)
            .collect();
        let scope = scope.join(" ");
        if scope.len() > SCOPE_BYTES_MAX {
            return Err(Error::invalid("permissions", "are too many for one token"));
        }
        let now = self.now();
        let expires_at = Timestamp::from_millis(now.after(request.life).as_secs() * 1000);
        let jti = crate::secret_text::fresh(&*self.inner().entropy)
            .expose()
            .clone();
        let claims = Claims {
            iss: self.inner().issuer.clone(),
            sub: sub.to_string(),
            aud: request.audience,
            client_id: ctx.principal.id.to_string(),
            exp: expires_at.as_secs(),
            iat: now.as_secs(),
            nbf: now.as_secs(),
            jti: jti.clone(),
            scope,
        };
        let key = self
            .signing_key(now)
            .ok_or(Error::Internal("find a signing key"))?;
        let token = token::sign(key.id, &key.seed, &claims)?;
        let event = self
            .event("identity.token.issued", ctx)
            .class(::model::Class::Use)
            .ocsf(ocsf::AUTHENTICATION, activity::OTHER)
            .target("person", &sub)
            .with("jti", jti.as_str())
            .with("audience", claims.aud.as_str())
            .message(format!("issued an access token for `{}`", claims.aud));
        self.inner().trail.append(vec![event]).await?;
        Ok(IssuedToken {
            token,
            jti,
            expires_at,
        })
    }

    /// The person a token of this caller acts for.
    fn token_subject(&self, ctx: &Context) -> Result<PersonId, Error> {
        let view = &self.inner().view;
        let id = match ctx.principal.kind {
            PrincipalKind::Person => super::person(ctx)?,
            PrincipalKind::ApiKey => {
                let key = ctx.principal.id.parse().map_err(|_| Error::NotAPerson)?;
                view.key_owner(key).ok_or(Error::NotAPerson)?
            }
            _ => return Err(Error::NotAPerson),
        };
        view.subject(id)
            .map(|subject| subject.id)
            .ok_or(Error::NotAPerson)
    }

    /// Verifies a token of ours for an audience; `None` when it is not good.
    #[must_use]
    pub fn verify_token(&self, text: &str, audience: &str) -> Option<AccessToken> {
        let now = self.now();
        let unverified = token::parse(text)?;
        let keys = self.inner().view.token_keys();
        let key = keys.iter().find(|key| key.id == unverified.key)?;
        if key.not_after.is_some_and(|end| end <= now) {
            return None;
        }
        let claims = unverified.verify(&key.x)?;
        let times = claims.nbf <= now.after(LEEWAY).as_secs()
            && claims.iat <= now.after(LEEWAY).as_secs()
            && claims.exp > now.as_secs();
        let person: PersonId = claims.sub.parse().ok()?;
        let good = times
            && claims.iss == self.inner().issuer
            && claims.aud == audience
            && !self.inner().view.is_token_revoked(&claims.jti);
        self.inner().view.subject(person).filter(|_| good)?;
        let words = claims.scope.split(' ').filter(|word| !word.is_empty());
        let permissions = words
            .map(str::parse)
            .collect::<Result<PermissionSet, _>>()
            .ok()?;
        let expires_at = Timestamp::from_millis(claims.exp.saturating_mul(1000));
        Some(AccessToken {
            jti: claims.jti,
            person,
            permissions,
            expires_at,
        })
    }

    /// Refuses a token from now on: by its id, for those who may revoke others' keys.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::Invalid`], [`Error::Limit`].
    pub async fn revoke_token(&self, ctx: &Context, jti: &str) -> Result<(), Error> {
        require(ctx, own::KEYS_WRITE)?;
        let form = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if jti.len() != 43 || !jti.bytes().all(form) {
            return Err(Error::invalid("jti", "is not the id of an access token"));
        }
        self.refuse_token(ctx, jti).await
    }

    /// Refuses a token of the caller's own, given whole (RFC 7009 §2.1).
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is not theirs or not good any more; [`Error::Limit`].
    pub async fn revoke_own_token(
        &self,
        ctx: &Context,
        text: &str,
        audience: &str,
    ) -> Result<(), Error> {
        let own = self.token_subject(ctx)?;
        let found = self
            .verify_token(text, audience)
            .filter(|token| token.person == own);
        self.refuse_token(ctx, &found.ok_or(Error::NotFound("token"))?.jti)
            .await
    }

    async fn refuse_token(&self, ctx: &Context, jti: &str) -> Result<(), Error> {
        let revoked = self.inner().view.revoked_count();
        if revoked >= usize::try_from(REVOKED_MAX).unwrap_or(usize::MAX) {
            return Err(Error::Limit {
                what: "revoked tokens",
                max: REVOKED_MAX,
            });
        }
        let until = self.now().after(token::LIFE_MAX).after(LEEWAY);
        let mut change = Change::begin(self).await?;
        keys::revoke_token(&mut change.tx, jti, until).await?;
        let event = self
            .event("identity.token.revoked", ctx)
            .target("token", jti);
        change.record(event.message("revoked an access token"));
        change.tell(IdentityChange::TokenRevoked(jti.to_owned(), until));
        change.commit(self).await
    }

    /// The public keys as a JWK set (RFC 7517 §5, RFC 8037 §2): the active one, the next, and
    /// those whose tokens still live.
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        let keys: Vec<_> = self
            .inner()
            .view
            .token_keys()
            .iter()
            .map(|key| {
                serde_json::json!({
                    "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
                    "kid": key.id.to_string(), "x": key.x,
                })
            })
            .collect();
        serde_json::json!({ "keys": keys })
    }

    /// The active key: the oldest that still signs.
    fn signing_key(&self, now: Timestamp) -> Option<SigningSeed> {
        let all = self
            .inner()
            .signing
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .find(|row| row.signing.retire_at > now)
            .map(|row| row.signing.clone())
    }

    /// Makes the first key, and the next one in good time.
    pub(crate) async fn rotate_signing_keys(&self) -> Result<(), Error> {
        let now = self.now();
        let last = {
            let all = self
                .inner()
                .signing
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            all.iter().map(|row| row.signing.retire_at).max()
        };
        if last.is_some_and(|end| end > now.after(NEXT_BEFORE)) {
            return Ok(());
        }
        let begins = last.unwrap_or(now).max(now);
        let retire_at = begins.after(token::KEY_LIFE);
        let entropy: &dyn Entropy = &*self.inner().entropy;
        let seed = Secret::new(entropy.bytes::<32>());
        let row = TokenKeyRow {
            x: token::public_x(&seed)?,
            not_after: retire_at.after(token::LIFE_MAX).after(LEEWAY),
            signing: SigningSeed {
                id: TokenKeyId::new(&*self.inner().clock, entropy),
                seed,
                retire_at,
            },
        };
        let mut change = Change::begin(self).await?;
        keys::put_token_key(&mut change.tx, &self.inner().store, &row, now).await?;
        let ctx = Context::system(&*self.inner().clock, entropy);
        let event = self
            .event("identity.token_key.made", &ctx)
            .target("token_key", &row.signing.id);
        change.record(event.message("made a key that will sign access tokens"));
        let mut all = self
            .inner()
            .signing
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        all.push(row);
        all.retain(|row| row.not_after > now);
        change.tell(IdentityChange::TokenKeys(public(&all)));
        change.commit(self).await?;
        *self
            .inner()
            .signing
            .write()
            .unwrap_or_else(PoisonError::into_inner) = all;
        Ok(())
    }
}
