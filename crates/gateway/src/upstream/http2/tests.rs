//! Against services of the h2 library, and one that says its frames by hand.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use estate::Protocol;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::body::{Carried, Limits, Streamed};
use crate::exchange::{BoxError, Incoming, Source};
use crate::trailers;
use crate::upstream::tests::{TIMEOUTS, body, plainly, request, speaking};
use crate::upstream::{PoolUse, Upstreams};

pub(super) type Asked = Request<h2::RecvStream>;
pub(super) type Respond = SendResponse<Bytes>;

async fn listener() -> (TcpListener, Target) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = speaking(Protocol::H2c, vec![listener.local_addr().unwrap()]);
    (listener, target)
}

/// A service that hands each request to `answer`, and says how many connections it got.
pub(super) async fn service<F, A>(
    builder: h2::server::Builder,
    answer: F,
) -> (Target, Arc<AtomicUsize>)
where
    F: Fn(Asked, Respond) -> A + Clone + Send + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let (listener, target) = listener().await;
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let (builder, answer) = (builder.clone(), answer.clone());
            tokio::spawn(async move {
                let mut connection = builder.handshake(stream).await.unwrap();
                while let Some(Ok((request, respond))) = connection.accept().await {
                    tokio::spawn(answer(request, respond));
                }
            });
        }
    });
    (target, accepted)
}

pub(super) fn plain() -> h2::server::Builder {
    h2::server::Builder::new()
}

pub(super) async fn hello(_: Asked, mut respond: Respond) {
    let mut body = respond.send_response(Response::new(()), false).unwrap();
    drop(body.send_data(Bytes::from_static(b"hello"), true));
}

pub(super) async fn ask(upstreams: &Upstreams, target: &Target) -> Result<String, Failed> {
    let request = request(Method::GET, "/");
    let response = upstreams
        .send(target, ServiceRequest::of(target, request), &TIMEOUTS)
        .await?;
    Ok(body(response).await.unwrap())
}

/// Where a service with one address listens.
pub(super) fn address(target: &Target) -> SocketAddr {
    match &target.group.set().members[0].endpoint {
        Endpoint::Tcp(address) => *address,
        Endpoint::Unix(path) => panic!("{path:?} is no TCP address"),
    }
}

/// All frames of a body: content, and trailers.
async fn frames(response: Reply<ResponseBody>) -> Result<(Vec<u8>, Option<HeaderMap>), BoxError> {
    let mut body = response.body;
    let (mut content, mut fields) = (Vec::new(), None);
    while let Some(frame) = std::future::poll_fn(|cx| body.poll_frame(cx)).await {
        match frame?.into_data() {
            Ok(data) => content.extend_from_slice(&data),
            Err(frame) => fields = frame.into_trailers().ok(),
        }
    }
    Ok((content, fields))
}

#[tokio::test]
async fn many_requests_share_one_connection() {
    let (target, accepted) = service(plain(), hello).await;
    let upstreams = Upstreams::new();
    let all = (0..90).map(|_| ask(&upstreams, &target));
    for answer in futures_util::future::join_all(all).await {
        assert_eq!(answer.unwrap(), "hello");
    }
    assert_eq!(accepted.load(Ordering::Relaxed), 1);
    assert_eq!(upstreams.usage(), PoolUse { open: 1, idle: 1 });
}

#[tokio::test]
async fn service_that_takes_few_at_once_gets_more_connections() {
    let mut builder = plain();
    builder.max_concurrent_streams(2);
    let (target, accepted) = service(builder, hello).await;
    let upstreams = Upstreams::new();
    assert_eq!(ask(&upstreams, &target).await.unwrap(), "hello");
    let all = (0..6).map(|_| ask(&upstreams, &target));
    for answer in futures_util::future::join_all(all).await {
        assert_eq!(answer.unwrap(), "hello");
    }
    assert!(accepted.load(Ordering::Relaxed) <= 4);
}

