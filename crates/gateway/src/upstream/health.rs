//! Asks an address whether it is well, on a connection of its own: what a pooled one says is about
//! the past. One for the process, not for each worker; at most a few at once.

use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use estate::Health;
use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Failed;
use super::http2;
use super::member::Endpoint;
use super::stream::Stream;
use super::target::Target;
use crate::wire::{ResponseHead, Search};

/// LIMIT: bytes of the answer's head.
const HEAD_MAX: usize = 64 * 1024;
/// LIMIT: interim answers before the final one.
const INTERIM_MAX: u32 = 16;

/// Whether the address is well; else why not, in one line.
pub(super) async fn probe(
    target: &Target,
    endpoint: &Endpoint,
    health: &Health,
) -> Result<(), String> {
    let asking = ask(target, endpoint, health);
    match tokio::time::timeout(health.timeout, asking).await {
        Ok(word) => word,
        Err(_) => Err(format!(
            "it did not answer within {}",
            model::format_duration(health.timeout)
        )),
    }
}

async fn ask(target: &Target, endpoint: &Endpoint, health: &Health) -> Result<(), String> {
    // The whole is timed by the caller.
    let connecting = Stream::connect(target, endpoint, Duration::MAX);
    let mut stream = connecting.await.map_err(|failed| match failed {
        Failed::Tls => "its TLS is not acceptable".to_owned(),
        _ => "it takes no connection".to_owned(),
    })?;
    if target.http2 && !stream.is_http2() {
        return Err("it does not speak HTTP/2 over TLS".to_owned());
    }
    let Some(path) = &health.path else {
        return Ok(());
    };
    if target.http2 {
        let status = http2::probe(stream, target, path).await?;
        return judged(health, status);
    }
    let host = target.authority.to_str().unwrap_or("upstream");
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: rampart-health\r\naccept: */*\r\n\
         connection: close\r\n\r\n"
    );
    let sent = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await
    };
    sent.await
        .map_err(|error| format!("it takes no request: {}", error.kind()))?;
    let status = status(&mut stream).await?;
    judged(health, status)
}

fn judged(health: &Health, status: u16) -> Result<(), String> {
    if health.expect.contain(status) {
        Ok(())
    } else {
        Err(format!("it answers {status}"))
    }
}

async fn status(stream: &mut Stream) -> Result<u16, String> {
    let (mut input, mut search, mut interim) = (BytesMut::new(), Search::default(), 0_u32);
    loop {
        let head = ResponseHead::take(&mut input, &mut search, &Method::GET);
        match head.map_err(|_| "its answer is broken".to_owned())? {
            Some(head) if head.status.is_informational() && interim < INTERIM_MAX => {
                interim = interim.saturating_add(1);
                continue;
            }
            Some(head) => return Ok(head.status.as_u16()),
            None if input.remaining() >= HEAD_MAX => return Err("its answer is broken".to_owned()),
            None => {}
        }
        match stream.read_buf(&mut input).await {
            Ok(0) => return Err("it closed without an answer".to_owned()),
            Ok(_) => {}
            Err(error) => return Err(format!("its answer broke off: {}", error.kind())),
        }
    }
}
