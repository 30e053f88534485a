//! Whether every part works, and the control process's counters for Prometheus.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::certificates::summary;
use crate::services::Services;

/// Green or red: whether a part does what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// It does.
    Green,
    /// It does not.
    Red,
}

impl Colour {
    fn of(fine: bool) -> Self {
        if fine { Self::Green } else { Self::Red }
    }
}

/// One part and its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Component {
    /// `store`, `trail`, `estate`, `gateways`, `certificates`.
    pub name: &'static str,
    /// Its state.
    pub state: Colour,
    /// One line for people.
    pub detail: String,
}

/// The state of the whole: red when one part is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Of the whole.
    pub state: Colour,
    /// Of each part.
    pub components: Vec<Component>,
    /// The program's version.
    pub version: &'static str,
}

/// Looks at every part now.
pub async fn health(services: &Services) -> Health {
    let components = vec![
        store(services).await,
        trail(services),
        estate(services),
        gateways(services),
        certificates(services),
    ];
    let fine = components.iter().all(|c| c.state == Colour::Green);
    Health {
        state: Colour::of(fine),
        components,
        version: services.facts.version,
    }
}

async fn store(services: &Services) -> Component {
    let checked = services.store.check().await;
    Component {
        name: "store",
        state: Colour::of(checked.is_ok()),
        detail: match checked {
            Ok(()) => "answers".to_owned(),
            Err(error) => error.to_string(),
        },
    }
}

fn trail(services: &Services) -> Component {
    let health = services.trail.health();
    let wrong = health.reason.or(health.damage);
    Component {
        name: "trail",
        state: Colour::of(health.writable && wrong.is_none()),
        detail: match wrong {
            Some(reason) => reason,
            None => format!("records, {} entries", health.size),
        },
    }
}

fn estate(services: &Services) -> Component {
    let current = services.rollout.current();
    Component {
        name: "estate",
        state: Colour::of(current.is_some()),
        detail: match current {
            Some(version) => format!("version {} is applied", version.number),
            None => "nothing is applied".to_owned(),
        },
    }
}

fn gateways(services: &Services) -> Component {
    let connected = services.gateway.traffic().gateways.len();
    Component {
        name: "gateways",
        state: Colour::of(connected > 0),
        detail: format!("{connected} connected"),
    }
}

/// Red when one has ended: whoever meets it turns away.
fn certificates(services: &Services) -> Component {
    let now = services.clock.now();
    let (fine, detail) = summary(&services.gateway.certificates(), now);
    Component {
        name: "certificates",
        state: Colour::of(fine),
        detail,
    }
}

/// Answers by status class, of one surface.
#[derive(Debug, Default)]
struct Answers([AtomicU64; 5]);

/// What the control process counts of its own answers.
#[derive(Debug, Default)]
pub struct Counters {
    api: Answers,
    console: Answers,
}

/// Which surface answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// The JSON API.
    Api,
    /// The console.
    Console,
}

impl Counters {
    /// Counts one answer.
    pub fn count(&self, surface: Surface, status: StatusCode) {
        let answers = match surface {
            Surface::Api => &self.api,
            Surface::Console => &self.console,
        };
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = answers.0.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn write(&self, out: &mut String) {
        for (surface, answers) in [("api", &self.api), ("console", &self.console)] {
            for (class, counter) in answers.0.iter().enumerate() {
                let value = counter.load(Ordering::Relaxed);
                out.push_str(&format!(
                    "rampart_control_answers_total{{surface=\"{surface}\",status=\"{}xx\"}} {value}\n",
                    class + 1
                ));
            }
        }
    }
}

/// The control process's metrics in Prometheus text format.
pub async fn metrics(services: &Services) -> String {
    let health = health(services).await;
    let trail = services.trail.health();
    let mut out = String::new();
    let mut family = |name: &str, kind: &str, help: &str, lines: &str| {
        out.push_str(&format!(
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}"
        ));
    };
    let mut up = String::new();
    for component in &health.components {
        let value = u8::from(component.state == Colour::Green);
        up.push_str(&format!(
            "rampart_component_up{{component=\"{}\"}} {value}\n",
            component.name
        ));
    }
    family(
        "rampart_component_up",
        "gauge",
        "Whether a part works.",
        &up,
    );
    for (name, help, value) in [
        ("rampart_trail_entries", "Entries of the trail.", trail.size),
        (
            "rampart_trail_signed_entries",
            "Entries the newest checkpoint covers.",
            trail.signed,
        ),
        (
            "rampart_estate_version",
            "The applied version.",
            services.rollout.current().map_or(0, |v| v.number),
        ),
        (
            "rampart_gateways_connected",
            "Gateways on the link.",
            u64::try_from(services.gateway.traffic().gateways.len()).unwrap_or(u64::MAX),
        ),
    ] {
        family(name, "gauge", help, &format!("{name} {value}\n"));
    }
    let expiry = certificate_expiry(services);
    family(
        "rampart_certificate_expires_timestamp_seconds",
        "gauge",
        "When the certificate of a host ends, in seconds since 1970.",
        &expiry,
    );
    let version = services.facts.version;
    family(
        "rampart_build_info",
        "gauge",
        "Always 1; the label says which version runs.",
        &format!("rampart_build_info{{version=\"{version}\"}} 1\n"),
    );
    let mut answers = String::new();
    services.counters.write(&mut answers);
    family(
        "rampart_control_answers_total",
        "counter",
        "Answers of the control process.",
        &answers,
    );
    out
}

/// One line for each host.
fn certificate_expiry(services: &Services) -> String {
    let mut lines = String::new();
    for one in services.gateway.certificates() {
        let Some(until) = one.until else { continue };
        for host in &one.names {
            // Names of hosts hold nothing that would have to be escaped; a quote is no name.
            let host = host.replace(['\\', '"', '\n'], "_");
            lines.push_str(&format!(
                "rampart_certificate_expires_timestamp_seconds{{host=\"{host}\",source=\"{}\"}} {}\n",
                one.source.word(),
                until.as_secs()
            ));
        }
    }
    lines
}

/// `/metrics` and `/health` without authentication, for a listener that only this machine or a
/// scraper's network reaches. Neither names people nor addresses.
pub fn probes(services: Services) -> Router {
    Router::new()
        .route("/metrics", get(metrics_page))
        .route("/health", get(health_page))
        .with_state(services)
}

/// `GET /metrics`.
pub(crate) async fn metrics_page(State(services): State<Services>) -> Response {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], metrics(&services).await).into_response()
}

/// `GET /health`: 503 when something is red.
pub(crate) async fn health_page(State(services): State<Services>) -> Response {
    let health = health(&services).await;
    let status = match health.state {
        Colour::Green => StatusCode::OK,
        Colour::Red => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, axum::Json(health)).into_response()
}
