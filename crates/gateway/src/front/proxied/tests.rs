use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::*;

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";

/// Version 2 with an addition of `more` bytes.
fn block(more: usize) -> Vec<u8> {
    let mut content = vec![192, 0, 2, 1, 198, 51, 100, 1, 220, 4, 1, 187, 0xEE];
    content.extend(u16::try_from(more).unwrap().to_be_bytes());
    content.resize(content.len() + more, b'x');
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11".to_vec();
    bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    bytes.extend(content);
    bytes
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = tokio::join!(client, listener.accept());
    let client = client.unwrap();
    client.set_nodelay(true).unwrap();
    (client, accepted.unwrap().0)
}

#[tokio::test]
async fn header_is_taken_to_its_last_byte_however_it_comes() {
    for header in [LINE.to_vec(), block(0), block(300), block(3900)] {
        // Each small piece is waited for, so that the pieces really come apart.
        for piece in [1, 7, 64, header.len()] {
            let (mut client, mut server) = pair().await;
            let sent = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            let reading = tokio::spawn(async move {
                let said = read(&mut server).await;
                let mut rest = [0; 16];
                server.read_exact(&mut rest).await.unwrap();
                (said, rest)
            });
            for piece in sent.chunks(piece.max(sent.len() / 200)) {
                client.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            let (said, rest) = reading.await.unwrap();
            assert_eq!(said, Ok(Some("192.0.2.1:56324".parse().unwrap())));
            assert_eq!(&rest, b"GET / HTTP/1.1\r\n");
        }
    }
}

#[tokio::test]
async fn silence_missing_and_half_headers_are_told_apart() {
    let cases: [(&[u8], Unnamed); 5] = [
        (b"", Unnamed::Gone),
        (
            b"GET / HTTP/1.1\r\n\r\n",
            Unnamed::Refused(Refusal::Missing),
        ),
        (b"PROXY TCP4 ", Unnamed::Refused(Refusal::CutOff)),
        (b"PROXY TCP9 \r\n", Unnamed::Refused(Refusal::Line)),
        (
            b"\r\n\r\n\0\r\nQUIT\n\x21",
            Unnamed::Refused(Refusal::CutOff),
        ),
    ];
    for (bytes, wanted) in cases {
        let (mut client, mut server) = pair().await;
        client.write_all(bytes).await.unwrap();
        drop(client);
        assert_eq!(read(&mut server).await, Err(wanted), "{bytes:?}");
    }
}
