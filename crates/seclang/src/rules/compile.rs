//! From rules as they are written to rules as they run.

use std::collections::HashMap;
use std::sync::Arc;

use super::load::{Defaults, Item, Loader, Written};
use super::{
    Control, Prefilter, Rule, Ruleset, Side, Step, Target, What, columns, exceptions, known,
};
use crate::operator::Test;
use crate::place::{Bad, Place};
use crate::text::actions::Disruptive;
use crate::text::ctl::{Ctl, Which};
use crate::text::targets::{self, Mode};
use crate::transaction::Spare;
use crate::transform::{Node, Trie};
use crate::variable::Variable;

/// Compiles what the loader has read; what cannot be kept becomes its findings.
pub(super) fn compile(loader: &mut Loader<'_>) -> Ruleset {
    let mut items = std::mem::take(&mut loader.items);
    for (place, update) in std::mem::take(&mut loader.updates) {
        if let Err(bad) = exceptions::apply(&mut items, update) {
            loader.refuse(bad, &place);
        }
    }
    once(&mut items, loader);
    let mut compiler = Compiler::default();
    for item in items {
        match item {
            Item::Marker(name) => {
                let next = compiler.next();
                compiler.markers.entry(name).or_default().push(next);
            }
            Item::Chain(links) => {
                let place = links.first().map(|head| head.place.clone());
                if let (Err(bad), Some(place)) = (compiler.chain(links), place) {
                    loader.refuse(bad, &place);
                }
            }
        }
    }
    compiler.finish(loader)
}

/// Removes rules whose id came before.
fn once(items: &mut Vec<Item>, loader: &mut Loader<'_>) {
    let mut seen: HashMap<u64, Place> = HashMap::new();
    items.retain(|item| {
        let Item::Chain(links) = item else {
            return true;
        };
        let Some((id, head)) = links
            .first()
            .and_then(|head| Some((head.actions.id?, head)))
        else {
            return true;
        };
        if let Some(first) = seen.get(&id) {
            let bad = Bad::new(format!("the id `{id}` is taken by the rule at {first}"));
            loader.refuse(bad, &head.place);
            return false;
        }
        seen.insert(id, head.place.clone());
        true
    });
}

#[derive(Default)]
struct Compiler {
    rules: Vec<Rule>,
    phases: [Vec<u32>; 5],
    trie: Trie,
    /// Where each marker stands, as the index of the rule after it.
    markers: HashMap<Box<[u8]>, Vec<u32>>,
    /// Rules that skip, and where to.
    skips: Vec<(u32, Box<[u8]>)>,
    /// Rules with `ctl:`, until all rules are known.
    controls: Vec<(u32, Vec<Ctl>)>,
}

impl Compiler {
    fn next(&self) -> u32 {
        u32::try_from(self.rules.len()).unwrap_or(u32::MAX)
    }

    fn chain(&mut self, links: Vec<Written>) -> Result<(), Bad> {
        let Some(head) = links.first() else {
            return Ok(());
        };
        let phase = head.actions.phase.unwrap_or(2);
        let id = head.actions.id.unwrap_or_default();
        let begin = self.rules.len();
        let count = links.len();
        let defaults = head.defaults.clone();
        for (at, written) in links.into_iter().enumerate() {
            let own = self.next();
            let mut rule = match self.rule(written, &defaults) {
                Ok(rule) => rule,
                Err(bad) => {
                    // Half a chain would match more than its author meant.
                    self.rules.truncate(begin);
                    self.skips.retain(|(rule, _)| (*rule as usize) < begin);
                    self.controls.retain(|(rule, _)| (*rule as usize) < begin);
                    return Err(bad);
                }
            };
            rule.phase = phase;
            rule.id = if at == 0 { id } else { 0 };
            rule.link = (at + 1 < count).then_some(own + 1);
            if at == 0 {
                if rule.disruptive == Disruptive::Block {
                    rule.disruptive = defaults.disruptive.clone();
                }
                rule.status = rule.status.or(defaults.status);
            }
            self.rules.push(rule);
        }
        let head = u32::try_from(begin).unwrap_or(u32::MAX);
        if let Some(order) = self.phases.get_mut(usize::from(phase) - 1) {
            order.push(head);
        }
        Ok(())
    }

