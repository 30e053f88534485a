//! Fields of the rules of the ModSecurity language.

use super::{Default, Field, Table, field};
use crate::kind::Kind;

const PARANOIA: Kind = Kind::Count { min: 1, max: 4 };
const THRESHOLD: Kind = Kind::Count {
    min: 1,
    max: 100_000,
};
static SOURCE: Kind = Kind::Rules;

const fn own(key: &'static str, kind: Kind, doc: &'static str) -> Field {
    field(key, kind, Default::Derived("that of `[waf]`"), doc)
}

pub(crate) static WAF: Table = Table {
    doc: "Rules of the ModSecurity language, such as the OWASP Core Rule Set: every request of every \
          route is held to them, and the answers of services. Without this table there are none.",
    fields: &[
        field(
            "rules",
            Kind::Either {
                plain: &SOURCE,
                nested: &Kind::List {
                    of: &SOURCE,
                    max: 8,
                },
            },
            Default::Required,
            "`builtin` for the rules of Rampart, or a folder laid out as the Core Rule Set is \
             (`crs-setup.conf`, `rules/*.conf`), relative to the estate file; or a list of such. All its `.conf` and `.data` files become part of \
             the applied version.",
        ),
        field(
            "mode",
            Kind::Choice(&["block", "observe"]),
            Default::Text("block"),
            "Refuse what the rules refuse, or only record it; routes may say otherwise in `mode`.",
        ),
        field(
            "paranoia",
            PARANOIA,
            Default::Derived("what the rules' own settings say"),
            "How many of the rules apply: 1 are those that hardly ever err, 4 are all.",
        ),
        field(
            "inbound_threshold",
            THRESHOLD,
            Default::Derived("what the rules' own settings say"),
            "The score from which a request is refused.",
        ),
        field(
            "outbound_threshold",
            THRESHOLD,
            Default::Derived("what the rules' own settings say"),
            "The score from which an answer is withheld.",
        ),
        field(
            "budget",
            Kind::Size {
                min: "64KiB",
                max: "64GiB",
            },
            Default::Text("256MiB"),
            "Bytes that rules may look at for one request and its answer, each look counted: the same \
             request costs the same on every machine.",
        ),
        field(
            "when_spent",
            Kind::Choice(&["block", "pass"]),
            Default::Text("block"),
            "What becomes of a request whose budget is spent before all rules have run, or for whose \
             long body there is no place; in both cases it is recorded.",
        ),
        field(
            "answers",
            Kind::Bool,
            Default::Bool(true),
            "Hold and look into answers that are text and up to 512 KiB long. Services are then asked \
             for answers that are not compressed. Routes may say otherwise in `waf`.",
        ),
        field(
            "exclusion",
            Kind::Tables {
                of: &EXCLUSION,
                max: 500,
            },
            Default::Absent,
            EXCLUSION.doc,
        ),
    ],
};

pub(crate) static EXCLUSION: Table = Table {
    doc: "Something that rules do not look at, because they err there; until a day, for none of these \
          should outlive what made it right. One of `rule` and `tag` must stand there.",
    fields: &[
        field(
            "rule",
            Kind::Count {
                min: 1,
                max: 999_999_999,
            },
            Default::Absent,
            "Id of the rule.",
        ),
        field(
            "tag",
            Kind::RuleTag,
            Default::Absent,
            "Tag of the rules, such as `attack-sqli`.",
        ),
        field(
            "parameter",
            Kind::RuleParameter,
            Default::Absent,
            "Only in this argument of the query or the body; `json.comment` for JSON. Without it and \
             `target`, everywhere.",
        ),
        field(
            "target",
            Kind::RuleTarget,
            Default::Absent,
            "Only in this target, such as `REQUEST_COOKIES:layout` or `REQUEST_HEADERS:Referer`.",
        ),
        field(
            "route",
            Kind::Name,
            Default::Absent,
            "Only on the route of this name.",
        ),
        field(
            "reason",
            Kind::Text { max: 300 },
            Default::Required,
            "Why the rules err there.",
        ),
        field(
            "until",
            Kind::Day,
            Default::Required,
            "The last day on which it applies, such as `2027-03-31`, in UTC; afterwards the rules look \
             there again.",
        ),
    ],
};

pub(crate) static ROUTE_WAF: Table = Table {
    doc: "How the rules of `[waf]` are meant on this route; whether they block stands in `mode`.",
    fields: &[
        own("paranoia", PARANOIA, "As in `[waf]`."),
        own("inbound_threshold", THRESHOLD, "As in `[waf]`."),
        own("outbound_threshold", THRESHOLD, "As in `[waf]`."),
        own(
            "when_spent",
            Kind::Choice(&["block", "pass"]),
            "As in `[waf]`.",
        ),
        own(
            "answers",
            Kind::Bool,
            "As in `[waf]`; `false` where answers come bit by bit.",
        ),
    ],
};
