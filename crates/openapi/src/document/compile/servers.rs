//! Of which version a document is, and where its paths begin.

use super::*;

pub(super) fn version(root: &At<'_>, findings: &mut Findings) -> Option<Dialect> {
    let Some(version) = root.node.get("openapi") else {
        let hint = match root.node.get("swagger") {
            Some(_) => "convert it to OpenAPI 3.1: Swagger 2.0 is not enforced",
            None => "an OpenAPI document begins with `openapi: 3.1.1`",
        };
        findings.error(
            root,
            "the document does not say its version of OpenAPI",
            hint,
        );
        return None;
    };
    let at = At {
        node: version,
        pointer: "/openapi".to_owned(),
    };
    match version.as_str() {
        Some(text) if text.starts_with("3.0.") => Some(Dialect::V30),
        Some(text) if text.starts_with("3.1.") => Some(Dialect::V31),
        _ => {
            findings.error(
                &at,
                "the version of OpenAPI is not one that is enforced",
                "3.0.x and 3.1.x are; quote it in YAML",
            );
            None
        }
    }
}

/// What stands before the paths.
pub(super) fn bases(root: &At<'_>, base: &Base) -> Vec<String> {
    let clean = |path: &str| path.trim_end_matches('/').to_owned();
    let mut out: Vec<String> = match base {
        Base::None => vec![String::new()],
        Base::Path(path) => vec![clean(path)],
        Base::Servers => {
            let servers = root.get("servers");
            let found = servers
                .iter()
                .flat_map(At::items)
                .filter_map(|server| server_path(server.node));
            let found: Vec<String> = found.map(|path| clean(&path)).collect();
            if found.is_empty() {
                vec![String::new()]
            } else {
                found
            }
        }
    };
    // The longest first.
    out.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    out.dedup();
    out
}

/// The path of a server's address, its variables at their defaults.
fn server_path(server: &Node) -> Option<String> {
    let mut url = server.get("url").and_then(Node::as_str)?.to_owned();
    for variable in server
        .get("variables")
        .iter()
        .flat_map(|variables| variables.members())
    {
        let value = variable
            .value
            .get("default")
            .and_then(Node::as_str)
            .unwrap_or_default();
        url = url.replace(&format!("{{{}}}", variable.name), value);
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest
            .find('/')
            .and_then(|at| rest.get(at..))
            .unwrap_or("")
            .to_owned(),
        None => url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().to_owned();
    Some(if path.is_empty() || path.starts_with('/') {
        path
    } else {
        format!("/{path}")
    })
}
