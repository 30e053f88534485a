//! What a document is compiled with: limits against hostile documents and hostile input, and the
//! few choices that OpenAPI leaves to whoever enforces it.

/// How a document is compiled, and what its checks insist on.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Sizes and depths; the defaults fit any document a person wrote.
    pub limits: Limits,
    /// What a query parameter is that the document does not declare. Fields of forms, as those of
    /// JSON, are up to `additionalProperties`.
    pub undeclared: Undeclared,
    /// Whether `format` decides.
    pub formats: Formats,
    /// What stands before the document's paths.
    pub base: Base,
}

/// What becomes of a query parameter that the operation does not declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Undeclared {
    /// It is a violation: only what is expected goes through.
    #[default]
    Refuse,
    /// It is let through unread.
    Allow,
}

/// Whether `format` decides (JSON Schema validation §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Formats {
    /// Formats that are known are asserted.
    #[default]
    Assert,
    /// Formats are annotations, as JSON Schema says when nobody asked for more.
    Annotate,
}

/// What stands before the document's paths in a request's path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Base {
    /// The paths of the document's `servers` (OpenAPI 3.1.1 §4.8.5).
    #[default]
    Servers,
    /// Nothing: the document's paths are the request's.
    None,
    /// This path.
    Path(String),
}

/// Limits of a document and of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    // LIMIT: a document's text.
    /// Bytes of a document.
    pub document_bytes: usize,
    // LIMIT: a document's nodes, with what YAML aliases repeat counted each time.
    /// Values in a document.
    pub document_nodes: usize,
    // LIMIT: nesting of a document.
    /// Nesting of a document.
    pub document_depth: usize,
    // LIMIT: findings reported of one document.
    /// Findings that are reported; of the rest only their number.
    pub findings: usize,
    // LIMIT: nesting of a body.
    /// Nesting of a body.
    pub body_depth: usize,
    // LIMIT: values in a body.
    /// Values in a body.
    pub body_nodes: usize,
    // LIMIT: work of one check; reaching it is the violation `too-complex`.
    /// Steps of one check: a schema applied to a value is one, an item compared is one.
    pub steps: u32,
    // LIMIT: compiled size of one pattern.
    /// Bytes that a compiled `pattern` may take.
    pub pattern_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 8 << 20,
            document_nodes: 1 << 20,
            document_depth: 96,
            findings: 100,
            body_depth: 64,
            body_nodes: 1 << 18,
            steps: 1 << 20,
            pattern_bytes: 1 << 20,
        }
    }
}
