mod bodies;
mod findings;
mod hostile;
mod parameters;
mod routing;

use super::*;

pub(super) fn document(paths: &str) -> Document {
    full(&format!(
        "openapi: 3.1.1\ninfo: {{title: T, version: '1'}}\npaths:\n{paths}"
    ))
}

pub(super) fn full(text: &str) -> Document {
    match Document::compile(text, &Options::default()) {
        Ok(compiled) => compiled.document,
        Err(findings) => panic!("{text}\n{}", shown(&findings)),
    }
}

pub(super) fn shown(findings: &[Finding]) -> String {
    findings
        .iter()
        .map(|finding| format!("{finding}\n"))
        .collect()
}

/// What is wrong with a request, a line per violation: place, keyword.
pub(super) fn head(
    document: &Document,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
) -> String {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let Found::Operation(operation, captures) = document.find(method, path) else {
        return "not found".to_owned();
    };
    let mut out = Violations::new();
    operation.check_head(
        &HeadView {
            path,
            captures: &captures,
            query,
            fields: &fields,
        },
        &mut out,
    );
    said(&out)
}

pub(super) fn body(document: &Document, content_type: Option<&str>, body: &[u8]) -> String {
    let operation = document.operations().next().unwrap();
    let mut out = Violations::new();
    operation.check_body(content_type.map(str::as_bytes), Some(body), &mut out);
    said(&out)
}

pub(super) fn said(out: &Violations) -> String {
    let lines: Vec<String> = out
        .iter()
        .map(|v| format!("{} ({})", v.place, v.keyword))
        .collect();
    lines.join("; ")
}
