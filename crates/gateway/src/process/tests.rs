use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::front::Echo;

fn estate() -> Estate {
    let mut estate = Estate::parse(&estate::starter("shop")).unwrap().estate;
    estate.listen.https = Vec::new();
    estate.listen.http = vec!["127.0.0.1:0".parse().unwrap()];
    estate.listen.plain = true;
    estate.listen.metrics = Some("127.0.0.1:0".parse().unwrap());
    estate
}

async fn ask(address: SocketAddr, head: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn estate_is_served_measured_replaced_and_stopped() {
    let data = tempfile::tempdir().unwrap();
    let ground = Ground::prepare(data.path(), 2).unwrap();
    let echo = Echo::new();
    let process = Process::start(ground, vec![Arc::clone(&echo), echo]).unwrap();
    let process = Arc::new(process);
    let mut estate = estate();
    let prepared = process.prepare(&estate).unwrap();
    let (address, _) = prepared.listeners.addresses().next().unwrap();
    let metrics = prepared.scrape.as_ref().unwrap().local();
    process.commit(prepared, &estate).await;
    let get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(ask(address, get).await.contains("200 OK"));
    let scraped = ask(
        metrics,
        "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    )
    .await;
    let max = format!(
        "rampart_gateway_held_bytes_max{{place=\"memory\"}} {}\n",
        estate.gateway.held_bodies_memory.0
    );
    assert!(scraped.contains(&max), "{scraped}");
    assert!(ask(metrics, get).await.starts_with("HTTP/1.1 404"));

    // An estate whose addresses cannot be bound changes nothing.
    let mut bad = estate.clone();
    bad.listen.http.push("192.0.2.1:80".parse().unwrap());
    assert!(process.prepare(&bad).is_err());
    assert!(ask(address, get).await.contains("200 OK"));

    // A smaller head limit holds for the next connection.
    estate.limits.head_bytes_max = ByteSize(64);
    for route in &mut estate.routes {
        route.limits.head_bytes_max = ByteSize(64);
    }
    let prepared = process.prepare(&estate).unwrap();
    process.commit(prepared, &estate).await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(100));
    assert!(ask(address, &long).await.starts_with("HTTP/1.1 414"));
    assert!(process.stop(Ending::Stop, Duration::from_secs(5)).await);
}
