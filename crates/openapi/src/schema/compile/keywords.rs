//! Each keyword of a schema, made into rules.

mod values;

use super::{Compiler, Dialect};
use crate::number::{Decimal, Divisor};
use crate::schema::object::Property;
use crate::schema::pattern::Pattern;
use crate::schema::{Bound, Encoding, Format, Id, Names, Rules, Types};
use crate::source::{self, At, Findings, Node, Value};

use values::{count, dialect, encoding, flag, format, texts, unknown};

/// Words that say nothing of values.
const SILENT: &[&str] = &[
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "$comment",
    "externalDocs",
    "xml",
    "summary",
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "$defs",
    "definitions",
    "$vocabulary",
    "contentMediaType",
];

/// Words of draft 2020-12 that OpenAPI 3.0 does not have.
const NEWER: &[&str] = &[
    "const",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "patternProperties",
    "propertyNames",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$dynamicRef",
    "contentEncoding",
    "contentSchema",
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "$defs",
    "examples",
    "$schema",
];

/// Words that are enforced, for what is meant by one that is not known.
const ENFORCED: &[&str] = &[
    "type",
    "enum",
    "const",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "format",
    "items",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "maxItems",
    "minItems",
    "uniqueItems",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "required",
    "maxProperties",
    "minProperties",
    "dependentRequired",
    "dependentSchemas",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedProperties",
    "unevaluatedItems",
    "discriminator",
    "readOnly",
    "writeOnly",
    "nullable",
    "description",
    "default",
    "example",
    "examples",
    "title",
    "deprecated",
];

impl<'d> Compiler<'d> {
    pub(super) fn keywords(&mut self, at: &At<'d>, rules: &mut Rules, findings: &mut Findings) {
        if self.dialect == Dialect::V30
            && let Some(reference) = at.get("$ref")
        {
            // OpenAPI 3.0.4 §4.7.23: what stands beside `$ref` is ignored.
            for (name, value) in at.members() {
                if name != "$ref" && !SILENT.contains(&name) && !name.starts_with("x-") {
                    findings.warn(
                        &value,
                        format!("`{name}` beside `$ref` means nothing in OpenAPI 3.0"),
                        "put both into `allOf`, or say `openapi: 3.1.1`",
                    );
                }
            }
            rules.logic().reference = self.reference(&reference, rules.resource, findings);
            return;
        }
        for (name, value) in at.members() {
            if self.dialect == Dialect::V30 && NEWER.contains(&name) {
                findings.warn(
                    &value,
                    format!(
                        "`{name}` is not a word of OpenAPI 3.0; it is enforced as 3.1 means it"
                    ),
                    "say `openapi: 3.1.1`",
                );
            }
            let taken = self.applied(at, name, &value, rules, findings)
                || self.of_objects(name, &value, rules, findings)
                || self.of_arrays(name, &value, rules, findings)
                || self.of_scalars(at, name, &value, rules, findings);
            if !taken {
                unknown(name, &value, findings);
            }
        }
        self.required(at, rules, findings);
    }

    fn list(&mut self, value: &At<'d>, resource: u32, findings: &mut Findings) -> Box<[Id]> {
        if value.node.items().is_empty() {
            findings.error(value, "a list of schemas is wanted, of at least one", "");
        }
        value
            .items()
            .map(|item| self.part(item, resource))
            .collect()
    }

    /// Schemas of the same value, and references.
    fn applied(
        &mut self,
        at: &At<'d>,
        name: &str,
        value: &At<'d>,
        rules: &mut Rules,
        findings: &mut Findings,
    ) -> bool {
        let resource = rules.resource;
        match name {
            "$ref" => rules.logic().reference = self.reference(value, resource, findings),
            "$dynamicRef" => rules.logic().dynamic = self.dynamic(value, resource, findings),
            "allOf" => rules.logic().all_of = self.list(value, resource, findings),
            "anyOf" => rules.logic().any_of = self.list(value, resource, findings),
            "oneOf" => rules.logic().one_of = self.list(value, resource, findings),
            "not" => rules.logic().not = Some(self.part(value.clone(), resource)),
            "if" => rules.logic().condition = Some(self.part(value.clone(), resource)),
            "then" => rules.logic().then = Some(self.part(value.clone(), resource)),
            "else" => rules.logic().otherwise = Some(self.part(value.clone(), resource)),
            "unevaluatedProperties" => {
                rules.logic().unevaluated_properties = Some(self.part(value.clone(), resource));
            }
            "unevaluatedItems" => {
                rules.logic().unevaluated_items = Some(self.part(value.clone(), resource));
            }
            "discriminator" => {
                rules.logic().discriminator = self.discriminator(at, value, resource, findings);
            }
            _ => return false,
        }
        true
    }

