//! Columns: the values of one list, or its names, under one chain of transformations. Rules that look
//! at the same column share what is found out about it.

use std::collections::HashMap;

use super::{Gate, Rule, Target};
use crate::text::targets::Selector;
use crate::transform::{Node, Trie};
use crate::variable::{Source, Variable};

/// Which part of a named value is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Value,
    Name,
}

/// What rules are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    /// Phases 1 and 2.
    Request,
    /// Phases 3 to 5.
    Response,
}

/// Values of a list under a chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Column {
    pub(crate) list: Variable,
    pub(crate) part: Part,
    /// Those of this name, case aside, or all.
    pub(crate) name: Option<Box<[u8]>>,
    pub(crate) node: Node,
    pub(crate) side: Side,
}

/// A column, and the place of the one with the same values as they came.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) column: Column,
    pub(crate) root: u32,
}

/// Columns, and groups of them.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) all: Vec<Placed>,
    /// All columns of a rule whose targets are columns alone; many rules share them.
    pub(crate) groups: Vec<Group>,
}

/// Columns that are asked together.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) columns: Box<[u32]>,
    pub(crate) side: Side,
}

/// Tells each target its columns, and answers with all there are, and the gate of each rule.
pub(super) fn assign(rules: &mut [Rule], trie: &Trie) -> (Columns, Vec<Option<Gate>>) {
    let mut places = Places::default();
    let mut gates = vec![None; rules.len()];
    for (rule, gate) in rules.iter_mut().zip(&mut gates) {
        let negated = rule
            .operator
            .as_ref()
            .is_none_or(|operator| operator.negated);
        // A negated operator matches what is no candidate.
        let Some(bit) = rule.bit.filter(|_| !negated) else {
            continue;
        };
        let side = rule.side();
        let mut nodes = vec![rule.node];
        if rule.multi_match {
            nodes.push(Node::ROOT);
            nodes.extend(trie.path(rule.node));
        }
        nodes.sort_unstable();
        nodes.dedup();
        for target in &mut rule.targets {
            let lists = lists(target);
            let all = lists.iter().flat_map(|(list, part, name)| {
                nodes.iter().map(|node| Column {
                    list: *list,
                    part: *part,
                    name: name.clone(),
                    node: *node,
                    side,
                })
            });
            target.columns = all.map(|column| places.column(column)).collect();
        }
        let covered = rule.targets.iter().all(|target| !target.columns.is_empty());
        *gate = (covered && !rule.targets.is_empty()).then(|| {
            let of_targets = rule.targets.iter().flat_map(|target| &target.columns);
            let group = places.group(of_targets.copied().collect(), side);
            Gate { group, bit }
        });
    }
    (places.columns, gates)
}

#[derive(Default)]
struct Places {
    columns: Columns,
    known: HashMap<Column, u32>,
    groups: HashMap<Vec<u32>, u32>,
}

impl Places {
    fn column(&mut self, column: Column) -> u32 {
        if let Some(known) = self.known.get(&column) {
            return *known;
        }
        let root = (column.node != Node::ROOT).then(|| {
            self.column(Column {
                node: Node::ROOT,
                ..column.clone()
            })
        });
        let own = u32::try_from(self.columns.all.len()).unwrap_or(u32::MAX);
        self.columns.all.push(Placed {
            column: column.clone(),
            root: root.unwrap_or(own),
        });
        self.known.insert(column, own);
        own
    }

    fn group(&mut self, mut columns: Vec<u32>, side: Side) -> u32 {
        columns.sort_unstable();
        columns.dedup();
        let groups = &mut self.columns.groups;
        *self.groups.entry(columns.clone()).or_insert_with(|| {
            groups.push(Group {
                columns: columns.into(),
                side,
            });
            u32::try_from(groups.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

/// A list, what of it, and the name of those that are meant.
type Listed = (Variable, Part, Option<Box<[u8]>>);

/// The lists of a target; none for counts, and for what is no list.
fn lists(target: &Target) -> Vec<Listed> {
    let name: Option<Box<[u8]>> = match &target.selector {
        _ if target.count => return Vec::new(),
        Selector::Slot(_) => return Vec::new(),
        Selector::Name(name) => Some(name.clone()),
        Selector::XmlText => Some(b"/*".as_slice().into()),
        Selector::XmlAttributes => Some(b"//@*".as_slice().into()),
        // Names that a pattern means are some of all.
        Selector::All | Selector::Pattern(_) => None,
    };
    match target.variable.source() {
        Source::List => vec![(target.variable, Part::Value, name)],
        Source::Lists(a, b) => vec![(a, Part::Value, name.clone()), (b, Part::Value, name)],
        Source::Names(a) => vec![(a, Part::Name, name)],
        Source::NamesOf(a, b) => vec![(a, Part::Name, name.clone()), (b, Part::Name, name)],
        Source::Scalar => vec![(target.variable, Part::Value, None)],
        Source::Kept | Source::Matched | Source::OfRule => Vec::new(),
    }
}
