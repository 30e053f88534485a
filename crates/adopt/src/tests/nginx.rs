use super::{of_case, of_text, told};
use crate::{Error, Kind};

fn case(name: &str) {
    let adopted = of_case(&format!("nginx/{name}"), "/etc/nginx", "nginx.conf").unwrap();
    insta::assert_snapshot!(format!("nginx_{name}"), told(&adopted));
}

macro_rules! cases {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            case(stringify!($name));
        }
    )*};
}

cases!(rails django services node grpc tls balance odd);

fn server(inside: &str) -> String {
    format!("server {{ listen 80; server_name a.example; {inside} }}")
}

#[test]
fn a_file_that_is_no_configuration_is_refused_with_its_place() {
    for (text, expected) in [
        (
            "server {\n listen 80;\n",
            "x.conf:1: this block is never closed",
        ),
        ("server }\n", "x.conf:1: `}` closes nothing"),
        ("a;\n;\n", "x.conf:2: a directive has no name"),
        ("a \"b\n\n", "x.conf:1: a quoted text does not end"),
        (
            "a 'b'c;",
            "x.conf:1: something follows a quoted text at once",
        ),
        (
            "server { a }",
            "x.conf:1: a directive does not end before `}`",
        ),
        ("a b", "x.conf:1: a directive does not end"),
        (
            "server {\n location / {\n content_by_lua_block { if x then } }\n }\n}",
            "x.conf:3: `content_by_lua_block` holds a program in another language",
        ),
    ] {
        match of_text(Kind::Nginx, "x.conf", text) {
            Err(error @ Error::Syntax { .. }) => assert_eq!(error.to_string(), expected),
            other => panic!("{text}: {other:?}"),
        }
    }
    let deep = "a {".repeat(100);
    assert!(of_text(Kind::Nginx, "x.conf", &deep).is_err());
}

#[test]
fn every_directive_is_carried_or_listed() {
    for (name, inside) in [
        (
            "frobnicate",
            "location / { proxy_pass http://10.0.0.1; frobnicate on; }",
        ),
        (
            "frobnicate",
            "frobnicate { deeply { nested on; } } location / { proxy_pass http://10.0.0.1; }",
        ),
        (
            "location /x/",
            "location / { proxy_pass http://10.0.0.1; } location /x/ { slice 1m; }",
        ),
        (
            "auth_jwt_key_file",
            "location / { proxy_pass http://10.0.0.1; auth_jwt_key_file k; }",
        ),
        (
            "modsecurity",
            "modsecurity on; location / { proxy_pass http://10.0.0.1; }",
        ),
    ] {
        let adopted = of_text(Kind::Nginx, "x.conf", &server(inside)).unwrap();
        let found = adopted.left.iter().any(|note| note.what.starts_with(name));
        assert!(found, "{name}: {:?}", adopted.left);
    }
}

#[test]
fn a_guard_is_never_dropped() {
    for guard in [
        "auth_basic on;",
        "auth_request /x;",
        "allow 10.0.0.1; deny all;",
        "deny all;",
        "internal;",
        "return 403;",
        "limit_except GET { deny all; }",
        "satisfy any; deny all; auth_basic x;",
    ] {
        let inside = format!(
            "location / {{ proxy_pass http://10.0.0.1; }} \
             location /in/ {{ {guard} proxy_pass http://10.0.0.1; }}"
        );
        let adopted = of_text(Kind::Nginx, "x.conf", &server(&inside)).unwrap();
        let parsed = estate::Estate::parse(&adopted.estate).unwrap().estate;
        let route = parsed
            .routes
            .iter()
            .find(|route| route.path.to_string() == "/in/**")
            .unwrap_or_else(|| panic!("{guard}"));
        assert_eq!(route.auth, estate::Auth::Required, "{guard}");
        assert_eq!(route.modes.authorise, estate::Mode::Block, "{guard}");
    }
}

#[test]
fn guards_around_a_location_hold_within_it() {
    let text = "http { deny all; server { listen 80; server_name a.example; auth_basic x; \
                location / { proxy_pass http://10.0.0.1; } \
                location /open/ { auth_basic off; allow all; proxy_pass http://10.0.0.1; } } }";
    let adopted = of_text(Kind::Nginx, "x.conf", text).unwrap();
    let parsed = estate::Estate::parse(&adopted.estate).unwrap().estate;
    let auth: Vec<(String, estate::Auth)> = parsed
        .routes
        .iter()
        .map(|route| (route.path.to_string(), route.auth))
        .collect();
    assert_eq!(auth, [("/open/**".to_owned(), estate::Auth::Pass)]);
}

