//! Macros: templates made text with what the transaction knows.

use std::borrow::Cow;

use super::store::Kept;
use super::{Hit, Transaction};
use crate::bytes::number;
use crate::template::{Piece, Template};
use crate::text::actions::SEVERITIES;
use crate::variable::{Source, Variable};

/// Most expanded texts are no longer.
const EXPANDED_BYTES: usize = 64;

impl<'r> Transaction<'r> {
    /// The text of a template. What a macro names and is not there leaves nothing.
    pub(super) fn expanded<'t>(&self, template: &'t Template) -> Cow<'t, [u8]>
    where
        'r: 't,
    {
        if let Some(text) = template.constant() {
            return Cow::Borrowed(text);
        }
        // What stands in a rule needs no copy.
        if let [Piece::Tx(slot)] = template.pieces.as_ref()
            && let Some(Kept::Bytes(Cow::Borrowed(text))) = self.store.slot(*slot)
        {
            return Cow::Borrowed(text);
        }
        let mut out = Vec::with_capacity(EXPANDED_BYTES);
        for piece in &template.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Tx(slot) => {
                    if let Some(kept) = self.store.slot(*slot) {
                        kept.write(&mut out);
                    }
                }
                Piece::Variable(variable, name) => {
                    self.variable(*variable, name.as_deref(), &mut out);
                }
            }
            // LIMIT: a text that grows with each rule would fill the memory.
            out.truncate(super::store::KEPT_BYTES_MAX);
        }
        Cow::Owned(out)
    }

    /// The number that a template's text says.
    pub(super) fn number(&self, template: &Template) -> i64 {
        match template.pieces.as_ref() {
            // A number that rules have added up needs no text.
            [Piece::Tx(slot)] => self.store.slot(*slot).map_or(0, Kept::number),
            [Piece::Text(text)] => number(text),
            _ => number(&self.expanded(template)),
        }
    }

    fn variable(&self, variable: Variable, name: Option<&[u8]>, out: &mut Vec<u8>) {
        match variable.source() {
            Source::List | Source::Scalar => self.first(&[variable], name, Part::Value, out),
            Source::Lists(a, b) => self.first(&[a, b], name, Part::Value, out),
            Source::Names(a) => self.first(&[a], name, Part::Name, out),
            Source::NamesOf(a, b) => self.first(&[a, b], name, Part::Name, out),
            Source::Kept => {
                let lower = name.unwrap_or_default().to_ascii_lowercase();
                if let Some(kept) = self.store.named(variable, &lower, &self.rules.names) {
                    kept.write(out);
                }
            }
            Source::Matched => self.matched_variable(variable, out),
            Source::OfRule => self.rule_says(name.unwrap_or_default(), out),
        }
    }

    fn first(&self, lists: &[Variable], name: Option<&[u8]>, part: Part, out: &mut Vec<u8>) {
        let mut entries = lists.iter().flat_map(|list| self.store.list(*list));
        let wanted = entries.find(|entry| {
            name.is_none_or(|name| self.values.get(entry.name).eq_ignore_ascii_case(name))
        });
        if let Some(entry) = wanted {
            let value = match part {
                Part::Value => entry.value,
                Part::Name => entry.name,
            };
            out.extend_from_slice(self.values.get(value));
        }
    }

    fn matched_variable(&self, variable: Variable, out: &mut Vec<u8>) {
        if variable == Variable::HighestSeverity {
            let severity = self.state.highest_severity.unwrap_or(u8::MAX);
            out.extend_from_slice(severity.to_string().as_bytes());
            return;
        }
        let Some(hit) = &self.last else {
            return;
        };
        if matches!(
            variable,
            Variable::MatchedVarName | Variable::MatchedVarsNames
        ) {
            out.extend_from_slice(&self.hit_name(hit));
        } else {
            out.extend_from_slice(self.values.get(hit.value));
        }
    }

    /// `ARGS:id`, `REQUEST_LINE`, `&ARGS`.
    pub(super) fn hit_name(&self, hit: &Hit) -> Vec<u8> {
        let sign: &[u8] = if hit.count { b"&" } else { b"" };
        let mut text = [sign, hit.variable.name().as_bytes()].concat();
        let name = self.values.get(hit.name);
        // A nameless argument is still one of several.
        if !name.is_empty() || (hit.variable.takes_selector() && !hit.count) {
            text.push(b':');
            text.extend_from_slice(name);
        }
        text
    }

    /// `%{RULE.id}` and its siblings.
    pub(super) fn rule_says(&self, name: &[u8], out: &mut Vec<u8>) {
        let Some(rule) = self.current else {
            return;
        };
        match name.to_ascii_lowercase().as_slice() {
            b"id" => out.extend_from_slice(rule.id.to_string().as_bytes()),
            b"rev" => out.extend_from_slice(rule.revision.as_deref().unwrap_or_default()),
            b"severity" => {
                let severity = rule
                    .severity
                    .and_then(|level| SEVERITIES.get(usize::from(level)));
                out.extend_from_slice(severity.copied().unwrap_or_default().as_bytes());
            }
            b"msg" => {
                if let Some(message) = rule.message.as_ref().and_then(Template::constant) {
                    out.extend_from_slice(message);
                }
            }
            b"logdata" => {
                if let Some(logdata) = rule.logdata.as_ref().and_then(Template::constant) {
                    out.extend_from_slice(logdata);
                }
            }
            _ => {}
        }
    }
}

#[derive(Clone, Copy)]
enum Part {
    Value,
    Name,
}