#[tokio::test]
async fn answer_that_is_reset_before_its_end_is_never_whole() {
    let read = Arc::new(tokio::sync::Notify::new());
    let was_read = Arc::clone(&read);
    let (target, _) = service(plain(), move |_: Asked, mut respond: Respond| {
        let read = Arc::clone(&was_read);
        async move {
            let mut body = respond.send_response(Response::new(()), false).unwrap();
            body.send_data(Bytes::from_static(b"some"), false).unwrap();
            read.notified().await;
            body.send_reset(h2::Reason::NO_ERROR);
        }
    })
    .await;
    let upstreams = Upstreams::new();
    let asked = request(Method::GET, "/");
    let answer = upstreams
        .send(&target, ServiceRequest::of(&target, asked), &TIMEOUTS)
        .await
        .unwrap();
    let mut body = answer.body;
    let some = std::future::poll_fn(|cx| body.poll_frame(cx)).await;
    assert_eq!(some.unwrap().unwrap().into_data().unwrap(), "some");
    read.notify_one();
    let end = std::future::poll_fn(|cx| body.poll_frame(cx)).await;
    assert!(end.is_some_and(|end| end.is_err()));
}

#[tokio::test]
async fn head_is_made_for_this_hop() {
    let (target, _) = service(plain(), |request: Asked, mut respond: Respond| async move {
        let text = format!(
            "{} {} {:?}",
            request.method(),
            request.uri(),
            request.headers()
        );
        let mut response = Response::new(());
        let fields = response.headers_mut();
        fields.insert("trailer", HeaderValue::from_static("x"));
        let mut body = respond.send_response(response, false).unwrap();
        body.send_data(Bytes::from(text), true).unwrap();
    })
    .await;
    let mut asked = request(Method::PUT, "/a?b=c");
    for (name, value) in [
        ("connection", "x"),
        ("te", "trailers"),
        ("transfer-encoding", "chunked"),
        ("content-length", "7"),
        ("expect", "100-continue"),
        ("x-own", "1"),
    ] {
        asked
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, ServiceRequest::of(&target, asked), &TIMEOUTS)
        .await
        .unwrap();
    assert!(response.fields.get(&http::header::TRAILER).is_none());
    let text = body(response).await.unwrap();
    assert_eq!(
        text,
        "PUT http://shop.example/a?b=c {\"x-own\": \"1\", \"content-length\": \"0\"}"
    );
}

async fn with_trailers(_: Asked, mut respond: Respond) {
    let mut body = respond.send_response(Response::new(()), false).unwrap();
    body.send_data(Bytes::from_static(b"hello"), false).unwrap();
    let mut fields = HeaderMap::new();
    for (name, value) in [
        ("grpc-status", "0"),
        ("set-cookie", "a=b"),
        ("content-length", "9"),
    ] {
        fields.insert(name, HeaderValue::from_static(value));
    }
    body.send_trailers(fields).unwrap();
}

#[tokio::test]
async fn trailers_reach_who_takes_them_and_nobody_else() {
    let (target, _) = service(plain(), with_trailers).await;
    let upstreams = Upstreams::new();
    let mut asked = request(Method::POST, "/");
    asked.extensions_mut().insert(trailers::Taken);
    let response = upstreams
        .send(&target, ServiceRequest::of(&target, asked), &TIMEOUTS)
        .await
        .unwrap();
    let (content, fields) = frames(response).await.unwrap();
    assert_eq!(content, b"hello");
    let fields = fields.unwrap();
    assert_eq!(fields.len(), 1, "{fields:?}");
    assert_eq!(fields["grpc-status"], "0");
    let asked = request(Method::POST, "/");
    let response = upstreams
        .send(&target, ServiceRequest::of(&target, asked), &TIMEOUTS)
        .await
        .unwrap();
    let (content, fields) = frames(response).await.unwrap();
    assert_eq!((content.as_slice(), fields), (b"hello".as_slice(), None));
}

/// Refuses the first `count` requests with `reason`, whatever connection they come over.
async fn refusing(count: usize, reason: h2::Reason) -> (Target, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let (target, _) = service(plain(), move |request, mut respond: Respond| {
        let turn = seen.fetch_add(1, Ordering::Relaxed);
        async move {
            if turn < count {
                respond.send_reset(reason);
            } else {
                hello(request, respond).await;
            }
        }
    })
    .await;
    (target, asked)
}

#[tokio::test]
async fn request_that_was_not_processed_is_sent_again_whatever_its_method() {
    let (target, asked) = refusing(1, h2::Reason::REFUSED_STREAM).await;
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, plainly(&target, Method::POST), &TIMEOUTS)
        .await
        .unwrap();
    assert_eq!(body(response).await.unwrap(), "hello");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn service_that_refuses_again_and_again_has_too_many_requests() {
    let (target, asked) = refusing(9, h2::Reason::REFUSED_STREAM).await;
    let upstreams = Upstreams::new();
    assert_eq!(ask(&upstreams, &target).await, Err(Failed::TooMany));
    // As often as the estate lets one request be sent again, and once before.
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    assert_eq!(target.stats(2).retries, 2);
    assert_eq!(target.stats(2).under_way, 0);
}

