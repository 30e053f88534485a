//! Limits of a body that is passed on, by the test's clock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::*;
use crate::exchange::{BoxError, Source};

/// Gives what a test puts in; ends when it is told to.
#[derive(Debug, Default)]
struct Pieces {
    ready: Mutex<VecDeque<Option<Bytes>>>,
}

impl Pieces {
    fn put(&self, size: usize) {
        let piece = Bytes::from(vec![b'x'; size]);
        self.ready.lock().unwrap().push_back(Some(piece));
    }
}

impl Source for Pieces {
    fn poll_next(&self, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.ready.lock().unwrap().pop_front() {
            None => Poll::Pending,
            Some(None) => Poll::Ready(None),
            Some(Some(piece)) => Poll::Ready(Some(Ok(Frame::data(piece)))),
        }
    }

    fn left(&self) -> Option<u64> {
        None
    }
}

const LIMITS: Limits = Limits {
    max: 10_000,
    bytes_per_s_min: 1000,
    grace: Duration::from_secs(5),
};

fn streamed(limits: &Limits) -> (Arc<Pieces>, Carried) {
    let pieces = Arc::new(Pieces::default());
    let incoming = Incoming::Stream(Arc::clone(&pieces) as Arc<dyn Source>);
    let body = Streamed::new(incoming, limits).unwrap();
    (pieces, Carried::Streamed(Box::new(body)))
}

async fn next(body: &mut Carried) -> Option<Result<Frame<Bytes>, Refused>> {
    std::future::poll_fn(|cx| body.poll_frame(cx)).await
}

async fn refused(body: &mut Carried) -> Refused {
    next(body).await.unwrap().unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn client_that_sends_too_slowly_ends_it() {
    let (pieces, mut body) = streamed(&LIMITS);
    let start = Instant::now();
    pieces.put(2000);
    next(&mut body).await.unwrap().unwrap();
    assert_eq!(refused(&mut body).await, Refused::TooSlow);
    let waited = start.elapsed();
    let expected = Duration::from_secs(7);
    assert!(waited >= expected && waited < 2 * expected, "{waited:?}");
    assert!(next(&mut body).await.is_none(), "there is no more of it");
}

#[tokio::test(start_paused = true)]
async fn time_in_which_nobody_asked_for_it_is_not_the_clients() {
    let (pieces, mut body) = streamed(&LIMITS);
    for _ in 0..10 {
        pieces.put(1);
        next(&mut body).await.unwrap().unwrap();
        // The service takes nothing for a while.
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    let start = Instant::now();
    assert_eq!(refused(&mut body).await, Refused::TooSlow);
    assert!(start.elapsed() >= LIMITS.grace, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn conversation_that_was_answered_may_pause() {
    let (pieces, mut body) = streamed(&LIMITS);
    body.answered();
    let pause = tokio::time::timeout(Duration::from_secs(3600), next(&mut body)).await;
    assert!(pause.is_err(), "it waits on");
    pieces.put(10);
    next(&mut body).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_longer_than_allowed_has_no_end() {
    let (pieces, mut body) = streamed(&LIMITS);
    pieces.put(10_000);
    next(&mut body).await.unwrap().unwrap();
    pieces.put(1);
    assert_eq!(refused(&mut body).await, Refused::TooLarge);
}

#[tokio::test(start_paused = true)]
async fn body_is_sent_again_only_while_nothing_of_it_was_taken() {
    let (pieces, body) = streamed(&LIMITS);
    let mut body = body.again().expect("nothing was read");
    pieces.put(1);
    next(&mut body).await.unwrap().unwrap();
    assert!(body.again().is_none());
}
