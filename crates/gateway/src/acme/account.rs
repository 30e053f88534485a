//! The account with an authority: made once, kept sealed, used again; and the way its requests go.

use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use estate::{AcmeSettings, Binding};
use http::header::{HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use instant_acme::{
    Account, AccountBuilder, AccountCredentials, BodyWrapper, BytesResponse, ExternalAccountKey,
    HttpClient, NewAccount,
};
use model::{Secret, SharedClock, Timestamp};
use net::HttpsClient;
use net::tls::Roots;
use store::Store;

use super::error::Failure;
use super::store::{self as kept, AccountRow};

/// RFC 8555 §6.1: an authority learns who asks.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("rampart/", env!("CARGO_PKG_VERSION")));
/// LIMIT: bytes of a binding's key file.
const KEY_FILE_BYTES_MAX: u64 = 4096;

/// The way of requests to the authority, which remembers for how long it asked us to wait.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    client: HttpsClient,
    clock: SharedClock,
    asked: Arc<Mutex<Option<Duration>>>,
}

impl Transport {
    /// To the directory of `settings`, whose own authority may stand in a file below `base`.
    pub(super) fn new(
        settings: &AcmeSettings,
        base: &Path,
        clock: SharedClock,
    ) -> Result<Self, Failure> {
        let roots = match &settings.authority {
            Some(file) => Roots::File(base.join(file)),
            None => Roots::System,
        };
        Ok(Self {
            client: HttpsClient::new(&roots)?,
            clock,
            asked: Arc::default(),
        })
    }

    /// For how long the last answer asked us to wait (RFC 9110 §10.2.3).
    pub(super) fn asked(&self) -> Option<Duration> {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpClient for Transport {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let this = self.clone();
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            head.headers.insert(USER_AGENT, AGENT);
            let body = match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(never) => match never {},
            };
            let answer = this.client.send(Request::from_parts(head, body)).await;
            let answer = answer.map_err(|error| instant_acme::Error::Other(Box::new(error)))?;
            let asked = wait(answer.headers(), this.clock.now());
            *this.asked.lock().unwrap_or_else(PoisonError::into_inner) = asked;
            let (parts, body) = answer.into_parts();
            Ok(BytesResponse {
                parts,
                body: Box::new(body),
            })
        })
    }
}

/// `Retry-After`: seconds, or a moment.
fn wait(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let at = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    let now = now.since(Timestamp::from_millis(0));
    Some(at.saturating_sub(now))
}

/// The account with the directory of `settings`: the one that is kept, or a new one.
pub(super) async fn open(
    store: &Store,
    settings: &AcmeSettings,
    base: &Path,
    transport: &Transport,
) -> Result<Account, Failure> {
    let builder = Account::builder_with_http(Box::new(transport.clone()));
    let contact = settings.contact.join("\n");
    let Some(known) = kept::account(store, &settings.directory).await? else {
        return create(store, settings, base, builder).await;
    };
    let credentials: AccountCredentials = serde_json::from_slice(known.credentials.expose())
        .map_err(|_| Failure::new("the kept account is damaged"))?;
    let account = builder.from_credentials(credentials).await?;
    if known.contact != contact {
        account.update_contacts(&lines(&settings.contact)).await?;
        keep(store, &settings.directory, contact, known.credentials).await?;
    }
    Ok(account)
}

async fn create(
    store: &Store,
    settings: &AcmeSettings,
    base: &Path,
    builder: AccountBuilder,
) -> Result<Account, Failure> {
    let binding = settings.eab.as_ref().map(|eab| binding(eab, base));
    let binding = binding.transpose()?;
    let contact = lines(&settings.contact);
    let wanted = NewAccount {
        contact: &contact,
        terms_of_service_agreed: settings.terms_agreed,
        only_return_existing: false,
    };
    let made = builder.create(&wanted, settings.directory.clone(), binding.as_ref());
    let (account, credentials) = made.await?;
    let credentials = serde_json::to_vec(&credentials)
        .map_err(|_| Failure::new("the new account cannot be written down"))?;
    let contact = settings.contact.join("\n");
    keep(
        store,
        &settings.directory,
        contact,
        Secret::new(credentials),
    )
    .await?;
    Ok(account)
}

async fn keep(
    store: &Store,
    directory: &str,
    contact: String,
    credentials: Secret<Vec<u8>>,
) -> Result<(), Failure> {
    let row = AccountRow {
        contact,
        credentials,
    };
    let mut tx = store.begin().await?;
    kept::put_account(store, &mut tx, directory, &row).await?;
    Ok(tx.commit().await?)
}

fn lines(contact: &[String]) -> Vec<&str> {
    contact.iter().map(String::as_str).collect()
}

fn binding(binding: &Binding, base: &Path) -> Result<ExternalAccountKey, Failure> {
    use std::io::Read as _;
    let path = base.join(&binding.key_file);
    let mut text = String::new();
    std::fs::File::open(&path)
        .and_then(|file| file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text))
        .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", path.display())))?;
    let text = Secret::new(text);
    let trimmed = text.expose().trim();
    let decoded = BASE64_URL_SAFE_NO_PAD
        .decode(trimmed)
        .or_else(|_| BASE64_URL_SAFE.decode(trimmed));
    let key =
        Secret::new(decoded.map_err(|_| {
            Failure::new(format!("`{}` holds no key in base64url", path.display()))
        })?);
    Ok(ExternalAccountKey::new(
        binding.key_id.clone(),
        key.expose(),
    ))
}

#[cfg(test)]
mod tests;
