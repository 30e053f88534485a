//! A client over TLS that shows what it was shown, and keeps its connection.

use std::net::SocketAddr;
use std::sync::Arc;

use net::tls::{Roots, client_config};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A connection that was verified with given authorities.
pub(crate) struct Talk {
    stream: TlsStream<TcpStream>,
}

impl Talk {
    /// Connects under `name`; `roots` is a PEM text.
    pub(crate) async fn connect(at: SocketAddr, roots: &str, name: &str) -> Result<Self, String> {
        let config = client_config(&Roots::Pem(roots.to_owned())).unwrap();
        let mut config = Arc::unwrap_or_clone(config);
        // Each handshake is a whole one, so that it shows a certificate.
        config.resumption = rustls::client::Resumption::disabled();
        let stream = TcpStream::connect(at).await.map_err(|e| e.to_string())?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let stream = connecting.await.map_err(|error| error.to_string())?;
        Ok(Self { stream })
    }

    /// The leaf of the server's certificate, DER.
    pub(crate) fn leaf(&self) -> Vec<u8> {
        let (_, tls) = self.stream.get_ref();
        tls.peer_certificates().unwrap()[0].to_vec()
    }

    /// The key exchange that was agreed on.
    pub(crate) fn group(&self) -> rustls::NamedGroup {
        let (_, tls) = self.stream.get_ref();
        tls.negotiated_key_exchange_group().unwrap().name()
    }

    /// Asks for a path of a host over this connection; the whole answer.
    pub(crate) async fn ask(&mut self, host: &str, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&answer).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1);
                let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
                if body.len() >= length.unwrap_or(0) {
                    return text;
                }
            }
            let mut piece = [0; 4096];
            let read = self.stream.read(&mut piece).await.unwrap();
            assert!(read > 0, "it ended after {text:?}");
            answer.extend_from_slice(&piece[..read]);
        }
    }
}
