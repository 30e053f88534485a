//! The good traffic of the day: what must pass unchanged. Some of it looks like an attack to a
//! careless rule.

/// Something somebody does who may.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    /// One line for people.
    pub(crate) title: &'static str,
    /// Who: `stranger`, one of the people, or the robot.
    pub(crate) who: &'static str,
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    /// Content type and body.
    pub(crate) body: Option<(&'static str, &'static str)>,
    /// The shop's answer.
    pub(crate) status: u16,
    /// What it shows.
    pub(crate) shows: &'static str,
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

const fn get(
    title: &'static str,
    who: &'static str,
    target: &'static str,
    shows: &'static str,
) -> Visit {
    Visit {
        title,
        who,
        method: "GET",
        target,
        body: None,
        status: 200,
        shows,
    }
}

const fn send(
    title: &'static str,
    who: &'static str,
    request: (&'static str, &'static str),
    body: (&'static str, &'static str),
    status: u16,
) -> Visit {
    Visit {
        title,
        who,
        method: request.0,
        target: request.1,
        body: Some(body),
        status,
        shows: "",
    }
}

/// Every visit, in order.
pub(crate) const VISITS: &[Visit] = &[
    get(
        "a stranger looks at the shop",
        "stranger",
        "/",
        "The sample shop",
    ),
    get(
        "a stranger searches for a lamp",
        "stranger",
        "/api/products?search=lamp",
        "\"Lamp\"",
    ),
    get(
        "a stranger searches with words that SQL knows too",
        "stranger",
        "/products?search=select+a+table+from+the+union",
        "Results for select a table",
    ),
    get(
        "a stranger reads a manual",
        "stranger",
        "/files?name=lamp.txt",
        "Switch it on",
    ),
    get(
        "a stranger downloads a manual",
        "stranger",
        "/downloads/kettle.txt",
        "whistle",
    ),
    get(
        "a stranger tries a coupon",
        "stranger",
        "/api/coupons/spring-7731",
        "discount",
    ),
    send(
        "a customer orders a kettle",
        "customer",
        ("POST", "/api/my/orders"),
        (JSON, r#"{"product":"Kettle","quantity":1}"#),
        201,
    ),
    get(
        "a customer sees their own orders",
        "customer",
        "/api/my/orders",
        "\"Kettle\"",
    ),
    send(
        "a customer comments, with an apostrophe and a smaller-than",
        "customer",
        ("POST", "/products/1/comments"),
        (
            FORM,
            "text=It%27s+quiet%3B+height+%3C+20+cm+%26+I%27d+select+it+again+from+all+lamps",
        ),
        303,
    ),
    send(
        "a customer comments in bold, with a form that asks for a card",
        "customer",
        ("POST", "/products/2/comments"),
        (
            FORM,
            "text=%3Cb%3EBright%3C%2Fb%3E%3Cform+action%3D%22%2F%2Fevil.example%22%3E\
             %3Cinput+name%3D%22card%22%3E%3C%2Fform%3E",
        ),
        303,
    ),
    get(
        "the comment stands there in bold, without the form",
        "customer",
        "/products/2/comments",
        "<p><b>Bright</b></p>",
    ),
    get(
        "support looks up an order",
        "support",
        "/api/orders/1",
        "\"Lamp\"",
    ),
    send(
        "the stock-keeper counts lamps",
        "stock-keeper",
        ("PUT", "/api/products/1/stock"),
        (JSON, r#"{"stock":11}"#),
        204,
    ),
    send(
        "the robot counts kettles with its API key",
        super::people::ROBOT,
        ("PUT", "/api/products/2/stock"),
        (JSON, r#"{"stock":6}"#),
        204,
    ),
];
