//! The shop's pages and its JSON. Nobody is asked to sign in, and nothing is checked or escaped:
//! each place where that matters is marked `HOLE`.

use axum::Form;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::Rooms;
use super::store::Product;

/// The one coupon there is.
const COUPON: &str = "spring-7731";

#[derive(Debug, Default, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    search: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Purchase {
    product: String,
    quantity: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Stock {
    stock: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Price {
    product: i64,
    price_cents: i64,
}

/// HOLE: the database's own words go to whoever asked.
fn broken(error: &sqlx::Error) -> Response {
    let body = Json(json!({ "error": error.to_string() }));
    (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
}

fn page(title: &str, body: &str) -> Response {
    Html(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         </head><body><h1>{title}</h1>{body}</body></html>"
    ))
    .into_response()
}

fn shelf(products: &[Product]) -> String {
    let items = products.iter().map(
        |Product {
             id,
             name,
             price_cents,
         }| {
            let price = format!("{}.{:02}", price_cents / 100, price_cents % 100);
            format!("<li><a href=\"/products/{id}/comments\">{name}</a> {price}</li>")
        },
    );
    format!("<ul>{}</ul>", items.collect::<String>())
}

pub(super) async fn home(State(rooms): State<Rooms>) -> Response {
    match rooms.store.search("").await {
        Ok(products) => page(
            "The sample shop",
            &format!(
                "<form action=\"/products\"><input name=\"search\"><button>Search</button></form>{}\
                 <p><a href=\"/api/my/orders\">My orders</a> <a href=\"/files?name=lamp.txt\">Manual \
                 of the lamp</a> <a href=\"/admin\">Administration</a></p>",
                shelf(&products)
            ),
        ),
        Err(error) => broken(&error),
    }
}

/// HOLE: reflected cross-site scripting. The searched text stands in the page as it was sent.
pub(super) async fn search(State(rooms): State<Rooms>, Query(asked): Query<Search>) -> Response {
    match rooms.store.search(&asked.search).await {
        Ok(products) => page(
            "Products",
            &format!("<p>Results for {}</p>{}", asked.search, shelf(&products)),
        ),
        Err(error) => broken(&error),
    }
}

/// HOLE: stored cross-site scripting. Comments stand in the page as they were sent.
pub(super) async fn comments(State(rooms): State<Rooms>, Path(product): Path<i64>) -> Response {
    match rooms.store.comments(product).await {
        Ok(comments) => {
            let list: String = comments
                .iter()
                .map(|text| format!("<p>{text}</p>"))
                .collect();
            let form = "<form method=\"post\"><input name=\"text\"><button>Say it</button></form>";
            page("Comments", &format!("{list}{form}"))
        }
        Err(error) => broken(&error),
    }
}

pub(super) async fn comment(
    State(rooms): State<Rooms>,
    Path(product): Path<i64>,
    Form(sent): Form<Comment>,
) -> Response {
    match rooms.store.comment(product, &sent.text).await {
        Ok(()) => Redirect::to(&format!("/products/{product}/comments")).into_response(),
        Err(error) => broken(&error),
    }
}

/// HOLE: SQL injection, see the store.
pub(super) async fn products(State(rooms): State<Rooms>, Query(asked): Query<Search>) -> Response {
    match rooms.store.search(&asked.search).await {
        Ok(products) => Json(products).into_response(),
        Err(error) => broken(&error),
    }
}

/// HOLE: nobody asks who changes the stock.
pub(super) async fn stock(
    State(rooms): State<Rooms>,
    Path(product): Path<i64>,
    Json(sent): Json<Stock>,
) -> Response {
    changed(rooms.store.set_stock(product, sent.stock).await)
}

fn changed(result: sqlx::Result<bool>) -> Response {
    match result {
        Ok(true) => StatusCode::NO_CONTENT.into_response(),
        Ok(false) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => broken(&error),
    }
}

/// HOLE: whoever the header says it is, it is. The gateway signs this header, and a careful
/// backend checks the signature; this one only reads it.
fn buyer(headers: &HeaderMap) -> String {
    let claims = headers
        .get("rampart-assertion")
        .and_then(|value| value.to_str().ok())
        .and_then(|token| token.split('.').nth(1))
        .and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok())
        .and_then(|claims| serde_json::from_slice::<serde_json::Value>(&claims).ok());
    claims
        .as_ref()
        .and_then(|claims| claims.get("sub")?.as_str())
        .unwrap_or("nobody")
        .to_owned()
}

pub(super) async fn own_orders(State(rooms): State<Rooms>, headers: HeaderMap) -> Response {
    let buyer = buyer(&headers);
    match rooms.store.orders_of(&buyer).await {
        Ok(orders) => Json(json!({ "buyer": buyer, "orders": orders })).into_response(),
        Err(error) => broken(&error),
    }
}

pub(super) async fn order(
    State(rooms): State<Rooms>,
    headers: HeaderMap,
    Json(sent): Json<Purchase>,
) -> Response {
    let buyer = buyer(&headers);
    match rooms.store.buy(&buyer, &sent.product, sent.quantity).await {
        Ok(id) => {
            let body = Json(json!({ "id": id, "buyer": buyer, "product": sent.product }));
            (StatusCode::CREATED, body).into_response()
        }
        Err(error) => broken(&error),
    }
}

/// HOLE: insecure direct object reference, see the store.
pub(super) async fn any_order(State(rooms): State<Rooms>, Path(id): Path<i64>) -> Response {
    match rooms.store.order(id).await {
        Ok(Some(order)) => Json(order).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => broken(&error),
    }
}

/// HOLE: as many guesses as one likes.
pub(super) async fn coupon(Path(code): Path<String>) -> Response {
    if code == COUPON {
        Json(json!({ "discount_percent": 20 })).into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

/// HOLE: path traversal, see the files.
pub(super) async fn file(State(rooms): State<Rooms>, Query(asked): Query<Named>) -> Response {
    send(&rooms, &asked.name).await
}

/// HOLE: path traversal, by encoded slashes in the path itself.
pub(super) async fn download(State(rooms): State<Rooms>, Path(name): Path<String>) -> Response {
    send(&rooms, &name).await
}

async fn send(rooms: &Rooms, name: &str) -> Response {
    match rooms.files.read(name).await {
        Ok(bytes) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], bytes).into_response(),
        Err(error) => (StatusCode::NOT_FOUND, error.to_string()).into_response(),
    }
}

/// HOLE: an administration page without a sign-in.
pub(super) async fn admin(State(rooms): State<Rooms>) -> Response {
    match rooms.store.customers().await {
        Ok(customers) => Json(json!({ "customers": customers })).into_response(),
        Err(error) => broken(&error),
    }
}

/// HOLE: a change of prices without a sign-in.
pub(super) async fn prices(State(rooms): State<Rooms>, Form(sent): Form<Price>) -> Response {
    changed(rooms.store.set_price(sent.product, sent.price_cents).await)
}