#[tokio::test]
async fn request_that_may_have_been_processed_is_never_sent_again() {
    let (target, asked) = refusing(1, h2::Reason::INTERNAL_ERROR).await;
    let upstreams = Upstreams::new();
    assert_eq!(ask(&upstreams, &target).await, Err(Failed::Broken));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn service_that_goes_away_gets_the_next_request_on_a_new_connection() {
    let (listener, target) = listener().await;
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                let (request, respond) = connection.accept().await.unwrap().unwrap();
                // One request for each connection, then goodbye; what is under way is finished.
                connection.graceful_shutdown();
                hello(request, respond).await;
                while let Some(Ok(_)) = connection.accept().await {}
            });
        }
    });
    let upstreams = Upstreams::new();
    for n in 1..=4 {
        assert_eq!(ask(&upstreams, &target).await.unwrap(), "hello");
        assert!(accepted.load(Ordering::Relaxed) <= n, "one for each");
    }
}

#[tokio::test]
async fn nobody_listening_is_refused_and_a_stranger_is_broken() {
    let (listener, target) = listener().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
        }
    });
    let upstreams = Upstreams::new();
    assert_eq!(ask(&upstreams, &target).await, Err(Failed::Broken));
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let target = speaking(Protocol::H2c, vec![address]);
    assert_eq!(ask(&upstreams, &target).await, Err(Failed::Refused));
    assert_eq!(upstreams.usage(), PoolUse::default());
}

#[tokio::test]
async fn answers_are_capped_and_timed() {
    let (target, _) = service(plain(), |request: Asked, mut respond: Respond| async move {
        let path = request.uri().path().to_owned();
        if path == "/never" {
            std::future::pending::<()>().await;
        }
        let mut response = Response::new(());
        if path == "/declared" {
            let length = HeaderValue::from_static("2000000");
            response.headers_mut().insert("content-length", length);
        }
        let mut body = respond.send_response(response, false).unwrap();
        if path == "/long" {
            body.send_data(Bytes::from(vec![b'x'; (1 << 20) + 1]), true)
                .unwrap();
        }
        std::future::pending::<()>().await;
    })
    .await;
    let timeouts = Timeouts {
        response: Duration::from_millis(300),
        idle: Duration::from_millis(300),
        ..TIMEOUTS
    };
    let upstreams = Upstreams::new();
    let send = async |path| {
        upstreams
            .send(
                &target,
                ServiceRequest::of(&target, request(Method::GET, path)),
                &timeouts,
            )
            .await
    };
    assert_eq!(
        send("/never").await.map(|_| ()),
        Err(Failed::ResponseTimeout)
    );
    assert_eq!(send("/declared").await.map(|_| ()), Err(Failed::TooLarge));
    let quiet = body(send("/quiet").await.unwrap()).await.unwrap_err();
    assert!(quiet.to_string().contains("stopped sending"), "{quiet}");
    let long = body(send("/long").await.unwrap()).await.unwrap_err();
    assert!(long.to_string().contains("longer than allowed"), "{long}");
}

