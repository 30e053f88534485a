//! The estate that tests of one step of one route need.

/// The text of an estate with one service and one route to it, both called `posts`, for every path of
/// `shop.example`; anybody may ask. `route` are more lines of the route, `more` is what follows.
#[must_use]
pub fn small_estate(route: &str, more: &str) -> String {
    format!(
        r#"
[estate]
name = "shop"
domain = "shop.example"

[[zone]]
name = "app"

[[host]]
name = "a"
zone = "app"
address = "127.0.0.1"

[[service]]
name = "posts"
hosts = ["a"]
port = 8080

[[route]]
name = "posts"
host = "shop.example"
path = "/**"
to = "posts"
auth = "none"
{route}
{more}
"#
    )
}
