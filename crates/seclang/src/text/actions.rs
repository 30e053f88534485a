//! Actions of a rule: `id:1,phase:2,deny,t:none,t:lowercase,setvar:'tx.score=+5'`.

use crate::bytes::{at, head, is_space, number, shown, split_once, tail, trim};
use crate::place::{Bad, did_you_mean};
use crate::template::{Slot, Template, TxNames};
use crate::text::ctl::Ctl;
use crate::transform::Transformation;
use crate::variable::{Source, Variable};

/// What a rule that matches does to the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Disruptive {
    Pass,
    /// What the default action of the phase says.
    Block,
    Deny,
    Drop,
    Redirect(Template),
    /// Nothing more is looked at, in one phase, in the request, or at all.
    Allow(Scope),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Everything,
    Request,
    Phase,
}

/// Where a variable that a rule sets lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeptName {
    Slot(Slot),
    Named(Variable, Template),
}

/// How it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    To(Template),
    Add(Template),
    Subtract(Template),
    Unset,
}

/// `setvar`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SetVar {
    pub(crate) name: KeptName,
    pub(crate) set: Set,
}

/// What a rule says besides its targets and its operator.
#[derive(Clone, Debug, Default)]
pub(crate) struct Actions {
    pub(crate) id: Option<u64>,
    pub(crate) phase: Option<u8>,
    /// Steps of the chain; `t:none` empties it.
    pub(crate) transformations: Vec<Transformation>,
    /// Whether `t:none` was said: defaults do not count then.
    pub(crate) only_own_transformations: bool,
    pub(crate) disruptive: Option<Disruptive>,
    pub(crate) status: Option<u16>,
    pub(crate) log: Option<bool>,
    pub(crate) audit: Option<bool>,
    pub(crate) capture: bool,
    pub(crate) multi_match: bool,
    pub(crate) chain: bool,
    pub(crate) skip: u32,
    pub(crate) skip_after: Option<Box<[u8]>>,
    pub(crate) sets: Vec<SetVar>,
    pub(crate) controls: Vec<Ctl>,
    /// `initcol`, `setsid`, `setuid`, `setrsc`: the collection, and whose it is.
    pub(crate) collections: Vec<(Variable, Template)>,
    pub(crate) message: Option<Template>,
    pub(crate) logdata: Option<Template>,
    pub(crate) tags: Vec<Template>,
    pub(crate) severity: Option<u8>,
    pub(crate) version: Option<Box<[u8]>>,
    pub(crate) revision: Option<Box<[u8]>>,
    pub(crate) maturity: Option<u8>,
    pub(crate) accuracy: Option<u8>,
    /// What is accepted and has no effect here.
    pub(crate) idle: Vec<&'static str>,
}

const NAMES: &[&str] = &[
    "accuracy",
    "allow",
    "auditlog",
    "block",
    "capture",
    "chain",
    "ctl",
    "deny",
    "drop",
    "expirevar",
    "id",
    "initcol",
    "log",
    "logdata",
    "maturity",
    "msg",
    "multiMatch",
    "noauditlog",
    "nolog",
    "pass",
    "phase",
    "redirect",
    "rev",
    "sanitiseArg",
    "sanitiseMatched",
    "sanitiseMatchedBytes",
    "sanitiseRequestHeader",
    "sanitiseResponseHeader",
    "setenv",
    "setrsc",
    "setsid",
    "setuid",
    "setvar",
    "severity",
    "skip",
    "skipAfter",
    "status",
    "t",
    "tag",
    "ver",
    "xmlns",
];

/// Actions of the manual that this engine does not have, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("append", "it changes what the service answers"),
    ("deprecatevar", "it is of ModSecurity 2 alone"),
    ("exec", "it runs a program"),
    ("pause", "it holds a connection while nothing is done"),
    ("prepend", "it changes what the service answers"),
    ("proxy", "it sends the request to another server"),
];

/// Reads a list of actions.
pub(crate) fn parse(text: &[u8], names: &mut TxNames) -> Result<Actions, Bad> {
    let mut actions = Actions::default();
    for (name, value) in split(text)? {
        let name = String::from_utf8_lossy(&name).into_owned();
        let known = NAMES.iter().find(|known| known.eq_ignore_ascii_case(&name));
        let Some(known) = known.copied() else {
            return Err(unknown(&name));
        };
        actions.take(known, &value, names).map_err(|bad| Bad {
            message: format!("`{known}`: {}", bad.message),
            hint: bad.hint,
        })?;
    }
    Ok(actions)
}

/// Whether the text says `chain`, also when something else in it is wrong.
pub(crate) fn has_chain(text: &[u8]) -> bool {
    split(text).is_ok_and(|actions| {
        let mut names = actions.iter().map(|(name, _)| name);
        names.any(|name| name.eq_ignore_ascii_case(b"chain"))
    })
}

fn unknown(name: &str) -> Bad {
    let elsewhere = ELSEWHERE
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    match elsewhere {
        Some((known, why)) => Bad::new(format!("the action `{known}` is not supported: {why}")),
        None => Bad::new(format!("there is no action `{name}`"))
            .hint(did_you_mean(name, NAMES.iter().copied())),
    }
}

