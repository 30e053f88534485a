//! Actions: what a match changes, what it is told as, and what it decides.

use super::store::Kept;
use super::{State, Transaction};
use crate::bytes::head;
use crate::operator::{Groups, Operator};
use crate::rules::{Control, Rule};
use crate::settings::EngineMode;
use crate::template::{Slot, Template};
use crate::text::actions::{Disruptive, KeptName, Set, SetVar};
use crate::text::ctl::Ctl;
use crate::variable::Variable;
use crate::verdict::{Action, Found, Interruption, Match, Raised};

/// LIMIT: values that are told of one match.
const FOUND_MAX: usize = 16;
/// LIMIT: bytes of a value that are told.
const FOUND_BYTES_MAX: usize = 4_096;
/// Bytes of such a value before what was found in it.
const BEFORE_BYTES_MAX: usize = 256;
/// LIMIT: bytes of a value in which what was found is looked for once more.
const SOUGHT_BYTES_MAX: usize = 16 * 1024;
/// LIMIT: matches that are told of one exchange.
const MATCHES_MAX: usize = 4_096;

impl<'r> Transaction<'r> {
    /// For each value that a link matches.
    pub(super) fn on_hit(&mut self, rule: &'r Rule) {
        for set in &rule.sets {
            self.set_var(set);
        }
    }

    /// Once for each link that matches, whatever becomes of its chain.
    pub(super) fn on_link(&mut self, rule: &'r Rule) {
        for control in &rule.controls {
            self.control(control);
        }
        for (variable, key) in &rule.collections {
            let key = self.expanded(key).into_owned();
            let single = match variable {
                Variable::Session => Some(Variable::SessionId),
                Variable::User => Some(Variable::UserId),
                _ => None,
            };
            if let Some(single) = single {
                self.set(single, &key);
            }
            let name = b"key".to_vec();
            self.store.set_named(
                *variable,
                name,
                Some(Kept::from_bytes(key.into())),
                &self.rules.names,
            );
        }
    }

    fn set_var(&mut self, set: &'r SetVar) {
        let names = &self.rules.names;
        let adds = matches!(set.set, Set::Add(_) | Set::Subtract(_));
        // The name in lower case, where it is made while rules run.
        let lower = match &set.name {
            KeptName::Slot(_) => Vec::new(),
            KeptName::Named(_, name) => {
                let mut name = self.expanded(name).into_owned();
                name.make_ascii_lowercase();
                name
            }
        };
        let old = match &set.name {
            _ if !adds => None,
            KeptName::Slot(slot) => self.store.slot(*slot).map(Kept::number),
            KeptName::Named(variable, _) => {
                self.store.named(*variable, &lower, names).map(Kept::number)
            }
        };
        let old = old.unwrap_or_default();
        let value = match &set.set {
            Set::Unset => None,
            Set::To(value) => Some(Kept::from_bytes(self.expanded(value))),
            Set::Add(value) => {
                let by = self.number(value);
                self.raise(&set.name, by);
                Some(Kept::Number(old.saturating_add(by)))
            }
            Set::Subtract(value) => Some(Kept::Number(old.saturating_sub(self.number(value)))),
        };
        match &set.name {
            KeptName::Slot(slot) => self.store.set_slot(*slot, value),
            KeptName::Named(variable, _) => {
                self.store.set_named(*variable, lower, value, names);
            }
        }
    }

    /// Remembers what the chain has added to a TX variable; as many as rules name.
    fn raise(&mut self, name: &KeptName, by: i64) {
        let KeptName::Slot(slot) = name else {
            return;
        };
        match self
            .links
            .raised
            .iter_mut()
            .find(|(known, _)| known == slot)
        {
            Some((_, sum)) => *sum = sum.saturating_add(by),
            None => self.links.raised.push((*slot, by)),
        }
    }

    /// `TX.0` to `TX.9`; groups without a part stay unset.
    pub(super) fn capture(&mut self, groups: Groups) {
        for slot in 0..10 {
            self.store.set_slot(Slot(slot), None);
        }
        for (at, group) in groups {
            if let Ok(slot) = u32::try_from(at) {
                self.store
                    .set_slot(Slot(slot), Some(Kept::Bytes(group.into())));
            }
        }
    }

    fn control(&mut self, control: &Control) {
        let relied = &self.rules.relied;
        let relies_on = |rules: &[u32]| {
            let mut places = rules.iter();
            places.any(|rule| relied.get(*rule as usize) == Some(&true))
        };
        let State {
            removed,
            removed_targets,
            unfolded,
            ..
        } = &mut self.state;
        match control {
            Control::Remove(rules) => {
                *unfolded |= relies_on(rules);
                removed.resize(self.rules.rules.len(), false);
                for rule in rules.iter() {
                    if let Some(place) = removed.get_mut(*rule as usize) {
                        *place = true;
                    }
                }
            }
            Control::RemoveTarget(rules, targets) => {
                // What is relied on looks at TX variables alone.
                let kept = |(variable, _): &(Variable, _)| *variable == Variable::Tx;
                *unfolded |= targets.iter().any(kept) && relies_on(rules);
                // LIMIT: each rule says this once, so there are as many as rules.
                removed_targets.push((rules.clone(), targets.clone()));
            }
            Control::Other(other) => self.other(other),
        }
    }

