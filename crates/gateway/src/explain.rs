//! Which step would decide about a request, and which line of the estate says so: the steps
//! themselves, run on a request that was never sent.
//!
//! What depends on who connects and on what was counted before (bans, limits by address) is not
//! played, and the answer says so.

mod counted;
mod outside;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use ::waf::{Sets, Shelf};
use estate::{BodyMode, Estate};
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use model::snapshot::IdentitySnapshot;
use model::{ByteSize, SharedClock, SharedEntropy, Span};

use crate::body::Budget;
use crate::caller::{Caller, Proof, Who};
use crate::contract::{Documents, no_rules};
use crate::exchange::{Connection, WebSocket};
use crate::flow::{Flow, Host};
use crate::metrics::Registry;
use crate::path::canonical;
use crate::refused::Refused;
use crate::ruled::Matched;
use crate::shared::{Common, Parts, Shared};
use crate::state::{Builder, State};
use crate::steps::{
    authenticate, authorise, cors, inspect, limits, path, route, same_origin, size, validate, waf,
    websocket,
};
use crate::upstream::{Around, Target};
use crate::{Error, pipeline, sign_in};

/// A question.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Name, e-mail address or id of the person who would ask, or the name of a client; nobody when
    /// empty.
    pub who: String,
    /// Header fields.
    pub headers: Vec<(String, String)>,
}

/// What a step said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It let the request on.
    Passed,
    /// It refused.
    Refused,
    /// It would have refused, but only observes.
    WouldRefuse,
    /// An earlier step decided.
    NotReached,
}

/// One step of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedStep {
    /// Its name.
    pub step: &'static str,
    /// What it said.
    pub verdict: Verdict,
    /// Why, in one line.
    pub text: String,
    /// The line of the estate that says so, from one.
    pub line: Option<usize>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the request would reach the service.
    pub allowed: bool,
    /// The status a refusal would have; 200 otherwise.
    pub status: u16,
    /// The answer in one line.
    pub summary: String,
    /// Every step, in order.
    pub steps: Vec<ExplainedStep>,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The method is no token.
    #[error("`{0}` is not a method such as `GET`")]
    Method(String),
    /// The address is not absolute.
    #[error("`{0}` is not a whole address such as `https://shop.example/orders`")]
    Url(String),
    /// A header cannot be sent.
    #[error("`{0}` is not a header field")]
    Header(String),
    /// A document of the version cannot be read here.
    #[error("{0}")]
    Document(String),
    /// Nobody is called so, or they are disabled.
    #[error("nobody is called `{0}`, or they are disabled")]
    Nobody(String),
}

/// What questions are answered by.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Number of the version in force.
    pub version: u64,
    /// The version in force.
    pub estate: Arc<Estate>,
    /// Its text, for lines.
    pub source: String,
    /// The documents it names.
    pub documents: BTreeMap<String, String>,
    /// Rules that are loaded already.
    pub shelf: Arc<Shelf>,
    /// Who is there.
    pub identity: IdentitySnapshot,
    /// The time.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
}

