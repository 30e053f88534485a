//! Regular expressions of ECMA-262, said in the words of an engine that runs in linear time.
//!
//! What that engine cannot do (backreferences, look-arounds in the middle) is refused when the
//! document is compiled. Look-aheads right after `^` become patterns of their own: all must hold.

use regex::{Regex, RegexBuilder};

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    /// What must be found, or must not.
    parts: Vec<(Regex, bool)>,
    text: Box<str>,
}

impl Pattern {
    /// Compiles a pattern of ECMA-262 with its `u` flag, as JSON Schema means it.
    ///
    /// # Errors
    /// What cannot be said, in words.
    pub(crate) fn new(text: &str, bytes_max: usize) -> Result<Self, String> {
        let (aheads, rest) = split_aheads(text);
        let mut parts = Vec::with_capacity(aheads.len() + 1);
        for (ahead, wanted) in aheads {
            parts.push((compile(&format!("^(?:{ahead})"), bytes_max)?, wanted));
        }
        if parts.is_empty() || rest != "^" {
            parts.push((compile(&rest, bytes_max)?, true));
        }
        Ok(Self {
            parts,
            text: text.into(),
        })
    }

    /// Whether the text holds a match, anywhere in it.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.parts
            .iter()
            .all(|(regex, wanted)| regex.is_match(text) == *wanted)
    }

    /// The pattern as the document has it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

fn compile(text: &str, bytes_max: usize) -> Result<Regex, String> {
    let ours = translate(text)?;
    RegexBuilder::new(&ours)
        // LIMIT: nesting and compiled size of a pattern.
        .nest_limit(100)
        .size_limit(bytes_max)
        .dfa_size_limit(bytes_max)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large when compiled".to_owned(),
            _ => "it is no regular expression".to_owned(),
        })
}

/// Takes look-aheads after an opening `^` off: each must hold at the beginning, and so must the
/// rest. Not where `|` stands at the top: then they belong to one side only.
fn split_aheads(text: &str) -> (Vec<(String, bool)>, String) {
    let whole = (Vec::new(), text.to_owned());
    let Some(mut rest) = text.strip_prefix('^') else {
        return whole;
    };
    let mut aheads = Vec::new();
    loop {
        let (inner, wanted) = if let Some(inner) = rest.strip_prefix("(?=") {
            (inner, true)
        } else if let Some(inner) = rest.strip_prefix("(?!") {
            (inner, false)
        } else {
            break;
        };
        let Some(end) = closing(inner) else {
            return whole;
        };
        let (Some(ahead), Some(after)) = (inner.get(..end), inner.get(end + 1..)) else {
            return whole;
        };
        if after.starts_with(['*', '+', '?', '{']) {
            return whole;
        }
        aheads.push((ahead.to_owned(), wanted));
        rest = after;
    }
    if aheads.is_empty() || splits_at_top(rest) {
        return whole;
    }
    (aheads, format!("^{rest}"))
}

/// Each character with the depth of groups it stands in, escapes and classes passed over.
fn structure(text: &str) -> impl Iterator<Item = (usize, char, usize)> {
    let (mut depth, mut class, mut escaped) = (0usize, false, false);
    text.char_indices().filter_map(move |(at, c)| {
        if escaped {
            escaped = false;
            return None;
        }
        match c {
            '\\' => escaped = true,
            '[' if !class => class = true,
            ']' if class => class = false,
            _ if class => {}
            '(' => depth += 1,
            ')' => {
                let here = depth;
                depth = depth.saturating_sub(1);
                return Some((at, c, here));
            }
            '|' => return Some((at, c, depth)),
            _ => {}
        }
        None
    })
}

fn closing(inner: &str) -> Option<usize> {
    structure(inner)
        .find(|(_, c, depth)| *c == ')' && *depth == 0)
        .map(|(at, ..)| at)
}

fn splits_at_top(text: &str) -> bool {
    structure(text).any(|(_, c, depth)| c == '|' && depth == 0)
}

/// White space and line ends of ECMA-262 §12.2 and §12.3.
const SPACE: &str = r"\t\n\x0B\x0C\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";