    fn of_objects(
        &mut self,
        name: &str,
        value: &At<'d>,
        rules: &mut Rules,
        findings: &mut Findings,
    ) -> bool {
        let resource = rules.resource;
        match name {
            // Together, in `required`.
            "properties" | "required" => {}
            "patternProperties" => {
                let mut patterns = Vec::new();
                for (pattern, schema) in value.members() {
                    let schema_id = self.part(schema.clone(), resource);
                    if let Some(pattern) = self.pattern(pattern, &schema, findings) {
                        patterns.push((pattern, schema_id));
                    }
                }
                rules.object().patterns = patterns.into();
            }
            "additionalProperties" => {
                rules.object().additional = Some(self.part(value.clone(), resource));
            }
            "propertyNames" => {
                rules.object().property_names = Some(self.part(value.clone(), resource));
            }
            "maxProperties" => rules.object().max = count(value, findings),
            "minProperties" => rules.object().min = count(value, findings),
            "dependentRequired" => {
                let members = value.members();
                let all = members.map(|(name, list)| (name.into(), texts(&list, findings)));
                rules.object().dependent_required = all.collect();
            }
            "dependentSchemas" => {
                let members = value.members();
                let all = members.map(|(name, schema)| (name.into(), self.part(schema, resource)));
                rules.object().dependent_schemas = all.collect();
            }
            _ => return false,
        }
        true
    }

    /// `properties` and `required`: one list of names.
    fn required(&mut self, at: &At<'d>, rules: &mut Rules, findings: &mut Findings) {
        let required = at.get("required").map(|list| texts(&list, findings));
        let declared = at.get("properties");
        if let Some(declared) = declared
            .as_ref()
            .filter(|d| !matches!(d.node.value, Value::Object(_)))
        {
            findings.error(
                declared,
                format!("`properties` is an object, not {}", declared.node.what()),
                "",
            );
        }
        if required.is_none() && declared.is_none() {
            return;
        }
        let required = required.unwrap_or_default();
        let mut properties: Vec<Property> = Vec::new();
        let property = |name: &str, schema, required: bool| Property {
            name: name.into(),
            schema,
            required,
            read_only: false,
            write_only: false,
        };
        for (name, schema) in declared.iter().flat_map(At::members) {
            let wanted = required.iter().any(|other| &**other == name);
            properties.push(property(
                name,
                Some(self.part(schema, rules.resource)),
                wanted,
            ));
        }
        for name in &required {
            if !properties.iter().any(|known| known.name == *name) {
                properties.push(property(name, None, true));
            }
        }
        let names = (0u32..)
            .zip(&properties)
            .map(|(at, property)| (property.name.clone(), at));
        let object = rules.object();
        object.names = Names::new(names.collect());
        object.properties = properties.into();
    }

    fn of_arrays(
        &mut self,
        name: &str,
        value: &At<'d>,
        rules: &mut Rules,
        findings: &mut Findings,
    ) -> bool {
        let resource = rules.resource;
        match name {
            "items" => {
                if matches!(value.node.value, Value::Array(_)) {
                    findings.error(
                        value,
                        "`items` is one schema",
                        "items by place are `prefixItems`",
                    );
                } else {
                    rules.array().items = Some(self.part(value.clone(), resource));
                }
            }
            "prefixItems" => rules.array().prefix = self.list(value, resource, findings),
            "contains" => rules.array().contains = Some(self.part(value.clone(), resource)),
            "minContains" => rules.array().contains_min = count(value, findings),
            "maxContains" => rules.array().contains_max = count(value, findings),
            "maxItems" => rules.array().max = count(value, findings),
            "minItems" => rules.array().min = count(value, findings),
            "uniqueItems" => rules.array().unique = flag(value, findings),
            _ => return false,
        }
        true
    }

    fn of_scalars(
        &mut self,
        at: &At<'d>,
        name: &str,
        value: &At<'d>,
        rules: &mut Rules,
        findings: &mut Findings,
    ) -> bool {
        match name {
            "type" => {
                rules.types = self.types(value, findings);
                if at.node.get("nullable").and_then(Node::as_bool) == Some(true)
                    && self.dialect == Dialect::V30
                {
                    rules.nullable();
                }
            }
            "nullable" => self.nullable(at, value, findings),
            "enum" => {
                if value.node.items().is_empty() {
                    findings.error(value, "`enum` lists the values, at least one", "");
                }
                let values = value.node.items().iter().map(|item| item.value.clone());
                rules.enumeration = Some(values.collect());
            }
            "const" => rules.scalar().constant = Some(value.node.value.clone()),
            "multipleOf" => {
                let divisor = value.node.as_number().and_then(Divisor::new);
                if divisor.is_none() {
                    findings.error(
                        value,
                        "`multipleOf` is a number above zero, of at most 18 digits",
                        "",
                    );
                }
                rules.number().multiple_of = divisor;
            }
            "maximum" | "minimum" | "exclusiveMaximum" | "exclusiveMinimum" => {
                self.bound(at, name, value, rules, findings);
            }
            "maxLength" => rules.scalar().length_max = count(value, findings),
            "minLength" => rules.scalar().length_min = count(value, findings),
            "pattern" => match value.node.as_str() {
                Some(text) => rules.scalar().pattern = self.pattern(text, value, findings),
                None => findings.error(
                    value,
                    format!("`pattern` is a text, not {}", value.node.what()),
                    "",
                ),
            },
            "format" => format(at, value, rules, findings),
            "contentEncoding" => encoding(value, rules, findings),
            "contentMediaType" => match value.node.as_str() {
                Some("application/json") => rules.scalar().json = true,
                _ => rules.bytes = true,
            },
            "contentSchema" => findings.warn(value, "`contentSchema` is not enforced", ""),
            "readOnly" => rules.read_only = flag(value, findings),
            "writeOnly" => rules.write_only = flag(value, findings),
            "$schema" => dialect(value, findings),
            _ => return false,
        }
        true
    }

