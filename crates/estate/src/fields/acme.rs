//! Fields of `[acme]`: certificates from an authority that issues them by itself.

use super::{Default, Field, Table, field, table};
use crate::kind::Kind;

/// What `renew` may say, with the part of a certificate's life that is then left.
pub(crate) const RENEW: [(&str, u32); 4] = [
    ("1/2 of lifetime", 2),
    ("1/3 of lifetime", 3),
    ("1/4 of lifetime", 4),
    ("1/6 of lifetime", 6),
];

const RENEW_WORDS: &[&str] = &[RENEW[0].0, RENEW[1].0, RENEW[2].0, RENEW[3].0];

pub(super) static ACME: Table = Table {
    doc: "Certificates that an authority issues by itself (RFC 8555), and that are renewed in time.",
    fields: &[
        field(
            "directory",
            Kind::Text { max: 500 },
            Default::Required,
            "Address of the authority's directory, such as \
             `https://acme-v02.api.letsencrypt.org/directory`.",
        ),
        field(
            "terms_agreed",
            Kind::Bool,
            Default::Required,
            "`true` says that you agree to the authority's terms; without it nothing is asked for.",
        ),
        field(
            "contact",
            Kind::List {
                of: &Kind::Text { max: 300 },
                max: 10,
            },
            Default::List(&[]),
            "Whom the authority may write to: `mailto:ops@shop.example`.",
        ),
        HOSTS,
        field(
            "challenge",
            Kind::Choice(&["http-01", "tls-alpn-01"]),
            Default::Text("http-01"),
            "How the authority sees that a name is yours: a page on the clear listener, which it \
             asks for at port 80, or a handshake at port 443 (RFC 8737).",
        ),
        field(
            "key",
            Kind::Choice(&["ecdsa-p256", "ecdsa-p384", "rsa-2048"]),
            Default::Text("ecdsa-p256"),
            "The kind of key made for each certificate.",
        ),
        field(
            "renew",
            Kind::Choice(RENEW_WORDS),
            Default::Text("1/3 of lifetime"),
            "A certificate is renewed when this much of its life is left, so that one of six days \
             is renewed as surely as one of ninety.",
        ),
        field(
            "profile",
            Kind::Text { max: 64 },
            Default::Absent,
            "The profile to ask for, where the authority offers several: `shortlived`.",
        ),
        field(
            "authority",
            Kind::File,
            Default::Derived("the system's authorities"),
            "PEM file of the authorities that may have issued the certificate of the directory \
             itself: for an authority within your company.",
        ),
        table("eab", &EAB),
    ],
};

const HOSTS: Field = field(
    "hosts",
    Kind::List {
        of: &Kind::FullHost,
        max: 100,
    },
    Default::Derived("public hosts of routes and the console without a `[[certificate]]`"),
    "Hosts to have certificates for, one each.",
);

static EAB: Table = Table {
    doc: "The account you have with the authority already, where it asks for one (external account \
          binding, RFC 8555 §7.3.4).",
    fields: &[
        field(
            "key_id",
            Kind::Text { max: 200 },
            Default::Required,
            "The key's name.",
        ),
        field(
            "key_file",
            Kind::File,
            Default::Required,
            "File of the key in base64url, as the authority gave it; the estate never holds it.",
        ),
    ],
};

impl Table {
    /// The table of `[acme]`'s binding.
    pub(crate) fn eab() -> &'static Self {
        &EAB
    }
}
