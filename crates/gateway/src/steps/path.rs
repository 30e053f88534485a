//! One canonical path, used by every later step and by the service.

use std::borrow::Cow;

use http::uri::PathAndQuery;
use http::{Method, StatusCode, Uri};

use crate::flow::Flow;
use crate::path::canonical;
use crate::refused::Refused;

/// Replaces the path by its canonical form, or refuses what could be read in two ways.
pub(crate) fn settle(flow: &mut Flow<'_>) -> Result<(), Refused> {
    let path = flow.head.uri.path();
    // `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7): no route can answer it.
    if path == "*" && flow.head.method == Method::OPTIONS {
        return Err(bad(
            "path.asterisk",
            "no route answers for the whole server",
        ));
    }
    let settled = match canonical(path) {
        Ok(Cow::Borrowed(_)) => return Ok(()),
        Ok(Cow::Owned(settled)) => settled,
        Err(error) => return Err(bad(error.code(), error.text())),
    };
    let text = match flow.head.uri.query() {
        Some(query) => format!("{settled}?{query}"),
        None => settled,
    };
    let target = PathAndQuery::try_from(text)
        .map_err(|_| bad("path.malformed", "the path cannot be written canonically"))?;
    flow.head.uri = Uri::from(target);
    Ok(())
}

fn bad(code: &'static str, text: &'static str) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, code, text)
}
