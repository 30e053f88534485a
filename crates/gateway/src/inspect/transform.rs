//! Values as rules see them: decoded, without what only hides.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Whether a value holds something without which no rule can match. Most honest values do not.
pub(super) fn is_suspicious(value: &[u8]) -> bool {
    is_odd(value, ODD | SLASH)
}

/// The same of a whole path: whether one of its segments is, or holds an encoding.
pub(super) fn is_suspicious_path(path: &[u8]) -> bool {
    is_odd(path, ODD)
}

/// Whether a byte is of one of `classes`, two dots or two hyphens stand together, or a word is
/// there. One pass: it is asked of every value of every request.
fn is_odd(value: &[u8], classes: u8) -> bool {
    let mut before = 0;
    value.iter().enumerate().any(|(at, byte)| {
        let class = class(*byte);
        let is_double = std::mem::replace(&mut before, *byte) == *byte && class & DOUBLE != 0;
        class & classes != 0 || is_double || (class & WORD != 0 && begins_word(value, at))
    })
}

fn begins_word(value: &[u8], at: usize) -> bool {
    value.len() > SELECT.len()
        && value
            .get(at..)
            .and_then(|rest| rest.get(..SELECT.len()))
            .is_some_and(|part| part.eq_ignore_ascii_case(SELECT))
}

const SELECT: &[u8] = b"select";
/// Odd by itself.
const ODD: u8 = 1;
/// Odd but in a path.
const SLASH: u8 = 2;
/// Odd twice.
const DOUBLE: u8 = 4;
/// The first letter of [`SELECT`].
const WORD: u8 = 8;

const fn class(byte: u8) -> u8 {
    match byte {
        b'\'' | b'"' | b'<' | b'>' | b';' | b'|' | b'&' | b'$' | b'`' | b'{' | b'(' | b'='
        | b'%' | b'\\' | b'#' | b'*' | b'\n' | b'\r' | 0 => ODD,
        b'/' => SLASH,
        b'.' | b'-' => DOUBLE,
        b's' | b'S' => WORD,
        _ => 0,
    }
}

/// Decodes `%xx`, twice where the first leaves some.
pub(super) fn percent_decode(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return Cow::Borrowed(value);
    }
    let once = percent_decode_str(value).decode_utf8_lossy();
    if once.contains('%') {
        let twice = percent_decode_str(&once).decode_utf8_lossy().into_owned();
        return Cow::Owned(twice);
    }
    Cow::Owned(once.into_owned())
}

/// A value of a form: `+` is a space.
pub(super) fn form_decode(value: &str) -> Cow<'_, str> {
    if value.contains('+') {
        let spaced = value.replace('+', " ");
        Cow::Owned(percent_decode(&spaced).into_owned())
    } else {
        percent_decode(value)
    }
}

/// Lower case, comments as spaces, white space as one space each: how SQL is looked at.
pub(super) fn squeezed(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    loop {
        rest = plain(rest, b'/', &mut out);
        let Some(character) = rest.chars().next() else {
            return out;
        };
        if let Some(comment) = rest.strip_prefix("/*") {
            // What stands in `/*!…*/` runs; a comment that does not end is there to hide the rest.
            let Some((inside, after)) = comment.split_once("*/") else {
                out.push_str("/*");
                return out;
            };
            space(&mut out);
            if let Some(code) = inside.strip_prefix('!') {
                // No comment ends in there, so that this goes no deeper.
                let code = squeezed(code.trim_start_matches(|c: char| c.is_ascii_digit()));
                out.push_str(code.trim_start_matches(' '));
                space(&mut out);
            }
            rest = after;
            continue;
        }
        rest = rest.get(character.len_utf8()..).unwrap_or("");
        if character.is_whitespace() || character == '\u{a0}' {
            space(&mut out);
        } else if character != '\0' {
            out.extend(character.to_lowercase());
        }
    }
}

/// Takes over what needs no closer look, in lower case: characters of ASCII but `odd` that can be seen.
/// Answers with the rest. Most values have little else.
fn plain<'v>(value: &'v str, odd: u8, out: &mut String) -> &'v str {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != odd;
    let length = value.bytes().take_while(is_plain).count();
    let (plain, rest) = value.split_at_checked(length).unwrap_or(("", value));
    let begin = out.len();
    out.push_str(plain);
    if let Some(new) = out.get_mut(begin..) {
        new.make_ascii_lowercase();
    }
    rest
}

fn space(out: &mut String) {
    if !out.ends_with(' ') {
        out.push(' ');
    }
}

/// Lower case, with HTML's character references resolved and what browsers skip left out: how
/// markup is looked at.
pub(super) fn rendered(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    loop {
        rest = plain(rest, b'&', &mut out);
        let Some(character) = rest.chars().next() else {
            return out;
        };
        if character == '&'
            && let Some((resolved, after)) = reference(rest)
        {
            out.extend(resolved.to_lowercase());
            rest = after;
            continue;
        }
        rest = rest.get(character.len_utf8()..).unwrap_or("");
        if !matches!(character, '\0' | '\u{200b}'..='\u{200f}' | '\u{feff}') {
            out.extend(character.to_lowercase());
        }
    }
}

/// A character reference at the beginning of `text`, and what follows it.
fn reference(text: &str) -> Option<(char, &str)> {
    const NAMED: [(&str, char); 8] = [
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&apos;", '\''),
        ("&colon;", ':'),
        ("&lpar;", '('),
        ("&tab;", '\t'),
        ("&newline;", '\n'),
    ];
    let numeric = text.strip_prefix("&#");
    if let Some(digits) = numeric {
        let (radix, digits) = match digits.strip_prefix(['x', 'X']) {
            Some(digits) => (16, digits),
            None => (10, digits),
        };
        let length = digits
            .bytes()
            .take(8)
            .take_while(|byte| char::from(*byte).is_digit(radix))
            .count();
        let number = u32::from_str_radix(digits.get(..length)?, radix).ok()?;
        let after = digits.get(length..)?;
        return Some((
            char::from_u32(number)?,
            after.strip_prefix(';').unwrap_or(after),
        ));
    }
    NAMED.iter().find_map(|(name, character)| {
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name)
            .then(|| (*character, text.get(name.len()..).unwrap_or("")))
    })
}
