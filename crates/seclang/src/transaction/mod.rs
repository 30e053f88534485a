//! One request and its response against the rules, phase by phase.
//!
//! ```text
//! request_head ─▶ phase 1 ─▶ request_body ─▶ phase 2 ─▶ (the service) ─▶ response_head ─▶ phase 3
//!                                                 ─▶ response_body ─▶ phase 4 ─▶ finish ─▶ phase 5
//! ```
//!
//! Every call answers with a [`Verdict`]; after an interruption only [`Transaction::finish`] still
//! runs rules. Nothing here waits, reads a file or asks a clock.

mod act;
mod columns;
mod evaluate;
mod expand;
mod request;
mod request_body;
mod response;
mod spare;
mod store;
mod targets;
#[cfg(test)]
mod tests;
mod values;

use std::net::IpAddr;
use std::sync::Arc;

use columns::Columns;
pub(crate) use spare::Spare;
use spare::{Desk, Parts};
pub(crate) use store::Kept;
use store::Store;
use values::{ValueId, Values};

use crate::moment::Moment;
use crate::rules::Ruleset;
use crate::settings::{EngineMode, Processor, Switch};
use crate::template::Slot;
use crate::text::actions::Scope;
use crate::text::targets::Selector;
use crate::variable::Variable;
use crate::verdict::{Interruption, Match, Verdict};

/// Where a request came from, and when.
#[derive(Clone, Copy, Debug)]
pub struct Connection<'c> {
    /// The client's address, as far as it is trusted.
    pub client: IpAddr,
    /// The client's port.
    pub client_port: u16,
    /// The address the request came to.
    pub server: IpAddr,
    /// The port it came to.
    pub server_port: u16,
    /// When it came.
    pub moment: Moment,
    /// What this request is called in logs.
    pub unique_id: &'c [u8],
}

/// A request's head, as it was on the wire.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'h> {
    /// The whole first line, without its end.
    pub line: &'h [u8],
    /// The method.
    pub method: &'h [u8],
    /// The request target (RFC 9112 §3.2), not decoded.
    pub target: &'h [u8],
    /// `HTTP/1.1`.
    pub protocol: &'h [u8],
    /// Fields in their order.
    pub fields: &'h [(&'h [u8], &'h [u8])],
}

/// A response's head.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'h> {
    /// The status.
    pub status: u16,
    /// `HTTP/1.1`.
    pub protocol: &'h [u8],
    /// Fields in their order.
    pub fields: &'h [(&'h [u8], &'h [u8])],
}

/// A value that an operator matched.
#[derive(Clone, Copy, Debug)]
struct Hit {
    variable: Variable,
    count: bool,
    /// Empty for a variable with one value.
    name: ValueId,
    /// After transformations.
    value: ValueId,
}

/// The links of a chain, while they run.
#[derive(Debug, Default)]
struct Links {
    /// What the link before this one matched.
    before: Vec<Hit>,
    /// What the first link matched.
    first: Vec<Hit>,
    /// What this link has matched so far.
    hits: Vec<Hit>,
    /// What they have added to TX variables so far.
    raised: Vec<(Slot, i64)>,
}

impl Links {
    /// Forgets all; the memory stays.
    fn clear(&mut self) {
        self.before.clear();
        self.first.clear();
        self.hits.clear();
        self.raised.clear();
    }

    /// How many bytes of memory it has.
    fn memory_bytes(&self) -> usize {
        let hits = self.before.capacity() + self.first.capacity() + self.hits.capacity();
        hits * size_of::<Hit>() + self.raised.capacity() * size_of::<(Slot, i64)>()
    }
}

/// Rules, by their heads, and what they do not look at any more.
type RemovedTargets = (Arc<[u32]>, Arc<[(Variable, Selector)]>);

/// What `ctl:` and limits have changed.
#[derive(Debug)]
struct State {
    engine: EngineMode,
    request_body_access: Switch,
    response_body_access: Switch,
    request_body_limit_bytes: usize,
    response_body_limit_bytes: usize,
    xml_into_args: Switch,
    force_request_body: Switch,
    processor: Option<Processor>,
    /// Heads that do not run any more.
    removed: Vec<bool>,
    removed_targets: Vec<RemovedTargets>,
    /// Whether rules or targets were removed: what was folded when rules were loaded does not hold
    /// any more.
    unfolded: bool,
    /// Whether a phase has run.
    begun: bool,
    allowed: Option<(Scope, u8)>,
    highest_severity: Option<u8>,
}

/// One exchange.
#[derive(Debug)]
pub struct Transaction<'r> {
    rules: &'r Ruleset,
    values: Values,
    store: Store<'r>,
    columns: Columns,
    /// Nothing is on its desk: somebody else has it.
    rests: bool,
    state: State,
    links: Links,
    last: Option<Hit>,
    /// The rule whose actions run, for `%{RULE.id}`.
    current: Option<&'r crate::rules::Rule>,
    /// How many bytes transformations and operators may look at.
    budget_bytes: u64,
    exhausted: bool,
    matches: Vec<Match>,
    interruption: Option<Interruption>,
    detected: Option<Interruption>,
}

