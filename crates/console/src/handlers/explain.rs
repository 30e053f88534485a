//! Explain: which step would decide about a request, and which line of the estate says so.

use api::{Asked, Services};
use axum::extract::State;
use axum::response::Response;
use model::own;

use super::Answer;
use crate::error::{WebError, sentence};
use crate::form::{Fields, Posted};
use crate::frame::Place;
use crate::pages::gateway::{ExplainPage, Explanation, TraceStep, Verdict};
use crate::pages::identity::Choice;
use crate::parameters::Parameters;
use crate::render;
use crate::session::Session;
use crate::ui::{Badge, Copy, Notice, Prose, Tone};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// LIMIT: header fields of a question.
const HEADERS_MAX: usize = 50;

/// What a link may fill in.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Prefilled {
    url: String,
}

/// `GET /gateway/explain`.
pub(crate) async fn form(
    State(services): State<Services>,
    session: Session,
    Parameters(prefilled): Parameters<Prefilled>,
) -> Answer {
    session.require(own::GATEWAY_READ)?;
    let question = Question {
        method: "GET".to_owned(),
        url: prefilled.url,
        who: String::new(),
        headers: String::new(),
    };
    page(&services, &session, question, None, None).await
}

struct Question {
    method: String,
    url: String,
    who: String,
    headers: String,
}

impl Question {
    fn read(fields: &Fields) -> Result<Self, WebError> {
        Ok(Self {
            method: fields.trimmed("method")?.to_owned(),
            url: fields.trimmed("url")?.to_owned(),
            who: fields.trimmed("who")?.to_owned(),
            headers: fields.one("headers")?.replace("\r\n", "\n"),
        })
    }

    /// The header fields, or the line that is none.
    fn header_fields(&self) -> Result<Vec<(String, String)>, String> {
        let lines: Vec<_> = self
            .headers
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        if lines.len() > HEADERS_MAX {
            return Err(format!("at most {HEADERS_MAX} header fields"));
        }
        lines
            .into_iter()
            .map(|line| {
                line.split_once(':')
                    .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                    .filter(|(name, _)| !name.is_empty())
                    .ok_or_else(|| format!("`{line}` is not a header field such as `Name: value`"))
            })
            .collect()
    }

    /// The same question for a shell, quoted so that nothing in it is read as code.
    fn command(&self) -> String {
        let mut command = format!(
            "rampart gateway explain {}",
            quote(&format!("{} {}", self.method, self.url))
        );
        if !self.who.is_empty() {
            command.push_str(&format!(" --as {}", quote(&self.who)));
        }
        for line in self.headers.lines().filter(|line| !line.trim().is_empty()) {
            command.push_str(&format!(" --header {}", quote(line.trim())));
        }
        command
    }
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `POST /gateway/explain`.
pub(crate) async fn explain(
    State(services): State<Services>,
    session: Session,
    posted: Posted,
) -> Answer {
    session.require(own::GATEWAY_READ)?;
    let question = Question::read(&posted.fields)?;
    let failed = |text: &str| Notice::new(Tone::High, "Not understood", sentence(text));
    let headers = match question.header_fields() {
        Ok(headers) => headers,
        Err(text) => {
            let problem = Some(failed(&text));
            return page(&services, &session, question, problem, None).await;
        }
    };
    let asked = Asked {
        method: question.method.clone(),
        url: question.url.clone(),
        who: question.who.clone(),
        headers,
    };
    match services.gateway.explain(&session.ctx, &asked).await {
        Ok(explained) => {
            let answer = answer(&explained);
            page(&services, &session, question, None, Some(answer)).await
        }
        Err(error) => {
            let problem = Some(failed(&error.to_string()));
            page(&services, &session, question, problem, None).await
        }
    }
}

fn answer(explained: &api::Explained) -> Explanation {
    Explanation {
        verdict: if explained.allowed {
            Badge::new(Tone::Ok, "Allowed")
        } else {
            Badge::new(Tone::High, format!("Refused: {}", explained.status))
        },
        summary: Prose::from(sentence(&explained.summary)),
        steps: explained
            .steps
            .iter()
            .map(|step| TraceStep {
                step: step.step.clone(),
                verdict: match step.verdict {
                    api::Verdict::Passed => Verdict::Passed,
                    api::Verdict::Refused => Verdict::Stopped,
                    api::Verdict::WouldRefuse => Verdict::Observed,
                    api::Verdict::NotReached => Verdict::Skipped,
                },
                text: Prose::from(step.text.clone()),
                line: step.line,
            })
            .collect(),
    }
}

async fn page(
    services: &Services,
    session: &Session,
    question: Question,
    problem: Option<Notice>,
    answer: Option<Explanation>,
) -> Answer {
    let people = if session.may(own::PEOPLE_READ) {
        services.identity.people(&session.ctx).await?
    } else {
        Vec::new()
    };
    let command = answer.is_some().then(|| {
        let command = question.command();
        (command.clone(), Copy::new(command, "command"))
    });
    let response: Response = render::html(&ExplainPage {
        frame: session.top(services, Place::Explain, "Explain"),
        problem,
        methods: METHODS.to_vec(),
        people: people
            .iter()
            .map(|person| Choice {
                value: person.login.clone(),
                label: person.name.clone(),
                about: String::new(),
            })
            .collect(),
        method: question.method,
        url: question.url,
        who: question.who,
        headers: question.headers,
        answer,
        command,
    });
    Ok(response)
}

#[cfg(test)]
mod tests;
