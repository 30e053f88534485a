//! A compiled document: operations by path and method.

use crate::{Captures, Fields, Finding, HeadView, Options, Violations, Weight};

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
        let _ = (text, options);
        Err(vec![Finding {
            weight: Weight::Error,
            pointer: String::new(),
            line: 1,
            column: 1,
            message: "documents cannot be compiled yet".to_owned(),
            hint: None,
        }])
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
        let _ = (method, path);
        Found::NoPath
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
        false
    }

    /// Checks path, query, header and cookie parameters.
    pub fn check_head(&self, head: &HeadView<'_>, out: &mut Violations) {
        let _ = (head, out);
    }

    /// Checks a request's body: the whole of it, already without content codings. `None` is a
    /// request that has none.
    pub fn check_body(
        &self,
        content_type: Option<&[u8]>,
        body: Option<&[u8]>,
        out: &mut Violations,
    ) {
        let _ = (content_type, body, out);
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
        let _ = (status, fields, body, out);
    }
}
