//! The fields of an answer that something is decided by. They are told apart once, when the head is
//! read; after that to ask for one is to look at a bit.

/// What a field is for, by its name. Fields that are always treated alike share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Known {
    /// Any other field.
    Other,
    /// `Connection`.
    Connection,
    /// `Transfer-Encoding`.
    TransferEncoding,
    /// The other hop-by-hop fields (RFC 9110 §7.6.1).
    HopByHop,
    /// `Content-Length`.
    ContentLength,
    /// `Content-Type`.
    ContentType,
    /// `Content-Encoding`.
    ContentEncoding,
    /// `Cache-Control`.
    CacheControl,
    /// `Date`.
    Date,
    /// `Set-Cookie`.
    SetCookie,
    /// What a service says about itself: `Server`, `X-Powered-By`; and `Alt-Svc`.
    SelfTold,
    /// `Content-Security-Policy`.
    ContentSecurityPolicy,
    /// `X-Content-Type-Options`.
    ContentTypeOptions,
    /// `X-Frame-Options`.
    FrameOptions,
    /// `Referrer-Policy`.
    ReferrerPolicy,
    /// `Strict-Transport-Security`.
    TransportSecurity,
    /// What a service says about other origins: `Access-Control-…`.
    Cors,
}

impl Known {
    /// What a field of this name, which is a token, is; whatever its case.
    pub(crate) fn of(name: &[u8]) -> Self {
        let candidates: &[(&[u8], Self)] = match name.len() {
            2 => &[(b"te", Self::HopByHop)],
            4 => &[(b"date", Self::Date)],
            6 => &[(b"server", Self::SelfTold)],
            7 => &[
                (b"alt-svc", Self::SelfTold),
                (b"trailer", Self::HopByHop),
                (b"upgrade", Self::HopByHop),
            ],
            10 => &[
                (b"connection", Self::Connection),
                (b"set-cookie", Self::SetCookie),
                (b"keep-alive", Self::HopByHop),
            ],
            12 => &[
                (b"content-type", Self::ContentType),
                (b"x-powered-by", Self::SelfTold),
            ],
            13 => &[(b"cache-control", Self::CacheControl)],
            14 => &[(b"content-length", Self::ContentLength)],
            15 => &[
                (b"x-frame-options", Self::FrameOptions),
                (b"referrer-policy", Self::ReferrerPolicy),
            ],
            16 => &[
                (b"content-encoding", Self::ContentEncoding),
                (b"proxy-connection", Self::HopByHop),
            ],
            17 => &[(b"transfer-encoding", Self::TransferEncoding)],
            18 => &[(b"proxy-authenticate", Self::HopByHop)],
            22 => &[
                (b"x-content-type-options", Self::ContentTypeOptions),
                (b"access-control-max-age", Self::Cors),
            ],
            23 => &[(b"content-security-policy", Self::ContentSecurityPolicy)],
            25 => &[(b"strict-transport-security", Self::TransportSecurity)],
            27 => &[(b"access-control-allow-origin", Self::Cors)],
            28 => &[
                (b"access-control-allow-methods", Self::Cors),
                (b"access-control-allow-headers", Self::Cors),
            ],
            29 => &[(b"access-control-expose-headers", Self::Cors)],
            32 => &[(b"access-control-allow-credentials", Self::Cors)],
            _ => &[],
        };
        candidates
            .iter()
            .find(|(known, _)| is_same(name, known))
            .map_or(Self::Other, |(_, known)| *known)
    }

    /// Whether it ends at the next hop.
    pub(crate) const fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Self::Connection | Self::TransferEncoding | Self::HopByHop
        )
    }

    const fn bit(self) -> u32 {
        1 << (self as u8)
    }
}

/// Whether two tokens of one length are the same but for case; `lower` is in lower case, and of
/// letters and hyphens alone.
///
/// Eight bytes at a time: a bit more makes upper case lower. Of what may stand in a token that makes
/// no other byte a letter or a hyphen.
fn is_same(name: &[u8], lower: &[u8]) -> bool {
    const CASE: u64 = u64::from_ne_bytes([0x20; 8]);
    let word = |eight: &[u8; 8]| u64::from_ne_bytes(*eight);
    if let (Some(last), Some(lower_last)) = (name.last_chunk(), lower.last_chunk()) {
        let eights = name.as_chunks().0.iter().zip(lower.as_chunks().0);
        return word(last) | CASE == word(lower_last)
            && eights.into_iter().all(|(a, b)| word(a) | CASE == word(b));
    }
    name.eq_ignore_ascii_case(lower)
}

/// Some of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KnownSet(u32);

impl KnownSet {
    /// None.
    pub(crate) const NONE: Self = Self(0);

    /// With one more.
    pub(crate) const fn with(self, known: Known) -> Self {
        Self(self.0 | known.bit())
    }

    /// Without one.
    pub(crate) const fn without(self, known: Known) -> Self {
        Self(self.0 & !known.bit())
    }

    /// These, and those of `other`.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These, but not those of `other`.
    pub(crate) const fn but(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether it is among them.
    pub(crate) const fn has(self, known: Known) -> bool {
        self.0 & known.bit() != 0
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[test]
    fn names_are_known_in_any_case_and_nothing_else_is() {
        for (name, known) in [
            ("server", Known::SelfTold),
            ("SERVER", Known::SelfTold),
            ("X-Powered-By", Known::SelfTold),
            ("Alt-Svc", Known::SelfTold),
            ("connection", Known::Connection),
            ("Transfer-Encoding", Known::TransferEncoding),
            ("Set-Cookie", Known::SetCookie),
            ("access-control-max-age", Known::Cors),
            ("Access-Control-Allow-Credentials", Known::Cors),
            ("content-security-policy", Known::ContentSecurityPolicy),
            ("content-security-policy-report-only", Known::Other),
            ("servers", Known::Other),
            ("tf", Known::Other),
            ("", Known::Other),
        ] {
            assert_eq!(Known::of(name.as_bytes()), known, "{name}");
        }
    }

    #[test]
    fn tokens_that_are_alike_are_told_apart() {
        let name = "content-length";
        let tokens = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz";
        for at in 0..name.len() {
            for byte in tokens.bytes() {
                let mut other = name.as_bytes().to_vec();
                other[at] = byte;
                let expected = other.eq_ignore_ascii_case(name.as_bytes());
                let known = Known::of(&other);
                assert_eq!(known == Known::ContentLength, expected, "{other:?}");
            }
        }
    }

    #[test]
    fn hop_by_hop_is_what_it_is_for_requests() {
        for name in [
            "connection",
            "keep-alive",
            "proxy-connection",
            "proxy-authenticate",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "date",
            "host",
            "content-length",
            "server",
        ] {
            let name = HeaderName::from_static(name);
            let known = Known::of(name.as_str().as_bytes());
            let expected = crate::hop::is_hop_by_hop(&name);
            assert_eq!(known.is_hop_by_hop(), expected, "{name}");
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set = KnownSet::NONE.with(Known::Date).with(Known::Cors);
        assert!(set.has(Known::Date) && set.has(Known::Cors));
        assert!(!set.has(Known::SetCookie));
        assert!(!set.without(Known::Cors).has(Known::Cors));
    }
}
