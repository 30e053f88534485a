//! Targets of a rule: `ARGS|!ARGS:token|&REQUEST_HEADERS:Host|TX:/^score/`.

use crate::bytes::{at, head, shown, tail, trim};
use crate::operator::Rx;
use crate::place::Bad;
use crate::template::{Slot, TxNames};
use crate::variable::Variable;

/// Which values of a variable are meant.
#[derive(Clone, Debug)]
pub(crate) enum Selector {
    All,
    /// A name in lower case.
    Name(Box<[u8]>),
    /// A TX variable whose name is known.
    Slot(Slot),
    /// Names that a pattern matches.
    Pattern(Box<Rx>),
    /// `/*` of XML: the text of the whole document.
    XmlText,
    /// `//@*` of XML: the values of all attributes.
    XmlAttributes,
}

/// How a target is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Value,
    /// `&`: how many there are.
    Count,
    /// `!`: not these.
    Exclude,
}

/// A target as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) variable: Variable,
    pub(crate) selector: Selector,
    pub(crate) mode: Mode,
}

impl Selector {
    /// Whether a value of this name is meant.
    pub(crate) fn takes(&self, name: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Name(wanted) => wanted.eq_ignore_ascii_case(name),
            Self::Pattern(pattern) => pattern.matches(name),
            // The names of what XML holds are these selectors themselves.
            Self::XmlText => name == b"/*",
            Self::XmlAttributes => name == b"//@*",
            Self::Slot(_) => false,
        }
    }

    /// Whether both mean the same names, as far as can be seen.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::All)
            | (Self::XmlText, Self::XmlText)
            | (Self::XmlAttributes, Self::XmlAttributes) => true,
            (Self::Name(a), Self::Name(b)) => a == b,
            (Self::Slot(a), Self::Slot(b)) => a == b,
            (Self::Pattern(a), Self::Pattern(b)) => a.pattern == b.pattern,
            _ => false,
        }
    }
}

/// Reads a list of targets.
pub(crate) fn parse(text: &[u8], names: &mut TxNames) -> Result<Vec<Target>, Bad> {
    let mut targets = Vec::new();
    for item in split(text) {
        let item = trim(item);
        if item.is_empty() {
            return Err(Bad::new("a target is empty").hint("one `|` stands between two targets"));
        }
        targets.push(one(item, names)?);
    }
    Ok(targets)
}

/// Splits at `|` and `,` outside quotes and patterns.
fn split(text: &[u8]) -> Vec<&[u8]> {
    let mut items = Vec::new();
    let mut begin = 0;
    let mut i = 0;
    // The mark that ends what has begun: `'`, or `/` of a pattern.
    let mut inside: Option<u8> = None;
    while let Some(byte) = at(text, i) {
        match inside {
            Some(_) if byte == b'\\' => i += 1,
            Some(mark) if byte == mark => inside = None,
            Some(_) => {}
            None if byte == b'\'' => inside = Some(b'\''),
            // XPath of `XML:` begins with `/` as well, and has no end of its own.
            None if byte == b'/' && at(text, i.wrapping_sub(1)) == Some(b':') => {
                let item = text.get(begin..i).unwrap_or_default();
                let item = item.strip_prefix(b"&").unwrap_or(item);
                let item = item.strip_prefix(b"!").unwrap_or(item);
                if !item.eq_ignore_ascii_case(b"XML:") {
                    inside = Some(b'/');
                }
            }
            None if matches!(byte, b'|' | b',') => {
                items.push(text.get(begin..i).unwrap_or_default());
                begin = i + 1;
            }
            None => {}
        }
        i += 1;
    }
    items.push(tail(text, begin));
    items
}

fn one(item: &[u8], names: &mut TxNames) -> Result<Target, Bad> {
    let (mode, rest) = match item.first() {
        Some(b'!') => (Mode::Exclude, tail(item, 1)),
        Some(b'&') => (Mode::Count, tail(item, 1)),
        _ => (Mode::Value, item),
    };
    let colon = rest.iter().position(|byte| matches!(byte, b':' | b'.'));
    let (name, selector) = match colon {
        Some(colon) => (head(rest, colon), Some(trim(tail(rest, colon + 1)))),
        None => (rest, None),
    };
    let variable = Variable::named(&String::from_utf8_lossy(name))?;
    let selector = match selector {
        None => Selector::All,
        Some(_) if !variable.takes_selector() => {
            return Err(
                Bad::new(format!("`{}` has only one value", variable.name()))
                    .hint("leave out the `:` and what follows"),
            );
        }
        Some(text) => selector_of(variable, text, names)?,
    };
    if variable == Variable::Xml && matches!(selector, Selector::All) && mode == Mode::Value {
        return Err(
            Bad::new("`XML` needs a path").hint("`XML:/*` for texts, `XML://@*` for attributes")
        );
    }
    Ok(Target {
        variable,
        selector,
        mode,
    })
}

fn selector_of(variable: Variable, text: &[u8], names: &mut TxNames) -> Result<Selector, Bad> {
    let quoted = text
        .strip_prefix(b"'")
        .and_then(|rest| rest.strip_suffix(b"'"));
    let text = quoted.unwrap_or(text);
    if variable == Variable::Xml {
        return match text {
            b"/*" => Ok(Selector::XmlText),
            b"//@*" => Ok(Selector::XmlAttributes),
            _ => Err(
                Bad::new(format!("the path `{}` is not supported", shown(text)))
                    .hint("only `/*` (all text) and `//@*` (all attributes) are"),
            ),
        };
    }
    if let Some(pattern) = text
        .strip_prefix(b"/")
        .and_then(|rest| rest.strip_suffix(b"/"))
    {
        // Names are compared without regard to case, and so are patterns for them.
        let folded = [b"(?i)", pattern].concat();
        return Ok(Selector::Pattern(Box::new(Rx::parse(&folded)?)));
    }
    if text.is_empty() {
        return Err(Bad::new(format!("`{}:` names nothing", variable.name())));
    }
    Ok(match variable {
        Variable::Tx => Selector::Slot(names.intern(text)),
        _ => Selector::Name(text.to_ascii_lowercase().into()),
    })
}
