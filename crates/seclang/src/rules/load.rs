//! Loading: files and texts in, a [`Ruleset`] and everything that is to be said about it out.

use std::sync::Arc;

use super::{Ruleset, compile};
use crate::bytes::shown;
use crate::error::Error;
use crate::files::Files;
use crate::operator::{self, Operator, Reading};
use crate::place::{Bad, Finding, Place, Weight};
use crate::settings::Settings;
use crate::template::TxNames;
use crate::text::actions::{self, Actions, Disruptive};
use crate::text::ctl::Which;
use crate::text::targets::{self, Mode, Target};
use crate::text::{lines, words};
use crate::transform::Transformation;

/// What becomes of what cannot be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leniency {
    /// Nothing is loaded.
    #[default]
    Strict,
    /// The directive is left out, a rule with its whole chain, and a finding says so.
    Lenient,
}

/// Rules that were loaded, and what their author should know.
#[derive(Debug)]
pub struct Loaded {
    /// The rules.
    pub rules: Ruleset,
    /// Errors of a lenient load, and notes.
    pub findings: Vec<Finding>,
}

/// LIMIT: files that name files, how deep.
const INCLUDE_DEPTH: usize = 16;
/// LIMIT: rules and links in all.
const RULES_MAX: usize = 50_000;
/// LIMIT: findings that are kept.
const FINDINGS_MAX: usize = 1_000;

/// A rule as it is written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) place: Place,
    pub(super) targets: Vec<Target>,
    pub(super) operator: Option<Operator>,
    pub(super) actions: Actions,
    /// Filled from the default action of the phase.
    pub(super) defaults: Defaults,
}

/// What stands between rules.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// A rule with the links of its chain.
    Chain(Vec<Written>),
    Marker(Box<[u8]>),
}

/// `SecDefaultAction` of one phase.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) disruptive: Disruptive,
    pub(super) status: Option<u16>,
    pub(super) log: bool,
    pub(super) audit: bool,
    /// Of rules that do not say `t:none`, before their own.
    pub(super) transformations: Vec<Transformation>,
}

impl Default for Defaults {
    /// ModSecurity's own: `phase:2,log,auditlog,pass`.
    fn default() -> Self {
        Self {
            disruptive: Disruptive::Pass,
            status: None,
            log: true,
            audit: true,
            transformations: Vec::new(),
        }
    }
}

/// What directives ask to be changed about rules, when all of them are known.
#[derive(Clone, Debug)]
pub(super) enum Update {
    Remove(Which),
    Targets(Which, Vec<Target>, Option<Vec<Target>>),
    Actions(u64, Box<Actions>),
}

/// Reads rules.
pub struct Loader<'f> {
    pub(super) files: &'f dyn Files,
    leniency: Leniency,
    pub(super) settings: Settings,
    pub(super) names: TxNames,
    pub(super) items: Vec<Item>,
    /// The chain that is being read, and whether a link of it could not be kept.
    open: Option<(Vec<Written>, bool)>,
    pub(super) defaults: [Defaults; 5],
    pub(super) updates: Vec<(Place, Update)>,
    pub(super) components: Vec<Vec<u8>>,
    findings: Vec<Finding>,
    depth: usize,
    rules: usize,
}

impl std::fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader")
            .field("items", &self.items.len())
            .field("findings", &self.findings.len())
            .finish_non_exhaustive()
    }
}

impl<'f> Loader<'f> {
    /// A loader without any rule yet.
    #[must_use]
    pub fn new(files: &'f dyn Files, leniency: Leniency) -> Self {
        Self {
            files,
            leniency,
            settings: Settings::default(),
            names: TxNames::default(),
            items: Vec::new(),
            open: None,
            defaults: std::array::from_fn(|_| Defaults::default()),
            updates: Vec::new(),
            components: Vec::new(),
            findings: Vec::new(),
            depth: 0,
            rules: 0,
        }
    }

