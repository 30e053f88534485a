use super::*;

const SOURCE: &str = r#"
[estate]
name = "shop"
domain = "shop.example"

[listen]
https = ["0.0.0.0:8443"]

[console]
host = "rampart.shop.example"

[[zone]]
name = "app"

[[host]]
name = "web-1"
zone = "app"
address = "10.0.0.1"

[[service]]
name = "shop"
hosts = ["web-1"]
port = 8080

[[route]]
host = "orders.other.example"
path = "/**"
to = "shop"
auth = "none"
"#;

const ANY_HOST: &str = r#"
[[route]]
path = "/any/**"
to = "shop"
auth = "none"
"#;

fn estate(source: &str) -> Estate {
    Estate::parse(source).unwrap().estate
}

fn ask(host: &str) -> Parameters {
    Parameters {
        host: host.to_owned(),
        state: "s/1".to_owned(),
        next: String::new(),
    }
}

#[test]
fn a_code_goes_to_a_host_of_a_route_only() {
    let estate = estate(SOURCE);
    for (host, allowed) in [
        ("orders.other.example", true),
        ("ORDERS.other.example", true),
        ("orders.other.example:8443", true),
        ("orders.other.example:443", true),
        ("orders.other.example:9999", false),
        ("evil.example", false),
        ("shop.example", false),
        ("rampart.shop.example", false),
        ("orders.other.example@evil.example", false),
        ("orders.other.example/x", false),
        ("evil.example#.orders.other.example", false),
        ("orders.other.example:", false),
        ("[::1]", false),
    ] {
        let checked = ask(host).check(Some(&estate), "rampart.shop.example:8443");
        assert_eq!(checked.is_ok(), allowed, "{host}");
    }
    assert!(ask("orders.other.example").check(None, "x").is_err());
}

#[test]
fn a_route_for_every_host_opens_the_estates_own_domain_only() {
    let estate = estate(&format!("{SOURCE}{ANY_HOST}"));
    for (host, allowed) in [
        ("shop.example", true),
        ("www.shop.example", true),
        ("evilshop.example", false),
        ("evil.example", false),
        ("rampart.shop.example", false),
    ] {
        let checked = ask(host).check(Some(&estate), "rampart.shop.example:8443");
        assert_eq!(checked.is_ok(), allowed, "{host}");
    }
}

#[test]
fn the_port_the_console_is_reached_at_is_fine_too() {
    let estate = estate(SOURCE);
    let wanted =
        ask("orders.other.example:18443").check(Some(&estate), "rampart.shop.example:18443");
    let Ok(Wanted::Origin(origin)) = wanted else {
        panic!("{wanted:?}")
    };
    assert_eq!(
        origin.callback("c+d"),
        "https://orders.other.example:18443/.rampart/callback?code=c%2Bd&state=s%2F1"
    );
}

#[test]
fn without_a_host_it_ends_at_a_path_of_the_console() {
    for (next, ends) in [
        ("/trail?text=a", "/trail?text=a"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("", "/"),
    ] {
        let asked = Parameters {
            next: next.to_owned(),
            ..Parameters::default()
        };
        assert_eq!(
            asked.check(None, "x"),
            Ok(Wanted::Console(ends.to_owned())),
            "{next}"
        );
    }
}

#[test]
fn parameters_survive_to_the_next_step() {
    assert_eq!(ask("a.example").query(), "?host=a.example&state=s%2F1");
    assert_eq!(Parameters::default().query(), "");
}
