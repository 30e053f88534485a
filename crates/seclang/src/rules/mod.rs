//! Rules as they run: targets, chains of transformations and TX variables are numbers, skips are
//! indices, macros are taken apart. Made once by the [`Loader`]; a request changes none of it.

mod byte_set;
mod columns;
mod compile;
mod directives;
mod exceptions;
mod finder;
mod known;
mod literals;
mod load;
mod needs;
mod pattern_set;
mod prefilter;
#[cfg(test)]
mod tests;
mod wants;

use std::sync::Arc;

pub(crate) use byte_set::ByteSet;
pub(crate) use columns::{Column, Columns, Part, Root, Side};
pub use load::{Leniency, Loaded, Loader};
pub use pattern_set::PatternSet;
pub(crate) use prefilter::Prefilter;

use crate::operator::Operator;
use crate::place::Place;
use crate::settings::Settings;
use crate::template::{Slot, Template, TxNames};
use crate::text::actions::{Disruptive, SetVar};
use crate::text::ctl::Ctl;
use crate::text::targets::Selector;
use crate::transaction::{Kept, Spare};
use crate::transform::{Node, Trie};
use crate::variable::Variable;

/// Loaded rules.
#[derive(Debug)]
pub struct Ruleset {
    pub(crate) settings: Settings,
    /// In the order of the files; links of a chain follow its head.
    pub(crate) rules: Vec<Rule>,
    /// Heads of chains by phase, phase one first, each in the order of the files.
    pub(crate) phases: [Vec<Step>; 5],
    /// The same without rules of which is known what they do, whatever the request is.
    pub(crate) folded: [Vec<Step>; 5],
    /// For each head whether `folded` counts on its match: without it, that does not hold.
    pub(crate) relied: Vec<bool>,
    pub(crate) trie: Trie,
    pub(crate) names: TxNames,
    /// What operators need: of rules for requests, and of rules for responses.
    pub(crate) prefilters: [Prefilter; 2],
    pub(crate) columns: Columns,
    /// Which variables rules look at or name in macros.
    pub(crate) used: Vec<bool>,
    /// What exchanges that are over have left.
    pub(crate) spare: Spare,
}

/// One step of a phase.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The head of a chain, or the first of several.
    pub(crate) first: u32,
    /// The last of several.
    pub(crate) last: u32,
    pub(crate) what: What,
}

/// What a step does.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Asks a rule. What one look asks stands here: rules are many, and this is few bytes.
    Ask(Option<Gate>),
    /// Sets variables, as rules do that always match and do nothing else.
    Set(Box<[(Slot, Option<Kept<'static>>)]>),
}

impl Step {
    /// Asks the rule at `head`.
    pub(crate) fn ask(head: u32) -> Self {
        Self {
            first: head,
            last: head,
            what: What::Ask(None),
        }
    }
}

/// Where one look may tell that a rule cannot match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    pub(crate) group: u32,
    pub(crate) bit: u32,
}

/// A rule, or a link of a chain.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: u64,
    pub(crate) place: Place,
    pub(crate) phase: u8,
    /// The next link of the chain.
    pub(crate) link: Option<u32>,
    pub(crate) targets: Box<[Target]>,
    /// None for `SecAction`.
    pub(crate) operator: Option<Operator>,
    pub(crate) node: Node,
    /// The bit of an operator that needs something of a value.
    pub(crate) bit: Option<u32>,
    pub(crate) capture: bool,
    pub(crate) multi_match: bool,
    pub(crate) sets: Box<[SetVar]>,
    pub(crate) controls: Box<[Control]>,
    pub(crate) collections: Box<[(Variable, Template)]>,
    pub(crate) disruptive: Disruptive,
    pub(crate) status: Option<u16>,
    pub(crate) log: bool,
    pub(crate) audit: bool,
    pub(crate) message: Option<Template>,
    pub(crate) logdata: Option<Template>,
    pub(crate) tags: Box<[Template]>,
    pub(crate) severity: Option<u8>,
    pub(crate) version: Option<Box<[u8]>>,
    pub(crate) revision: Option<Box<[u8]>>,
    pub(crate) maturity: Option<u8>,
    pub(crate) accuracy: Option<u8>,
    /// How many rules of the phase are passed over after a match.
    pub(crate) skip: u32,
    /// The rule that runs next after a match, by its index; rules before it are passed over.
    pub(crate) skip_to: Option<u32>,
}

