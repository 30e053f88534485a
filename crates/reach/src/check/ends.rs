//! The ends of flows, each made once and named after what it is made of.

use std::collections::BTreeMap;

use crate::intent::Party;
use crate::policy::{Members, Side};
use crate::set::PerFamily;
use crate::space::Space;

/// Ends so far.
pub(super) struct Ends<'a> {
    pub(super) sides: Vec<Side>,
    known: BTreeMap<String, usize>,
    spaces: &'a PerFamily<Space>,
}

impl<'a> Ends<'a> {
    pub(super) const fn new(spaces: &'a PerFamily<Space>) -> Self {
        Self {
            sides: Vec::new(),
            known: BTreeMap::new(),
            spaces,
        }
    }

    /// The number of an end. Ends with the same label are the same.
    pub(super) fn side(&mut self, label: String, members: &Members) -> usize {
        if let Some(at) = self.known.get(&label) {
            return *at;
        }
        let classes = PerFamily::of(|family| members.classes(self.spaces.at(family)));
        let addresses =
            PerFamily::of(|family| self.spaces.at(family).addresses(classes.at(family)));
        self.known.insert(label.clone(), self.sides.len());
        self.sides.push(Side {
            label,
            classes,
            addresses,
        });
        self.sides.len() - 1
    }
}

/// What an end is called in rules. Names have no `_`, so that no two ends share one.
pub(super) fn label(parties: &[Party], otherwise: String) -> String {
    match parties {
        [party] => format!("{}_{}", party.kind(), party.name()),
        _ => otherwise,
    }
}