    fn other(&mut self, control: &Ctl) {
        let state = &mut self.state;
        match control {
            Ctl::Engine(mode) => state.engine = *mode,
            Ctl::ForceRequestBodyVariable(switch) => state.force_request_body = *switch,
            Ctl::RequestBodyAccess(switch) => state.request_body_access = *switch,
            Ctl::ResponseBodyAccess(switch) => state.response_body_access = *switch,
            Ctl::RequestBodyLimit(bytes) => state.request_body_limit_bytes = *bytes,
            Ctl::ResponseBodyLimit(bytes) => state.response_body_limit_bytes = *bytes,
            Ctl::ParseXmlIntoArgs(switch) => state.xml_into_args = *switch,
            Ctl::RequestBodyProcessor(processor) => {
                state.processor = Some(*processor);
                self.set(Variable::ReqbodyProcessor, processor.name().as_bytes());
            }
            Ctl::Remove(_) | Ctl::RemoveTarget(..) | Ctl::Nothing(_) => {}
        }
    }

    /// For a rule whose whole chain matches.
    pub(super) fn matched(&mut self, head: &'r Rule, phase: u8) {
        self.tell(head, phase);
        if let Some(severity) = head.severity {
            let highest = self.state.highest_severity.get_or_insert(severity);
            *highest = severity.min(*highest);
        }
        // In phase 5 the exchange is over: nothing is left to end.
        if phase == 5 {
            return;
        }
        let action = match &head.disruptive {
            Disruptive::Pass | Disruptive::Block => return,
            Disruptive::Allow(scope) => {
                if self.state.engine == EngineMode::On {
                    self.state.allowed = Some((*scope, phase));
                }
                return;
            }
            Disruptive::Deny => Action::Deny,
            Disruptive::Drop => Action::Drop,
            Disruptive::Redirect(to) => Action::Redirect(self.expanded(to).into_owned()),
        };
        let default = if matches!(action, Action::Redirect(_)) {
            302
        } else {
            403
        };
        self.end(Interruption {
            rule: head.id,
            place: Some(head.place.clone()),
            phase,
            status: head.status.unwrap_or(default),
            action,
        });
    }

    /// Ends the exchange, or tells that it would have been.
    pub(super) fn end(&mut self, interruption: Interruption) {
        if self.state.engine == EngineMode::On && self.interruption.is_none() {
            self.interruption = Some(interruption);
        } else if self.detected.is_none() {
            self.detected = Some(interruption);
        }
    }

    fn tell(&mut self, rule: &'r Rule, phase: u8) {
        let is_silent =
            !rule.log && matches!(rule.disruptive, Disruptive::Pass | Disruptive::Block);
        if is_silent || self.matches.len() >= MATCHES_MAX {
            return;
        }
        let (rules, own) = (self.rules, &self.links);
        self.current = Some(rule);
        let last_of = |of: fn(&Rule) -> Option<&Template>| {
            let templates = rules.chain(rule).filter_map(of).last();
            templates
                .map(|template| self.expanded(template).into_owned())
                .unwrap_or_default()
        };
        // Nobody reads what a rule that asks not to be logged would say.
        let (message, logdata) = if rule.log {
            (
                last_of(|rule| rule.message.as_ref()),
                last_of(|rule| rule.logdata.as_ref()),
            )
        } else {
            Default::default()
        };
        let tags: Vec<Vec<u8>> = match rule.log {
            true => rule
                .tags
                .iter()
                .map(|tag| self.expanded(tag).into_owned())
                .collect(),
            false => Vec::new(),
        };
        let found = own.hits.iter().take(if rule.log { FOUND_MAX } else { 0 });
        let operator = rules
            .chain(rule)
            .last()
            .and_then(|link| link.operator.as_ref());
        let found =
            found.map(|hit| found_in(self.hit_name(hit), self.values.get(hit.value), operator));
        let found = found.collect();
        let first = own.first.iter().take(FOUND_MAX);
        let first = first.map(|hit| self.hit_name(hit)).collect();
        let (links, raised) = if rule.log {
            let raised = own.raised.iter().map(|(slot, by)| Raised {
                name: rules.names.name(*slot).to_vec(),
                by: *by,
            });
            let links = rules.chain(rule).map(|link| link.place.clone());
            (links.collect(), raised.collect())
        } else {
            Default::default()
        };
        self.matches.push(Match {
            id: rule.id,
            place: rule.place.clone(),
            phase,
            logged: rule.log,
            audited: rule.audit,
            message,
            logdata,
            severity: rule.severity,
            tags,
            version: match rule.log {
                true => rule.version.as_deref().unwrap_or_default().to_vec(),
                false => Vec::new(),
            },
            found,
            first,
            is_whole: own.hits.len().max(own.first.len()) <= FOUND_MAX,
            links,
            raised,
        });
    }
}

/// What is told of a value: of a long one the piece with what the operator found.
fn found_in(target: Vec<u8>, value: &[u8], operator: Option<&Operator>) -> Found {
    let place = operator.filter(|_| value.len() <= SOUGHT_BYTES_MAX);
    let place = place.and_then(|operator| operator.place(value));
    let begins = match &place {
        Some(place) if value.len() > FOUND_BYTES_MAX => place
            .start
            .saturating_sub(BEFORE_BYTES_MAX)
            .min(value.len() - FOUND_BYTES_MAX),
        _ => 0,
    };
    let piece = head(value.get(begins..).unwrap_or_default(), FOUND_BYTES_MAX);
    let within = |at: usize| at.saturating_sub(begins).min(piece.len());
    let matched = place.map(|place| within(place.start)..within(place.end));
    Found::new(target, piece.to_vec(), begins, matched)
}
