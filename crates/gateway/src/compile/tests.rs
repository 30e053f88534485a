use estate::Estate;

use super::*;

const ESTATE: &str = r#"
[estate]
name = "shop"
domain = "shop.example"

[listen]
https = ["127.0.0.1:8443"]

[console]
host = "rampart.shop.example"

[[zone]]
name = "app"

[[host]]
name = "a"
zone = "app"
address = "127.0.0.1"

[[service]]
name = "orders"
hosts = ["a"]
port = 8080

[[role]]
name = "support"
allow = ["orders:*"]

[[role]]
name = "reader"
allow = ["orders:read"]

[[route]]
name = "orders"
host = "shop.example"
path = "/orders/**"
to = "orders"
require = { GET = "orders:read", POST = "orders:create" }
"#;

fn compiled() -> Compiled {
    let parsed = Estate::parse(ESTATE).unwrap();
    Compiled::new(1, Arc::new(parsed.estate), &Documents::default())
}

#[test]
fn role_with_a_pattern_holds_each_verb_and_another_only_its_own() {
    let compiled = compiled();
    let index = compiled.find("shop.example", "/orders/7").unwrap();
    let (_, route) = compiled.route(index).unwrap();
    let need = |method: Method| route.require.of(&method).unwrap().unwrap().0;
    let holds = |role: &str, method| compiled.roles_hold(&[role.to_owned()], need(method));
    assert!(holds("support", Method::GET) && holds("support", Method::POST));
    assert!(holds("reader", Method::GET) && !holds("reader", Method::POST));
    assert!(
        !holds("administrator", Method::GET),
        "Rampart's own rights are no rights of the shop"
    );
    assert!(!holds("nobody", Method::GET));
}

#[test]
fn head_needs_what_get_needs_and_unnamed_methods_are_told_apart() {
    let compiled = compiled();
    let (_, route) = compiled.route(0).unwrap();
    let of = |method: Method| {
        route
            .require
            .of(&method)
            .map(|need| need.map(|n| n.1.to_string()))
    };
    assert_eq!(of(Method::HEAD), Ok(Some("orders:read".to_owned())));
    assert_eq!(of(Method::DELETE), Err(()));
    assert_eq!(route.require.allow().as_deref(), Some("GET, POST"));
}

#[test]
fn hosts_that_no_route_names_are_not_served() {
    let compiled = compiled();
    assert!(compiled.serves("shop.example"));
    assert!(!compiled.serves("other.example"));
}
