//! Fields of the gateway: where it listens, its limits, certificates and routes.

use super::limits::SHARED;
use super::principals::CLIENT_CERTIFICATES;
use super::{Default, Field, Table, field, table};
use crate::kind::Kind;

pub(super) static LISTEN: Table = Table {
    doc: "Where the gateway listens.",
    fields: &[
        field(
            "https",
            Kind::List {
                of: &Kind::Socket,
                max: 64,
            },
            Default::List(&["0.0.0.0:8443"]),
            "Addresses for HTTPS.",
        ),
        field(
            "http",
            Kind::List {
                of: &Kind::Socket,
                max: 64,
            },
            Default::List(&[]),
            "Addresses for clear HTTP, which answer with a redirect to HTTPS unless `plain` is true.",
        ),
        field(
            "plain",
            Kind::Bool,
            Default::Bool(false),
            "Serve routes over clear HTTP too, behind another TLS terminator; session cookies are \
             then never set on clear connections.",
        ),
        field(
            "proxy_protocol",
            Kind::List {
                of: &Kind::Network,
                max: 1000,
            },
            Default::List(&[]),
            "Proxies that must say for whom they connect, by the PROXY protocol (version 1 or 2), \
             before anything else; from other addresses it is not taken.",
        ),
        field(
            "metrics",
            Kind::SocketOrOff,
            Default::Text("127.0.0.1:9464"),
            "Address of the gateway's Prometheus metrics, or `off`.",
        ),
        field(
            "client_certificates",
            Kind::Tables {
                of: &CLIENT_CERTIFICATES,
                max: 64,
            },
            Default::Absent,
            CLIENT_CERTIFICATES.doc,
        ),
        field(
            "strict_sni",
            Kind::Bool,
            Default::Bool(false),
            "Refuse TLS handshakes that name no host. Otherwise they get the first certificate; \
             a name without a certificate is refused in any case.",
        ),
    ],
};

pub(super) static CONSOLE: Table = Table {
    doc: "The console and the sign-in pages, on an origin of their own.",
    fields: &[field(
        "host",
        Kind::Host,
        Default::Derived("`rampart.` and the estate's domain"),
        "The host they are served at; no route may serve the same one.",
    )],
};

pub(super) static GATEWAY: Table = Table {
    doc: "The gateway as a whole.",
    fields: &[
        field(
            "trusted_proxies",
            Kind::List {
                of: &Kind::Network,
                max: 1000,
            },
            Default::List(&[]),
            "Addresses whose `X-Forwarded-For` is believed.",
        ),
        field(
            "staleness_max",
            Kind::Duration {
                min: "10s",
                max: "30d",
            },
            Default::Text("1h"),
            "For how long the gateway may decide from its last snapshot while control is away; \
             then it denies.",
        ),
        field(
            "drain",
            Kind::Duration {
                min: "0s",
                max: "1h",
            },
            Default::Text("30s"),
            "For how long open requests may run on after a stop was asked for.",
        ),
        field(
            "connections_max",
            Kind::Count {
                min: 16,
                max: 1_000_000,
            },
            Default::Count(10_000),
            "Open connections in all.",
        ),
        field(
            "connections_per_address_max",
            Kind::Count {
                min: 1,
                max: 1_000_000,
            },
            Default::Count(256),
            "Open connections of one address.",
        ),
        field(
            "held_bodies_memory",
            Kind::Size {
                min: "1MiB",
                max: "256GiB",
            },
            Default::Text("64MiB"),
            "Memory for request bodies that are held until every check has passed.",
        ),
        field(
            "held_bodies_disk",
            Kind::Size {
                min: "0B",
                max: "16384GiB",
            },
            Default::Text("1GiB"),
            "Disk for the held bodies that do not fit into memory.",
        ),
        field(
            "pressure",
            Kind::Choice(&["count", "slow"]),
            Default::Text("count"),
            "What happens to traffic records under pressure: `count` the gap, or `slow` requests \
             down.",
        ),
        field(
            "auth_request",
            Kind::Choice(&["off", "nginx", "forwarded"]),
            Default::Text("off"),
            "Whether `trusted_proxies` may ask at `/.rampart/auth` if a request may pass, and by \
             which headers they name it: `nginx` by `X-Original-Method`, `X-Original-URI` and \
             `Host`, `forwarded` (Caddy, Traefik) by `X-Forwarded-Method`, `-Uri` and `-Host`.",
        ),
    ],
};