    fn pattern(&self, text: &str, at: &At<'_>, findings: &mut Findings) -> Option<Pattern> {
        match Pattern::new(text, self.pattern_bytes) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                let hint = "patterns run in linear time: without backreferences, and with look-aheads only at their beginning";
                findings.error(at, format!("the pattern cannot be enforced: {why}"), hint);
                None
            }
        }
    }

    fn types(&self, value: &At<'d>, findings: &mut Findings) -> Types {
        let named = |item: &Node| item.as_str().and_then(Types::named);
        let found = match &value.node.value {
            Value::String(_) => named(value.node),
            Value::Array(items) if !items.is_empty() => {
                if self.dialect == Dialect::V30 {
                    findings.warn(
                        value,
                        "a list of types is not of OpenAPI 3.0; it is enforced",
                        "say `openapi: 3.1.1`",
                    );
                }
                items
                    .iter()
                    .map(named)
                    .try_fold(Types::NONE, |all, one| Some(all.or(one?)))
            }
            _ => None,
        };
        found.unwrap_or_else(|| {
            findings.error(
                value,
                "a type that is not known",
                "one of null, boolean, object, array, number, integer, string",
            );
            Types::ALL
        })
    }

    fn nullable(&self, at: &At<'d>, value: &At<'d>, findings: &mut Findings) {
        let on = flag(value, findings);
        if self.dialect == Dialect::V31 {
            findings.warn(
                value,
                "`nullable` means nothing in OpenAPI 3.1",
                "list the type `null`: `type: [string, 'null']`",
            );
        } else if on && at.node.get("type").is_none() {
            // OpenAPI 3.0.4 §4.7.24.1: it adds to the type that stands beside it.
            findings.warn(
                value,
                "`nullable` without `type` beside it means nothing",
                "say the type here too",
            );
        }
    }

    fn bound(
        &self,
        at: &At<'d>,
        name: &str,
        value: &At<'d>,
        rules: &mut Rules,
        findings: &mut Findings,
    ) {
        if let (Value::Bool(on), true) = (&value.node.value, name.starts_with("exclusive")) {
            let beside = if name == "exclusiveMaximum" {
                "maximum"
            } else {
                "minimum"
            };
            if self.dialect == Dialect::V31 {
                let hint = format!(
                    "in OpenAPI 3.1 it is the bound itself: `{name}: N` in place of `{beside}: N`"
                );
                findings.error(value, format!("`{name}` is a number"), &hint);
            } else if *on && at.node.get(beside).is_none() {
                findings.warn(
                    value,
                    format!("`{name}` without `{beside}` means nothing"),
                    "",
                );
            }
            return;
        }
        let Some(number) = value.node.as_number().cloned().map(Bound::new) else {
            findings.error(
                value,
                format!("`{name}` is a number, not {}", value.node.what()),
                "",
            );
            return;
        };
        if self.dialect == Dialect::V30 && name.starts_with("exclusive") {
            let hint = "in OpenAPI 3.0 it is `true` beside the bound";
            findings.warn(
                value,
                format!("`{name}` as a number is of 3.1; it is enforced as that"),
                hint,
            );
        }
        let excludes = |name: &str| {
            self.dialect == Dialect::V30 && at.node.get(name).and_then(Node::as_bool) == Some(true)
        };
        let numbers = rules.number();
        match name {
            "maximum" if excludes("exclusiveMaximum") => numbers.below = Some(number),
            "minimum" if excludes("exclusiveMinimum") => numbers.above = Some(number),
            "maximum" => numbers.maximum = Some(number),
            "minimum" => numbers.minimum = Some(number),
            "exclusiveMaximum" => numbers.below = Some(number),
            _ => numbers.above = Some(number),
        }
    }
}
