//! Fields of limits beyond a route's own: budgets, keys, and where gateways count together.

use super::{Default, Table, field};
use crate::kind::{KEY_SOURCE, Kind};

pub(super) static LIMIT_KEY: Table = Table {
    doc: "Something of a request that limits can count by: `limit = \"100/min per tenant\"`. Values \
          are hashed before they are counted; what a client writes itself it can also change, and \
          each value counts anew.",
    fields: &[
        field(
            "name",
            Kind::Name,
            Default::Required,
            "Its name, as it stands after `per`.",
        ),
        field(
            "from",
            Kind::List {
                of: &KEY_SOURCE,
                max: 8,
            },
            Default::Required,
            "Where it is looked for; the first that is there counts.",
        ),
        field(
            "missing",
            Kind::Choice(&["skip", "refuse", "address"]),
            Default::Text("address"),
            "Requests that have none of it: `skip` the limit, `refuse` them, or count them for their \
             `address`.",
        ),
    ],
};

pub(super) static LIMIT: Table = Table {
    doc: "A budget that several routes count in: each names it in its `limit`.",
    fields: &[
        field("name", Kind::Name, Default::Required, "Its name."),
        field(
            "rate",
            Kind::Budget,
            Default::Required,
            "Such as `1000/min per user`; without `per`, everything counts together.",
        ),
    ],
};

pub(crate) static SHARED: Table = Table {
    doc: "A Redis or Valkey server in which several gateways count the limits of routes together. \
          Without it each counts for itself.",
    fields: &[
        field(
            "address",
            Kind::StoreAddress,
            Default::Required,
            "`redis://10.0.0.5:6379`, or `rediss://` over verified TLS; `/2` at the end is the number \
             of a database.",
        ),
        field(
            "authority",
            Kind::File,
            Default::Derived("the system's authorities"),
            "PEM file of the authorities that may have issued its certificate; read at each \
             connection.",
        ),
        field(
            "user",
            Kind::Text { max: 200 },
            Default::Absent,
            "As whom to sign in; the server's default user otherwise.",
        ),
        field(
            "password_file",
            Kind::File,
            Default::Absent,
            "File of the password, read at each connection; the estate never holds it.",
        ),
        field(
            "timeout",
            Kind::Duration {
                min: "1ms",
                max: "5s",
            },
            Default::Text("50ms"),
            "How long a request waits for it.",
        ),
        field(
            "when_away",
            Kind::Choice(&["local", "refuse"]),
            Default::Text("local"),
            "While it does not answer, each gateway counts for itself (`local`), or requests that \
             have limits get 503 (`refuse`).",
        ),
    ],
};