/// Says a pattern of ECMA-262 in the syntax of the `regex` crate.
fn translate(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    let mut class = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, class, &mut out)?,
            '[' if !class => {
                class = true;
                out.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if rest.next_if_eq(&']').is_some() {
                    // `[]` matches nothing, `[^]` anything.
                    let negated = out.ends_with('^');
                    out.truncate(out.len() - if negated { 2 } else { 1 });
                    out.push_str(if negated { r"[\s\S]" } else { r"[^\s\S]" });
                    class = false;
                }
            }
            ']' if class => {
                class = false;
                out.push(']');
            }
            // Signs of set operations, which ECMA-262 does not have here.
            '[' | '&' | '~' if class => {
                out.push('\\');
                out.push(c);
            }
            '-' if class && rest.peek() == Some(&'-') => out.push_str(r"\-"),
            _ if class => out.push(c),
            // ECMA-262 §22.2.2.7: all but line terminators.
            '.' => out.push_str(r"[^\n\r\u{2028}\u{2029}]"),
            '(' => group(&mut rest, &mut out)?,
            '{' => {
                let ahead: String = rest.clone().take_while(|c| *c != '}').collect();
                let (low, high) = ahead.split_once(',').unwrap_or((&ahead, "0"));
                let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
                let quantifier = !low.is_empty()
                    && digits(low)
                    && digits(high)
                    && rest.clone().any(|c| c == '}');
                out.push_str(if quantifier { "{" } else { r"\{" });
                if quantifier {
                    out.push_str(&ahead);
                    out.push('}');
                    for _ in 0..=ahead.chars().count() {
                        rest.next();
                    }
                }
            }
            '}' => out.push_str(r"\}"),
            ']' => out.push_str(r"\]"),
            _ => out.push(c),
        }
    }
    Ok(out)
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn group(rest: &mut Rest<'_>, out: &mut String) -> Result<(), String> {
    out.push('(');
    if rest.peek() != Some(&'?') {
        return Ok(());
    }
    let ahead: String = rest.clone().take(3).collect();
    if ahead.starts_with("?:") {
        return Ok(());
    }
    if ahead.starts_with("?=") || ahead.starts_with("?!") {
        return Err("it looks ahead elsewhere than right after an opening `^`".to_owned());
    }
    if ahead.starts_with("?<=") || ahead.starts_with("?<!") {
        return Err("it looks behind".to_owned());
    }
    if ahead.starts_with("?<") {
        return Ok(());
    }
    Err("it opens a group that ECMA-262 does not have".to_owned())
}

fn escape(rest: &mut Rest<'_>, class: bool, out: &mut String) -> Result<(), String> {
    let Some(c) = rest.next() else {
        return Err("it ends within an escape".to_owned());
    };
    let set = |out: &mut String, inner: &str, negated: bool| {
        // Within a class, a class of its own stands for the set.
        out.push_str(if negated { "[^" } else { "[" });
        out.push_str(inner);
        out.push(']');
    };
    match c {
        'd' => set(out, "0-9", false),
        'D' => set(out, "0-9", true),
        'w' => set(out, "0-9A-Za-z_", false),
        'W' => set(out, "0-9A-Za-z_", true),
        's' => set(out, SPACE, false),
        'S' => set(out, SPACE, true),
        'b' if class => out.push_str(r"\x08"),
        'b' => out.push_str(r"(?-u:\b)"),
        'B' => return Err("`\\B` is not supported".to_owned()),
        'k' => return Err("it refers back to a group".to_owned()),
        '0' if !rest.peek().is_some_and(char::is_ascii_digit) => out.push_str(r"\x00"),
        '0'..='9' => return Err("it refers back to a group".to_owned()),
        'n' | 'r' | 't' => {
            out.push('\\');
            out.push(c);
        }
        'v' => out.push_str(r"\x0B"),
        'f' => out.push_str(r"\x0C"),
        'c' => match rest.next() {
            Some(letter) if letter.is_ascii_alphabetic() => {
                out.push_str(&format!(r"\x{:02X}", u32::from(letter) % 32));
            }
            _ => return Err("`\\c` wants a letter".to_owned()),
        },
        'x' => {
            let code = hex(rest, 2).ok_or("`\\x` wants two hexadecimal digits")?;
            out.push_str(&format!(r"\u{{{code:X}}}"));
        }
        'u' => {
            let code = unicode(rest)?;
            out.push_str(&format!(r"\u{{{code:X}}}"));
        }
        'p' | 'P' => {
            let name = braced(rest).ok_or("`\\p` wants a name in braces")?;
            // ECMA-262 spells properties as Unicode does; scripts and categories are the same.
            out.push_str(&format!(r"\{c}{{{name}}}"));
        }
        c if c.is_ascii_alphabetic() => return Err(format!("`\\{c}` is no escape of ECMA-262")),
        c if c.is_ascii() => {
            out.push('\\');
            out.push(c);
        }
        c => out.push(c),
    }
    Ok(())
}

fn hex(rest: &mut Rest<'_>, digits: usize) -> Option<u32> {
    let ahead: String = rest.clone().take(digits).collect();
    let plain = ahead.len() == digits && ahead.bytes().all(|b| b.is_ascii_hexdigit());
    let code = plain
        .then(|| u32::from_str_radix(&ahead, 16).ok())
        .flatten()?;
    rest.nth(digits - 1);
    Some(code)
}

fn braced(rest: &mut Rest<'_>) -> Option<String> {
    rest.next_if_eq(&'{')?;
    let name: String = rest.by_ref().take_while(|c| *c != '}').collect();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '=');
    (!name.is_empty() && name.chars().all(word)).then_some(name)
}

fn unicode(rest: &mut Rest<'_>) -> Result<u32, String> {
    let wrong = || "`\\u` wants four hexadecimal digits or a code point in braces".to_owned();
    if rest.peek() == Some(&'{') {
        let digits = braced(rest).ok_or_else(wrong)?;
        return u32::from_str_radix(&digits, 16).map_err(|_| wrong());
    }
    let first = hex(rest, 4).ok_or_else(wrong)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Ok(first);
    }
    // A pair of surrogates is one code point under the `u` flag.
    let pair: String = rest.clone().take(2).collect();
    if pair == "\\u" {
        rest.nth(1);
        let second = hex(rest, 4).ok_or_else(wrong)?;
        if (0xDC00..0xE000).contains(&second) {
            return Ok(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00));
        }
    }
    Err("half a surrogate pair matches nothing".to_owned())
}

#[cfg(test)]
mod tests;