/// Answers a question.
///
/// # Errors
/// [`ExplainError`] when the question cannot be a request.
pub fn explain(ground: Ground, question: &Question) -> Result<Explanation, ExplainError> {
    let request = request(question)?;
    let secure = request.uri().scheme_str() != Some("http");
    let request = origin_form(request);
    let (clock, entropy) = (Arc::clone(&ground.clock), Arc::clone(&ground.entropy));
    let around = Around::new(Path::new("."), clock, entropy, None, 1);
    let control = Target::control("/".into(), &around);
    let builder = Builder::new(around, Arc::new(Registry::new(1)));
    let failed = |error: Error| ExplainError::Document(error.to_string());
    let documents = Documents::described(&ground.estate, &ground.documents).map_err(failed)?;
    let mut state = builder.supposed(ground.version, Arc::clone(&ground.estate), &documents);
    hold_to_rules(&mut state, &request, &ground).map_err(failed)?;
    let common = Common::new(Parts {
        clock: ground.clock,
        entropy: ground.entropy,
        budget: Arc::new(Budget::new(".".into(), ByteSize(0), ByteSize(0))),
        recorder: None,
        link: None,
        control,
        certificates: Arc::default(),
    });
    common.directory.replace(ground.identity);
    let meter = builder.registry.meters().first().cloned();
    let Some(meter) = meter else {
        return Err(ExplainError::Url(question.url.clone()));
    };
    let shared = Shared::new(Arc::new(common), meter);
    let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let connection = Connection {
        secure,
        ..Connection::of(nowhere)
    };
    let mut flow = pipeline::begin(&shared, &state, &connection, request.map(|()| None));
    let caller = supposed(&flow, question)?;
    let mut trace = Trace {
        source: &ground.source,
        steps: Vec::new(),
        refused: None,
    };
    trace.play(&mut flow, caller);
    Ok(trace.answer(&flow))
}

/// Gives the one route that the request is for its rules: those of others are not loaded for it.
fn hold_to_rules(state: &mut State, request: &Request<()>, ground: &Ground) -> Result<(), Error> {
    let Ok(path) = canonical(request.uri().path()) else {
        return Ok(());
    };
    let host = Host::of(request.headers().get(header::HOST));
    let Some(index) = state.compiled.find(host.name(), &path) else {
        return Ok(());
    };
    let Some(route) = ground.estate.routes.get(index) else {
        return Ok(());
    };
    let rules = Sets::load_one(&ground.estate, route, &ground.documents, &ground.shelf);
    state.compiled.hold_to(index, rules.map_err(no_rules)?);
    Ok(())
}

struct Trace<'s> {
    source: &'s str,
    steps: Vec<ExplainedStep>,
    refused: Option<Refused>,
}

