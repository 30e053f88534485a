use axum::body::Body;
use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Sample {
    name: String,
    #[serde(default)]
    tags: Vec<String>,
}

fn request(kind: &str, body: impl Into<Body>) -> Request {
    Request::builder()
        .header(header::CONTENT_TYPE, kind)
        .body(body.into())
        .unwrap()
}

async fn read(kind: &str, body: impl Into<Body>) -> Result<Sample, Problem> {
    Json::<_, BODY_BYTES_MAX>::from_request(request(kind, body), &())
        .await
        .map(|Json(v)| v)
}

#[tokio::test]
async fn a_declared_body_is_read() {
    let sample = read("application/json; charset=utf-8", r#"{"name":"a"}"#)
        .await
        .unwrap();
    assert_eq!(sample.name, "a");
}

#[tokio::test]
async fn unknown_repeated_and_trailing_fields_are_refused_with_their_place() {
    for (body, says) in [
        (r#"{"name":"a","admin":true}"#, "unknown field `admin`"),
        (r#"{"name":"a","name":"b"}"#, "duplicate field `name`"),
        (r#"{"name":"a"} {}"#, "trailing characters"),
        (r#"{"name":1}"#, "invalid type"),
        ("", "EOF"),
        ("{\"name\":\"\u{1}\"}", "control character"),
    ] {
        let problem = read("application/json", body).await.unwrap_err();
        assert_eq!(problem.status, 400, "{body}");
        assert!(problem.detail.contains(says), "{body}: {}", problem.detail);
        assert_eq!(problem.errors[0].line, Some(1), "{body}");
    }
}

#[tokio::test]
async fn deep_nesting_is_refused_before_it_is_parsed() {
    let body = format!(r#"{{"name":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let problem = read("application/json", body).await.unwrap_err();
    assert!(problem.detail.contains("deeper"), "{}", problem.detail);
}

#[tokio::test]
async fn brackets_in_strings_are_not_nesting() {
    let body = format!(r#"{{"name":"{}\"{}"}}"#, "[".repeat(200), "{".repeat(200));
    assert!(read("application/json", body).await.is_ok());
}

#[tokio::test]
async fn large_bodies_and_other_types_are_refused() {
    let body = format!(r#"{{"name":"{}"}}"#, "a".repeat(BODY_BYTES_MAX));
    assert_eq!(
        read("application/json", body).await.unwrap_err().status,
        413
    );
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
    ] {
        assert_eq!(read(kind, "{}").await.unwrap_err().status, 415, "{kind}");
    }
}

#[tokio::test]
async fn unknown_and_repeated_parameters_are_refused() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        limit: Option<u32>,
    }
    for (query, fine) in [
        ("?limit=5", true),
        ("", true),
        ("?limit=5&limit=6", false),
        ("?limt=5", false),
        ("?limit=-1", false),
    ] {
        let (mut parts, ()) = http::Request::builder()
            .uri(format!("/x{query}"))
            .body(())
            .unwrap()
            .into_parts();
        let read = Params::<Page>::from_request_parts(&mut parts, &()).await;
        assert_eq!(read.is_ok(), fine, "{query}");
        if let Ok(Params(page)) = read {
            assert!(page.limit.is_none_or(|limit| limit == 5));
        }
    }
}
