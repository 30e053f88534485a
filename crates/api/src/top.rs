//! Everything that goes through the gateways at this moment, in one document.

use model::Timestamp;
use serde::Serialize;

use crate::lately::{Lately, Window};
use crate::services::Services;
use crate::traffic::GatewayState;
use crate::upstreams::ServiceState;

/// See the module.
#[derive(Clone, Debug, Serialize)]
pub struct Top {
    /// When.
    pub at: Timestamp,
    /// How many seconds the rates are over.
    pub window_s: u64,
    /// The connected gateways.
    pub gateways: Vec<GatewayState>,
    /// Everything together.
    pub total: Lately,
    /// By route, those without a request included.
    pub routes: Vec<RouteTop>,
    /// By service.
    pub services: Vec<ServiceTop>,
}

/// One route.
#[derive(Clone, Debug, Serialize)]
pub struct RouteTop {
    /// Its name; `-` for what has none, `rampart.console` for the console.
    pub name: String,
    /// The service it goes to.
    pub to: Option<String>,
    /// Steps that only observe.
    pub observing: Vec<&'static str>,
    /// What went over it.
    #[serde(flatten)]
    pub lately: Lately,
}

/// One service.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceTop {
    /// How it stands.
    #[serde(flatten)]
    pub state: ServiceState,
    /// Whether anybody should look.
    pub is_in_trouble: bool,
    /// What went over the routes that lead there.
    pub lately: Lately,
}

/// What is counted apart though it is no route of the estate.
const BESIDES: [&str; 2] = ["rampart.console", "-"];

/// Looks now.
#[must_use]
pub fn top(services: &Services, window: Window) -> Top {
    let history = &services.history;
    let traffic = services.gateway.traffic();
    let version = services.rollout.current();
    let estate = version.as_ref().map(|version| &version.estate);
    let of = |name: &str, route: Option<&estate::Route>| RouteTop {
        name: name.to_owned(),
        to: route.map(|route| route.to.clone()),
        observing: route.map(observing).unwrap_or_default(),
        lately: history.lately(Some(&[name]), window),
    };
    let routes = estate.iter().flat_map(|estate| &estate.routes);
    let mut rows: Vec<RouteTop> = routes.map(|route| of(&route.name, Some(route))).collect();
    let besides = BESIDES.map(|name| of(name, None));
    rows.extend(besides.into_iter().filter(|one| one.lately.requests > 0));
    Top {
        at: services.clock.now(),
        window_s: window.length().as_secs(),
        gateways: traffic.gateways,
        total: history.lately(None, window),
        routes: rows,
        services: service_tops(services, window),
    }
}

/// How services stand, with what went to them.
#[must_use]
pub fn service_tops(services: &Services, window: Window) -> Vec<ServiceTop> {
    let version = services.rollout.current();
    let routes = |service: &str| -> Vec<String> {
        let all = version.iter().flat_map(|version| &version.estate.routes);
        let there = all.filter(|route| route.to == service);
        there.map(|route| route.name.clone()).collect()
    };
    let states = services.gateway.services().into_iter();
    states
        .map(|state| {
            let names = routes(&state.name);
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            ServiceTop {
                is_in_trouble: state.is_in_trouble(),
                lately: services.history.lately(Some(&names), window),
                state,
            }
        })
        .collect()
}

/// The steps of a route that only observe, in their order.
#[must_use]
pub fn observing(route: &estate::Route) -> Vec<&'static str> {
    let modes = route.modes;
    let all = [
        ("authenticate", modes.authenticate),
        ("authorise", modes.authorise),
        ("limits", modes.limits),
        ("validate", modes.validate),
        ("inspect", modes.inspect),
    ];
    let rules = route.waf.map(|waf| ("waf", waf.mode));
    let observing = all
        .into_iter()
        .chain(rules)
        .filter(|(_, mode)| *mode == estate::Mode::Observe);
    observing.map(|(step, _)| step).collect()
}
