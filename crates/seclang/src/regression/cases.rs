//! Tests as they are written: what is sent, and what is expected of the log.

use base64::Engine as _;

use super::yaml::{self, Yaml};
use crate::error::Error;

/// A test, of one or more stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// `920100-1`: the rule's id and the test's number.
    pub name: String,
    /// What its author says about it.
    pub description: String,
    /// What is sent, one after the other.
    pub stages: Vec<Stage>,
}

/// A request, and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What is sent.
    pub input: Input,
    /// What is expected.
    pub expected: Expectation,
}

/// A request as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The bytes themselves.
    Raw(Vec<u8>),
    /// Its parts.
    Parts {
        /// `GET` when it is not said.
        method: String,
        /// `/` when it is not said.
        uri: String,
        /// `HTTP/1.1` when it is not said.
        version: String,
        /// Fields in their order.
        fields: Vec<(String, String)>,
        /// The body.
        data: Option<Vec<u8>>,
        /// Whether fields that a client adds are added.
        complete: bool,
    },
}

/// What is expected of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// Rules that must be told of.
    pub expect_ids: Vec<u64>,
    /// Rules that must not.
    pub no_expect_ids: Vec<u64>,
    /// A pattern that the log must match.
    pub match_regex: Option<String>,
    /// A pattern that it must not.
    pub no_match_regex: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
}

/// Reads a file of tests; one that only has comments has none.
///
/// # Errors
/// [`Error::Tests`] when it is no YAML, or a test lacks what it needs.
pub fn parse(file: &str, text: &str) -> Result<Vec<Case>, Error> {
    let wrong = |problem: String| Error::Tests {
        file: file.to_owned(),
        problem,
    };
    let Some(document) = yaml::read(text).map_err(wrong)? else {
        return Ok(Vec::new());
    };
    let rule = document.text_of("rule_id").unwrap_or("0");
    let tests = document.get("tests").map_or(&[][..], Yaml::list);
    tests
        .iter()
        .map(|test| case(rule, test).map_err(wrong))
        .collect()
}

fn case(rule: &str, test: &Yaml) -> Result<Case, String> {
    let number = test.text_of("test_id").ok_or("a test has no `test_id`")?;
    let name = format!("{rule}-{number}");
    let stages = test.get("stages").map_or(&[][..], Yaml::list);
    let stages = stages
        .iter()
        .map(|one| stage(one).map_err(|problem| format!("{name}: {problem}")));
    Ok(Case {
        description: test.text_of("desc").unwrap_or_default().trim().to_owned(),
        stages: stages.collect::<Result<_, _>>()?,
        name,
    })
}

fn stage(stage: &Yaml) -> Result<Stage, String> {
    // Older files wrap each stage once more.
    let stage = stage.get("stage").unwrap_or(stage);
    let input = stage.get("input").ok_or("a stage has no `input`")?;
    let output = stage.get("output").ok_or("a stage has no `output`")?;
    Ok(Stage {
        input: read_input(input)?,
        expected: read_output(output)?,
    })
}

fn read_input(input: &Yaml) -> Result<Input, String> {
    if let Some(encoded) = input.text_of("encoded_request") {
        let text: String = encoded.split_whitespace().collect();
        let raw = base64::engine::general_purpose::STANDARD.decode(text);
        return raw
            .map(Input::Raw)
            .map_err(|error| format!("`encoded_request`: {error}"));
    }
    let fields = input.get("headers").map_or(&[][..], Yaml::map);
    let fields = fields
        .iter()
        .map(|(name, value)| (name.clone(), value.text().unwrap_or_default().to_owned()));
    let text = |name: &str, default: &str| input.text_of(name).unwrap_or(default).to_owned();
    Ok(Input::Parts {
        method: text("method", "GET"),
        uri: text("uri", "/"),
        version: text("version", "HTTP/1.1"),
        fields: fields.collect(),
        data: input
            .text_of("data")
            .map(|data| repeated(data).into_bytes()),
        complete: input.text_of("autocomplete_headers") != Some("false"),
    })
}

/// The one template that tests use: `{{ "x" | repeat 3 }}` is `xxx`.
fn repeated(data: &str) -> String {
    let filled = || {
        let (before, rest) = data.split_once("{{")?;
        let (inner, after) = rest.split_once("}}")?;
        let (text, count) = inner.split_once("| repeat")?;
        let text = text.trim().strip_prefix('"')?.strip_suffix('"')?;
        let count: usize = count.trim().parse().ok()?;
        // LIMIT: a test's body.
        let count = count.min(1 << 20);
        Some(format!("{before}{}{after}", text.repeat(count)))
    };
    filled().unwrap_or_else(|| data.to_owned())
}

fn read_output(output: &Yaml) -> Result<Expectation, String> {
    let log = output.get("log");
    let ids = |name: &str| -> Result<Vec<u64>, String> {
        let list = log
            .and_then(|log| log.get(name))
            .map_or(&[][..], Yaml::list);
        let texts = list.iter().map(|id| id.text().unwrap_or_default());
        texts
            .map(|id| id.parse().map_err(|_| format!("`{id}` is no id")))
            .collect()
    };
    let pattern = |name: &str| log.and_then(|log| log.text_of(name)).map(str::to_owned);
    let status = output.text_of("status").map(str::parse).transpose();
    Ok(Expectation {
        expect_ids: ids("expect_ids")?,
        no_expect_ids: ids("no_expect_ids")?,
        match_regex: pattern("match_regex"),
        no_match_regex: pattern("no_match_regex"),
        status: status.map_err(|_| "`status` is no number")?,
    })
}
