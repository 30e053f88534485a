use http::{HeaderValue, Response, header};

use super::*;

fn asked(method: Method, version: Version) -> Asked {
    Asked {
        method,
        version,
        keeps: true,
    }
}

/// Everything that is written of an answer whose body is here.
fn written(asked: &Asked, keeps: bool, response: Response<Outgoing>) -> (String, bool) {
    let now = Timestamp::from_millis(784_111_777_000);
    let mut answer = Answer::new(asked, keeps, response.into(), || now);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let mut all = Vec::new();
    loop {
        assert!(matches!(answer.poll_more(&mut cx), Poll::Ready(Ok(()))));
        if answer.is_written() {
            return (String::from_utf8(all).unwrap(), answer.keeps());
        }
        let (before, content, after) = answer.parts();
        let parts = [before, content, after].concat();
        // One byte, then the rest: no write takes as much as it is given.
        let some = if all.is_empty() { 1 } else { parts.len() };
        all.extend_from_slice(&parts[..some]);
        answer.wrote(some);
    }
}

fn full(text: &str) -> Response<Outgoing> {
    Response::new(Outgoing::Full(Bytes::copy_from_slice(text.as_bytes())))
}

const DATE_LINE: &str = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

#[test]
fn head_is_framed_for_this_connection_alone() {
    let mut response = full("hello");
    for (name, value) in [
        ("content-length", "99"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("x-own", "1"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    let get = asked(Method::GET, Version::HTTP_11);
    let (text, keeps) = written(&get, true, response);
    assert!(keeps);
    assert_eq!(
        text,
        format!("HTTP/1.1 200 OK\r\nx-own: 1\r\ncontent-length: 5\r\n{DATE_LINE}\r\nhello")
    );
}

#[test]
fn date_of_the_service_stays() {
    let mut response = full("");
    let date = HeaderValue::from_static("Mon, 07 Nov 1994 08:49:37 GMT");
    response.headers_mut().insert(header::DATE, date);
    let (text, _) = written(&asked(Method::GET, Version::HTTP_11), true, response);
    assert_eq!(text.matches("date: ").count(), 1);
    assert!(text.contains("date: Mon, 07 Nov"));
}

#[test]
fn end_of_the_connection_is_said_to_each_version() {
    let of = |version, keeps| written(&asked(Method::GET, version), keeps, full("x")).0;
    assert!(!of(Version::HTTP_11, true).contains("connection:"));
    assert!(of(Version::HTTP_11, false).contains("connection: close\r\n"));
    assert!(of(Version::HTTP_10, true).contains("connection: keep-alive\r\n"));
    assert!(of(Version::HTTP_10, false).contains("connection: close\r\n"));
}

#[test]
fn answers_that_have_no_body_get_none() {
    let head = asked(Method::HEAD, Version::HTTP_11);
    let (text, _) = written(&head, true, full("hello"));
    assert!(
        text.ends_with(&format!("content-length: 5\r\n{DATE_LINE}\r\n")),
        "{text}"
    );
    let get = asked(Method::GET, Version::HTTP_11);
    for (status, length) in [
        (StatusCode::NO_CONTENT, false),
        (StatusCode::NOT_MODIFIED, true),
    ] {
        let mut response = full("hello");
        *response.status_mut() = status;
        let value = HeaderValue::from_static("7");
        response.headers_mut().insert(header::CONTENT_LENGTH, value);
        let (text, keeps) = written(&get, true, response);
        assert!(text.ends_with("\r\n\r\n") && keeps, "{text}");
        assert_eq!(text.contains("content-length: 7"), length, "{text}");
    }
}

#[test]
fn long_content_is_not_copied_and_arrives_whole() {
    let long = "y".repeat(3 * COPIED_MAX);
    let get = asked(Method::GET, Version::HTTP_11);
    let (text, _) = written(&get, true, full(&long));
    assert!(text.ends_with(&format!("\r\n\r\n{long}")));
}
