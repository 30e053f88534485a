//! Who is measured, and how its clients speak to it.

/// A proxy with one kind of route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Nginx,
    Haproxy,
    /// A route that asks for nothing.
    Plain,
    /// A route that asks for everything.
    Full,
}

/// What its clients speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// HTTP/1.1 in clear.
    Http1,
    /// HTTP/1.1 over TLS.
    Https,
    /// HTTP/2 over TLS.
    Http2,
}

/// One side of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) who: Who,
    pub(super) over: Over,
}

impl Who {
    pub(super) const ALL: [Self; 4] = [Self::Nginx, Self::Haproxy, Self::Plain, Self::Full];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Plain => "rampart, plain proxy",
            Self::Full => "rampart, API key + authorisation + limits + OpenAPI",
        }
    }

    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Plain => "rampart_plain",
            Self::Full => "rampart_full",
        }
    }
}

impl Over {
    pub(super) const ALL: [Self; 3] = [Self::Http1, Self::Https, Self::Http2];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Https => "HTTP/1.1 over TLS",
            Self::Http2 => "HTTP/2 over TLS",
        }
    }

    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Https => "https",
            Self::Http2 => "http2",
        }
    }
}

impl Side {
    /// Every side, in the order of a round.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let of = |over| Who::ALL.into_iter().map(move |who| Self { who, over });
        Over::ALL.into_iter().flat_map(of)
    }

    pub(super) fn name(self) -> String {
        format!("{} ({})", self.who.name(), self.over.name())
    }
}
