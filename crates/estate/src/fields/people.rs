//! Fields of the estate itself, of identity, of the trail, of roles, groups and clients.

use super::{Default, Table, field};
use crate::kind::{Kind, NAME, PERMISSION, REDIRECT};

pub(super) static ESTATE: Table = Table {
    doc: "What this estate is called, and the domain its hosts live under.",
    fields: &[
        field("name", Kind::Name, Default::Required, "The estate's name."),
        field(
            "domain",
            Kind::Domain,
            Default::Required,
            "The parent of every route's host that has no dot in it.",
        ),
    ],
};

pub(super) static IDENTITY: Table = Table {
    doc: "How people prove who they are, and for how long that holds.",
    fields: &[
        field(
            "session_idle",
            Kind::Duration {
                min: "1m",
                max: "30d",
            },
            Default::Text("30m"),
            "A session ends after so long without use.",
        ),
        field(
            "session_absolute",
            Kind::Duration {
                min: "5m",
                max: "90d",
            },
            Default::Text("12h"),
            "A session ends after so long in any case.",
        ),
        field(
            "password_length_min",
            Kind::Count { min: 8, max: 128 },
            Default::Count(12),
            "Fewest characters of a password; never under 8 (NIST SP 800-63B-4 §3.1.1).",
        ),
        field(
            "password_words",
            Kind::List {
                of: &Kind::Text { max: 64 },
                max: 1000,
            },
            Default::List(&[]),
            "Words no password may contain, beside the estate's name and domain.",
        ),
        field(
            "step_up_after",
            Kind::Duration {
                min: "1m",
                max: "24h",
            },
            Default::Text("15m"),
            "A fresh proof is asked for before credentials are changed when the last one is older.",
        ),
        field(
            "enrolment",
            Kind::Duration {
                min: "5m",
                max: "14d",
            },
            Default::Text("24h"),
            "How long a one-time enrolment link works.",
        ),
    ],
};

pub(super) static TRAIL: Table = Table {
    doc: "What is kept of what happened.",
    fields: &[
        field(
            "checkpoints",
            Kind::List {
                of: &Kind::File,
                max: 16,
            },
            Default::List(&[]),
            "Files outside the data folder that receive a signed checkpoint, at most once a minute.",
        ),
        field(
            "reserve",
            Kind::Size {
                min: "1MiB",
                max: "1024GiB",
            },
            Default::Text("64MiB"),
            "Disk kept free for the trail alone, so that full logs stop nobody's sign-in.",
        ),
        field(
            "traffic_keep",
            Kind::Duration {
                min: "1h",
                max: "3660d",
            },
            Default::Text("30d"),
            "Records of single requests are deleted after so long; their roots stay in the trail.",
        ),
    ],
};

pub(super) static ROLE: Table = Table {
    doc: "A role: a named set of permissions that people and API keys can be given.",
    fields: &[
        field("name", Kind::Name, Default::Required, "Its name."),
        field(
            "about",
            Kind::Text { max: 500 },
            Default::Text(""),
            "One sentence for people.",
        ),
        field(
            "allow",
            Kind::List {
                of: &PERMISSION,
                max: 1000,
            },
            Default::Required,
            "What its holders may do: `orders:read`, or `orders:*` for every verb.",
        ),
    ],
};

pub(super) static GROUP: Table = Table {
    doc: "A group: people who are put into it hold its roles.",
    fields: &[
        field("name", Kind::Name, Default::Required, "Its name."),
        field(
            "roles",
            Kind::List {
                of: &NAME,
                max: 1000,
            },
            Default::Required,
            "Names of roles.",
        ),
    ],
};

pub(super) static CLIENT: Table = Table {
    doc: "A client application: it signs people in, or calls for itself.",
    fields: &[
        field(
            "name",
            Kind::Name,
            Default::Required,
            "Its name, which is also its `client_id`.",
        ),
        field(
            "redirects",
            Kind::List {
                of: &REDIRECT,
                max: 100,
            },
            Default::List(&[]),
            "Exact addresses a sign-in may return to (RFC 9700 §2.1).",
        ),
        field(
            "roles",
            Kind::List {
                of: &NAME,
                max: 100,
            },
            Default::List(&[]),
            "Names of roles it holds when it calls for itself.",
        ),
        field(
            "certificates",
            Kind::List {
                of: &Kind::CertificateName,
                max: 100,
            },
            Default::List(&[]),
            "The TLS certificates it proves itself by, where clients are asked for one: \
             `spiffe://acme/billing`, `dns:billing.internal`, `sha256:` and the SHA-256 of the \
             public key, `subject:CN=billing,O=Acme`.",
        ),
    ],
};
