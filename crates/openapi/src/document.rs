//! A compiled document: operations by path and method.

mod body;
mod compile;
mod form;
mod media;
mod params;
mod paths;
pub(crate) mod reads;
mod shape;
mod text;

use std::sync::Arc;

use body::{Around, Content, fail};
use params::{Parameter, Place as In};
use paths::Paths;
use text::{BadPairs, Pairs};

use crate::schema::{Direction, Schemas};
use crate::{
    Captures, Fields, Finding, HeadView, Keyword, Limits, Options, Place, Undeclared, Violations,
};

/// A document that can be enforced, and what its author should know.
#[derive(Debug)]
pub struct Compiled {
    /// The document.
    pub document: Document,
    /// What is not enforced, or not as one may think.
    pub warnings: Vec<Finding>,
}

/// A compiled OpenAPI document. Read only: share it in an `Arc`.
#[derive(Debug)]
pub struct Document {
    title: String,
    bases: Vec<String>,
    operations: Vec<Operation>,
    paths: Paths,
}

/// What a request's path and method are in the document.
#[derive(Debug)]
pub enum Found<'d> {
    /// An operation, and where the path's parameters stand.
    Operation(&'d Operation, Captures),
    /// No template is the path.
    NoPath,
    /// The path is there; the method is not. For the `Allow` field of a 405.
    NoMethod {
        /// Methods that are there, in upper case, in a fixed order.
        allow: Vec<&'d str>,
    },
}

/// What bodies an operation's requests have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// None: a body is a violation.
    Nothing,
    /// One may come.
    Optional,
    /// One must come.
    Required,
}

impl Document {
    /// Compiles a document's text, JSON or YAML.
    ///
    /// # Errors
    /// Every problem at once, warnings among them, in the order of the file.
    pub fn compile(text: &str, options: &Options) -> Result<Compiled, Vec<Finding>> {
        compile::compile(text, options)
    }

    /// What the document calls itself.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What stands before its paths: taken off by [`Self::find`] itself. Each begins with a slash
    /// and ends without one; the empty one stands for nothing.
    pub fn base_paths(&self) -> impl Iterator<Item = &str> {
        self.bases.iter().map(String::as_str)
    }

    /// Every operation, in the order of the document.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter()
    }

    /// The operation of a request: `path` as the client sent it, canonical, still percent-encoded,
    /// without what the route takes off. A `HEAD` that is not declared is its `GET`
    /// (RFC 9110 §9.3.2).
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Found<'_> {
        let Some((entry, captures)) = self.bases.iter().find_map(|base| {
            let rest = path.strip_prefix(base.as_str())?;
            if rest.is_empty() && !base.is_empty() {
                return None;
            }
            self.paths.find(path, path.len() - rest.len())
        }) else {
            return Found::NoPath;
        };
        let of = |wanted: &str| {
            let found = entry.methods.iter().find(|(known, _)| known == wanted);
            found.and_then(|(_, at)| self.operations.get(*at))
        };
        let operation = of(method).or_else(|| of("GET").filter(|_| method == "HEAD"));
        if let Some(operation) = operation {
            return Found::Operation(operation, captures);
        }
        let mut allow: Vec<&str> = entry
            .methods
            .iter()
            .map(|(method, _)| method.as_str())
            .collect();
        if allow.contains(&"GET") && !allow.contains(&"HEAD") {
            allow.push("HEAD");
        }
        allow.sort_unstable();
        Found::NoMethod { allow }
    }
}

/// One operation of a document.
#[derive(Debug)]
pub struct Operation {
    id: Option<String>,
    name: String,
    method: String,
    template: String,
    takes: Takes,
    /// Parameters of the path, in the order of the template.
    path: Vec<Option<Parameter>>,
    /// Parameters of query, header and cookies.
    parameters: Vec<Parameter>,
    body: Content,
    responses: Vec<Response>,
    checks_responses: bool,
    rule: Box<str>,
    undeclared: Undeclared,
    limits: Limits,
    keys: Arc<[Box<str>]>,
    schemas: Arc<Schemas>,
}

/// Which statuses a response is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StatusRange {
    Exact(u16),
    /// All that begin with the digit.
    Class(u8),
    Any,
}

/// A response that is declared.
#[derive(Debug)]
struct Response {
    range: StatusRange,
    /// `None` where the document does not speak of a body.
    content: Option<Content>,
    headers: Vec<Parameter>,
}

impl Operation {
    /// The document's `operationId`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What to call it in records: its id, or method and template.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The method, in upper case.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path's template.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// What bodies its requests have.
    #[must_use]
    pub fn takes_body(&self) -> Takes {
        self.takes
    }

    /// Whether anything is said of its responses: where not, none needs to be held.
    #[must_use]
    pub fn checks_responses(&self) -> bool {
        self.checks_responses
    }

    /// Checks path, query, header and cookie parameters.
    pub fn check_head(&self, head: &HeadView<'_>, out: &mut Violations) {
        for (parameter, (start, end)) in self.path.iter().zip(head.captures) {
            if let Some(parameter) = parameter {
                let raw = head
                    .path
                    .get(*start as usize..*end as usize)
                    .unwrap_or_default();
                parameter.check_text(raw, &self.schemas, Direction::Request, out);
            }
        }
        self.check_query(head.query.unwrap_or_default(), out);
        for parameter in &self.parameters {
            match parameter.place {
                In::Header => check_field(
                    parameter,
                    head.fields,
                    &self.schemas,
                    Direction::Request,
                    out,
                ),
                In::Cookie => self.check_cookie(parameter, head.fields, out),
                In::Path | In::Query => {}
            }
        }
    }