    /// Reads a text; `name` stands in places.
    pub fn text(&mut self, name: &str, text: &[u8]) {
        let file: Arc<str> = name.into();
        for line in lines::logical(text) {
            let place = Place {
                file: Arc::clone(&file),
                line: line.number,
            };
            if let Err(bad) = self.directive(&line.text, &place) {
                self.refuse(bad, &place);
            }
        }
    }

    /// Reads the files that a path or a pattern means; `from` is the file beside which it is
    /// meant, empty for none.
    pub fn include(&mut self, from: &str, pattern: &str) {
        let place = Place {
            file: from.into(),
            line: 0,
        };
        if let Err(bad) = self.included(from, pattern) {
            self.refuse(bad, &place);
        }
    }

    /// Compiles what was read.
    ///
    /// # Errors
    /// [`Error::Rules`] with every finding, when one of them is an error and the load is strict.
    pub fn finish(mut self) -> Result<Loaded, Error> {
        if let Some((links, _)) = self.open.take()
            && let Some(first) = links.first()
        {
            let bad = Bad::new("a chain does not end: its last rule has `chain`, and none follows");
            self.findings.push(bad.at(&first.place));
        }
        let rules = compile::compile(&mut self);
        let Self {
            findings, leniency, ..
        } = self;
        let fatal = findings
            .iter()
            .any(|finding| finding.weight == Weight::Error);
        if fatal && leniency == Leniency::Strict {
            return Err(Error::Rules { findings });
        }
        Ok(Loaded { rules, findings })
    }