#[test]
fn rates_are_what_the_leaky_bucket_lets_through() {
    for (zone, limit, expected) in [
        ("rate=10r/s", "burst=20", "21/2100ms per address"),
        ("rate=10r/s", "burst=9", "10/s per address"),
        ("rate=1r/s", "", "1/s per address"),
        ("rate=30r/m", "burst=5", "6/12s per address"),
        ("rate=60r/m", "burst=59", "60/min per address"),
    ] {
        let text = format!(
            "limit_req_zone $binary_remote_addr zone=z:1m {zone}; {}",
            server(&format!(
                "location / {{ limit_req zone=z {limit}; proxy_pass http://10.0.0.1; }}"
            ))
        );
        let adopted = of_text(Kind::Nginx, "x.conf", &text).unwrap();
        let line = format!("limit = \"{expected}\"");
        assert!(adopted.estate.contains(&line), "{line}: {}", adopted.estate);
        assert!(adopted.estate.contains("mode = { limits = \"block\""));
    }
}

#[test]
fn a_streamed_route_keeps_its_limit() {
    let text = format!(
        "limit_req_zone $binary_remote_addr zone=z:1m rate=1r/s; {}",
        server(
            "location / { limit_req zone=z; proxy_request_buffering off; proxy_pass http://10.0.0.1; }"
        )
    );
    let adopted = of_text(Kind::Nginx, "x.conf", &text).unwrap();
    drop(told(&adopted));
    let parsed = estate::Estate::parse(&adopted.estate).unwrap().estate;
    assert_eq!(parsed.routes[0].modes.limits, estate::Mode::Block);
    assert_eq!(parsed.routes[0].modes.inspect, estate::Mode::Observe);
}

#[test]
fn nothing_to_put_a_gateway_before_is_said_with_its_reasons() {
    let text = server("location / { root /srv; }");
    match of_text(Kind::Nginx, "x.conf", &text) {
        Err(Error::Nothing { left, .. }) => assert!(!left.is_empty()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_certificate_is_for_names_that_one_may_be_for() {
    let text = "server { listen 443 ssl default_server; server_name a.b.example *.example www.b.* .b.example; \
                ssl_certificate c.pem; ssl_certificate_key c.key; location / { proxy_pass http://10.0.0.1; } }";
    let adopted = of_text(Kind::Nginx, "x.conf", text).unwrap();
    let line = "hosts = [\"a.b.example\", \"b.example\", \"*.b.example\"]";
    assert!(adopted.estate.contains(line), "{}", adopted.estate);
}

#[test]
fn secrets_do_not_reach_the_notes() {
    let inside = "location / { proxy_pass http://10.0.0.1; proxy_set_header Authorization \"Basic c2VjcmV0\"; \
                  proxy_set_header X-Key hunter2; }";
    let adopted = of_text(Kind::Nginx, "x.conf", &server(inside)).unwrap();
    let told = told(&adopted);
    assert!(
        !told.contains("c2VjcmV0") && !told.contains("hunter2"),
        "{told}"
    );
}

#[test]
fn fuzz_configurations_become_estates_or_are_refused() {
    let corpus: Vec<Vec<u8>> = ["rails", "services", "node", "tls", "balance", "odd"]
        .iter()
        .map(|name| {
            let path = super::testdata()
                .join("nginx")
                .join(name)
                .join("nginx.conf");
            std::fs::read(path).unwrap()
        })
        .collect();
    const WORDS: &[&[u8]] = &[
        b"server {",
        b"}",
        b"location / {",
        b"proxy_pass http://127.0.0.1:80;",
        b"listen 80;",
        b"server_name _;",
        b"deny all;",
        b"return 444;",
        b"default_server",
        b"ssl",
        b"location = /x {",
        b"location ~ x {",
        b"$x",
        b"\"",
        b"'",
        b"\\",
        b"#",
        b";;",
        b"include *;",
        b"upstream a {",
        b"try_files $uri @a;",
        b"location @a {",
        b"http {",
        b"listen unix:/x;",
        b"listen [::]:99999;",
        b"rate=0r/s",
        b"burst=99999999999999999999",
        b"18446744073709551615",
        b"proxy_pass http://a/;",
        b"/a/../b",
        b"%2e",
        b"auth_basic x;",
        b"server_name rampart.shop.example;",
        b"server_name localhost administrator;",
    ];
    testkit::fuzz(1_500, &corpus, WORDS, |bytes| {
        let input = crate::Input {
            name: "nginx.conf",
            bytes,
            folder: "/etc/nginx",
            estate: "acme",
            beside: None,
        };
        match crate::adopt(&input, Some(Kind::Nginx), &super::Folder::default()) {
            Ok(adopted) => drop(told(&adopted)),
            Err(Error::Draft { estate, findings }) => panic!("{findings:?}\n{estate}"),
            Err(_) => {}
        }
    });
}
