//! Which rules a directive or a `ctl:` means, and what `SecRuleUpdate…` changes about them.

use super::load::{Item, Update, Written};
use crate::place::Bad;
use crate::template::{Piece, Template};
use crate::text::actions::Actions;
use crate::text::ctl::Which;
use crate::text::targets::Target;

impl Which {
    /// Whether a rule with this id, these tags and this message is meant.
    pub(super) fn means(&self, id: u64, tags: &[Template], message: Option<&Template>) -> bool {
        match self {
            Self::Ids(ranges) => ranges.iter().any(|(from, to)| (*from..=*to).contains(&id)),
            Self::Tag(wanted) => tags.iter().any(|tag| tag.constant() == Some(wanted)),
            Self::Message(wanted) => message.is_some_and(|message| says(message, wanted)),
        }
    }
}

/// Whether a message is this text; one with macros is by its texts.
fn says(message: &Template, wanted: &[u8]) -> bool {
    match message.constant() {
        Some(text) => text == wanted,
        None => message
            .pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Text(text) if **text == *wanted)),
    }
}

/// Applies what a directive asks for; an error when it means no rule.
pub(super) fn apply(items: &mut Vec<Item>, update: Update) -> Result<(), Bad> {
    let mut met = 0;
    match update {
        Update::Remove(which) => {
            let before = items.len();
            items.retain(|item| !item.head().is_some_and(|head| meant(&which, head)));
            // A rule that is not there is removed already.
            met += before - items.len() + 1;
        }
        Update::Targets(which, targets, replaced) => {
            for head in heads(items).filter(|head| meant(&which, head)) {
                met += 1;
                retarget(head, &targets, replaced.as_deref());
            }
        }
        Update::Actions(id, actions) => {
            for head in heads(items).filter(|head| head.actions.id == Some(id)) {
                met += 1;
                merge(&mut head.actions, (*actions).clone());
            }
        }
    }
    match met {
        0 => {
            Err(Bad::new("no rule is meant by this")
                .hint("it must stand after the rules it changes"))
        }
        _ => Ok(()),
    }
}

impl Item {
    fn head(&self) -> Option<&Written> {
        match self {
            Self::Chain(links) => links.first(),
            Self::Marker(_) => None,
        }
    }
}

fn heads(items: &mut [Item]) -> impl Iterator<Item = &mut Written> {
    items.iter_mut().filter_map(|item| match item {
        Item::Chain(links) => links.first_mut(),
        Item::Marker(_) => None,
    })
}

fn meant(which: &Which, head: &Written) -> bool {
    let actions = &head.actions;
    which.means(
        actions.id.unwrap_or_default(),
        &actions.tags,
        actions.message.as_ref(),
    )
}

fn retarget(rule: &mut Written, targets: &[Target], replaced: Option<&[Target]>) {
    for old in replaced.unwrap_or_default() {
        rule.targets.retain(|target| {
            target.variable != old.variable || !target.selector.same(&old.selector)
        });
    }
    rule.targets.extend(targets.iter().cloned());
}

/// Actions that are given win; lists grow.
fn merge(actions: &mut Actions, new: Actions) {
    fn over<T>(old: &mut Option<T>, new: Option<T>) {
        if new.is_some() {
            *old = new;
        }
    }
    over(&mut actions.disruptive, new.disruptive);
    over(&mut actions.status, new.status);
    over(&mut actions.log, new.log);
    over(&mut actions.audit, new.audit);
    over(&mut actions.message, new.message);
    over(&mut actions.logdata, new.logdata);
    over(&mut actions.severity, new.severity);
    over(&mut actions.skip_after, new.skip_after);
    if new.only_own_transformations || !new.transformations.is_empty() {
        actions.transformations = new.transformations;
    }
    actions.tags.extend(new.tags);
    actions.sets.extend(new.sets);
    actions.controls.extend(new.controls);
    actions.capture |= new.capture;
    actions.multi_match |= new.multi_match;
}
