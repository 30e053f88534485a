use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::oneshot;

use super::*;
use crate::front::Echo;

/// One test, because signals reach the whole process.
#[test]
fn process_serves_what_the_link_orders_until_it_is_told_to_stop() {
    let data = tempfile::tempdir().unwrap();
    let settings = Settings {
        link: LinkAddress::Unix(data.path().join("link.sock")),
        data_dir: data.path().to_path_buf(),
        control_http: data.path().join("control-http.sock"),
        workers: NonZeroUsize::new(2).unwrap(),
        node: "test".to_owned(),
        base: data.path().to_path_buf(),
    };
    let address = {
        let socket = net::bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        socket.local_addr().unwrap()
    };
    let handlers = |_: &Ground, workers: NonZeroUsize| {
        let echo = Echo::new();
        let handlers = (0..workers.get()).map(|_| Arc::clone(&echo)).collect();
        Ok((handlers, ()))
    };
    let link = move |orders: mpsc::Sender<Order>, ()| async move {
        let mut estate = estate::Estate::parse(&estate::starter("shop"))
            .unwrap()
            .estate;
        estate.listen.https = Vec::new();
        estate.listen.http = vec![address];
        estate.listen.plain = true;
        estate.listen.metrics = None;
        let (outcome, prepared) = oneshot::channel();
        let estate = Arc::new(estate);
        orders
            .send(Order::Prepare { estate, outcome })
            .await
            .unwrap();
        prepared.await.unwrap().unwrap();
        let (outcome, swapped) = oneshot::channel();
        let install = Box::new(|| {});
        orders.send(Order::Swap { install, outcome }).await.unwrap();
        assert!(swapped.await.unwrap());
        let client = net::Client::new(net::Endpoint::Tcp(address));
        let request = http::Request::get("/").body(bytes::Bytes::new()).unwrap();
        let answer = client.send(request).await.unwrap();
        assert_eq!(answer.bytes().await.unwrap(), "GET / 0\n");
        kill_process(getpid(), Signal::TERM).unwrap();
        std::future::pending::<()>().await;
    };
    let start = Start {
        lock: tempfile::tempfile().unwrap().into(),
        predecessor: None,
        say_ready: || {},
    };
    run_with(&settings, start, handlers, link, || async {}).unwrap();
    assert!(
        std::net::TcpStream::connect(address).is_err(),
        "nobody listens any more"
    );
}
