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

#[tokio::test(start_paused = true)]
async fn more_bodies_than_may_wait_get_no_place() {
    let places = Arc::new(Places::default());
    let mut held = Vec::new();
    while held.len() < 4 {
        held.push(places.take().await.unwrap());
    }
    let asking: Vec<_> = (0..1000)
        .map(|_| {
            let places = Arc::clone(&places);
            tokio::spawn(async move { places.take().await.is_some() })
        })
        .collect();
    // All of them ask before time moves on.
    for _ in 0..10 {
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
        places.take().await.is_some(),
        "those that wait are counted off"
    );
}
