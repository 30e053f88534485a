//! What limits of other programs say that a route's own `limit` does not: the one place to change
//! when the estate learns to say it.

/// A part of a limit that is not carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// It counts for each value of something other than address or route.
    Key,
    /// Several routes take from one count.
    Shared,
    /// How many at once, not how often.
    Concurrent,
    /// What is too much waits instead of being refused.
    Delay,
    /// How fast an answer is sent.
    Bandwidth,
}

impl Beyond {
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Key => {
                "a route's `limit` counts per address, user, API key or route, and by nothing else"
            }
            Self::Shared => {
                "each route counts for itself: together they let through more than the one count they shared"
            }
            Self::Concurrent => "a route limits how often, not how many at once",
            Self::Delay => {
                "what is over the limit is refused with 429 at once, never held back or refused with 503"
            }
            Self::Bandwidth => "answers are sent as fast as the client takes them",
        }
    }

    pub(crate) const fn instead(self) -> &'static str {
        match self {
            Self::Key => {
                "write `limit = \"… per address\"` on the route, or `per key` once its callers have API keys"
            }
            Self::Shared => "lower the limit of each route, or lead them together under one path",
            Self::Concurrent => {
                "`capacity.requests` of the service bounds all clients together; `gateway.connections_per_address_max` bounds connections of one address"
            }
            Self::Delay | Self::Bandwidth => "",
        }
    }
}
