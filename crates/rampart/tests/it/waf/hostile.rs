//! What a client can do to be read otherwise by the rules than by the service, and long bodies.

use super::*;

/// Types, codings and bodies of the same attack; each is refused, by a rule or because nobody can
/// read it.
const HIDDEN: &[(&[(&str, &str)], &str)] = &[
    (
        &[("content-type", "multipart/form-data; boundary=x")],
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1' UNION SELECT password FROM users-- -\r\n--x--\r\n",
    ),
    (
        &[("content-type", "multipart/form-data; boundary=x")],
        "--x\nContent-Disposition: form-data; name=\"a\"\n\n1' UNION SELECT password FROM users-- -\n--x--\n",
    ),
    (
        &[(
            "content-type",
            "multipart/form-data; boundary=x; boundary=y",
        )],
        "--y\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1' UNION SELECT password FROM users-- -\r\n--y--\r\n",
    ),
    (
        &[("content-type", "application/json")],
        r#"{"a":"1\u0027 UNION SEL\u0045CT password FROM users-- -"}"#,
    ),
    (
        &[("content-type", "application/vnd.api+json;charset=utf-16")],
        r#"{"a":"1' UNION SELECT password FROM users-- -"}"#,
    ),
    (
        &[(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-7",
        )],
        "a=1+ACc- UNION SELECT password FROM users--",
    ),
    (
        &[(
            "content-type",
            "application/x-www-form-urlencoded; charset=ibm037",
        )],
        "a=1%7D%40%E4%D5%C9%D6%D5",
    ),
    (
        &[("content-type", "application/xml")],
        "<?xml version='1.0' encoding='utf-7'?><a>1+ACc- UNION SELECT password FROM users-- -</a>",
    ),
    (
        &[("content-type", "application/xml")],
        "<!DOCTYPE a [<!ENTITY x \"1' UNION SELECT password FROM users-- -\">]><a>&x;</a>",
    ),
    (
        &[("content-type", "text/xml")],
        "<a b=\"1&#39; UNION SELECT password FROM users-- -\"/>",
    ),
    (
        &[("content-type", "text/html")],
        "b=1%27+UNION+SELECT+password+FROM+users--+-",
    ),
    (
        &[("content-type", "x/y")],
        r#"{"a":"1' UNION SELECT password FROM users-- -"}"#,
    ),
    (
        &[
            ("content-type", "application/json"),
            ("content-encoding", "br"),
        ],
        r#"{"a":1}"#,
    ),
    (
        &[
            ("content-type", "image/png"),
            ("content-encoding", "identity, gzip"),
        ],
        "a=1",
    ),
    (
        &[
            ("content-type", "text/plain"),
            ("content-type", "application/json"),
        ],
        r#"{"a":1}"#,
    ),
];

/// The same attack behind 100 kB that are none: looked into off the workers' threads.
fn long(attack: &str) -> String {
    let text = "the quick brown fox jumps over the lazy dog. ".repeat(2_300);
    format!("a={}&b={attack}", text.replace(' ', "+"))
}

pub(super) async fn finds_no_way_around(world: &World, backend: &Backend) {
    let before = backend.seen().len();
    for (fields, body) in HIDDEN {
        let mut request = Request::post("/").header("host", "app.localhost");
        for (name, value) in *fields {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::from_static(body.as_bytes())).unwrap();
        let answer = world.try_send(request).await.unwrap();
        let status = answer.status.as_u16();
        assert!(
            matches!(status, 400 | 403 | 415),
            "{fields:?} {body}: {answer:?}"
        );
    }
    let attack = "1%27+UNION+SELECT+password+FROM+users--+-";
    let answer = post(world, "/", FORM, long(attack)).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    // A GET has a body as any other request has, in whatever frames it comes.
    let rest = attack.strip_prefix("1%27+").unwrap();
    for head in ["GET / HTTP/1.1", "POST / HTTP/1.1"] {
        let chunks = format!(
            "{head}\r\nHost: app.localhost\r\nConnection: close\r\nContent-Type: {FORM}\r\n\
             Transfer-Encoding: chunked\r\n\r\n7\r\nb=1%27+\r\n{:x}\r\n{}\r\n0\r\nX-More: 1\r\n\r\n",
            rest.len(),
            rest
        );
        let answer = world.raw(chunks.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
    // What HTTP/2 splits is one to the service: the path in its own field, a cookie in many.
    let over_2 = [
        (
            "/?id=1%27%20UNION%20SELECT%20password%20FROM%20users--%20-",
            "",
        ),
        ("/", "1' UNION SELECT password FROM users-- -"),
    ];
    for (path, cookie) in over_2 {
        assert_eq!(
            over_http2(world, path, cookie).await,
            403,
            "{path} {cookie}"
        );
    }
    assert_eq!(backend.seen().len(), before, "{:?}", backend.lines());
    assert_eq!(over_http2(world, "/still?a=1", "2").await, 200);
    let answer = post(world, "/", FORM, long("fine")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn over_http2(world: &World, path: &str, cookie: &str) -> u16 {
    let stream = world.over_http2("app.localhost").await;
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::get(format!("https://app.localhost{path}"))
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        )
        .header("accept", "*/*");
    if !cookie.is_empty() {
        request = request
            .header("cookie", "a=1")
            .header("cookie", format!("b={cookie}"));
    }
    let mut client = client.ready().await.unwrap();
    let (answer, _) = client
        .send_request(request.body(()).unwrap(), true)
        .unwrap();
    answer.await.unwrap().status().as_u16()
}
