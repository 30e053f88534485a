//! The same requests to a real nginx or Caddy and to Rampart with the estate that was drafted from
//! its own configuration, both before the same backends. What differs must have been said.

mod pair;
mod sites;

use pair::{Pair, Wanted::*};

/// A request of a table.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) host: &'static str,
    pub(crate) target: &'static str,
    pub(crate) header: Option<(&'static str, &'static str)>,
    pub(crate) body_bytes: usize,
}

const fn get(host: &'static str, target: &'static str) -> Ask {
    Ask {
        method: "GET",
        host,
        target,
        header: None,
        body_bytes: 0,
    }
}

const fn post(host: &'static str, target: &'static str, body_bytes: usize) -> Ask {
    Ask {
        method: "POST",
        body_bytes,
        ..get(host, target)
    }
}

const fn with(ask: Ask, name: &'static str, value: &'static str) -> Ask {
    Ask {
        header: Some((name, value)),
        ..ask
    }
}

const SEGMENTS: &str = "a route matches whole segments";
const ITSELF: &str = "a route for `/api/` is one for `/api` too";
const SLASH: &str = "a slash at the end of a path makes no difference";
const ASKS: &str = "asks for a permission instead";
const SPELLING: &str = "one spelling";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_under_prefixes_get_what_nginx_gave_them() {
    let Some(mut pair) = Pair::start(sites::SERVICES).await else {
        return;
    };
    let h = "api.acme.example";
    for (ask, wanted) in [
        (get(h, "/orders/1"), Same),
        (get(h, "/orders/"), Same),
        (get(h, "/orders/a%20b/c?x=1&y=%2F"), Same),
        (get(h, "/orders"), Differs(ITSELF)),
        (get(h, "/billing"), Same),
        (get(h, "/billing/"), Same),
        (get(h, "/billing/x?q"), Same),
        (get(h, "/billings"), Differs(SEGMENTS)),
        (post(h, "/billing/x", 1000), Same),
        (post(h, "/billing/x", 2 << 20), Same),
        (get(h, "/users/7"), Same),
        (get(h, "/users/me"), Same),
        (get(h, "/users/me/"), Differs(SLASH)),
        (get(h, "/users/internal/x"), Same),
        (get(h, "/users"), Differs(ITSELF)),
        (get(h, "/v1/search/q?a=b"), Same),
        (get(h, "/v1/other"), Same),
        (get(h, "/reports"), Same),
        (get(h, "/reports/x"), Differs("two slashes")),
        (get(h, "/legacy/a/b?c"), Same),
        (get(h, "/status"), Differs("puts nothing in its place")),
        (post(h, "/upload/x", 2 << 20), Same),
        (get(h, "/export/csv"), Differs("no regular expressions")),
        (get(h, "/.git/config"), Same),
        (get(h, "/dyn/x"), Same),
        (get(h, "/pick/x"), Differs("depends on the request")),
        (get(h, "/php/x"), Differs("FastCGI")),
        (get(h, "/"), Same),
        (get(h, "/nothing"), Same),
        (
            get("other.example", "/billing"),
            Differs("names that no server has"),
        ),
        (get(h, "/billing/./x"), Differs(SPELLING)),
        (get(h, "/billing//x"), Differs(SPELLING)),
    ] {
        pair.ask(ask, wanted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_with_guards_lets_nobody_in_whom_nginx_kept_out() {
    let Some(mut pair) = Pair::start(sites::NODE).await else {
        return;
    };
    let h = "app.example";
    for (ask, wanted) in [
        (get(h, "/"), Same),
        (get(h, "/page?x"), Same),
        (get(h, "/events"), Same),
        (get(h, "/events/1"), Same),
        (get(h, "/eventsource"), Same),
        (get(h, "/admin"), Same),
        (get(h, "/admin/x"), Same),
        (get(h, "/metrics"), Same),
        (get(h, "/private/x"), Differs(ASKS)),
        (get(h, "/check"), Same),
        (get(h, "/uploads/x"), Differs(ASKS)),
        (post(h, "/uploads/x", 10), Same),
        (
            with(get(h, "/"), "user-agent", "curl/8"),
            Differs("no condition over a request"),
        ),
    ] {
        pair.ask(ask, wanted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_default_site_of_several_files_limits_as_nginx_did() {
    let Some(mut pair) = Pair::start(sites::DJANGO).await else {
        return;
    };
    let h = "portal.example";
    for (ask, wanted) in [
        (get(h, "/"), Same),
        (get("anything.example", "/x"), Same),
        (get(h, "/static/site.css"), Same),
        (get(h, "/media/a"), Same),
        (get(h, "/favicon.ico"), Same),
        (get(h, "/api/x"), Same),
        (get(h, "/admin/"), Differs("by permission, not by address")),
        (get(h, "/internal/x"), Same),
        (post(h, "/api/x", 2 << 20), Same),
        (get(h, "/accounts/login"), Differs(ITSELF)),
    ] {
        pair.ask(ask, wanted).await;
    }
    // One request was taken above by Rampart alone: the burst of both is told apart by count.
    let mut passed = [0, 0];
    for _ in 0..8 {
        let (nginx, rampart) = pair.both(get(h, "/accounts/login/")).await;
        for (count, one) in passed.iter_mut().zip([&nginx, &rampart]) {
            match one.status {
                200 => *count += 1,
                429 => {}
                other => panic!("{other}"),
            }
        }
    }
    assert_eq!(
        passed,
        [4, 3],
        "nginx lets four through at once, Rampart too"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_names_paths_and_nests_lead_where_nginx_led_them() {
    let Some(mut pair) = Pair::start(sites::ODD).await else {
        return;
    };
    let h = "odd.example";
    for (ask, wanted) in [
        (get(h, "/"), Same),
        (get("odd2.example", "/x"), Same),
        (get("ODD.example", "/x"), Same),
        (get(h, "/with%20space/x"), Same),
        (get(h, "/umlaut/%C3%BC/x"), Same),
        (get(h, "/umlaut/%c3%bc/x"), Differs(SPELLING)),
        (get(h, "/a"), Same),
        (get(h, "/a/"), Differs(SLASH)),
        (get(h, "/a/x"), Same),
        (get(h, "/ab"), Differs(SEGMENTS)),
        (get(h, "/one/x"), Same),
        (get(h, "/one/deep/x"), Same),
        (get(h, "/one/deep/er/x"), Same),
        (get(h, "/.rampart/x"), Differs("the gateway's own")),
    ] {
        pair.ask(ask, wanted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_of_addresses_are_asked_as_nginx_asked_them() {
    let Some(mut pair) = Pair::start(sites::BALANCED).await else {
        return;
    };
    let h = "lb.example";
    for round in 0..6 {
        for (ask, wanted) in [
            (get(h, "/pair/x"), Same),
            (get(h, "/half/x"), Same),
            (get(h, "/spare/x"), Same),
            (get(h, "/dead/x"), Same),
            (get(h, "/own/x"), Same),
        ] {
            if round == 0 || !ask.target.starts_with("/dead") {
                pair.ask(ask, wanted).await;
            }
        }
    }
    // A tenant always gets the same address, whichever that is.
    let mut seen = std::collections::BTreeMap::new();
    for tenant in ["a", "b", "c", "d", "e", "f"] {
        for _ in 0..3 {
            let (_, rampart) = pair
                .both(with(get(h, "/hashed/x"), "x-tenant", tenant))
                .await;
            let port = rampart.port.unwrap();
            assert_eq!(*seen.entry(tenant).or_insert(port), port);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_hosts_over_tls_are_told_apart_as_nginx_did() {
    let Some(mut pair) = Pair::start(sites::TLS).await else {
        return;
    };
    for (ask, wanted) in [
        (get("one.example", "/x"), Same),
        (get("two.example", "/v1/x"), Same),
        (get("two.example", "/other"), Same),
    ] {
        pair.ask_over_tls(ask, wanted).await;
    }
    // In clear, both redirect.
    pair.ask(get("one.example", "/x?y"), Same).await;
    pair.ask(get("two.example", "/v1/x"), Same).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_of_a_caddyfile_lead_where_caddy_led_them() {
    let Some(mut pair) = Pair::start(sites::CADDY).await else {
        return;
    };
    let h = "shop.example";
    const BELOW: &str = "a route for `/api/*` is one for `/api` too";
    const EMPTY: &str = "an empty answer from Caddy";
    for (ask, wanted) in [
        (get(h, "/"), Same),
        (get(h, "/page?x=1"), Same),
        (get(h, "/assets/site.css"), Same),
        (get(h, "/favicon.ico"), Same),
        (get(h, "/api/x?y"), Same),
        (get(h, "/api/"), Same),
        (get(h, "/api"), Differs(BELOW)),
        (get(h, "/api/raw/x"), Same),
        (get(h, "/v1/users/1"), Same),
        (get(h, "/v1/orders/1"), Same),
        (get(h, "/in/x"), Same),
        (get(h, "/in"), Differs(BELOW)),
        (get(h, "/api2/v2/x"), Same),
        (get(h, "/api2/z"), Same),
        (get(h, "/internal/x"), Same),
        (get(h, "/old"), Differs("answers nothing in place")),
        (post(h, "/page", 1000), Same),
        (get("other.example", "/x/1"), Same),
        (get("other.example", "/x/z/1"), Same),
        (get("other.example", "/y"), Same),
        (get("closed.example", "/"), Same),
        (get("few.example", "/only/x"), Same),
        (post("few.example", "/only/x", 1), Differs("method POST")),
        (get("few.example", "/else"), Differs(EMPTY)),
        (get("unknown.example", "/"), Differs(EMPTY)),
    ] {
        pair.ask(ask, wanted).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_of_rails_gets_over_tls_what_it_got_from_nginx() {
    let Some(mut pair) = Pair::start(sites::RAILS).await else {
        return;
    };
    let h = "shop.example";
    for ask in [
        get(h, "/"),
        get(h, "/orders/1?x=y"),
        get(h, "/cable"),
        get(h, "/cables"),
        get(h, "/assets/site.css"),
        get(h, "/500.html"),
    ] {
        pair.ask_over_tls(ask, Same).await;
    }
    // In clear, both redirect.
    pair.ask(get(h, "/orders"), Same).await;
    pair.ask(get("www.shop.example", "/"), Same).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_is_opened_where_nginx_opened_it() {
    let Some(mut pair) = Pair::start(sites::SOCKETS).await else {
        return;
    };
    assert_eq!(pair.sockets("live.example", "/live/x").await, [true, true]);
    assert_eq!(pair.sockets("live.example", "/x").await, [false, false]);
    pair.ask(get("live.example", "/x"), Same).await;
}