    /// `head`: what is said by default in the phase of the chain.
    fn rule(&mut self, written: Written, head: &Defaults) -> Result<Rule, Bad> {
        let own = self.next();
        let Written {
            place,
            targets,
            operator,
            actions,
            defaults,
        } = written;
        let mut node = Node::ROOT;
        let by_default = head.transformations.as_slice();
        let by_default = match actions.only_own_transformations {
            true => &[],
            false => by_default,
        };
        // LIMIT: as many by default as a rule may have of its own.
        for step in by_default.iter().chain(&actions.transformations) {
            let child = self.trie.child(node, *step);
            node = child.ok_or_else(|| Bad::new("there are too many chains of transformations"))?;
        }
        if let Some(marker) = actions.skip_after {
            self.skips.push((own, marker));
        }
        if !actions.controls.is_empty() {
            self.controls.push((own, actions.controls));
        }
        Ok(Rule {
            id: 0,
            place,
            phase: 0,
            link: None,
            targets: with_exclusions(targets),
            operator,
            node,
            bit: None,
            capture: actions.capture,
            multi_match: actions.multi_match,
            sets: actions.sets.into(),
            controls: Box::default(),
            collections: actions.collections.into(),
            disruptive: actions.disruptive.unwrap_or(Disruptive::Block),
            status: actions.status,
            log: actions.log.unwrap_or(defaults.log),
            audit: actions.audit.unwrap_or(defaults.audit),
            message: actions.message,
            logdata: actions.logdata,
            tags: actions.tags.into(),
            severity: actions.severity,
            version: actions.version,
            revision: actions.revision,
            maturity: actions.maturity,
            accuracy: actions.accuracy,
            skip: actions.skip,
            skip_to: None,
        })
    }

    fn finish(mut self, loader: &mut Loader<'_>) -> Ruleset {
        for (at, name) in std::mem::take(&mut self.skips) {
            let places = self.markers.get(&name).map_or(&[][..], Vec::as_slice);
            let forward = places.iter().find(|place| **place > at).copied();
            let Some(rule) = self.rules.get_mut(at as usize) else {
                continue;
            };
            if forward.is_none() {
                let bad = Bad::new(format!(
                    "no marker `{}` follows",
                    crate::bytes::shown(&name)
                ))
                .hint("without one, every rule of the phase that follows would be passed over");
                loader.refuse(bad, &rule.place);
            }
            rule.skip_to = Some(forward.unwrap_or(u32::MAX));
        }
        for (at, controls) in std::mem::take(&mut self.controls) {
            let controls = controls
                .into_iter()
                .map(|control| self.control(control))
                .collect();
            if let Some(rule) = self.rules.get_mut(at as usize) {
                rule.controls = controls;
            }
        }
        let mut used = vec![false; Variable::COUNT];
        let targets = self
            .rules
            .iter()
            .flat_map(|rule| &rule.targets)
            .map(|target| target.variable);
        for variable in targets.chain(loader.names.variables()) {
            if let Some(place) = used.get_mut(variable.index()) {
                *place = true;
            }
        }
        let mut rules = Ruleset {
            settings: loader.settings.clone(),
            rules: self.rules,
            phases: self
                .phases
                .map(|heads| heads.into_iter().map(Step::ask).collect()),
            trie: self.trie,
            names: loader.names.clone(),
            prefilters: Default::default(),
            columns: super::Columns::default(),
            relied: Vec::new(),
            used,
            spare: Spare::default(),
            folded: Default::default(),
        };
        (rules.folded, rules.relied) = known::fold(&rules);
        prefilter(&mut rules);
        slots(&mut rules);
        rules
    }

