//! Fields of what there is: zones, hosts, services, stores.

use super::{Default, Table, field, table, upstream};
use crate::kind::{Kind, NAME};

pub(super) static ZONE: Table = Table {
    doc: "A zone: hosts that trust each other equally.",
    fields: &[
        field("name", Kind::Name, Default::Required, "Its name."),
        field(
            "about",
            Kind::Text { max: 500 },
            Default::Text(""),
            "One sentence for people.",
        ),
    ],
};

pub(super) static HOST: Table = Table {
    doc: "A host: one machine.",
    fields: &[
        field("name", Kind::Name, Default::Required, "Its name."),
        field("zone", Kind::Name, Default::Required, "Name of its zone."),
        field("address", Kind::Ip, Default::Required, "Its IP address."),
    ],
};

pub(super) static SERVICE: Table = Table {
    doc: "A service: a backend that routes lead to. It says where it listens either by `hosts` and \
          `port`, or directly by `address` or `addresses`.",
    fields: &[
        field("name", Kind::Name, Default::Required, "Its name."),
        field(
            "hosts",
            Kind::List {
                of: &NAME,
                max: 1000,
            },
            Default::List(&[]),
            "Names of the hosts it runs on.",
        ),
        field(
            "port",
            Kind::Count { min: 1, max: 65535 },
            Default::Absent,
            "The TCP port it listens on, on each of its hosts.",
        ),
        field(
            "address",
            Kind::Place,
            Default::Absent,
            "Address or name, and port, where no hosts are described: `127.0.0.1:8000`, \
             `orders.internal:8080`.",
        ),
        field(
            "addresses",
            Kind::List {
                of: &Kind::Place,
                max: 1000,
            },
            Default::List(&[]),
            "Several of them.",
        ),
        field(
            "protocol",
            Kind::Choice(&["http", "https"]),
            Default::Text("http"),
            "How to speak to it: `http` in clear, `https` over verified TLS.",
        ),
        field(
            "needs",
            Kind::List {
                of: &NAME,
                max: 1000,
            },
            Default::List(&[]),
            "Names of the services and stores it must reach.",
        ),
        field(
            "audience",
            Kind::Text { max: 200 },
            Default::Derived("its name"),
            "Audience (`aud`) of the tokens and assertions made for it.",
        ),
        field(
            "tls_name",
            Kind::FullHost,
            Default::Absent,
            "Name to verify in its certificate and to send as SNI; its address when left out.",
        ),
        field(
            "tls_authority",
            Kind::File,
            Default::Absent,
            "PEM file of the authorities that may have issued its certificate; the system's when \
             left out.",
        ),
        field(
            "tls_certificate",
            Kind::File,
            Default::Absent,
            "PEM file of the certificate, leaf first, that the gateway proves itself with.",
        ),
        field(
            "tls_key",
            Kind::File,
            Default::Absent,
            "PEM file of its private key, which nobody but its owner may read.",
        ),
        table("resolve", &upstream::RESOLVE),
        table("health", &upstream::HEALTH),
        table("outliers", &upstream::OUTLIERS),
        field(
            "balance",
            Kind::Either {
                plain: &upstream::LEAST,
                nested: &upstream::HASHED,
            },
            Default::Text("least_requests"),
            "Which address a request goes to: the one with the fewest under way, or by a hash.",
        ),
        table("retries", &upstream::RETRIES),
        table("breaker", &upstream::BREAKER),
        table("capacity", &upstream::CAPACITY),
        table("timeouts", &upstream::TIMEOUTS),
        field(
            "slow_start",
            Kind::Duration {
                min: "1s",
                max: "1h",
            },
            Default::Absent,
            "An address that is new or well again gets its full share after so long.",
        ),
        field(
            "host_header",
            Kind::Choice(&["preserve", "upstream"]),
            Default::Text("preserve"),
            "What it receives as `Host`: what the client asked for, or its own address.",
        ),
    ],
};

pub(super) static STORE: Table = Table {
    doc: "A data store of the team's.",
    fields: &[
        field("name", Kind::Name, Default::Required, "Its name."),
        field(
            "kind",
            Kind::Choice(&["postgres", "mysql", "sqlite", "redis", "files", "other"]),
            Default::Required,
            "What it is.",
        ),
        field("host", Kind::Name, Default::Required, "Name of its host."),
        field(
            "port",
            Kind::Count { min: 1, max: 65535 },
            Default::Derived("the usual one of its kind"),
            "The TCP port it listens on.",
        ),
    ],
};
