//! Paths as a tree of segments, and what was seen at each: which segments are names and which are
//! values shows in how they vary.

use std::borrow::Cow;
use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::shape::{NAME_BYTES, Shape};
use super::{Budget, Content, Exchange, Limits};
use crate::document::reads::{Plus, Reading, decode, essence, method, pairs, reading};
use crate::schema::Format;
use crate::tree::{self, Arena, Tree};

// LIMIT: segments of a path, media types of one message, statuses of one operation, sources of one
// segment.
const SEGMENTS: usize = 24;
const MEDIA: usize = 8;
const STATUSES: usize = 40;
const SOURCES: usize = 8;
/// Segments side by side that look alike and are taken for values of one parameter.
const ALIKE: usize = 5;

/// A segment: decoded, and whether it looks like a value by itself.
pub(super) type Segment<'a> = (Cow<'a, str>, bool);

/// Takes a path apart; `None` for one that no template matches.
pub(super) fn segments(path: &str) -> Option<Vec<Segment<'_>>> {
    let rest = path.strip_prefix('/')?;
    if rest.split('/').count() > SEGMENTS {
        return None;
    }
    let one = |raw| {
        let text = decode(raw, Plus::Plus)?;
        let value = looks_like_a_value(&text);
        // An empty segment is no parameter.
        (!text.contains('/')).then_some((text, value))
    };
    rest.split('/').map(one).collect()
}

/// Numbers, ids, dates, addresses, tokens, and what no template could spell.
fn looks_like_a_value(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let version = text.len() <= 3 && text.starts_with('v');
    !text.is_empty()
        && (!text.chars().all(plain)
            || Format::Uuid.text(text)
            || text.starts_with(|c: char| c.is_ascii_digit())
            || text.len() > 40
            || (text.len() >= 16 && digits >= 2)
            || (digits >= 3 && !version))
}

/// What follows a prefix of paths.
#[derive(Debug, Clone, Default)]
pub(super) struct Segments {
    names: BTreeMap<String, Self>,
    value: Option<Box<Self>>,
    /// What values at this place look like, where it is one itself.
    text: Shape,
    sources: SmallVec<[u64; 2]>,
    /// Names here became too many: all are values.
    varies: bool,
    operations: BTreeMap<&'static str, Operation>,
}

