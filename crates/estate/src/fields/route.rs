//! Fields of routes: what is asked of a request, and what its pages may be read by.

use super::gateway::ROUTE_LIMITS;
use super::{Default, Table, field};
use crate::kind::{CONCURRENT, Kind, LIMIT, NEEDED, SANITIZE};

const STEP: Kind = Kind::Choice(&["block", "observe"]);

pub(crate) static MODE: Table = Table {
    doc: "How single steps act; every step not named blocks.",
    fields: &[
        field(
            "authenticate",
            STEP,
            Default::Text("block"),
            "Who it is; observing lets strangers in.",
        ),
        field(
            "authorise",
            STEP,
            Default::Text("block"),
            "Whether they may; observing lets everybody do everything.",
        ),
        field("limits", STEP, Default::Text("block"), "How often."),
        field(
            "validate",
            STEP,
            Default::Text("block"),
            "Framing and content type of the body, what `openapi` says, and what `sanitize` cleans.",
        ),
        field(
            "inspect",
            STEP,
            Default::Text("block"),
            "The built-in rules against injection.",
        ),
        field(
            "waf",
            STEP,
            Default::Derived("`mode` of `[waf]`"),
            "The rules that `[waf]` names.",
        ),
    ],
};

pub(crate) static CORS: Table = Table {
    doc: "Cross-origin access for scripts of other origins; none when left out.",
    fields: &[
        field(
            "origins",
            Kind::List {
                of: &Kind::Origin,
                max: 100,
            },
            Default::Required,
            "Exact origins, such as `https://app.shop.example`.",
        ),
        field(
            "methods",
            Kind::List {
                of: &Kind::Method,
                max: 16,
            },
            Default::List(&[]),
            "Methods beside `GET`, `HEAD` and `POST`.",
        ),
        field(
            "headers",
            Kind::List {
                of: &Kind::Header,
                max: 100,
            },
            Default::List(&[]),
            "Request headers that may be sent.",
        ),
        field(
            "expose",
            Kind::List {
                of: &Kind::Header,
                max: 100,
            },
            Default::List(&[]),
            "Response headers that may be read.",
        ),
        field(
            "credentials",
            Kind::Bool,
            Default::Bool(false),
            "Whether cookies may be sent.",
        ),
        field(
            "max_age",
            Kind::Duration {
                min: "0s",
                max: "24h",
            },
            Default::Text("10m"),
            "How long a browser may keep the answer.",
        ),
    ],
};

pub(super) static ROUTE: Table = Table {
    doc: "A route: which requests go to which service, and what they must bring. The most specific \
          path wins, not the order.",
    fields: &[
        field(
            "name",
            Kind::Name,
            Default::Derived("made from host and path"),
            "Stable name for metrics and events.",
        ),
        field(
            "host",
            Kind::Host,
            Default::Derived("every host but the console's"),
            "Host name; without a dot it is a name under the estate's domain.",
        ),
        field(
            "path",
            Kind::Pattern,
            Default::Required,
            "Path: `*` stands for one segment, `**` at the end for the rest.",
        ),
        field("to", Kind::Name, Default::Required, "Name of the service."),
        field(
            "strip_prefix",
            Kind::Prefix,
            Default::Absent,
            "Beginning of the path that is taken off before it is forwarded.",
        ),
        field(
            "auth",
            Kind::Choice(&["required", "optional", "none", "pass"]),
            Default::Derived("`required` where `require` is given; must be written otherwise"),
            "Who must sign in: `required`, `optional` (a principal is used when there is one), \
             `none`, or `pass` (sign-in stays with the backend).",
        ),
        field(
            "require",
            Kind::Either {
                plain: &NEEDED,
                nested: &Kind::ByMethod,
            },
            Default::Absent,
            "The permission a caller must hold, for every method or by method: `{ GET = \
             \"orders:read\" }`; methods not listed are refused, `HEAD` follows `GET`.",
        ),
        field(
            "mode",
            Kind::Either {
                plain: &STEP,
                nested: &Kind::Table(&MODE),
            },
            Default::Text("block"),
            "`block`, or `observe` to only record what limits, validation, inspection and the rules \
             of `[waf]` would have refused; or by step.",
        ),
        field(
            "waf",
            Kind::Table(&super::ROUTE_WAF),
            Default::Absent,
            super::ROUTE_WAF.doc,
        ),
        field(
            "limit",
            Kind::Either {
                plain: &LIMIT,
                nested: &Kind::List { of: &LIMIT, max: 8 },
            },
            Default::Absent,
            "Rate limit, such as `100/min per user`, or a list of them; after `per` stands \
             `address`, `key`, `user`, `route` or a `[[limit_key]]`. A name alone is that of a \
             `[[limit]]`, which other routes may count in too.",
        ),
        field(
            "cost",
            Kind::Cost,
            Default::Count(1),
            "What one request takes of each of them, or by method: `{ GET = 1, POST = 10 }`; methods \
             not named take 1, `HEAD` what `GET` takes.",
        ),
        field(
            "concurrent",
            Kind::Either {
                plain: &CONCURRENT,
                nested: &Kind::List {
                    of: &CONCURRENT,
                    max: 8,
                },
            },
            Default::Absent,
            "How many requests at once, such as `20 per user`, or a list of such; each counts until \
             its answer, stream or WebSocket has ended. Every gateway counts for itself.",
        ),
        field("cors", Kind::Table(&CORS), Default::Absent, CORS.doc),
        field(
            "limits",
            Kind::Table(&ROUTE_LIMITS),
            Default::Absent,
            ROUTE_LIMITS.doc,
        ),
        field(
            "staleness_max",
            Kind::Duration {
                min: "0s",
                max: "30d",
            },
            Default::Derived("the gateway's"),
            "May be decided from a snapshot that old while control is away; at most the gateway's.",
        ),
        field(
            "security_headers",
            Kind::Bool,
            Default::Bool(true),
            "Set `Content-Security-Policy` and the like where the service sets none.",
        ),
        field(
            "openapi",
            Kind::Document,
            Default::Absent,
            "OpenAPI document (3.0 or 3.1, YAML or JSON) that requests must keep to, relative to the \
             estate file; its text becomes part of the applied version.",
        ),
        field(
            "sanitize",
            Kind::List {
                of: &SANITIZE,
                max: 32,
            },
            Default::List(&[]),
            "Fields of bodies whose HTML is cleaned before the service sees it: `$.comment` and \
             `$.items[*].title` of JSON, `comment` of forms; followed by ` as text`, every tag is \
             taken off, and by ` as html` (the default), harmless ones stay.",
        ),
        field(
            "learn",
            Kind::Bool,
            Default::Bool(false),
            "Watch requests and answers, so that `rampart gateway learn` can propose an OpenAPI \
             document and `rampart gateway drift` compare it with the traffic.",
        ),
        field(
            "websocket",
            Kind::Bool,
            Default::Bool(false),
            "Let clients open a WebSocket: the handshake passes every step, and who may no longer \
             ask is cut off; messages are at most `limits.body_max` long.",
        ),
        field(
            "body",
            Kind::Choice(&["hold", "stream"]),
            Default::Text("hold"),
            "`hold` the body of a request until every check has passed, or `stream` it to the \
             service as it comes: then nothing looks into it, and what is too long or breaks off \
             breaks the service's request off.",
        ),
    ],
};
