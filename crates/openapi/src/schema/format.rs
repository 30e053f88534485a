//! What `format` names (JSON Schema validation §7.3, the OpenAPI format registry), asserted.
//!
//! Each check takes a text in one pass and allocates nothing. They say whether a text is of the
//! form, never whether what it names exists.

mod net;
mod time;

use crate::number::Decimal;

/// A format that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    DateTime,
    Date,
    Time,
    Duration,
    Email,
    IdnEmail,
    Hostname,
    IdnHostname,
    Ipv4,
    Ipv6,
    Uri,
    UriReference,
    Iri,
    IriReference,
    UriTemplate,
    Uuid,
    JsonPointer,
    RelativeJsonPointer,
    Regex,
    Byte,
    Base64Url,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float,
    Double,
    /// Formats that say what a text is for and not how it looks.
    Free,
}

impl Format {
    /// The format of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "date-time" => Self::DateTime,
            "date" => Self::Date,
            "time" => Self::Time,
            "duration" => Self::Duration,
            "email" => Self::Email,
            "idn-email" => Self::IdnEmail,
            "hostname" => Self::Hostname,
            "idn-hostname" => Self::IdnHostname,
            "ipv4" => Self::Ipv4,
            "ipv6" => Self::Ipv6,
            "uri" | "url" => Self::Uri,
            "uri-reference" => Self::UriReference,
            "iri" => Self::Iri,
            "iri-reference" => Self::IriReference,
            "uri-template" => Self::UriTemplate,
            "uuid" => Self::Uuid,
            "json-pointer" => Self::JsonPointer,
            "relative-json-pointer" => Self::RelativeJsonPointer,
            "regex" => Self::Regex,
            "byte" => Self::Byte,
            "base64url" => Self::Base64Url,
            "int8" => Self::Int8,
            "int16" => Self::Int16,
            "int32" => Self::Int32,
            "int64" => Self::Int64,
            "uint8" => Self::Uint8,
            "uint16" => Self::Uint16,
            "uint32" => Self::Uint32,
            "uint64" => Self::Uint64,
            "float" => Self::Float,
            "double" => Self::Double,
            "binary" | "password" | "html" | "commonmark" => Self::Free,
            _ => return None,
        })
    }

    /// Whether it is one of numbers: then it says nothing of texts.
    pub(crate) fn is_numeric(self) -> bool {
        self.range().is_some() || matches!(self, Self::Float | Self::Double)
    }

    fn range(self) -> Option<(i128, i128)> {
        Some(match self {
            Self::Int8 => (i8::MIN.into(), i8::MAX.into()),
            Self::Int16 => (i16::MIN.into(), i16::MAX.into()),
            Self::Int32 => (i32::MIN.into(), i32::MAX.into()),
            Self::Int64 => (i64::MIN.into(), i64::MAX.into()),
            Self::Uint8 => (0, u8::MAX.into()),
            Self::Uint16 => (0, u16::MAX.into()),
            Self::Uint32 => (0, u32::MAX.into()),
            Self::Uint64 => (0, u64::MAX.into()),
            _ => return None,
        })
    }

    /// Whether a number is of the format.
    pub(crate) fn number(self, text: &str) -> bool {
        if let Some((low, high)) = self.range() {
            if let Ok(value) = text.parse::<i128>() {
                return (low..=high).contains(&value);
            }
            let bound = |n: i128| Decimal::parse(&n.to_string());
            let (Some(value), Some(low), Some(high)) =
                (Decimal::parse(text), bound(low), bound(high))
            else {
                return false;
            };
            return value.is_integer() && value >= low && value <= high;
        }
        match self {
            Self::Float => text.parse::<f32>().is_ok_and(f32::is_finite),
            Self::Double => text.parse::<f64>().is_ok_and(f64::is_finite),
            _ => true,
        }
    }

    /// What it costs to look at a text.
    pub(super) fn steps(self, text: &str) -> u32 {
        // LIMIT: a pattern has to be compiled, which takes as long as thousands of comparisons.
        const COMPILING: u32 = 1 << 12;
        match self {
            Self::Regex => COMPILING,
            _ => super::scalar::text_steps(text),
        }
    }

    /// Whether a text is of the format.
    pub(crate) fn text(self, text: &str) -> bool {
        match self {
            Self::DateTime => time::date_time(text),
            Self::Date => time::date(text),
            Self::Time => time::time(text),
            Self::Duration => time::duration(text),
            Self::Email => net::email(text, net::Letters::Ascii),
            Self::IdnEmail => net::email(text, net::Letters::Any),
            Self::Hostname => net::hostname(text, net::Letters::Ascii),
            Self::IdnHostname => net::hostname(text, net::Letters::Any),
            Self::Ipv4 => net::ipv4(text),
            Self::Ipv6 => text.parse::<std::net::Ipv6Addr>().is_ok(),
            Self::Uri => net::uri(text, net::Letters::Ascii, net::Scheme::Needed),
            Self::UriReference => net::uri(text, net::Letters::Ascii, net::Scheme::Free),
            Self::Iri => net::uri(text, net::Letters::Any, net::Scheme::Needed),
            Self::IriReference => net::uri(text, net::Letters::Any, net::Scheme::Free),
            Self::UriTemplate => net::uri_template(text),
            Self::Uuid => uuid(text),
            Self::JsonPointer => json_pointer(text),
            Self::RelativeJsonPointer => relative_json_pointer(text),
            Self::Regex => super::pattern::Pattern::new(text, 1 << 16).is_ok(),
            Self::Byte => Encoding::Base64.holds(text),
            Self::Base64Url => Encoding::Base64Url.holds(text),
            _ => true,
        }
    }
}

