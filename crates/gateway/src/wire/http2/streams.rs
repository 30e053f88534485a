//! The streams of a connection (RFC 9113 §5.1): which are open, and what of them is still to come.

use std::collections::VecDeque;

/// LIMIT: streams remembered that this side ended before their client did: what was under way then
/// may still come (RFC 9113 §5.1).
const ENDED_EARLY_MAX: usize = 256;

/// An open stream.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) id: u32,
    /// The client has sent everything.
    pub(super) is_received: bool,
    /// Content the client has room for; a setting can make it less than nothing.
    pub(super) send: i64,
    /// Content the client may still send.
    pub(super) receive: u32,
    /// Content that was taken and is not told to be.
    pub(super) taken: u32,
    /// Content still to come, where that was declared.
    pub(super) left: Option<u64>,
}

/// See the module. A stream has a place as long as it is open.
#[derive(Debug, Default)]
pub(super) struct Streams {
    places: Vec<Option<Stream>>,
    /// The id of each place, 0 where it is free: this is what is searched.
    ids: Vec<u32>,
    free: Vec<usize>,
    ended_early: VecDeque<u32>,
}

impl Streams {
    /// Open streams.
    pub(super) fn count(&self) -> usize {
        self.places.len().saturating_sub(self.free.len())
    }

    /// Opens one.
    pub(super) fn open(&mut self, stream: Stream) -> usize {
        let id = stream.id;
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.ids.push(0);
            self.places.len().saturating_sub(1)
        });
        if let (Some(at), Some(of)) = (self.places.get_mut(place), self.ids.get_mut(place)) {
            *at = Some(stream);
            *of = id;
        }
        place
    }

    /// Ends one.
    pub(super) fn close(&mut self, place: usize) -> Option<Stream> {
        let stream = self.places.get_mut(place)?.take()?;
        if let Some(id) = self.ids.get_mut(place) {
            *id = 0;
        }
        self.free.push(place);
        Some(stream)
    }

    /// What was under way on it when it ended may still come.
    pub(super) fn ended_early(&mut self, id: u32) {
        if self.ended_early.len() >= ENDED_EARLY_MAX {
            self.ended_early.pop_front();
        }
        self.ended_early.push_back(id);
    }

    pub(super) fn has_ended_early(&self, id: u32) -> bool {
        self.ended_early.contains(&id)
    }

    /// Where an open stream has its place.
    pub(super) fn find(&self, id: u32) -> Option<usize> {
        self.ids.iter().position(|of| *of == id)
    }

    pub(super) fn at(&self, place: usize) -> Option<&Stream> {
        self.places.get(place)?.as_ref()
    }

    pub(super) fn at_mut(&mut self, place: usize) -> Option<&mut Stream> {
        self.places.get_mut(place)?.as_mut()
    }

    /// All that are open.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.places.iter_mut().flatten()
    }
}
