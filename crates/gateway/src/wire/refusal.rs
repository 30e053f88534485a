//! Why bytes on a connection never became a request.

use http::StatusCode;

/// One rule of the wire that was broken. The first broken one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Refusal {
    /// A line ends in LF alone (RFC 9112 §2.2 lets a server accept it; others frame differently).
    BareLineFeed,
    /// CR stands anywhere but before LF (RFC 9112 §2.2).
    BareCarriageReturn,
    /// NUL or another control byte (RFC 9110 §5.5).
    Control,
    /// Something stands before the request line (RFC 9112 §2.2).
    LeadingLine,
    /// The request line is not method, one space, target, one space, version (RFC 9112 §3).
    RequestLine,
    /// The method is no token (RFC 9110 §9.1).
    Method,
    /// `CONNECT` asks for a tunnel; this is no proxy of the client's (RFC 9110 §9.3.6).
    Connect,
    /// The target is in none of the forms a server takes (RFC 9112 §3.2).
    Target,
    /// A pseudo field is missing, stands twice, behind a field, or is none of a request's
    /// (RFC 9113 §8.3).
    Pseudo,
    /// The version is no HTTP version at all (RFC 9112 §2.3).
    Version,
    /// Another HTTP version than 1.0 and 1.1 (RFC 9110 §15.6.6).
    VersionUnsupported,
    /// The request line is longer than the limit (RFC 9110 §15.5.15).
    LineTooLong,
    /// The head is longer than the limit (RFC 6585 §5).
    HeadTooLarge,
    /// The head has more fields than the limit (RFC 6585 §5).
    TooManyFields,
    /// A field name is empty or no token (RFC 9110 §5.1).
    FieldName,
    /// Whitespace around a field value, in HTTP/2 (RFC 9113 §8.2.1).
    FieldValue,
    /// Whitespace between field name and colon (RFC 9112 §5.1).
    SpaceBeforeColon,
    /// A field line without a colon (RFC 9112 §5).
    NoColon,
    /// A field value continues on the next line (RFC 9112 §5.2).
    Folded,
    /// No `Host` (RFC 9112 §3.2).
    HostMissing,
    /// More than one `Host` (RFC 9112 §3.2).
    HostRepeated,
    /// `Host` is no host with an optional port (RFC 9110 §7.2).
    HostInvalid,
    /// The target names another host than `Host` (RFC 9112 §3.2.2).
    HostMismatch,
    /// `Content-Length` beside `Transfer-Encoding` (RFC 9112 §6.1).
    LengthWithCoding,
    /// More than one `Content-Length` (RFC 9112 §6.3).
    LengthRepeated,
    /// `Content-Length` is no number (RFC 9110 §8.6).
    LengthInvalid,
    /// `Transfer-Encoding` is not exactly `chunked` (RFC 9112 §6.1).
    Coding,
    /// `Transfer-Encoding` in HTTP/1.0 (RFC 9112 §6.1).
    CodingInHttp10,
    /// Another protocol was asked for (RFC 9110 §7.8).
    Upgrade,
    /// The head took too long (RFC 9110 §15.5.9).
    HeadTimeout,
    /// A chunk's size is no hexadecimal number, or too large a one (RFC 9112 §7.1).
    ChunkSize,
    /// A chunk's extensions are longer than the limit (RFC 9112 §7.1.1).
    ChunkExtension,
    /// A chunk does not end where it says (RFC 9112 §7.1).
    ChunkEnd,
    /// A trailer field is malformed (RFC 9112 §7.1.2).
    Trailer,
    /// A trailer field that must not be one (RFC 9110 §6.5.1).
    TrailerForbidden,
    /// More trailers than the limit.
    TrailersTooLarge,
    /// A field that belongs to one HTTP/1 connection, in HTTP/2 (RFC 9113 §8.2.2).
    ConnectionSpecific,
}

impl Refusal {
    /// What the client is answered.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::LineTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge | Self::TooManyFields | Self::TrailersTooLarge => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::VersionUnsupported => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::Connect | Self::Upgrade => StatusCode::NOT_IMPLEMENTED,
            Self::HeadTimeout => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// A stable word for records and metrics, and the sentence the client gets.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::BareLineFeed => ("head.bare_lf", "a line ends in LF without CR"),
            Self::BareCarriageReturn => ("head.bare_cr", "CR stands without LF"),
            Self::Control => ("head.control", "a control byte in the head"),
            Self::LeadingLine => ("head.leading_line", "an empty line before the request line"),
            Self::RequestLine => ("head.request_line", "the request line is malformed"),
            Self::Method => ("head.method", "the method is malformed"),
            Self::Connect => ("head.connect", "tunnels are not offered here"),
            Self::Target => ("head.target", "the request target is malformed"),
            Self::Pseudo => (
                "head.pseudo_field",
                "a pseudo header field is missing, repeated, unknown or out of place",
            ),
            Self::Version => ("head.version", "the HTTP version is malformed"),
            Self::VersionUnsupported => (
                "head.version_unsupported",
                "this HTTP version is not spoken here",
            ),
            Self::LineTooLong => ("head.line_too_long", "the request line is too long"),
            Self::HeadTooLarge => ("head.too_large", "the request head is too large"),
            Self::TooManyFields => (
                "head.too_many_fields",
                "the request has too many header fields",
            ),
            Self::FieldName => ("head.field_name", "a header field's name is malformed"),
            Self::FieldValue => (
                "head.field_value",
                "whitespace around a header field's value",
            ),
            Self::SpaceBeforeColon => (
                "head.space_before_colon",
                "space between a header field's name and its colon",
            ),
            Self::NoColon => ("head.no_colon", "a header line without a colon"),
            Self::Folded => ("head.folded", "a header field continues on the next line"),
            Self::HostMissing => ("head.host_missing", "the Host header field is missing"),
            Self::HostRepeated => ("head.host_repeated", "more than one Host header field"),
            Self::HostInvalid => ("head.host_invalid", "the Host header field is malformed"),
            Self::HostMismatch => ("head.host_mismatch", "target and Host name different hosts"),
            Self::LengthWithCoding => (
                "head.length_with_coding",
                "Content-Length beside Transfer-Encoding",
            ),
            Self::LengthRepeated => ("head.length_repeated", "more than one Content-Length"),
            Self::LengthInvalid => ("head.length_invalid", "Content-Length is not a number"),
            Self::Coding => ("head.coding", "a transfer coding other than chunked"),
            Self::CodingInHttp10 => ("head.coding_in_http10", "Transfer-Encoding in HTTP/1.0"),
            Self::Upgrade => ("head.upgrade", "protocol upgrades are not offered yet"),
            Self::HeadTimeout => ("head.timeout", "the request head took too long"),
            Self::ChunkSize => ("body.chunk_size", "a chunk's size is malformed"),
            Self::ChunkExtension => ("body.chunk_extension", "a chunk's extensions are too long"),
            Self::ChunkEnd => ("body.chunk_end", "a chunk does not end where it says"),
            Self::Trailer => ("body.trailer", "a trailer field is malformed"),
            Self::TrailerForbidden => (
                "body.trailer_forbidden",
                "a field that must not be a trailer",
            ),
            Self::TrailersTooLarge => ("body.trailers_too_large", "too many trailer fields"),
            Self::ConnectionSpecific => (
                "head.connection_specific",
                "a header field that HTTP/2 does not allow",
            ),
        }
    }

    /// A stable word for records and metrics.
    pub(crate) const fn code(self) -> &'static str {
        self.words().0
    }

    /// One sentence for the client.
    pub(crate) const fn text(self) -> &'static str {
        self.words().1
    }
}
