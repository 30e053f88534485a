//! Where requests are handled, one after the other: a future that is made once and takes the next
//! request when it has answered the last, so that a request costs no allocation of its own.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http::Request;

use crate::exchange::Incoming;
use crate::front::Handler;
use crate::front::service::Service;
use crate::reply::Reply;

/// See the module. Dropped in the middle of a request, it takes that along.
pub(super) struct Lane {
    desk: Arc<Desk>,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").finish_non_exhaustive()
    }
}

/// What is handed in and out.
#[derive(Debug, Default)]
struct Desk(Mutex<On>);

#[derive(Debug, Default)]
struct On {
    request: Option<Request<Incoming>>,
    answer: Option<Reply>,
}

impl Desk {
    fn on(&self) -> MutexGuard<'_, On> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    pub(super) fn new<H: Handler>(service: &Arc<Service<H>>) -> Self {
        let desk = Arc::new(Desk::default());
        Self {
            future: Box::pin(run(Arc::clone(service), Arc::clone(&desk))),
            desk,
        }
    }

    /// Hands a request in; the one before has been answered.
    pub(super) fn put(&self, request: Request<Incoming>) {
        self.desk.on().request = Some(request);
    }

    /// Goes on with its request; ready with the answer.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Reply> {
        // It never ends by itself.
        if self.future.as_mut().poll(cx).is_ready() {
            return Poll::Pending;
        }
        let answer = self.desk.on().answer.take();
        answer.map_or(Poll::Pending, Poll::Ready)
    }
}

async fn run<H: Handler>(service: Arc<Service<H>>, desk: Arc<Desk>) {
    loop {
        let next = std::future::poll_fn(|_| {
            let request = desk.on().request.take();
            request.map_or(Poll::Pending, Poll::Ready)
        });
        let mut request = next.await;
        let answer = match service.settle(&mut request) {
            Some(answer) => answer,
            None => service.handle(request).await,
        };
        desk.on().answer = Some(answer);
    }
}
