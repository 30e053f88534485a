//! The kinds of value a field can have: what each accepts, and how it is described to people.

use std::net::IpAddr;

use ::model::{ByteSize, Network, Permission, Rate, own, parse_duration};

use crate::fields::Table;
use crate::path::ParsePatternError;
use crate::values::{self, Wrong, quoted};
use crate::{CertificateName, PathPattern, Segment, sanitize, suggest};

/// What a value may be. Lengths, bounds and item counts are limits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// `[a-z0-9-]{1,63}`.
    Name,
    /// Any text on one line.
    Text { max: usize },
    /// Path of a file.
    File,
    /// A document that lies beside the estate file and belongs to its versions.
    Document,
    /// A folder of rules that lies beside the estate file and belongs to its versions.
    Rules,
    /// `attack-sqli`.
    RuleTag,
    /// `comment`.
    RuleParameter,
    /// `ARGS:comment`.
    RuleTarget,
    /// `2027-03-31`.
    Day,
    /// `$.comment`, `$.items[*].title as text`.
    Sanitize,
    /// The parent of hosts.
    Domain,
    /// A host name; one label is relative to the domain.
    Host,
    /// A host name, never relative.
    FullHost,
    /// A host name or `*.` and one.
    CertificateHost,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Count { min: i64, max: i64 },
    /// `15m`.
    Duration {
        min: &'static str,
        max: &'static str,
    },
    /// `64KiB`.
    Size {
        min: &'static str,
        max: &'static str,
    },
    /// `100/min`.
    Rate,
    /// `100/min` or `off`.
    RateOrOff,
    /// `127.0.0.1:8000`.
    Socket,
    /// `127.0.0.1:8000` or `off`.
    SocketOrOff,
    /// `127.0.0.1:8000` or `orders.internal:8000`.
    Place,
    /// `20%`.
    Percent,
    /// `200-299`.
    Statuses,
    /// `header:x-tenant`.
    HashKey,
    /// An IP address.
    Ip,
    /// `10.0.0.0/8`.
    Network,
    /// A permission that is granted: `orders:read` or `orders:*`.
    Permission,
    /// A permission that is required: `orders:read`.
    Needed,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `/api/*/items/**`.
    Pattern,
    /// `/api`.
    Prefix,
    /// `https://app.shop.example`.
    Origin,
    /// `https://app.shop.example/callback`.
    Redirect,
    /// `https://login.example/realm`.
    HttpsAddress,
    /// `dns:billing.internal`.
    CertificateName,
    /// A role by a value of a claim.
    RoleMap,
    /// `GET`.
    Method,
    /// `x-request-id`.
    Header,
    /// `100/min per user`, or the name of a budget.
    Limit,
    /// `1000/min per user`, `1000/min`.
    Budget,
    /// `20 per user`.
    Concurrent,
    /// `header:x-tenant`.
    KeySource,
    /// `redis://10.0.0.5:6379`.
    StoreAddress,
    /// `5`, or a number by method.
    Cost,
    /// A permission by method.
    ByMethod,
    /// Several values of one kind.
    List { of: &'static Self, max: usize },
    /// A text, or else something nested.
    Either {
        plain: &'static Self,
        nested: &'static Self,
    },
    /// A table.
    Table(&'static Table),
    /// Several tables: `[[route]]`.
    Tables { of: &'static Table, max: usize },
}

pub(crate) static NAME: Kind = Kind::Name;
pub(crate) static PERMISSION: Kind = Kind::Permission;
pub(crate) static NEEDED: Kind = Kind::Needed;
pub(crate) static REDIRECT: Kind = Kind::Redirect;
pub(crate) static LIMIT: Kind = Kind::Limit;
pub(crate) static CONCURRENT: Kind = Kind::Concurrent;
pub(crate) static KEY_SOURCE: Kind = Kind::KeySource;
pub(crate) static SANITIZE: Kind = Kind::Sanitize;

/// LIMIT: methods of one `require` table.
pub(crate) const METHODS_MAX: usize = 32;
/// LIMIT: what one request may take of a rate.
pub(crate) const COST_MAX: i64 = 1_000_000;
/// LIMIT: entries of one map of roles.
pub(crate) const ROLE_MAP_MAX: usize = 1000;

impl Kind {
    /// How the kind is called in messages and in the reference.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Name => "name".to_owned(),
            Self::Text { .. } => "text".to_owned(),
            Self::File => "file".to_owned(),
            Self::Document => "file beside the estate file".to_owned(),
            Self::Rules => "folder beside the estate file".to_owned(),
            Self::RuleTag => "tag".to_owned(),
            Self::RuleParameter => "name of an argument".to_owned(),
            Self::RuleTarget => "target of rules".to_owned(),
            Self::Day => "day".to_owned(),
            Self::Sanitize => "field".to_owned(),
            Self::Domain => "domain name".to_owned(),
            Self::Host | Self::FullHost | Self::CertificateHost => "host name".to_owned(),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Count { min, max } => format!("number from {min} to {max}"),
            Self::Duration { min, max } => format!("duration from `{min}` to `{max}`"),
            Self::Size { min, max } => format!("size from `{min}` to `{max}`"),
            Self::Rate => "rate".to_owned(),
            Self::RateOrOff => "rate or `off`".to_owned(),
            Self::Socket => "address with port".to_owned(),
            Self::SocketOrOff => "address with port or `off`".to_owned(),
            Self::Place => "address or name, with port".to_owned(),
            Self::Percent => "share from `1%` to `100%`".to_owned(),
            Self::Statuses => "statuses".to_owned(),
            Self::HashKey => {
                "`address`, `user`, `path`, `header:` or `cookie:` and its name".to_owned()
            }
            Self::Ip => "IP address".to_owned(),
            Self::Network => "address range".to_owned(),
            Self::Permission | Self::Needed => "permission".to_owned(),
            Self::Choice(words) => format!("`{}`", words.join("`, `")),
            Self::Pattern => "path pattern".to_owned(),
            Self::Prefix => "path".to_owned(),
            Self::Origin => "origin".to_owned(),
            Self::Redirect => "address".to_owned(),
            Self::HttpsAddress => "https address".to_owned(),
            Self::CertificateName => "name of a certificate".to_owned(),
            Self::RoleMap => "table of value = role".to_owned(),
            Self::Method => "method".to_owned(),
            Self::Header => "header name".to_owned(),
            Self::Limit => "rate limit, or name of a `[[limit]]`".to_owned(),
            Self::Budget => "rate, or rate limit".to_owned(),
            Self::Concurrent => "number `per` something".to_owned(),
            Self::KeySource => "`principal`, `address`, `header:`, `cookie:` or `query:` and its \
                                name"
                .to_owned(),
            Self::StoreAddress => "redis address".to_owned(),
            Self::Cost => {
                format!("number from 1 to {COST_MAX}, or table of method = number")
            }
            Self::ByMethod => "table of method = permission".to_owned(),
            Self::List { of, .. } => format!("list of: {}", of.describe()),
            Self::Either { plain, nested } => {
                format!("{}, or {}", plain.describe(), nested.describe())
            }
            Self::Table(_) => "table".to_owned(),
            Self::Tables { .. } => "list of tables".to_owned(),
        }
    }

    /// Checks a text against a kind whose values are texts.
    pub(crate) fn check_text(&self, text: &str) -> Result<(), Wrong> {
        match self {
            Self::Name => values::name(text).map(drop),
            Self::Text { max } => check_line(text, *max),
            Self::File => check_file(text),
            Self::Document => values::document(text).map(drop),
            Self::Rules => values::rules(text).map(drop),
            Self::RuleTag => values::rule_tag(text).map(drop),
            Self::RuleParameter => values::rule_parameter(text).map(drop),
            Self::RuleTarget => values::rule_target(text).map(drop),
            Self::Day => values::day(text).map(drop),
            Self::Sanitize => sanitize::parse(text).map(drop),
            Self::Domain | Self::Host | Self::FullHost => values::host(text).map(drop),
            Self::CertificateHost => values::certificate_host(text).map(drop),
            Self::Duration { min, max } => check_range(text, min, max, parse_duration),
            Self::Size { min, max } => check_range(text, min, max, str::parse::<ByteSize>),
            Self::RateOrOff | Self::SocketOrOff if text == "off" => Ok(()),
            Self::Rate | Self::RateOrOff => parsed::<Rate>(text),
            Self::Socket | Self::SocketOrOff => values::socket(text).map(drop),
            Self::Place => values::place(text).map(drop),
            Self::Percent => values::percent(text).map(drop),
            Self::Statuses => values::statuses(text).map(drop),
            Self::HashKey => values::hash_key(text).map(drop),
            Self::Ip => text.parse::<IpAddr>().map(drop).map_err(|_| {
                Wrong::new(format!("{} is not an IP address", quoted(text)))
                    .hint("names are not looked up: write `10.0.1.11` or `2001:db8::11`")
            }),
            Self::Network => parsed::<Network>(text),
            Self::Permission => check_permission(text),
            Self::Needed => check_needed(text),
            Self::Choice(words) => check_choice(text, words),
            Self::Pattern => check_pattern(text),
            Self::Prefix => check_prefix(text),
            Self::Origin => values::origin(text).map(drop),
            Self::Redirect => values::redirect(text).map(drop),
            Self::HttpsAddress => values::https_address(text).map(drop),
            Self::CertificateName => CertificateName::parse(text).map(drop),
            Self::Method => values::method(text).map(drop),
            Self::Header => values::header(text).map(drop),
            Self::Limit => values::limit(text).map(drop),
            Self::Budget => values::budget(text).map(drop),
            Self::Concurrent => values::concurrent(text).map(drop),
            Self::KeySource => values::key_source(text).map(drop),
            Self::StoreAddress => values::store_address(text).map(drop),
            Self::Either { plain, .. } => plain.check_text(text),
            Self::Bool
            | Self::Count { .. }
            | Self::ByMethod
            | Self::Cost
            | Self::RoleMap
            | Self::List { .. }
            | Self::Table(_)
            | Self::Tables { .. } => Err(Wrong::new(format!("this is no {}", self.describe()))),
        }
    }

    /// Whether values of this kind are written as texts.
    pub(crate) fn is_text(&self) -> bool {
        !matches!(
            self,
            Self::Bool
                | Self::Count { .. }
                | Self::ByMethod
                | Self::Cost
                | Self::RoleMap
                | Self::List { .. }
                | Self::Table(_)
                | Self::Tables { .. }
        )
    }
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(), Wrong> {
    match text.parse::<T>() {
        Ok(_) => Ok(()),
        Err(error) => Err(Wrong::new(one_line(&error.to_string()))),
    }
}

/// Messages of other parsers quote what was written: no control character gets through.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn check_line(text: &str, max: usize) -> Result<(), Wrong> {
    if text.chars().any(char::is_control) {
        return Err(Wrong::new(
            "this text must be one line without control characters",
        ));
    }
    if text.chars().count() > max {
        return Err(Wrong::new(format!(
            "this text is longer than {max} characters"
        )));
    }
    Ok(())
}