/// An action's name and its value.
type Named = (Vec<u8>, Vec<u8>);

/// Names and values between commas; a value may stand in `'…'`, with `\'` for the mark itself.
fn split(text: &[u8]) -> Result<Vec<Named>, Bad> {
    let mut actions = Vec::new();
    let mut i = 0;
    loop {
        while at(text, i).is_some_and(|byte| is_space(byte) || byte == b',') {
            i += 1;
        }
        if i >= text.len() {
            return Ok(actions);
        }
        let rest = tail(text, i);
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b':' | b','))
            .unwrap_or(rest.len());
        let name = trim(head(rest, end)).to_vec();
        i += end;
        if at(text, i) != Some(b':') {
            actions.push((name, Vec::new()));
            continue;
        }
        i += 1;
        while at(text, i).is_some_and(is_space) {
            i += 1;
        }
        let (value, next) = value(text, i)?;
        actions.push((name, value));
        i = next;
    }
}

fn value(text: &[u8], from: usize) -> Result<(Vec<u8>, usize), Bad> {
    if at(text, from) != Some(b'\'') {
        let rest = tail(text, from);
        let end = memchr::memchr(b',', rest).unwrap_or(rest.len());
        return Ok((trim(head(rest, end)).to_vec(), from + end));
    }
    let mut value = Vec::new();
    let mut i = from + 1;
    while let Some(byte) = at(text, i) {
        if byte == b'\\' && at(text, i + 1) == Some(b'\'') {
            value.push(b'\'');
            i += 2;
        } else if byte == b'\'' {
            return Ok((value, i + 1));
        } else {
            value.push(byte);
            i += 1;
        }
    }
    Err(Bad::new("a `'` within the actions is not closed"))
}

impl Actions {
    fn take(&mut self, name: &'static str, value: &[u8], names: &mut TxNames) -> Result<(), Bad> {
        match name {
            "id" => self.id = Some(whole(value)?),
            "phase" => self.phase = Some(phase(value)?),
            "t" => self.transform(value)?,
            "status" => self.status = Some(status(value)?),
            "log" => self.log = Some(true),
            "nolog" => {
                self.log = Some(false);
                self.audit.get_or_insert(false);
            }
            "auditlog" => self.audit = Some(true),
            "noauditlog" => self.audit = Some(false),
            "capture" => self.capture = true,
            "multiMatch" => self.multi_match = true,
            "chain" => self.chain = true,
            "skip" => self.skip = whole(value)?,
            "skipAfter" => self.skip_after = Some(value.into()),
            "msg" => self.message = Some(Template::parse(value, names)?),
            "logdata" => self.logdata = Some(Template::parse(value, names)?),
            "tag" => self.tags.push(Template::parse(value, names)?),
            "severity" => self.severity = Some(severity(value)?),
            "ver" => self.version = Some(value.into()),
            "rev" => self.revision = Some(value.into()),
            "maturity" => self.maturity = Some(whole(value)?),
            "accuracy" => self.accuracy = Some(whole(value)?),
            "setvar" => self.sets.push(set_var(value, None, names)?),
            "setenv" => self.sets.push(set_var(value, Some(Variable::Env), names)?),
            "ctl" => {
                let control = Ctl::parse(value, names)?;
                if let Ctl::Nothing(name) = control {
                    self.idle.push(name);
                }
                self.controls.push(control);
            }
            "initcol" => self.collection(value, names)?,
            "setsid" => self
                .collections
                .push((Variable::Session, Template::parse(value, names)?)),
            "setuid" => self
                .collections
                .push((Variable::User, Template::parse(value, names)?)),
            "setrsc" => self
                .collections
                .push((Variable::Resource, Template::parse(value, names)?)),
            "allow" => self.disruptive = Some(Disruptive::Allow(scope(value)?)),
            "block" => self.disruptive = Some(Disruptive::Block),
            "deny" => self.disruptive = Some(Disruptive::Deny),
            "drop" => self.disruptive = Some(Disruptive::Drop),
            "pass" => self.disruptive = Some(Disruptive::Pass),
            "redirect" => {
                self.disruptive = Some(Disruptive::Redirect(Template::parse(value, names)?));
            }
            other => self.idle.push(other),
        }
        Ok(())
    }

    fn transform(&mut self, value: &[u8]) -> Result<(), Bad> {
        let name = String::from_utf8_lossy(value);
        if name.eq_ignore_ascii_case("none") {
            self.transformations.clear();
            self.only_own_transformations = true;
            return Ok(());
        }
        let known = Transformation::named(&name).ok_or_else(|| {
            Bad::new(format!("there is no transformation `{name}`"))
                .hint(did_you_mean(&name, Transformation::names()))
        })?;
        // LIMIT: 32 steps.
        if self.transformations.len() >= 32 {
            return Err(Bad::new("the chain has more than 32 transformations"));
        }
        self.transformations.push(known);
        Ok(())
    }

