//! An OpenAPI document made into operations (OpenAPI 3.1.1 §4.8, 3.0.4 §4.7).

mod message;
mod servers;

use std::sync::Arc;

use super::body::Content;
use super::media::{Reading, reading};
use super::params::{Parameter, Place};
use super::paths::{Paths, Piece, pieces};
use super::shape::Shape;
use super::{Compiled, Document, Operation, Takes};
use crate::schema::{Compiler, Dialect, Schemas};
use crate::source::{self, At, Findings, Node, Value};
use crate::{Base, Finding, Options, Undeclared};

use servers::{bases, version};

/// Methods that a path may have.
const METHODS: &[&str] = &[
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Words of an operation.
const OPERATION: &[&str] = &[
    "tags",
    "summary",
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "callbacks",
    "deprecated",
    "security",
    "servers",
];

pub(super) fn compile(text: &str, options: &Options) -> Result<Compiled, Vec<Finding>> {
    let mut findings = Findings::new(options.limits.findings);
    let Some(root) = source::read(text, &options.limits, &mut findings) else {
        return Err(findings.finish());
    };
    let root = At::root(&root);
    let Some(dialect) = version(&root, &mut findings) else {
        return Err(findings.finish());
    };
    let mut builder = Builder {
        schemas: Compiler::new(root.clone(), dialect, options),
        findings,
        root: root.clone(),
        paths: Paths::new(),
        operations: Vec::new(),
        keys: Vec::new(),
    };
    builder.scan(&root);
    builder.document();
    let Builder {
        schemas,
        mut findings,
        paths,
        mut operations,
        keys,
        ..
    } = builder;
    let schemas = Arc::new(schemas.finish(&mut findings));
    if findings.has_errors() {
        return Err(findings.finish());
    }
    let keys: Arc<[Box<str>]> = keys.into();
    let mut left = super::shape::PARTS;
    for operation in &mut operations {
        operation.undeclared = options.undeclared;
        operation.limits = options.limits;
        operation.keys = Arc::clone(&keys);
        operation.attach(&schemas, &mut left);
    }
    if left == 0 {
        let message = "the properties of its parameters and forms are too many";
        findings.error(&root, message, "describe large values as JSON");
        return Err(findings.finish());
    }
    let title = root.get("info").and_then(|info| {
        info.node
            .get("title")
            .and_then(Node::as_str)
            .map(str::to_owned)
    });
    let document = Document {
        title: title.unwrap_or_default(),
        bases: bases(&root, &options.base),
        operations,
        paths,
    };
    Ok(Compiled {
        document,
        warnings: findings.finish(),
    })
}

/// What is being built.
struct Builder<'d> {
    schemas: Compiler<'d>,
    findings: Findings,
    root: At<'d>,
    paths: Paths,
    operations: Vec<Operation>,
    /// Query parameters that carry API keys: declared by a security scheme.
    keys: Vec<Box<str>>,
}

impl<'d> Builder<'d> {
    /// Learns the names of every schema, wherever it stands.
    fn scan(&mut self, at: &At<'d>) {
        for (name, inner) in at.members() {
            let data = matches!(name, "example" | "examples" | "default" | "enum")
                || name.starts_with("x-");
            if data {
                continue;
            }
            if name == "schema" {
                self.schemas.scan(&inner, &mut self.findings);
            } else if name == "schemas" && at.pointer == "/components" {
                inner
                    .members()
                    .for_each(|(_, schema)| self.schemas.scan(&schema, &mut self.findings));
            } else {
                self.scan(&inner);
            }
        }
        at.items().for_each(|item| self.scan(&item));
    }