impl Segments {
    /// The operation of a path, made where it is new; `None` past a limit.
    pub(super) fn operation(
        &mut self,
        path: &[Segment<'_>],
        name: &str,
        budget: &mut Budget<'_>,
    ) -> Option<&mut Operation> {
        if self.sources.len() < SOURCES && !self.sources.contains(&budget.source) {
            self.sources.push(budget.source);
        }
        let Some(((text, looks), rest)) = path.split_first() else {
            let name = method(name)?;
            if !self.operations.contains_key(name) {
                if budget.used.operations >= budget.limits.operations {
                    return None;
                }
                budget.used.operations += 1;
            }
            return Some(self.operations.entry(name).or_default());
        };
        let known = self.names.contains_key(&**text);
        if !known && !text.is_empty() && !looks && self.names.len() >= budget.limits.segment_values
        {
            self.vary(budget.limits);
        }
        if !text.is_empty() && (*looks || self.varies) {
            if self.value.is_none() && !budget.place() {
                return None;
            }
            let next = self.value.get_or_insert_default();
            next.text.add_text(text, "name", budget);
            return next.operation(rest, name, budget);
        }
        if !known && !budget.place() {
            return None;
        }
        let next = self.names.entry(text.clone().into_owned()).or_default();
        next.text.add_text(text, "name", budget);
        next.operation(rest, name, budget)
    }

    /// The operation of a path that is known.
    pub(super) fn known(&mut self, path: &[Segment<'_>], name: &str) -> Option<&mut Operation> {
        let Some(((text, _), rest)) = path.split_first() else {
            return self.operations.get_mut(name);
        };
        match self.names.get_mut(&**text) {
            Some(next) => next.known(rest, name),
            None => self
                .value
                .as_mut()
                .filter(|_| !text.is_empty())?
                .known(rest, name),
        }
    }

    /// Takes all names here for values of one parameter.
    fn vary(&mut self, limits: &Limits) {
        self.varies = true;
        let empty = self.names.remove("");
        for (_, other) in std::mem::take(&mut self.names) {
            self.value.get_or_insert_default().merge(other, limits);
        }
        self.names.extend(empty.map(|empty| (String::new(), empty)));
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        for (name, inner) in other.names {
            self.names.entry(name).or_default().merge(inner, limits);
        }
        if let Some(value) = other.value {
            self.value.get_or_insert_default().merge(*value, limits);
        }
        self.text.merge(other.text, limits);
        for source in other.sources {
            if self.sources.len() < SOURCES && !self.sources.contains(&source) {
                self.sources.push(source);
            }
        }
        self.varies |= other.varies;
        if self.varies {
            self.vary(limits);
        }
        for (name, operation) in other.operations {
            self.operations
                .entry(name)
                .or_default()
                .merge(operation, limits);
        }
    }

    /// Names side by side that look alike become one parameter, and every operation its template.
    pub(super) fn settled(mut self, limits: &Limits) -> Vec<(String, &'static str, Operation)> {
        self.settle(limits);
        let mut out = Vec::new();
        self.collect(&mut String::new(), &mut Vec::new(), &mut out);
        out
    }

    fn settle(&mut self, limits: &Limits) {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, inner) in self.names.iter().filter(|(name, _)| !name.is_empty()) {
            // SECURITY: a name that few have asked for may be a person's.
            if inner.sources.len() < limits.value_sources {
                groups
                    .entry(inner.signature())
                    .or_default()
                    .push(name.clone());
            }
        }
        for names in groups.into_values().filter(|names| names.len() >= ALIKE) {
            for inner in names.iter().filter_map(|name| self.names.remove(name)) {
                self.value.get_or_insert_default().merge(inner, limits);
            }
        }
        self.names
            .values_mut()
            .for_each(|inner| inner.settle(limits));
        if let Some(value) = &mut self.value {
            value.settle(limits);
        }
    }

    /// What can be done here, as a text: equal for values of one parameter.
    fn signature(&self) -> String {
        let methods: Vec<&str> = self.operations.keys().copied().collect();
        let names: Vec<&str> = self.names.keys().map(String::as_str).collect();
        format!(
            "{}|{}|{}",
            methods.join(","),
            names.join(","),
            self.value.is_some()
        )
    }

    fn collect(
        self,
        template: &mut String,
        parameters: &mut Vec<(String, Shape)>,
        out: &mut Vec<(String, &'static str, Operation)>,
    ) {
        for (name, mut operation) in self.operations {
            operation.path.clone_from(parameters);
            out.push((template.clone(), name, operation));
        }
        let length = template.len();
        for (name, inner) in self.names {
            template.push('/');
            template.push_str(&name);
            inner.collect(template, parameters, out);
            template.truncate(length);
        }
        if let Some(value) = self.value {
            let name = called(template, parameters);
            template.push_str(&format!("/{{{name}}}"));
            parameters.push((name, value.text.clone()));
            value.collect(template, parameters, out);
            parameters.pop();
            template.truncate(length);
        }
    }
}

/// What to call a parameter: after the name before it.
fn called(template: &str, parameters: &[(String, Shape)]) -> String {
    let before = template.rsplit('/').next().unwrap_or_default();
    let word: String = before.chars().filter(char::is_ascii_alphabetic).collect();
    let stem = if word.is_empty() || before.starts_with('{') {
        "id".to_owned()
    } else {
        format!("{word}Id")
    };
    let taken = |name: &str| parameters.iter().any(|(known, _)| known == name);
    let mut name = stem.clone();
    let mut count = 2;
    while taken(&name) {
        name = format!("{stem}{count}");
        count += 1;
    }
    name
}

/// What was seen of one operation.
#[derive(Debug, Clone, Default)]
pub(super) struct Operation {
    /// Parameters of the path, once settled.
    pub(super) path: Vec<(String, Shape)>,
    pub(super) count: u64,
    /// Times seen, whether ever more than once in a query, and what it looks like.
    pub(super) query: BTreeMap<String, (u64, bool, Shape)>,
    pub(super) bodies: u64,
    pub(super) requests: BTreeMap<String, Shape>,
    pub(super) responses: BTreeMap<u16, (u64, BTreeMap<String, Shape>)>,
}

impl Operation {
    /// Learns a request.
    pub(super) fn asked(&mut self, exchange: &Exchange<'_>, budget: &mut Budget<'_>) {
        self.count += 1;
        let found = pairs(exchange.query.unwrap_or_default());
        let found = found.unwrap_or_default();
        for (at, pair) in found.iter().enumerate() {
            let Some(text) = decode(pair.raw, Plus::Space) else {
                continue;
            };
            if !self.query.contains_key(&*pair.name)
                && (self.query.len() >= budget.limits.names
                    || pair.name.len() > NAME_BYTES
                    || !budget.shape())
            {
                budget.dropped.names = budget.dropped.names.saturating_add(1);
                continue;
            }
            let again = found.iter().take(at).any(|before| before.name == pair.name);
            let (count, repeated, shape) = self
                .query
                .entry(pair.name.clone().into_owned())
                .or_default();
            *repeated |= again;
            *count += u64::from(!again);
            shape.add_text(&text, &pair.name, budget);
        }
        if let Some(content) = exchange.request.filter(|content| !content.body.is_empty()) {
            self.bodies += 1;
            learn(&mut self.requests, &content, budget);
        }
    }

    /// Learns an answer.
    pub(super) fn answered(&mut self, exchange: &Exchange<'_>, budget: &mut Budget<'_>) {
        if !self.responses.contains_key(&exchange.status) && self.responses.len() >= STATUSES {
            return;
        }
        let (count, content) = self.responses.entry(exchange.status).or_default();
        *count += 1;
        if let Some(answer) = exchange.response.filter(|answer| !answer.body.is_empty()) {
            learn(content, &answer, budget);
        }
    }

    fn merge(&mut self, other: Self, limits: &Limits) {
        self.count += other.count;
        for (name, (count, repeated, shape)) in other.query {
            let own = self.query.entry(name).or_default();
            own.0 += count;
            own.1 |= repeated;
            own.2.merge(shape, limits);
        }
        self.bodies += other.bodies;
        for (media, shape) in other.requests {
            self.requests.entry(media).or_default().merge(shape, limits);
        }
        for (status, (count, content)) in other.responses {
            let own = self.responses.entry(status).or_default();
            own.0 += count;
            for (media, shape) in content {
                own.1.entry(media).or_default().merge(shape, limits);
            }
        }
    }
}

fn learn(all: &mut BTreeMap<String, Shape>, content: &Content<'_>, budget: &mut Budget<'_>) {
    let mut lose = || budget.dropped.bodies = budget.dropped.bodies.saturating_add(1);
    let Some(media) = content.content_type.and_then(essence) else {
        return lose();
    };
    if !all.contains_key(&media) && all.len() >= MEDIA {
        return lose();
    }
    match reading(&media) {
        Reading::Json => {
            let mut arena = Arena::default();
            let Ok(text) = tree::read(&mut arena, content.body, 32, 100_000) else {
                return lose();
            };
            all.entry(media)
                .or_default()
                .add(&arena.tree(text), Tree::ROOT, "", budget);
        }
        Reading::Form => {
            let text = std::str::from_utf8(content.body).ok();
            let Some(found) = text.and_then(|text| pairs(text).ok()) else {
                return lose();
            };
            let shape = all.entry(media).or_default();
            shape.object += 1;
            for (at, pair) in found.iter().enumerate() {
                let again = found.iter().take(at).any(|before| before.name == pair.name);
                if again {
                    // A list: what it holds is not told apart.
                    shape.open = true;
                }
                if let (Some(inner), Some(text)) = (
                    shape.property(&pair.name, budget),
                    decode(pair.raw, Plus::Space),
                ) {
                    inner.open |= again;
                    inner.add_text(&text, &pair.name, budget);
                }
            }
        }
        Reading::Multipart | Reading::Text | Reading::Bytes => {
            all.entry(media).or_default();
        }
    }
}
