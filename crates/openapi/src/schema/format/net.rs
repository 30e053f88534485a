//! Names and addresses of networks: RFC 1123 host names, RFC 5321 mailboxes, RFC 3986 and RFC 3987
//! identifiers, RFC 6570 templates.

/// Which letters a text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    Ascii,
    /// Those of other scripts too. What IDNA (RFC 5892) forbids within them is not looked at.
    Any,
}

/// Whether a reference must be absolute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Needed,
    Free,
}

/// RFC 2673 §3.2: four decimal numbers without leading zeros.
pub(super) fn ipv4(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok()
}

pub(super) fn hostname(text: &str, letters: Letters) -> bool {
    let mark =
        |c: char| letters == Letters::Any && matches!(c, '\u{3002}' | '\u{FF0E}' | '\u{FF61}');
    let plain = |label: &str| {
        let allowed = |c: char| {
            c.is_ascii_alphanumeric()
                || c == '-'
                || (letters == Letters::Any && !c.is_ascii() && !c.is_whitespace())
        };
        // RFC 5891 §4.2.3.1: hyphens in the third and fourth place are those of `xn--`.
        let reserved =
            label.get(2..4) == Some("--") && !label.to_ascii_lowercase().starts_with("xn--");
        (1..=63).contains(&label.len())
            && label.chars().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
            && !reserved
    };
    !text.is_empty() && text.len() <= 253 && text.split(|c| c == '.' || mark(c)).all(plain)
}

/// RFC 5321 §4.1.2.
pub(super) fn email(text: &str, letters: Letters) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let foreign = |c: char| letters == Letters::Any && !c.is_ascii() && !c.is_control();
    let atom =
        |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || foreign(c);
    let quoted = || {
        let inner = local
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        inner.is_some_and(|inner| {
            let mut escaped = false;
            let fine = inner.chars().all(|c| {
                let held = escaped || !matches!(c, '"');
                escaped = !escaped && c == '\\';
                held && ((' '..='~').contains(&c) || foreign(c))
            });
            fine && !escaped
        })
    };
    let dotted = || {
        local
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(atom))
    };
    let literal = || {
        let inner = domain
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        inner.is_some_and(|inner| match inner.strip_prefix("IPv6:") {
            Some(six) => six.parse::<std::net::Ipv6Addr>().is_ok(),
            None => ipv4(inner),
        })
    };
    local.len() <= 64 && (dotted() || quoted()) && (hostname(domain, letters) || literal())
}

fn unreserved(c: char, letters: Letters) -> bool {
    let foreign = || {
        letters == Letters::Any
            && c >= '\u{A0}'
            && !matches!(u32::from(c) & 0xFFFF, 0xFFFE | 0xFFFF)
    };
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~') || foreign()
}

fn sub_delimiter(c: char) -> bool {
    matches!(
        c,
        '!' | '$' | '&' | '\'' | '(' | ')' | '*' | '+' | ',' | ';' | '='
    )
}

/// All of `unreserved / pct-encoded / sub-delims / extra`.
fn made_of(text: &str, letters: Letters, extra: &str) -> bool {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let fine = if c == '%' {
            let mut digit = || rest.next().is_some_and(|c| c.is_ascii_hexdigit());
            digit() && digit()
        } else {
            unreserved(c, letters) || sub_delimiter(c) || extra.contains(c)
        };
        if !fine {
            return false;
        }
    }
    true
}

/// RFC 3986 appendix A.
pub(super) fn uri(text: &str, letters: Letters, scheme: Scheme) -> bool {
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !made_of(fragment, letters, ":@/?") || !made_of(query, letters, ":@/?") {
        return false;
    }
    let named = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    let (after, absolute) = match rest.split_once(':') {
        Some((name, after)) if named(name) => (after, true),
        _ => (rest, false),
    };
    if scheme == Scheme::Needed && !absolute {
        return false;
    }
    let path = match after.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
            if !self::authority(authority, letters) {
                return false;
            }
            path
        }
        // §4.2: the first segment of a relative path holds no colon.
        None if !absolute
            && after
                .split('/')
                .next()
                .is_some_and(|first| first.contains(':')) =>
        {
            return false;
        }
        None => after,
    };
    made_of(path, letters, ":@/")
}

fn authority(text: &str, letters: Letters) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    if !made_of(user, letters, ":") {
        return false;
    }
    let (fine, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((literal, port)) = rest.split_once(']') else {
                return false;
            };
            let future = || {
                let parts = literal
                    .strip_prefix(['v', 'V'])
                    .and_then(|rest| rest.split_once('.'));
                parts.is_some_and(|(version, rest)| {
                    !version.is_empty()
                        && version.bytes().all(|b| b.is_ascii_hexdigit())
                        && !rest.is_empty()
                        && !rest.contains('%')
                        && made_of(rest, Letters::Ascii, ":")
                })
            };
            (
                literal.parse::<std::net::Ipv6Addr>().is_ok() || future(),
                port,
            )
        }
        None => {
            let end = host.find(':').unwrap_or(host.len());
            let (name, port) = host.split_at_checked(end).unwrap_or((host, ""));
            (made_of(name, letters, ""), port)
        }
    };
    let port = port
        .strip_prefix(':')
        .unwrap_or(if port.is_empty() { "" } else { "x" });
    fine && port.bytes().all(|b| b.is_ascii_digit())
}

/// RFC 6570 §2: literals, and expressions that are not nested.
pub(super) fn uri_template(text: &str) -> bool {
    let mut rest = text;
    loop {
        let end = rest.find('{').unwrap_or(rest.len());
        let (literal, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let barred = |c: char| {
            c.is_control()
                || matches!(
                    c,
                    ' ' | '"' | '\'' | '<' | '>' | '\\' | '^' | '`' | '|' | '}'
                )
        };
        if literal.contains(barred) || !percents(literal) {
            return false;
        }
        let Some(inner) = after.strip_prefix('{') else {
            return true;
        };
        let Some((expression, next)) = inner.split_once('}') else {
            return false;
        };
        let names = expression
            .strip_prefix(['+', '#', '.', '/', ';', '?', '&'])
            .unwrap_or(expression);
        if !names.split(',').all(variable) {
            return false;
        }
        rest = next;
    }
}

fn percents(text: &str) -> bool {
    text.split('%').skip(1).all(|part| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit))
    })
}

/// §2.3 and §2.4: a name, and how much of it or all its parts.
fn variable(spec: &str) -> bool {
    let name = match spec.split_once(':') {
        Some((name, length)) => {
            let digits =
                (1..=4).contains(&length.len()) && length.bytes().all(|b| b.is_ascii_digit());
            if !digits || length.starts_with('0') {
                return false;
            }
            name
        }
        None => spec.strip_suffix('*').unwrap_or(spec),
    };
    let part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '%'))
            && percents(part)
    };
    name.split('.').all(part)
}
