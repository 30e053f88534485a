//! What is wrong with a request or a response: where, by which keyword, and what was expected.
//!
//! A violation never repeats a value: it goes to logs and perhaps to strangers, and what a client
//! sent may be anyone's secret. Names that a client made up are cut short and escaped.

use std::fmt;

use crate::tree::Arena;

// LIMIT: violations kept of one check; the rest are counted.
const KEPT: usize = 16;

/// One way in which a request or a response is not what the document says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Where in the message.
    pub place: Place,
    /// What was not held.
    pub keyword: Keyword,
    /// What is wrong and what was expected.
    pub text: String,
    /// Which words of the document decided: a JSON pointer into it.
    pub rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// A place in a request or a response.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Place {
    /// A segment of the path, by its parameter's name.
    Path(String),
    /// A query parameter.
    Query(String),
    /// A header field.
    Header(String),
    /// A cookie.
    Cookie(String),
    /// The body, by JSON pointer; the empty pointer is the whole.
    Body(String),
    /// The `Content-Type` field.
    ContentType,
    /// The response's status.
    Status,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(name) => write!(f, "path parameter `{name}`"),
            Self::Query(name) => write!(f, "query parameter `{name}`"),
            Self::Header(name) => write!(f, "header `{name}`"),
            Self::Cookie(name) => write!(f, "cookie `{name}`"),
            Self::Body(pointer) if pointer.is_empty() => f.write_str("body"),
            Self::Body(pointer) => write!(f, "body `{pointer}`"),
            Self::ContentType => f.write_str("content type"),
            Self::Status => f.write_str("status"),
        }
    }
}

macro_rules! keywords {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)+) => {
        /// What was not held: a keyword of JSON Schema or OpenAPI, or a rule of this engine.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Keyword { $($(#[$doc])* $name,)+ }

        impl Keyword {
            /// The word, as records and metrics have it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

keywords! {
    /// The schema `false`, or a property that must not be there.
    False => "false",
    /// The value's type.
    Type => "type",
    /// One of listed values.
    Enum => "enum",
    /// Exactly one value.
    Const => "const",
    /// A multiple of a number.
    MultipleOf => "multipleOf",
    /// The greatest number.
    Maximum => "maximum",
    /// Below a number.
    ExclusiveMaximum => "exclusiveMaximum",
    /// The least number.
    Minimum => "minimum",
    /// Above a number.
    ExclusiveMinimum => "exclusiveMinimum",
    /// The longest text, in code points.
    MaxLength => "maxLength",
    /// The shortest text, in code points.
    MinLength => "minLength",
    /// A regular expression.
    Pattern => "pattern",
    /// A named format.
    Format => "format",
    /// Most items.
    MaxItems => "maxItems",
    /// Fewest items.
    MinItems => "minItems",
    /// No item twice.
    UniqueItems => "uniqueItems",
    /// Items that match a schema, and how many.
    Contains => "contains",
    /// Most properties.
    MaxProperties => "maxProperties",
    /// Fewest properties.
    MinProperties => "minProperties",
    /// Something that must be there: a property, a parameter, a body.
    Required => "required",
    /// What one property requires of others.
    DependentRequired => "dependentRequired",
    /// Properties that nothing declares.
    AdditionalProperties => "additionalProperties",
    /// The names of properties.
    PropertyNames => "propertyNames",
    /// Properties that nothing evaluated.
    UnevaluatedProperties => "unevaluatedProperties",
    /// Items that nothing evaluated.
    UnevaluatedItems => "unevaluatedItems",
    /// At least one alternative.
    AnyOf => "anyOf",
    /// Exactly one alternative.
    OneOf => "oneOf",
    /// Not this.
    Not => "not",
    /// The alternative that a property names.
    Discriminator => "discriminator",
    /// A property that only responses carry.
    ReadOnly => "readOnly",
    /// A property that only requests carry.
    WriteOnly => "writeOnly",
    /// How text carries bytes.
    ContentEncoding => "contentEncoding",
    /// What the text is.
    ContentMediaType => "contentMediaType",
    /// How a parameter is written.
    Style => "style",
    /// A parameter, a field or a body that the document does not declare.
    Undeclared => "undeclared",
    /// The same parameter, field or key more than once.
    Repeated => "repeated",
    /// A media type that is not declared, or missing.
    MediaType => "media-type",
    /// A status that is not declared.
    Status => "status",
    /// Bytes that are not what their media type says.
    Syntax => "syntax",
    /// More than a limit allows; never accepted.
    TooComplex => "too-complex",
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Violations of one message, with the working memory of its checks. Clear it and use it again:
/// what it has allocated serves the next message.
#[derive(Debug, Default)]
pub struct Violations {
    list: Vec<Violation>,
    dropped: u32,
    arena: Arena,
}

impl Violations {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the message is what the document says.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The violations, in the order they were found.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Violation> {
        self.list.iter()
    }

    /// How many more there were than are kept.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Forgets them and keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.dropped = 0;
    }

    /// Memory for a value, empty.
    pub(crate) fn lend(&mut self) -> Arena {
        let mut arena = std::mem::take(&mut self.arena);
        arena.clear();
        arena
    }

    /// Takes the memory back.
    pub(crate) fn give_back(&mut self, arena: Arena) {
        self.arena = arena;
    }

    /// Whether another one would only be counted.
    #[must_use]
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= KEPT
    }

    /// Counts one that nobody needs to spell out.
    pub(crate) fn drop_one(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }

    pub(crate) fn push(&mut self, violation: Violation) {
        if self.is_full() {
            self.dropped = self.dropped.saturating_add(1);
        } else {
            self.list.push(violation);
        }
    }
}
