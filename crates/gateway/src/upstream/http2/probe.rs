//! Asks an address whether it is well in HTTP/2, on a connection of its own.

use std::pin::Pin;
use std::task::Poll;

use h2::client::Builder;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Uri, header};

use super::link::HEAD_BYTES_MAX;
use crate::upstream::stream::Stream;
use crate::upstream::target::Target;

/// LIMIT: bytes of the answer's content that are let come; none of it is read.
const WINDOW: u32 = 16 * 1024;

/// The status with which it answers `GET path`; else why it does not, in one line. The caller says
/// how long all of it may take.
pub(in crate::upstream) async fn probe(
    stream: Stream,
    target: &Target,
    path: &str,
) -> Result<u16, String> {
    let request = request(target, path).ok_or("there is no asking for its path")?;
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(WINDOW)
        .max_header_list_size(HEAD_BYTES_MAX);
    let broken = |error: h2::Error| format!("it does not speak HTTP/2: {error}");
    let (mut sender, mut connection) = builder
        .handshake::<_, bytes::Bytes>(stream)
        .await
        .map_err(broken)?;
    let (mut response, _) = sender.send_request(request, true).map_err(broken)?;
    std::future::poll_fn(|cx| {
        // Nobody else moves this connection on.
        let ended = Pin::new(&mut connection).poll(cx).is_ready();
        match Pin::new(&mut response).poll(cx) {
            Poll::Ready(Ok(response)) => Poll::Ready(Ok(response.status().as_u16())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(format!("it gave no answer: {error}"))),
            Poll::Pending if ended => Poll::Ready(Err("it closed without an answer".to_owned())),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

fn request(target: &Target, path: &str) -> Option<Request<()>> {
    let scheme = if target.tls.is_some() {
        Scheme::HTTPS
    } else {
        Scheme::HTTP
    };
    let uri = Uri::builder()
        .scheme(scheme)
        .authority(target.authority.as_bytes())
        .path_and_query(PathAndQuery::try_from(path).ok()?)
        .build()
        .ok()?;
    let mut request = Request::new(());
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static("rampart-health"),
    );
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    Some(request)
}
