//! One table of endpoints: the router, the permissions and the OpenAPI document are made from it,
//! so that none of them can say something else than the others.

use axum::routing::MethodRouter;
use http::Method;
use serde_json::Value;

use crate::services::Services;

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Anybody: it says nothing about this installation.
    Nothing,
    /// Anybody known; the operation looks at who it is.
    Known,
    /// A holder of this permission of Rampart's own.
    Permission(&'static str),
    /// An administrator of this machine, on the local socket only.
    Local,
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A segment of the path.
    Path,
    /// After the question mark.
    Query,
}

/// A parameter of an endpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    /// `string`, `integer`.
    pub(crate) kind: &'static str,
    pub(crate) about: &'static str,
}

/// A parameter after the question mark.
pub(crate) const fn query(name: &'static str, kind: &'static str, about: &'static str) -> Param {
    Param {
        name,
        place: Place::Query,
        kind,
        about,
    }
}

/// A segment of the path.
pub(crate) const fn path(name: &'static str, about: &'static str) -> Param {
    Param {
        name,
        place: Place::Path,
        kind: "string",
        about,
    }
}

/// One endpoint.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// Beneath `/api/v1`, in axum's form: `/people/{id}`.
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    /// Unique, camel case.
    pub(crate) operation: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) params: Vec<Param>,
    /// JSON Schema of the body.
    pub(crate) request: Option<Value>,
    /// Status and JSON Schema of the answer; `null` for none.
    pub(crate) answer: (u16, Value),
    pub(crate) handler: MethodRouter<Services>,
}

impl Endpoint {
    /// An endpoint without parameters and body that answers 204.
    pub(crate) fn new(
        method: Method,
        path: &'static str,
        needs: Needs,
        (operation, summary): (&'static str, &'static str),
        handler: MethodRouter<Services>,
    ) -> Self {
        Self {
            method,
            path,
            needs,
            operation,
            summary,
            params: Vec::new(),
            request: None,
            answer: (204, Value::Null),
            handler,
        }
    }

    /// Names its parameters.
    pub(crate) fn params<const N: usize>(mut self, params: [Param; N]) -> Self {
        self.params = params.into();
        self
    }

    /// Describes the body it reads.
    pub(crate) fn reads(mut self, schema: Value) -> Self {
        self.request = Some(schema);
        self
    }

    /// Describes what it answers.
    pub(crate) fn answers(mut self, status: u16, schema: Value) -> Self {
        self.answer = (status, schema);
        self
    }

    /// The part it belongs to: the first word of its path.
    pub(crate) fn tag(&self) -> &'static str {
        self.path
            .trim_start_matches('/')
            .split(['/', '.'])
            .next()
            .unwrap_or_default()
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({:?})", self.method, self.path, self.needs)
    }
}
