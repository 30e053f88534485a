//! Every hole works when the shop is reached directly: otherwise stopping the attack proves
//! nothing.

use bytes::Bytes;
use net::{Client, Endpoint};

use super::{Shop, files};
use crate::demo::campaign::{self, Attack};

/// The card number that only a successful attack shows.
const CARD: &str = "4111-1111-1111-1111";

struct Answered {
    status: u16,
    text: String,
}

async fn shop() -> (Shop, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(folder.path()).await.unwrap();
    (shop, folder)
}

async fn ask(
    shop: &Shop,
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: &str,
) -> Answered {
    let mut request = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Bytes::from(body.to_owned())).unwrap();
    let client = Client::new(Endpoint::Tcp(shop.address()));
    let answer = client.send(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await.unwrap();
    Answered {
        status,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

#[tokio::test]
async fn every_campaign_succeeds_when_the_shop_is_reached_directly() {
    let mut tried = 0;
    for campaign in campaign::all().unwrap() {
        let (Some(direct), Attack::Request(request, _)) = (campaign.direct, campaign.attack) else {
            continue;
        };
        let (shop, _folder) = shop().await;
        let name = campaign.name;
        let mut answered = ask(
            &shop,
            &request.method,
            &request.target,
            &request.headers,
            &request.body,
        )
        .await;
        assert_eq!(answered.status, direct.status, "{name}: {}", answered.text);
        if let Some(page) = direct.then {
            answered = ask(&shop, "GET", &page, &[], "").await;
        }
        if let Some(shown) = direct.shows {
            assert!(answered.text.contains(&shown), "{name}: {}", answered.text);
        }
        tried += 1;
    }
    assert!(tried >= 16, "only {tried} campaigns say what they achieve");
}

#[tokio::test]
async fn a_harmless_search_shows_products_and_no_card() {
    let (shop, _folder) = shop().await;
    let answered = ask(&shop, "GET", "/api/products?search=lamp", &[], "").await;
    assert_eq!(answered.status, 200);
    assert!(answered.text.contains("\"Lamp\""), "{}", answered.text);
    assert!(!answered.text.contains("Kettle"), "{}", answered.text);
    assert!(!answered.text.contains(CARD), "{}", answered.text);
}

#[tokio::test]
async fn a_path_out_of_the_folder_reads_the_file_beside_it() {
    let (shop, _folder) = shop().await;
    let answered = ask(&shop, "GET", "/files?name=../payment.conf", &[], "").await;
    assert_eq!(answered.text, files::SECRET);
}

#[tokio::test]
async fn every_request_is_in_the_log_with_its_head_and_body() {
    let (shop, _folder) = shop().await;
    let before = shop.log().count();
    let headers = [("x-mark".to_owned(), "found".to_owned())];
    ask(&shop, "DELETE", "/nowhere?a=b", &headers, "the body").await;
    let seen = shop.log().since(before);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].line, "DELETE /nowhere?a=b");
    assert!(seen[0].head.contains("x-mark: found\n"), "{}", seen[0].head);
    assert_eq!(seen[0].body, "the body");
    assert_eq!(shop.log().count(), before + 1);
}

#[tokio::test]
async fn an_order_belongs_to_whoever_the_header_names() {
    let (shop, _folder) = shop().await;
    let json = ("content-type".to_owned(), "application/json".to_owned());
    // {"sub":"per_1"}
    let who = (
        "rampart-assertion".to_owned(),
        "e30.eyJzdWIiOiJwZXJfMSJ9.x".to_owned(),
    );
    let body = r#"{"product":"Lamp","quantity":2}"#;
    let bought = ask(&shop, "POST", "/api/my/orders", &[json, who.clone()], body).await;
    assert_eq!(bought.status, 201);
    let listed = ask(&shop, "GET", "/api/my/orders", &[who], "").await;
    assert!(
        listed.text.contains("\"buyer\":\"per_1\""),
        "{}",
        listed.text
    );
    assert!(listed.text.contains("\"quantity\":2"), "{}", listed.text);
}
