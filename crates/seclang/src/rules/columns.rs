//! Columns: the values of one list, or its names, under one chain of transformations. Rules that look
//! at the same column share what is found out about it.

use std::collections::HashMap;

use super::{ByteSet, Gate, Rule, Target};
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

/// The values of a list, or its names, as they came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Root {
    pub(crate) list: Variable,
    pub(crate) part: Part,
    /// Those of this name, case aside, or all.
    pub(crate) name: Option<Box<[u8]>>,
    pub(crate) side: Side,
}

impl Root {
    /// Whether values of this name are meant.
    pub(crate) fn means(&self, name: &[u8]) -> bool {
        let own = self.name.as_ref();
        own.is_none_or(|own| name.eq_ignore_ascii_case(own))
    }
}

/// The values of a root under a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) root: u32,
    pub(crate) node: Node,
    /// The column of the same root under the chain without its last step, where a rule has asked for
    /// it before.
    pub(crate) before: Option<u32>,
}

/// Columns, and groups of them.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) roots: Vec<Root>,
    pub(crate) all: Vec<Column>,
    /// Roots that are asked together.
    pub(crate) bases: Vec<Base>,
    /// All columns of a rule whose targets are columns alone; many rules share them.
    pub(crate) groups: Vec<Group>,
    /// The columns of each group, one group after the other: they are read in this order.
    members: Vec<u32>,
}

impl Columns {
    /// The columns of a group.
    pub(crate) fn of(&self, group: &Group) -> &[u32] {
        let (begin, end) = group.members;
        let members = self.members.get(begin as usize..end as usize);
        members.unwrap_or_default()
    }
}

/// Roots of the same side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Base {
    pub(crate) roots: Box<[u32]>,
    pub(crate) side: Side,
}

/// The roots of a base, and their columns under the same chains.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) base: u32,
    /// Values without any of these bytes are what each of the chains makes of them; none where that
    /// holds for no bytes.
    pub(crate) touched: Option<ByteSet>,
    /// Where its columns begin and end.
    members: (u32, u32),
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
            nodes.extend_from_slice(trie.path(rule.node));
        }
        nodes.sort_unstable();
        nodes.dedup();
        for target in &mut rule.targets {
            let roots: Vec<u32> = lists(target)
                .into_iter()
                .map(|(list, part, name)| {
                    places.root(Root {
                        list,
                        part,
                        name,
                        side,
                    })
                })
                .collect();
            let all = roots
                .iter()
                .flat_map(|root| nodes.iter().map(|node| (*root, *node)));
            target.columns = all
                .map(|(root, node)| places.column(root, node, trie))
                .collect();
        }
        let covered = rule.targets.iter().all(|target| !target.columns.is_empty());
        *gate = (covered && !rule.targets.is_empty()).then(|| {
            let of_targets = rule.targets.iter().flat_map(|target| &target.columns);
            let group = places.group(of_targets.copied().collect(), side, trie);
            Gate { group, bit }
        });
    }
    (places.columns, gates)
}

#[derive(Default)]
struct Places {
    columns: Columns,
    roots: HashMap<Root, u32>,
    known: HashMap<(u32, Node), u32>,
    bases: HashMap<Base, u32>,
    groups: HashMap<Vec<u32>, u32>,
}

impl Places {
    fn root(&mut self, root: Root) -> u32 {
        let roots = &mut self.columns.roots;
        *self.roots.entry(root).or_insert_with_key(|root| {
            roots.push(root.clone());
            u32::try_from(roots.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn column(&mut self, root: u32, node: Node, trie: &Trie) -> u32 {
        if let Some(known) = self.known.get(&(root, node)) {
            return *known;
        }
        // Nodes are numbered as they are made, so that the shorter chain of a rule comes first.
        let shorter = trie.step(node).map(|(shorter, _)| shorter);
        let before = shorter.and_then(|node| self.known.get(&(root, node)).copied());
        let all = &mut self.columns.all;
        let own = u32::try_from(all.len()).unwrap_or(u32::MAX);
        all.push(Column { root, node, before });
        self.known.insert((root, node), own);
        own
    }

    fn group(&mut self, mut columns: Vec<u32>, side: Side, trie: &Trie) -> u32 {
        // Those of one root stand together.
        let root = |at: &u32| self.columns.all.get(*at as usize).map(|column| column.root);
        columns.sort_unstable_by_key(|at| (root(at), *at));
        columns.dedup();
        if let Some(known) = self.groups.get(&columns) {
            return *known;
        }
        let all = columns.iter();
        let all = all.filter_map(|at| self.columns.all.get(*at as usize));
        let (mut roots, nodes): (Vec<u32>, Vec<Node>) =
            all.map(|column| (column.root, column.node)).unzip();
        roots.sort_unstable();
        roots.dedup();
        let touched = nodes.iter().try_fold(ByteSet::EMPTY, |all, node| {
            Some(all.union(trie.touched(*node)?))
        });
        let bases = &mut self.columns.bases;
        let base = Base {
            roots: roots.into(),
            side,
        };
        let base = *self.bases.entry(base).or_insert_with_key(|base| {
            bases.push(base.clone());
            u32::try_from(bases.len() - 1).unwrap_or(u32::MAX)
        });
        let (groups, members) = (&mut self.columns.groups, &mut self.columns.members);
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (own, begin) = (place(groups.len()), place(members.len()));
        members.extend_from_slice(&columns);
        groups.push(Group {
            base,
            touched,
            members: (begin, place(members.len())),
        });
        self.groups.insert(columns, own);
        own
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