#[tokio::test]
async fn call_ends_when_its_time_is_over_whatever_moves() {
    let (target, _) = service(plain(), |_: Asked, mut respond: Respond| async move {
        let mut body = respond.send_response(Response::new(()), false).unwrap();
        while body.send_data(Bytes::from_static(b"tick"), false).is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let timeouts = Timeouts {
        ends: Some(Instant::now() + Duration::from_millis(300)),
        ..TIMEOUTS
    };
    let mut asked = request(Method::POST, "/");
    asked.extensions_mut().insert(trailers::Taken);
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, ServiceRequest::of(&target, asked), &timeouts)
        .await
        .unwrap();
    let (content, fields) = frames(response).await.unwrap();
    assert!(content.starts_with(b"tick"));
    assert_eq!(fields.unwrap()["grpc-status"], "4");
}

/// A body that a test puts together as it goes.
#[derive(Debug, Default)]
pub(super) struct Pieces(Mutex<(VecDeque<Option<Bytes>>, Option<Waker>)>);

impl Pieces {
    pub(super) fn put(&self, piece: Option<&'static [u8]>) {
        let mut inner = self.0.lock().unwrap();
        inner.0.push_back(piece.map(Bytes::from_static));
        if let Some(waker) = inner.1.take() {
            waker.wake();
        }
    }
}

impl Source for Pieces {
    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut inner = self.0.lock().unwrap();
        match inner.0.pop_front() {
            Some(piece) => Poll::Ready(piece.map(|piece| Ok(Frame::data(piece)))),
            None => {
                inner.1 = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn left(&self) -> Option<u64> {
        None
    }
}

pub(super) fn streamed(max: u64) -> (Arc<Pieces>, Request<Carried>) {
    let pieces = Arc::new(Pieces::default());
    let limits = Limits {
        max,
        bytes_per_s_min: 0,
        grace: Duration::from_secs(1),
    };
    let incoming = Incoming::Stream(Arc::clone(&pieces) as Arc<dyn Source>);
    let body = Streamed::new(incoming, &limits).unwrap();
    let request = request(Method::POST, "/").map(|_| Carried::Streamed(Box::new(body)));
    (pieces, request)
}

/// Sends back what it gets, as it comes; what it came to at the end.
async fn echo(request: Asked, mut respond: Respond) {
    let mut body = request.into_body();
    let mut answer = respond.send_response(Response::new(()), false).unwrap();
    while let Some(Ok(data)) = body.data().await {
        body.flow_control().release_capacity(data.len()).unwrap();
        answer.send_data(data, false).unwrap();
    }
    let whole = body.is_end_stream();
    let end = if whole {
        b" whole".as_slice()
    } else {
        b" broken"
    };
    drop(answer.send_data(Bytes::from_static(end), true));
}

#[tokio::test]
async fn both_sides_talk_at_once() {
    let (target, _) = service(plain(), echo).await;
    let (pieces, asked) = streamed(100);
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, ServiceRequest::of(&target, asked), &TIMEOUTS)
        .await
        .unwrap();
    let mut body = response.body;
    let mut next = async || {
        let frame = std::future::poll_fn(|cx| body.poll_frame(cx)).await;
        frame.unwrap().unwrap().into_data().unwrap()
    };
    pieces.put(Some(b"one"));
    assert_eq!(next().await, "one");
    pieces.put(Some(b"two"));
    assert_eq!(next().await, "two");
    pieces.put(None);
    assert_eq!(next().await, " whole");
}

#[tokio::test]
async fn over_long_body_never_looks_whole() {
    let (seen, mut came) = tokio::sync::mpsc::channel(1);
    let (target, _) = service(plain(), move |request: Asked, respond: Respond| {
        let seen = seen.clone();
        async move {
            let mut body = request.into_body();
            let mut end = Ok(());
            while let Some(data) = body.data().await {
                if let Err(error) = data {
                    end = Err(error.reason());
                    break;
                }
            }
            seen.send(end).await.unwrap();
            drop(respond);
        }
    })
    .await;
    let (pieces, asked) = streamed(5);
    pieces.put(Some(b"long"));
    pieces.put(Some(b"er"));
    pieces.put(None);
    let upstreams = Upstreams::new();
    let failed = upstreams
        .send(&target, ServiceRequest::of(&target, asked), &TIMEOUTS)
        .await;
    assert_eq!(
        failed.map(|_| ()),
        Err(Failed::Body(crate::body::Refused::TooLarge))
    );
    assert_eq!(
        came.recv().await.unwrap(),
        Err(Some(h2::Reason::CANCEL)),
        "the service sees it broken off"
    );
}

#[tokio::test]
async fn client_that_leaves_tells_the_service_to_stop() {
    let (seen, mut came) = tokio::sync::mpsc::channel(1);
    let (target, _) = service(plain(), move |_: Asked, mut respond: Respond| {
        let seen = seen.clone();
        async move {
            let mut body = respond.send_response(Response::new(()), false).unwrap();
            let reason = std::future::poll_fn(|cx| body.poll_reset(cx)).await;
            seen.send(reason.unwrap()).await.unwrap();
        }
    })
    .await;
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, plainly(&target, Method::GET), &TIMEOUTS)
        .await
        .unwrap();
    drop(response);
    assert_eq!(came.recv().await.unwrap(), h2::Reason::CANCEL);
    assert_eq!(upstreams.usage(), PoolUse { open: 1, idle: 1 });
}

#[tokio::test]
async fn one_client_that_reads_nothing_holds_up_nobody() {
    let (target, accepted) = service(plain(), |_: Asked, mut respond: Respond| async move {
        let mut body = respond.send_response(Response::new(()), false).unwrap();
        drop(body.send_data(Bytes::from(vec![b'x'; 300_000]), true));
        std::future::pending::<()>().await;
    })
    .await;
    let upstreams = Upstreams::new();
    let mut unread = Vec::new();
    for _ in 0..90 {
        let asked = request(Method::GET, "/");
        unread.push(
            upstreams
                .send(&target, ServiceRequest::of(&target, asked), &TIMEOUTS)
                .await
                .unwrap(),
        );
    }
    let asked = request(Method::GET, "/");
    let response = upstreams
        .send(&target, ServiceRequest::of(&target, asked), &TIMEOUTS)
        .await
        .unwrap();
    assert_eq!(body(response).await.unwrap().len(), 300_000);
    assert_eq!(accepted.load(Ordering::Relaxed), 1);
}

/// Reads frames until `wanted` of kind and payload; answers no pings.
async fn mute(address: &TcpListener) -> TcpStream {
    let (mut stream, _) = address.accept().await.unwrap();
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.unwrap();
    // An empty SETTINGS frame, and the acknowledgement of the other's.
    let hello = [0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0];
    stream.write_all(&hello).await.unwrap();
    stream
}

#[tokio::test(start_paused = true)]
async fn silent_connection_is_found_dead_long_before_the_answer_is_due() {
    let (listener, target) = listener().await;
    let service = tokio::spawn(async move {
        let mut stream = mute(&listener).await;
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
        rest
    });
    let timeouts = Timeouts {
        response: Duration::from_secs(3600),
        ..TIMEOUTS
    };
    let upstreams = Upstreams::new();
    let start = Instant::now();
    let asked = request(Method::POST, "/");
    let failed = upstreams
        .send(&target, ServiceRequest::of(&target, asked), &timeouts)
        .await;
    assert_eq!(failed.map(|_| ()), Err(Failed::Broken));
    let took = start.elapsed();
    assert!(took < Duration::from_secs(60), "{took:?}");
    let rest = service.await.unwrap();
    let ping = [0, 0, 8, 6, 0];
    assert!(rest.windows(5).any(|five| five == ping), "it was asked");
}

#[tokio::test(start_paused = true)]
async fn connection_without_requests_is_closed_after_a_while() {
    let (target, _) = service(plain(), hello).await;
    let upstreams = Upstreams::new();
    assert_eq!(ask(&upstreams, &target).await.unwrap(), "hello");
    upstreams.sweep();
    assert_eq!(upstreams.usage(), PoolUse { open: 1, idle: 1 });
    tokio::time::advance(IDLE_FOR).await;
    upstreams.sweep();
    while upstreams.usage() != PoolUse::default() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn head_with_too_many_fields_is_broken() {
    let (target, _) = service(plain(), |_: Asked, mut respond: Respond| async move {
        let mut response = Response::new(());
        for n in 0..200 {
            let name = http::HeaderName::from_bytes(format!("x-{n}").as_bytes()).unwrap();
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static("1"));
        }
        drop(respond.send_response(response, true));
    })
    .await;
    let upstreams = Upstreams::new();
    assert_eq!(ask(&upstreams, &target).await, Err(Failed::Broken));
}

#[tokio::test]
async fn answer_without_content_ends_with_its_head() {
    let (target, _) = service(plain(), |_: Asked, mut respond: Respond| async move {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::NO_CONTENT;
        drop(respond.send_response(response, true));
    })
    .await;
    let upstreams = Upstreams::new();
    let response = upstreams
        .send(&target, plainly(&target, Method::DELETE), &TIMEOUTS)
        .await
        .unwrap();
    assert_eq!(response.status, 204);
    assert!(response.body.is_end_stream());
    assert_eq!(upstreams.usage(), PoolUse { open: 1, idle: 1 });
}

#[tokio::test]
async fn next_address_is_taken_when_one_takes_no_connection() {
    let (target, _) = service(plain(), hello).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead: SocketAddr = free.local_addr().unwrap();
    drop(free);
    let target = speaking(Protocol::H2c, vec![dead, address(&target)]);
    let upstreams = Upstreams::new();
    for _ in 0..4 {
        assert_eq!(ask(&upstreams, &target).await.unwrap(), "hello");
    }
}