impl Trace<'_> {
    /// The same steps in the same order as the pipeline.
    fn play(&mut self, flow: &mut Flow<'_>, caller: Option<Caller>) {
        self.step("path", flow, |flow| {
            path::settle(flow)?;
            Ok(format!("`{}` is the canonical path", flow.path()))
        });
        if flow.console || flow.path().starts_with(sign_in::OWN) {
            self.step("route", flow, |flow| {
                Ok(format!(
                    "`{}{}` is Rampart's own",
                    flow.host.name(),
                    flow.path()
                ))
            });
            return;
        }
        if let Some(text) = outside::asked(flow.state.estate(), flow.host.name()) {
            self.step("certificate", flow, |_| Ok(text));
        }
        self.step("route", flow, |flow| {
            route::find(flow)?;
            Ok(format!("the route `{}`", flow.route_name()))
        });
        self.step("head", flow, |flow| {
            size::check(flow)?;
            Ok("the head is small enough".to_owned())
        });
        self.step("cors", flow, |flow| {
            Ok(match cors::preflight(flow) {
                Some(_) => "a preflight question, answered by the gateway".to_owned(),
                None => "not a preflight question".to_owned(),
            })
        });
        self.step("authenticate", flow, |flow| known(flow, caller));
        self.step("authorise", flow, |flow| {
            authorise::check(flow)?;
            Ok("allowed".to_owned())
        });
        self.step("limits", flow, |flow| {
            limits::check(flow)?;
            limits::at_once(flow)?;
            Ok(counted::described(flow))
        });
        self.play_content(flow);
    }

    /// The steps that judge what is sent.
    fn play_content(&mut self, flow: &mut Flow<'_>) {
        self.step("inspect", flow, |flow| {
            inspect::head(flow)?;
            Ok("no rule matches path, query and headers; a body was not looked at".to_owned())
        });
        if flow.chosen().is_none_or(|one| one.compiled.rules.is_some()) {
            self.step("waf", flow, |flow| {
                waf::head(flow)?;
                waf::without_body(flow)?;
                Ok(ruled_said(flow))
            });
        }
        if flow
            .chosen()
            .is_none_or(|one| one.compiled.document.is_some())
        {
            self.step("validate", flow, |flow| {
                validate::head(flow)?;
                Ok(match flow.operation {
                    Some(operation) => format!("the operation `{}`", operation.name()),
                    None => "no operation of the document".to_owned(),
                })
            });
        }
        self.pass_on(flow);
    }

    /// How it would go on to the service.
    fn pass_on(&mut self, flow: &mut Flow<'_>) {
        if flow
            .chosen()
            .is_some_and(|chosen| chosen.route.body == BodyMode::Stream)
        {
            self.step("body", flow, |_| {
                let text = "a body is passed on as it comes: nothing looks into it, and what is \
                            too long or breaks off breaks the service's request off";
                Ok(text.to_owned())
            });
        }
        if websocket::is_asked(flow) {
            self.step("websocket", flow, |flow| {
                websocket::check(flow)?;
                Ok("the route takes WebSockets; the service has the last word".to_owned())
            });
        }
    }

    fn step(
        &mut self,
        name: &'static str,
        flow: &mut Flow<'_>,
        run: impl FnOnce(&mut Flow<'_>) -> Result<String, Refused>,
    ) {
        if self.refused.is_some() {
            let text = "an earlier step decided".to_owned();
            self.push(name, Verdict::NotReached, text, None);
            return;
        }
        let observed = flow.observed.len();
        let said = run(flow);
        let line = line(flow, name, self.source);
        for would in flow.observed.split_off(observed) {
            let text = format!("{}{}", would.text, by_rules(&would));
            self.push(name, Verdict::WouldRefuse, text, line);
            flow.observed.truncate(observed);
        }
        match said {
            Err(refused) => {
                let rules = by_rules(&refused);
                let text = format!("{} ({}){rules}", refused.text, refused.code);
                self.push(name, Verdict::Refused, text, line);
                self.refused = Some(refused);
            }
            Ok(text) => {
                let already = self.steps.last().is_some_and(|last| last.step == name);
                if !already {
                    self.push(name, Verdict::Passed, text, line);
                }
            }
        }
    }

    fn push(&mut self, step: &'static str, verdict: Verdict, text: String, line: Option<usize>) {
        self.steps.push(ExplainedStep {
            step,
            verdict,
            text,
            line,
        });
    }

    fn answer(self, flow: &Flow<'_>) -> Explanation {
        let (allowed, status, summary) = match &self.refused {
            Some(refused) => (
                false,
                refused.status.as_u16(),
                format!("refused by {}: {}", refused.step(), refused.text),
            ),
            None => {
                let to = flow.chosen().map_or_else(
                    || "Rampart itself".to_owned(),
                    |chosen| format!("the service `{}`", chosen.route.to),
                );
                (true, 200, format!("goes on to {to}"))
            }
        };
        Explanation {
            allowed,
            status,
            summary,
            steps: self.steps,
        }
    }
}

/// Rules that a refusal stands on, for whoever may know them.
fn by_rules(refused: &Refused) -> String {
    let more = refused.more();
    let one = |one: &Matched| {
        let at = one.found.first().map_or("", |found| found.target.as_str());
        format!("{} at `{at}`: {}", one.id, one.message)
    };
    let rules: Vec<String> = more.matches.iter().map(one).collect();
    match (rules.is_empty(), more.score) {
        (true, _) => String::new(),
        (false, None) => format!(": {}", rules.join("; ")),
        (false, Some(score)) => format!(", with a score of {score}: {}", rules.join("; ")),
    }
}

fn ruled_said(flow: &Flow<'_>) -> String {
    let rules: Vec<String> = flow.rules.iter().map(u64::to_string).collect();
    if rules.is_empty() {
        return "no rule matches path, query and headers; a body was not looked at".to_owned();
    }
    format!(
        "the rules {} match, and do not refuse it; a body was not looked at",
        rules.join(", ")
    )
}

