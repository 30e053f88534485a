use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};

use super::*;

fn get(path: &str) -> Request<Bytes> {
    Request::get(path).body(Bytes::new()).unwrap()
}

async fn server(answer: &'static [u8]) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        stream.write_all(answer).await.unwrap();
        request.truncate(length);
        String::from_utf8(request).unwrap()
    });
    (address, server)
}

#[tokio::test]
async fn answer_of_a_local_socket_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).await.unwrap();
        let answer = b"HTTP/1.1 201 Created\r\ncontent-length: 5\r\n\r\nhello";
        stream.write_all(answer).await.unwrap();
        String::from_utf8(request[..length].to_vec()).unwrap()
    });
    let answer = Client::new(Endpoint::Unix(path))
        .send(get("/x"))
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.bytes().await.unwrap(), "hello");
    assert!(
        server
            .await
            .unwrap()
            .starts_with("GET /x HTTP/1.1\r\nhost: rampart\r\n")
    );
}

#[tokio::test]
async fn stream_of_answers_is_read_piece_by_piece() {
    let answer =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    let (address, _server) = server(answer).await;
    let mut answer = Client::new(Endpoint::Tcp(address))
        .send(get("/"))
        .await
        .unwrap();
    let mut text = Vec::new();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        text.extend_from_slice(&chunk);
    }
    assert_eq!(text, b"abc");
}

#[tokio::test]
async fn answer_that_breaks_off_is_an_error() {
    let (address, _server) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await;
    let answer = Client::new(Endpoint::Tcp(address))
        .send(get("/"))
        .await
        .unwrap();
    assert!(matches!(answer.bytes().await, Err(Error::Exchange { .. })));
}

#[tokio::test]
async fn nobody_there_is_named() {
    let client = Client::new(Endpoint::Unix("/nonexistent/rampart.sock".into()));
    let error = client.send(get("/")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot reach `/nonexistent/rampart.sock`"
    );
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(Endpoint::Tcp(listener.local_addr().unwrap()));
    let error = client
        .timeout(Duration::from_secs(3))
        .send(get("/"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "no answer within 3s");
}
