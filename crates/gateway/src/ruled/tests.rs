use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body::Body as _;
use model::ByteSize;

use super::*;
use crate::body::Budget;
use crate::exchange::Outgoing;

fn budget(bytes: u64) -> Arc<Budget> {
    Arc::new(Budget::new(".".into(), ByteSize(bytes), ByteSize(0)))
}

async fn read(mut body: Outgoing) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        match frame.await {
            Some(frame) => bytes.extend_from_slice(&frame.unwrap().into_data().unwrap()),
            None => return bytes,
        }
    }
}

fn begun(first: &'static str, rest: &'static str) -> Outgoing {
    let rest = Outgoing::Full(Bytes::from_static(rest.as_bytes()));
    Outgoing::Begun(Box::new(Begun::new(
        Bytes::from_static(first.as_bytes()),
        rest,
        None,
    )))
}

#[tokio::test]
async fn answer_is_whole_or_passes_as_it_was() {
    let kept = hold(begun("one", "two"), 6, &budget(100)).await.unwrap();
    let Kept::Whole(bytes, None, _) = kept else {
        panic!("{kept:?}");
    };
    assert_eq!(bytes, "onetwo");
    for (max, memory) in [(5, 100), (6, 4)] {
        let kept = hold(begun("one", "two"), max, &budget(memory))
            .await
            .unwrap();
        let Kept::Passes(body) = kept else {
            panic!("{kept:?}");
        };
        assert_eq!(body.size_hint().exact(), Some(6), "{max} {memory}");
        assert_eq!(read(body).await, b"onetwo", "{max} {memory}");
    }
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

#[tokio::test(start_paused = true)]
async fn more_bodies_than_may_wait_get_no_place() {
    let places = Arc::new(Places::default());
    let mut held = Vec::new();
    while held.len() < 4 {
        held.push(places.take(address(0), 1).await.unwrap());
    }
    let asking: Vec<_> = (0..1000)
        .map(|number: u16| {
            let places = Arc::clone(&places);
            let client = IpAddr::from([10, 0, 0, u8::try_from(number % 200).unwrap()]);
            tokio::spawn(async move { places.take(client, 1).await.is_some() })
        })
        .collect();
    // All of them ask before time moves on.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    drop(held.pop());
    let mut got = 0;
    for one in asking {
        got += u32::from(one.await.unwrap());
    }
    // Each that got one gave it to the next; nobody beyond those that may wait did.
    assert!((1..=64).contains(&got), "{got}");
    drop(held);
    assert!(
        places.take(address(0), 1).await.is_some(),
        "those that wait are counted off"
    );
}

#[tokio::test(start_paused = true)]
async fn one_client_leaves_places_to_others() {
    let places = Arc::new(Places::default());
    let mut held = Vec::new();
    while held.len() < 4 {
        held.push(places.take(address(0), 1).await.unwrap());
    }
    let ask = |client: IpAddr| {
        let places = Arc::clone(&places);
        tokio::spawn(async move { places.take(client, 1).await.is_some() })
    };
    let greedy: Vec<_> = (0..1000).map(|_| ask(address(0))).collect();
    // The last 64 bits of an address of IPv6 are its owner's to choose.
    let spread = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, n, n, n, n]);
    let greedy_6: Vec<_> = (0..1000).map(|n| ask(spread(n))).collect();
    let other = ask(address(1));
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    held.clear();
    assert!(other.await.unwrap(), "another client gets one");
    for (many, most) in [(greedy, 12), (greedy_6, 16)] {
        let mut got = 0;
        for one in many {
            got += u32::from(one.await.unwrap());
        }
        assert_eq!(got, most);
    }
}

#[tokio::test(start_paused = true)]
async fn long_bodies_take_several_places_and_none_takes_more_than_there_are() {
    const MIB: usize = 1 << 20;
    let places = Places::default();
    let three = places.take(address(0), 5 * MIB).await.unwrap();
    let one = places.take(address(0), 2 * MIB).await.unwrap();
    assert!(places.take(address(0), 1).await.is_none(), "none is left");
    drop((three, one));
    let all = places.take(address(0), 900 * MIB).await.unwrap();
    assert!(places.take(address(1), 1).await.is_none(), "none is left");
    drop(all);
    assert!(places.take(address(1), 1).await.is_some());
}
