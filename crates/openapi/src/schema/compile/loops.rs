//! Schemas that lead back to themselves without going into the value: no check of them ends.

use crate::Weight;
use crate::schema::{Id, Rules, Schemas};
use crate::source::{Findings, Mark};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Colour {
    White,
    Grey,
    Black,
}

pub(super) fn check(schemas: &Schemas, findings: &mut Findings) {
    let mut colours = vec![Colour::White; schemas.list.len()];
    for start in 0..colours.len() {
        // A walk without recursion: what is begun, and what each still has to visit.
        let mut way: Vec<(usize, Vec<Id>)> = Vec::new();
        let mut next = Some(start);
        loop {
            if let Some(at) = next.take()
                && colours.get(at) == Some(&Colour::White)
            {
                set(&mut colours, at, Colour::Grey);
                way.push((at, schemas.list.get(at).map(same_value).unwrap_or_default()));
            }
            let Some((at, ahead)) = way.last_mut() else {
                break;
            };
            let at = *at;
            match ahead.pop() {
                Some(id) if colours.get(id.0 as usize) == Some(&Colour::Grey) => {
                    let place = schemas.rules(id).map(|rules| rules.place.to_string());
                    findings.push(
                        Weight::Error,
                        place.as_deref().unwrap_or_default(),
                        Mark { line: 1, column: 1 },
                        "the schema refers back to itself without going into the value".to_owned(),
                        "no value can be checked against it: put the reference under a property or items",
                    );
                }
                Some(id) => next = Some(id.0 as usize),
                None => {
                    set(&mut colours, at, Colour::Black);
                    way.pop();
                }
            }
        }
    }
}

fn set(colours: &mut [Colour], at: usize, colour: Colour) {
    if let Some(slot) = colours.get_mut(at) {
        *slot = colour;
    }
}

/// Schemas that are applied to the value that this one is applied to.
fn same_value(rules: &Rules) -> Vec<Id> {
    let mut out = Vec::new();
    if let Some(logic) = &rules.logic {
        out.extend(logic.reference);
        out.extend(logic.dynamic.as_ref().map(|dynamic| dynamic.initial));
        out.extend(
            logic
                .all_of
                .iter()
                .chain(&logic.any_of)
                .chain(&logic.one_of),
        );
        out.extend(
            [logic.not, logic.condition, logic.then, logic.otherwise]
                .iter()
                .flatten(),
        );
    }
    if let Some(object) = &rules.object {
        out.extend(object.dependent_schemas.iter().map(|(_, id)| *id));
    }
    out
}
