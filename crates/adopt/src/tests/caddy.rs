use super::{of_case, of_text, told};
use crate::{Error, Kind};

fn case(name: &str) {
    let adopted = of_case(&format!("caddy/{name}"), "/etc/caddy", "Caddyfile").unwrap();
    insta::assert_snapshot!(format!("caddy_{name}"), told(&adopted));
}

#[test]
fn site() {
    case("site");
}

#[test]
fn services() {
    case("services");
}

#[test]
fn a_file_that_is_no_caddyfile_is_refused_with_its_place() {
    for (text, expected) in [
        (
            "a.example {\n reverse_proxy b:1\n",
            "Caddyfile:1: this block is never closed",
        ),
        ("}\n", "Caddyfile:1: `}` closes nothing"),
        (
            "a.example {\n respond \"x\n}",
            "Caddyfile:2: a quoted text does not end",
        ),
        (
            "a.example {\n respond <<END\n x\n}\n",
            "Caddyfile:2: a text that `<<` begins does not end",
        ),
    ] {
        match of_text(Kind::Caddy, "Caddyfile", text) {
            Err(error @ Error::Syntax { .. }) => assert_eq!(error.to_string(), expected),
            other => panic!("{text}: {other:?}"),
        }
    }
}

fn routes(text: &str) -> Vec<String> {
    let adopted = of_text(Kind::Caddy, "Caddyfile", text).unwrap();
    let parsed = estate::Estate::parse(&adopted.estate).unwrap().estate;
    let mut all: Vec<String> = parsed
        .routes
        .iter()
        .map(|route| {
            let open = route.auth == estate::Auth::Pass;
            let strip = route.strip_prefix.clone().unwrap_or_default();
            format!(
                "{} {} {strip}{}",
                route.path,
                route.to,
                if open { "" } else { "!" }
            )
        })
        .collect();
    all.sort();
    all
}

#[test]
fn what_caddy_asks_first_takes_its_paths_from_what_comes_after() {
    for (inside, expected) in [
        // Sorted: `respond` before `reverse_proxy`, whatever the order of lines.
        (
            "reverse_proxy /api/v2/* two:1\n respond /api/* 403\n reverse_proxy one:1",
            &["/** one ", "/api/** one !"][..],
        ),
        // `handle` before `reverse_proxy`; the longest path first.
        (
            "reverse_proxy last:1\n handle /a/* {\n reverse_proxy a:1\n }\n handle /a/b/* {\n reverse_proxy b:1\n }",
            &["/** last ", "/a/** a ", "/a/b/** b "],
        ),
        // Within `route`, the file's order.
        (
            "route {\n reverse_proxy /x/* x:1\n reverse_proxy y:1\n reverse_proxy /x/z/* z:1\n }",
            &["/** y ", "/x/** x "],
        ),
        (
            "handle_path /p/* {\n reverse_proxy /q/* q:1\n reverse_proxy p:1\n }",
            &["/p/** p /p", "/p/q/** q /p"],
        ),
        // Of the root there is nothing to take off.
        (
            "handle_path / {\n reverse_proxy p:1\n }\n handle_path /a/*/b/* {\n reverse_proxy q:1\n }\n reverse_proxy o:1",
            &["/ p ", "/** o ", "/a/*/b/* o !"],
        ),
        (
            "basic_auth /in/* {\n a b\n }\n reverse_proxy one:1",
            &["/** one ", "/in/** one !"],
        ),
        (
            "handle /s/* {\n file_server\n }\n reverse_proxy one:1",
            &["/** one ", "/s/** one !"],
        ),
        (
            "@out not remote_ip 10.0.0.0/8\n respond @out 403\n reverse_proxy one:1",
            &["/** one !"],
        ),
    ] {
        let text = format!("a.example {{\n {inside}\n}}\n");
        assert_eq!(routes(&text), expected, "{inside}");
    }
}

#[test]
fn imports_that_grow_end() {
    let mut text = String::from("(s0) {\n x\n}\n");
    for level in 1..40 {
        let before = level - 1;
        text.push_str(&format!(
            "(s{level}) {{\n import s{before}\n import s{before}\n}}\n"
        ));
    }
    text.push_str("a.example {\n import s39\n}\n");
    assert!(matches!(
        of_text(Kind::Caddy, "Caddyfile", &text),
        Err(Error::Limit { .. })
    ));
    let own = "(s) {\n import s\n}\na.example {\n import s\n}\n";
    assert!(of_text(Kind::Caddy, "Caddyfile", own).is_err());
}

#[test]
fn fuzz_caddyfiles_become_estates_or_are_refused() {
    let corpus: Vec<Vec<u8>> = ["site", "services"]
        .iter()
        .map(|name| {
            let path = super::testdata().join("caddy").join(name).join("Caddyfile");
            std::fs::read(path).unwrap()
        })
        .collect();
    const WORDS: &[&[u8]] = &[
        b"{\n",
        b"}\n",
        b"handle /a/* {\n",
        b"reverse_proxy 127.0.0.1:80\n",
        b"@a path /x\n",
        b"import s\n",
        b"(s) {\n",
        b"{$X}",
        b"{$X:y}",
        b"`",
        b"\"",
        b"<<A\n",
        b"\\\n",
        b", ",
        b"route {\n",
        b"handle_path /* {\n",
        b"respond 403\n",
        b"basic_auth {\n",
        b":443",
        b"http://",
        b"localhost",
        b"*.a.example",
        b"tls a b\n",
        b"health_uri /x\n",
        b"uri strip_prefix /a\n",
        b"{args[0]}",
        b"99999999999999999999",
        b"/*",
        b"*",
        b"/a/../b",
        b"%2e",
    ];
    testkit::fuzz(1_500, &corpus, WORDS, |bytes| {
        let input = crate::Input {
            name: "Caddyfile",
            bytes,
            folder: "/etc/caddy",
            estate: "acme",
            beside: None,
        };
        match crate::adopt(&input, Some(Kind::Caddy), &super::Folder::default()) {
            Ok(adopted) => drop(told(&adopted)),
            Err(Error::Draft { estate, findings }) => panic!("{findings:?}\n{estate}"),
            Err(_) => {}
        }
    });
}
