//! Fields of how a service is reached, and of what happens when it is not.

use super::{Default, Table, field};
use crate::kind::Kind;

/// What an attempt can come to that is no good answer.
const FAILURE: Kind = Kind::Choice(&["connect", "reset", "timeout", "502", "503", "504"]);
static FAILURES: Kind = FAILURE;

pub(crate) static RESOLVE: Table = Table {
    doc: "How names in `address` and `addresses` are looked up.",
    fields: &[
        field(
            "every",
            Kind::Duration {
                min: "1s",
                max: "1h",
            },
            Default::Text("10s"),
            "How often; the last good answer stays while there is none.",
        ),
        field(
            "allow",
            Kind::List {
                of: &Kind::Network,
                max: 100,
            },
            Default::List(&[]),
            "Link-local and metadata addresses that a name may lead to all the same.",
        ),
    ],
};

pub(crate) static HEALTH: Table = Table {
    doc: "Each address is asked whether it is well; one that is not gets no requests. None is \
          asked when left out.",
    fields: &[
        field(
            "path",
            Kind::Text { max: 500 },
            Default::Absent,
            "What to `GET`; when left out, taking a connection is enough.",
        ),
        field(
            "every",
            Kind::Duration {
                min: "100ms",
                max: "1h",
            },
            Default::Text("5s"),
            "How often, a tenth more or less.",
        ),
        field(
            "timeout",
            Kind::Duration {
                min: "10ms",
                max: "1m",
            },
            Default::Text("1s"),
            "The whole of one question may take so long.",
        ),
        field(
            "expect",
            Kind::Statuses,
            Default::Text("200-299"),
            "Statuses that mean well: `200`, `200-299`, `200, 204`.",
        ),
        field(
            "rise",
            Kind::Count { min: 1, max: 100 },
            Default::Count(2),
            "So many good answers in a row make an address well again.",
        ),
        field(
            "fall",
            Kind::Count { min: 1, max: 100 },
            Default::Count(3),
            "So many bad ones in a row make it unwell; one is enough for an address never seen well.",
        ),
        field(
            "none_healthy",
            Kind::Choice(&["try", "refuse"]),
            Default::Text("try"),
            "When no address is well: `try` them all the same, or `refuse` with 503 at once.",
        ),
    ],
};

pub(crate) static OUTLIERS: Table = Table {
    doc: "An address whose requests fail is passed over for a while, longer each time.",
    fields: &[
        field(
            "on",
            Kind::List {
                of: &FAILURES,
                max: 6,
            },
            Default::List(&["connect", "reset", "timeout"]),
            "What counts as a failure, here and for `breaker`: `connect`, no connection; `reset`, \
             a broken answer or none; `timeout`, no answer in time; or a status.",
        ),
        field(
            "failures",
            Kind::Count { min: 1, max: 1000 },
            Default::Count(3),
            "So many in a row and it is passed over; where no connection was taken, one is enough.",
        ),
        field(
            "eject",
            Kind::Duration {
                min: "100ms",
                max: "1h",
            },
            Default::Text("10s"),
            "For how long the first time, twice as long each time after; 2 s where no connection \
             was taken, or this when it is less.",
        ),
        field(
            "eject_max",
            Kind::Duration {
                min: "100ms",
                max: "24h",
            },
            Default::Text("5m"),
            "Never longer than this.",
        ),
        field(
            "share_max",
            Kind::Percent,
            Default::Text("50%"),
            "Never more than this share of the addresses at once, but one of several always.",
        ),
    ],
};

pub(crate) static BALANCE: Table = Table {
    doc: "Requests that have something in common go to the same address.",
    fields: &[field(
        "hash",
        Kind::HashKey,
        Default::Required,
        "What they have in common: `address`, `user`, `path`, `header:x-tenant`, `cookie:sid`.",
    )],
};

/// Where nothing is hashed.
pub(super) static LEAST: Kind = Kind::Choice(&["least_requests"]);
pub(super) static HASHED: Kind = Kind::Table(&BALANCE);

pub(crate) static RETRIES: Table = Table {
    doc: "A request that came to nothing is sent to another address; once a byte of an answer is \
          here, never.",
    fields: &[
        field(
            "max",
            Kind::Count { min: 0, max: 10 },
            Default::Count(2),
            "How often one request.",
        ),
        field(
            "budget",
            Kind::Percent,
            Default::Text("20%"),
            "Retries within ten seconds, as a share of the requests within them; ten are always \
             free.",
        ),
        field(
            "on",
            Kind::List {
                of: &FAILURES,
                max: 6,
            },
            Default::List(&["connect", "reset"]),
            "After what. After `connect` any method is sent again, for nothing was sent; else only \
             idempotent ones.",
        ),
    ],
};

pub(crate) static BREAKER: Table = Table {
    doc: "While too many requests to a service fail, it gets none but one now and then to see. No \
          breaker when left out.",
    fields: &[
        field(
            "failures",
            Kind::Percent,
            Default::Text("50%"),
            "Open when this share of attempts failed, by `outliers.on`.",
        ),
        field(
            "window",
            Kind::Duration {
                min: "1s",
                max: "10m",
            },
            Default::Text("10s"),
            "Within this time.",
        ),
        field(
            "requests_min",
            Kind::Count {
                min: 1,
                max: 1_000_000,
            },
            Default::Count(20),
            "And this many attempts were made within it.",
        ),
        field(
            "open",
            Kind::Duration {
                min: "100ms",
                max: "1h",
            },
            Default::Text("10s"),
            "Answer 503 for so long, then let one request see.",
        ),
    ],
};

const AMOUNT: Kind = Kind::Count {
    min: 1,
    max: 1_000_000,
};

pub(crate) static CAPACITY: Table = Table {
    doc: "How much a service may get at once, over all workers.",
    fields: &[
        field(
            "connections",
            AMOUNT,
            Default::Absent,
            "Open connections to each of its addresses; beyond 1024 for each worker never.",
        ),
        field(
            "requests",
            AMOUNT,
            Default::Absent,
            "Requests under way, to all of its addresses together.",
        ),
        field(
            "address_requests",
            AMOUNT,
            Default::Absent,
            "Requests under way to each address.",
        ),
        field(
            "waiting",
            Kind::Count {
                min: 0,
                max: 1_000_000,
            },
            Default::Count(0),
            "Requests that may wait for one of `requests` to end; the rest is answered 503.",
        ),
        field(
            "wait",
            Kind::Duration {
                min: "1ms",
                max: "1m",
            },
            Default::Text("1s"),
            "For how long.",
        ),
    ],
};

pub(crate) static TIMEOUTS: Table = Table {
    doc: "Times beside `connect_timeout` and `response_timeout` of its routes.",
    fields: &[
        field(
            "send",
            Kind::Duration {
                min: "10ms",
                max: "1h",
            },
            Default::Text("30s"),
            "It may read nothing of a request for so long.",
        ),
        field(
            "pause",
            Kind::Duration {
                min: "10ms",
                max: "24h",
            },
            Default::Derived("the route's `response_timeout`"),
            "It may send nothing of an answer that it began for so long.",
        ),
        field(
            "answer",
            Kind::Duration {
                min: "100ms",
                max: "7d",
            },
            Default::Absent,
            "The whole of an answer may take so long; any time when left out.",
        ),
    ],
};
