//! What a connection holds for one of its streams, and for those that have the same place after it.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use model::Timestamp;

use super::answer::{Answer, Next, is_head};
use super::inbox::{Due, Inbox};
use super::lane::Lane;
use super::ready::Ready;
use super::watch::Watch;
use crate::exchange::{Incoming, Source};
use crate::front::Handler;
use crate::front::service::Service;
use crate::reply::Reply;
use crate::trailers::Taken;
use crate::wire::http2::{Accepted, Session};

/// See the module.
#[derive(Debug)]
pub(super) struct Slot {
    /// Wakes the connection for this place.
    bell: Waker,
    lane: Option<Lane>,
    inbox: Option<Arc<Inbox>>,
    work: Work,
    is_head: bool,
    /// It stands in the queue of answers that have more to send.
    pub(super) is_queued: bool,
    /// The turn in which its request began.
    began: u64,
    /// Seconds its client had no room for its answer.
    stuck_s: u32,
}

#[derive(Debug)]
enum Work {
    None,
    Handled,
    Answered(Box<Answer>),
}

/// What is to be done after an answer was moved on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing, until something happens.
    Nothing,
    /// Move it on again, after others.
    Again,
    /// It is sent: forget it.
    Sent,
    /// It broke off: end its stream, and forget it.
    Broken,
}

impl Slot {
    /// The slot of a place.
    pub(super) fn at<'a>(
        slots: &'a mut Vec<Self>,
        place: usize,
        ready: &Arc<Ready>,
    ) -> Option<&'a mut Self> {
        while slots.len() <= place {
            slots.push(Self::new(ready.bell(slots.len())));
        }
        slots.get_mut(place)
    }

    fn new(bell: Waker) -> Self {
        Self {
            bell,
            lane: None,
            inbox: None,
            work: Work::None,
            is_head: false,
            is_queued: false,
            began: 0,
            stuck_s: 0,
        }
    }

    /// A request begins here, in this turn.
    pub(super) fn begin<H: Handler>(
        &mut self,
        service: &Arc<Service<H>>,
        accepted: Accepted,
        ends: bool,
        turn: u64,
    ) {
        self.began = turn;
        let Accepted {
            mut request,
            length,
            waits,
            takes_trailers,
        } = accepted;
        if takes_trailers {
            request.extensions_mut().insert(Taken);
        }
        self.is_head = is_head(request.method());
        let body = if ends {
            Incoming::Empty
        } else {
            let inbox = Arc::new(Inbox::new(self.bell.clone(), length, waits));
            self.inbox = Some(Arc::clone(&inbox));
            Incoming::Stream(inbox as Arc<dyn Source>)
        };
        self.work = Work::Handled;
        let lane = self.lane.get_or_insert_with(|| Lane::new(service));
        lane.put(request.map(|()| body));
    }

    /// Whether its request began in this turn.
    pub(super) const fn began_in(&self, turn: u64) -> bool {
        self.began == turn
    }

    /// Its answer is here.
    pub(super) fn answer(&mut self, reply: Reply) {
        let answer = Answer::new(std::mem::take(&mut self.is_head), reply);
        self.work = Work::Answered(Box::new(answer));
    }

    /// More content came; how much of it nobody will take.
    pub(super) fn put(&mut self, content: Bytes, ends: bool) -> Option<usize> {
        let length = content.len();
        match &self.inbox {
            Some(inbox) if Arc::strong_count(inbox) > 1 => {
                inbox.put(content, ends);
                None
            }
            _ => Some(length),
        }
    }

    /// What stands behind the content came.
    pub(super) fn trailers(&mut self, fields: HeaderMap) {
        if let Some(inbox) = &self.inbox {
            inbox.trailers(fields);
        }
    }

    /// Goes on with the handling of its request.
    pub(super) fn poll(&mut self) {
        let (Work::Handled, Some(lane)) = (&self.work, &mut self.lane) else {
            return;
        };
        let mut cx = Context::from_waker(&self.bell);
        if let Poll::Ready(response) = lane.poll(&mut cx) {
            self.answer(response);
        }
    }

    /// Sends what there is of its answer.
    pub(super) fn send(
        &mut self,
        to: (&mut Session, usize),
        how: (usize, bool),
        now: impl Fn() -> Timestamp,
    ) -> Turn {
        let Work::Answered(answer) = &mut self.work else {
            return Turn::Nothing;
        };
        let mut cx = Context::from_waker(&self.bell);
        match answer.send(to, how, now, &mut cx) {
            Next::Waits | Next::Blocked => Turn::Nothing,
            Next::Yields => Turn::Again,
            Next::Sent => Turn::Sent,
            Next::Broken => Turn::Broken,
        }
    }

    pub(super) const fn is_handled(&self) -> bool {
        matches!(self.work, Work::Handled)
    }

    pub(super) const fn is_answered(&self) -> bool {
        matches!(self.work, Work::Answered(_))
    }

    /// It will be asked what is due for its body.
    pub(super) fn watch(&self) {
        if let Some(inbox) = &self.inbox {
            inbox.watch();
        }
    }

    /// What is due for its body.
    pub(super) fn due(&self) -> Due {
        let none = Due {
            taken: 0,
            go_on: false,
        };
        self.inbox.as_ref().map_or(none, |inbox| inbox.due())
    }

    /// Its stream is no more; how much content came that nobody took.
    pub(super) fn clear(&mut self) -> usize {
        if self.is_handled() {
            // What works for a request that nobody waits for ends in the middle.
            self.lane = None;
        }
        self.work = Work::None;
        self.is_head = false;
        self.stuck_s = 0;
        self.inbox.take().map_or(0, |inbox| inbox.close())
    }

    /// Nothing is under way on the connection: it holds no more than it must.
    pub(super) fn rest(&mut self) {
        self.lane = None;
    }

    /// Whether its client has had no room for its answer for too long; asked once a second.
    pub(super) fn is_stuck(&mut self, watch: &Watch) -> bool {
        let Work::Answered(answer) = &mut self.work else {
            return false;
        };
        if answer.is_stuck() {
            self.stuck_s = self.stuck_s.saturating_add(1);
        } else {
            self.stuck_s = 0;
        }
        watch.is_too_long(self.stuck_s)
    }
}
