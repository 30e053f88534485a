//! What a schema wants of a value that comes as text: texts of parameters and forms have no types,
//! so the schema says what to read them as.

use crate::number::Decimal;
use crate::schema::{Id, Schemas, Types};
use crate::tree::{Arena, Kind};

/// The types of a value and of its parts.
#[derive(Debug, Default, Clone)]
pub(super) struct Shape {
    pub(super) types: Types,
    pub(super) items: Option<Box<Self>>,
    pub(super) properties: Vec<(Box<str>, Self)>,
    /// Bytes rather than text.
    pub(super) bytes: bool,
}

// LIMIT: nesting of shapes: a parameter's style says no more than two levels.
const DEPTH: u32 = 3;
// LIMIT: schemas looked through for one shape.
const BREADTH: usize = 64;
// LIMIT: parts of all shapes of a document: properties of properties multiply.
pub(super) const PARTS: usize = 1 << 18;

impl Shape {
    /// `left` says how many parts there may be still; at zero, some are missing.
    pub(super) fn of(schemas: &Schemas, schema: Id, left: &mut usize) -> Self {
        Self::within(schemas, schema, DEPTH, left)
    }

    fn within(schemas: &Schemas, schema: Id, depth: u32, left: &mut usize) -> Self {
        let mut shape = Self {
            types: schemas.types_of(schema),
            ..Self::default()
        };
        *left = left.saturating_sub(1);
        let Some(depth) = depth.checked_sub(1).filter(|_| *left > 0) else {
            return shape;
        };
        let mut ahead = vec![schema];
        let mut met = Vec::new();
        while let Some(id) = ahead.pop() {
            if met.contains(&id) || met.len() >= BREADTH {
                continue;
            }
            met.push(id);
            let Some(rules) = schemas.rules(id) else {
                continue;
            };
            shape.bytes |= rules.bytes;
            if let Some(items) = rules.array.as_ref().and_then(|array| array.items)
                && shape.items.is_none()
            {
                shape.items = Some(Box::new(Self::within(schemas, items, depth, left)));
            }
            for property in rules.object.iter().flat_map(|object| &object.properties) {
                if let Some(inner) = property.schema
                    && shape.property(&property.name).is_none()
                {
                    let inner = Self::within(schemas, inner, depth, left);
                    shape.properties.push((property.name.clone(), inner));
                }
            }
            if let Some(logic) = &rules.logic {
                ahead.extend(logic.reference.iter().chain(&logic.all_of));
                ahead.extend(logic.any_of.iter().chain(&logic.one_of));
            }
        }
        shape
    }

    pub(super) fn property(&self, name: &str) -> Option<&Self> {
        self.properties
            .iter()
            .find(|(known, _)| &**known == name)
            .map(|(_, shape)| shape)
    }

    /// Whether it is an array and never one value.
    pub(super) fn is_list(&self) -> bool {
        self.types.meets(Types::ARRAY) && !self.types.meets(SCALAR)
    }

    /// Whether a text could be read as more than one thing.
    pub(super) fn is_ambiguous(&self) -> bool {
        let typed = Types::NUMBER.or(Types::BOOLEAN).or(Types::NULL);
        let own = self.types.meets(Types::STRING) && self.types.meets(typed);
        own || self
            .items
            .as_ref()
            .is_some_and(|items| items.is_ambiguous())
            || self
                .properties
                .iter()
                .any(|(_, inner)| inner.is_ambiguous())
    }
}

/// Types that one text can be.
pub(super) const SCALAR: Types = Types::ALL.and_not_nested();

/// What a text is read as when it could be more than one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefer {
    /// A number, a boolean or null where it looks like one.
    Typed,
    /// A text where a text may stand.
    Text,
}

/// Adds a text as the value that is wanted of it.
pub(super) fn add(arena: &mut Arena, text: &str, types: Types, prefer: Prefer) {
    let may = |wanted: Types| {
        types.meets(wanted) && (prefer == Prefer::Typed || !types.meets(Types::STRING))
    };
    if may(Types::NUMBER) && Decimal::parse(text).is_some() {
        arena.text(Kind::Number, text);
    } else if may(Types::BOOLEAN) && matches!(text, "true" | "false") {
        arena.plain(if text == "true" {
            Kind::True
        } else {
            Kind::False
        });
    } else if may(Types::NULL) && matches!(text, "" | "null") {
        arena.plain(Kind::Null);
    } else {
        arena.text(Kind::String, text);
    }
}

/// Adds a text as a value or, where a list is wanted, as a list of one.
pub(super) fn add_shaped(arena: &mut Arena, texts: &[&str], shape: &Shape, prefer: Prefer) {
    if !shape.is_list()
        && let [text] = texts
    {
        return add(arena, text, shape.types, prefer);
    }
    let types = shape.items.as_ref().map_or(Types::ALL, |items| items.types);
    let opened = arena.open(Kind::Array);
    for text in texts {
        add(arena, text, types, prefer);
    }
    arena.close(opened, u32::try_from(texts.len()).unwrap_or(u32::MAX));
}