fn check_file(text: &str) -> Result<(), Wrong> {
    if text.is_empty() {
        return Err(Wrong::new("the path of a file cannot be empty"));
    }
    check_line(text, 4000)
}

/// A quantity between two others, all three written the same way.
fn check_range<T, E>(
    text: &str,
    min: &'static str,
    max: &'static str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<(), Wrong>
where
    T: PartialOrd,
    E: std::fmt::Display,
{
    let value = parse(text).map_err(|error| Wrong::new(one_line(&error.to_string())))?;
    let low = parse(min).is_ok_and(|min| value < min);
    let high = parse(max).is_ok_and(|max| value > max);
    if low {
        Err(Wrong::new(format!("{} is less than `{min}`", quoted(text))))
    } else if high {
        Err(Wrong::new(format!("{} is more than `{max}`", quoted(text))))
    } else {
        Ok(())
    }
}

fn check_choice(text: &str, words: &[&str]) -> Result<(), Wrong> {
    if words.contains(&text) {
        return Ok(());
    }
    let wrong = Wrong::new(format!(
        "{} is none of `{}`",
        quoted(text),
        words.join("`, `")
    ));
    Err(match suggest::nearest(text, words.iter().copied()) {
        Some(near) => wrong.hint(format!("did you mean `{near}`?")),
        None => wrong,
    })
}

fn check_permission(text: &str) -> Result<(), Wrong> {
    let permission: Permission = text.parse().map_err(|_| permission_wrong(text))?;
    if !permission.resource().starts_with("rampart.") {
        return Ok(());
    }
    let known = own::ALL
        .iter()
        .filter_map(|own| own.parse::<Permission>().ok());
    if known.into_iter().any(|own| permission.covers(&own)) {
        return Ok(());
    }
    let wrong = Wrong::new(format!(
        "{} is no permission of Rampart's own",
        quoted(text)
    ));
    Err(wrong.hint(suggest::hint(
        text,
        own::ALL.iter().copied(),
        "permissions of Rampart's own",
    )))
}

fn permission_wrong(text: &str) -> Wrong {
    Wrong::new(format!("{} is not a permission", quoted(text)))
        .hint("`resource:verb` in lower case, such as `orders:read`")
}

/// What is required is one verb: nobody can tell what "every verb" would ask for.
fn check_needed(text: &str) -> Result<(), Wrong> {
    if text
        .parse::<Permission>()
        .is_ok_and(|permission| permission.is_pattern())
    {
        let wrong = Wrong::new(format!("{} requires every verb at once", quoted(text)));
        return Err(wrong.hint("name the one verb that is needed; roles may hold `:*`"));
    }
    check_permission(text)
}

fn check_pattern(text: &str) -> Result<(), Wrong> {
    let pattern = PathPattern::parse(text).map_err(|error| {
        let wrong = Wrong::new(format!("{} is not a path pattern: {error}", quoted(text)));
        match error {
            ParsePatternError::NotAbsolute => wrong.hint(format!("did you mean `/{text}`?")),
            ParsePatternError::EmptySegment => wrong
                .hint("`/api` and `/api/` are the same route; `/api/**` serves everything below"),
            _ => wrong,
        }
    })?;
    let reserved = Segment::Literal(".rampart".to_owned());
    if pattern.segments.first() == Some(&reserved) {
        let wrong = Wrong::new("paths under `/.rampart` are the gateway's own");
        return Err(wrong.hint("sign-in and sign-out of every protected origin live there"));
    }
    Ok(())
}

fn check_prefix(text: &str) -> Result<(), Wrong> {
    let pattern = PathPattern::parse(text)
        .map_err(|error| Wrong::new(format!("{} is not a path: {error}", quoted(text))))?;
    let literal = |segment: &Segment| matches!(segment, Segment::Literal(_));
    if pattern.segments.is_empty() || !pattern.segments.iter().all(literal) {
        let wrong = Wrong::new(format!(
            "{} is not a prefix that can be taken off",
            quoted(text)
        ));
        return Err(wrong.hint("a fixed path such as `/api`, without `*`"));
    }
    Ok(())
}
