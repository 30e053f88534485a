//! Somebody with a browser: enrols, signs in, makes keys. The demo's own browser, on the pages
//! everybody uses.

#![expect(
    dead_code,
    reason = "the demo's browser can do more than these tests need"
)]

#[path = "../../src/demo/browser.rs"]
pub(crate) mod browser;
#[path = "../../src/demo/form.rs"]
pub(crate) mod form;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{Method, Uri};
use serde_json::json;
use totp_rs::{Builder, Secret, Totp};

use self::browser::{Browser, Network, Page, excerpt};
use crate::world::{SOON, World};

pub(crate) const CONSOLE: &str = "rampart.localhost";
const PASSWORD: &str = "seven lanterns beside the weir";
const STEP_S: u64 = 30;

/// Somebody who is enrolled.
pub(crate) struct Visitor {
    pub(crate) browser: Browser,
    login: String,
    network: Network,
    totp: Totp,
    shown: u64,
}

impl World {
    /// The way to the gateway over TLS, verified with the development authority.
    pub(crate) async fn network(&self) -> Network {
        let authority = self.data().join("tls/ca.pem");
        let roots = net::tls::Roots::File(authority);
        Network::new(self.https, net::tls::client_config(&roots).unwrap())
    }

    /// Invites somebody with a role, who enrols and is then signed in to the console.
    pub(crate) async fn visitor(&self, login: &str, role: &str) -> Visitor {
        let body = json!({ "login": login, "name": login, "roles": [role] });
        let invited = self.ask(Method::POST, "/people", Some(body)).await.unwrap();
        let path = invited["path"].as_str().unwrap().to_owned();
        Visitor::enrol(self.network().await, login, &path).await
    }
}

impl Visitor {
    /// Enrols with a one-time link's path.
    pub(crate) async fn enrol(network: Network, login: &str, path: &str) -> Self {
        let mut browser = Browser::new(network.clone());
        let url = network.url(CONSOLE, path).unwrap();
        let page = browser.open(url).await.unwrap();
        let password = [("password", PASSWORD), ("repeat", PASSWORD)];
        let page = browser.submit(&page, &password).await.unwrap();
        let key = form::labelled(&page.answer.body, "manual-label")
            .unwrap_or_else(|| panic!("{}", excerpt(&page)));
        let secret = Secret::try_from_base32(key.replace(' ', "")).unwrap();
        let totp = Builder::new().with_secret(secret).build().unwrap();
        let mut visitor = Self {
            browser,
            login: login.to_owned(),
            network,
            totp,
            shown: 0,
        };
        let code = visitor.code().await;
        let page = visitor
            .browser
            .submit(&page, &[("code", &code)])
            .await
            .unwrap();
        assert!(
            page.answer.body.contains("Recovery codes"),
            "{}",
            excerpt(&page)
        );
        visitor
    }

    /// A code nobody has used yet.
    pub(crate) async fn code(&mut self) -> String {
        loop {
            let now = now_s() / STEP_S;
            let step = (now - 1).max(self.shown + 1);
            if step <= now + 1 {
                self.shown = step;
                return self.totp.generate(step * STEP_S).to_string();
            }
            // The next step begins soon; each code works once.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// From a page of `host`, over the sign-in, back to that page.
    pub(crate) async fn sign_in(&mut self, host: &str, target: &str) -> Page {
        self.browser = Browser::new(self.network.clone());
        let page = self.open(host, target).await;
        assert_eq!(page.url.host(), Some(CONSOLE), "{}", excerpt(&page));
        let login = self.login.clone();
        let known = [("login", login.as_str()), ("password", PASSWORD)];
        let page = self.browser.submit(&page, &known).await.unwrap();
        let code = self.code().await;
        self.browser
            .submit(&page, &[("code", &code)])
            .await
            .unwrap()
    }

    pub(crate) async fn open(&mut self, host: &str, target: &str) -> Page {
        let url: Uri = self.network.url(host, target).unwrap();
        self.browser.open(url).await.unwrap()
    }

    /// Makes an API key on the page for it.
    pub(crate) async fn key(&mut self, permission: &str) -> String {
        let fields = [
            ("name", "robot"),
            ("days", "7"),
            ("networks", ""),
            ("permission", permission),
        ];
        let mut page = self.open(CONSOLE, "/account/keys/new").await;
        page = self.browser.submit(&page, &fields).await.unwrap();
        if page.url.path() == "/account/confirm" {
            // Who signed in long ago proves again who they are, and is led back.
            let code = self.code().await;
            let proof = [("code", code.as_str())];
            page = self.browser.submit(&page, &proof).await.unwrap();
            page = self.browser.submit(&page, &fields).await.unwrap();
        }
        form::labelled(&page.answer.body, "once-label")
            .unwrap_or_else(|| panic!("{}", excerpt(&page)))
    }
}

fn now_s() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "codes depend on the time that the program under test reads"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Waits until `text` stands on the page.
pub(crate) async fn shows(visitor: &mut Visitor, host: &str, target: &str, text: &str) -> bool {
    let until = tokio::time::Instant::now() + SOON;
    while tokio::time::Instant::now() < until {
        if visitor.open(host, target).await.answer.body.contains(text) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    false
}