    fn collection(&mut self, value: &[u8], names: &mut TxNames) -> Result<(), Bad> {
        let wrong = || {
            Bad::new(format!("`{}` begins no collection", shown(value)))
                .hint("write `initcol:ip=%{REMOTE_ADDR}`")
        };
        let (name, key) = split_once(value, b'=').ok_or_else(wrong)?;
        let variable = Variable::named(&String::from_utf8_lossy(trim(name)))?;
        if variable.source() != Source::Kept || matches!(variable, Variable::Tx | Variable::Env) {
            return Err(wrong());
        }
        self.collections
            .push((variable, Template::parse(trim(key), names)?));
        Ok(())
    }
}

fn whole<T: TryFrom<i64>>(value: &[u8]) -> Result<T, Bad> {
    let value = trim(value);
    let wrong = || Bad::new(format!("`{}` is no whole number that fits", shown(value)));
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(wrong());
    }
    T::try_from(number(value)).map_err(|_| wrong())
}

fn phase(value: &[u8]) -> Result<u8, Bad> {
    match trim(value).to_ascii_lowercase().as_slice() {
        b"1" => Ok(1),
        b"2" | b"request" => Ok(2),
        b"3" => Ok(3),
        b"4" | b"response" => Ok(4),
        b"5" | b"logging" => Ok(5),
        _ => Err(Bad::new(format!("`{}` is no phase", shown(value)))
            .hint("1 to 5, request, response or logging")),
    }
}

fn status(value: &[u8]) -> Result<u16, Bad> {
    let status: u16 = whole(value)?;
    if !(100..600).contains(&status) {
        return Err(Bad::new(format!("{status} is no status of HTTP")));
    }
    Ok(status)
}

fn scope(value: &[u8]) -> Result<Scope, Bad> {
    match trim(value).to_ascii_lowercase().as_slice() {
        b"" => Ok(Scope::Everything),
        b"request" => Ok(Scope::Request),
        b"phase" => Ok(Scope::Phase),
        _ => Err(Bad::new(format!(
            "`{}` is nothing that can be allowed",
            shown(value)
        ))),
    }
}

/// The names of severities, from 0 on (RFC 5424 §6.2.1).
pub(crate) const SEVERITIES: [&str; 8] = [
    "EMERGENCY",
    "ALERT",
    "CRITICAL",
    "ERROR",
    "WARNING",
    "NOTICE",
    "INFO",
    "DEBUG",
];

fn severity(value: &[u8]) -> Result<u8, Bad> {
    let text = String::from_utf8_lossy(trim(value)).to_ascii_uppercase();
    let named = SEVERITIES.iter().position(|name| *name == text);
    let level = named
        .or_else(|| text.parse().ok())
        .filter(|level| *level < SEVERITIES.len());
    level
        .and_then(|level| u8::try_from(level).ok())
        .ok_or_else(|| {
            Bad::new(format!("`{text}` is no severity"))
                .hint(did_you_mean(&text, SEVERITIES.iter().copied()))
        })
}

/// `tx.name=value`, `=+n`, `=-n`, `tx.name` (one), `!tx.name` (unset). Of an environment variable
/// the collection is not said.
fn set_var(text: &[u8], collection: Option<Variable>, names: &mut TxNames) -> Result<SetVar, Bad> {
    let text = trim(text);
    let (unset, text) = match text.strip_prefix(b"!") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (name, value) = match split_once(text, b'=') {
        Some((name, value)) => (trim(name), Some(value)),
        None => (text, None),
    };
    let name = match collection {
        Some(variable) => KeptName::Named(variable, Template::parse(name, names)?),
        None => kept_name(name, names)?,
    };
    let set = match value {
        _ if unset => Set::Unset,
        None => Set::To(Template::parse(b"1", names)?),
        Some(value) => match value.first() {
            Some(b'+') => Set::Add(Template::parse(tail(value, 1), names)?),
            Some(b'-') => Set::Subtract(Template::parse(tail(value, 1), names)?),
            _ => Set::To(Template::parse(value, names)?),
        },
    };
    Ok(SetVar { name, set })
}

fn kept_name(text: &[u8], names: &mut TxNames) -> Result<KeptName, Bad> {
    let wrong = || Bad::new(format!("`{}` names no variable", shown(text))).hint("write `tx.name`");
    let dot = text
        .iter()
        .position(|byte| matches!(byte, b'.' | b':'))
        .ok_or_else(wrong)?;
    let variable = Variable::named(&String::from_utf8_lossy(head(text, dot)))?;
    if variable.source() != Source::Kept || variable == Variable::Env {
        return Err(Bad::new(format!("`{}` cannot be set", variable.name())));
    }
    let name = Template::parse(tail(text, dot + 1), names)?;
    match name.constant() {
        Some([]) => Err(wrong()),
        Some(name) if variable == Variable::Tx => Ok(KeptName::Slot(names.intern(name))),
        _ => Ok(KeptName::Named(variable, name)),
    }
}
