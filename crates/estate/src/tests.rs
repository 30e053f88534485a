use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::model::{Diagnostic, PermissionSet};
use proptest::prelude::*;

use super::*;
use crate::findings::FINDINGS_MAX;

fn testdata(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(part)
}

fn acme() -> String {
    std::fs::read_to_string(testdata("good/acme.toml")).unwrap()
}

fn good(source: &str) -> Estate {
    Estate::parse(source)
        .map_err(|list| show(&list, source))
        .unwrap()
        .estate
}

/// The smallest estate, with more text behind it.
fn small(more: &str) -> String {
    format!(
        "[estate]\nname = \"acme\"\ndomain = \"shop.example\"\n\
         [[service]]\nname = \"app\"\naddress = \"127.0.0.1:8000\"\n{more}"
    )
}

/// One line for each finding: place, level, code, message; what is marked; the hint.
fn show(list: &[Diagnostic], source: &str) -> String {
    let mut text = String::new();
    for finding in list {
        let place = finding.span.map_or_else(
            || "-".to_owned(),
            |span| {
                let (line, column) = span.position(source);
                format!("{line}:{column}")
            },
        );
        let level = if finding.is_error() {
            "error"
        } else {
            "warning"
        };
        writeln!(
            text,
            "{place} {level} [{}] {}",
            finding.code, finding.message
        )
        .unwrap();
        if let Some(span) = finding.span {
            let marked = source.get(span.start..span.end).unwrap();
            writeln!(
                text,
                "    at: {}",
                marked.lines().next().unwrap_or_default()
            )
            .unwrap();
        }
        if let Some(hint) = &finding.hint {
            writeln!(text, "    hint: {hint}").unwrap();
        }
    }
    text
}

#[test]
fn every_finding_of_every_bad_file_is_reported_at_its_place() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(testdata("findings"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    assert!(files.len() >= 11, "the folder is read");
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let shown = match Estate::parse(&source) {
            Ok(parsed) => {
                assert!(parsed.warnings.iter().all(|finding| !finding.is_error()));
                format!("accepted\n{}", show(&parsed.warnings, &source))
            }
            Err(list) => {
                assert!(list.iter().any(Diagnostic::is_error), "{name}");
                format!("refused\n{}", show(&list, &source))
            }
        };
        insta::with_settings!({
            snapshot_path => testdata("findings"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name, shown);
        });
    }
}

#[test]
fn everything_an_estate_can_say_is_read() {
    let estate = good(&acme());
    assert_eq!(estate.domain, "shop.acme.example");
    assert_eq!(estate.console.host, "console.shop.acme.example");
    assert_eq!(estate.listen.metrics, None);
    assert_eq!(estate.limits.per_address, None);
    assert_eq!(estate.gateway.trusted_proxies.len(), 2);
    let orders = &estate.services["orders"];
    let endpoints: Vec<String> = orders.endpoints.iter().map(ToString::to_string).collect();
    assert_eq!(endpoints, ["10.0.1.11:8080", "10.0.1.12:8080"]);
    assert_eq!(orders.audience, "orders");
    assert_eq!(estate.stores["orders-db"].port, Some(5432));
    let web = &estate.services["web"];
    assert_eq!(
        (web.port, web.hosts.len(), web.host_header),
        (8000, 0, HostHeader::Upstream)
    );
    let names: Vec<&str> = estate
        .routes
        .iter()
        .map(|route| route.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["orders", "www-root", "legacy-example-app-any-items"]
    );
    let route = &estate.routes[0];
    assert_eq!(route.host.as_deref(), Some("api.shop.acme.example"));
    assert_eq!(route.auth, Auth::Required);
    assert_eq!(route.limits.body_max.0, 64 * 1024);
    assert_eq!(route.limits.response_timeout, Duration::from_secs(5));
    assert_eq!(route.limits.head_timeout, estate.limits.head_timeout);
    assert_eq!(route.staleness_max, Duration::from_secs(600));
    assert_eq!(route.cors.as_ref().unwrap().headers, ["x-trace"]);
    assert_eq!(route.rates.len(), 2);
    assert_eq!(estate.routes[1].staleness_max, Duration::from_secs(7200));
    assert_eq!(estate.routes[2].host.as_deref(), Some("legacy.example"));
}

#[test]
fn observing_a_route_keeps_sign_in_and_permissions_enforced() {
    let modes = |mode: &str| {
        let route = format!("[[route]]\npath = \"/\"\nto = \"app\"\nrequire = \"a:b\"\n{mode}");
        good(&small(&route)).routes[0].modes
    };
    let all = Modes {
        authenticate: Mode::Block,
        authorise: Mode::Block,
        limits: Mode::Block,
        validate: Mode::Block,
        inspect: Mode::Block,
    };
    assert_eq!(modes(""), all);
    assert_eq!(modes("mode = \"block\""), all);
    let observed = Modes {
        limits: Mode::Observe,
        validate: Mode::Observe,
        inspect: Mode::Observe,
        ..all
    };
    assert_eq!(modes("mode = \"observe\""), observed);
    let named = Modes {
        authorise: Mode::Observe,
        ..all
    };
    assert_eq!(modes("mode = { authorise = \"observe\" }"), named);
}

