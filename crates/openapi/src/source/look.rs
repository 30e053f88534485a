//! Documents of other kinds, read by the same reader: values with their places, for whoever wants
//! to look into a YAML or JSON file without a schema.

use super::{Findings, Member, Merge, Node, Value, read_as};
use crate::{Finding, Limits};

impl Node {
    /// Reads a text, YAML or JSON, within the limits of documents. Merge keys (`<<`) are taken.
    ///
    /// # Errors
    /// What is wrong with the text, with its place.
    pub fn parse(text: &str) -> Result<Self, Vec<Finding>> {
        let limits = Limits::default();
        let mut findings = Findings::new(limits.findings);
        match read_as(text, &limits, Merge::Take, &mut findings) {
            Some(node) if !findings.has_errors() => Ok(node),
            _ => Err(findings.finish()),
        }
    }

    /// The line it begins on, from one.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.mark.line
    }

    /// The value under `name`, of an object.
    #[must_use]
    pub fn under(&self, name: &str) -> Option<&Self> {
        self.get(name)
    }

    /// The members of an object, in order; none of anything else.
    #[must_use]
    pub fn each_member(&self) -> &[Member] {
        self.members()
    }

    /// The items of an array; none of anything else.
    #[must_use]
    pub fn each_item(&self) -> &[Self] {
        self.items()
    }

    /// The text of a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.as_str()
    }

    /// A boolean.
    #[must_use]
    pub fn truth(&self) -> Option<bool> {
        self.as_bool()
    }

    /// A whole number of 64 bits.
    #[must_use]
    pub fn whole(&self) -> Option<i64> {
        self.as_number().and_then(crate::number::Decimal::to_i64)
    }

    /// A string, number or boolean as one text; nothing for what holds others, or for null.
    #[must_use]
    pub fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) => self.whole().map(|number| number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Whether it is an object.
    #[must_use]
    pub const fn is_object(&self) -> bool {
        matches!(self.value, Value::Object(_))
    }

    /// Whether it is an array.
    #[must_use]
    pub const fn is_array(&self) -> bool {
        matches!(self.value, Value::Array(_))
    }
}

impl Member {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands under it.
    #[must_use]
    pub const fn value(&self) -> &Node {
        &self.value
    }

    /// The line its name stands on, from one.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.mark.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merge_keys_give_what_is_not_said_already() {
        let text =
            "base: &base {a: 1, b: 2}\nmore: &more {c: 3}\none:\n  <<: [*base, *more]\n  b: 9\n";
        let node = Node::parse(text).unwrap();
        let one = node.under("one").unwrap();
        let said: Vec<(&str, Option<i64>)> = one
            .each_member()
            .iter()
            .map(|member| (member.name(), member.value().whole()))
            .collect();
        assert_eq!(said, [("b", Some(9)), ("a", Some(1)), ("c", Some(3))]);
        assert_eq!(one.line(), 4);
    }

    #[test]
    fn merge_keys_count_against_the_limit_of_values() {
        let mut text = String::from("a0: &a0 {x: [1, 1, 1, 1, 1, 1, 1, 1]}\n");
        for level in 1..30 {
            let before = level - 1;
            text.push_str(&format!(
                "a{level}: &a{level}\n  <<: *a{before}\n  y: [*a{before}, *a{before}]\n"
            ));
        }
        assert!(Node::parse(&text).is_err());
    }
}