impl<'r> Transaction<'r> {
    /// Begins an exchange.
    #[must_use]
    pub fn new(rules: &'r Ruleset, connection: &Connection<'_>) -> Self {
        let settings = &rules.settings;
        let Parts {
            mut values,
            lists,
            slots,
        } = rules.spare.take(rules);
        let Desk {
            notes,
            columns,
            links,
        } = rules.spare.take_desk(rules);
        values.lend(notes);
        let mut transaction = Self {
            rules,
            values,
            store: Store::new(&rules.names, lists, slots),
            columns,
            rests: false,
            state: State {
                engine: settings.engine,
                request_body_access: settings.request_body_access,
                response_body_access: settings.response_body_access,
                request_body_limit_bytes: settings.request_body_limit_bytes,
                response_body_limit_bytes: settings.response_body_limit_bytes,
                xml_into_args: settings.xml_into_args,
                force_request_body: Switch::Off,
                processor: None,
                removed: Vec::new(),
                removed_targets: Vec::new(),
                unfolded: false,
                begun: false,
                allowed: None,
                highest_severity: None,
            },
            links,
            last: None,
            current: None,
            budget_bytes: u64::MAX,
            exhausted: false,
            matches: Vec::new(),
            interruption: None,
            detected: None,
        };
        transaction.connection(connection);
        transaction
    }

    /// Bounds the work: how many bytes transformations and operators look at, in all phases. When
    /// they are spent no rule runs any more, and the exchange ends with status 403 (only tells so,
    /// where rules only detect).
    #[must_use]
    pub fn with_budget(mut self, bytes: u64) -> Self {
        self.budget_bytes = bytes;
        self
    }

    /// Says which application the exchange belongs to (`WEBAPPID`), in place of `SecWebAppId`.
    #[must_use]
    pub fn with_application(mut self, name: &[u8]) -> Self {
        self.set(Variable::WebAppId, name);
        self
    }

    /// Whether the budget was spent before all rules had run: their silence means nothing then.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// The bytes that transformations and operators have looked at.
    #[must_use]
    pub fn spent_bytes(&self) -> u64 {
        self.values.spent_bytes
    }

    /// The rules that matched so far, in the order they did: those that ask to be logged, and those
    /// that end the exchange or let it through.
    #[must_use]
    pub fn matches(&self) -> &[Match] {
        &self.matches
    }

    /// What ended the exchange.
    #[must_use]
    pub fn interruption(&self) -> Option<&Interruption> {
        self.interruption.as_ref()
    }

    /// What would have ended the exchange first, were rules not only detecting.
    #[must_use]
    pub fn detected(&self) -> Option<&Interruption> {
        self.detected.as_ref()
    }

    /// Whether the service's answer is to be held for phase 4: rules want to look at the bodies of
    /// responses, and at this type of them. Known after [`Transaction::response_head`].
    #[must_use]
    pub fn wants_response_body(&self) -> bool {
        self.state.response_body_access.is_on() && self.is_wanted_type()
    }

    /// Why arguments, cookies or the body could not be read to their end: rules see only what came
    /// before (`REQBODY_ERROR_MSG`). Sets of rules have a rule that refuses such requests; whoever
    /// loads others must.
    #[must_use]
    pub fn problem(&self) -> Option<&[u8]> {
        let of = |variable| self.store.list(variable).first();
        let raised = of(Variable::ReqbodyError).map(|entry| self.values.get(entry.value));
        let message = of(Variable::ReqbodyErrorMsg).map(|entry| self.values.get(entry.value));
        message.filter(|_| raised == Some(b"1".as_slice()))
    }

    /// A TX variable's value, for tests and explanations.
    #[must_use]
    pub fn tx(&self, name: &str) -> Option<Vec<u8>> {
        let lower = name.to_ascii_lowercase();
        let kept = self
            .store
            .named(Variable::Tx, lower.as_bytes(), &self.rules.names)?;
        let mut out = Vec::new();
        kept.write(&mut out);
        Some(out)
    }

    /// Runs phase 5 and ends the exchange.
    pub fn finish(&mut self) {
        self.resume();
        self.phase(5);
        self.rest();
    }

    /// Gives away the desk: the service may take its time, and exchanges that wait are many.
    fn rest(&mut self) {
        if std::mem::replace(&mut self.rests, true) {
            return;
        }
        let notes = self.values.take_notes();
        let columns = std::mem::take(&mut self.columns);
        let links = std::mem::take(&mut self.links);
        self.rules.spare.keep_desk(Desk {
            notes,
            columns,
            links,
        });
    }

    /// Takes a desk again.
    fn resume(&mut self) {
        if std::mem::replace(&mut self.rests, false) {
            let desk = self.rules.spare.take_desk(self.rules);
            self.values.lend(desk.notes);
            self.columns = desk.columns;
            self.links = desk.links;
        }
    }

    fn verdict(&self) -> Verdict {
        match &self.interruption {
            Some(interruption) => Verdict::Interrupt(interruption.clone()),
            None => Verdict::Pass,
        }
    }

    fn set(&mut self, variable: Variable, value: &[u8]) {
        let value = self.values.push(value);
        self.store.set(variable, value);
    }

    /// Two variables that are mostly the same: then what is found out about one holds for both.
    fn set_both(&mut self, first: (Variable, &[u8]), second: (Variable, &[u8])) {
        let value = self.values.push(first.1);
        self.store.set(first.0, value);
        if first.1 == second.1 {
            self.store.set(second.0, value);
        } else {
            self.set(second.0, second.1);
        }
    }

    fn set_number(&mut self, variable: Variable, value: usize) {
        let number = i64::try_from(value).unwrap_or(i64::MAX);
        self.set(variable, crate::bytes::Digits::of(number).as_bytes());
    }

    fn add(&mut self, variable: Variable, name: &[u8], value: &[u8]) {
        let name = self.values.keep(name);
        let value = self.values.keep(value);
        self.store.add(variable, name, value);
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        self.rest();
        self.rules.spare.keep(Parts {
            values: std::mem::take(&mut self.values),
            lists: self.store.take_lists(),
            slots: self.store.take_slots(),
        });
    }
}
