//! The whole console with real services, asked as a browser behind the gateway asks it.

use ::api;

mod browser;
mod excluding;
#[path = "../../api/src/tests/gateway.rs"]
mod gateway;
#[path = "../../api/src/tests/world.rs"]
mod world;

use http::{Method, StatusCode, header};
use identity::{NewPerson, totp};

use crate::cookies;
use browser::{Browser, filled, text};
use world::{Answered, World, request, send};

const PASSWORD: &str = "correct horse battery staple";

/// Base 32 (RFC 4648 §6) back to bytes, as an authenticator app does.
fn seed(text: &str) -> Vec<u8> {
    let (mut bits, mut count, mut out) = (0u32, 0, Vec::new());
    for letter in text.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            other => panic!("{other}"),
        };
        bits = (bits << 5) | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from((bits >> count) & 0xFF).unwrap());
        }
    }
    out
}

fn code(world: &World, seed: &[u8]) -> String {
    totp::code(seed, totp::step(world.services.clock.now()))
}

/// Enrols by a link; returns the authenticator's seed.
async fn enrol(world: &World, browser: &mut Browser<'_>, token: &str) -> Vec<u8> {
    let page = browser.get(&format!("/enrol/{token}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let fields = [("password", PASSWORD), ("repeat", PASSWORD)];
    let page = browser.submit(&page, "/enrol/", &fields).await;
    let seed = seed(&text(&page, ".secret code"));
    let page = browser
        .submit(&page, "/enrol/", &[("code", &code(world, &seed))])
        .await;
    assert_eq!(text(&page, "h1"), "Keep your recovery codes");
    seed
}

async fn invite(world: &World, login: &str, roles: &[&str]) -> String {
    let new = NewPerson {
        login: login.to_owned(),
        name: format!("{login} of the shop"),
        email: None,
        roles: roles.iter().map(|r| (*r).to_owned()).collect(),
        groups: Vec::new(),
    };
    // Nobody gives what they do not hold: who invites here holds the estate's rights too.
    let mut ctx = world.system();
    let mut held: Vec<_> = ctx.permissions.clone().into();
    held.push("orders:read".parse().unwrap());
    ctx.permissions = held.into();
    let invited = world.services.identity.invite(&ctx, new).await;
    invited.unwrap().token.expose().clone()
}

async fn signed_in<'a>(world: &'a World, login: &str, roles: &[&str]) -> (Browser<'a>, Vec<u8>) {
    let mut browser = Browser::new(world);
    let token = invite(world, login, roles).await;
    let seed = enrol(world, &mut browser, &token).await;
    (browser, seed)
}

#[tokio::test]
async fn somebody_enrols_signs_out_and_in_again_with_a_code() {
    let world = World::new().await;
    let (mut browser, seed) = signed_in(&world, "ada", &["administrator"]).await;
    let page = browser.get("/").await;
    assert_eq!(text(&page, "h1"), "Overview");
    let page = browser.submit(&page, "/sign-out", &[]).await;
    assert_eq!(text(&page, "h1"), "Sign in");
    assert!(!browser.cookies.contains_key(cookies::SESSION));

    let page = browser.get("/trail?text=a").await;
    let wrong = [("login", "ada"), ("password", "not it at all, no")];
    let page = browser.submit(&page, "/sign-in", &wrong).await;
    assert!(page.body.contains("That did not work"), "{}", page.body);
    let right = [("login", "ada"), ("password", PASSWORD)];
    let page = browser.submit(&page, "/sign-in", &right).await;
    assert_eq!(text(&page, "h1"), "Enter your code");
    // A code works once, and the one of the enrolment was used.
    world.clock.advance(std::time::Duration::from_secs(60));
    let page = browser
        .submit(&page, "/sign-in/code", &[("code", &code(&world, &seed))])
        .await;
    assert_eq!(text(&page, "h1"), "Trail", "back where they wanted to be");
    assert!(page.body.contains(r#"value="a""#));
}

#[tokio::test]
async fn every_page_opens_for_an_administrator() {
    let world = World::new().await;
    let (mut browser, _) = signed_in(&world, "ada", &["administrator"]).await;
    for (path, title) in [
        ("/", "Overview"),
        ("/identity/people", "People"),
        ("/identity/people/invite", "Invite a person"),
        ("/identity/roles", "Roles"),
        ("/gateway/routes", "Routes"),
        ("/gateway/routes/orders", "orders"),
        ("/gateway/observed", "Would refuse"),
        (
            "/gateway/observed?since=7d&route=orders&step=inspect",
            "Would refuse",
        ),
        ("/gateway/observed?since=soon", "Would refuse"),
        ("/gateway/rules", "Rules"),
        ("/gateway/rules?since=soon", "Rules"),
        ("/gateway/services", "Services"),
        ("/gateway/explain", "Explain a request"),
        ("/trail", "Trail"),
        ("/estate", "Estate"),
        ("/estate/plan", "Plan a change"),
        ("/settings", "Settings"),
        ("/account", "Your account"),
        ("/account/password", "Change your password"),
        ("/account/keys/new", "New API key"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
        assert_eq!(text(&page, "h1"), title, "{path}");
    }
}

#[tokio::test]
async fn a_page_a_role_does_not_open_names_the_permission_and_is_recorded() {
    let world = World::new().await;
    let (mut browser, _) = signed_in(&world, "noor", &["support"]).await;
    for (path, permission) in [
        ("/identity/people", "rampart.people:read"),
        ("/identity/people/invite", "rampart.people:write"),
        ("/identity/roles", "rampart.people:read"),
        ("/gateway/routes", "rampart.gateway:read"),
        ("/gateway/explain", "rampart.gateway:read"),
        ("/gateway/observed", "rampart.gateway:read"),
        ("/gateway/rules", "rampart.gateway:read"),
        ("/gateway/rules/evt_1", "rampart.gateway:read"),
        ("/gateway/rules/evt_1/exclude", "rampart.gateway:read"),
        ("/gateway/services", "rampart.gateway:read"),
        ("/gateway/bans", "rampart.gateway:read"),
        ("/trail", "rampart.trail:read"),
        ("/estate", "rampart.estate:read"),
        ("/estate/plan", "rampart.estate:apply"),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(text(&page, ".facts").contains(permission), "{path}");
        let events = world.events("console.page.refused").await;
        let newest = events.first().unwrap();
        assert_eq!(newest.detail["permission"], permission);
        assert_eq!(newest.target.as_ref().unwrap().id, path);
    }
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_stranger_is_led_to_sign_in_and_learns_nothing() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    for path in [
        "/",
        "/trail",
        "/identity/people",
        "/gateway/routes/orders",
        "/account",
    ] {
        let answered = browser.ask(Method::GET, path, None).await;
        assert_eq!(answered.status, StatusCode::SEE_OTHER, "{path}");
        let to = answered.headers[header::LOCATION].to_str().unwrap();
        assert!(to.starts_with("/sign-in"), "{path}: {to}");
    }
    let page = browser.get("/no/such/page").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_eq!(text(&page, "h1"), "There is nothing here");
}

#[tokio::test]
async fn a_form_of_another_site_or_without_its_token_changes_nothing() {
    let world = World::new().await;
    let (mut browser, _) = signed_in(&world, "ada", &["administrator"]).await;
    let page = browser.get("/settings").await;
    let (_, body) = filled(
        &page.body,
        "/settings",
        &[("theme", "dark"), ("density", "compact")],
    );
    let cookie: Vec<_> = browser
        .cookies
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    let router = crate::router(world.services.clone());
    let post = |site: &'static str, origin: &'static str, body: String| {
        request(world.client(), Method::POST, "/settings")
            .header("sec-fetch-site", site)
            .header(header::ORIGIN, origin)
            .header(header::COOKIE, cookie.join("; "))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(body))
            .unwrap()
    };
    let own = "https://rampart.shop.example:8443";
    let stale = body.replace("form_token=", "form_token=x");
    for (site, origin, sent) in [
        ("cross-site", "https://evil.example", body.clone()),
        ("same-site", "https://www.shop.example:8443", body.clone()),
        ("same-origin", "https://evil.example", body.clone()),
        ("same-origin", own, stale),
        ("same-origin", own, "theme=dark&density=compact".to_owned()),
    ] {
        let answered: Answered = send(&router, post(site, origin, sent)).await;
        assert_eq!(answered.status, StatusCode::FORBIDDEN, "{site} {origin}");
        assert!(!answered.headers.contains_key(header::SET_COOKIE));
    }
    let answered = send(&router, post("same-origin", own, body)).await;
    assert_eq!(answered.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_link_from_another_site_arrives_signed_in_by_asking_again() {
    let world = World::new().await;
    let router = crate::router(world.services.clone());
    let crossed = request(world.client(), Method::GET, "/trail?text=a")
        .header("sec-fetch-site", "cross-site")
        .body(axum::body::Body::empty())
        .unwrap();
    let answered = send(&router, crossed).await;
    assert_eq!(answered.status, StatusCode::OK);
    assert!(
        answered.body.contains(r#"content="0;url=/trail?text=a""#),
        "{}",
        answered.body
    );
    let evil = request(world.client(), Method::GET, "//evil.example/")
        .header("sec-fetch-site", "cross-site")
        .body(axum::body::Body::empty())
        .unwrap();
    assert!(!send(&router, evil).await.body.contains("url=//evil"));
}

#[tokio::test]
async fn a_sign_in_for_a_protected_origin_ends_there_with_a_code() {
    let world = World::new().await;
    let (mut browser, _) = signed_in(&world, "noor", &["support"]).await;
    let page = browser
        .get("/sign-in?host=www.shop.example:8443&state=s1")
        .await;
    let to = "https://www.shop.example:8443/.rampart/callback?code=";
    assert!(
        page.body.contains(&format!("content=\"0;url={to}")),
        "{}",
        page.body
    );
    assert!(page.body.contains("state=s1"));
    for evil in ["evil.example", "www.shop.example:1", "rampart.shop.example"] {
        let page = browser.get(&format!("/sign-in?host={evil}&state=s1")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{evil}");
        assert!(!page.body.contains("callback"), "{evil}");
    }
}

#[tokio::test]
async fn a_change_that_a_gateway_has_not_confirmed_is_made_and_says_so() {
    let world = World::new().await;
    let (mut browser, _) = signed_in(&world, "ada", &["administrator"]).await;
    let page = browser.get("/identity/people/invite").await;
    world
        .gateway
        .1
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let fields = [("name", "Noor"), ("login", "noor"), ("email", "")];
    let page = browser
        .submit(&page, "/identity/people/invite", &fields)
        .await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(page.headers[api::PENDING], "no gateway is connected");
}

#[tokio::test]
async fn an_administrator_invites_grants_and_disables() {
    let world = World::new().await;
    let (mut browser, _) = signed_in(&world, "ada", &["administrator", "support"]).await;
    let page = browser.get("/identity/people/invite").await;
    let fields = [("name", "Noor <b>"), ("login", "noor"), ("email", "")];
    let page = browser
        .submit(&page, "/identity/people/invite", &fields)
        .await;
    assert!(
        !page.headers.contains_key(api::PENDING),
        "every gateway took it in"
    );
    let link = text(&page, ".secret code");
    assert!(
        link.starts_with("https://rampart.shop.example:8443/enrol/"),
        "{link}"
    );
    assert!(!page.body.contains("<b>"), "names are escaped");
    let again = browser.get("/identity/people").await;
    assert!(!again.body.contains("/enrol/"), "the link is shown once");
    let people = world
        .services
        .identity
        .people(&world.system())
        .await
        .unwrap();
    let noor = people.iter().find(|p| p.login == "noor").unwrap();
    let href = format!("/identity/people/{}", noor.id);

    let page = browser.get(&href).await;
    let give = format!("{href}/grant");
    let page = browser.submit(&page, &give, &[("name", "support")]).await;
    assert!(page.body.contains("Given"), "{}", page.body);
    let page = browser.get(&format!("{href}/disable")).await;
    let refused = browser
        .submit(&page, &format!("{href}/disable"), &[("typed", "nor")])
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let page = browser
        .submit(&page, &format!("{href}/disable"), &[("typed", "noor")])
        .await;
    assert!(text(&page, ".state").contains("Disabled"), "{}", page.body);
}

#[tokio::test]
async fn an_api_key_is_shown_once_and_revoked() {
    let world = World::new().await;
    let (mut browser, _) = signed_in(&world, "noor", &["support"]).await;
    let page = browser.get("/account/keys/new").await;
    let fields = [
        ("name", "nightly"),
        ("days", "30"),
        ("networks", ""),
        ("permission", "orders:read"),
    ];
    let page = browser.submit(&page, "/account/keys/new", &fields).await;
    let key = text(&page, ".secret code");
    assert!(key.starts_with("rk_"), "{key}");
    let page = browser.get("/account").await;
    assert!(page.body.contains("nightly") && !page.body.contains(&key));
    let page = browser.submit(&page, "/account/keys/revoke", &[]).await;
    assert!(!page.body.contains("nightly"));
}

#[tokio::test]
async fn an_estate_is_planned_confirmed_and_applied() {
    let world = World::new().await;
    let (mut browser, _) = signed_in(&world, "ada", &["administrator"]).await;
    let page = browser.get("/estate/plan").await;
    let wrong = world::ESTATE.replace("to = \"shop\"", "to = \"shpo\"");
    let page = browser
        .submit(&page, "/estate/plan", &[("source", &wrong)])
        .await;
    assert!(
        text(&page, "tr.marked.error .note").contains("shpo"),
        "{}",
        page.body
    );
    let source = format!("{}\n[[zone]]\nname = \"data\"\n", world::ESTATE).replace('\n', "\r\n");
    let page = browser
        .submit(&page, "/estate/plan", &[("source", &source)])
        .await;
    assert!(text(&page, ".changes").contains("data"), "{}", page.body);
    let page = browser
        .submit(&page, "/estate/apply", &[("typed", "yes")])
        .await;
    assert!(page.body.contains("Not applied"), "{}", page.body);
    let page = browser
        .submit(&page, "/estate/plan", &[("source", &source)])
        .await;
    let page = browser
        .submit(&page, "/estate/apply", &[("typed", "apply 2")])
        .await;
    assert!(text(&page, ".state").contains("Version 2"), "{}", page.body);
}

#[tokio::test]
async fn assets_are_kept_for_ever_and_only_under_their_hash() {
    let world = World::new().await;
    let mut browser = Browser::new(&world);
    let links = crate::assets::links();
    for address in [&links.css, &links.js, &links.favicon] {
        let answered = browser.get(address).await;
        assert_eq!(answered.status, StatusCode::OK);
        let cache = answered.headers[header::CACHE_CONTROL].to_str().unwrap();
        assert!(cache.contains("immutable"));
    }
    assert_eq!(
        browser.get("/assets/console.css").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_local_peer_and_none_at_all_get_no_page() {
    let world = World::new().await;
    let router = crate::router(world.services.clone());
    let local = request(api::Peer::Local { uid: 0 }, Method::GET, "/")
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(
        send(&router, local).await.status,
        StatusCode::MISDIRECTED_REQUEST
    );
    let none = http::Request::get("/")
        .body(axum::body::Body::empty())
        .unwrap();
    assert_eq!(
        send(&router, none).await.status,
        StatusCode::MISDIRECTED_REQUEST
    );
}