    fn control(&self, control: Ctl) -> Control {
        match control {
            Ctl::Remove(which) => Control::Remove(self.meant(&which)),
            Ctl::RemoveTarget(which, targets) => {
                let targets = targets
                    .into_iter()
                    .map(|target| (target.variable, target.selector));
                Control::RemoveTarget(self.meant(&which), targets.collect())
            }
            other => Control::Other(other),
        }
    }

    fn meant(&self, which: &Which) -> Arc<[u32]> {
        let heads = self.phases.iter().flatten().copied();
        let meant = heads.filter(|at| {
            let rule = self.rules.get(*at as usize);
            rule.is_some_and(|rule| which.means(rule.id, &rule.tags, rule.message.as_ref()))
        });
        let mut meant: Vec<u32> = meant.collect();
        meant.sort_unstable();
        meant.into()
    }
}

/// Finds out which TX variables with known names a target means that names none.
fn slots(rules: &mut Ruleset) {
    let sorted = rules.names.sorted();
    let targets = rules.rules.iter_mut().flat_map(|rule| &mut rule.targets);
    for target in targets.filter(|target| target.variable == Variable::Tx) {
        if !matches!(target.selector, targets::Selector::Slot(_)) {
            let meant = sorted
                .iter()
                .filter(|slot| target.takes(rules.names.name(**slot)));
            target.slots = meant.copied().collect();
        }
    }
}

/// Works out what the operators of rules need that run unless others are removed.
fn prefilter(rules: &mut Ruleset) {
    let mut runs = vec![false; rules.rules.len()];
    let asked = rules.folded.iter().flatten();
    let asked = asked.filter(|step| matches!(step.what, What::Ask(_)));
    for step in asked {
        let mut at = Some(step.first);
        while let Some(rule) = at.take().filter(|at| (*at as usize) < runs.len()) {
            if let Some(place) = runs.get_mut(rule as usize) {
                *place = true;
            }
            at = rules.rule(rule).and_then(|rule| rule.link);
        }
    }
    let sides: Vec<Side> = rules.rules.iter().map(Rule::side).collect();
    let of = |side: Side| {
        let (runs, sides) = (&runs, &sides);
        move |at: usize| runs.get(at) == Some(&true) && sides.get(at) == Some(&side)
    };
    rules.prefilters = [
        Prefilter::build(&mut rules.rules, of(Side::Request)),
        Prefilter::build(&mut rules.rules, of(Side::Response)),
    ];
    for rule in &mut rules.rules {
        if let Some(Test::Pm(pm)) = rule.operator.as_mut().map(|operator| &mut operator.test) {
            drop(pm.take_phrases());
        }
    }
    let gates;
    (rules.columns, gates) = columns::assign(&mut rules.rules, &rules.trie);
    for step in rules.phases.iter_mut().chain(&mut rules.folded).flatten() {
        if let What::Ask(gate) = &mut step.what {
            *gate = gates.get(step.first as usize).copied().flatten();
        }
    }
}

/// Targets with what is excluded from each; one that is excluded altogether goes.
fn with_exclusions(written: Vec<targets::Target>) -> Box<[Target]> {
    let (exclude, targets): (Vec<_>, Vec<_>) = written
        .into_iter()
        .partition(|target| target.mode == Mode::Exclude);
    let excluded = |target: &targets::Target| {
        let same = exclude.iter().filter(|one| one.variable == target.variable);
        same.map(|one| one.selector.clone()).collect::<Vec<_>>()
    };
    let with = targets.iter().filter_map(|target| {
        let exclude = excluded(target);
        let whole = |one: &targets::Selector| {
            matches!(one, targets::Selector::All) || one.same(&target.selector)
        };
        (!exclude.iter().any(whole)).then(|| Target {
            variable: target.variable,
            selector: target.selector.clone(),
            count: target.mode == Mode::Count,
            exclude: exclude.into(),
            slots: Box::default(),
            columns: Box::default(),
        })
    });
    with.collect()
}