/// RFC 9562 §4.
fn uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// RFC 6901 §3.
fn json_pointer(text: &str) -> bool {
    let escapes = || {
        text.split('~')
            .skip(1)
            .all(|part| part.starts_with(['0', '1']))
    };
    text.is_empty() || (text.starts_with('/') && escapes())
}

fn relative_json_pointer(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits).unwrap_or((text, ""));
    let leading = number.len() > 1 && number.starts_with('0');
    !number.is_empty() && !leading && (rest == "#" || json_pointer(rest))
}

/// How text carries bytes (`contentEncoding`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Base64,
    Base64Url,
    Base32,
    Base16,
}

impl Encoding {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "base64" => Self::Base64,
            "base64url" => Self::Base64Url,
            "base32" => Self::Base32,
            "base16" => Self::Base16,
            _ => return None,
        })
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Base32 => "base32",
            Self::Base16 => "base16",
        }
    }

    /// Whether a text is of the encoding (RFC 4648): padded, but for the one made for URLs, where
    /// padding is as one likes (§5).
    pub(crate) fn holds(self, text: &str) -> bool {
        let body = text.trim_end_matches('=');
        let padding = text.len() - body.len();
        let alphabet = |wanted: fn(u8) -> bool| body.bytes().all(wanted);
        match self {
            Self::Base64 => {
                let wanted = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
                text.len().is_multiple_of(4) && padding <= 2 && alphabet(wanted)
            }
            Self::Base64Url => {
                let wanted = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
                let padded = padding == 0 || (padding <= 2 && text.len().is_multiple_of(4));
                padded && body.len() % 4 != 1 && alphabet(wanted)
            }
            Self::Base32 => {
                let wanted = |b: u8| matches!(b, b'A'..=b'Z' | b'2'..=b'7');
                text.len().is_multiple_of(8)
                    && matches!(padding, 0 | 1 | 3 | 4 | 6)
                    && alphabet(wanted)
            }
            Self::Base16 => {
                text.len().is_multiple_of(2) && padding == 0 && alphabet(|b| b.is_ascii_hexdigit())
            }
        }
    }
}

#[cfg(test)]
mod tests;
