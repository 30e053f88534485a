//! `rampart gateway explain`: the decision about one request, step by step, without sending it.

use clap::Args;
use serde_json::{Value, json};

use super::Session;
use crate::commands::status::text;
use crate::output::{Paint, Table, clean};
use crate::{Exit, Failure};

/// Arguments of `rampart gateway explain`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart gateway explain 'GET https://shop.example/api/orders'\n  \
    rampart gateway explain 'POST https://shop.example/api/orders' --as ada@shop.example \\\n      \
    --header 'content-type: application/json'"
)]
pub struct ExplainArgs {
    /// `METHOD URL`, in quotes; `GET` when only the address is given.
    #[arg(value_name = "METHOD URL", required = true, num_args = 1..=2)]
    pub request: Vec<String>,
    /// As if this person were signed in: mail address, name or id.
    #[arg(long = "as", value_name = "PERSON")]
    pub person: Option<String>,
    /// A header the request would carry.
    #[arg(long, value_name = "NAME: VALUE")]
    pub header: Vec<String>,
}

pub(super) fn run(args: &ExplainArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let (method, url) = request(&args.request.join(" "))?;
    let headers: Vec<[String; 2]> = args
        .header
        .iter()
        .map(|text| header(text))
        .collect::<Result<_, _>>()?;
    let mut body = json!({ "method": method, "url": url, "headers": headers });
    if let (Some(person), Some(fields)) = (&args.person, body.as_object_mut()) {
        fields.insert("as".to_owned(), json!(person));
    }
    let answer: Value = session.server()?.post("/gateway/explain", &body)?;
    let allowed = answer.get("allowed") == Some(&Value::Bool(true));
    let text = human(session, &answer, allowed);
    session
        .printer
        .document("rampart.explain.v1", &answer, || text);
    Ok(if allowed { Exit::Ok } else { Exit::No })
}

fn request(text: &str) -> Result<(String, String), Failure> {
    let wrong = || {
        Failure::usage(format!("`{}` is not a request", clean(text)))
            .hint("such as 'GET https://shop.example/api/orders'")
    };
    let mut words = text.split_whitespace();
    let first = words.next().ok_or_else(wrong)?;
    let (method, url) = match words.next() {
        Some(url) => (first.to_owned(), url),
        None => ("GET".to_owned(), first),
    };
    let is_url = url.starts_with("https://") || url.starts_with("http://");
    let is_method = method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    if words.next().is_some() || !is_url || !is_method {
        return Err(wrong());
    }
    Ok((method, url.to_owned()))
}

fn header(text: &str) -> Result<[String; 2], Failure> {
    let wrong = || {
        Failure::usage(format!("`{}` is not a header", clean(text)))
            .hint("such as --header 'accept: application/json'")
    };
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    let name = name.trim().to_ascii_lowercase();
    if http::HeaderName::from_bytes(name.as_bytes()).is_err()
        || http::HeaderValue::from_str(value.trim()).is_err()
    {
        return Err(wrong());
    }
    Ok([name, value.trim().to_owned()])
}

fn human(session: &Session<'_>, answer: &Value, allowed: bool) -> String {
    let status = answer.get("status").and_then(Value::as_u64);
    let head = if allowed {
        session.printer.paint(Paint::Good, "let through")
    } else {
        let status = status.map_or_else(String::new, |status| format!(" with {status}"));
        session
            .printer
            .paint(Paint::Bad, &format!("refused{status}"))
    };
    let mut table = Table::new(&["step", "result", "why", "estate"]);
    for step in answer
        .get("steps")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let place = step
            .get("line")
            .and_then(Value::as_u64)
            .map_or_else(String::new, |line| format!("line {line}"));
        let verdict = text(step, "verdict").replace('_', " ");
        let [name, why] = ["step", "text"].map(|key| text(step, key).to_owned());
        table.row([name, verdict, why, place]);
    }
    let summary = match text(answer, "summary") {
        "" => String::new(),
        summary => format!(": {}", clean(summary)),
    };
    format!("{head}{summary}\n\n{}", table.render("no step was taken"))
}
