//! The demo's people and programs: each enrols and signs in through the same pages as anybody,
//! with a password and the codes of an authenticator app.

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use http::{Method, Request};
use model::SharedClock;
use net::Client;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use super::browser::{Browser, excerpt};
use super::form;
use super::stage::Stage;

/// Somebody of the demo.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    /// What campaigns call them.
    pub(crate) part: &'static str,
    /// Their name.
    pub(crate) name: &'static str,
    /// Their sign-in name.
    pub(crate) email: &'static str,
    /// The one role they hold.
    pub(crate) role: &'static str,
    /// Invented, and good enough for the policy.
    pub(crate) password: &'static str,
}

/// Everybody.
pub(crate) const PEOPLE: [Person; 3] = [
    Person {
        part: "customer",
        name: "Ada Quill",
        email: "ada@customers.example",
        role: "customer",
        password: "violet harbour under nine moons",
    },
    Person {
        part: "support",
        name: "Sam Holt",
        email: "sam@staff.example",
        role: "support",
        password: "patient otter answers twice",
    },
    Person {
        part: "stock-keeper",
        name: "Ina Berg",
        email: "ina@staff.example",
        role: "stock-keeper",
        password: "every crate counted by candle",
    },
];

/// The program that counts stock, and whose key it uses.
pub(crate) const ROBOT: &str = "stock-robot";
/// Whose key that is.
pub(crate) const ROBOT_OWNER: &str = "stock-keeper";

/// Somebody's authenticator app.
struct App {
    totp: Totp,
    clock: SharedClock,
    /// The step of the newest code it showed.
    shown: u64,
}

const STEP_S: u64 = 30;

impl App {
    fn new(key: &str, clock: SharedClock) -> anyhow::Result<Self> {
        let secret = Secret::try_from_base32(key.replace(' ', ""))
            .map_err(|_| anyhow!("the key is no base 32"))?;
        let totp = Builder::new().with_secret(secret).build()?;
        Ok(Self {
            totp,
            clock,
            shown: 0,
        })
    }

    /// A code nobody has used yet. Codes work a step early and a step late, and each once, so two
    /// can be had at once, beginning with the one before.
    fn code(&mut self) -> anyhow::Result<String> {
        let now = u64::try_from(self.clock.now().as_secs())? / STEP_S;
        let step = (now - 1).max(self.shown + 1);
        if step > now + 1 {
            bail!("the authenticator app has shown all its codes of this minute");
        }
        self.shown = step;
        Ok(self.totp.generate(step * STEP_S).to_string())
    }
}

/// Invites a person, enrols them and signs them in to the shop; returns their browser.
///
/// # Errors
/// Which page did not answer as it should.
pub(crate) async fn arrive(stage: &Stage, person: &Person) -> anyhow::Result<Browser> {
    let link = invite(stage, person).await?;
    let mut app = enrol(stage, person, &link).await?;
    sign_in(stage, person, &mut app).await
}

async fn invite(stage: &Stage, person: &Person) -> anyhow::Result<String> {
    let body = json!({
        "login": person.email, "name": person.name, "roles": [person.role],
    });
    let answer = ask(&stage.admin, Method::POST, "/people", Some(&body)).await?;
    let path = answer.get("path").and_then(Value::as_str);
    Ok(path.context("the invitation has no path")?.to_owned())
}

async fn enrol(stage: &Stage, person: &Person, link: &str) -> anyhow::Result<App> {
    let mut browser = Browser::new(stage.network.clone());
    let page = browser.open(stage.at_console(link)?).await?;
    let password = [("password", person.password), ("repeat", person.password)];
    let page = browser.submit(&page, &password).await?;
    let key = form::labelled(&page.answer.body, "manual-label")
        .with_context(|| format!("no key for the authenticator app: {}", excerpt(&page)))?;
    let mut app = App::new(&key, stage.clock.clone())?;
    let page = browser.submit(&page, &[("code", &app.code()?)]).await?;
    if !page.answer.status.is_success() || !page.answer.body.contains("Recovery codes") {
        bail!("no recovery codes: {}", excerpt(&page));
    }
    Ok(app)
}

/// From a page of the shop, over the console's sign-in, back to that page.
async fn sign_in(stage: &Stage, person: &Person, app: &mut App) -> anyhow::Result<Browser> {
    let mut browser = Browser::new(stage.network.clone());
    let wanted = stage.at_shop("/admin")?;
    let page = browser.open(wanted).await?;
    if page.url.host() != Some(stage.console_host.as_str()) {
        bail!("a stranger was not led to the sign-in: {}", excerpt(&page));
    }
    let known = [("login", person.email), ("password", person.password)];
    let page = browser.submit(&page, &known).await?;
    let page = browser.submit(&page, &[("code", &app.code()?)]).await?;
    if page.url.host() != Some(stage.shop_host.as_str()) {
        bail!(
            "the sign-in did not lead back to the shop: {}",
            excerpt(&page)
        );
    }
    Ok(browser)
}

/// Makes the robot's API key: its owner does, on the page for it. It is shown once.
///
/// # Errors
/// Which page did not answer as it should.
pub(crate) async fn robot_key(stage: &Stage, owner: &mut Browser) -> anyhow::Result<String> {
    let page = owner.open(stage.at_console("/account/keys/new")?).await?;
    let fields = [
        ("name", ROBOT),
        ("days", "30"),
        ("networks", "127.0.0.1"),
        ("permission", "stock:write"),
    ];
    let page = owner.submit(&page, &fields).await?;
    form::labelled(&page.answer.body, "once-label")
        .filter(|key| key.starts_with("rk_"))
        .with_context(|| format!("the new API key was not shown: {}", excerpt(&page)))
}

/// Asks the API on the administration socket.
///
/// # Errors
/// What it answered, when that is no success.
pub(crate) async fn ask(
    admin: &Client,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header("content-type", "application/json")
        .body(Bytes::from(body.map(Value::to_string).unwrap_or_default()))?;
    let answer = admin.send(request).await?;
    let status = answer.status();
    let bytes = answer.bytes().await?;
    if !status.is_success() {
        bail!(
            "`{path}` answered {status}: {}",
            String::from_utf8_lossy(&bytes)
        );
    }
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).with_context(|| format!("`{path}` answered no JSON"))
}
