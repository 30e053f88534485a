//! Style, script and favicon: part of the program, served under names that contain the hash of
//! their content, so that a browser may keep them for ever.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, StatusCode, header};

const CSS: &str = concat!(
    include_str!("../assets/css/tokens.css"),
    include_str!("../assets/css/base.css"),
    include_str!("../assets/css/components.css"),
);
const JS: &str = include_str!("../assets/js/console.mjs");
const FAVICON: &str = include_str!("../assets/favicon.svg");

const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Where the assets are, hashes included.
#[derive(Debug)]
pub(crate) struct Links {
    /// All style in one file.
    pub(crate) css: String,
    /// The one script.
    pub(crate) js: String,
    /// The mark.
    pub(crate) favicon: String,
}

static LINKS: LazyLock<Links> = LazyLock::new(|| Links {
    css: format!("/assets/{}", name("console", CSS, "css")),
    js: format!("/assets/{}", name("console", JS, "mjs")),
    favicon: format!("/assets/{}", name("mark", FAVICON, "svg")),
});

/// The addresses of this build's assets.
pub(crate) fn links() -> &'static Links {
    &LINKS
}

fn name(stem: &str, content: &str, extension: &str) -> String {
    let digest = digest::digest(&digest::SHA256, content.as_bytes());
    let hash: String = URL_SAFE_NO_PAD
        .encode(digest.as_ref())
        .chars()
        .take(16)
        .collect();
    format!("{stem}-{hash}.{extension}")
}

/// `GET /assets/{name}`: only exact names of this build exist.
pub(crate) async fn serve(Path(asked): Path<String>) -> Response {
    let links = links();
    let asked = format!("/assets/{asked}");
    let (content, kind) = if asked == links.css {
        (CSS, "text/css; charset=utf-8")
    } else if asked == links.js {
        (JS, "text/javascript; charset=utf-8")
    } else if asked == links.favicon {
        (FAVICON, "image/svg+xml")
    } else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, FOREVER),
    ];
    (headers, content).into_response()
}