    /// What a reference leads to; itself where it is none.
    fn resolved(&mut self, at: At<'d>) -> Option<At<'d>> {
        let mut at = at;
        // LIMIT: references that lead to references.
        for _ in 0..16 {
            let Some(reference) = at.node.get("$ref") else {
                return Some(at);
            };
            let target = reference.as_str().and_then(|text| text.strip_prefix('#'));
            let Some(target) = target else {
                let hint = "bundle the document into one file first: nothing outside it is read";
                self.findings
                    .error(&at, "the reference leads to another document", hint);
                return None;
            };
            let pointer = super::text::decode(target, super::text::Plus::Plus);
            let Some(next) = pointer.and_then(|pointer| self.root.follow(&pointer)) else {
                self.findings.error(
                    &at,
                    format!("`#{target}` leads nowhere in this document"),
                    "",
                );
                return None;
            };
            at = next;
        }
        self.findings.error(&at, "references lead in a circle", "");
        None
    }

    fn object(&mut self, at: &At<'d>, what: &str) -> bool {
        let fine = matches!(at.node.value, Value::Object(_));
        if !fine {
            self.findings.error(
                at,
                format!("{what} is an object, not {}", at.node.what()),
                "",
            );
        }
        fine
    }

    fn unknown(&mut self, at: &At<'d>, known: &[&str], what: &str) {
        for (name, value) in at.members() {
            if !known.contains(&name) && !name.starts_with("x-") {
                let near = known.iter().find(|other| source::is_near(other, name));
                let hint = near
                    .map(|near| format!("did you mean `{near}`?"))
                    .unwrap_or_default();
                self.findings.warn(
                    &value,
                    format!("`{name}` is no word of {what}: it is not enforced"),
                    &hint,
                );
            }
        }
    }

    fn document(&mut self) {
        let root = self.root.clone();
        let known = [
            "openapi",
            "info",
            "jsonSchemaDialect",
            "servers",
            "paths",
            "webhooks",
            "components",
            "security",
            "tags",
            "externalDocs",
        ];
        self.unknown(&root, &known, "OpenAPI documents");
        if let Some(webhooks) = root.get("webhooks") {
            self.findings.warn(
                &webhooks,
                "webhooks are not enforced: they are requests that go out",
                "",
            );
        }
        self.security();
        // Schemas that nothing uses yet are compiled too: what is wrong with them is said now.
        let named = root
            .get("components")
            .and_then(|components| components.get("schemas"));
        for (_, schema) in named.iter().flat_map(At::members) {
            self.schemas.schema(&schema);
        }
        let Some(paths) = root.get("paths") else {
            self.findings.error(
                &root,
                "the document has no `paths`",
                "nothing could be let through",
            );
            return;
        };
        if !self.object(&paths, "`paths`") {
            return;
        }
        for (template, item) in paths.members() {
            if !template.starts_with("x-") {
                self.path(template, item);
            }
        }
    }

    fn security(&mut self) {
        let schemes = self
            .root
            .get("components")
            .and_then(|components| components.get("securitySchemes"));
        for (_, scheme) in schemes.iter().flat_map(At::members) {
            let Some(scheme) = self.resolved(scheme) else {
                continue;
            };
            let word = |name: &str| scheme.node.get(name).and_then(Node::as_str);
            if word("type") == Some("apiKey") && word("in") == Some("query") {
                self.keys.extend(word("name").map(Box::from));
            }
        }
    }

    fn path(&mut self, template: &str, item: At<'d>) {
        let segments = match pieces(template) {
            Ok(segments) => segments,
            Err((message, hint)) => return self.findings.error(&item, message, hint),
        };
        let Some(item) = self.resolved(item) else {
            return;
        };
        if !self.object(&item, "a path") {
            return;
        }
        let mut known = METHODS.to_vec();
        known.extend(["parameters", "summary", "description", "servers", "$ref"]);
        self.unknown(&item, &known, "paths");
        let entry = match self.paths.add(template, &segments) {
            Ok(entry) => entry,
            Err(taken) => {
                let other = self
                    .paths
                    .entries
                    .get(taken)
                    .map(|entry| entry.template.clone());
                let message = format!(
                    "`{template}` matches the same paths as `{}`",
                    other.unwrap_or_default()
                );
                return self
                    .findings
                    .error(&item, message, "give both one template");
            }
        };
        self.servers(&item);
        let shared = self.parameters(&item);
        let names: Vec<Box<str>> = segments
            .iter()
            .flatten()
            .filter_map(|piece| match piece {
                Piece::Parameter(name) => Some(name.clone()),
                Piece::Literal(_) => None,
            })
            .collect();
        for method in METHODS {
            let Some(at) = item.get(method) else {
                continue;
            };
            if self.object(&at, "an operation") {
                let index = self.operations.len();
                let operation = self.operation(method, template, &at, &shared, &names);
                self.operations.push(operation);
                if let Some(entry) = self.paths.entries.get_mut(entry) {
                    entry.methods.push((method.to_ascii_uppercase(), index));
                }
            }
        }
    }

    fn servers(&mut self, at: &At<'d>) {
        if let Some(servers) = at.get("servers") {
            let hint = "paths begin with those of the document's own `servers`";
            self.findings
                .warn(&servers, "servers of one path are not enforced", hint);
        }
    }

    /// Parameters of a path or an operation, references resolved.
    fn parameters(&mut self, at: &At<'d>) -> Vec<At<'d>> {
        let list = at.get("parameters");
        let mut out: Vec<At<'d>> = Vec::new();
        for item in list.iter().flat_map(At::items) {
            let Some(parameter) = self.resolved(item) else {
                continue;
            };
            if out.iter().any(|other| key(other) == key(&parameter)) {
                self.findings
                    .error(&parameter, "the parameter is declared twice", "");
            }
            out.push(parameter);
        }
        out
    }

    fn operation(
        &mut self,
        method: &str,
        template: &str,
        at: &At<'d>,
        shared: &[At<'d>],
        names: &[Box<str>],
    ) -> Operation {
        self.unknown(at, OPERATION, "operations");
        self.servers(at);
        if let Some(callbacks) = at.get("callbacks") {
            self.findings.warn(
                &callbacks,
                "callbacks are not enforced: they are requests that go out",
                "",
            );
        }
        let (path, parameters) = self.bound(at, shared, names);
        let id = at
            .node
            .get("operationId")
            .and_then(Node::as_str)
            .map(str::to_owned);
        if let Some(id) = &id
            && self
                .operations
                .iter()
                .any(|other| other.id.as_ref() == Some(id))
        {
            self.findings.warn(
                at,
                format!("the `operationId` `{id}` is that of another operation too"),
                "",
            );
        }
        let (takes, body) = self.request(at);
        let (responses, checks) = self.responses(at);
        let method = method.to_ascii_uppercase();
        Operation {
            name: id.clone().unwrap_or_else(|| format!("{method} {template}")),
            id,
            method,
            template: template.to_owned(),
            takes,
            path,
            parameters,
            body,
            responses,
            checks_responses: checks,
            rule: at.pointer.as_str().into(),
            undeclared: Undeclared::default(),
            limits: crate::Limits::default(),
            keys: Arc::default(),
            schemas: Arc::default(),
        }
    }

    /// The parameters of an operation: those of its path in the order of the template, and others.
    fn bound(
        &mut self,
        at: &At<'d>,
        shared: &[At<'d>],
        names: &[Box<str>],
    ) -> (Vec<Option<Parameter>>, Vec<Parameter>) {
        let own = self.parameters(at);
        let inherited = shared
            .iter()
            .filter(|s| !own.iter().any(|o| key(o) == key(s)))
            .cloned();
        let all: Vec<At<'d>> = own.iter().cloned().chain(inherited).collect();
        let mut parameters: Vec<Parameter> = Vec::new();
        for parameter in &all {
            parameters.extend(self.parameter(parameter));
        }
        let mut path = Vec::new();
        for name in names {
            let found = parameters
                .iter()
                .position(|p| p.place == Place::Path && p.name == *name);
            if found.is_none() {
                let message = format!(
                    "the path's parameter `{name}` is not declared: any text is let through"
                );
                self.findings
                    .warn(at, message, "declare it with `in: path` and a schema");
            }
            path.push(found.map(|at| parameters.remove(at)));
        }
        if let Some(stray) = parameters.iter().find(|p| p.place == Place::Path) {
            let message = format!("the path has no parameter `{}`", stray.name);
            self.findings.warn(at, message, "");
        }
        (path, parameters)
    }

    fn request(&mut self, at: &At<'d>) -> (Takes, Content) {
        let Some(body) = at.get("requestBody") else {
            return (Takes::Nothing, Content::default());
        };
        let Some(body) = self.resolved(body) else {
            return (Takes::Nothing, Content::default());
        };
        self.unknown(
            &body,
            &["description", "content", "required", "$ref"],
            "request bodies",
        );
        let takes = match body.node.get("required").and_then(Node::as_bool) {
            Some(true) => Takes::Required,
            _ => Takes::Optional,
        };
        let content = match body.get("content") {
            Some(content) => self.content(&content),
            None => {
                self.findings.error(
                    &body,
                    "a request body wants `content`",
                    "name its media types",
                );
                Content::default()
            }
        };
        (takes, content)
    }
}

fn key(at: &At<'_>) -> Option<(String, String)> {
    let word = |name: &str| at.node.get(name).and_then(Node::as_str).map(str::to_owned);
    Some((word("name")?, word("in")?))
}

impl Operation {
    /// Binds it to the compiled schemas, and takes the shapes from them.
    fn attach(&mut self, schemas: &Arc<Schemas>, left: &mut usize) {
        let mut shaped = |parameter: &mut Parameter| {
            if let Some(schema) = parameter.schema {
                parameter.shape = Shape::of(schemas, schema, left);
            }
        };
        self.path.iter_mut().flatten().for_each(&mut shaped);
        self.parameters.iter_mut().for_each(&mut shaped);
        for response in &mut self.responses {
            response.headers.iter_mut().for_each(&mut shaped);
        }
        let contents = std::iter::once(&mut self.body)
            .chain(self.responses.iter_mut().filter_map(|r| r.content.as_mut()));
        // Values of JSON have their types with them.
        let texts = contents
            .flat_map(|content| &mut content.media)
            .filter(|media| reading(&media.range) != Reading::Json);
        for media in texts {
            if let Some(schema) = media.schema {
                media.shape = Shape::of(schemas, schema, left);
            }
        }
        self.schemas = Arc::clone(schemas);
    }
}