/// Who it would be, in words.
fn known(flow: &mut Flow<'_>, caller: Option<Caller>) -> Result<String, Refused> {
    match caller {
        Some(caller) if looks(flow) => flow.caller = Some(caller),
        _ => match outside::foreign(flow).filter(|_| looks(flow)).transpose()? {
            Some((caller, said)) => {
                flow.caller = Some(caller);
                return Ok(said);
            }
            None => authenticate::check(flow)?,
        },
    }
    same_origin::check(flow)?;
    Ok(match &flow.caller {
        Some(caller) => format!("`{}`", caller.principal().name),
        None => "nobody needs to be signed in".to_owned(),
    })
}

fn looks(flow: &Flow<'_>) -> bool {
    let chosen = flow.chosen();
    chosen.is_some_and(|chosen| crate::state::looks_at_credentials(chosen.route.auth))
}

/// The line that decides a step: the route's own words where there are some.
fn line(flow: &Flow<'_>, step: &str, source: &str) -> Option<usize> {
    let route = flow.chosen()?.route;
    let keys: &[&str] = match step {
        "route" | "path" => &["path"],
        "authenticate" => &["auth", "require"],
        "authorise" => &["require", "auth"],
        "limits" => &["limit", "concurrent", "cost"],
        "inspect" => &["mode"],
        "waf" => &["waf", "mode"],
        "cors" => &["cors"],
        "head" => &["limits"],
        "validate" => &["openapi", "mode"],
        "websocket" => &["websocket"],
        "body" => &["body"],
        _ => &[],
    };
    let found = keys.iter().find_map(|key| route.spans.get(key));
    let span: &Span = match (found, step) {
        (Some(span), _) => span,
        (None, "authenticate" | "authorise") => &route.span,
        _ => return None,
    };
    Some(span.position(source).0)
}

fn supposed(flow: &Flow<'_>, question: &Question) -> Result<Option<Caller>, ExplainError> {
    if question.who.is_empty() {
        return Ok(None);
    }
    let person = flow.shared.directory.person_called(&question.who);
    let client = || flow.state.clients.called(&question.who).map(Who::Guest);
    let who = person.map(Who::Person).or_else(client);
    let who = who.ok_or_else(|| ExplainError::Nobody(question.who.clone()))?;
    Ok(Some(Caller {
        who,
        proof: Proof::Supposed,
        digest: [0; 32],
    }))
}

fn request(question: &Question) -> Result<Request<()>, ExplainError> {
    let method = Method::from_bytes(question.method.as_bytes())
        .map_err(|_| ExplainError::Method(question.method.clone()))?;
    let wrong = || ExplainError::Url(question.url.clone());
    let uri: Uri = question.url.parse().map_err(|_| wrong())?;
    let host = uri.authority().ok_or_else(wrong)?.as_str();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = HeaderValue::from_str(host).map_err(|_| wrong())?;
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    for (name, value) in &question.headers {
        let wrong = || ExplainError::Header(format!("{name}: {value}"));
        let field = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        headers.append(field, HeaderValue::from_str(value).map_err(|_| wrong())?);
    }
    headers.insert(header::HOST, host);
    // As every client does with a method that expects a body (RFC 9110 §8.6); rules look for it.
    let expects = matches!(question.method.as_str(), "POST" | "PUT" | "PATCH");
    if expects && !headers.contains_key(header::TRANSFER_ENCODING) {
        let none = HeaderValue::from_static("0");
        headers.entry(header::CONTENT_LENGTH).or_insert(none);
    }
    let upgrade = headers.get(header::UPGRADE);
    if upgrade.is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket")) {
        request.extensions_mut().insert(WebSocket);
    }
    Ok(request)
}

fn origin_form(mut request: Request<()>) -> Request<()> {
    let target = request.uri().path_and_query().cloned();
    *request.uri_mut() = target.map_or_else(|| Uri::from_static("/"), Uri::from);
    request
}