#[test]
fn spans_of_a_route_mark_what_was_written() {
    let source = acme();
    let estate = good(&source);
    let route = &estate.routes[0];
    let marked = |key: &str| {
        let span = route.spans[key];
        source.get(span.start..span.end).unwrap()
    };
    assert_eq!(
        marked("require"),
        "{ GET = \"orders:read\", POST = \"orders:create\" }"
    );
    assert_eq!(marked("path"), "\"/orders/**\"");
    let whole = source.get(route.span.start..route.span.end).unwrap();
    assert!(whole.starts_with("[[route]]"), "{whole}");
    assert!(whole.ends_with("staleness_max = \"10m\""), "{whole}");
    let role = estate.roles["buyer"].span;
    assert!(
        source
            .get(role.start..role.end)
            .unwrap()
            .contains("orders:*")
    );
}

#[test]
fn roles_add_up_and_unknown_ones_give_nothing() {
    let estate = good(&acme());
    let names = |list: &[&str]| {
        list.iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let resolved = estate.resolve_roles(&names(&["buyer", "gone"]), &names(&["staff", "gone"]));
    assert_eq!(resolved, ["auditor", "buyer", "support"]);
    let held = estate.role_permissions(&resolved);
    for permission in [
        "orders:create",
        "rampart.gateway:read",
        "rampart.trail:read",
    ] {
        assert!(held.allows(&permission.parse().unwrap()), "{permission}");
    }
    assert!(!held.allows(&"rampart.estate:apply".parse().unwrap()));
    assert_eq!(
        estate.role_permissions(&names(&["gone"])),
        PermissionSet::empty()
    );
}

#[test]
fn files_beyond_the_limits_are_refused() {
    let long = format!("{}#{}", small(""), "x".repeat(1 << 20));
    let list = Estate::parse(&long).unwrap_err();
    assert_eq!(list[0].code, "estate.too_large");

    let deep = format!("a = {}{}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(Estate::parse(&deep).unwrap_err()[0].code, "estate.syntax");

    let routes = "[[route]]\n".repeat(10_001);
    let list = Estate::parse(&small(&routes)).unwrap_err();
    assert!(list.iter().any(|finding| finding.code == "estate.too_many"));
    assert!(list.len() <= FINDINGS_MAX + 1);
}

#[test]
fn ten_thousand_routes_are_an_estate() {
    let mut routes = String::new();
    for n in 0..10_000 {
        writeln!(
            routes,
            "[[route]]\npath=\"/{n}\"\nto=\"app\"\nrequire=\"a:b\""
        )
        .unwrap();
    }
    let estate = good(&small(&routes));
    assert_eq!(estate.routes.len(), 10_000);
    assert_eq!(estate.routes[9_999].name, "9999");
}

#[test]
fn many_errors_are_counted_not_listed() {
    let bad = "[[route]]\npath = \"x\"\nto = \"ap\"\n".repeat(500);
    let list = Estate::parse(&small(&bad)).unwrap_err();
    assert_eq!(list.len(), FINDINGS_MAX + 1);
    assert_eq!(list.last().unwrap().code, "estate.too_many_errors");
}

#[test]
fn messages_carry_no_control_characters() {
    let source =
        small("\"\\u001b[2J\" = 1\n[[role]]\nname = \"a\\u0007\"\nallow = [\"\\u001b:x\"]\n");
    let list = Estate::parse(&source).unwrap_err();
    assert!(list.len() >= 2);
    for finding in list {
        let text = format!("{}{}", finding.message, finding.hint.unwrap_or_default());
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}

#[test]
fn made_route_names_are_short_and_differ() {
    let long = "a".repeat(100);
    let source = small(&format!(
        "[[route]]\npath = \"/{long}/b\"\nto = \"app\"\nauth = \"none\"\n\
         [[route]]\npath = \"/{long}/c\"\nto = \"app\"\nauth = \"none\"\n"
    ));
    let estate = good(&source);
    let [first, second] = estate.routes.as_slice() else {
        panic!("two routes")
    };
    assert_ne!(first.name, second.name);
    assert_eq!(first.name.len(), 63);
}

/// Places where an estate is cut, doubled or replaced.
fn edit(source: &str, at: usize, with: &str, len: usize) -> String {
    let floor = |mut at: usize| {
        at = at.min(source.len());
        while !source.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(at);
    let end = floor(start + len);
    let part = |range| source.get::<std::ops::Range<usize>>(range).unwrap();
    format!("{}{with}{}", part(0..start), part(end..source.len()))
}

fn holds_together(source: &str) {
    match Estate::parse(source) {
        Ok(parsed) => {
            assert!(
                parsed.warnings.iter().all(|finding| !finding.is_error()),
                "{source}"
            );
            for route in &parsed.estate.routes {
                assert_ne!(
                    route.host.as_deref(),
                    Some(parsed.estate.console.host.as_str())
                );
                let open = matches!(route.auth, Auth::None | Auth::Pass | Auth::Optional);
                assert!(open || route.require != Require::Nothing, "{source}");
                assert!(parsed.estate.services.contains_key(&route.to), "{source}");
            }
            assert!(diff(&parsed.estate, &parsed.estate).is_empty());
            origins(source).unwrap();
        }
        Err(list) => {
            assert!(list.iter().any(Diagnostic::is_error), "{source}");
            for finding in list {
                if let Some(span) = finding.span {
                    assert!(
                        span.start <= span.end && span.end <= source.len(),
                        "{source}"
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        holds_together(&text);
    }

    #[test]
    fn no_toml_makes_the_parser_panic(
        key in "(estate|listen|console|gateway|route|service|role|limits|certificate|acme)",
        inner in "[a-z_]{1,20}",
        value in "(1|true|\"[^\"\\\\\\x00-\\x1f]{0,20}\"|\\[\\]|\\[\\[1\\]\\]|\\{\\}|\\{a = \\{b = 1\\}\\}|1.5|1979-05-27)",
    ) {
        holds_together(&format!("[{key}]\n{inner} = {value}\n"));
        holds_together(&format!("[[{key}]]\n{inner} = {value}\n"));
        holds_together(&format!("{key} = {value}\n"));
    }

    #[test]
    fn an_edited_good_file_is_either_good_or_refused(
        at in 0usize..4000,
        len in 0usize..40,
        with in "(|x|\"|\\[|\\]|=|\n|\\{|#|\u{e9}|none|observe|app)",
    ) {
        holds_together(&edit(&acme(), at, &with, len));
    }

    #[test]
    fn every_pattern_that_parses_prints_itself(text in "(/[a-z*.%0-9A-F~-]{0,4}){1,5}") {
        if let Ok(pattern) = PathPattern::parse(&text) {
            prop_assert_eq!(pattern.to_string(), text);
            prop_assert!(pattern.covers(&pattern));
        }
    }
}

#[test]
fn suggestions_stop_before_they_cost_too_much() {
    let mut source = small("");
    for n in 0..9000 {
        writeln!(
            source,
            "[[service]]\nname=\"service-{n:05}\"\naddress=\"10.0.0.1:80\"\nneeds=[\"servise-{n:05}\"]"
        )
        .unwrap();
    }
    let list = Estate::parse(&source).unwrap_err();
    let hinted = list.iter().filter(|finding| finding.hint.is_some()).count();
    assert_eq!(
        list[0].hint.as_deref(),
        Some("did you mean `service-00000`?")
    );
    assert!(hinted < 10, "{hinted}");
    assert_eq!(list.len(), FINDINGS_MAX + 1);
}

#[test]
fn how_a_service_is_reached_is_read_whole() {
    let estate = good(
        r#"
        [estate]
        name = "acme"
        domain = "acme.example"
        [[service]]
        name = "orders"
        addresses = ["10.0.1.11:8080", "orders.internal:8081"]
        protocol = "https"
        tls_certificate = "gw.pem"
        tls_key = "gw.key"
        resolve = { every = "30s", allow = ["169.254.1.0/24"] }
        health = { path = "/healthz", every = "2s", expect = "200, 204-206", none_healthy = "refuse" }
        outliers = { on = ["connect", "503"], failures = 5, share_max = "30%" }
        balance = { hash = "header:X-Tenant" }
        retries = { max = 0 }
        breaker = { failures = "25%" }
        capacity = { requests = 10, waiting = 5 }
        timeouts = { answer = "10m" }
        slow_start = "30s"
        "#,
    );
    let orders = &estate.services["orders"];
    assert_eq!((orders.endpoints.len(), orders.port), (1, 8080));
    assert_eq!(orders.named[0].to_string(), "orders.internal:8081");
    let reach = &orders.reach;
    assert_eq!(
        reach.balance,
        Balance::Hash(HashKey::Header("x-tenant".to_owned()))
    );
    let health = reach.health.as_ref().unwrap();
    assert_eq!((health.rise, health.fall), (2, 3));
    assert_eq!(health.none_healthy, NoneHealthy::Refuse);
    assert!(health.expect.contain(205) && !health.expect.contain(201));
    assert_eq!(reach.outliers.on, [Failure::Connect, Failure::Status(503)]);
    assert_eq!((reach.retries.max, reach.retries.budget), (0, Percent(20)));
    assert_eq!(reach.breaker.as_ref().unwrap().requests_min, 20);
    assert_eq!(reach.capacity.requests, Some(10));
    assert_eq!(reach.timeouts.send.as_secs(), 30);
    assert_eq!(reach.slow_start.unwrap().as_secs(), 30);
}

#[test]
fn what_holds_where_nothing_is_said_is_what_the_table_of_fields_says() {
    let estate = good(
        "[estate]\nname = \"acme\"\ndomain = \"acme.example\"\n[[service]]\nname = \"web\"\n\
         address = \"127.0.0.1:8000\"\n",
    );
    assert_eq!(estate.services["web"].reach, Reach::default());
}
