use super::*;
use crate::{Estate, diff};

fn good(more: &str) -> Estate {
    let source = format!(
        "[estate]\nname = \"acme\"\ndomain = \"shop.example\"\n\
         [[service]]\nname = \"app\"\naddress = \"127.0.0.1:8000\"\n{more}"
    );
    Estate::parse(&source).unwrap().estate
}

#[test]
fn limits_are_read_with_their_budgets_keys_and_costs() {
    let estate = good(
        r#"
[limits.shared]
address = "rediss://limits.internal/2"
password_file = "limits.password"
when_away = "refuse"

[[limit_key]]
name = "tenant"
from = ["header:X-Tenant", "principal", "address"]
missing = "refuse"

[[limit]]
name = "api"
rate = "1000/min per tenant"

[[route]]
path = "/**"
to = "app"
auth = "optional"
limit = ["api", "10/s per address"]
cost = { GET = 2, POST = 10 }
concurrent = "20 per user"
"#,
    );
    let route = estate.routes.first().unwrap();
    let tenant = Per::Named("tenant".to_owned());
    let [api, address] = route.rates.as_slice() else {
        panic!("two limits: {:?}", route.rates);
    };
    assert_eq!((api.shared.as_deref(), &api.per), (Some("api"), &tenant));
    assert_eq!(
        (address.shared.as_deref(), &address.per),
        (None, &Per::Address)
    );
    for (method, cost) in [("GET", 2), ("HEAD", 2), ("POST", 10), ("PATCH", 1)] {
        assert_eq!(route.cost.of(method), cost, "{method}");
    }
    let [at_once] = route.concurrent.as_slice() else {
        panic!("one: {:?}", route.concurrent);
    };
    assert_eq!((at_once.max, &at_once.per), (20, &Per::User));
    let key = &estate.limit_keys["tenant"];
    assert_eq!(key.missing, MissingKey::Refuse);
    assert_eq!(key.from[0], KeySource::Header("x-tenant".to_owned()));
    assert!(key.is_forgeable());
    let shared = estate.shared_limits.unwrap();
    assert_eq!(
        shared.address.to_string(),
        "rediss://limits.internal:6379/2"
    );
    assert_eq!(shared.timeout, Duration::from_millis(50));
    assert_eq!(shared.when_away, WhenAway::Refuse);
}

#[test]
fn changes_of_limits_are_shown_as_they_are_written() {
    let with = |more: &str| {
        good(&format!(
            "[[limit]]\nname = \"api\"\nrate = \"9/s\"\n[[route]]\nname = \"a\"\npath = \"/a\"\n\
             to = \"app\"\nauth = \"none\"\n{more}"
        ))
    };
    let old = with("limit = \"5/s per address\"\n");
    let new =
        with("limit = [\"api\", \"6/s per address\"]\ncost = 3\nconcurrent = \"2 per route\"\n");
    let changes = diff(&old, &new);
    let [change] = changes.as_slice() else {
        panic!("one route changed: {changes:?}");
    };
    assert_eq!(
        change.detail,
        [
            "`concurrent`: nothing → 2 per route",
            "`cost`: nothing → 3",
            "`rates`: 5/s per address → api, 6/s per address",
        ]
    );
}
