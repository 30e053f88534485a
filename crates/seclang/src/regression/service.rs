//! A stand-in for the service behind: `/reflect` answers with what the request's JSON says, every
//! other path with an empty page.

use base64::Engine as _;
use serde_json::Value;

use super::request::Wire;

/// What the service answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

pub(super) fn answer(request: &Wire) -> Answer {
    let mut answer = Answer {
        status: 200,
        fields: Vec::new(),
        body: Vec::new(),
    };
    if request.target.starts_with(b"/reflect")
        && let Ok(wanted) = serde_json::from_slice::<Value>(&request.body)
    {
        reflect(&wanted, &mut answer);
    }
    let has_type = answer
        .fields
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
    if !has_type {
        answer.fields.push((
            b"Content-Type".to_vec(),
            b"text/plain; charset=utf-8".to_vec(),
        ));
    }
    answer
}

fn reflect(wanted: &Value, answer: &mut Answer) {
    if let Some(status) = wanted.get("status").and_then(Value::as_u64) {
        answer.status = u16::try_from(status).unwrap_or(200);
    }
    if let Some(fields) = wanted.get("headers").and_then(Value::as_object) {
        for (name, value) in fields {
            let value = value.as_str().unwrap_or_default();
            answer
                .fields
                .push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        }
    }
    if let Some(body) = wanted.get("body").and_then(Value::as_str) {
        answer.body = body.as_bytes().to_vec();
    }
    if let Some(body) = wanted.get("encodedBody").and_then(Value::as_str)
        && let Ok(body) = base64::engine::general_purpose::STANDARD.decode(body)
    {
        answer.body = body;
    }
}