const BODY_MAX: Field = field(
    "body_max",
    Kind::Size {
        min: "0B",
        max: "16384GiB",
    },
    Default::Text("10MiB"),
    "Bytes of a request's body.",
);
const RESPONSE_MAX: Field = field(
    "response_max",
    Kind::Size {
        min: "1KiB",
        max: "16384GiB",
    },
    Default::Text("1GiB"),
    "Bytes of a response's body.",
);
const BODY_RATE: Field = field(
    "body_bytes_per_s_min",
    Kind::Size {
        min: "1B",
        max: "1GiB",
    },
    Default::Text("1KiB"),
    "Bytes of a request's body that must arrive each second, after a grace of `head_timeout`.",
);
const CONNECT: Field = field(
    "connect_timeout",
    Kind::Duration {
        min: "1ms",
        max: "5m",
    },
    Default::Text("5s"),
    "Connecting to the upstream may take so long.",
);
const RESPONSE: Field = field(
    "response_timeout",
    Kind::Duration {
        min: "1ms",
        max: "24h",
    },
    Default::Text("60s"),
    "The head of the upstream's response must have arrived within so long; of a request whose body \
     is streamed, so long after its last piece.",
);
const RESPONSE_IDLE: Field = field(
    "response_idle_timeout",
    Kind::Duration {
        min: "1ms",
        max: "24h",
    },
    Default::Text("60s"),
    "A response that has begun may say nothing for so long, unless its service says \
     `timeouts.pause`; an event stream may need more.",
);

pub(super) static LIMITS: Table = Table {
    doc: "Limits of every route that sets none of its own, and of every connection.",
    fields: &[
        field(
            "head_bytes_max",
            Kind::Size {
                min: "1KiB",
                max: "1MiB",
            },
            Default::Text("32KiB"),
            "Bytes of a request's head.",
        ),
        field(
            "headers_max",
            Kind::Count { min: 8, max: 1000 },
            Default::Count(100),
            "Header fields of a request.",
        ),
        BODY_MAX,
        RESPONSE_MAX,
        field(
            "head_timeout",
            Kind::Duration {
                min: "100ms",
                max: "5m",
            },
            Default::Text("10s"),
            "The whole head of a request must have arrived within so long.",
        ),
        BODY_RATE,
        field(
            "idle_timeout",
            Kind::Duration {
                min: "1s",
                max: "1h",
            },
            Default::Text("60s"),
            "A connection may be idle between requests for so long.",
        ),
        CONNECT,
        RESPONSE,
        RESPONSE_IDLE,
        field(
            "per_address",
            Kind::RateOrOff,
            Default::Text("1200/min"),
            "Requests of one client address over all routes, or `off`.",
        ),
        field(
            "sign_in_per_address",
            Kind::Rate,
            Default::Text("20/min"),
            "Sign-in attempts of one client address.",
        ),
        table("shared", &SHARED),
    ],
};

pub(crate) static ROUTE_LIMITS: Table = Table {
    doc: "Limits of this route alone; what is not said here comes from `[limits]`.",
    fields: &[
        optional(BODY_MAX),
        optional(RESPONSE_MAX),
        optional(BODY_RATE),
        optional(CONNECT),
        optional(RESPONSE),
        optional(RESPONSE_IDLE),
    ],
};

const fn optional(of: Field) -> Field {
    Field {
        default: Default::Derived("the same key of `[limits]`"),
        ..of
    }
}

pub(super) static CERTIFICATE: Table = Table {
    doc: "A certificate of yours. Hosts without one get one of Rampart's development authority.",
    fields: &[
        field(
            "hosts",
            Kind::List {
                of: &Kind::CertificateHost,
                max: 1000,
            },
            Default::Required,
            "Host names it serves; `*.shop.example` covers one label. A name may have two \
             certificates, one with an ECDSA and one with an RSA key.",
        ),
        field(
            "chain",
            Kind::File,
            Default::Required,
            "PEM file of the chain, leaf first; relative to the estate file.",
        ),
        field(
            "key",
            Kind::File,
            Default::Required,
            "PEM file of the private key.",
        ),
    ],
};