impl Rule {
    /// What the rule is about, by its phase.
    pub(crate) fn side(&self) -> Side {
        if self.phase <= 2 {
            Side::Request
        } else {
            Side::Response
        }
    }
}

impl Target {
    /// Whether a value of this name is meant.
    pub(crate) fn takes(&self, name: &[u8]) -> bool {
        self.selector.takes(name) && !self.exclude.iter().any(|selector| selector.takes(name))
    }
}

/// A target with its exclusions.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) variable: Variable,
    pub(crate) selector: Selector,
    pub(crate) count: bool,
    pub(crate) exclude: Box<[Selector]>,
    /// Of TX without a single name: the variables with known names that are meant, in the order of
    /// their names.
    pub(crate) slots: Box<[Slot]>,
    /// Where one look at all of its values may tell that none matches.
    pub(crate) columns: Box<[u32]>,
}

/// `ctl:`, with the rules it means as indices of heads.
#[derive(Clone, Debug)]
pub(crate) enum Control {
    Remove(Arc<[u32]>),
    RemoveTarget(Arc<[u32]>, Arc<[(Variable, Selector)]>),
    Other(Ctl),
}

fn view(operator: &Operator) -> OperatorView {
    OperatorView {
        name: operator.name,
        negated: operator.negated,
        argument: operator.argument.to_vec(),
    }
}

/// What a rule says about itself, for `check` and `explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleView {
    /// Its id.
    pub id: u64,
    /// Where it stands.
    pub place: Place,
    /// The phase it runs in, 1 to 5.
    pub phase: u8,
    /// The operators of its links, in order; none for `SecAction`.
    pub operators: Vec<OperatorView>,
    /// How many links its chain has.
    pub links: usize,
    /// Whether a match ends the exchange: it denies, drops or redirects.
    pub ends: bool,
    /// Its tags, but for those that depend on the request.
    pub tags: Vec<Vec<u8>>,
    /// `maturity`, as its author sees it.
    pub maturity: Option<u8>,
    /// `accuracy`, as its author sees it.
    pub accuracy: Option<u8>,
}

/// An operator as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorView {
    /// Its name, without `@`.
    pub name: &'static str,
    /// Whether `!` stands before it.
    pub negated: bool,
    /// Its argument.
    pub argument: Vec<u8>,
}

impl Ruleset {
    /// What the rules set for bodies and the engine's mode.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The rules that have an id, in the order they were loaded.
    pub fn rules(&self) -> impl Iterator<Item = RuleView> {
        let heads = self.rules.iter().filter(|rule| rule.id != 0);
        heads.map(|rule| RuleView {
            id: rule.id,
            place: rule.place.clone(),
            phase: rule.phase,
            operators: self
                .chain(rule)
                .filter_map(|link| link.operator.as_ref())
                .map(view)
                .collect(),
            links: self.chain(rule).count(),
            ends: matches!(
                rule.disruptive,
                Disruptive::Deny | Disruptive::Drop | Disruptive::Redirect(_)
            ),
            tags: rule
                .tags
                .iter()
                .filter_map(|tag| tag.constant().map(<[u8]>::to_vec))
                .collect(),
            maturity: rule.maturity,
            accuracy: rule.accuracy,
        })
    }

    /// Whether a rule looks at a variable: what costs much is only made then.
    pub(crate) fn uses(&self, variable: Variable) -> bool {
        self.used.get(variable.index()) == Some(&true)
    }

    pub(crate) fn prefilter(&self, side: Side) -> &Prefilter {
        let [requests, responses] = &self.prefilters;
        match side {
            Side::Request => requests,
            Side::Response => responses,
        }
    }

    /// Forgets all that is known beforehand: every rule is asked of every value.
    #[cfg(test)]
    pub(crate) fn ask_everything(&mut self) {
        self.folded.clone_from(&self.phases);
        for rule in &mut self.rules {
            rule.bit = None;
        }
        let steps = self.phases.iter_mut().chain(&mut self.folded).flatten();
        for step in steps {
            step.what = What::Ask(None);
        }
    }

    pub(crate) fn rule(&self, at: u32) -> Option<&Rule> {
        self.rules.get(at as usize)
    }

    /// A rule and the links after it.
    pub(crate) fn chain<'r>(&'r self, head: &'r Rule) -> impl Iterator<Item = &'r Rule> {
        std::iter::successors(Some(head), |rule| self.rule(rule.link?))
    }
}