    fn check_query(&self, query: &str, out: &mut Violations) {
        let mut pairs = match text::pairs(query) {
            Ok(pairs) => pairs,
            Err(bad) => {
                let (keyword, text) = match bad {
                    BadPairs::Encoding => (Keyword::Syntax, "a name is not percent-encoded UTF-8"),
                    BadPairs::Many => (Keyword::TooComplex, "there are too many parameters"),
                };
                return fail(
                    Place::Query(String::new()),
                    keyword,
                    text.to_owned(),
                    &self.rule,
                    out,
                );
            }
        };
        for parameter in self
            .parameters
            .iter()
            .filter(|parameter| parameter.place == In::Query)
        {
            parameter.check_query(&mut pairs, &self.schemas, out);
        }
        if self.undeclared == Undeclared::Refuse {
            self.check_undeclared(&pairs, out);
        }
    }

    fn check_undeclared(&self, pairs: &Pairs<'_>, out: &mut Violations) {
        let stray = pairs
            .iter()
            .filter(|pair| !pair.used && !self.keys.iter().any(|key| **key == *pair.name));
        for pair in stray {
            let place = Place::Query(crate::schema::shown(&pair.name));
            let text = "no parameter of that name is declared".to_owned();
            fail(place, Keyword::Undeclared, text, &self.rule, out);
        }
    }

    fn check_cookie(&self, parameter: &Parameter, fields: &dyn Fields, out: &mut Violations) {
        let mut found: Vec<String> = Vec::new();
        fields.each("cookie", &mut |field| {
            // SECURITY: another cookie that is no UTF-8 hides none; in this one, what takes the
            // place of its bytes is held against the schema.
            let text = String::from_utf8_lossy(field);
            let own = text::cookies(&text).filter(|(name, _)| *name == &*parameter.name);
            found.extend(own.map(|(_, value)| value.to_owned()));
        });
        match found.as_slice() {
            [] => parameter.missing(out),
            [value] => parameter.check_text(value, &self.schemas, Direction::Request, out),
            _ => {
                // SECURITY: of a cookie that comes twice some take the first, some the last.
                let place = Place::Cookie(parameter.name.to_string());
                let text = "it must not come more than once".to_owned();
                fail(place, Keyword::Repeated, text, &parameter.rule, out);
            }
        }
    }

    /// Checks a request's body: the whole of it, already without content codings. `None` is a
    /// request that has none; an empty one is none too.
    pub fn check_body(
        &self,
        content_type: Option<&[u8]>,
        body: Option<&[u8]>,
        out: &mut Violations,
    ) {
        let place = || Place::Body(String::new());
        match (self.takes, body.filter(|body| !body.is_empty())) {
            (Takes::Required, None) => {
                fail(
                    place(),
                    Keyword::Required,
                    "a body must come".to_owned(),
                    &self.body.rule,
                    out,
                );
            }
            (_, None) => {}
            (Takes::Nothing, Some(_)) => {
                fail(
                    place(),
                    Keyword::Undeclared,
                    "no body is expected".to_owned(),
                    &self.rule,
                    out,
                );
            }
            (_, Some(body)) => {
                let around = Around {
                    schemas: &self.schemas,
                    limits: &self.limits,
                    direction: Direction::Request,
                };
                self.body.check(around, content_type, body, out);
            }
        }
    }

    /// Checks a response. `body` is `None` where it is not looked at: an answer to `HEAD`, a
    /// stream, one that is too long to be held.
    pub fn check_response(
        &self,
        status: u16,
        fields: &dyn Fields,
        body: Option<&[u8]>,
        out: &mut Violations,
    ) {
        let Some(response) = self.response(status) else {
            if self.checks_responses {
                let text = format!("the status {status} is not declared");
                fail(
                    Place::Status,
                    Keyword::Status,
                    text,
                    &format!("{}/responses", self.rule),
                    out,
                );
            }
            return;
        };
        for header in &response.headers {
            check_field(header, fields, &self.schemas, Direction::Response, out);
        }
        if let (Some(content), Some(body)) =
            (&response.content, body.filter(|body| !body.is_empty()))
        {
            let mut field: Option<Vec<u8>> = None;
            fields.each("content-type", &mut |value| field = Some(value.to_vec()));
            let around = Around {
                schemas: &self.schemas,
                limits: &self.limits,
                direction: Direction::Response,
            };
            content.check(around, field.as_deref(), body, out);
        }
    }

    fn response(&self, status: u16) -> Option<&Response> {
        let of = |wanted: StatusRange| {
            self.responses
                .iter()
                .find(|response| response.range == wanted)
        };
        let class = u8::try_from(status / 100).unwrap_or(0);
        of(StatusRange::Exact(status))
            .or_else(|| of(StatusRange::Class(class)))
            .or_else(|| of(StatusRange::Any))
    }
}

fn check_field(
    parameter: &Parameter,
    fields: &dyn Fields,
    schemas: &Schemas,
    direction: Direction,
    out: &mut Violations,
) {
    let mut joined: Option<Vec<u8>> = None;
    fields.each(&parameter.name, &mut |value| match &mut joined {
        // RFC 9110 §5.3: several lines are one list.
        Some(text) => {
            text.extend_from_slice(b", ");
            text.extend_from_slice(value);
        }
        None => joined = Some(value.to_vec()),
    });
    let Some(joined) = joined else {
        return parameter.missing(out);
    };
    match std::str::from_utf8(&joined) {
        Ok(text) => parameter.check_text(text.trim_matches([' ', '\t']), schemas, direction, out),
        Err(_) => {
            let place = Place::Header(parameter.name.to_string());
            fail(
                place,
                Keyword::Syntax,
                "it is not UTF-8".to_owned(),
                &parameter.rule,
                out,
            );
        }
    }
}

#[cfg(test)]
mod tests;