    pub(super) fn note(&mut self, place: &Place, message: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding {
                place: place.clone(),
                weight: Weight::Note,
                message,
                hint: String::new(),
            });
        }
    }

    pub(super) fn refuse(&mut self, bad: Bad, place: &Place) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(bad.at(place));
        }
    }

    pub(super) fn included(&mut self, from: &str, pattern: &str) -> Result<(), Bad> {
        if self.depth >= INCLUDE_DEPTH {
            return Err(Bad::new(format!(
                "files include each other more than {INCLUDE_DEPTH} deep"
            )));
        }
        let names = self.files.list(from, pattern).map_err(Bad::new)?;
        for name in names {
            let text = self.files.read("", &name).map_err(Bad::new)?;
            self.depth += 1;
            self.text(&name, &text);
            self.depth -= 1;
        }
        Ok(())
    }

    fn directive(&mut self, line: &[u8], place: &Place) -> Result<(), Bad> {
        let words = words::words(line)?;
        let Some((name, arguments)) = words.split_first() else {
            return Ok(());
        };
        let name = String::from_utf8_lossy(name).into_owned();
        let arguments: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
        if self.open.is_some()
            && !name.eq_ignore_ascii_case("SecRule")
            && !name.eq_ignore_ascii_case("SecAction")
        {
            self.open = None;
            return Err(Bad::new(format!("`{name}` stands within a chain"))
                .hint("a rule with `chain` is followed by the next link"));
        }
        match name.to_ascii_lowercase().as_str() {
            "secrule" => self.rule(&arguments, place),
            "secaction" => self.action(&arguments, place),
            _ => self.other(&name, &arguments, place),
        }
    }

    fn rule(&mut self, arguments: &[&[u8]], place: &Place) -> Result<(), Bad> {
        let (targets, operator, actions) = match arguments {
            [targets, operator] => (targets, operator, None),
            [targets, operator, actions] => (targets, operator, Some(*actions)),
            _ => {
                self.broken();
                return Err(
                    Bad::new(format!("`SecRule` has {} arguments", arguments.len())).hint(
                        "targets, an operator, and actions, each in `\"…\"` when it has spaces",
                    ),
                );
            }
        };
        let actions = actions.unwrap_or_default();
        let goes_on = actions::has_chain(actions);
        let read = self.read_rule(targets, operator, actions, place);
        self.link(read, goes_on)
    }

    fn action(&mut self, arguments: &[&[u8]], place: &Place) -> Result<(), Bad> {
        let [actions] = arguments else {
            self.broken();
            return Err(
                Bad::new(format!("`SecAction` has {} arguments", arguments.len()))
                    .hint("only actions"),
            );
        };
        let read = self.read_actions(actions, place).map(|actions| Written {
            place: place.clone(),
            targets: Vec::new(),
            operator: None,
            actions,
            defaults: Defaults::default(),
        });
        self.link(read, actions::has_chain(actions))
    }

    fn read_rule(
        &mut self,
        targets: &[u8],
        operator: &[u8],
        actions: &[u8],
        place: &Place,
    ) -> Result<Written, Bad> {
        let targets = targets::parse(targets, &mut self.names)?;
        if !targets.iter().any(|target| target.mode != Mode::Exclude) {
            return Err(Bad::new(
                "the rule looks at nothing: all its targets are excluded",
            ));
        }
        let mut reading = Reading {
            files: self.files,
            from: &place.file,
            names: &mut self.names,
        };
        let operator = operator::parse(operator, &mut reading)?;
        Ok(Written {
            place: place.clone(),
            targets,
            operator: Some(operator),
            actions: self.read_actions(actions, place)?,
            defaults: Defaults::default(),
        })
    }

    pub(super) fn read_actions(&mut self, text: &[u8], place: &Place) -> Result<Actions, Bad> {
        let actions = actions::parse(text, &mut self.names)?;
        for name in &actions.idle {
            self.note(place, format!("`{name}` has no effect here"));
        }
        Ok(actions)
    }

    /// A link that could not be kept takes its chain with it: half a chain would match more.
    fn broken(&mut self) {
        if let Some((_, broken)) = &mut self.open {
            *broken = true;
        }
    }

    /// Adds a rule to the open chain, or begins one. `goes_on`: whether its text says `chain`.
    fn link(&mut self, read: Result<Written, Bad>, goes_on: bool) -> Result<(), Bad> {
        self.rules += 1;
        if self.rules > RULES_MAX {
            self.broken();
            return Err(Bad::new(format!("there are more than {RULES_MAX} rules")));
        }
        let (mut links, mut broken) = self.open.take().unwrap_or_default();
        let is_head = links.is_empty() && !broken;
        let read = read.and_then(|rule| if is_head { self.head(rule) } else { link(rule) });
        let answer = read.map(|rule| links.push(rule));
        broken |= answer.is_err();
        if goes_on {
            self.open = Some((links, broken));
        } else if !broken {
            self.items.push(Item::Chain(links));
        }
        answer
    }

    fn head(&mut self, mut rule: Written) -> Result<Written, Bad> {
        if rule.actions.id.is_none() {
            return Err(
                Bad::new("the rule has no `id`").hint("every rule needs one of its own: `id:1001`")
            );
        }
        let phase = rule.actions.phase.unwrap_or(2);
        let defaults = self.defaults.get(usize::from(phase) - 1);
        rule.defaults = defaults.cloned().unwrap_or_default();
        Ok(rule)
    }
}

fn link(rule: Written) -> Result<Written, Bad> {
    let actions = &rule.actions;
    let only_head = [
        ("an `id`", actions.id.is_some()),
        ("a `phase`", actions.phase.is_some()),
        ("a `skipAfter`", actions.skip_after.is_some()),
        ("a `skip`", actions.skip > 0),
        ("a disruptive action", actions.disruptive.is_some()),
    ];
    match only_head.iter().find(|(_, has)| *has) {
        Some((what, _)) => Err(Bad::new(format!("a link of a chain has {what}"))
            .hint("it belongs to the first rule of the chain")),
        None => Ok(rule),
    }
}

/// For messages: a directive's argument.
pub(super) fn quoted(argument: &[u8]) -> String {
    format!("`{}`", shown(argument))
}
