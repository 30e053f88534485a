//! Compose and OpenAPI.

use super::{Folder, of_case, of_text, told};
use crate::{Error, Input, Kind, adopt};

macro_rules! cases {
    ($($name:ident: $case:literal, $file:literal;)*) => {$(
        #[test]
        fn $name() {
            let adopted = of_case($case, "/srv/app", $file).unwrap();
            insta::assert_snapshot!(stringify!($name), told(&adopted));
        }
    )*};
}

cases! {
    compose_stack: "compose/stack", "compose.yaml";
    compose_traefik: "compose/traefik", "docker-compose.yml";
    compose_extended: "compose/extended", "compose.yaml";
    openapi_orders: "openapi/orders", "openapi.yaml";
    openapi_bad: "openapi/bad", "openapi.yaml";
}

#[test]
fn stores_are_never_put_on_the_road() {
    for image in [
        "postgres",
        "docker.io/library/postgres:16@sha256:aa",
        "bitnami/redis:7",
        "mysql:8",
        "mcr.microsoft.com/mssql/server:2022",
        "postgis/postgis",
        "mongo",
    ] {
        let text = format!(
            "services:\n  db:\n    image: {image}\n    ports: ['5000:5000']\n  \
             app:\n    image: a\n    ports: ['127.0.0.1:80:80']\n"
        );
        let adopted = of_text(Kind::Compose, "compose.yaml", &text).unwrap();
        assert!(!adopted.estate.contains("5000"), "{image}");
        let listed = adopted
            .left
            .iter()
            .any(|note| note.guards && note.what.starts_with("db "));
        assert!(listed, "{image}: {:?}", adopted.left);
    }
}

#[test]
fn values_of_the_environment_are_not_repeated() {
    let text = "services:\n  app:\n    image: a\n    ports: ['127.0.0.1:80:80']\n    \
                environment: [SECRET=hunter2]\n    labels: ['traefik.http.middlewares.m.basicauth.users=u:hunter2']\n";
    let adopted = of_text(Kind::Compose, "compose.yaml", text).unwrap();
    assert!(!told(&adopted).contains("hunter2"));
}

#[test]
fn a_middleware_that_is_not_there_lets_nobody_in() {
    let text = "services:\n  app:\n    image: a\n    labels:\n      \
                traefik.http.routers.r.rule: Host(`a.example`)\n      \
                traefik.http.routers.r.middlewares: sso@file\n      \
                traefik.http.services.r.loadbalancer.server.port: 80\n";
    let adopted = of_text(Kind::Compose, "compose.yaml", text).unwrap();
    assert!(adopted.estate.contains("require = "), "{}", adopted.estate);
}

#[test]
fn a_guard_that_a_route_cannot_say_is_listed_as_one() {
    let text = "services:\n  app:\n    image: a\n    labels:\n      \
                traefik.http.routers.r.rule: Host(`a.example`) && PathRegexp(`^/admin`)\n      \
                traefik.http.routers.r.middlewares: m\n      \
                traefik.http.middlewares.m.basicauth.users: u\n      \
                traefik.http.routers.o.rule: Host(`a.example`)\n      \
                traefik.http.services.r.loadbalancer.server.port: 80\n";
    let adopted = of_text(Kind::Compose, "compose.yaml", text).unwrap();
    let first = adopted.left.first().unwrap();
    assert!(
        first.guards && first.what.contains("PathRegexp"),
        "{first:?}"
    );
    let text = "a.example {\n @x path_regexp ^/admin\n handle @x {\n basic_auth {\n u p\n }\n \
                reverse_proxy b:1\n }\n reverse_proxy c:1\n}\n";
    let adopted = of_text(Kind::Caddy, "Caddyfile", text).unwrap();
    let first = adopted.left.first().unwrap();
    assert!(
        first.guards && first.what.contains("handle @x"),
        "{first:?}"
    );
}

#[test]
fn what_is_no_document_is_refused_with_its_place() {
    for (kind, text, expected) in [
        (Kind::Compose, "a: b\n", "x.yaml:1: there is no `services`"),
        (
            Kind::Openapi,
            "swagger: '2.0'\n",
            "x.yaml:1: there is no `openapi: 3…`",
        ),
    ] {
        match of_text(kind, "x.yaml", text) {
            Err(error @ Error::Syntax { .. }) => assert_eq!(error.to_string(), expected),
            other => panic!("{text}: {other:?}"),
        }
    }
    let text = "services:\n  a: &a\n    extends: b\n  b:\n    extends: a\n";
    assert!(matches!(
        of_text(Kind::Compose, "x.yaml", text),
        Err(Error::Limit { .. })
    ));
}

fn fuzzed(kind: Kind, cases: &[(&str, &str)], words: &[&[u8]]) {
    let corpus: Vec<Vec<u8>> = cases
        .iter()
        .map(|(case, file)| std::fs::read(super::testdata().join(case).join(file)).unwrap())
        .collect();
    testkit::fuzz(1_500, &corpus, words, |bytes| {
        let input = Input {
            name: "x.yaml",
            bytes,
            folder: "/srv/app",
            estate: "acme",
            beside: Some("x.yaml"),
        };
        match adopt(&input, Some(kind), &Folder::default()) {
            Ok(adopted) => drop(told(&adopted)),
            Err(Error::Draft { estate, findings }) => panic!("{findings:?}\n{estate}"),
            Err(_) => {}
        }
    });
}

#[test]
fn fuzz_compose_files_become_estates_or_are_refused() {
    let words: &[&[u8]] = &[
        b"services:\n",
        b"ports:\n",
        b"- \"1:1\"\n",
        b"labels:\n",
        b"extends: web\n",
        b"<<: *a\n",
        b"&a ",
        b"*a",
        b"${X:-1}",
        b"$",
        b"traefik.http.routers.a.rule=Host(`a.example`)\n",
        b"PathPrefix(`/`)",
        b"&&",
        b"||",
        b"!",
        b"(",
        b")",
        b"`",
        b"stripprefix.prefixes=/a",
        b"0",
        b"65536",
        b"[::1]:1:1",
        b"image: postgres\n",
        b"/../",
        b"localhost",
    ];
    let cases = [
        ("compose/stack", "compose.yaml"),
        ("compose/traefik", "docker-compose.yml"),
        ("compose/extended", "compose.yaml"),
    ];
    fuzzed(Kind::Compose, &cases, words);
}

#[test]
fn fuzz_documents_become_estates_or_are_refused() {
    let words: &[&[u8]] = &[
        b"servers:\n",
        b"url: ",
        b"http://",
        b"https://a.example",
        b"{x}",
        b"/../",
        b"default: a\n",
        b"securitySchemes:\n",
        b"openapi: 3.0.0\n",
        b"%",
        b"[::1]",
        b":0",
        b"*",
        b"rampart.",
    ];
    let cases = [
        ("openapi/orders", "openapi.yaml"),
        ("openapi/bad", "openapi.yaml"),
    ];
    fuzzed(Kind::Openapi, &cases, words);
}
