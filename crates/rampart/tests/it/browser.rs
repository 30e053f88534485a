//! A real browser: enrols, signs in with a code, is refused a page its role lacks, and sees the
//! refusal in the trail. No violation of the content security policy, no error on the console.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use serde_json::{Value, json};
use testkit::{Process, eventually};
use totp_rs::{Builder, Secret};

use crate::backend::Backend;
use crate::world::{OPEN, SOON, World};

const PASSWORD: &str = "seven lanterns beside the weir";

/// The browser's console, through its driver.
#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

struct Driver {
    _process: Process,
    client: Client,
}

impl Driver {
    async fn start(log: &Path) -> Option<Self> {
        if crate::told("RAMPART_BROWSER").is_none() {
            crate::skipped("RAMPART_BROWSER is not set");
            return None;
        }
        let [address]: [SocketAddr; 1] = testkit::free_addresses().unwrap();
        let port = format!("--port={}", address.port());
        let driver = ["/usr/bin/chromedriver", "/usr/local/bin/chromedriver"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .expect("chromedriver is not installed");
        let process = Process::start(Path::new(driver), &[&port], log).unwrap();
        let up = || async { tokio::net::TcpStream::connect(address).await.is_ok() };
        assert!(eventually(SOON, up).await, "{}", process.output());
        let mut capabilities = Capabilities::new();
        capabilities.insert("acceptInsecureCerts".to_owned(), json!(true));
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        let arguments = json!({ "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--window-size=1280,900",
        ]});
        capabilities.insert("goog:chromeOptions".to_owned(), arguments);
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://{address}"))
            .await
            .unwrap();
        Some(Self {
            _process: process,
            client,
        })
    }

    async fn fill(&self, name: &str, text: &str) {
        let field = format!("input[name={name}]");
        let field = self
            .client
            .wait()
            .at_most(SOON)
            .for_element(Locator::Css(&field));
        let field = field.await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    async fn submit(&self) {
        let button = Locator::Css("main form button[type=submit], main form button:not([type])");
        self.client
            .find(button)
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
    }

    /// Waits until the page's text holds `text`.
    async fn shows(&self, text: &str) {
        let shown = || async {
            let body = self.client.find(Locator::Css("body")).await;
            match body {
                Ok(body) => body.text().await.is_ok_and(|shown| shown.contains(text)),
                Err(_) => false,
            }
        };
        if !eventually(Duration::from_secs(30), shown).await {
            let url = self.client.current_url().await.unwrap();
            let body = self.client.source().await.unwrap();
            panic!("`{text}` is not at {url}: {body}");
        }
    }

    /// What the browser complained about.
    async fn complaints(&self) -> Vec<String> {
        let log: Value = self.client.issue_cmd(ConsoleLog).await.unwrap();
        let entries = log.as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

fn now() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "codes depend on the time that the program under test reads"
    )]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn person_enrols_signs_in_and_is_refused_where_their_role_ends() {
    let folder = tempfile::tempdir().unwrap();
    let Some(driver) = Driver::start(&folder.path().join("chromedriver.log")).await else {
        return;
    };
    let (_backend, address) = Backend::start().await;
    let world = World::start(address, OPEN).await;
    let at = |path: &str| format!("https://rampart.localhost:{}{path}", world.https.port());
    let body = json!({ "login": "ada", "name": "Ada Quill", "roles": ["reader"] });
    let invited = world
        .ask(Method::POST, "/people", Some(body))
        .await
        .unwrap();
    let client = &driver.client;
    client
        .goto(&at(invited["path"].as_str().unwrap()))
        .await
        .unwrap();
    driver.fill("password", PASSWORD).await;
    driver.fill("repeat", PASSWORD).await;
    driver.submit().await;
    let key = Locator::Css("code[aria-labelledby=manual-label]");
    let key = client.wait().at_most(SOON).for_element(key).await.unwrap();
    let key = key.text().await.unwrap().replace(' ', "");
    let secret = Secret::try_from_base32(key).unwrap();
    let totp = Builder::new().with_secret(secret).build().unwrap();
    driver
        .fill("code", &totp.generate(now() - 30).to_string())
        .await;
    driver.submit().await;
    driver.shows("Keep your recovery codes").await;
    // Out, and in again with a password and a code.
    client.delete_all_cookies().await.unwrap();
    client.goto(&at("/")).await.unwrap();
    driver.fill("login", "ada").await;
    driver.fill("password", PASSWORD).await;
    driver.submit().await;
    driver.fill("code", &totp.generate(now()).to_string()).await;
    driver.submit().await;
    driver.shows("Ada Quill").await;
    assert_eq!(driver.complaints().await, Vec::<String>::new());
    // A page that the role lacks. The browser itself notes the status of a page.
    client.goto(&at("/identity/people")).await.unwrap();
    driver.shows("permission").await;
    let noted = driver.complaints().await;
    assert!(
        noted.iter().all(|text| text.contains("status of 403")),
        "{noted:?}"
    );
    // Whoever may read the trail sees the refusal there.
    let body = json!({ "login": "ines", "name": "Ines Faro", "roles": ["auditor"] });
    world
        .ask(Method::POST, "/people", Some(body))
        .await
        .unwrap();
    let mut auditor = world.visitor("auditor", "auditor").await;
    let seen = crate::visitor::shows(
        &mut auditor,
        "rampart.localhost",
        "/trail?text=ada",
        "Ada Quill",
    );
    assert!(seen.await, "the refusal is in the trail");
    let page = world
        .ask(Method::GET, "/trail?outcome=refused&limit=20", None)
        .await
        .unwrap();
    assert!(page.to_string().contains("rampart.people:read"), "{page}");
    client.clone().close().await.unwrap();
}
