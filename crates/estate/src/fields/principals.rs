//! Fields of who may come from elsewhere: clients with certificates, and tokens of other issuers.

use super::{Default, Table, field};
use crate::kind::Kind;

pub(crate) static CLIENT_CERTIFICATES: Table = Table {
    doc: "Hosts whose clients are asked for a TLS certificate; which one is whose says \
          `certificates` of a client.",
    fields: &[
        field(
            "authorities",
            Kind::File,
            Default::Required,
            "PEM file of the authorities that may have issued them; read again when it changes.",
        ),
        field(
            "mode",
            Kind::Choice(&["request", "require"]),
            Default::Text("request"),
            "`request` lets clients without a certificate connect, `require` does not.",
        ),
        field(
            "hosts",
            Kind::List {
                of: &Kind::Host,
                max: 1000,
            },
            Default::List(&[]),
            "The hosts where they are asked for; every host but the console's when left out.",
        ),
        field(
            "crls",
            Kind::List {
                of: &Kind::File,
                max: 16,
            },
            Default::List(&[]),
            "PEM files of revocation lists; with one, every issuer in a chain must be covered by \
             one. Read again when they change.",
        ),
        field(
            "crl_expired",
            Kind::Choice(&["refuse", "accept"]),
            Default::Text("refuse"),
            "What happens when a list is older than it says it may be.",
        ),
    ],
};

pub(super) static ISSUER: Table = Table {
    doc: "Another issuer whose access tokens are believed. Its subjects are nobody's accounts \
          here: they hold the roles that the map gives them.",
    fields: &[
        field(
            "name",
            Kind::Name,
            Default::Required,
            "Its name; its subjects are known as `name|subject`.",
        ),
        field(
            "url",
            Kind::HttpsAddress,
            Default::Required,
            "What `iss` must be, byte by byte.",
        ),
        field(
            "audience",
            Kind::List {
                of: &Kind::Text { max: 200 },
                max: 32,
            },
            Default::Required,
            "One of these must stand in `aud`.",
        ),
        field(
            "algorithms",
            Kind::List {
                of: &Kind::Choice(&["RS256", "PS256", "ES256", "EdDSA"]),
                max: 4,
            },
            Default::Required,
            "What its tokens may be signed with (RFC 8725 §3.1).",
        ),
        field(
            "jwks",
            Kind::HttpsAddress,
            Default::Derived("what its `.well-known/openid-configuration` says"),
            "Address of its JWK set.",
        ),
        field(
            "file",
            Kind::File,
            Default::Absent,
            "File with its JWK set, instead of an address; read again when it changes.",
        ),
        field(
            "authority",
            Kind::File,
            Default::Absent,
            "PEM file of the authorities that may have issued its server's certificate; the \
             system's when left out.",
        ),
        field(
            "roles",
            Kind::Table(&ISSUER_ROLES),
            Default::Absent,
            ISSUER_ROLES.doc,
        ),
        field(
            "subject",
            Kind::Text { max: 100 },
            Default::Text("sub"),
            "The claim that says who it is; it must never be given to somebody else.",
        ),
        field(
            "clock_skew",
            Kind::Duration {
                min: "0s",
                max: "5m",
            },
            Default::Text("30s"),
            "How far its clock and ours may be apart.",
        ),
        field(
            "types",
            Kind::List {
                of: &Kind::Text { max: 100 },
                max: 8,
            },
            Default::List(&["at+jwt"]),
            "Accepted values of `typ` (RFC 8725 §3.11); many issuers write `JWT`, also into tokens \
             that are none for access.",
        ),
        field(
            "keys_keep",
            Kind::Duration {
                min: "1m",
                max: "30d",
            },
            Default::Text("24h"),
            "For how long the last keys are used while it cannot be asked; then its tokens are \
             refused.",
        ),
    ],
};

pub(crate) static ISSUER_ROLES: Table = Table {
    doc: "Which roles its subjects hold; none without it.",
    fields: &[
        field(
            "claim",
            Kind::Text { max: 200 },
            Default::Text("roles"),
            "The claim that is read: a text or a list of texts; `a.b` is `b` within `a`.",
        ),
        field(
            "map",
            Kind::RoleMap,
            Default::Required,
            "The role that each value of the claim gives; other values give none.",
        ),
    ],
};
